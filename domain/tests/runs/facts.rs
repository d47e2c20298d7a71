//! What is read out of an exchange.

use chrono::DateTime;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::ids::{ExchangeId, OrganizationId, TokenId};
use rollcall_domain::log::RecordedExchange;
use rollcall_domain::run::{Action, Fact, Inference, Key, Lookup, RunKind};
use uuid::Uuid;

const GUID: &str = "7c1d2b54-0f7e-4a86-9f5b-2f7f0b1d9a11";

fn recorded(
    number: u64,
    second: i64,
    operation: &str,
    target: &str,
    status: u16,
    found: Option<u64>,
    subject: Option<&str>,
) -> RecordedExchange {
    let exchange = Exchange {
        id: ExchangeId(Uuid::from_u128(u128::from(number))),
        organization: OrganizationId(Uuid::from_u128(9)),
        parent: None,
        replays: None,
        received_at: DateTime::UNIX_EPOCH + chrono::Duration::seconds(second),
        protocol: Protocol::Scim,
        method: "GET".into(),
        target: format!("/scim/v2{target}"),
        headers: Vec::new(),
        source: None,
        caller: Actor::ScimToken { token: TokenId(Uuid::from_u128(1)) },
        operation: operation.into(),
        subject: subject.map(str::to_owned),
        subject_key: None,
        facts: Default::default(),
        interpretations: Vec::new(),
        unknown_shape: false,
        answer: Answer {
            status,
            headers: Vec::new(),
            scim_type: None,
            rule: None,
            detail: None,
            found,
            body_bytes: 0,
            body_kept: true,
        },
        duration_us: 0,
        redactions: Vec::new(),
        bodies_dropped: false,
        body_hashes: None,
        particulars_hash: None,
        request_body: Vec::new(),
        answer_body: Vec::new(),
    };
    RecordedExchange { number, positions: None, after: 0, exchange }
}

fn action(operation: &str, target: &str) -> (Action, Option<Key>) {
    let fact = Fact::of(&recorded(1, 0, operation, target, 200, Some(0), None)).unwrap();
    (fact.action, fact.subject)
}

#[test]
fn queries_are_told_apart() {
    let lookup = |attribute: &str, value: &str, guid: bool| {
        (
            Action::Lookup(Lookup {
                attribute: attribute.into(),
                value: Key::of(value),
                guid,
                found: Some(0),
            }),
            None,
        )
    };
    for (operation, target, expected) in [
        (
            "users.list",
            format!("/Users?filter=userName+eq+%22{GUID}%22"),
            lookup("userName", GUID, true),
        ),
        (
            "users.list",
            "/Users?aadOptscim062020&filter=userName%20eq%20%22Ada%40x.example%22".into(),
            lookup("userName", "ada@x.example", false),
        ),
        (
            "users.list",
            format!("/Users?filter=emails[type eq \"work\"].value eq \"{GUID}\""),
            lookup("emails", GUID, true),
        ),
        (
            "users.list",
            format!("/Users?filter=externalId+eq+%22{GUID}%22"),
            lookup("externalId", GUID, true),
        ),
        ("users.list", format!("/Users?filter=id+eq+%22{GUID}%22"), lookup("id", GUID, false)),
        (
            "users.list",
            format!("/Users?filter=no:such.thing+eq+%22{GUID}%22"),
            lookup("no:such.thing", GUID, true),
        ),
        (
            "groups.list",
            "/Groups?excludedAttributes=members&filter=displayName+eq+%22A%22".into(),
            lookup("displayName", "a", false),
        ),
        (
            "groups.list",
            "/Groups?filter=id+eq+%22g%22+and+members+eq+%22u%22&attributes=id".into(),
            (Action::Check, Some(Key::of("g"))),
        ),
        ("users.list", "/Users?startIndex=1&count=5".into(), (Action::Page, None)),
        ("users.list", "/Users?filter=userName+sw+%22a%22".into(), (Action::Foreign, None)),
        ("users.read", "/Users/abc?attributes=id".into(), (Action::Read, Some(Key::of("abc")))),
        ("groups.patch", "/Groups/abc".into(), (Action::Patch, Some(Key::of("abc")))),
        ("users.create", "/Users".into(), (Action::Create, None)),
        ("users.replace", "/Users/abc".into(), (Action::Foreign, None)),
        ("bulk", "/Bulk".into(), (Action::Foreign, None)),
        ("schemas", "/Schemas".into(), (Action::Discovery, None)),
    ] {
        assert_eq!(action(operation, &target), expected, "{target}");
    }
}

#[test]
fn only_scim_clients_make_runs() {
    let mut other = recorded(1, 0, "users.create", "/Users", 201, None, None);
    other.exchange.caller = Actor::Operator;
    assert_eq!(Fact::of(&other), None);
}

/// A create that failed names nobody; it is known by the lookup before it, in the next run as well.
#[test]
fn a_create_that_failed_is_known_again() {
    let mut inference = Inference::default();
    let organization = OrganizationId(Uuid::from_u128(9));
    let probe = format!("/Users?filter=userName+eq+%22{GUID}%22");
    let look = "/Users?filter=userName+eq+%22ada%22";
    let story = [
        recorded(1, 0, "users.list", &probe, 200, Some(0), None),
        recorded(2, 1, "users.list", look, 200, Some(0), None),
        recorded(3, 2, "users.create", "/Users", 400, None, None),
        recorded(4, 2_400, "users.list", &probe, 200, Some(0), None),
        recorded(5, 2_401, "users.list", look, 200, Some(0), None),
        recorded(6, 2_402, "users.create", "/Users", 201, None, Some("new")),
    ];
    let retries: Vec<bool> = story
        .iter()
        .map(|x| inference.observe(organization, &Fact::of(x).unwrap()).retry)
        .collect();
    assert_eq!(retries, [false, false, false, false, false, true]);
    let settled = inference.expire(DateTime::UNIX_EPOCH + chrono::Duration::seconds(3_000));
    let second = settled.last().unwrap();
    assert_eq!(
        (second.kind, second.tally.retries, second.tally.failures),
        (RunKind::Incremental, 1, 0)
    );
}
