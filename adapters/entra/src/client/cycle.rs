//! Cycles: everything in scope, or what changed, object by object.

use super::Client;
use super::run::Running;
use super::status::{Effect, Failure};
use super::work::Done;
use crate::directory::{Delta, GroupKey, UserKey, Watermark};
use crate::log::{Run, RunKind};
use crate::time::lanes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Failures from which on a job may be quarantined for their share.
const PROPORTION_FROM: u64 = 5_000;
/// Failed users and groups that quarantine a job whatever their share.
const BASE_LIMIT: u64 = 40_000;
/// Failures, references included, that quarantine a job.
const TOTAL_LIMIT: u64 = 60_000;

/// What a cycle deals with.
enum Extent {
    /// Everything in scope.
    Everything,
    /// What changed, and what is tried again.
    Some {
        users: Vec<UserKey>,
        managers: Vec<UserKey>,
        groups: BTreeSet<GroupKey>,
        members: BTreeMap<GroupKey, Vec<UserKey>>,
    },
}

impl Client {
    /// Runs the next cycle: the initial one, a restart, or an incremental one.
    pub async fn cycle(&self) -> Run {
        let kind = {
            let mut state = self.state();
            let restart = std::mem::take(&mut state.restart);
            match (state.initial_done, restart) {
                (_, true) => RunKind::Restart,
                (true, false) => RunKind::Incremental,
                (false, false) => RunKind::Initial,
            }
        };
        let mut run = Running::begin(self, kind);
        self.state().last_began = Some(run.began);
        match run.probe(self, false).await {
            Err(failure) => run.break_off(failure),
            Ok(()) => self.work_off(&mut run).await,
        }
        self.conclude(&run);
        run.end(self)
    }

    async fn work_off(&self, run: &mut Running) {
        let (extent, watermark) = self.extent(run);
        if let Some(threshold) = self.settings.deletion_threshold {
            run.staged = !self.state().deletes_allowed && self.deletions(&extent) > threshold;
        }
        let run = &*run;
        let new = self.all_users(run, &extent).await;
        if self.settings.mapping.manager {
            self.all_managers(run, &extent, new).await;
        }
        if self.settings.groups {
            self.all_groups(run, &extent).await;
        }
        if run.broken().is_none() && !run.staged {
            let mut state = self.state();
            state.watermark = watermark;
            state.initial_done = true;
            state.deletes_allowed = false;
        }
    }

    fn extent(&self, run: &Running) -> (Extent, Watermark) {
        let directory = self.directory();
        let watermark = directory.watermark();
        if run.kind != RunKind::Incremental {
            return (Extent::Everything, watermark);
        }
        let state = self.state();
        let changed: BTreeSet<Delta> =
            directory.since(state.watermark).into_iter().chain(state.due(run.began)).collect();
        let (mut users, mut managers, mut groups) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut members: BTreeMap<GroupKey, Vec<UserKey>> = BTreeMap::new();
        for delta in changed {
            match delta {
                Delta::User(user) => users.push(user),
                Delta::Manager(user) => managers.push(user),
                Delta::Group(group) => _ = groups.insert(group),
                Delta::Member(group, user) => members.entry(group).or_default().push(user),
            }
        }
        (Extent::Some { users, managers, groups, members }, watermark)
    }

    /// How many users would be switched off or deleted, and groups deleted.
    fn deletions(&self, extent: &Extent) -> u32 {
        let (directory, state) = (self.directory(), self.state());
        let loses = |key: UserKey| {
            state.user(key).is_some_and(|link| match directory.user(key) {
                Some(user) => link.active && !directory.is_active(key, &user),
                None => true,
            })
        };
        let vanishes = |key: GroupKey| state.group(key).is_some() && directory.group(key).is_none();
        let count = match extent {
            Extent::Everything => {
                let groups = u32::try_from(directory.groups().len()).unwrap_or(u32::MAX);
                (0..directory.users()).filter(|n| loses(UserKey(*n))).count()
                    + (0..groups).filter(|n| vanishes(GroupKey(*n))).count()
            }
            Extent::Some { users, groups, .. } => {
                users.iter().filter(|k| loses(**k)).count()
                    + groups.iter().filter(|k| vanishes(**k)).count()
            }
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Gives those who are linked now and were not before.
    async fn all_users(&self, run: &Running, extent: &Extent) -> BTreeSet<UserKey> {
        let new = Mutex::new(BTreeSet::new());
        let one = |key: UserKey| {
            let new = &new;
            async move {
                if run.broken().is_some() {
                    return;
                }
                run.counted_object();
                // A pass over everything comes to all managers by itself.
                if self.provision_user(run, key).await && run.kind == RunKind::Incremental {
                    new.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
                }
            }
        };
        match extent {
            Extent::Everything => self.each(self.all_keys(), one).await,
            Extent::Some { users, .. } => self.each(users.iter().copied(), one).await,
        }
        new.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn all_managers(&self, run: &Running, extent: &Extent, mut new: BTreeSet<UserKey>) {
        let one = |key: UserKey| async move {
            if run.broken().is_none() {
                self.provision_manager(run, key).await;
            }
        };
        match extent {
            Extent::Everything => self.each(self.all_keys(), one).await,
            Extent::Some { managers, .. } => {
                new.extend(managers);
                self.each(new.into_iter(), one).await;
            }
        }
    }

    /// The keys of all users there ever were. The directory is not held meanwhile.
    fn all_keys(&self) -> impl Iterator<Item = UserKey> + Send + use<> {
        (0..self.directory().users()).map(UserKey)
    }

    async fn each<T: Send, F: Future<Output = ()> + Send>(
        &self,
        items: impl Iterator<Item = T> + Send,
        one: impl Fn(T) -> F + Sync,
    ) {
        lanes(&*self.time, self.settings.concurrency, items, one).await;
    }

    async fn all_groups(&self, run: &Running, extent: &Extent) {
        let touched: Vec<GroupKey> = match extent {
            Extent::Everything => (0..u32::try_from(self.directory().groups().len())
                .unwrap_or(u32::MAX))
                .map(GroupKey)
                .collect(),
            Extent::Some { groups, .. } => groups.iter().copied().collect(),
        };
        let fresh = Mutex::new(BTreeSet::new());
        let one = |key: GroupKey| {
            let fresh = &fresh;
            async move {
                if run.broken().is_some() {
                    return;
                }
                run.counted_object();
                if self.provision_group(run, key).await {
                    fresh.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
                }
            }
        };
        self.each(touched.iter().copied(), one).await;
        let fresh = fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
        let members: Vec<(GroupKey, Vec<UserKey>)> = match extent {
            Extent::Everything => {
                let directory = self.directory();
                touched
                    .iter()
                    .filter_map(|key| {
                        Some((*key, directory.group(*key)?.members.iter().copied().collect()))
                    })
                    .collect()
            }
            Extent::Some { members, .. } => {
                members.iter().map(|(key, users)| (*key, users.clone())).collect()
            }
        };
        let one = |(key, users): (GroupKey, Vec<UserKey>)| {
            let fresh = &fresh;
            async move {
                if run.broken().is_none() {
                    self.provision_members(run, key, &users, fresh.contains(&key)).await;
                }
            }
        };
        self.each(members.into_iter(), one).await;
    }

    /// Takes note of how the work on an object ended.
    pub(super) fn settle(&self, run: &Running, subject: Delta, outcome: &Result<Done, Failure>) {
        let now = self.time.now();
        match outcome {
            Ok(_) => _ = self.state().escrows.remove(&subject),
            // On demand nothing is tried again by itself.
            Err(_) if run.kind == RunKind::OnDemand => {}
            Err(failure) => match failure.effect {
                Effect::Escrow => self.state().escrow(subject, now, false, false),
                Effect::Reference => self.state().escrow(subject, now, false, true),
                Effect::NextCycle => {
                    let reference = matches!(subject, Delta::Manager(_) | Delta::Member(..));
                    self.state().escrow(subject, now, true, reference);
                }
                Effect::Quarantine | Effect::Abort => run.break_off(failure.clone()),
            },
        }
    }

    /// Whether the job is quarantined after this cycle.
    fn conclude(&self, run: &Running) {
        let now = self.time.now();
        let mut state = self.state();
        match run.broken() {
            Some(failure) if failure.effect == Effect::Quarantine => {
                return state.quarantine("EncounteredQuarantineException", now);
            }
            // What ends with the line or the server may be over at the next cycle.
            Some(_) => return,
            None => {}
        }
        if run.staged {
            return state.quarantine("TooManyDeletes", now);
        }
        let total = state.escrows.len() as u64;
        let base = state.escrows.values().filter(|e| !e.reference).count() as u64;
        let share = base * 100 > run.objects() * 40;
        if total > TOTAL_LIMIT {
            state.quarantine("EncounteredTotalEscrowThreshold", now);
        } else if base > BASE_LIMIT {
            state.quarantine("EncounteredBaseEscrowThreshold", now);
        } else if base >= PROPORTION_FROM && share {
            state.quarantine("EncounteredEscrowProportionThreshold", now);
        } else {
            state.quarantine = None;
        }
    }
}
