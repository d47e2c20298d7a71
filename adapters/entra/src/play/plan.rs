//! What is to be played.

use crate::client::Settings;
use crate::directory::{Change, Directory, GroupKey, Profile, Scope, UserKey};
use crate::transport::Faults;
use chrono::{DateTime, Duration, Utc};
use std::ops::Range;

/// Where the tenant's directory comes from.
#[derive(Clone, Debug)]
pub enum Tenant {
    /// Made from the plan's seed.
    Generated(Profile, Scope),
    /// Given, for example read from a file.
    Given(Box<Directory>),
}

/// How long the job goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// So many cycles.
    Cycles(u32),
    /// So many cycles, and then, without changes in the tenant, until nothing is left to be tried
    /// again.
    Settled(u32),
    /// No cycle begins after so much time.
    Elapsed(Duration),
}

/// What an admin, or chance, does at a moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// Test connection.
    TestConnection,
    /// Provision on demand: this user, or anybody.
    DemandUser(Option<UserKey>),
    /// Provision on demand: some group with up to five of its members.
    DemandGroup,
    /// Restart provisioning.
    Restart,
    /// Another secret token is pasted; or the one there expires, which looks the same.
    Token(String),
    /// From now on the mapping gives bad values with this probability.
    BadValues(f64),
    /// Held-back deletions are allowed.
    AllowDeletions,
    /// So many changes at once.
    Burst(u32),
    /// One change.
    Change(Change),
    /// Something in the application.
    Elsewhere(Elsewhere),
}

/// What the application's own people do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Somebody is created there by hand, with this sign-in name.
    CreateUser(String),
    /// A group is created there by hand.
    CreateGroup(String),
    /// A user of the tenant is deleted there.
    DeleteUser(UserKey),
    /// A user of the tenant is given another title there.
    ChangeUser(UserKey, String),
    /// A group of the tenant is deleted there.
    DeleteGroup(GroupKey),
    /// All members of a group of the tenant are taken out of it there.
    EmptyGroup(GroupKey),
    /// The SCIM connection is switched off for maintenance.
    Off,
    /// It is switched on again.
    On,
    /// The token is revoked.
    Revoke,
}

/// Something at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// How long after the start.
    pub after: Duration,
    /// What.
    pub what: Happening,
}

/// One job of one tenant, from its start on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides everything that is not said here.
    pub seed: u64,
    /// The tenant.
    pub tenant: Tenant,
    /// The job.
    pub settings: Settings,
    /// When the plan begins.
    pub start: DateTime<Utc>,
    /// How long after that the first cycle begins.
    pub first_cycle: Duration,
    /// How long it goes on.
    pub until: Until,
    /// About so many changes on a working day.
    pub changes_per_day: f64,
    /// What else happens.
    pub planned: Vec<Planned>,
    /// What goes wrong on the line.
    pub faults: Faults,
    /// How many milliseconds a request and its answer travel; nothing for a line that takes its
    /// own time.
    pub latency: Option<Range<u32>>,
}

impl Plan {
    /// A tenant of so many users that is provisioned with a token, `cycles` times, without faults.
    pub fn new(seed: u64, users: u32, token: &str, start: DateTime<Utc>, cycles: u32) -> Self {
        Self {
            seed,
            tenant: Tenant::Generated(Profile::sized(users), Scope::Everything),
            settings: Settings::new(token),
            start,
            first_cycle: Duration::zero(),
            until: Until::Cycles(cycles),
            changes_per_day: f64::from(users) * 0.1,
            planned: Vec::new(),
            faults: Faults::default(),
            latency: None,
        }
    }

    /// Something more, so long after the start.
    pub fn at(&mut self, after: Duration, what: Happening) {
        self.planned.push(Planned { after, what });
    }
}
