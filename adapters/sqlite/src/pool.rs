//! Threads that own connections and run jobs on them, so that no waiting for the disk ever holds
//! up the caller's executor.

use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// One thread for each connection, all on one queue. Dropping it finishes the queue and closes
/// the connections.
pub(crate) struct Pool {
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

/// The thread is gone, or the job panicked.
#[derive(Debug)]
pub(crate) struct Stopped;

impl Pool {
    /// Starts the threads.
    pub fn start(name: &str, connections: Vec<Connection>) -> std::io::Result<Self> {
        let (queue, jobs) = channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        let mut pool = Self { queue: Some(queue), threads: Vec::new() };
        for connection in connections {
            let jobs = jobs.clone();
            pool.threads.push(
                std::thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || work(connection, &jobs))?,
            );
        }
        Ok(pool)
    }

    /// Runs a job and waits for what it gives.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.post(move |connection| drop(reply.send(job(connection))));
        answer.await.map_err(|_| Stopped)
    }

    /// Queues a job that nobody waits for.
    pub fn post(&self, job: impl FnOnce(&mut Connection) + Send + 'static) {
        if let Some(queue) = &self.queue {
            // Refused only when every thread is gone; whoever waits sees its channel close.
            drop(queue.send(Box::new(job)));
        }
    }
}

fn work(mut connection: Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a database job panicked");
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
