//! What a stream's metadata leaves visible.

use crate::store::{Event, Store};
use serde::Deserialize;
use std::sync::Arc;

/// Ticks of 100 nanoseconds in a second.
const TICKS: u64 = 10_000_000;
/// The `$tb` that a deletion leaves.
pub(crate) const DELETED: u64 = i64::MAX as u64;

/// The last event of `$$stream`.
#[derive(Default, Deserialize)]
pub(crate) struct Metadata {
    #[serde(rename = "$maxCount")]
    max_count: Option<usize>,
    /// In seconds.
    #[serde(rename = "$maxAge")]
    max_age: Option<u64>,
    #[serde(rename = "$tb")]
    truncate_before: Option<u64>,
    #[serde(rename = "$acl")]
    acl: Option<Acl>,
}

#[derive(Default, Deserialize)]
struct Acl {
    #[serde(rename = "$r")]
    read: Option<Roles>,
    #[serde(rename = "$w")]
    write: Option<Roles>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Roles {
    One(String),
    Many(Vec<String>),
}

impl Roles {
    /// Nobody signs in to the stand-in, so only what all may do is allowed.
    fn has_all(&self) -> bool {
        match self {
            Roles::One(role) => role == "$all",
            Roles::Many(roles) => roles.iter().any(|role| role == "$all"),
        }
    }
}

impl Metadata {
    /// The metadata of a stream; a metadata stream has none.
    pub fn of(store: &Store, name: &str) -> Self {
        if name.starts_with("$$") {
            return Self::default();
        }
        let last = store.stream(&format!("$${name}")).last();
        last.and_then(|event| serde_json::from_slice(&event.message.data).ok()).unwrap_or_default()
    }

    pub fn is_deleted(&self) -> bool {
        self.truncate_before == Some(DELETED)
    }

    pub fn may_read(&self) -> bool {
        self.acl.as_ref().and_then(|acl| acl.read.as_ref()).is_none_or(Roles::has_all)
    }

    pub fn may_write(&self) -> bool {
        self.acl.as_ref().and_then(|acl| acl.write.as_ref()).is_none_or(Roles::has_all)
    }

    /// The events that a reader sees at a time in ticks.
    pub fn visible(&self, events: &[Arc<Event>], now: u64) -> Vec<Arc<Event>> {
        let truncated = self.truncate_before.unwrap_or(0) as usize;
        let counted = self.max_count.map_or(0, |count| events.len().saturating_sub(count));
        let since = self.max_age.map_or(0, |age| now.saturating_sub(age.saturating_mul(TICKS)));
        events
            .iter()
            .skip(truncated.max(counted))
            .filter(|event| event.created() >= since)
            .cloned()
            .collect()
    }
}
