//! The one thread that writes. Appends that wait are committed together, so that one flush of the
//! disk serves all of them.

use super::codec;
use super::identity::Identity;
use super::inline::InlineViews;
use super::write;
use rollcall_domain::log::{Append, AppendError, Appended, LogError, Trouble};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Appends that may wait. More callers than this are told that the log is unavailable.
const QUEUE: usize = 4096;
/// Appends in one transaction.
const BATCH: usize = 512;
/// Bytes of bodies and payloads in one transaction, roughly.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
/// How long the first of a batch waits for as many as came before: callers that were answered
/// together come back together, and a flush of the disk takes longer than this.
const GATHER: Duration = Duration::from_micros(50);

type Reply = oneshot::Sender<Result<Appended, AppendError>>;
type Job = Box<dyn FnOnce(&mut Connection) + Send>;

enum Work {
    Append(Box<Append>, Reply),
    Other(Job),
}

/// The writer. Dropping it finishes the queue and closes the connection.
pub(super) struct Writer {
    /// Set once there are any.
    pub inline: Arc<OnceLock<InlineViews>>,
    queue: Option<SyncSender<Work>>,
    failing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(connection: Connection, identity: Identity) -> std::io::Result<Self> {
        let (queue, work) = sync_channel(QUEUE);
        let failing = Arc::new(AtomicBool::new(false));
        let inline = Arc::new(OnceLock::new());
        let (told, views) = (failing.clone(), inline.clone());
        let thread = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || run(connection, &identity, &work, &told, &views))?;
        Ok(Self { inline, queue: Some(queue), failing, thread: Some(thread) })
    }

    /// Whether the last transaction could not be committed, as on a full disk.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        self.post(Work::Append(Box::new(append), reply))
            .map_err(|why| AppendError::Unavailable(why.into()))?;
        answer.await.unwrap_or_else(|_| Err(AppendError::Unavailable("the writer stopped".into())))
    }

    /// Says that a transaction was committed all the same.
    pub fn recovered(&self) {
        self.failing.store(false, Ordering::Relaxed);
    }

    /// Runs something else on the writing connection, between two batches.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(reply.send(job(connection))));
        self.post(Work::Other(job)).map_err(|why| LogError::Unavailable(why.into()))?;
        answer.await.unwrap_or_else(|_| Err(LogError::Unavailable("the writer stopped".into())))
    }

    fn post(&self, work: Work) -> Result<(), &'static str> {
        let Some(queue) = &self.queue else { return Err("the log is closed") };
        queue.try_send(work).map_err(|e| match e {
            TrySendError::Full(_) => "too many writes are waiting",
            TrySendError::Disconnected(_) => "the writer stopped",
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(
    mut connection: Connection,
    identity: &Identity,
    queue: &Receiver<Work>,
    failing: &AtomicBool,
    inline: &OnceLock<InlineViews>,
) {
    let mut expected = 1;
    while let Ok(first) = queue.recv() {
        let gathered = Instant::now() + GATHER;
        let mut appends = Vec::new();
        let mut replies = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        let mut other = None;
        while let Some(work) = next.take() {
            match work {
                Work::Append(append, reply) => {
                    bytes += size(&append);
                    appends.push(*append);
                    replies.push(reply);
                    if appends.len() < BATCH && bytes < BATCH_BYTES {
                        next = match queue.try_recv() {
                            Ok(work) => Some(work),
                            Err(_) if appends.len() < expected => queue
                                .recv_timeout(gathered.saturating_duration_since(Instant::now()))
                                .ok(),
                            Err(_) => None,
                        };
                    }
                }
                Work::Other(job) => other = Some(job),
            }
        }
        if !appends.is_empty() {
            expected = appends.len().max((expected + appends.len()) / 2);
        }
        // A panic must not take the writer with it: its callers see their replies dropped, the
        // transaction is rolled back, and the next batch is served.
        let done = catch_unwind(AssertUnwindSafe(|| {
            if !appends.is_empty() {
                let done = commit(&mut connection, identity, appends, replies, inline.get());
                failing.store(!done, Ordering::Relaxed);
            }
            if let Some(job) = other {
                job(&mut connection);
            }
        }));
        if done.is_err() {
            tracing::error!("the log's writer panicked");
        }
    }
    identity.close(&connection);
}

/// True if it is in the log.
fn commit(
    connection: &mut Connection,
    identity: &Identity,
    appends: Vec<Append>,
    replies: Vec<Reply>,
    inline: Option<&InlineViews>,
) -> bool {
    match write::append(connection, identity, appends, inline) {
        Ok(outcomes) => {
            identity.watch.came_to(None);
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                // A caller that went away does not undo its append.
                drop(reply.send(outcome));
            }
            true
        }
        Err(e) => {
            let trouble = codec::trouble(&e);
            identity.watch.came_to(Some(trouble));
            count_failure(trouble, replies.len());
            tracing::error!(error = %e, reason = trouble.as_str(), appends = replies.len(), "log.append failed");
            for reply in replies {
                drop(reply.send(Err(AppendError::Unavailable(e.to_string()))));
            }
            false
        }
    }
}

fn count_failure(trouble: Trouble, appends: usize) {
    metrics::counter!("rollcall_append_failures_total", "reason" => trouble.as_str())
        .increment(appends as u64);
}

fn size(append: &Append) -> usize {
    let bodies = append.exchange.as_ref().map_or(0, |x| x.request_body.len() + x.answer_body.len());
    let payloads: usize =
        append.write.iter().flat_map(|w| &w.events).map(|e| e.payload.len()).sum();
    bodies + payloads
}
