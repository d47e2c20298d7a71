//! The thread that appends. It has a runtime of its own, because handing rows between threads
//! costs more than PostgreSQL does. Appends that wait are committed together; an organization has
//! at most one batch under way, and several organizations run side by side on a few connections.

use super::commit::{Batch, Place, Queued, commit};
use super::session::Session;
use crate::options::ConnectOptions;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Append, AppendError, Appended, InlineFold, Watch};
use sqlx::postgres::PgConnectOptions;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Appends that may wait. More callers than this are told that the log is unavailable.
const QUEUE: usize = 4096;
/// Appends in one transaction.
const BATCH: usize = 256;
/// Bytes of bodies and payloads in one transaction, roughly.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long the first of a batch waits for as many as came before, when nothing else is under way:
/// callers that were answered together come back together, and a commit takes longer than this.
const GATHER: Duration = Duration::from_millis(1);

/// The way to the thread. When it is dropped, the thread finishes what it has and ends.
pub(super) struct Writer {
    /// Folds the live views with each append, once it is set.
    pub inline: Arc<OnceLock<Arc<dyn InlineFold>>>,
    queue: mpsc::Sender<Queued>,
}

impl Writer {
    pub fn start(
        database: PgConnectOptions,
        options: ConnectOptions,
        watch: Arc<Watch>,
    ) -> std::io::Result<Self> {
        let (queue, appends) = mpsc::channel(QUEUE);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (waiting, busy, served) = (BTreeMap::new(), BTreeSet::new(), OrganizationId::NONE);
        let inline = Arc::new(OnceLock::new());
        let dispatcher = Dispatcher {
            inline: inline.clone(),
            database,
            options,
            watch,
            queue: appends,
            waiting,
            count: 0,
            expected: 1,
            busy,
            served,
        };
        std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || runtime.block_on(dispatcher.run()))?;
        Ok(Self { inline, queue })
    }

    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Queued { append, reply }).map_err(|e| {
            AppendError::Unavailable(match e {
                mpsc::error::TrySendError::Full(_) => "too many appends are waiting".into(),
                mpsc::error::TrySendError::Closed(_) => "the writer stopped".into(),
            })
        })?;
        answer.await.unwrap_or_else(|_| Err(AppendError::Unavailable("the writer stopped".into())))
    }
}

struct Dispatcher {
    inline: Arc<OnceLock<Arc<dyn InlineFold>>>,
    database: PgConnectOptions,
    options: ConnectOptions,
    watch: Arc<Watch>,
    queue: mpsc::Receiver<Queued>,
    waiting: BTreeMap<OrganizationId, VecDeque<Queued>>,
    /// How many wait.
    count: usize,
    /// How many came together of late.
    expected: usize,
    /// Organizations with a batch under way.
    busy: BTreeSet<OrganizationId>,
    /// The organization served last.
    served: OrganizationId,
}

impl Dispatcher {
    async fn run(mut self) {
        let shared = Rc::new((self.database.clone(), self.options.clone(), self.watch.clone()));
        let mut idle: Vec<Option<Session>> =
            (0..self.options.writers.max(1)).map(|_| None).collect();
        let mut running = FuturesUnordered::new();
        let mut open = true;
        while open || !running.is_empty() || self.count > 0 {
            while let Some(batch) = self.next_batch(!idle.is_empty()) {
                let organizations: BTreeSet<_> =
                    batch.iter().map(|q| q.append.organization).collect();
                self.busy.extend(&organizations);
                let (session, shared) = (idle.pop().flatten(), shared.clone());
                let fold = self.inline.get().cloned();
                running.push(async move {
                    let (database, options, watch) = &*shared;
                    let place = Place { database, options, watch, fold: fold.as_deref() };
                    (commit(session, &place, batch).await, organizations)
                });
            }
            tokio::select! {
                biased;
                Some((session, organizations)) = running.next() => {
                    idle.push(session);
                    self.busy.retain(|o| !organizations.contains(o));
                }
                next = self.queue.recv(), if open && self.count < QUEUE => match next {
                    Some(queued) => self.take_in(queued),
                    None => open = false,
                },
            }
            open &= self.gather(!running.is_empty()).await;
        }
        for session in idle.into_iter().flatten() {
            session.close().await;
        }
    }

    /// Takes in whatever else came meanwhile: it goes into the same batch. False once nothing more
    /// can come.
    async fn gather(&mut self, running: bool) -> bool {
        let gathered = Instant::now() + GATHER;
        loop {
            while self.count < QUEUE
                && let Ok(queued) = self.queue.try_recv()
            {
                self.take_in(queued);
            }
            if running || self.count == 0 || self.count >= self.expected {
                return true;
            }
            match tokio::time::timeout_at(gathered, self.queue.recv()).await {
                Ok(Some(queued)) => self.take_in(queued),
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    fn take_in(&mut self, queued: Queued) {
        self.count += 1;
        self.waiting.entry(queued.append.organization).or_default().push_back(queued);
    }

    /// What can be committed now: of each organization that has nothing under way, the oldest
    /// first.
    fn next_batch(&mut self, session: bool) -> Option<Batch> {
        let mut batch = Batch::new();
        let mut bytes = 0;
        if !session {
            return None;
        }
        // Round and round, so that a busy organization cannot keep the others waiting.
        let (before, after): (Vec<_>, Vec<_>) = self
            .waiting
            .keys()
            .filter(|o| !self.busy.contains(o))
            .partition(|o| **o <= self.served);
        for organization in after.into_iter().chain(before) {
            let Some(queue) = self.waiting.get_mut(&organization) else { continue };
            while batch.len() < BATCH
                && bytes < BATCH_BYTES
                && let Some(queued) = queue.pop_front()
            {
                bytes += size(&queued.append);
                batch.push(queued);
                self.served = organization;
            }
        }
        self.waiting.retain(|_, queue| !queue.is_empty());
        self.count -= batch.len();
        if !batch.is_empty() {
            self.expected = batch.len().max((self.expected + batch.len()) / 2);
        }
        (!batch.is_empty()).then_some(batch)
    }
}

fn size(append: &Append) -> usize {
    let bodies = append.exchange.as_ref().map_or(0, |x| x.request_body.len() + x.answer_body.len());
    let payloads: usize =
        append.write.iter().flat_map(|w| &w.events).map(|e| e.payload.len()).sum();
    bodies + payloads
}
