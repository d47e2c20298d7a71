//! Why requests fail: the cause of each error that the recorded requests of Entra meet, and of one
//! example for every other cause.

use chrono::DateTime;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::failure::{Cause, classify, is_failure};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The name of a request of the corpus or of what happened, the operation, what was answered, why.
type Case = (&'static str, &'static str, (u16, Option<&'static str>, &'static str), Cause);

/// What the recorded requests meet, answered as the server answers.
const CORPUS: &[Case] = &[
    (
        "test-connection.wrong-token",
        "users.list",
        (
            401,
            None,
            "the bearer token is missing, unknown, expired or revoked: put a live token into Secret Token",
        ),
        Cause::TokenRefused,
    ),
    (
        "initial.user1.create-replayed",
        "users.create",
        (
            409,
            Some("uniqueness"),
            "this userName is already used by user 1 (upper and lower case count as equal)",
        ),
        Cause::NameTaken,
    ),
    (
        "initial.group1.create-duplicate",
        "groups.create",
        (
            409,
            Some("uniqueness"),
            "this displayName is already used by group 1 (upper and lower case count as equal)",
        ),
        Cause::NameTaken,
    ),
    (
        "inc.user2.upn-collision",
        "users.patch",
        (
            409,
            Some("uniqueness"),
            "this userName is already used by user 1 (upper and lower case count as equal)",
        ),
        Cause::NameTaken,
    ),
    (
        "inc.group1.add-unknown-member",
        "groups.patch",
        (
            400,
            Some("invalidValue"),
            "member \"7\" does not exist: the value of a member is the id Rollcall gave to a user or group",
        ),
        Cause::MemberUnknown,
    ),
];

/// What they do not meet.
const OTHERS: &[Case] = &[
    (
        "a change of a deleted user",
        "users.patch",
        (404, None, "there is no User with id \"7\""),
        Cause::ResourceUnknown,
    ),
    (
        "a member that is not there",
        "groups.patch",
        (
            400,
            Some("invalidValue"),
            "7 is neither a user nor a group of this organization: provision it before it becomes a member",
        ),
        Cause::MemberUnknown,
    ),
    (
        "a replacement of a deleted group",
        "groups.replace",
        (404, None, "there is no Group with id \"7\""),
        Cause::ResourceUnknown,
    ),
    (
        "an attribute of no schema",
        "users.patch",
        (400, Some("invalidPath"), "the schema has no attribute \"shoeSize\""),
        Cause::AttributeUnknown,
    ),
    (
        "a password",
        "users.create",
        (
            400,
            Some("invalidValue"),
            "Rollcall stores no passwords: remove the mapping to password from the attribute mappings in Entra",
        ),
        Cause::PasswordSent,
    ),
    (
        "a password to compare with",
        "users.list",
        (400, Some("invalidFilter"), "Rollcall stores no passwords, so no filter can compare them"),
        Cause::FilterUnreadable,
    ),
    (
        "userName removed",
        "users.patch",
        (400, Some("mutability"), "userName is required and cannot be removed or empty"),
        Cause::ReadOnly,
    ),
    (
        "a removal without a path",
        "users.patch",
        (400, Some("noTarget"), "remove needs a path that says what to remove"),
        Cause::NoTarget,
    ),
    (
        "a filter without an end",
        "users.list",
        (400, Some("invalidFilter"), "the filter ends too early"),
        Cause::FilterUnreadable,
    ),
    (
        "an operation without op",
        "users.patch",
        (400, Some("invalidSyntax"), "an operation needs op: add, replace or remove"),
        Cause::ShapeUnknown,
    ),
    (
        "a body that is cut off",
        "users.create",
        (400, Some("invalidSyntax"), "the body broke off"),
        Cause::Malformed,
    ),
    (
        "a body that came too slowly",
        "users.create",
        (408, None, "the body came too slowly"),
        Cause::Malformed,
    ),
    (
        "a text for a boolean",
        "users.create",
        (400, Some("invalidValue"), "active must be true or false"),
        Cause::ValueUnusable,
    ),
    (
        "an old version",
        "users.replace",
        (412, None, "the resource has another version than If-Match says: read it again"),
        Cause::VersionDiffers,
    ),
    (
        "a body too long",
        "groups.patch",
        (
            413,
            None,
            "the body is longer than 1048576 bytes: send fewer members or operations per request",
        ),
        Cause::TooLarge,
    ),
    (
        "more than the rate",
        "users.list",
        (429, None, "too many requests with this token: slow down"),
        Cause::TooFast,
    ),
    (
        "SCIM switched off",
        "users.list",
        (503, None, "the SCIM connection is switched off; nothing is lost, Entra will retry"),
        Cause::SwitchedOff,
    ),
    (
        "too much load",
        "users.patch",
        (503, None, "too many requests at once; try again later"),
        Cause::ServerTrouble,
    ),
    (
        "a damaged log",
        "users.patch",
        (500, None, "the directory of this organization is damaged"),
        Cause::ServerTrouble,
    ),
    (
        "the caller as a resource",
        "me",
        (
            501,
            None,
            "/Me is not supported: a SCIM token stands for an organization, not for a user",
        ),
        Cause::NotOffered,
    ),
    (
        "no such address",
        "unknown",
        (404, None, "there is nothing at this address"),
        Cause::NotOffered,
    ),
    ("what nobody thought of", "users.patch", (422, None, "no"), Cause::Unclear),
];

fn failed((_, operation, (status, scim_type, detail), cause): &Case) -> Exchange {
    Exchange {
        id: ExchangeId(Uuid::from_u128(1)),
        organization: OrganizationId(Uuid::from_u128(2)),
        parent: None,
        replays: None,
        received_at: DateTime::UNIX_EPOCH,
        protocol: Protocol::Scim,
        method: "PATCH".to_owned(),
        target: "/scim/v2/Users".to_owned(),
        headers: Vec::new(),
        source: None,
        caller: Actor::System,
        operation: (*operation).to_owned(),
        subject: None,
        subject_key: None,
        facts: Default::default(),
        interpretations: Vec::new(),
        unknown_shape: *cause == Cause::ShapeUnknown,
        answer: Answer {
            status: *status,
            headers: Vec::new(),
            rule: None,
            scim_type: scim_type.map(str::to_owned),
            detail: Some((*detail).to_owned()),
            found: None,
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
    }
}

#[test]
fn every_error_has_its_cause() {
    for case in CORPUS.iter().chain(OTHERS) {
        let exchange = failed(case);
        assert!(is_failure(&exchange), "{}", case.0);
        assert_eq!(classify(&exchange), case.3, "{}", case.0);
    }
}

#[test]
fn the_table_names_every_error_of_the_corpus_and_every_cause() {
    let lines = include_str!("../../tests/corpus/entra-requests.jsonl").lines();
    let lines = lines.map(|line| {
        serde_json::from_str::<serde_json::Value>(line).expect("a line of the corpus is JSON")
    });
    let errors: BTreeSet<String> = lines
        .filter(|line| line["expect"]["status"].as_u64() >= Some(400))
        .map(|line| line["name"].as_str().unwrap_or("").to_owned())
        .collect();
    assert_eq!(errors, CORPUS.iter().map(|case| case.0.to_owned()).collect());
    let causes: BTreeSet<Cause> = CORPUS.iter().chain(OTHERS).map(|case| case.3).collect();
    // Some are known of the facts of an exchange only.
    let told = Cause::ALL
        .iter()
        .copied()
        .filter(|cause| !matches!(cause, Cause::Duplicate | Cause::BodyCutOff | Cause::LeftUndone))
        .collect();
    assert_eq!(causes, told);
}
