//! What `scim token` and `auditor` have in common: how long a secret lives, and the table of them.

use super::output;
use crate::cells;
use crate::output::Cell;
use chrono::{DateTime, Duration, SubsecRound, Utc};
use rollcall_contract::keys::AccessKeyBody;
use rollcall_contract::span;
use std::str::FromStr;
use uuid::Uuid;

/// How long a secret lives, as `--expires-in` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(Duration);

impl FromStr for Lifetime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = span::seconds(text).and_then(|s| i64::try_from(s).ok());
        seconds
            .map(|s| Self(Duration::seconds(s)))
            .ok_or("write a number and d, h, m or s, such as 90d")
    }
}

impl Lifetime {
    /// When it ends for a secret that is issued now, in whole milliseconds, as the server keeps
    /// time.
    #[expect(
        clippy::disallowed_methods,
        reason = "what a person calls now is told by the clock of the machine they sit at"
    )]
    pub fn end(self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3) + self.0
    }
}

/// A secret in the table, without itself.
pub struct Listed {
    /// Names it.
    pub id: Uuid,
    /// `live`, `expired` or `revoked`.
    pub state: String,
    /// What it is called.
    pub label: String,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// When a request last came with it.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<AccessKeyBody> for Listed {
    fn from(key: AccessKeyBody) -> Self {
        let AccessKeyBody { key_id: id, state, label, issued_at, expires_at, last_used_at, .. } =
            key;
        Self { id, state, label, issued_at, expires_at, last_used_at }
    }
}

/// Prints them.
pub fn table(all: impl Iterator<Item = Listed>) {
    print(all, HEAD.len());
}

/// Prints them without their last use, where nobody knows it.
pub fn without_use(all: impl Iterator<Item = Listed>) {
    print(all, HEAD.len() - 1);
}

const HEAD: [&str; 6] = ["ID", "STATE", "LABEL", "ISSUED", "EXPIRES", "LAST USED"];

fn print(all: impl Iterator<Item = Listed>, columns: usize) {
    let row = |s: Listed| {
        let mut row = cells![
            s.id.to_string(),
            Cell::state(s.state),
            s.label,
            output::instant(s.issued_at),
            output::maybe(s.expires_at),
            output::maybe(s.last_used_at),
        ];
        row.truncate(columns);
        row
    };
    output::table(&HEAD[..columns], &all.map(row).collect::<Vec<_>>());
}
