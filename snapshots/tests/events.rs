//! One golden file for every version of every payload ever written: today's events serialize as
//! the file of their version says, and every file can still be read.

use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::consumer::{
    ConsumerEvent, ConsumerEventKind, GroupFilter, Payload, Stopped, Way,
};
use rollcall_domain::credential::{
    CredentialEnded, CredentialExpiring, CredentialFirstUsed, CredentialIssued,
    CredentialProofChanged, CredentialRevoked, CredentialSecretAdded, CredentialSecretRetired,
    KeySource, Proof, Purpose,
};
use rollcall_domain::deployment::{
    ClockCorrected, DeploymentEvent, DeploymentEventKind, LogAccepted, LostTail,
};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::group::{GroupEvent, GroupEventKind};
use rollcall_domain::ids::{
    AuditorId, CredentialId, ExchangeId, OrganizationId, ResourceId, SamlKeyId, SessionId, TokenId,
};
use rollcall_domain::log::{AggregateKind, Record, StreamId};
use rollcall_domain::login::{
    Asserted, Attempt, Drift, Initiator, MatchedBy, ObjectId, RefusedLogin,
};
use rollcall_domain::lost::{RECORD_LOST, RECORD_LOST_VERSION, RecordLost};
use rollcall_domain::organization::{
    CertificateOwner, IdpEndpoints, LogoutRequested, OrganizationEvent, OrganizationEventKind,
    SamlKey, SamlPolicy, SealedKey, SpCertificate,
};
use rollcall_domain::provisioning_log::{
    self, ImportedAction, ImportedChange, ImportedCycle, ImportedStatus, into_parts,
};
use rollcall_domain::public_type::TypeFilter;
use rollcall_domain::run::{Noticed, Pulse};
use rollcall_domain::saml::{IdpCertificate, NameId, SignedParts};
use rollcall_domain::scim::{Attributes, Policy};
use rollcall_domain::user::{Change, SessionEnd, SignedIn, UserEvent, UserEventKind};
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

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("an instant")
}

fn attempt() -> Attempt {
    let name_id = NameId {
        value: "ada@x.example".to_owned().into(),
        format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress".into()),
        name_qualifier: None,
        sp_name_qualifier: None,
    };
    let asserted = Asserted {
        id: "_assertion".into(),
        issuer: "https://sts.windows.net/tenant/".into(),
        name_id,
        object_identifier: Some("8f0f0c5c-0000-4000-8000-000000000001".to_owned().into()),
        session_index: Some("_session".into()),
        issued_at: instant(0),
        authn_instant: instant(-60),
        authn_context: Some("urn:oasis:names:tc:SAML:2.0:ac:classes:Password".into()),
        certificate_sha256: "11".repeat(32),
        signed: SignedParts::Assertion,
        encrypted: true,
    };
    Attempt {
        message_sha256: "22".repeat(32),
        initiated_by: Some(Initiator::ServiceProvider),
        request: Some("_request".into()),
        source: Some("192.0.2.1".to_owned().into()),
        asserted: Some(asserted),
    }
}

fn refused() -> Box<RefusedLogin> {
    Box::new(RefusedLogin {
        reason: "replayed".into(),
        detail: "the assertion was used before".into(),
        used_before: true,
        attempt: attempt(),
    })
}

fn known() -> ObjectId {
    ObjectId::new("https://sts.windows.net/tenant/", "8F0F0C5C-0000-4000-8000-000000000001")
        .expect("an object id")
}

/// Events of logins and sessions.
fn login_samples() -> Vec<DomainEvent> {
    let session = SessionId(Uuid::from_u128(3));
    let drift = Drift {
        attribute: "displayName".into(),
        scim: "Ada".to_owned().into(),
        asserted: "Ada K.".to_owned().into(),
    };
    let signed_in = SignedIn {
        session,
        token_sha256: "33".repeat(32),
        began_at: instant(1),
        expires_at: instant(3_600),
        matched_by: MatchedBy::ExternalId,
        attempt: attempt(),
        drift: vec![drift],
    };
    vec![
        DomainEvent::User(UserEvent::SignedIn(Box::new(signed_in))),
        DomainEvent::User(UserEvent::ObjectIdPinned { known: known(), reason: None }),
        DomainEvent::User(UserEvent::ObjectIdReleased {
            known: known(),
            reason: Some("Ada Moor has left; the name is Ada Keller's now".into()),
        }),
        DomainEvent::User(UserEvent::LoginRefused(refused())),
        DomainEvent::User(UserEvent::SessionEnded {
            session,
            end: SessionEnd::SignedOutAtIdentityProvider,
        }),
        DomainEvent::User(UserEvent::SessionRefused {
            session,
            milliseconds: 412,
            ended_by: Some(ExchangeId(Uuid::from_u128(4))),
        }),
        DomainEvent::Organization(OrganizationEvent::LoginRefused(refused())),
    ]
}

/// Events of a SAML connection.
fn saml_samples() -> Vec<DomainEvent> {
    let idp = IdpEndpoints {
        entity_id: "https://sts.windows.net/tenant/".into(),
        sso_redirect_url: "https://login.microsoftonline.com/tenant/saml2".into(),
        slo_redirect_url: Some("https://login.microsoftonline.com/tenant/saml2".into()),
        slo_response_url: None,
        valid_until: None,
    };
    let certificate = IdpCertificate {
        sha256: "11".repeat(32),
        der: "AAAA".into(),
        subject: "CN=Microsoft Azure Federated SSO Certificate".into(),
        not_before: instant(0),
        not_after: instant(86_400),
    };
    let own = SpCertificate {
        sha256: "44".repeat(32),
        der: "BBBB".into(),
        not_before: instant(0),
        not_after: instant(86_400),
    };
    let sealed = SealedKey {
        algorithm: "aes-256-gcm".into(),
        sealed_with: "55".repeat(8),
        nonce: "CCCC".into(),
        ciphertext: "DDDD".into(),
    };
    let key = SamlKeyId(Uuid::from_u128(5));
    let policy =
        SamlPolicy { targets: vec!["https://app.example/".into()], ..SamlPolicy::default() };
    let events = vec![
        OrganizationEvent::SamlConfigured {
            metadata_url: Some("https://login.microsoftonline.com/tenant/metadata".into()),
            idp,
        },
        OrganizationEvent::SamlCertificateTrusted { certificate },
        OrganizationEvent::SamlCertificateDropped { sha256: "11".repeat(32) },
        OrganizationEvent::SamlCertificateExpiring {
            owner: CertificateOwner::IdentityProvider,
            sha256: "11".repeat(32),
            not_after: instant(86_400),
            days: 7,
        },
        OrganizationEvent::SamlKeyGenerated { key: SamlKey { id: key, certificate: own, sealed } },
        OrganizationEvent::SamlKeyRetired { key },
        OrganizationEvent::SamlPolicyChanged { policy },
        OrganizationEvent::LogoutRequested(LogoutRequested {
            issuer: "https://sts.windows.net/tenant/".into(),
            request: "_logout".into(),
            message_sha256: "22".repeat(32),
        }),
        OrganizationEvent::SamlEnabled {},
        OrganizationEvent::SamlDisabled {},
    ];
    events.into_iter().map(DomainEvent::Organization).collect()
}

fn imported() -> Vec<ImportedCycle> {
    let change = |change: &str, status, target: Option<&str>| ImportedChange {
        at: DateTime::UNIX_EPOCH,
        change: change.to_owned(),
        took_ms: 250,
        action: ImportedAction::StagedDelete,
        status,
        error: (status == ImportedStatus::Failure).then(|| "EntryConflict".to_owned()),
        target: target.map(str::to_owned),
        initiator: target.map(|_| provisioning_log::Initiator::Service),
    };
    let changes = [
        change("a", ImportedStatus::Success, Some("id")),
        change("b", ImportedStatus::Failure, None),
    ];
    into_parts(changes.map(|change| ("cycle".to_owned(), change)).to_vec(), &Default::default())
        .remove(0)
}

/// One sample of every event in its current version.
fn samples() -> Vec<DomainEvent> {
    [directory_samples(), login_samples(), saml_samples(), credential_samples()].concat()
}

fn directory_samples() -> Vec<DomainEvent> {
    let id = ResourceId(Uuid::from_u128(1));
    let token = TokenId(Uuid::from_u128(2));
    let user = json!({ "userName": "ada@x.example", "active": true, "emails": [{ "type": "work", "value": "ada@x.example" }] });
    vec![
        DomainEvent::User(UserEvent::Created { attributes: attributes(user).into() }),
        DomainEvent::User(UserEvent::Renamed {
            before: "a".to_owned().into(),
            after: "b".to_owned().into(),
        }),
        DomainEvent::User(UserEvent::Activated {}),
        DomainEvent::User(UserEvent::Deactivated {}),
        DomainEvent::User(UserEvent::Changed { changes: vec![change()] }),
        DomainEvent::User(UserEvent::Deleted { user_name: "a".to_owned().into() }),
        DomainEvent::Group(GroupEvent::Created {
            attributes: attributes(json!({ "displayName": "Guards" })),
        }),
        DomainEvent::Group(GroupEvent::Renamed { before: "a".into(), after: "b".into() }),
        DomainEvent::Group(GroupEvent::Changed { changes: vec![change()] }),
        DomainEvent::Group(GroupEvent::MembersAdded { members: vec![id] }),
        DomainEvent::Group(GroupEvent::MembersRemoved { members: vec![id] }),
        DomainEvent::Group(GroupEvent::Deleted { display_name: "a".into() }),
        DomainEvent::Organization(OrganizationEvent::Created {
            name: "Example".into(),
            domain: "example".into(),
        }),
        DomainEvent::Organization(OrganizationEvent::Disabled {}),
        DomainEvent::Organization(OrganizationEvent::Enabled {}),
        DomainEvent::Organization(OrganizationEvent::Erased {
            because: "the contract ended".into(),
        }),
        DomainEvent::Organization(OrganizationEvent::ScimEnabled {}),
        DomainEvent::Organization(OrganizationEvent::ScimDisabled {}),
        DomainEvent::Organization(OrganizationEvent::ScimTokenIssued {
            token,
            sha256: "00".repeat(32),
            label: "rotation".into(),
            expires_at: DateTime::from_timestamp(1_800_000_000, 0),
        }),
        DomainEvent::Organization(OrganizationEvent::ProvisioningLogImported {
            cycles: imported(),
        }),
        DomainEvent::Organization(OrganizationEvent::ProvisioningLogForgotten {
            cycles: vec!["7a9d3c1e-0d5c-4a55-9b5f-2d6b4c1f0e11".into()],
        }),
        DomainEvent::Organization(OrganizationEvent::ProvisioningRhythmChanged(Noticed {
            state: Pulse::Silent,
            last_cycle_at: instant(0),
            usual_seconds: 2_400,
        })),
        DomainEvent::Organization(OrganizationEvent::ScimTokenRevoked { token }),
        DomainEvent::Organization(OrganizationEvent::ScimPolicySet {
            policy: Policy { strict: true, members_replace_adds: false },
        }),
        DomainEvent::Organization(OrganizationEvent::NotificationRecipientsSet {
            recipients: vec!["doors@contoso.example".into(), "it@contoso.example".into()],
        }),
        DomainEvent::Organization(OrganizationEvent::AuditorKeyIssued {
            auditor: AuditorId(Uuid::from_u128(9)),
            sha256: "33".repeat(32),
            label: "Year-end audit".into(),
            expires_at: Some(instant(86_400)),
        }),
        DomainEvent::Organization(OrganizationEvent::AuditorKeyRevoked {
            auditor: AuditorId(Uuid::from_u128(9)),
        }),
    ]
}

/// Events of credentials, an organization's and the deployment's.
fn credential_samples() -> Vec<DomainEvent> {
    let credential = CredentialId(Uuid::from_u128(11));
    let (first, second) = ("44".repeat(32), "55".repeat(32));
    let issued = |purpose, proof, label: &str| CredentialIssued {
        credential,
        purpose,
        proof,
        label: label.into(),
        expires_at: Some(instant(86_400)),
    };
    let (label, end) = ("Entra", instant(2 * 86_400));
    let operator = CredentialId(Uuid::from_u128(12));
    let key = issued(Purpose::Operation, Proof::Token { sha256: "66".repeat(32) }, "Ada Moor");
    let key = CredentialIssued { credential: operator, ..key };
    vec![
        OrganizationEvent::CredentialIssued(issued(
            Purpose::Scim,
            Proof::ClientSecret { sha256: first.clone() },
            label,
        )),
        OrganizationEvent::CredentialFirstUsed(CredentialFirstUsed { credential }),
        OrganizationEvent::CredentialSecretAdded(CredentialSecretAdded {
            credential,
            sha256: second,
            expires_at: Some(end),
        }),
        OrganizationEvent::CredentialSecretRetired(CredentialSecretRetired {
            credential,
            sha256: first.clone(),
        }),
        OrganizationEvent::CredentialProofChanged(CredentialProofChanged {
            credential,
            proof: proofs().remove(3),
        }),
        OrganizationEvent::CredentialRevoked(CredentialRevoked { credential }),
        OrganizationEvent::CredentialExpiring(CredentialExpiring {
            credential,
            sha256: Some(first),
            expires_at: end,
            days: 30,
        }),
        OrganizationEvent::CredentialEnded(CredentialEnded { credential, expires_at: end }),
    ]
    .into_iter()
    .map(DomainEvent::Organization)
    .chain([
        DomainEvent::Deployment(DeploymentEvent::OperatorKeyIssued(key)),
        DomainEvent::Deployment(DeploymentEvent::OperatorKeyRevoked(CredentialRevoked {
            credential: operator,
        })),
        DomainEvent::Deployment(DeploymentEvent::LogAccepted(LogAccepted {
            because: "the standby was promoted, and the primary's disk is gone".into(),
            noticed: "went-back".into(),
            known_epoch: Some(Uuid::from_u128(0x4001)),
            epoch: Uuid::from_u128(0x4001),
            next_epoch: Uuid::from_u128(0x4002),
            lost: vec![LostTail {
                organization: OrganizationId(Uuid::from_u128(0x4003)),
                known_position: 12,
                known_exchange: 30,
                position: 10,
                exchange: 27,
            }],
        })),
        DomainEvent::Deployment(DeploymentEvent::ClockCorrected(ClockCorrected {
            because: "the host came back from sleep a day ahead".into(),
            was: end,
        })),
        DomainEvent::Organization(OrganizationEvent::TimesBounded { until: end }),
        DomainEvent::User(UserEvent::Erased { because: "asked for it under article 17".into() }),
        DomainEvent::User(UserEvent::Held { because: "a court wants to know".into() }),
        DomainEvent::User(UserEvent::Released { because: "the court has ended".into() }),
    ])
    .chain(of_consumers().into_iter().map(DomainEvent::Consumer))
    .chain([DomainEvent::Lost(RecordLost {
        because: "the disk is gone, and there is no backup".into(),
        accepted_at: instant(7),
        was: "missing".into(),
    })])
    .collect()
}

fn of_consumers() -> Vec<ConsumerEvent> {
    let credential = CredentialId(Uuid::from_u128(0x2012));
    let sealed = SealedKey {
        algorithm: "aes-256-gcm".into(),
        sealed_with: "0123456789abcdef".into(),
        nonce: "AAAAAAAAAAAAAAAA".into(),
        ciphertext: "c2VhbGVk".into(),
    };
    vec![
        ConsumerEvent::Created {
            name: "doors".into(),
            way: Way::Webhook { url: "https://doors.example.com/rollcall".into(), start: 17 },
            types: TypeFilter::new(["group.*".to_owned(), "user.deactivated".to_owned()])
                .expect("types"),
            payload: Payload::Notice,
            groups: GroupFilter::default(),
        },
        ConsumerEvent::KeyIssued(CredentialIssued {
            credential,
            purpose: Purpose::Feed,
            proof: Proof::Token { sha256: "88".repeat(32) },
            label: "doors".into(),
            expires_at: None,
        }),
        ConsumerEvent::KeyRetiring { credential, until: instant(86_400) },
        ConsumerEvent::KeyRevoked(CredentialRevoked { credential }),
        ConsumerEvent::SecretIssued { number: 1, sealed },
        ConsumerEvent::SecretRetiring { number: 1, until: instant(86_400) },
        ConsumerEvent::Paused {},
        ConsumerEvent::Resumed {},
        ConsumerEvent::Stopped { reason: Stopped::Gone },
        ConsumerEvent::DeliveryHandled { position: 17, part: 1, because: "told by phone".into() },
        ConsumerEvent::Removed { name: "doors".into() },
    ]
}

/// Each way, each reason and each payload is a word that is kept.
#[test]
fn words_of_consumers_are_frozen() {
    let (url, audience) = ("https://x.example/".to_owned(), "https://x.example".to_owned());
    let ways = [
        Way::Pull,
        Way::Webhook { url: url.clone(), start: 0 },
        Way::SetPoll { audience: audience.clone(), start: 0 },
        Way::SetPush { url, audience, start: 0 },
    ];
    let reasons = [Stopped::Gone, Stopped::Unreachable];
    let groups = GroupFilter::new([ResourceId(Uuid::from_u128(1))]).expect("one group");
    insta::with_settings!({ snapshot_path => "../exchanges", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("consumer-words", json!({ "groups": groups, "ways": ways, "reasons": reasons, "payloads": Payload::ALL }));
    });
}

/// Each way to prove to be the holder of a credential, in the order of their declaration.
fn proofs() -> Vec<Proof> {
    vec![
        Proof::Token { sha256: "44".repeat(32) },
        Proof::ClientSecret { sha256: "44".repeat(32) },
        Proof::PrivateKeyJwt { keys: KeySource::Url("https://client.example.com/keys".into()) },
        Proof::Federated {
            issuer: "https://login.microsoftonline.com/8f0f0c5c-0000-4000-8000-000000000001/v2.0"
                .into(),
            tenant: "8f0f0c5c-0000-4000-8000-000000000001".into(),
            subject: "8f0f0c5c-0000-4000-8000-000000000002".into(),
            audiences: vec![
                "api://8f0f0c5c-0000-4000-8000-000000000003".into(),
                "8f0f0c5c-0000-4000-8000-000000000003".into(),
            ],
            authorized_party: Some("cb1d50fe-8ed0-4944-9e7d-5981aad3bc4b".into()),
        },
    ]
}

/// An event of each is a golden file; what stands in it for the other kinds of proof is one too.
#[test]
fn proofs_are_frozen() {
    let given = Proof::PrivateKeyJwt { keys: KeySource::Document("{\"keys\":[]}".into()) };
    let all: Vec<Proof> = proofs().into_iter().chain([given]).collect();
    insta::with_settings!({ snapshot_path => "../exchanges", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("credential-proofs", all);
    });
    let read: Vec<Proof> = serde_json::from_value(json!(all)).expect("what was written is read");
    assert_eq!(read, all);
}

fn parts(event: &DomainEvent) -> (AggregateKind, &'static str, &'static str, Value) {
    match event {
        DomainEvent::User(e) => {
            (AggregateKind::User, e.kind().as_str(), e.kind().version(), json!(e))
        }
        DomainEvent::Group(e) => {
            (AggregateKind::Group, e.kind().as_str(), e.kind().version(), json!(e))
        }
        DomainEvent::Organization(e) => {
            (AggregateKind::Organization, e.kind().as_str(), e.kind().version(), json!(e))
        }
        DomainEvent::Deployment(e) => {
            (AggregateKind::Deployment, e.kind().as_str(), e.kind().version(), json!(e))
        }
        DomainEvent::Lost(e) => {
            (AggregateKind::User, RECORD_LOST, RECORD_LOST_VERSION, json!({ RECORD_LOST: e }))
        }
        DomainEvent::Consumer(e) => {
            (AggregateKind::Consumer, e.kind().as_str(), e.kind().version(), json!(e))
        }
    }
}

#[test]
fn payloads_are_frozen() {
    for event in samples() {
        let (_, name, version, payload) = parts(&event);
        insta::with_settings!({ snapshot_path => "../events", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(format!("{name}-{version}"), payload);
        });
    }
}

/// What is declared is sampled, and so has a golden file.
#[test]
fn no_event_is_without_a_sample() {
    let declared: BTreeSet<&str> = UserEventKind::ALL
        .iter()
        .map(|kind| kind.as_str())
        .chain(GroupEventKind::ALL.iter().map(|kind| kind.as_str()))
        .chain(OrganizationEventKind::ALL.iter().map(|kind| kind.as_str()))
        .chain(DeploymentEventKind::ALL.iter().map(|kind| kind.as_str()))
        .chain(ConsumerEventKind::ALL.iter().map(|kind| kind.as_str()))
        .chain([RECORD_LOST])
        .collect();
    let sampled: BTreeSet<&str> = samples().iter().map(|event| parts(event).1).collect();
    assert_eq!(declared, sampled);
}

/// Lists a file among those that tests look at, as insta does: no sample is of a version of before.
fn looked_at(path: &Path) {
    use std::io::Write as _;
    let Some(list) = std::env::var_os("INSTA_SNAPSHOT_REFERENCES_FILE") else { return };
    let list = std::fs::OpenOptions::new().create(true).append(true).open(list);
    writeln!(list.expect("the list"), "{}", path.display()).expect("a line in the list");
}

#[test]
fn every_payload_ever_written_can_be_read() {
    let kinds = |name: &str| {
        samples().iter().map(parts).find(|(_, n, _, _)| *n == name).map(|(kind, ..)| kind)
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut read = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the golden files are there") {
        let path = entry.expect("a file").path();
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("a name").to_owned();
        let (name, version) = stem.rsplit_once('-').expect("Name-version.snap");
        looked_at(&path);
        let text = std::fs::read_to_string(&path).expect("readable");
        let payload =
            text.splitn(3, "---\n").nth(2).expect("a header and a payload").trim().to_owned();
        let record = Record {
            position: 1,
            stream: StreamId {
                organization: OrganizationId::NONE,
                kind: kinds(name).unwrap_or_else(|| {
                    panic!("{name} is not among the samples: an event was removed")
                }),
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
