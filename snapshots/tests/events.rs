//! One golden file for every version of every payload ever written: today's events serialize as
//! the file of their version says, and every file can still be read.

use chrono::DateTime;
use rollcall_domain::actor::Actor;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::{OrganizationId, ResourceId, TokenId};
use rollcall_domain::log::{AggregateKind, Record, StreamId};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::scim::Attributes;
use rollcall_domain::user::{Change, UserEvent};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use uuid::Uuid;

fn attributes(value: Value) -> Attributes {
    value.as_object().expect("an object").clone()
}

fn change() -> Change {
    Change {
        attribute: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department".into(),
        before: Some(json!("Facilities").into()),
        after: None,
    }
}

/// One sample of every event in its current version.
fn samples() -> Vec<DomainEvent> {
    let id = ResourceId(Uuid::from_u128(1));
    let token = TokenId(Uuid::from_u128(2));
    let user = json!({ "userName": "ada@x.example", "active": true, "emails": [{ "type": "work", "value": "ada@x.example" }] });
    vec![
        DomainEvent::User(UserEvent::Created { attributes: attributes(user).into() }),
        DomainEvent::User(UserEvent::Renamed { before: "a".to_owned().into(), after: "b".to_owned().into() }),
        DomainEvent::User(UserEvent::Activated {}),
        DomainEvent::User(UserEvent::Deactivated {}),
        DomainEvent::User(UserEvent::Changed { changes: vec![change()] }),
        DomainEvent::User(UserEvent::Deleted { user_name: "a".to_owned().into() }),
        DomainEvent::Group(GroupEvent::Created { attributes: attributes(json!({ "displayName": "Guards" })) }),
        DomainEvent::Group(GroupEvent::Renamed { before: "a".into(), after: "b".into() }),
        DomainEvent::Group(GroupEvent::Changed { changes: vec![change()] }),
        DomainEvent::Group(GroupEvent::MembersAdded { members: vec![id] }),
        DomainEvent::Group(GroupEvent::MembersRemoved { members: vec![id] }),
        DomainEvent::Group(GroupEvent::Deleted { display_name: "a".into() }),
        DomainEvent::Organization(OrganizationEvent::Created { name: "Example".into(), domain: "example".into() }),
        DomainEvent::Organization(OrganizationEvent::Disabled {}),
        DomainEvent::Organization(OrganizationEvent::Enabled {}),
        DomainEvent::Organization(OrganizationEvent::ScimEnabled {}),
        DomainEvent::Organization(OrganizationEvent::ScimDisabled {}),
        DomainEvent::Organization(OrganizationEvent::ScimTokenIssued {
            token,
            sha256: "00".repeat(32),
            label: "rotation".into(),
            expires_at: DateTime::from_timestamp(1_800_000_000, 0),
        }),
        DomainEvent::Organization(OrganizationEvent::ScimTokenRevoked { token }),
    ]
}

fn parts(event: &DomainEvent) -> (AggregateKind, (&'static str, &'static str), Value) {
    match event {
        DomainEvent::User(e) => (AggregateKind::User, e.kind(), json!(e)),
        DomainEvent::Group(e) => (AggregateKind::Group, e.kind(), json!(e)),
        DomainEvent::Organization(e) => (AggregateKind::Organization, e.kind(), json!(e)),
    }
}

#[test]
fn payloads_are_frozen() {
    for event in samples() {
        let (_, (name, version), payload) = parts(&event);
        insta::with_settings!({ snapshot_path => "../events", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(format!("{name}-{version}"), payload);
        });
    }
}

#[test]
fn every_payload_ever_written_can_be_read() {
    let kinds = |name: &str| samples().iter().map(parts).find(|(_, (n, _), _)| *n == name).map(|(kind, _, _)| kind);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut read = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the golden files are there") {
        let path = entry.expect("a file").path();
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("a name").to_owned();
        let (name, version) = stem.rsplit_once('-').expect("Name-version.snap");
        let text = std::fs::read_to_string(&path).expect("readable");
        let payload = text.splitn(3, "---\n").nth(2).expect("a header and a payload").trim().to_owned();
        let record = Record {
            position: 1,
            stream: StreamId {
                organization: OrganizationId::NONE,
                kind: kinds(name).unwrap_or_else(|| panic!("{name} is not among the samples: an event was removed")),
                id: Uuid::nil(),
            },
            version: 1,
            event_type: name.to_owned(),
            event_version: version.to_owned(),
            payload,
            recorded_at: DateTime::UNIX_EPOCH,
            exchange: None,
            actor: Actor::System,
        };
        DomainEvent::decode(&record).unwrap_or_else(|e| panic!("{stem}: {e}"));
        read.insert(stem);
    }
    assert!(read.len() >= samples().len(), "{read:?}");
}
