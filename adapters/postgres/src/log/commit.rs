//! Committing a batch, through lost connections and conflicts.

use super::inline;
use super::session::{Broken, Outcomes, Session};
use crate::fault::{Fault, fault, trouble};
use crate::options::ConnectOptions;
use rollcall_domain::log::{Append, AppendError, Appended, InlineFold, Trouble, Watch};
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;
use tokio::sync::oneshot;

/// How often a batch is tried again after a conflict.
const CONFLICTS: u32 = 5;

/// An append and who waits for it.
pub(super) struct Queued {
    pub append: Append,
    pub reply: oneshot::Sender<Result<Appended, AppendError>>,
}

pub(super) type Batch = Vec<Queued>;

/// Commits a batch, answers its callers, and gives the connection back if it is still good.
pub(super) async fn commit(
    mut session: Option<Session>,
    place: &Place<'_>,
    batch: Batch,
) -> Option<Session> {
    let (appends, replies): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|q| (q.append, q.reply)).unzip();
    let mut outcomes = place.append(&mut session, &appends).await;
    if appends.len() > 1 && matches!(outcomes, Err(Failed::Refused(_))) {
        // One of them is not what the server can store: it must fail alone.
        let mut alone = Outcomes::new();
        for append in &appends {
            alone.extend(
                place
                    .append(&mut session, std::slice::from_ref(append))
                    .await
                    .unwrap_or_else(|failed| vec![place.answer(failed)]),
            );
        }
        outcomes = Ok(alone);
    }
    let outcomes = outcomes.unwrap_or_else(|failed| {
        tracing::warn!(reason = failed.reason(), appends = appends.len(), "log.append failed");
        vec![place.answer(failed); appends.len()]
    });
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        // A caller that went away does not undo its append.
        drop(reply.send(outcome));
    }
    session
}

/// Why a batch has no outcomes.
enum Failed {
    Away(String),
    Refused(String),
}

impl Failed {
    fn reason(&self) -> &str {
        let (Failed::Away(why) | Failed::Refused(why)) = self;
        why
    }
}

/// Where batches go.
pub(super) struct Place<'a> {
    /// The database.
    pub database: &'a PgConnectOptions,
    /// How it is used.
    pub options: &'a ConnectOptions,
    /// What is known of the log.
    pub watch: &'a Arc<Watch>,
    /// What moves the live views along.
    pub fold: Option<&'a dyn InlineFold>,
}

impl Place<'_> {
    /// Says what keeps appends from being made.
    fn failed(&self, error: &sqlx::Error, appends: usize, of: fn(String) -> Failed) -> Failed {
        let trouble = match error {
            // A statement that was given up: it waited for somebody.
            sqlx::Error::PoolTimedOut => Trouble::Locked,
            other => trouble(other),
        };
        // One that is refused may be the fault of what was appended.
        if trouble != Trouble::Refused || appends > 1 {
            self.watch.came_to(Some(trouble));
        }
        metrics::counter!("rollcall_append_failures_total", "reason" => trouble.as_str())
            .increment(appends as u64);
        of(error.to_string())
    }

    /// What a caller is told whose append was not made, or may not have been.
    fn answer(&self, failed: Failed) -> Result<Appended, AppendError> {
        let (Failed::Away(why) | Failed::Refused(why)) = failed;
        Err(match self.watch.check() {
            Ok(()) => AppendError::Unavailable(why),
            Err(why) => AppendError::Closed(why),
        })
    }

    async fn append(
        &self,
        session: &mut Option<Session>,
        appends: &[Append],
    ) -> Result<Outcomes, Failed> {
        let mut lost = false;
        let mut conflicts = 0;
        // What an earlier try had decided when its commit was cut off.
        let mut earlier: Option<Outcomes> = None;
        let mut fold = self.fold;
        loop {
            let mut with = match session.take() {
                Some(session) => session,
                None => Session::connect(self.database, self.options.connect_timeout, self.watch)
                    .await
                    .map_err(|e| match e {
                        sqlx::Error::PoolTimedOut => {
                            let away = std::io::Error::from(std::io::ErrorKind::TimedOut);
                            self.failed(&away.into(), appends.len(), Failed::Away)
                        }
                        other => self.failed(&other, appends.len(), Failed::Away),
                    })?,
            };
            let open: Vec<usize> = (0..appends.len())
                .filter(|i| !is_open_ended(&appends[*i], earlier.as_ref().map(|o| &o[*i])))
                .collect();
            let retried: Vec<Append> = open.iter().map(|i| appends[*i].clone()).collect();
            let mut sent = None;
            let tried = tokio::time::timeout(
                self.options.statement_timeout,
                with.append(&retried, fold, &mut sent),
            )
            .await;
            let error = match tried {
                Ok(Ok(outcomes)) => {
                    *session = Some(with);
                    self.watch.came_to(None);
                    return Ok(merge(appends.len(), &open, outcomes, earlier));
                }
                Ok(Err(Broken::Log(e))) => e,
                Ok(Err(Broken::Fold(e))) => {
                    // Once more without. Where the server is away that shows there.
                    inline::failed(&e);
                    fold = None;
                    let kept =
                        with.roll_back().await.is_ok() && with.forget_statements().await.is_ok();
                    *session = kept.then_some(with);
                    continue;
                }
                // Dropping the connection is the only way to end what may still be going on there.
                Err(_) => sqlx::Error::PoolTimedOut,
            };
            let fault = fault(&error);
            // What the server answered to is decided; what was cut off may have been committed.
            let cut_off = sent.filter(|_| matches!(fault, Fault::Lost | Fault::Away));
            match fault {
                Fault::Conflict | Fault::Refused | Fault::Unreadable => {
                    *session = with.roll_back().await.is_ok().then_some(with)
                }
                Fault::Lost | Fault::Away => drop(with),
            }
            match fault {
                Fault::Conflict | Fault::Unreadable if conflicts < CONFLICTS => conflicts += 1,
                Fault::Lost if !lost => {
                    lost = true;
                    if let Some(outcomes) = cut_off {
                        earlier = Some(outcomes);
                    }
                }
                Fault::Refused | Fault::Unreadable => {
                    return Err(self.failed(&error, appends.len(), Failed::Refused));
                }
                Fault::Lost | Fault::Away | Fault::Conflict => {
                    return Err(self.failed(&error, appends.len(), Failed::Away));
                }
            }
        }
    }
}

/// Whether nobody can tell what became of an append: its commit was cut off, and it has no
/// exchange by which it would be recognised.
fn is_open_ended(append: &Append, earlier: Option<&Result<Appended, AppendError>>) -> bool {
    append.exchange.is_none() && matches!(earlier, Some(Ok(_)))
}

/// The outcomes of a whole batch, of which `open` were tried again after a commit that was cut off.
fn merge(len: usize, open: &[usize], outcomes: Outcomes, earlier: Option<Outcomes>) -> Outcomes {
    let Some(earlier) = earlier else { return outcomes };
    let mut all =
        vec![Err(AppendError::Unavailable("the connection was lost while committing".into())); len];
    for (index, outcome) in open.iter().zip(outcomes) {
        all[*index] = match (outcome, &earlier[*index]) {
            // It is there because we put it there.
            (Ok(now), Ok(before)) if now.repeated && !before.repeated => {
                Ok(Appended { repeated: now.positions != before.positions, ..now })
            }
            (now, _) => now,
        };
    }
    all
}
