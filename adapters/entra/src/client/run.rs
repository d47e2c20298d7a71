//! One run while it lasts.

use super::Client;
use super::body::{Shape, equals};
use super::status::{Effect, Failure, Purpose};
use super::work::Work;
use crate::log::{Run, RunKind, RunState};
use crate::seed::Seed;
use crate::transport::Method;
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

    /// Looks for somebody who cannot exist: is the endpoint there, and is the token good?
    pub(super) async fn probe(&self, client: &Client, groups: bool) -> Result<(), Failure> {
        let nobody = self.seed.uuid("nobody", 0).to_string();
        let matching = client.settings.mapping.matching.first().map_or("userName", |t| t.as_str());
        let mut targets = vec![format!("/Users?filter={}", equals(matching, &nobody))];
        if groups && client.settings.groups {
            targets.push(format!("/Groups?excludedAttributes=members&filter={}", equals("displayName", &nobody)));
        }
        for target in targets {
            let reply = Work::probe(client, self).send(Purpose::Probe, Method::Get, target, None).await?;
            if reply["Resources"].as_array().is_some_and(|found| !found.is_empty()) {
                return Err(Failure::new(Effect::Quarantine, INCOMPATIBLE, "a user was found that cannot exist"));
            }
        }
        Ok(())
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

/// What Entra calls a target that does not speak SCIM as it should.
pub(super) const INCOMPATIBLE: &str = "SystemForCrossDomainIdentityManagementServiceIncompatible";
