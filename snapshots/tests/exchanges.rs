//! The document of an exchange is kept for ever: its form is frozen as a payload's is. What a field
//! adds later is absent in documents of before.

use chrono::DateTime;
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::assertion::{Axis, Finding, Seen};
use rollcall_domain::credential::{ClientAuthentication, TokenRequest};
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::failure::{AccessEnd, Cause, Change, Facts, Wants};
use rollcall_domain::ids::{CredentialId, ExchangeId, OrganizationId, ResourceId, TokenId};
use rollcall_domain::interpretation::{Interpretation, Reading};
use rollcall_domain::scim::Rule;
use std::path::Path;
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// Every field has a value, by hand: a new field does not compile until it stands here.
fn full() -> Exchange {
    let wants = Wants {
        attributes: vec![
            Change { path: "active".into(), value: Some("11".repeat(16)) },
            Change { path: "title".into(), value: None },
        ],
        added: vec![ResourceId(id(5))],
        removed: vec![ResourceId(id(6))],
        members_replaced: true,
        whole: true,
        deletes: true,
        ends_access: true,
        more: 7,
        all: Some("22".repeat(16)),
        unread: 2,
        // What came later has a document of its own.
        enables: false,
        removes_somebody: false,
        ends: Vec::new(),
        request: None,
    };
    Exchange {
        id: ExchangeId(id(1)),
        organization: OrganizationId(id(2)),
        parent: Some(ExchangeId(id(3))),
        replays: Some(ExchangeId(id(4))),
        received_at: DateTime::from_timestamp(1_800_000_000, 0).expect("an instant"),
        protocol: Protocol::Scim,
        method: "PATCH".into(),
        target: "/scim/v2/Users/00000000-0000-0000-0000-000000000005".into(),
        headers: vec![("authorization".into(), "[removed]".into())],
        source: Some("192.0.2.1".into()),
        caller: Actor::ScimToken { token: TokenId(id(8)) },
        operation: "users.patch".into(),
        subject: Some(id(5).to_string()),
        subject_key: Some("33".repeat(16)),
        interpretations: vec![Interpretation {
            reading: Reading::StringBoolean,
            at: "active".into(),
        }],
        unknown_shape: true,
        facts: Facts {
            cause: Some(Cause::MemberUnknown),
            needs: Some(ResourceId(id(6))),
            holder: Some(ResourceId(id(7))),
            wants,
            token_request: None,
            untrusted: None,
        },
        answer: Answer {
            status: 400,
            headers: vec![("Retry-After".into(), "1".into())],
            scim_type: Some("invalidValue".into()),
            rule: Some(Rule::TooLong),
            detail: Some("a sentence for people".into()),
            found: Some(3),
            body_bytes: 120,
            body_kept: false,
        },
        duration_us: 412,
        redactions: vec!["password".into()],
        bodies_dropped: true,
        body_hashes: None,
        particulars_hash: None,
        request_body: b"beside the document".to_vec(),
        answer_body: b"beside the document".to_vec(),
    }
}

/// Nothing has a value that may be absent, as in a document of the first version.
fn least() -> Exchange {
    Exchange {
        parent: None,
        replays: None,
        source: None,
        caller: Actor::Unauthenticated,
        subject: None,
        subject_key: None,
        interpretations: vec![],
        unknown_shape: false,
        facts: Facts::default(),
        answer: Answer {
            headers: vec![],
            scim_type: None,
            rule: None,
            detail: None,
            found: None,
            ..full().answer
        },
        redactions: vec![],
        bodies_dropped: false,
        body_hashes: None,
        particulars_hash: None,
        request_body: vec![],
        answer_body: vec![],
        ..full()
    }
}

/// A request for an access token; what documents of before have not is nowhere else.
fn asked() -> Exchange {
    let mut exchange = Exchange { protocol: Protocol::Oauth, ..full() };
    exchange.operation = "oauth.token".into();
    exchange.facts.token_request = Some(Box::new(token_request()));
    exchange
}

/// A bulk request that left undone what would have ended access.
fn access() -> Exchange {
    let mut exchange = Exchange { operation: "bulk".into(), ..full() };
    exchange.facts.cause = Some(Cause::LeftUndone);
    exchange.facts.wants = Wants {
        enables: true,
        removes_somebody: true,
        ends: vec![
            AccessEnd::Disabled { user: ResourceId(id(5)) },
            AccessEnd::UserDeleted { user: ResourceId(id(5)) },
            AccessEnd::GroupDeleted { group: ResourceId(id(6)) },
            AccessEnd::Removed { group: ResourceId(id(6)), member: ResourceId(id(5)) },
            AccessEnd::OthersRemoved { group: ResourceId(id(6)), but: [ResourceId(id(5))].into() },
            AccessEnd::SomebodyRemoved { group: ResourceId(id(6)), request: Some("55".repeat(16)) },
        ],
        request: Some("66".repeat(16)),
        ..Wants::default()
    };
    exchange
}

fn documents() -> [(&'static str, Exchange); 5] {
    let body_hashes = Some(full().hashes_of_bodies());
    let dropped = Exchange { body_hashes, ..full() };
    [
        ("full", full()),
        ("least", least()),
        ("dropped", dropped),
        ("token-request", asked()),
        ("access", access()),
    ]
}

#[test]
fn the_document_of_an_exchange_is_frozen() {
    for (name, exchange) in documents() {
        insta::with_settings!({ snapshot_path => "../exchanges", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(name, exchange);
        });
    }
}

#[test]
fn every_document_ever_written_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("exchanges");
    for (name, mut written) in documents() {
        let text =
            std::fs::read_to_string(folder.join(format!("{name}.snap"))).expect("a golden file");
        let document = text.splitn(3, "---\n").nth(2).expect("a header and a document");
        let read: Exchange = serde_json::from_str(document).expect(name);
        // Bodies stand beside the document.
        (written.request_body, written.answer_body) = (vec![], vec![]);
        assert_eq!(read, written);
    }
}

/// Words that stand in documents: none may be renamed.
#[test]
fn the_words_in_documents_are_frozen() {
    let causes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    let axes: Vec<&str> = Axis::ALL.iter().map(|axis| axis.as_str()).collect();
    insta::with_settings!({ snapshot_path => "../exchanges", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("causes", causes);
        insta::assert_json_snapshot!("axes", axes);
    });
}

/// With a finding of each kind.
fn token_request() -> TokenRequest {
    TokenRequest {
        client: Some(CredentialId(id(8))),
        authentication: Some(ClientAuthentication::PrivateKeyJwt),
        secret: Some("44444444".into()),
        assertion: Some(Seen {
            sha256: "44".repeat(32),
            findings: vec![
                Finding::new(Axis::Form, Some(true), None, &[]),
                Finding::new(Axis::Key, None, Some("key-1"), &[]),
                Finding::new(Axis::Audience, Some(false), Some("x"), &["a", "b"]),
            ],
        }),
    }
}
