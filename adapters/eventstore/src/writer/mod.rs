//! A task for each organization that appends. What waits is decided and appended together.

mod bodies;
mod commit;
pub(crate) mod drop;
pub(crate) mod restore;
pub(crate) mod scopes;

use crate::core::Core;
use futures::future::BoxFuture;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Append, AppendError, Appended, LogError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Appends of one organization that may wait. More callers than this are told that the log is
/// unavailable.
const QUEUE: usize = 4096;
/// Appends in one batch.
const BATCH: usize = 256;
/// Bytes of payloads and documents in one batch, roughly; bodies go elsewhere.
const BATCH_BYTES: usize = 600_000;
/// How long the first of a batch waits for as many as came before: callers that were answered
/// together come back together.
const GATHER: Duration = Duration::from_micros(200);
/// What an append takes besides its payloads, roughly.
const APPEND: usize = 2_500;

type Reply = oneshot::Sender<Result<Appended, AppendError>>;
type Job = Box<dyn FnOnce(Arc<Core>) -> BoxFuture<'static, ()> + Send>;

enum Work {
    Append(Box<Append>, Reply),
    Other(Job),
}

/// The queues of the organizations. Dropping them ends the tasks when they are through.
pub(crate) struct Writers {
    core: Arc<Core>,
    queues: Mutex<HashMap<OrganizationId, mpsc::Sender<Work>>>,
}

impl Writers {
    pub fn new(core: Arc<Core>) -> Self {
        Self { core, queues: Mutex::new(HashMap::new()) }
    }

    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let organization = append.organization;
        self.post(organization, Work::Append(Box::new(append), reply))
            .map_err(|why| AppendError::Unavailable(why.into()))?;
        answer.await.unwrap_or_else(|_| Err(AppendError::Unavailable("the writer stopped".into())))
    }

    /// Runs something else between two batches of an organization.
    pub async fn run<T, F>(
        &self,
        organization: OrganizationId,
        job: impl FnOnce(Arc<Core>) -> F + Send + 'static,
    ) -> Result<T, LogError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LogError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |core| {
            let running = job(core);
            Box::pin(async move { drop(reply.send(running.await)) })
        });
        self.post(organization, Work::Other(job))
            .map_err(|why| LogError::Unavailable(why.into()))?;
        answer.await.unwrap_or_else(|_| Err(LogError::Unavailable("the writer stopped".into())))
    }

    fn post(&self, organization: OrganizationId, work: Work) -> Result<(), &'static str> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let (queue, work) = mpsc::channel(QUEUE);
            tokio::spawn(run(self.core.clone(), organization, work));
            queue
        };
        let queue = queues.entry(organization).or_insert_with(start);
        if queue.is_closed() {
            // It panicked; its callers saw their replies dropped.
            *queue = start();
        }
        queue.try_send(work).map_err(|e| match e {
            TrySendError::Full(_) => "too many writes are waiting",
            TrySendError::Closed(_) => "the writer stopped",
        })
    }
}

async fn run(core: Arc<Core>, organization: OrganizationId, mut queue: mpsc::Receiver<Work>) {
    let mut expected = 1;
    while let Some(first) = queue.recv().await {
        let begun = Instant::now();
        let (mut appends, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(first);
        while let Some(work) = next.take() {
            match work {
                // What needs another organization's claims is decided alone.
                Work::Append(append, reply) if is_foreign(&append) => {
                    finish(&core, organization, &mut appends, &mut replies).await;
                    finish(&core, organization, &mut vec![*append], &mut vec![reply]).await;
                }
                Work::Append(append, reply) => {
                    bytes += size(&append);
                    appends.push(*append);
                    replies.push(reply);
                    if appends.len() < BATCH && bytes < BATCH_BYTES {
                        next = come(&mut queue, appends.len() < expected, begun).await;
                    }
                }
                Work::Other(job) => {
                    finish(&core, organization, &mut appends, &mut replies).await;
                    job(core.clone()).await;
                }
            }
        }
        if !appends.is_empty() {
            expected = appends.len().max((expected + appends.len()) / 2);
        }
        finish(&core, organization, &mut appends, &mut replies).await;
    }
}

/// What waits already, or comes while others may be expected.
async fn come(
    queue: &mut mpsc::Receiver<Work>,
    are_more_expected: bool,
    begun: Instant,
) -> Option<Work> {
    loop {
        match queue.try_recv() {
            Ok(work) => return Some(work),
            // A timer is too coarse for this.
            Err(_) if are_more_expected && begun.elapsed() < GATHER => {
                tokio::task::yield_now().await
            }
            Err(_) => return None,
        }
    }
}

async fn finish(
    core: &Core,
    organization: OrganizationId,
    appends: &mut Vec<Append>,
    replies: &mut Vec<Reply>,
) {
    if appends.is_empty() {
        return;
    }
    let outcomes = commit::commit(core, organization, std::mem::take(appends)).await;
    for (reply, outcome) in replies.drain(..).zip(outcomes) {
        // A caller that went away does not undo its append.
        drop(reply.send(outcome));
    }
}

fn is_foreign(append: &Append) -> bool {
    append.write.iter().any(|write| {
        let c = &write.claims;
        c.release
            .iter()
            .chain(&c.take)
            .chain(&c.require)
            .any(|claim| claim.scope != append.organization)
    })
}

fn size(append: &Append) -> usize {
    APPEND
        + append
            .write
            .iter()
            .flat_map(|w| &w.events)
            .map(|e| e.payload.len() + APPEND / 2)
            .sum::<usize>()
}
