//! What was observed of an organization's connection: everything that checks and mistakes are
//! concluded from, and nothing else is.

use chrono::{DateTime, Utc};

/// A sign-in that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether a session began.
    pub accepted: bool,
    /// Why not, as a stable code.
    pub reason: Option<String>,
    /// What the identity provider called the person.
    pub name_id: Option<String>,
    /// Who issued the assertion.
    pub issuer: Option<String>,
    /// A user who has that as mail address, and another userName.
    pub is_mail_of: Option<String>,
}

/// A user who has arrived, as far as mistakes of mapping show in one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// `userName`
    pub user_name: String,
    /// `externalId`
    pub external_id: Option<String>,
    /// Whether there is a mail address.
    pub has_mail: bool,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub began: DateTime<Utc>,
    /// When its last request came.
    pub last: DateTime<Utc>,
    /// Whether it is a cycle.
    pub is_cycle: bool,
    /// Whether it sent one resource by hand.
    pub is_on_demand: bool,
    /// Whether it may still go on.
    pub is_open: bool,
    /// Its requests.
    pub requests: u64,
    /// Users in it.
    pub users: u64,
    /// Groups in it.
    pub groups: u64,
    /// Requests that were refused.
    pub failures: u64,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// When it was observed.
    pub now: DateTime<Utc>,
    /// The identity provider of the metadata, if it was read.
    pub identity_provider: Option<String>,
    /// Until when the last of its certificates is valid.
    pub certificate_ends: Option<DateTime<Utc>>,
    /// Whether there is a certificate of ours.
    pub has_key: bool,
    /// Sign-ins, newest first.
    pub logins: Vec<Login>,
    /// Whether provisioning is enabled.
    pub scim_enabled: bool,
    /// When the first live token was issued.
    pub token_issued: Option<DateTime<Utc>>,
    /// The last request that came with one to the right address.
    pub arrived: Option<DateTime<Utc>>,
    /// The last that came with one to an address at which nothing is, and which.
    pub elsewhere: Option<(DateTime<Utc>, String)>,
    /// The last that came with a token nobody knows.
    pub unknown_token: Option<DateTime<Utc>>,
    /// Users there are.
    pub users: u64,
    /// Groups there are.
    pub groups: u64,
    /// Some of the users.
    pub sample: Vec<Arrived>,
    /// Runs, newest first.
    pub runs: Vec<Run>,
}
