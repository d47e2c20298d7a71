//! Entries change with every field, and not with what may go later. Their bytes are frozen in
//! `snapshots/ledger`.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::failure::Facts;
use rollcall_domain::ids::{ExchangeId, OrganizationId, TokenId};
use rollcall_domain::interpretation::{Interpretation, Reading};
use rollcall_domain::ledger::entry::{ExchangeHashes, Header, Of, exchange_entry, record_entry};
use rollcall_domain::log::{AggregateKind, Record, RecordedExchange, StreamId};
use rollcall_domain::scim::Rule;
use std::collections::BTreeSet;
use uuid::Uuid;

pub fn record() -> Record {
    Record {
        position: 7,
        stream: StreamId {
            organization: OrganizationId(Uuid::from_u128(1)),
            kind: AggregateKind::User,
            id: Uuid::from_u128(2),
        },
        version: 3,
        event_type: "UserRenamed".into(),
        event_version: "1".into(),
        payload: "{}".into(),
        recorded_at: DateTime::from_timestamp(1_800_000_000, 5_000).expect("an instant"),
        exchange: None,
        actor: Actor::System,
    }
}

pub fn recorded() -> RecordedExchange {
    let answer = Answer {
        status: 200,
        headers: vec![],
        scim_type: None,
        rule: None,
        detail: None,
        found: None,
        body_bytes: 2,
        body_kept: true,
    };
    let exchange = Exchange {
        id: ExchangeId(Uuid::from_u128(4)),
        organization: OrganizationId(Uuid::from_u128(1)),
        parent: None,
        replays: None,
        received_at: DateTime::from_timestamp(1_800_000_000, 0).expect("an instant"),
        protocol: Protocol::Scim,
        method: "GET".into(),
        target: "/scim/v2/Users".into(),
        headers: vec![("a".into(), "b".into())],
        source: None,
        caller: Actor::Operator,
        operation: "users.list".into(),
        subject: None,
        subject_key: None,
        interpretations: vec![],
        unknown_shape: false,
        facts: Facts::default(),
        answer,
        duration_us: 9,
        redactions: vec![],
        bodies_dropped: false,
        body_hashes: None,
        particulars_hash: None,
        request_body: b"in".to_vec(),
        answer_body: b"out".to_vec(),
    };
    RecordedExchange { number: 7, positions: None, after: 6, exchange }
}

#[test]
fn every_field_of_a_record_is_in_its_entry() {
    let changes: [fn(&mut Record); 12] = [
        |_| {},
        |r| r.position += 1,
        |r| r.stream.organization = OrganizationId(Uuid::from_u128(9)),
        |r| r.stream.kind = AggregateKind::Group,
        |r| r.stream.id = Uuid::from_u128(9),
        |r| r.version += 1,
        |r| r.event_type.push('1'),
        |r| r.event_version.push('1'),
        |r| r.payload.push(' '),
        |r| r.recorded_at += TimeDelta::microseconds(1),
        |r| r.exchange = Some(ExchangeId(Uuid::nil())),
        |r| r.actor = Actor::ScimToken { token: TokenId(Uuid::nil()) },
    ];
    all_differ(changes.map(|change| {
        let mut record = record();
        change(&mut record);
        record_entry(&record)
    }));
}

#[test]
fn every_field_of_an_exchange_is_in_its_entry() {
    let changes: [fn(&mut RecordedExchange); 33] = [
        |_| {},
        |x| x.number += 1,
        |x| x.positions = Some((1, 2)),
        |x| x.after += 1,
        |x| x.exchange.id = ExchangeId(Uuid::nil()),
        |x| x.exchange.organization = OrganizationId::NONE,
        |x| x.exchange.parent = Some(ExchangeId(Uuid::nil())),
        |x| x.exchange.replays = Some(ExchangeId(Uuid::nil())),
        |x| x.exchange.received_at += TimeDelta::microseconds(1),
        |x| x.exchange.protocol = Protocol::Saml,
        |x| x.exchange.method.push('X'),
        |x| x.exchange.target.push('X'),
        |x| x.exchange.headers[0] = ("ab".into(), "".into()),
        |x| x.exchange.source = Some(String::new()),
        |x| x.exchange.caller = Actor::System,
        |x| x.exchange.operation.push('X'),
        |x| x.exchange.subject = Some(String::new()),
        |x| x.exchange.subject_key = Some(String::new()),
        |x| {
            x.exchange
                .interpretations
                .push(Interpretation { reading: Reading::OperationCase, at: String::new() })
        },
        |x| x.exchange.unknown_shape = true,
        |x| x.exchange.facts.wants.whole = true,
        |x| x.exchange.answer.status = 201,
        |x| x.exchange.answer.headers.push(("a".into(), "b".into())),
        |x| x.exchange.answer.scim_type = Some(String::new()),
        |x| x.exchange.answer.rule = Some(Rule::TooLong),
        |x| x.exchange.answer.found = Some(0),
        |x| x.exchange.answer.body_bytes += 1,
        |x| x.exchange.answer.detail = Some(String::new()),
        |x| x.exchange.answer.body_kept = false,
        |x| x.exchange.duration_us += 1,
        |x| x.exchange.redactions.push("password".into()),
        |x| x.exchange.request_body.push(0),
        |x| x.exchange.answer_body.push(0),
    ];
    all_differ(changes.map(|change| {
        let mut recorded = recorded();
        change(&mut recorded);
        exchange_entry(&recorded, &ExchangeHashes::of(&recorded.exchange))
    }));
}

fn all_differ<const N: usize>(entries: [Vec<u8>; N]) {
    assert_eq!(BTreeSet::from(entries).len(), N, "two of them are one");
}

#[test]
fn a_record_and_an_exchange_are_never_one_leaf() {
    let recorded = recorded();
    let exchange = exchange_entry(&recorded, &ExchangeHashes::of(&recorded.exchange));
    assert_ne!(record_entry(&record())[..26], exchange[..26]);
}

#[test]
fn an_entry_stays_when_bodies_are_dropped_and_stores_round() {
    let mut recorded = recorded();
    let hashes = ExchangeHashes::of(&recorded.exchange);
    let before = exchange_entry(&recorded, &hashes);
    recorded.exchange.request_body.clear();
    recorded.exchange.answer_body.clear();
    recorded.exchange.bodies_dropped = true;
    assert_eq!(exchange_entry(&recorded, &hashes), before);
    assert_eq!(ExchangeHashes::of(&recorded.exchange).particulars, hashes.particulars);
    let mut record = record();
    let before = record_entry(&record);
    record.recorded_at += TimeDelta::nanoseconds(999);
    assert_eq!(record_entry(&record), before);
}

#[test]
fn whatever_others_wrote_is_not_in_an_entry() {
    let mut recorded = recorded();
    recorded.exchange.target = "/Users?filter=ada.keller".repeat(10_000);
    recorded.exchange.answer.detail = Some("ada.keller".into());
    recorded.exchange.request_body = b"ada.keller".to_vec();
    let entry = exchange_entry(&recorded, &ExchangeHashes::of(&recorded.exchange));
    assert!(!entry.windows(10).any(|part| part == b"ada.keller"));
    assert!(entry.len() < 1000, "{} bytes", entry.len());
}

#[test]
fn an_entry_says_what_it_is() {
    let recorded = recorded();
    let entry = record_entry(&record());
    let organization = OrganizationId(Uuid::from_u128(1));
    assert_eq!(Header::read(&entry), Some(Header { organization, of: Of::Record(7) }));
    let exchange = exchange_entry(&recorded, &ExchangeHashes::of(&recorded.exchange));
    assert_eq!(Header::read(&exchange), Some(Header { organization, of: Of::Exchange(7) }));
    // Of another version or kind, cut, or with something after it, it is none.
    for (at, byte) in [(0, 2), (17, 0), (17, 2), (17, 3), (29, 0)] {
        let mut other = entry.clone();
        other[at] = byte;
        assert_eq!(Header::read(&other), None, "byte {at}");
    }
    assert_eq!(Header::read(&entry[..entry.len() - 1]), None);
    assert_eq!(Header::read(&[&entry[..], &[0]].concat()), None);
}

proptest! {
    #[test]
    fn reading_an_entry_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), begin in 0..3_u8) {
        let mut bytes = bytes;
        let good = record_entry(&record());
        let keep = usize::from(begin) * 15;
        if bytes.len() > keep {
            bytes[..keep].copy_from_slice(&good[..keep]);
        }
        let _ = Header::read(&bytes);
    }
}
