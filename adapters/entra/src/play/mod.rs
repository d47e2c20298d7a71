//! A plan played to its end: the job's cycles in their rhythm, and what happens meanwhile.

mod month;
mod plan;

pub use month::{month, months};
pub use plan::{Elsewhere, Happening, Plan, Planned, Tenant, Until};

use crate::client::{Client, MEMBERS_ON_DEMAND, Surroundings};
use crate::directory::{Churn, Directory, GroupKey, UserKey};
use crate::log::Recorder;
use crate::seed::Seed;
use crate::time::{Time, both};
use crate::transport::{Line, Transport};
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a plan is played in.
#[derive(Clone)]
pub struct Scene {
    /// The way to the server.
    pub transport: Arc<dyn Transport>,
    /// Time. The caller has one place in it.
    pub time: Arc<dyn Time>,
    /// Who listens.
    pub recorder: Arc<dyn Recorder>,
    /// Who does what is planned in the application; a plan with nothing of it needs nobody.
    pub application: Option<Arc<dyn Application>>,
}

/// The application's own people.
#[async_trait]
pub trait Application: Send + Sync {
    /// Does something. `id` is the target's id of the user or group it is about.
    ///
    /// # Errors
    /// If it cannot be done; the play goes on and says so in its result.
    async fn act(
        &self,
        what: &Elsewhere,
        id: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), String>;

    /// Looks on after a cycle, while the tenant stands still.
    async fn after_cycle(&self, _client: &Client, _directory: &Mutex<Directory>) {}
}

/// What is there after a play.
pub struct Played {
    /// The tenant's directory.
    pub directory: Arc<Mutex<Directory>>,
    /// The job.
    pub client: Arc<Client>,
    /// How many changes there were.
    pub changes: u64,
    /// What was planned and could not be done.
    pub undone: Vec<String>,
}

/// How often a job that waits looks whether it was restarted.
const GLANCE: Duration = Duration::minutes(5);

struct Stage {
    seed: Seed,
    directory: Arc<Mutex<Directory>>,
    churn: Mutex<Churn>,
    client: Arc<Client>,
    time: Arc<dyn Time>,
    application: Option<Arc<dyn Application>>,
    changes: AtomicU64,
    over: AtomicBool,
    undone: Mutex<Vec<String>>,
}

/// Plays a plan. Several can be played together with [`crate::time::both`].
pub async fn play(plan: Plan, scene: Scene) -> Played {
    let seed = Seed::new(plan.seed);
    let directory = Arc::new(Mutex::new(match plan.tenant {
        Tenant::Generated(profile, scope) => Directory::generate(seed, profile, scope),
        Tenant::Given(directory) => *directory,
    }));
    let mut line = Line::new(scene.transport, scene.time.clone(), plan.faults);
    if let Some(latency) = plan.latency {
        line = line.taking(latency);
    }
    let surroundings = Surroundings {
        directory: directory.clone(),
        transport: Arc::new(line),
        time: scene.time.clone(),
        recorder: scene.recorder,
    };
    let mut settings = plan.settings;
    settings.bad_values = settings.bad_values.max(plan.faults.bad_values);
    let stage = Stage {
        seed,
        directory,
        churn: Mutex::new(Churn::new(seed, plan.changes_per_day, plan.start)),
        client: Arc::new(Client::new(seed, settings, surroundings)),
        time: scene.time.clone(),
        application: scene.application,
        changes: AtomicU64::new(0),
        over: AtomicBool::new(false),
        undone: Mutex::new(Vec::new()),
    };
    let mut planned = plan.planned;
    planned.sort_by_key(|p| p.after);
    let job = stage.job(plan.start + plan.first_cycle, plan.start, plan.until);
    both(&*scene.time, job, stage.meanwhile(plan.start, &planned)).await;
    Played {
        directory: stage.directory,
        client: stage.client,
        changes: stage.changes.into_inner(),
        undone: stage.undone.into_inner().unwrap_or_else(PoisonError::into_inner),
    }
}

impl Stage {
    async fn job(&self, first: DateTime<Utc>, start: DateTime<Utc>, until: Until) {
        self.time.sleep_until(first).await;
        let mut cycles = 0;
        while !self.is_over(until, cycles, start) && self.wait(until, start).await {
            // What is to settle must stand still.
            if !matches!(until, Until::Settled(count) if cycles >= count) {
                self.pass();
            }
            self.client.cycle().await;
            if let Some(application) = &self.application {
                application.after_cycle(&self.client, &self.directory).await;
            }
            cycles += 1;
        }
        self.over.store(true, Ordering::Release);
    }

    fn is_over(&self, until: Until, cycles: u32, start: DateTime<Utc>) -> bool {
        match until {
            Until::Cycles(count) => cycles >= count,
            Until::Settled(count) => {
                cycles >= count && self.client.escrows() == 0 && self.client.quarantine().is_none()
            }
            Until::Elapsed(span) => self.time.now() - start >= span,
        }
    }

    /// Waits for the next cycle; false if there will be none.
    async fn wait(&self, until: Until, start: DateTime<Utc>) -> bool {
        loop {
            let (Some(due), now) = (self.client.next_cycle(), self.time.now()) else {
                return false;
            };
            match until {
                Until::Elapsed(span) if now - start >= span => return false,
                _ if due <= now => return true,
                _ => self.time.sleep_until(due.min(now + GLANCE)).await,
            }
        }
    }

    async fn meanwhile(&self, start: DateTime<Utc>, planned: &[Planned]) {
        for (number, event) in (0_u64..).zip(planned) {
            self.time.sleep_until(start + event.after).await;
            // What is planned for later than the job's end does not happen.
            if self.over.load(Ordering::Acquire) {
                return;
            }
            self.pass();
            self.happen(&event.what, number).await;
        }
    }

    async fn happen(&self, what: &Happening, number: u64) {
        match what {
            Happening::TestConnection => _ = self.client.test_connection().await,
            Happening::DemandUser(user) => {
                let user = user.or_else(|| self.anybody(number));
                if let Some(user) = user {
                    self.client.provision_user_on_demand(user).await;
                }
            }
            Happening::DemandGroup => {
                if let Some((group, members)) = self.any_group(number) {
                    self.client.provision_group_on_demand(group, &members).await;
                }
            }
            Happening::Restart => self.client.restart(),
            Happening::Token(token) => self.client.set_token(token),
            Happening::BadValues(probability) => self.client.set_bad_values(*probability),
            Happening::AllowDeletions => self.client.allow_deletions(),
            Happening::Burst(count) => {
                let happened =
                    lock(&self.churn).burst(&mut lock(&self.directory), self.time.now(), *count);
                self.changes.fetch_add(happened.len() as u64, Ordering::Relaxed);
            }
            Happening::Change(change) => {
                lock(&self.directory).apply(change, self.time.now());
                self.changes.fetch_add(1, Ordering::Relaxed);
            }
            Happening::Elsewhere(what) => self.elsewhere(what).await,
        }
    }

    async fn elsewhere(&self, what: &Elsewhere) {
        let id = match what {
            Elsewhere::DeleteUser(key) | Elsewhere::ChangeUser(key, _) => self.client.user_id(*key),
            Elsewhere::DeleteGroup(key) | Elsewhere::EmptyGroup(key) => self.client.group_id(*key),
            _ => None,
        };
        let done = match &self.application {
            Some(application) => application.act(what, id.as_deref(), self.time.now()).await,
            None => Err("nobody is there to do it".to_owned()),
        };
        if let Err(reason) = done {
            lock(&self.undone).push(format!("{what:?}: {reason}"));
        }
    }

    /// Lets happen what has happened until now.
    fn pass(&self) {
        let happened = lock(&self.churn).advance(&mut lock(&self.directory), self.time.now());
        self.changes.fetch_add(happened.len() as u64, Ordering::Relaxed);
    }

    fn anybody(&self, number: u64) -> Option<UserKey> {
        let directory = lock(&self.directory);
        let mut rng = self.seed.rng("on demand", number);
        let users = directory.users();
        (0..64)
            .filter(|_| users > 0)
            .map(|_| UserKey(rng.u32(..users)))
            .find(|key| directory.user(*key).is_some_and(|u| directory.is_active(*key, &u)))
    }

    fn any_group(&self, number: u64) -> Option<(GroupKey, Vec<UserKey>)> {
        let directory = lock(&self.directory);
        let mut rng = self.seed.rng("group on demand", number);
        let groups = u32::try_from(directory.groups().len()).unwrap_or(u32::MAX);
        let key = (0..64)
            .filter(|_| groups > 0)
            .map(|_| GroupKey(rng.u32(..groups)))
            .find(|key| directory.group(*key).is_some())?;
        let members: Vec<UserKey> = directory.group(key)?.members.iter().copied().collect();
        let from = rng.usize(..members.len().max(1));
        Some((key, members.into_iter().skip(from).take(MEMBERS_ON_DEMAND).collect()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
