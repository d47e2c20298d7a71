//! The life of a SCIM client's credential, as the organization decides it: secrets, audiences,
//! warnings, ends.

use chrono::{DateTime, Duration, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::credential::{
    CredentialCommand, CredentialError, CredentialIssued, Proof, Purpose, federation,
};
use rollcall_domain::ids::CredentialId;
use rollcall_domain::organization::{
    Organization, OrganizationCommand, OrganizationError, OrganizationEvent, decide,
};
use uuid::Uuid;

const HASH: &str = "44";

fn begin() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn hash(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

/// An organization with a clock.
struct Story(Organization);

impl Story {
    fn new() -> Self {
        let mut story = Story(Organization::default());
        let (name, domain) = ("Acme".to_owned(), "acme".to_owned());
        story.does(begin(), OrganizationCommand::Create { name, domain }).unwrap();
        story
    }

    fn does(
        &mut self,
        now: DateTime<Utc>,
        command: OrganizationCommand,
    ) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        use cqrs_es::Aggregate as _;
        let context = Context::new(now, Actor::Operator, None);
        let events = decide(&self.0, command, &context)?.events;
        events.iter().cloned().for_each(|event| self.0.apply(event));
        Ok(events)
    }

    fn told(&mut self, now: DateTime<Utc>, command: CredentialCommand) -> Vec<&'static str> {
        let events = self.does(now, OrganizationCommand::Credential(command)).unwrap();
        events.iter().map(|event| event.kind().as_str()).collect()
    }

    fn refused(&mut self, now: DateTime<Utc>, command: CredentialCommand) -> CredentialError {
        match self.does(now, OrganizationCommand::Credential(command)) {
            Err(OrganizationError::Credential(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn id(n: u128) -> CredentialId {
    CredentialId(Uuid::from_u128(n))
}

fn issue(n: u128, proof: Proof, expires_at: Option<DateTime<Utc>>) -> CredentialCommand {
    CredentialCommand::Issue(CredentialIssued {
        credential: id(n),
        purpose: Purpose::Scim,
        proof,
        label: "Entra".to_owned(),
        expires_at,
    })
}

fn secret(n: u8) -> Proof {
    Proof::ClientSecret { sha256: hash(n) }
}

fn trust() -> Proof {
    let [tenant, subject, application] = [1, 2, 3].map(Uuid::from_u128);
    federation::trust("https://login.example", tenant, subject, application, "x.example", None)
}

#[test]
fn a_secret_is_rotated_and_the_older_retired() {
    let mut story = Story::new();
    let end = begin() + Duration::days(365);
    let told = story.told(begin(), issue(1, secret(1), Some(end)));
    assert_eq!(told, ["ScimEnabled", "CredentialIssued"]);
    let retire = || CredentialCommand::RetireSecret { credential: id(1) };
    let add = |n| CredentialCommand::AddSecret {
        credential: id(1),
        sha256: hash(n),
        expires_at: Some(end),
    };
    assert_eq!(story.refused(begin(), retire()), CredentialError::OnlySecret);
    assert_eq!(story.told(begin(), add(2)), ["CredentialSecretAdded"]);
    assert_eq!(story.refused(begin(), add(3)), CredentialError::TooManySecrets);
    assert_eq!(story.told(begin(), retire()), ["CredentialSecretRetired"]);
    assert_eq!(story.refused(begin(), retire()), CredentialError::OnlySecret);
    assert_eq!(story.told(begin(), add(3)), ["CredentialSecretAdded"]);
    let used = || CredentialCommand::NoteUse { credential: id(1) };
    assert_eq!(story.told(begin(), used()), ["CredentialFirstUsed"]);
    assert!(story.told(begin(), used()).is_empty());
    let revoke = || CredentialCommand::Revoke { credential: id(1), purpose: Purpose::Scim };
    assert_eq!(story.told(begin(), revoke()), ["CredentialRevoked"]);
    assert!(story.told(begin(), revoke()).is_empty());
    assert_eq!(story.refused(begin(), add(4)), CredentialError::Revoked);
}

#[test]
fn a_secret_ends_after_a_day_to_three_years() {
    let mut story = Story::new();
    for (end, error) in [
        (None, CredentialError::SecretLife),
        (Some(begin() + Duration::hours(23)), CredentialError::SecretLife),
        (Some(begin() + Duration::days(1_100)), CredentialError::SecretLife),
        (Some(begin()), CredentialError::ExpiryPassed(Purpose::Scim)),
    ] {
        assert_eq!(story.refused(begin(), issue(1, secret(1), end)), error, "{end:?}");
    }
    for (n, days) in [(1, 1), (2, 365), (3, 3 * 365 + 1)] {
        story.told(begin(), issue(n, secret(1), Some(begin() + Duration::days(days))));
    }
}

/// Looked at once a day until both are over: each threshold is told once, of each secret.
#[test]
fn the_ends_are_told_once_each() {
    let mut story = Story::new();
    let (one, two) = (begin() + Duration::days(90), begin() + Duration::days(120));
    story.told(begin(), issue(1, secret(1), Some(one)));
    story.told(begin(), issue(2, Proof::Token { sha256: HASH.repeat(32) }, None));
    let add =
        CredentialCommand::AddSecret { credential: id(1), sha256: hash(2), expires_at: Some(two) };
    story.told(begin(), add);
    let mut told: Vec<(i64, &str)> = Vec::new();
    for day in 0..130 {
        let now = begin() + Duration::days(day);
        told.extend(story.told(now, CredentialCommand::NoteEnds).into_iter().map(|e| (day, e)));
        assert!(story.told(now, CredentialCommand::NoteEnds).is_empty(), "day {day}");
    }
    let warned = "CredentialExpiring";
    assert_eq!(
        told,
        [
            (30, warned),
            (60, warned),
            (60, warned),
            (83, warned),
            (90, warned),
            (113, warned),
            (120, "CredentialEnded")
        ]
    );
}

#[test]
fn an_audience_is_trusted_once_and_of_those_alone_who_have_audiences() {
    let mut story = Story::new();
    story.told(begin(), issue(1, trust(), None));
    story.told(begin(), issue(2, secret(1), Some(begin() + Duration::days(30))));
    let more = |n, audience: &str| CredentialCommand::TrustAudience {
        credential: id(n),
        audience: audience.to_owned(),
    };
    assert_eq!(story.told(begin(), more(1, "api://x")), ["CredentialProofChanged"]);
    assert!(story.told(begin(), more(1, "api://x")).is_empty());
    assert_eq!(story.refused(begin(), more(2, "api://x")), CredentialError::OtherProof);
    for bad in ["", "a b", "a\n", &"x".repeat(501)] {
        let refused = story.refused(begin(), more(1, bad));
        assert!(matches!(refused, CredentialError::InvalidProof(_)), "{bad:?}: {refused:?}");
    }
    for n in 0..6 {
        story.told(begin(), more(1, &format!("api://{n}")));
    }
    assert_eq!(story.refused(begin(), more(1, "api://7")), CredentialError::TooManyAudiences);
    let nobody = more(9, "api://x");
    assert_eq!(story.refused(begin(), nobody), CredentialError::Unknown(Purpose::Scim));
}
