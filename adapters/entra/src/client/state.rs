//! What a job remembers between runs.

use crate::directory::{Delta, GroupKey, UserKey, Watermark};
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// A resource's id in the target system. Most servers give UUIDs, and a million of them are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Uuid(Uuid),
    Other(Box<str>),
}

impl Anchor {
    pub(super) fn new(id: &str) -> Self {
        match Uuid::parse_str(id) {
            Ok(uuid) if uuid.to_string() == id => Self::Uuid(uuid),
            _ => Self::Other(id.into()),
        }
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// An object connection: source object and target resource.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) id: Anchor,
    /// What was last exported as `active`.
    pub(super) active: bool,
}

/// An object that failed and will be tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escrow {
    pub(super) first: DateTime<Utc>,
    pub(super) attempts: usize,
    pub(super) next: DateTime<Utc>,
    pub(super) reference: bool,
}

/// Retries after the first failure, in hours; after the last it goes on daily.
const RETRIES: [i64; 3] = [6, 12, 24];
/// How long an escrow, and a quarantine, lasts at most.
pub(super) const PATIENCE: Duration = Duration::days(28);

/// Why the job is quarantined, and for how long now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quarantine {
    pub(super) reason: &'static str,
    pub(super) began: DateTime<Utc>,
    pub(super) series: u32,
    pub(super) next: DateTime<Utc>,
}

/// The interval between two cycles.
pub const RHYTHM: Duration = Duration::minutes(40);

impl Quarantine {
    /// The wait doubles up to a day.
    pub(super) fn wait(series: u32) -> Duration {
        RHYTHM.checked_mul(1 << series.min(6)).unwrap_or(Duration::days(1)).min(Duration::days(1))
    }
}

/// Everything a job remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) bearer: Arc<str>,
    pub(super) runs: u64,
    pub(super) users: Vec<Option<Link>>,
    pub(super) groups: Vec<Option<Link>>,
    pub(super) watermark: Watermark,
    pub(super) initial_done: bool,
    pub(super) restart: bool,
    pub(super) escrows: BTreeMap<Delta, Escrow>,
    /// References to objects out of scope: not sent again until a restart.
    pub(super) skipped: BTreeSet<Delta>,
    pub(super) quarantine: Option<Quarantine>,
    pub(super) deletes_allowed: bool,
    pub(super) last_began: Option<DateTime<Utc>>,
    pub(super) disabled: bool,
    pub(super) bad_values: f64,
}

impl State {
    pub(super) fn user(&self, key: UserKey) -> Option<&Link> {
        self.users.get(key.0 as usize)?.as_ref()
    }

    pub(super) fn group(&self, key: GroupKey) -> Option<&Link> {
        self.groups.get(key.0 as usize)?.as_ref()
    }

    pub(super) fn link_user(&mut self, key: UserKey, link: Option<Link>) {
        put(&mut self.users, key.0, link);
    }

    pub(super) fn link_group(&mut self, key: GroupKey, link: Option<Link>) {
        put(&mut self.groups, key.0, link);
    }

    /// Remembers a failure until it is time to try again. Nothing is tried for longer than 28 days.
    pub(super) fn escrow(
        &mut self,
        subject: Delta,
        now: DateTime<Utc>,
        next_cycle: bool,
        reference: bool,
    ) {
        let entry = self.escrows.entry(subject).or_insert(Escrow {
            first: now,
            attempts: 0,
            next: now,
            reference,
        });
        entry.reference = reference;
        if now - entry.first > PATIENCE {
            self.escrows.remove(&subject);
            return;
        }
        if next_cycle {
            entry.next = now;
        } else {
            entry.next = now + Duration::hours(RETRIES.get(entry.attempts).copied().unwrap_or(24));
            entry.attempts += 1;
        }
    }

    /// What is due again.
    pub(super) fn due(&self, now: DateTime<Utc>) -> Vec<Delta> {
        self.escrows.iter().filter(|(_, e)| e.next <= now).map(|(subject, _)| *subject).collect()
    }

    /// Quarantines the job, or prolongs its quarantine; after four weeks it is disabled.
    pub(super) fn quarantine(&mut self, reason: &'static str, now: DateTime<Utc>) {
        let (began, series) = self.quarantine.map_or((now, 0), |q| (q.began, q.series + 1));
        self.disabled |= now - began > PATIENCE;
        self.quarantine =
            Some(Quarantine { reason, began, series, next: now + Quarantine::wait(series) });
    }
}

fn put(links: &mut Vec<Option<Link>>, key: u32, link: Option<Link>) {
    let at = key as usize;
    if at >= links.len() {
        links.resize(at + 1, None);
    }
    links[at] = link;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escrow_waits_longer_each_time_and_ends() {
        let start = DateTime::from_timestamp(0, 0).unwrap();
        let (mut state, subject) = (State::default(), Delta::User(UserKey(1)));
        let (mut now, mut waits) = (start, Vec::new());
        while state.escrows.contains_key(&subject) || waits.is_empty() {
            state.escrow(subject, now, false, false);
            let Some(escrow) = state.escrows.get(&subject) else { break };
            waits.push((escrow.next - now).num_hours());
            now = escrow.next;
        }
        assert_eq!(waits[..5], [6, 12, 24, 24, 24]);
        assert!(waits.len() < 31 && now - start > PATIENCE);
    }

    #[test]
    fn a_quarantine_stretches_to_a_day() {
        let hours: Vec<i64> = (0..8).map(|n| Quarantine::wait(n).num_minutes()).collect();
        assert_eq!(hours, [40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
    }
}
