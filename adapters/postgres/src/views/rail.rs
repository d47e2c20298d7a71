//! The thread that talks to the views.
//!
//! A round trip to PostgreSQL on a busy multi-threaded executor costs several times what it costs
//! on a thread that does nothing else. So whole transactions run here, and callers hand over their
//! statements and wait for the answers.

use rollcall_domain::sql::SqlError;
use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread with an executor of its own. It ends with its last handle.
#[derive(Clone)]
pub(super) struct Rail(Arc<Thread>);

struct Thread {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rail {
    /// Starts the thread.
    pub fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("views".into()).spawn(move || {
            // Ends when the sender is dropped as well.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self(Arc::new(Thread { handle, stop: Some(stop), thread: Some(thread) })))
    }

    /// Runs something on the thread. It is run to its end also if the caller goes away.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl Future<Output = Result<T, SqlError>> + Send + 'static,
    ) -> Result<T, SqlError> {
        let done = self.0.handle.spawn(job).await;
        done.unwrap_or_else(|_| Err(SqlError::Unavailable("the views' thread stopped".into())))
    }

    /// As [`Self::run`], but given up after a while, wherever it is then.
    pub async fn run_within<T: Send + 'static>(
        &self,
        limit: Duration,
        job: impl Future<Output = Result<T, SqlError>> + Send + 'static,
    ) -> Result<T, SqlError> {
        let away = |_| SqlError::Unavailable("the database does not answer".into());
        self.run(async move { tokio::time::timeout(limit, job).await.map_err(away)? }).await
    }

    /// Drops something on the thread, where its connections live.
    pub fn dispose<T: Send + 'static>(&self, thing: T) {
        self.0.handle.spawn(async move { drop(thing) });
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            // The last handle may go on the thread itself.
            && thread.thread().id() != std::thread::current().id()
        {
            drop(thread.join());
        }
    }
}
