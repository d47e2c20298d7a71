//! The `cqrs_es` event store of one request: warm copies in, one append out.

use super::Hosted;
use super::command::{Precondition, Seal};
use super::warm::{Slot, catch_up};
use super::{Engine, Times};
use cqrs_es::{AggregateContext, AggregateError, DomainEvent, EventEnvelope};
use rollcall_domain::claim::{ClaimKind, ClearClaim};
use rollcall_domain::context::Context;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::Interpretation;
use rollcall_domain::log::{Append, AppendError, Appended, NewEvent, Record, StreamId, Version, Write};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::OwnedMutexGuard;

/// What one execution leaves behind for the engine.
pub(super) struct Left {
    pub(super) appended: Appended,
    pub(super) records: Vec<Record>,
    pub(super) version: Version,
    pub(super) times: Times,
}

/// Runs one command on one stream; `cqrs_es::CqrsFramework` drives it.
pub(super) struct RequestStore<'a, A: Hosted> {
    pub(super) engine: &'a Engine,
    pub(super) stream: StreamId,
    pub(super) fresh: bool,
    pub(super) context: Arc<Context>,
    pub(super) precondition: &'a Precondition,
    pub(super) require: &'a [ResourceId],
    pub(super) seal: &'a Mutex<Seal<A>>,
    pub(super) left: &'a Mutex<Option<Left>>,
    /// Set if the command is decided on a warm copy, which another process may have overtaken.
    pub(super) warm: &'a AtomicBool,
}

/// A locked aggregate on its way through a command.
pub(super) struct Locked<A> {
    guard: OwnedMutexGuard<Option<Slot<A>>>,
    /// The state that the command works on; the warm one is only replaced by a committed one.
    slot: Slot<A>,
}

impl<A: Hosted> AggregateContext<A> for Locked<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.slot.state
    }
}

/// The precondition did not hold; carried through `cqrs_es` and taken out again.
#[derive(Debug, thiserror::Error)]
#[error("the resource has another version")]
pub(super) struct PreconditionFailed;

/// The decision took a liberty that was not to be taken.
#[derive(Debug, thiserror::Error)]
#[error("a liberty was taken that is not permitted")]
pub(super) struct NotPermitted(pub(super) Interpretation);

impl<A: Hosted> RequestStore<'_, A> {
    async fn append(&self, events: &[A::Event], slot: &mut Slot<A>) -> Result<(Appended, Vec<Record>), AggregateError<A::Error>> {
        let unexpected = |e: serde_json::Error| AggregateError::UnexpectedError(Box::new(e));
        if let Some(liberty) = self.context.not_permitted() {
            return Err(AggregateError::UnexpectedError(Box::new(NotPermitted(liberty))));
        }
        let expected = slot.version;
        let mut new_events = Vec::with_capacity(events.len());
        for event in events {
            new_events.push(NewEvent {
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload: serde_json::to_string(event).map_err(unexpected)?,
            });
            slot.passed(event, self.context.now);
        }
        let mut claims = A::claims(&self.stream, events);
        claims.require.extend(self.require.iter().map(|id| ClearClaim::new(ClaimKind::Resource, id.to_string())));
        let claims = self.engine.keys.seal(self.stream.organization, &|| self.engine.ids.key(), claims).await;
        let claims = claims.map_err(|e| refused(AppendError::Unavailable(e.to_string())))?;
        let exchange = {
            let mut seal = self.seal.lock().unwrap_or_else(|e| e.into_inner());
            (seal)(&slot.state, slot.revision, slot.times)
        };
        let write = Write {
            stream: self.stream,
            expected,
            events: new_events,
            claims,
            recorded_at: self.context.now,
            actor: self.context.actor.clone(),
            cause: self.context.exchange,
        };
        let written = write.clone();
        let append = Append { organization: self.stream.organization, write: Some(write), exchange };
        let started = std::time::Instant::now();
        let appended = self.engine.log.append(append).await;
        metrics::histogram!("rollcall_append_seconds").record(started.elapsed());
        let appended = appended.map_err(refused)?;
        let records = records(written, &appended);
        Ok((appended, records))
    }
}

/// The records that an append made, so that the views need not read them back.
fn records(write: Write, appended: &Appended) -> Vec<Record> {
    let Some((first, _)) = appended.positions.filter(|_| !appended.repeated) else { return Vec::new() };
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

fn refused<E: std::error::Error>(error: AppendError) -> AggregateError<E> {
    match error {
        AppendError::LostRace { .. } => AggregateError::AggregateConflict,
        other => AggregateError::UnexpectedError(Box::new(other)),
    }
}

impl<A: Hosted> cqrs_es::EventStore<A> for RequestStore<'_, A> {
    type AC = Locked<A>;

    async fn load_events(&self, _: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let records = self.engine.log.load(&self.stream, 0).await.map_err(|e| AggregateError::DatabaseConnectionError(Box::new(e)))?;
        let envelope = |record: &Record| {
            Ok(EventEnvelope {
                aggregate_id: record.stream.aggregate_id(),
                sequence: usize::try_from(record.version).unwrap_or(usize::MAX),
                payload: rollcall_domain::event::decode(record).map_err(|e| AggregateError::DeserializationError(Box::new(e)))?,
                metadata: HashMap::new(),
            })
        };
        records.iter().map(envelope).collect()
    }

    async fn load_aggregate(&self, _: &str) -> Result<Locked<A>, AggregateError<A::Error>> {
        let mut guard = A::warm(self.engine).lock(self.stream).await;
        let slot = match guard.take() {
            Some(warm) => {
                self.warm.store(true, Ordering::Relaxed);
                warm
            }
            None if self.fresh => Slot::empty(),
            None => {
                let loaded = catch_up(&*self.engine.log, &self.stream, None).await;
                loaded.map_err(|e| AggregateError::DatabaseConnectionError(Box::new(e)))?
            }
        };
        A::warm(self.engine).weigh(&self.stream, slot.state.weight());
        *guard = Some(slot.clone());
        if !self.precondition.holds(slot.revision) {
            return Err(AggregateError::UnexpectedError(Box::new(PreconditionFailed)));
        }
        Ok(Locked { guard, slot })
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        mut locked: Locked<A>,
        _: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let (appended, records) = match self.append(&events, &mut locked.slot).await {
            Ok(done) => done,
            Err(error) => {
                // The warm copy may be stale (a lost race), or the append may have happened after
                // all (a lost connection): read what is there before the next command.
                let stale = locked.guard.take();
                if let (AggregateError::AggregateConflict, Some(stale)) = (&error, stale) {
                    *locked.guard = catch_up(&*self.engine.log, &self.stream, Some(stale)).await.ok();
                }
                return Err(error);
            }
        };
        let Locked { mut guard, mut slot } = locked;
        let left = Left { version: slot.revision, times: slot.times, appended, records };
        if left.appended.repeated {
            guard.take();
        } else {
            if A::LONG && slot.wants_snapshot() {
                slot.snapshot = slot.version;
                self.engine.keep_snapshot(self.stream, slot.clone());
            }
            A::warm(self.engine).weigh(&self.stream, slot.state.weight());
            *guard = Some(slot);
        }
        *self.left.lock().unwrap_or_else(|e| e.into_inner()) = Some(left);
        Ok(Vec::new())
    }
}

impl Engine {
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
