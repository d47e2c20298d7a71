//! A stream of plausible changes: people come and go, marry and move, groups are used.

use super::generate;
use super::names::{DEPARTMENTS, FAMILY};
use super::{Change, Directory, GroupKey, Happened, Scope, UserKey};
use crate::seed::Seed;
use chrono::{DateTime, Datelike, Duration, Timelike, Utc, Weekday};
use std::collections::BTreeMap;

/// Changes are drawn for slots of so many seconds, each from a generator of its own: what happens
/// does not depend on how often one looks.
const SLOT_SECONDS: i64 = 300;
/// How long the recycle bin keeps a user.
const RECYCLE_DAYS: i64 = 30;

/// The stream of changes of one directory.
#[derive(Clone, Debug)]
pub struct Churn {
    seed: Seed,
    per_day: f64,
    slot: i64,
    drawn: u64,
    bin: BTreeMap<(DateTime<Utc>, UserKey), ()>,
    waiting: BTreeMap<(DateTime<Utc>, u64), Change>,
}

impl Churn {
    /// About so many changes on a working day, from an instant on.
    pub fn new(seed: Seed, per_day: f64, from: DateTime<Utc>) -> Self {
        let slot = from.timestamp().div_euclid(SLOT_SECONDS);
        Self { seed, per_day, slot, drawn: 0, bin: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Lets the time pass until `to`; gives what happened, applied already.
    pub fn advance(&mut self, directory: &mut Directory, to: DateTime<Utc>) -> Vec<Happened> {
        let end = to.timestamp().div_euclid(SLOT_SECONDS);
        let mut happened = Vec::new();
        while self.slot < end {
            let Some(at) = DateTime::from_timestamp(self.slot * SLOT_SECONDS, 0) else { break };
            for change in self.due(at) {
                self.happen(directory, at, change, &mut happened);
            }
            let mut rng = self.seed.rng("slot", self.slot.unsigned_abs());
            let expected = self.per_day * weight(at);
            let count = (expected * 2.0 * rng.f64() + rng.f64()).floor() as u32;
            for _ in 0..count {
                self.draw(directory, at, &mut happened);
            }
            self.slot += 1;
        }
        happened
    }

    /// Lets so many changes happen at once.
    pub fn burst(
        &mut self,
        directory: &mut Directory,
        at: DateTime<Utc>,
        count: u32,
    ) -> Vec<Happened> {
        let mut happened = Vec::new();
        // Nobody may be left to change; then the burst is as large as it can be.
        for _ in 0..count.saturating_mul(4) {
            if happened.len() >= count as usize {
                break;
            }
            self.draw(directory, at, &mut happened);
        }
        happened
    }

    fn due(&mut self, at: DateTime<Utc>) -> Vec<Change> {
        let mut due = Vec::new();
        while let Some(entry) = self.bin.first_entry().filter(|e| e.key().0 <= at) {
            due.push(Change::Purge(entry.key().1));
            entry.remove();
        }
        while let Some(entry) = self.waiting.first_entry().filter(|e| e.key().0 <= at) {
            due.push(entry.remove());
        }
        due
    }

    fn happen(
        &mut self,
        directory: &mut Directory,
        at: DateTime<Utc>,
        change: Change,
        happened: &mut Vec<Happened>,
    ) {
        // Somebody who was restored is not purged by the date of the first departure.
        if let Change::Purge(user) = change
            && directory
                .user(user)
                .is_none_or(|u| u.deleted_at.is_none_or(|d| d + Duration::days(RECYCLE_DAYS) > at))
        {
            return;
        }
        let before = directory.watermark();
        directory.apply(&change, at);
        if directory.watermark() == before {
            return;
        }
        if let Change::Leave(user) = change {
            self.bin.insert((at + Duration::days(RECYCLE_DAYS), user), ());
        }
        happened.push(Happened { at, change });
    }

    fn later(&mut self, at: DateTime<Utc>, change: Change) {
        self.waiting.insert((at, self.drawn), change);
    }

    fn draw(&mut self, directory: &mut Directory, at: DateTime<Utc>, happened: &mut Vec<Happened>) {
        self.drawn += 1;
        let mut rng = self.seed.rng("change", self.drawn);
        let roll = rng.u32(..100);
        let user = |rng: &mut fastrand::Rng| somebody(directory, rng);
        let Some(someone) = user(&mut rng) else { return };
        let (department, titles) = DEPARTMENTS[rng.usize(..DEPARTMENTS.len())];
        let title = titles[rng.usize(..titles.len())].to_owned();
        let change = match roll {
            0..12 => Change::Join(Box::new(newcomer(directory, self.seed))),
            12..19 => Change::Leave(someone),
            19..24 => Change::Rename(someone, FAMILY[rng.usize(..FAMILY.len())].to_owned()),
            24..37 => Change::Move(someone, department.to_owned(), title),
            37..43 => Change::Disable(someone),
            43..50 => Change::Phone(
                someone,
                format!("+41 79 555 {:02} {:02}", rng.u32(..100), rng.u32(..100)),
            ),
            50..58 => Change::Manager(
                someone,
                (rng.u32(..10) > 0).then(|| user(&mut rng)).flatten().filter(|m| *m != someone),
            ),
            58..60 if directory.scope == Scope::Assigned => Change::Unassign(someone),
            60..64 if directory.scope == Scope::Assigned => Change::Assign(someone),
            64..66 => Change::Found(generate::group_name(
                u32::try_from(directory.groups.len()).unwrap_or(u32::MAX),
            )),
            66 => match some_group(directory, &mut rng) {
                Some(group) => Change::Dissolve(group),
                None => return,
            },
            67..70 => match some_group(directory, &mut rng) {
                Some(group) => Change::RenameGroup(
                    group,
                    format!("{} ({department})", base_name(directory, group)),
                ),
                None => return,
            },
            70..88 => match some_group(directory, &mut rng) {
                Some(group) => Change::Enter(group, someone),
                None => return,
            },
            _ => match some_group(directory, &mut rng)
                .and_then(|g| Some((g, member(directory, g, &mut rng)?)))
            {
                Some((group, user)) => Change::Exit(group, user),
                None => return,
            },
        };
        match change {
            // Most of those who are switched off come back after some days, some from the bin.
            Change::Disable(user) if rng.u32(..4) > 0 => {
                self.later(at + Duration::hours(rng.i64(4..120)), Change::Enable(user));
            }
            Change::Leave(user) if rng.u32(..5) == 0 => {
                self.later(at + Duration::hours(rng.i64(4..240)), Change::Restore(user));
            }
            _ => {}
        }
        self.happen(directory, at, change, happened);
    }
}

/// Which part of a day's changes falls into the slot that begins then.
fn weight(at: DateTime<Utc>) -> f64 {
    let slots_of_work = f64::from(9 * 3_600) / SLOT_SECONDS as f64;
    let working =
        (8..17).contains(&at.hour()) && !matches!(at.weekday(), Weekday::Sat | Weekday::Sun);
    // A fifth happens outside office hours.
    let slots_outside = (86_400 - 9 * 3_600) as f64 / SLOT_SECONDS as f64;
    if working { 0.8 / slots_of_work } else { 0.2 / slots_outside }
}

/// Somebody who is neither gone nor in the recycle bin.
fn somebody(directory: &Directory, rng: &mut fastrand::Rng) -> Option<UserKey> {
    let users = directory.users();
    (0..64)
        .filter(|_| users > 0)
        .map(|_| UserKey(rng.u32(..users)))
        .find(|key| directory.user(*key).is_some_and(|u| u.deleted_at.is_none()))
}

fn some_group(directory: &Directory, rng: &mut fastrand::Rng) -> Option<GroupKey> {
    let groups = u32::try_from(directory.groups.len()).unwrap_or(u32::MAX);
    (0..64)
        .filter(|_| groups > 0)
        .map(|_| GroupKey(rng.u32(..groups)))
        .find(|key| directory.group(*key).is_some())
}

fn member(directory: &Directory, group: GroupKey, rng: &mut fastrand::Rng) -> Option<UserKey> {
    let members = &directory.group(group)?.members;
    members.iter().nth(rng.usize(..members.len().max(1))).copied()
}

/// A group's name without what an earlier change put in brackets.
fn base_name(directory: &Directory, group: GroupKey) -> String {
    let name = directory.group(group).map(|g| g.display_name.clone()).unwrap_or_default();
    name.split(" (").next().unwrap_or_default().to_owned()
}

fn newcomer(directory: &Directory, seed: Seed) -> super::User {
    let number = directory.users();
    // Names go on where those of the first users end, so that they stay unique.
    let mut user = generate::user(directory.seed, &directory.profile, number);
    let mut rng = seed.rng("newcomer", u64::from(number));
    user.manager = somebody(directory, &mut rng).filter(|_| !user.guest);
    user
}
