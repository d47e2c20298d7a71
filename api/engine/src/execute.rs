//! Running one command to its end.

use crate::attempt::{Failed, Written};
use crate::order::{Done, ExecuteError, Judgement, Order};
use crate::visible::Visible;
use crate::warm::catch_up;
use crate::{Engine, Hosted};
use rollcall_domain::log::{AggregateKind, Record, StreamId};
use rollcall_domain::organization::OrganizationEventKind;
use std::time::Duration;

/// How often a command is decided anew after a lost race before the caller is asked to come back.
const ATTEMPTS: u32 = 64;

impl Engine {
    /// Decides a command and appends what it leads to. Whatever it comes to, also that nothing is
    /// to be changed, rests on a position of the log, and is known to nobody before the views show
    /// that. A lost race is decided anew; the caller never sees it.
    ///
    /// # Errors
    /// A judgement, if it is not to be carried out; else our own trouble.
    pub async fn execute<A: Hosted, R>(
        &self,
        mut order: Order<A, R>,
    ) -> Result<Visible<Done<R>>, ExecuteError<A::Error>> {
        let stream = order.stream;
        for attempt in 0..ATTEMPTS {
            let fresh = order.fresh && attempt == 0;
            match self.attempt(&mut order, fresh).await {
                Ok(written) => return self.shown::<A, R>(stream, written).await,
                Err(Failed::LostRace) => {
                    metrics::counter!("rollcall_lost_races_total").increment(1);
                    back_off(attempt).await;
                }
                // An append would have shown that the warm copy is stale; a refusal has to ask.
                Err(Failed::Judged(_, true)) if self.was_overtaken::<A>(&stream).await? => {}
                Err(Failed::Judged(judgement, _)) => {
                    return Err(self.judged(stream, judgement).await?);
                }
                Err(Failed::Unavailable(reason)) => return Err(ExecuteError::Unavailable(reason)),
                Err(Failed::Damaged(reason)) => return Err(ExecuteError::Damaged(reason)),
            }
        }
        Err(ExecuteError::Unavailable(format!(
            "{stream} changed {ATTEMPTS} times while this request was decided"
        )))
    }

    async fn shown<A: Hosted, R>(
        &self,
        stream: StreamId,
        written: Written<R>,
    ) -> Result<Visible<Done<R>>, ExecuteError<A::Error>> {
        let Written { appended, records, version, times, notes, made } = written;
        // A refused login changes nothing that is looked up of an organization.
        let of_callers = matches!(A::KIND, AggregateKind::Organization | AggregateKind::Deployment)
            && appended.positions.is_some()
            && !matches!(&records[..], [one] if is_refused_login(one));
        let done = Done { appended: appended.clone(), version, times, notes, made };
        let shown = self.show_appended(stream.organization, &appended, records, done).await;
        if of_callers || shown.is_err() {
            self.organizations_changed();
        }
        Ok(shown?)
    }

    /// A judgement that every reader can understand.
    async fn judged<E>(
        &self,
        stream: StreamId,
        judgement: Judgement<E>,
    ) -> Result<ExecuteError<E>, ExecuteError<E>> {
        // A domain may be taken by another organization: who is told so must find it.
        if let Judgement::Taken { holder, .. } = &judgement
            && holder.organization != stream.organization
        {
            self.show_head(holder.organization, ()).await?;
        }
        Ok(ExecuteError::Judged(self.show_head(stream.organization, judgement).await?))
    }

    /// Brings the warm copy up to the log. True if another process had appended to the stream.
    async fn was_overtaken<A: Hosted>(
        &self,
        stream: &StreamId,
    ) -> Result<bool, ExecuteError<A::Error>> {
        let mut guard = A::warm(self).lock(*stream).await;
        let Some(slot) = guard.take() else { return Ok(true) };
        let before = slot.version;
        let current = match catch_up(&*self.log, stream, Some(slot)).await.map_err(Failed::from) {
            Ok(current) => current,
            Err(Failed::<A::Error>::Unavailable(reason)) => {
                return Err(ExecuteError::Unavailable(reason));
            }
            Err(Failed::Damaged(reason)) => return Err(ExecuteError::Damaged(reason)),
            Err(Failed::LostRace | Failed::Judged(..)) => return Ok(true),
        };
        let overtaken = current.version != before;
        *guard = Some(current);
        Ok(overtaken)
    }
}

fn is_refused_login(record: &Record) -> bool {
    matches!(
        OrganizationEventKind::named(&record.event_type),
        Some(OrganizationEventKind::LoginRefused | OrganizationEventKind::LogoutRequested)
    )
}

/// Waits longer after each lost race. The wait differs between processes by what they run, which
/// is enough to let one of them through.
async fn back_off(attempt: u32) {
    if attempt > 2 {
        tokio::time::sleep(Duration::from_micros(250 * u64::from(attempt.min(40)))).await;
    }
}
