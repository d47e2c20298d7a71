//! One attempt at a command: the aggregate's lock, a warm copy or what the log has, a decision, one
//! append.

use crate::order::{Judgement, Led, Order, Sealed};
use crate::warm::{LoadError, Slot, catch_up};
use crate::{Engine, Hosted};
use cqrs_es::DomainEvent;
use rollcall_domain::claim::{ClaimKind, ClearClaim};
use rollcall_domain::context::Context;
use rollcall_domain::decision::Decision;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::log::{
    Append, AppendError, Appended, LogError, NewEvent, Record, StreamId, Write,
};
use tokio::sync::OwnedMutexGuard;
use tracing::{Instrument as _, debug_span};

/// What an attempt leads to.
pub(crate) struct Written<R> {
    pub(crate) appended: Appended,
    /// What was appended, so that the views need not read it back.
    pub(crate) records: Vec<Record>,
    pub(crate) version: u64,
    pub(crate) times: crate::Times,
    pub(crate) notes: Notes,
    pub(crate) made: R,
}

/// Why an attempt led to nothing.
pub(crate) enum Failed<E> {
    /// It was decided that it is not to be. True if it was decided on a warm copy, which another
    /// process may have overtaken.
    Judged(Judgement<E>, bool),
    /// Somebody else appended to the stream first.
    LostRace,
    /// Our own trouble: the log is away.
    Unavailable(String),
    /// Our own trouble: something cannot be understood.
    Damaged(String),
}

impl<E> From<LoadError> for Failed<E> {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Log(LogError::Unavailable(reason)) => Self::Unavailable(reason),
            LoadError::Log(LogError::Closed(why)) => Self::Unavailable(why.to_string()),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// What came of an append: the state that is in the log now, and what is to be told.
type Appending<A, R> = Result<(Slot<A>, Written<R>), Failed<<A as cqrs_es::Aggregate>::Error>>;

impl Engine {
    /// Decides a command on the state of now and appends what it leads to. A fresh aggregate is not
    /// looked for in the log.
    pub(crate) async fn attempt<A: Hosted, R>(
        &self,
        order: &mut Order<A, R>,
        fresh: bool,
    ) -> Result<Written<R>, Failed<A::Error>> {
        let mut guard = A::warm(self).lock(order.stream).await;
        let (slot, warm) = match guard.take() {
            Some(slot) => (slot, true),
            None if fresh => (Slot::empty(), false),
            None => (catch_up(&*self.log, &order.stream, None).await?, false),
        };
        A::warm(self).weigh(&order.stream, slot.state.weight());
        // The warm one is only replaced by one that is in the log.
        *guard = Some(slot.clone());
        if !order.precondition.holds(slot.revision) {
            return Err(Failed::Judged(Judgement::PreconditionFailed, warm));
        }
        let Decision { events, notes } =
            match slot.state.decide(order.command.clone(), &order.context) {
                Ok(decision) => decision,
                Err(refusal) => return Err(Failed::Judged(Judgement::Refused(refusal), warm)),
            };
        if let Some(liberty) = order.context.not_permitted(&notes) {
            return Err(Failed::Judged(Judgement::NotPermitted { liberty, notes }, false));
        }
        let written = self.append(order, slot, events, notes).await;
        self.settle(&order.stream, guard, written).await
    }

    async fn append<A: Hosted, R>(
        &self,
        order: &mut Order<A, R>,
        mut slot: Slot<A>,
        events: Vec<A::Event>,
        notes: Notes,
    ) -> Appending<A, R> {
        let Context { now, actor, exchange: cause, .. } = order.context.clone();
        let organization = order.stream.organization;
        let mut claims = A::claims(&order.stream, &events);
        let expected = slot.version;
        let mut new_events = Vec::with_capacity(events.len());
        for event in events {
            let payload =
                serde_json::to_string(&event).map_err(|e| Failed::Damaged(e.to_string()))?;
            new_events.push(NewEvent {
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload,
            });
            slot.passed(&event, now);
            slot.state.apply(event);
        }
        claims.require.extend(
            order.require.iter().map(|id| ClearClaim::new(ClaimKind::Resource, id.to_string())),
        );
        let claims = self.keys.seal(organization, &|| self.ids.key(), claims).await;
        let claims = claims.map_err(|e| Failed::Unavailable(e.to_string()))?;
        let led =
            Led { state: &slot.state, version: slot.revision, times: slot.times, notes: &notes };
        let Sealed { mut exchange, made } = (order.seal)(led);
        let copy = self.copy(&mut exchange);
        let write = Write {
            stream: order.stream,
            expected,
            events: new_events,
            claims,
            recorded_at: now,
            actor,
            cause,
        };
        let written = write.clone();
        let started = std::time::Instant::now();
        let append = Append { organization, write: Some(write), exchange };
        let under_way = self.appends.begin();
        let appended =
            self.log.append(append).instrument(debug_span!("log.append", %organization)).await;
        drop(under_way);
        metrics::histogram!("rollcall_append_seconds").record(started.elapsed());
        let appended = appended.map_err(|error| refused(error, &order.require))?;
        let (version, times, records) = (slot.revision, slot.times, records(written, &appended));
        self.hand_over(organization, &appended, &records, copy);
        Ok((slot, Written { appended, records, version, times, notes, made }))
    }

    /// Leaves behind a warm copy of what is in the log.
    async fn settle<A: Hosted, R>(
        &self,
        stream: &StreamId,
        mut guard: OwnedMutexGuard<Option<Slot<A>>>,
        written: Appending<A, R>,
    ) -> Result<Written<R>, Failed<A::Error>> {
        match written {
            Ok((mut slot, written)) => {
                if written.appended.repeated {
                    guard.take();
                } else {
                    if A::LONG && slot.wants_snapshot() {
                        slot.snapshot = slot.version;
                        self.keep_snapshot(*stream, slot.clone());
                    }
                    A::warm(self).weigh(stream, slot.state.weight());
                    *guard = Some(slot);
                }
                Ok(written)
            }
            Err(failed) => {
                // The warm copy may be stale (a lost race), or the append may have happened after
                // all (a lost connection): read what is there before the next command.
                let stale = guard.take();
                if let (Failed::LostRace, Some(stale)) = (&failed, stale) {
                    *guard = catch_up(&*self.log, stream, Some(stale)).await.ok();
                }
                Err(failed)
            }
        }
    }

    /// Keeps a snapshot beside the request; losing it only costs time.
    fn keep_snapshot<A: Hosted>(&self, stream: StreamId, slot: Slot<A>) {
        let log = self.log.clone();
        tokio::spawn(async move {
            let kept = match tokio::task::spawn_blocking(move || slot.to_snapshot(stream)).await {
                Ok(Ok(snapshot)) => log.save_snapshot(snapshot).await.map_err(|e| e.to_string()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = kept {
                tracing::warn!(%stream, %error, "aggregate snapshot was not kept");
            }
        });
    }
}

/// The records that an append made.
fn records(write: Write, appended: &Appended) -> Vec<Record> {
    let Some((first, _)) = appended.positions.filter(|_| !appended.repeated) else {
        return Vec::new();
    };
    let Write { stream, expected, events, recorded_at, actor, cause, .. } = write;
    let record = |(i, event): (u64, NewEvent)| Record {
        position: first + i,
        stream,
        version: expected + 1 + i,
        event_type: event.event_type,
        event_version: event.event_version,
        payload: event.payload,
        recorded_at,
        exchange: cause,
        actor: actor.clone(),
    };
    (0..).zip(events).map(record).collect()
}

/// What it means that the log refused an append.
fn refused<E>(error: AppendError, require: &[ResourceId]) -> Failed<E> {
    match error {
        AppendError::LostRace { .. } => Failed::LostRace,
        AppendError::ClaimTaken { kind, holder } => {
            Failed::Judged(Judgement::Taken { kind, holder }, false)
        }
        AppendError::ReferenceMissing { index } => match require.get(index) {
            Some(id) => Failed::Judged(Judgement::Missing(*id), false),
            None => Failed::Damaged(format!("needed claim {index} was not asked for")),
        },
        AppendError::Unavailable(reason) => Failed::Unavailable(reason),
        AppendError::Closed(why) => Failed::Unavailable(why.to_string()),
    }
}
