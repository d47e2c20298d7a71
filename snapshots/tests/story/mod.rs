//! A log of every event that has a golden file, and of a few exchanges.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::failure::{Cause, Change, Facts, Wants};
use rollcall_domain::ids::{
    AuditorId, ConsumerId, CredentialId, ExchangeId, OrganizationId, ResourceId, TokenId,
};
use rollcall_domain::interpretation::{Interpretation, Reading};
use rollcall_domain::log::{AggregateKind, Record, RecordedExchange, Restored, StreamId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use uuid::Uuid;

/// Whose log it is.
pub const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(0x0a));

/// The token of the golden files.
const TOKEN: TokenId = TokenId(Uuid::from_u128(2));

/// What happens, in order: an event, and the number of the user or group. All that is said of one
/// aggregate is one story, so user 1 is the one that the events of groups name.
const EVENTS: &[(AggregateKind, u128, &[&str])] = &[
    (
        AggregateKind::Organization,
        0,
        &[
            "OrganizationCreated",
            "ScimEnabled",
            "ScimTokenIssued",
            "ScimPolicySet",
            "AuditorKeyIssued",
        ],
    ),
    (AggregateKind::User, 1, &["UserCreated", "UserRenamed", "UserChanged"]),
    (AggregateKind::User, 2, &["UserCreated", "UserDeleted"]),
    (
        AggregateKind::Group,
        1,
        &[
            "GroupCreated",
            "GroupMembersAdded",
            "GroupRenamed",
            "GroupMembersRemoved",
            "GroupChanged",
        ],
    ),
    (
        AggregateKind::Organization,
        0,
        &[
            "SamlConfigured",
            "SamlCertificateTrusted",
            "SamlCertificateExpiring",
            "SamlKeyGenerated",
        ],
    ),
    (AggregateKind::Organization, 0, &["SamlPolicyChanged", "SamlEnabled", "LoginRefused"]),
    (
        AggregateKind::User,
        1,
        &[
            "UserSignedIn",
            "UserSessionEnded",
            "UserLoginRefused",
            "UserSignedIn",
            "UserDeactivated",
        ],
    ),
    (AggregateKind::User, 1, &["UserSessionRefused", "UserActivated"]),
    (AggregateKind::Group, 2, &["GroupCreated", "GroupMembersAdded", "GroupDeleted"]),
    (AggregateKind::Group, 1, &["GroupMembersAdded"]),
    (AggregateKind::User, 3, &["UserCreated"]),
    (
        AggregateKind::Organization,
        0,
        &[
            "ProvisioningLogImported",
            "ProvisioningRhythmChanged",
            "SamlDisabled",
            "SamlCertificateDropped",
        ],
    ),
    (
        AggregateKind::Organization,
        0,
        &["SamlKeyRetired", "AuditorKeyRevoked", "ScimTokenRevoked", "ScimDisabled"],
    ),
    (AggregateKind::Organization, 0, &["OrganizationDisabled", "OrganizationEnabled"]),
    (
        AggregateKind::Organization,
        0,
        &["CredentialIssued", "CredentialFirstUsed", "CredentialSecretAdded", "CredentialExpiring"],
    ),
    (
        AggregateKind::Organization,
        0,
        &[
            "CredentialSecretRetired",
            "CredentialProofChanged",
            "CredentialEnded",
            "CredentialRevoked",
        ],
    ),
    (AggregateKind::Deployment, 0, &["OperatorKeyIssued", "OperatorKeyRevoked"]),
    (
        AggregateKind::Consumer,
        0x2000,
        &["ConsumerCreated", "ConsumerKeyIssued", "ConsumerSecretIssued", "ConsumerKeyRetiring"],
    ),
    (
        AggregateKind::Consumer,
        0x2000,
        &["ConsumerSecretRetiring", "ConsumerKeyRevoked", "ConsumerPaused", "ConsumerResumed"],
    ),
    (AggregateKind::Consumer, 0x2000, &["ConsumerStopped", "ConsumerRemoved"]),
    (AggregateKind::User, 1, &["UserObjectIdPinned", "UserObjectIdReleased"]),
    (AggregateKind::Organization, 0, &["SamlLogoutRequested"]),
    (AggregateKind::Deployment, 0, &["LogAccepted"]),
    (AggregateKind::Organization, 0, &["ProvisioningLogForgotten"]),
    (AggregateKind::User, 1, &["RecordLost"]),
    (AggregateKind::Deployment, 0, &["ClockCorrected"]),
    (AggregateKind::Organization, 0, &["TimesBounded"]),
    (AggregateKind::User, 1, &["UserErased"]),
    (AggregateKind::Organization, 0, &["NotificationRecipientsSet"]),
    (AggregateKind::Consumer, 0x2000, &["ConsumerDeliveryHandled"]),
    (AggregateKind::User, 2, &["UserHeld", "UserReleased"]),
    (AggregateKind::Organization, 0, &["OrganizationErased"]),
];

/// The log, as it is restored from a backup.
pub fn log() -> Vec<Restored> {
    let payloads = payloads();
    let told: BTreeSet<&str> = EVENTS.iter().flat_map(|(_, _, events)| *events).copied().collect();
    let known: BTreeSet<&str> = payloads.keys().map(String::as_str).collect();
    assert_eq!(told, known, "every event belongs into the story");
    let mut versions: HashMap<StreamId, u64> = HashMap::new();
    let mut records = Vec::new();
    for (kind, n, event_type) in
        EVENTS.iter().flat_map(|(kind, n, events)| events.iter().map(|event| (*kind, *n, *event)))
    {
        let id = match kind {
            AggregateKind::User | AggregateKind::Consumer => Uuid::from_u128(n),
            AggregateKind::Group => group(n),
            AggregateKind::Organization | AggregateKind::Deployment => ORGANIZATION.0,
        };
        let stream = StreamId { organization: ORGANIZATION, kind, id };
        let version = versions.entry(stream).and_modify(|v| *v += 1).or_insert(1);
        let position = records.len() as u64 + 1;
        let (event_version, payload) = payloads[event_type].clone();
        records.push(Record {
            position,
            stream,
            version: *version,
            event_type: event_type.to_owned(),
            event_version,
            payload,
            recorded_at: at(position),
            exchange: position.is_multiple_of(3).then(|| exchange_id(position)),
            actor: if matches!(kind, AggregateKind::User | AggregateKind::Group) {
                Actor::ScimToken { token: TOKEN }
            } else {
                Actor::Operator
            },
        });
    }
    let after = records.len() as u64;
    let exchanges = exchanges().into_iter().zip(1..).map(|(exchange, number)| {
        let positions = exchange.answer.status.eq(&201).then_some((6, 8));
        Restored::Exchange(Box::new(RecordedExchange { number, after, positions, exchange }))
    });
    records.into_iter().map(Restored::Record).chain(exchanges).collect()
}

fn group(n: u128) -> Uuid {
    Uuid::from_u128(0x0100 + n)
}

/// The latest version and payload of each event, from the golden files.
fn payloads() -> BTreeMap<String, (String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut latest: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the golden files are there") {
        let path = entry.expect("a file").path();
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("a name").to_owned();
        let (name, version) = stem.rsplit_once('-').expect("Name-version.snap");
        let version: u64 = version.parse().expect("a version");
        let text = std::fs::read_to_string(&path).expect("readable");
        let payload =
            text.splitn(3, "---\n").nth(2).expect("a header and a payload").trim().to_owned();
        if latest.get(name).is_none_or(|(known, _)| *known < version) {
            latest.insert(name.to_owned(), (version, payload));
        }
    }
    latest
        .into_iter()
        .map(|(name, (version, payload))| (name, (version.to_string(), payload)))
        .collect()
}

/// The n-th minute.
fn at(n: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
        + TimeDelta::days(20_000)
        + TimeDelta::minutes(i64::try_from(n).expect("few"))
}

fn exchange_id(n: u64) -> ExchangeId {
    ExchangeId(Uuid::from_u128(0x4000_0000 + u128::from(n)))
}

/// A failure that a later request cures, one that nothing cures, reads, and callers of each kind.
fn exchanges() -> Vec<Exchange> {
    let scim = Actor::ScimToken { token: TOKEN };
    let admin = Actor::Admin { admin: CredentialId(Uuid::from_u128(11)), name: "Ada".into() };
    let consumer = Actor::Consumer {
        consumer: ConsumerId(Uuid::from_u128(0x2000)),
        key: CredentialId(Uuid::from_u128(0x2012)),
    };
    let user = |n: u128| ResourceId(Uuid::from_u128(n));
    let wants = |path: &str| Wants {
        attributes: vec![Change { path: path.into(), value: Some("hash".into()) }],
        ..Wants::default()
    };
    let add = |n| Wants { added: vec![user(n)], ..Wants::default() };
    [
        (scim.clone(), "users.create", user(1), 201, wants("externalId")),
        (scim.clone(), "users.patch", user(1), 400, wants("title")),
        (scim.clone(), "users.patch", user(1), 200, wants("title")),
        (scim.clone(), "groups.patch", ResourceId(group(1)), 404, add(7)),
        (scim, "users.get", user(3), 200, Wants::default()),
        (Actor::Unauthenticated, "users.list", user(1), 401, Wants::default()),
        (
            Actor::Auditor { auditor: AuditorId(Uuid::from_u128(9)) },
            "audit.events",
            user(1),
            200,
            Wants::default(),
        ),
        (consumer, "feed.read", user(1), 200, Wants::default()),
        (admin, "scim.disable", user(1), 204, Wants::default()),
    ]
    .into_iter()
    .zip(1..)
    .map(|((caller, operation, subject, status, wants), n)| {
        exchange(n, caller, operation, subject, status, wants)
    })
    .collect()
}

fn exchange(
    n: u64,
    caller: Actor,
    operation: &str,
    subject: ResourceId,
    status: u16,
    wants: Wants,
) -> Exchange {
    let failed = status >= 400;
    let needs = wants.added.first().copied().filter(|_| failed);
    Exchange {
        id: exchange_id(n),
        organization: ORGANIZATION,
        parent: (n == 3).then(|| exchange_id(2)),
        replays: (n == 5).then(|| exchange_id(4)),
        received_at: at(n),
        protocol: match caller {
            Actor::Auditor { .. } => Protocol::Audit,
            Actor::Admin { .. } => Protocol::Administration,
            Actor::Consumer { .. } => Protocol::Feed,
            _ => Protocol::Scim,
        },
        method: "PATCH".into(),
        target: format!("/scim/v2/{operation}/{subject}"),
        headers: Vec::new(),
        source: Some("192.0.2.1".into()),
        caller,
        operation: operation.into(),
        subject: Some(subject.to_string()),
        subject_key: None,
        interpretations: vec![Interpretation {
            reading: Reading::OperationCase,
            at: "Operations[0]".into(),
        }],
        unknown_shape: n == 4,
        facts: Facts {
            cause: needs.map(|_| Cause::MemberUnknown),
            needs,
            wants,
            ..Facts::default()
        },
        answer: Answer {
            status,
            headers: Vec::new(),
            rule: None,
            scim_type: failed.then(|| "invalidValue".into()),
            detail: failed.then(|| "something is wrong".into()),
            found: None,
            body_bytes: 2,
            body_kept: true,
        },
        duration_us: 900,
        redactions: Vec::new(),
        bodies_dropped: false,
        body_hashes: None,
        particulars_hash: None,
        request_body: Vec::new(),
        answer_body: Vec::new(),
    }
}
