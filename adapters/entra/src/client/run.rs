//! One run while it lasts.

use super::Client;
use super::body::Shape;
use super::status::Failure;
use crate::log::{Run, RunKind, RunState};
use crate::seed::Seed;
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// A run under way.
pub(super) struct Running {
    pub(super) id: Uuid,
    pub(super) kind: RunKind,
    pub(super) seed: Seed,
    pub(super) shape: Shape,
    pub(super) began: DateTime<Utc>,
    /// Whether disablings and deletions are only noted.
    pub(super) staged: bool,
    pub(super) bad_values: f64,
    requests: AtomicU64,
    exported: AtomicU64,
    failed: AtomicU64,
    objects: AtomicU64,
    broken: Mutex<Option<Failure>>,
}

impl Running {
    pub(super) fn begin(client: &Client, kind: RunKind) -> Self {
        let (number, bad_values) = {
            let mut state = client.state();
            state.runs += 1;
            (state.runs, state.bad_values)
        };
        let shape = if kind == RunKind::OnDemand { Shape::Legacy } else { client.settings.shape };
        Self {
            id: client.seed.uuid("run", number),
            kind,
            seed: client.seed.part("run", number),
            shape,
            began: client.time.now(),
            staged: false,
            bad_values,
            requests: AtomicU64::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            objects: AtomicU64::new(0),
            broken: Mutex::new(None),
        }
    }

    pub(super) fn counted_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted_export(&self) {
        self.exported.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted_object(&self) {
        self.objects.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// The run as such has failed: nothing more is sent.
    pub(super) fn break_off(&self, failure: Failure) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }

    pub(super) fn broken(&self) -> Option<Failure> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What there is to tell of it now that it is over.
    pub(super) fn end(&self, client: &Client) -> Run {
        let failed = self.failed.load(Ordering::Relaxed);
        let state = match (self.broken(), failed) {
            (Some(_), _) => RunState::Failed,
            (None, 0) => RunState::Succeeded,
            _ => RunState::EntryLevelErrors,
        };
        let run = Run {
            cycle_id: self.id,
            job_id: client.job_id.clone(),
            kind: self.kind,
            began: self.began,
            ended: client.time.now(),
            state,
            requests: self.requests.load(Ordering::Relaxed),
            exported: self.exported.load(Ordering::Relaxed),
            failed,
            quarantine: client.state().quarantine.map(|q| q.reason),
        };
        client.recorder.run(run.clone());
        run
    }
}
