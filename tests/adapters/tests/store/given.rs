//! Appends to begin with. Ids are numbers, so that a failed test can be read.

use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::{Claim, ClaimChanges, ClaimKind};
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::ids::{ExchangeId, OrganizationId, TokenId};
use rollcall_domain::log::*;
use std::sync::Arc;
use uuid::Uuid;

pub const ONE: OrganizationId = OrganizationId(Uuid::from_u128(1));
pub const TWO: OrganizationId = OrganizationId(Uuid::from_u128(2));

pub fn user_in(organization: OrganizationId, n: u128) -> StreamId {
    StreamId { organization, kind: AggregateKind::User, id: Uuid::from_u128(n) }
}

pub fn user(n: u128) -> StreamId {
    user_in(ONE, n)
}

/// 2026-11-01 12:00:00.123456 UTC, and so many microseconds.
pub fn time(us: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_793_534_400_123_456 + us).unwrap_or_default()
}

/// A payload whose text no parser would give back: order, blanks, escapes, big numbers.
pub fn payload(n: usize) -> String {
    format!(
        r#"{{"z": {n},  "a":"\u00e9 é \"quoted\"", "n": 1.50, "big": 123456789012345678901234567890, "e": {{ }} }}"#
    )
}

/// An append of `n` events on top of `expected`.
pub fn write(stream: StreamId, expected: Version, n: usize) -> Append {
    let event = |i| NewEvent {
        event_type: "UserChanged".into(),
        event_version: "1".into(),
        payload: payload(expected as usize + i + 1),
    };
    let write = Write {
        stream,
        expected,
        events: (0..n).map(event).collect(),
        claims: ClaimChanges { release: Vec::new(), take: Vec::new(), require: Vec::new() },
        recorded_at: time(expected as i64),
        actor: Actor::ScimToken { token: TokenId(Uuid::from_u128(7)) },
        cause: None,
    };
    Append { organization: stream.organization, write: Some(write), exchange: None }
}

pub fn claim_in(scope: OrganizationId, kind: ClaimKind, n: u8) -> Claim {
    Claim { scope, kind, key: [n; 32] }
}

pub fn name(n: u8) -> Claim {
    claim_in(ONE, ClaimKind::UserName, n)
}

pub trait With {
    /// With an exchange that caused it.
    fn exchange(self, n: u128) -> Append;
    fn takes(self, claim: Claim) -> Append;
    fn releases(self, claim: Claim) -> Append;
    fn requires(self, claim: Claim) -> Append;
}

impl With for Append {
    fn exchange(mut self, n: u128) -> Append {
        self.exchange = Some(exchange(self.organization, n));
        self
    }

    fn takes(mut self, claim: Claim) -> Append {
        self.write.iter_mut().for_each(|w| w.claims.take.push(claim));
        self
    }

    fn releases(mut self, claim: Claim) -> Append {
        self.write.iter_mut().for_each(|w| w.claims.release.push(claim));
        self
    }

    fn requires(mut self, claim: Claim) -> Append {
        self.write.iter_mut().for_each(|w| w.claims.require.push(claim));
        self
    }
}

/// An exchange that caused nothing.
pub fn bare(organization: OrganizationId, n: u128) -> Append {
    Append { organization, write: None, exchange: Some(exchange(organization, n)) }
}

pub fn exchange(organization: OrganizationId, n: u128) -> Exchange {
    Exchange {
        id: ExchangeId(Uuid::from_u128(n)),
        organization,
        parent: None,
        replays: None,
        received_at: time(0),
        protocol: Protocol::Scim,
        method: "PATCH".into(),
        target: format!("/scim/v2/Users/{n}"),
        headers: vec![("content-type".into(), "application/scim+json".into())],
        source: Some("192.0.2.1".into()),
        caller: Actor::ScimToken { token: TokenId(Uuid::from_u128(7)) },
        operation: "users.patch".into(),
        subject: Some(n.to_string()),
        subject_key: None,
        facts: Default::default(),
        interpretations: Vec::new(),
        unknown_shape: false,
        answer: Answer {
            status: 200,
            headers: Vec::new(),
            rule: None,
            scim_type: None,
            detail: Some("ö\n".into()),
            found: None,
            body_bytes: 4,
            body_kept: true,
        },
        duration_us: 1234,
        redactions: Vec::new(),
        bodies_dropped: false,
        body_hashes: None,
        particulars_hash: None,
        request_body: format!("{{\"n\": {n}}}\0\u{fffd}").into_bytes(),
        answer_body: vec![0, 255, 254, 10],
    }
}

/// All records of an organization, a few at a time.
pub async fn all_records(
    log: &Arc<dyn Log>,
    organization: OrganizationId,
) -> anyhow::Result<Vec<Record>> {
    let mut all: Vec<Record> = Vec::new();
    loop {
        let page = log.records(organization, all.last().map_or(0, |r| r.position), 7).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// That positions are 1, 2, 3... and versions too, in every stream.
pub fn assert_complete(records: &[Record]) {
    let mut versions = std::collections::HashMap::new();
    for (record, position) in records.iter().zip(1..) {
        assert_eq!(record.position, position);
        let version = versions.entry(record.stream).or_insert(0);
        *version += 1;
        assert_eq!(record.version, *version, "of {}", record.stream);
    }
}
