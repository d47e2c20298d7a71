//! The provisioning client: what Entra's provisioning service sends, and how it takes the answers.

mod body;
mod cycle;
mod delete;
mod demand;
mod group;
mod manager;
mod mapping;
mod members;
mod probe;
mod run;
mod settings;
mod state;
mod status;
mod target;
mod user;
mod work;

pub use body::Shape;
pub use demand::MEMBERS_ON_DEMAND;
pub use mapping::{ENTERPRISE, Flow, Mapping, Source};
pub use settings::Settings;
pub use state::RHYTHM;
pub use target::Target;

use crate::directory::{Delta, Directory, GroupKey, UserKey};
use crate::log::Recorder;
use crate::seed::Seed;
use crate::time::Time;
use crate::transport::Transport;
use chrono::{DateTime, Utc};
use state::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// What a client talks through and to.
#[derive(Clone)]
pub struct Surroundings {
    /// The tenant's directory; several jobs may share it.
    pub directory: Arc<Mutex<Directory>>,
    /// The way to the server.
    pub transport: Arc<dyn Transport>,
    /// Time.
    pub time: Arc<dyn Time>,
    /// Who listens.
    pub recorder: Arc<dyn Recorder>,
}

/// One provisioning job.
pub struct Client {
    seed: Seed,
    settings: Settings,
    directory: Arc<Mutex<Directory>>,
    transport: Arc<dyn Transport>,
    time: Arc<dyn Time>,
    recorder: Arc<dyn Recorder>,
    tenant_id: Uuid,
    service_principal: Uuid,
    job_id: String,
    state: Mutex<State>,
}

impl Client {
    /// A job that has not run yet.
    pub fn new(seed: Seed, settings: Settings, surroundings: Surroundings) -> Self {
        let tenant_id = settings.tenant_id.unwrap_or_else(|| seed.uuid("tenant", 0));
        let job_id =
            format!("scim.{}.{}", seed.uuid("application", 0).simple(), seed.uuid("job", 0));
        let state = State {
            bearer: settings.token.as_str().into(),
            bad_values: settings.bad_values,
            ..State::default()
        };
        let Surroundings { directory, transport, time, recorder } = surroundings;
        Self {
            service_principal: seed.uuid("service principal", 0),
            seed,
            settings,
            directory,
            transport,
            time,
            recorder,
            tenant_id,
            job_id,
            state: Mutex::new(state),
        }
    }

    /// The job's id, as in the provisioning log.
    pub fn job_id(&self) -> &str {
        &self.job_id
    }

    /// The tenant's id, as in the provisioning log.
    pub fn tenant_id(&self) -> Uuid {
        self.tenant_id
    }

    /// Pastes another secret token.
    pub fn set_token(&self, token: &str) {
        self.state().bearer = token.into();
    }

    /// Makes the mapping give bad values with another probability.
    pub fn set_bad_values(&self, probability: f64) {
        self.state().bad_values = probability;
    }

    /// The probability with which the mapping gives bad values now.
    pub fn bad_values(&self) -> f64 {
        self.state().bad_values
    }

    /// Restart provisioning: the next cycle reads everything again. Links stay; watermark, escrows
    /// and quarantine do not.
    pub fn restart(&self) {
        let mut state = self.state();
        state.restart = true;
        state.escrows.clear();
        state.skipped.clear();
        state.quarantine = None;
        state.disabled = false;
    }

    /// Lets deletions through that were held back.
    pub fn allow_deletions(&self) {
        let mut state = self.state();
        state.deletes_allowed = true;
        state.quarantine = None;
    }

    /// When the next cycle begins: 40 minutes after the last one began, or as a quarantine says;
    /// never, once the job is disabled.
    pub fn next_cycle(&self) -> Option<DateTime<Utc>> {
        let now = self.time.now();
        let state = self.state();
        if state.disabled {
            return None;
        }
        let due = match (&state.quarantine, state.last_began) {
            _ if state.restart => now,
            (Some(quarantine), _) => quarantine.next,
            (None, Some(began)) => began + RHYTHM,
            (None, None) => now,
        };
        Some(due.max(now))
    }

    /// Why the job is quarantined, if it is.
    pub fn quarantine(&self) -> Option<&'static str> {
        self.state().quarantine.map(|q| q.reason)
    }

    /// Objects and references that will be tried again.
    pub fn escrows(&self) -> usize {
        self.state().escrows.len()
    }

    /// What these are.
    pub fn waiting(&self) -> Vec<Delta> {
        self.state().escrows.keys().copied().collect()
    }

    /// References that are not sent until a restart, because they led out of scope.
    pub fn skipped(&self) -> Vec<Delta> {
        self.state().skipped.iter().copied().collect()
    }

    /// The `id` of a user in the target system, if the two are linked.
    pub fn user_id(&self, key: UserKey) -> Option<String> {
        self.state().user(key).map(|link| link.id.to_string())
    }

    /// The `id` of a group in the target system, if the two are linked.
    pub fn group_id(&self, key: GroupKey) -> Option<String> {
        self.state().group(key).map(|link| link.id.to_string())
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
