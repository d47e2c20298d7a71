//! Given events, when somebody signs in, then events: who it is, what a session lives through, what
//! an organization trusts.

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::Aggregate as _;
use cqrs_es::test::TestFramework;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::context::Context;
use rollcall_domain::ids::{ResourceId, SamlKeyId, SessionId};
use rollcall_domain::login::{
    Attempt, Candidate, Initiator, MatchedBy, Matching, NotAdmitted, Person, choose, drift,
    resource,
};
use rollcall_domain::organization::{
    Organization, OrganizationCommand, OrganizationError, OrganizationEvent, SamlCommand, SamlKey,
    SamlPolicy, SealedKey, SpCertificate,
};
use rollcall_domain::saml::{
    Assertion, IdpCertificate, IdpSettings, NameId, SignedParts, attribute_names,
};
use rollcall_domain::scim::Attributes;
use rollcall_domain::user::{
    NewSession, SessionEnd, SignIn, User, UserCommand, UserError, UserEvent, claims,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

const OID: &str = "8f0f0c5c-1111-4000-8000-000000000001";
const OTHER_OID: &str = "8f0f0c5c-1111-4000-8000-000000000002";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn context() -> Context {
    Context::new(now(), Actor::System, None)
}

fn attributes(value: Value) -> Attributes {
    value.as_object().unwrap().clone()
}

fn assertion(name_id: &str, oid: Option<&str>, claims: &[(&str, &str)]) -> Assertion {
    Assertion {
        id: "_a".into(),
        issuer: "https://sts.windows.net/t/".into(),
        name_id: NameId {
            value: name_id.to_owned().into(),
            format: None,
            name_qualifier: None,
            sp_name_qualifier: None,
        },
        issued_at: now(),
        not_on_or_after: now() + TimeDelta::minutes(5),
        authn_instant: now(),
        authn_context: None,
        session_index: Some("_s".into()),
        session_not_on_or_after: None,
        in_response_to: Some("_r".into()),
        tenant_id: None,
        object_identifier: oid.map(|o| o.to_owned().into()),
        attributes: claims
            .iter()
            .map(|(n, v)| ((*n).to_owned(), vec![(*v).to_owned()]))
            .collect::<BTreeMap<_, _>>()
            .into(),
        certificate_sha256: "11".repeat(32),
        signed: SignedParts::Assertion,
        encrypted: false,
    }
}

mod matching {
    use super::*;

    fn id(n: u128) -> ResourceId {
        ResourceId(Uuid::from_u128(n))
    }

    fn check(
        rule: Matching,
        assertion: &Assertion,
        users: &[Value],
        expected: Result<(usize, MatchedBy), NotAdmitted>,
    ) {
        let users: Vec<Attributes> = users.iter().map(|u| attributes(u.clone())).collect();
        let candidates: Vec<_> = users
            .iter()
            .enumerate()
            .map(|(i, attributes)| Candidate { id: id(i as u128), attributes })
            .collect();
        let expected = expected.map(|(i, by)| (id(i as u128), by));
        assert_eq!(choose(rule, &Person::of(assertion), &candidates), expected);
    }

    #[test]
    fn the_object_id_comes_first_and_then_the_name_without_regard_to_case() {
        let rule = Matching::ObjectIdThenUserName;
        let ada = json!({ "userName": "ada@x.example", "externalId": OID });
        let renamed = assertion("ada.moor@x.example", Some(&OID.to_uppercase()), &[]);
        check(rule, &renamed, std::slice::from_ref(&ada), Ok((0, MatchedBy::ExternalId)));
        let nickname = json!({ "userName": "ada@x.example", "externalId": "ada" });
        check(
            rule,
            &assertion("ADA@X.example", Some(OID), &[]),
            std::slice::from_ref(&nickname),
            Ok((0, MatchedBy::UserName)),
        );
        let by_claim = assertion("pairwise", None, &[(attribute_names::NAME, "Ada@x.example")]);
        check(rule, &by_claim, &[nickname], Ok((0, MatchedBy::UserName)));
        check(
            rule,
            &assertion("eve@x.example", Some(OTHER_OID), &[]),
            &[ada],
            Err(NotAdmitted::Unknown),
        );
    }

    #[test]
    fn a_name_given_to_another_person_opens_no_door() {
        let ada = json!({ "userName": "ada@x.example", "externalId": OID });
        check(
            Matching::ObjectIdThenUserName,
            &assertion("ada@x.example", Some(OTHER_OID), &[]),
            std::slice::from_ref(&ada),
            Err(NotAdmitted::OtherPerson),
        );
        check(
            Matching::UserName,
            &assertion("ada@x.example", Some(OTHER_OID), &[]),
            &[ada],
            Ok((0, MatchedBy::UserName)),
        );
    }

    #[test]
    fn a_rule_uses_nothing_but_what_it_names() {
        let ada = [json!({ "userName": "ada@x.example" })];
        check(
            Matching::ObjectId,
            &assertion("ada@x.example", Some(OID), &[]),
            &ada,
            Err(NotAdmitted::Unknown),
        );
        let mail =
            assertion("pairwise", None, &[(attribute_names::EMAIL_ADDRESS, "ada@x.example")]);
        check(Matching::ObjectIdThenUserName, &mail, &ada, Err(NotAdmitted::Unknown));
        let mut persistent = assertion("ada@x.example", None, &[]);
        persistent.name_id.format =
            Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".into());
        check(Matching::UserName, &persistent, &ada, Err(NotAdmitted::Unknown));
    }

    #[test]
    fn doubt_is_refused() {
        let two = [
            json!({ "userName": "a", "externalId": OID }),
            json!({ "userName": "b", "externalId": OID }),
        ];
        check(
            Matching::ObjectIdThenUserName,
            &assertion("a", Some(OID), &[]),
            &two,
            Err(NotAdmitted::Ambiguous),
        );
        let names = [json!({ "userName": "a" }), json!({ "userName": "b" })];
        let both = assertion("a", None, &[(attribute_names::NAME, "b")]);
        check(Matching::UserName, &both, &names, Err(NotAdmitted::Ambiguous));
    }

    #[test]
    fn guests_are_found_as_scim_has_them_or_refused_as_guests() {
        let guest = assertion("bob_fabrikam.com#EXT#@x.example", None, &[]);
        let stripped = [json!({ "userName": "bob_fabrikam.com@x.example" })];
        check(Matching::ObjectIdThenUserName, &guest, &stripped, Ok((0, MatchedBy::UserName)));
        check(
            Matching::ObjectIdThenUserName,
            &guest,
            &[json!({ "userName": "bob@fabrikam.com" })],
            Err(NotAdmitted::Guest),
        );
    }

    #[test]
    fn a_user_made_of_an_assertion_is_what_scim_would_send() {
        let said = assertion(
            "ada@x.example",
            Some(OID),
            &[
                (attribute_names::GIVEN_NAME, "Ada"),
                (attribute_names::EMAIL_ADDRESS, "a@x.example"),
            ],
        );
        let body = resource(&said).unwrap();
        assert_eq!(body["userName"], "ada@x.example");
        assert_eq!(body["externalId"], OID);
        assert_eq!(body["name"], json!({ "givenName": "Ada" }));
        assert_eq!(
            body["emails"],
            json!([{ "type": "work", "value": "a@x.example", "primary": true }])
        );
        let mut opaque = assertion("pairwise", Some(OID), &[]);
        opaque.name_id.format = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient".into());
        assert!(resource(&opaque).is_none());
    }

    #[test]
    fn drift_names_what_differs_and_only_what_both_say() {
        let scim = attributes(
            json!({ "userName": "ada@x.example", "displayName": "Ada", "externalId": OID, "emails": [{ "value": "A@x.example" }] }),
        );
        let said = assertion(
            "ADA@x.example",
            Some(OTHER_OID),
            &[
                (attribute_names::DISPLAY_NAME, "Ada K."),
                (attribute_names::EMAIL_ADDRESS, "a@x.example"),
                (attribute_names::SURNAME, "K."),
            ],
        );
        let found: Vec<String> = drift(&scim, &said).into_iter().map(|d| d.attribute).collect();
        assert_eq!(found, ["externalId", "displayName"], "{found:?}");
    }
}

mod sessions {
    use super::*;

    fn ada(active: bool) -> UserEvent {
        UserEvent::Created {
            attributes: attributes(json!({ "userName": "ada@x.example", "active": active })).into(),
        }
    }

    fn sign_in(n: u128, assertion: Assertion) -> SignIn {
        let attempt = Attempt {
            message_sha256: "22".repeat(32),
            initiated_by: Some(Initiator::ServiceProvider),
            request: assertion.in_response_to.clone(),
            source: None,
            asserted: Some((&assertion).into()),
        };
        let session = NewSession {
            id: session(n),
            token_sha256: "33".repeat(32),
            expires_at: now() + TimeDelta::hours(1),
        };
        SignIn { session, rule: Matching::default(), assertion, attempt }
    }

    fn session(n: u128) -> SessionId {
        SessionId(Uuid::from_u128(n))
    }

    fn decide(user: &User, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        rollcall_domain::user::decide(user, command, &context()).map(|decision| decision.events)
    }

    fn given(events: Vec<UserEvent>) -> User {
        let mut user = User::default();
        events.into_iter().for_each(|event| user.apply(event));
        user
    }

    #[test]
    fn an_accepted_login_begins_a_session_and_uses_up_what_it_came_with() {
        let user = given(vec![ada(true)]);
        let events = decide(
            &user,
            UserCommand::SignIn(Box::new(sign_in(1, assertion("ada@x.example", None, &[])))),
        )
        .unwrap();
        assert_eq!(events[0].kind().as_str(), "UserSignedIn");
        let taken: Vec<ClaimKind> =
            claims(ResourceId(Uuid::nil()), &events).take.into_iter().map(|c| c.kind).collect();
        assert_eq!(taken, [ClaimKind::Assertion, ClaimKind::SamlRequest]);
        assert!(given([vec![ada(true)], events].concat()).has_session(session(1), now()));
    }

    #[test]
    fn somebody_switched_off_is_refused_by_an_event_and_ends_all_sessions() {
        let command =
            || UserCommand::SignIn(Box::new(sign_in(1, assertion("ada@x.example", None, &[]))));
        let refused = decide(&given(vec![ada(false)]), command()).unwrap();
        assert!(
            matches!(&refused[..], [UserEvent::LoginRefused(r)] if r.reason == "inactive-user")
        );
        let signed_in = decide(&given(vec![ada(true)]), command()).unwrap();
        let off = given([vec![ada(true)], signed_in, vec![UserEvent::Deactivated {}]].concat());
        assert!(!off.has_session(session(1), now()));
        assert_eq!(
            decide(
                &off,
                UserCommand::EndSession { session: session(1), end: SessionEnd::Operator }
            ),
            Ok(vec![])
        );
    }

    #[test]
    fn a_login_does_not_touch_the_resource() {
        let signed_in = decide(
            &given(vec![ada(true)]),
            UserCommand::SignIn(Box::new(sign_in(1, assertion("ada@x.example", None, &[])))),
        )
        .unwrap();
        assert!(signed_in.iter().all(|e| !e.changes_resource()));
        assert!(ada(true).changes_resource());
    }

    #[test]
    fn an_assertion_about_somebody_else_is_not_decided_here() {
        let other =
            UserCommand::SignIn(Box::new(sign_in(1, assertion("eve@x.example", None, &[]))));
        assert_eq!(decide(&given(vec![ada(true)]), other.clone()), Err(UserError::NotRecognized));
        assert_eq!(decide(&User::Deleted, other), Err(UserError::NotFound));
    }

    #[test]
    fn somebody_new_comes_to_be_and_signs_in_at_once() {
        let command = UserCommand::Provision {
            attributes: attributes(json!({ "userName": "ada@x.example" })),
            sign_in: Box::new(sign_in(1, assertion("ada@x.example", None, &[]))),
        };
        // What comes to be is active unless it says otherwise, and so is let in.
        let kinds: Vec<&str> =
            decide(&User::Absent, command).unwrap().iter().map(|e| e.kind().as_str()).collect();
        assert_eq!(kinds, ["UserCreated", "UserSignedIn"]);
    }

    #[test]
    fn sessions_that_ran_out_are_forgotten_when_another_begins() {
        let mut first = sign_in(1, assertion("ada@x.example", None, &[]));
        first.session.expires_at = now();
        let events = decide(&given(vec![ada(true)]), UserCommand::SignIn(Box::new(first))).unwrap();
        let user = given([vec![ada(true)], events].concat());
        let events = decide(
            &user,
            UserCommand::SignIn(Box::new(sign_in(2, assertion("ada@x.example", None, &[])))),
        )
        .unwrap();
        let mut user = user;
        events.into_iter().for_each(|e| user.apply(e));
        assert_eq!(user.sessions().map(|(id, _)| id).collect::<Vec<_>>(), [session(2)]);
    }
}

mod connection {
    use super::*;

    fn certificate(n: u8, days: i64) -> IdpCertificate {
        let der = "AAAA".to_owned();
        let subject = "CN=IdP".to_owned();
        IdpCertificate {
            sha256: format!("{n:02x}").repeat(32),
            der,
            subject,
            not_before: now(),
            not_after: now() + TimeDelta::days(days),
        }
    }

    fn idp(certificates: Vec<IdpCertificate>) -> IdpSettings {
        IdpSettings {
            entity_id: "https://sts.windows.net/t/".into(),
            sso_redirect_url: "https://login.example/saml2".into(),
            slo_redirect_url: None,
            slo_response_url: None,
            signing_certificates: certificates,
            valid_until: None,
        }
    }

    fn key(n: u128) -> SamlKey {
        let certificate = SpCertificate {
            sha256: format!("{n:064x}"),
            der: "BBBB".into(),
            not_before: now(),
            not_after: now() + TimeDelta::days(900),
        };
        let sealed = SealedKey {
            algorithm: "x".into(),
            sealed_with: "x".into(),
            nonce: "x".into(),
            ciphertext: "x".into(),
        };
        SamlKey { id: SamlKeyId(Uuid::from_u128(n)), certificate, sealed }
    }

    /// Runs commands one after another; gives the names of the events of the last one.
    fn after(commands: Vec<SamlCommand>) -> Result<Vec<&'static str>, OrganizationError> {
        let mut organization = Organization::default();
        organization
            .apply(OrganizationEvent::Created { name: "Example".into(), domain: "example".into() });
        let mut last = Ok(vec![]);
        for command in commands {
            last = rollcall_domain::organization::decide(
                &organization,
                OrganizationCommand::Saml(command),
                &context(),
            )
            .map(|d| d.events);
            last.iter().flatten().for_each(|e| organization.apply(e.clone()));
        }
        last.map(|events| events.iter().map(|e| e.kind().as_str()).collect())
    }

    fn configure(certificates: Vec<IdpCertificate>) -> SamlCommand {
        SamlCommand::Configure {
            metadata_url: Some("https://login.example/m".into()),
            idp: idp(certificates),
        }
    }

    #[test]
    fn every_change_of_trust_is_an_event() {
        let first = || configure(vec![certificate(1, 900)]);
        assert_eq!(
            after(vec![first()]),
            Ok(vec!["SamlConfigured", "SamlCertificateTrusted", "SamlEnabled"])
        );
        assert_eq!(after(vec![first(), first()]), Ok(vec![]));
        let next = SamlCommand::Refresh { idp: idp(vec![certificate(2, 900)]) };
        assert_eq!(
            after(vec![first(), next]),
            Ok(vec!["SamlCertificateTrusted", "SamlCertificateDropped"])
        );
        let mut other = idp(vec![certificate(1, 900)]);
        other.entity_id = "https://sts.windows.net/other/".into();
        assert_eq!(
            after(vec![first(), SamlCommand::Refresh { idp: other }]),
            Err(OrganizationError::OtherIdentityProvider)
        );
        assert_eq!(after(vec![configure(vec![])]), Err(OrganizationError::NoCertificate));
    }

    #[test]
    fn keys_rotate_with_overlap() {
        let generate = || SamlCommand::GenerateKey { key: key(1) };
        let rotate = |n| SamlCommand::RotateKey { key: key(n) };
        let retire = |n| SamlCommand::RetireKey { key: SamlKeyId(Uuid::from_u128(n)) };
        assert_eq!(after(vec![rotate(2)]), Err(OrganizationError::UnknownKey));
        assert_eq!(after(vec![generate(), generate()]), Err(OrganizationError::KeyExists));
        assert_eq!(
            after(vec![generate(), rotate(2), rotate(3)]),
            Err(OrganizationError::TooManyKeys)
        );
        assert_eq!(
            after(vec![generate(), rotate(2), retire(2)]),
            Err(OrganizationError::CurrentKey)
        );
        assert_eq!(after(vec![generate(), rotate(2), retire(1)]), Ok(vec!["SamlKeyRetired"]));
        assert_eq!(
            after(vec![generate(), rotate(2), retire(1), rotate(3)]),
            Ok(vec!["SamlKeyGenerated"])
        );
    }

    #[test]
    fn the_end_of_a_certificate_is_told_once_for_each_threshold() {
        let warn = || SamlCommand::WarnOfCertificates;
        assert_eq!(after(vec![configure(vec![certificate(1, 61)]), warn()]), Ok(vec![]));
        assert_eq!(
            after(vec![configure(vec![certificate(1, 20)]), warn()]),
            Ok(vec!["SamlCertificateExpiring"])
        );
        assert_eq!(after(vec![configure(vec![certificate(1, 20)]), warn(), warn()]), Ok(vec![]));
        assert_eq!(
            after(vec![configure(vec![certificate(1, -1)]), warn()]),
            Ok(vec!["SamlCertificateExpiring"])
        );
    }

    #[test]
    fn a_policy_that_cannot_work_is_refused() {
        let policy = |change: &dyn Fn(&mut SamlPolicy)| {
            let mut policy = SamlPolicy::default();
            change(&mut policy);
            after(vec![SamlCommand::ChangePolicy { policy }])
        };
        assert_eq!(policy(&|_| {}), Ok(vec![]));
        assert_eq!(
            policy(&|p| p.session_minutes = 0),
            Err(OrganizationError::InvalidSessionMinutes)
        );
        assert_eq!(policy(&|p| p.sign_requests = true), Err(OrganizationError::UnknownKey));
        for bad in [
            "https://app.example",
            "javascript:alert(1)//",
            "/door",
            "https:///x",
            "https://a@b/",
            "https://app.example/a/../b",
        ] {
            assert_eq!(
                policy(&|p| p.targets = vec![bad.into()]),
                Err(OrganizationError::InvalidTarget),
                "{bad}"
            );
        }
        assert_eq!(
            policy(&|p| p.targets = vec!["https://app.example/".into()]),
            Ok(vec!["SamlPolicyChanged"])
        );
    }

    #[test]
    fn a_target_is_allowed_only_below_what_is_named() {
        let policy = SamlPolicy {
            targets: vec!["https://app.example/doors/".into(), "https://app.example/one".into()],
            ..SamlPolicy::default()
        };
        for good in [
            "https://app.example/doors/",
            "https://app.example/doors/7?x=1#y",
            "https://app.example/one",
        ] {
            assert!(policy.allows_target(good), "{good}");
        }
        for bad in [
            "https://app.example/",
            "https://app.example/one/more",
            "https://app.example/doors/../admin",
            "https://app.example/doors/%2e%2e/admin",
            "https://app.example/doors/\\evil",
            "https://app.example/doors/ x",
            "https://app.example.evil/doors/",
            "//app.example/doors/",
            "HTTPS://app.example/doors/",
            "https://app.example/doors/\r\nSet-Cookie: x",
            "",
        ] {
            assert!(!policy.allows_target(bad), "{bad}");
        }
    }

    #[test]
    fn the_framework_agrees() {
        let created =
            OrganizationEvent::Created { name: "Example".into(), domain: "example".into() };
        TestFramework::<Organization>::with(context())
            .given(vec![created])
            .when(OrganizationCommand::Saml(SamlCommand::Enable))
            .then_expect_error(OrganizationError::SamlNotConfigured);
    }
}
