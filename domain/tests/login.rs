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
    Attempt, Candidate, Identifier, Initiator, MatchedBy, NotAdmitted, ObjectId, choose, drift,
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

    const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

    fn id(n: u128) -> ResourceId {
        ResourceId(Uuid::from_u128(n))
    }

    fn name_claim() -> Identifier {
        Identifier::Claim(attribute_names::NAME.to_owned())
    }

    fn said_opaquely(format: &str, claims: &[(&str, &str)]) -> Assertion {
        let mut said = assertion("ada@x.example", None, claims);
        said.name_id.format = Some(format.to_owned());
        said
    }

    /// One line for each way to be somebody, or not to be.
    #[test]
    fn one_identifier_decides_and_is_compared_exactly() {
        use Identifier::{NameId, ObjectId};
        use MatchedBy::{ExternalId, UserName};
        let ada = json!({ "userName": "ada@x.example", "externalId": OID });
        let nickname = json!({ "userName": "ada@x.example", "externalId": "ada" });
        let admin = json!({ "userName": "admin@x.example", "externalId": OTHER_OID });
        let odd = json!({ "userName": "a", "externalId": "s-one" });
        let empty = json!({ "userName": "ada@x.example", "externalId": "" });
        let upper = OID.to_uppercase();
        type Line<'a> = (
            &'a str,
            Vec<Identifier>,
            Assertion,
            Vec<&'a Value>,
            Result<(usize, MatchedBy), NotAdmitted>,
        );
        let nobody = || Err(NotAdmitted::Unknown);
        let claims_admin = [(attribute_names::NAME, "admin@x.example")];
        let lines: Vec<Line<'_>> = vec![
            (
                "Entra's default",
                vec![NameId],
                assertion("ada@x.example", Some(OID), &[]),
                vec![&nickname],
                Ok((0, UserName)),
            ),
            (
                "case of A to Z",
                vec![NameId],
                assertion("ADA@X.example", Some(OID), &[]),
                vec![&nickname],
                Ok((0, UserName)),
            ),
            (
                "an object id in capitals",
                vec![ObjectId],
                assertion("x", Some(&upper), &[]),
                vec![&ada],
                Ok((0, ExternalId)),
            ),
            (
                "renamed in Entra",
                vec![ObjectId],
                assertion("ada.moor@x.example", Some(OID), &[]),
                vec![&ada],
                Ok((0, ExternalId)),
            ),
            (
                "renamed, by name",
                vec![NameId],
                assertion("ada.moor@x.example", Some(OID), &[]),
                vec![&ada],
                nobody(),
            ),
            (
                "a claim, where it is listed",
                vec![name_claim()],
                assertion("pairwise", None, &[(attribute_names::NAME, "Ada@x.example")]),
                vec![&nickname],
                Ok((0, UserName)),
            ),
            (
                "an alternative, in order",
                vec![ObjectId, NameId],
                assertion("ada@x.example", Some(OID), &[]),
                vec![&nickname],
                Ok((0, UserName)),
            ),
            (
                "the first that finds somebody",
                vec![ObjectId, NameId],
                assertion("admin@x.example", Some(OID), &[]),
                vec![&ada, &admin],
                Ok((0, ExternalId)),
            ),
            (
                "an admin's name in a claim that is not listed",
                vec![NameId],
                assertion("eve@x.example", None, &claims_admin),
                vec![&admin],
                nobody(),
            ),
            (
                "an admin's name in a claim, by object id",
                vec![ObjectId],
                assertion("eve@x.example", Some(OID), &claims_admin),
                vec![&admin],
                nobody(),
            ),
            (
                "a mail address",
                vec![NameId],
                assertion("pairwise", None, &[(attribute_names::EMAIL_ADDRESS, "ada@x.example")]),
                vec![&ada],
                nobody(),
            ),
            (
                "full-width letters",
                vec![NameId],
                assertion("\u{ff41}da@x.example", None, &[]),
                vec![&ada],
                nobody(),
            ),
            (
                "the Kelvin sign for a k",
                vec![NameId],
                assertion("\u{212a}im@x.example", None, &[]),
                vec![],
                nobody(),
            ),
            (
                "a blank at the end",
                vec![NameId],
                assertion("ada@x.example ", None, &[]),
                vec![&ada],
                nobody(),
            ),
            (
                "an unseen mark",
                vec![NameId],
                assertion("ada@x.example\u{200b}", None, &[]),
                vec![&ada],
                nobody(),
            ),
            (
                "a composed accent",
                vec![NameId],
                assertion("ad\u{e1}@x.example", None, &[]),
                vec![],
                nobody(),
            ),
            (
                "a guest, by name",
                vec![NameId],
                assertion("ada#EXT#@x.example", None, &[]),
                vec![&ada],
                Err(NotAdmitted::Guest),
            ),
            (
                "a guest, by object id",
                vec![ObjectId],
                assertion("ada_y.example#EXT#@x.example", Some(OID), &[]),
                vec![&ada],
                Ok((0, ExternalId)),
            ),
            (
                "a transient NameID",
                vec![NameId],
                said_opaquely(TRANSIENT, &[]),
                vec![&ada],
                Err(NotAdmitted::OpaqueNameId),
            ),
            (
                "a persistent NameID",
                vec![NameId],
                said_opaquely(PERSISTENT, &[]),
                vec![&ada],
                Err(NotAdmitted::OpaqueNameId),
            ),
            (
                "an opaque NameID beside a listed claim",
                vec![NameId, name_claim()],
                said_opaquely(TRANSIENT, &[(attribute_names::NAME, "ada@x.example")]),
                vec![&ada],
                Ok((0, UserName)),
            ),
            (
                "no object id where that decides",
                vec![ObjectId],
                assertion("ada@x.example", None, &[]),
                vec![&ada],
                Err(NotAdmitted::NoIdentifier),
            ),
            (
                "an empty object id",
                vec![ObjectId],
                assertion("ada@x.example", Some(""), &[]),
                vec![&empty],
                Err(NotAdmitted::NoIdentifier),
            ),
            (
                "no claim where that decides",
                vec![name_claim()],
                assertion("ada@x.example", Some(OID), &[]),
                vec![&ada],
                Err(NotAdmitted::NoIdentifier),
            ),
            (
                "two of one object id",
                vec![ObjectId],
                assertion("a", Some(OID), &[]),
                vec![&ada, &ada],
                Err(NotAdmitted::Ambiguous),
            ),
            (
                "an externalId that differs in case",
                vec![ObjectId],
                assertion("a", Some("S-ONE"), &[]),
                vec![&odd],
                nobody(),
            ),
        ];
        for (line, identifiers, said, users, expected) in lines {
            let users: Vec<Attributes> = users.iter().map(|u| attributes((*u).clone())).collect();
            let candidates: Vec<_> = users
                .iter()
                .enumerate()
                .map(|(i, attributes)| Candidate { id: id(i as u128), attributes })
                .collect();
            let expected = expected.map(|(i, by)| (id(i as u128), by));
            assert_eq!(choose(&identifiers, &said, &candidates), expected, "{line}");
        }
    }

    #[test]
    fn an_identifier_is_read_as_it_is_written() {
        for text in ["name-id", "object-id", "claim:http://x.example/name"] {
            let read = Identifier::parse(text).unwrap();
            assert_eq!(read.to_string(), text);
            assert_eq!(serde_json::from_value::<Identifier>(json!(text)).unwrap(), read);
        }
        let long = format!("claim:{}", "x".repeat(301));
        for text in ["", "Name-Id", "user-name", "claim:", "claim:a b", "claim:\u{e4}", &long] {
            assert!(Identifier::parse(text).is_err(), "{text}");
            assert!(serde_json::from_value::<Identifier>(json!(text)).is_err(), "{text}");
        }
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
        let body = resource(&[Identifier::NameId], &said).unwrap();
        assert_eq!(body["userName"], "ada@x.example");
        assert_eq!(body["externalId"], OID);
        assert_eq!(body["name"], json!({ "givenName": "Ada" }));
        assert_eq!(
            body["emails"],
            json!([{ "type": "work", "value": "a@x.example", "primary": true }])
        );
        let mut opaque = assertion("pairwise", Some(OID), &[]);
        opaque.name_id.format = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient".into());
        assert!(resource(&[Identifier::ObjectId], &opaque).is_none());
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

    pub fn sign_in(n: u128, assertion: Assertion) -> SignIn {
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
        SignIn { session, identifiers: vec![Identifier::NameId], assertion, attempt }
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
        assert_eq!(decide(&User::Deleted { is_held: false }, other), Err(UserError::NotFound));
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

mod persons {
    use super::*;

    const ISSUER: &str = "https://sts.windows.net/t/";
    const NEXT_ISSUER: &str = "https://sts.windows.net/next/";

    /// Ada as Entra's default mapping has her.
    fn ada(external_id: &str) -> UserEvent {
        let said =
            json!({ "userName": "ada@x.example", "externalId": external_id, "active": true });
        UserEvent::Created { attributes: attributes(said).into() }
    }

    fn said(oid: Option<&str>) -> Assertion {
        assertion("ada@x.example", oid, &[])
    }

    fn command(assertion: Assertion) -> UserCommand {
        UserCommand::SignIn(Box::new(sessions::sign_in(7, assertion)))
    }

    /// Runs commands; gives the names of the events of the last one, and why a login was refused.
    fn after(first: Vec<UserEvent>, commands: Vec<UserCommand>) -> (Vec<&'static str>, String) {
        let (mut user, mut last) = (User::default(), vec![]);
        first.into_iter().for_each(|event| user.apply(event));
        for command in commands {
            last = rollcall_domain::user::decide(&user, command, &context()).unwrap().events;
            last.iter().for_each(|event| user.apply(event.clone()));
        }
        let why = last.iter().find_map(|event| match event {
            UserEvent::LoginRefused(refused) => Some(refused.reason.clone()),
            _ => None,
        });
        (last.iter().map(|e| e.kind().as_str()).collect(), why.unwrap_or_default())
    }

    fn repin(known: Option<&str>, reason: &str) -> UserCommand {
        let known = known.map(|id| ObjectId::new(ISSUER, id).unwrap());
        UserCommand::Repin { known, reason: reason.to_owned() }
    }

    const REFUSED: &[&str] = &["UserLoginRefused"];
    const PINNED: &[&str] = &["UserObjectIdPinned", "UserSignedIn"];
    const SIGNED_IN: &[&str] = &["UserSignedIn"];

    #[test]
    fn whoever_inherits_a_name_does_not_become_their_predecessor() {
        let of_next = |mut said: Assertion| {
            NEXT_ISSUER.clone_into(&mut said.issuer);
            said
        };
        let pinned = || command(said(Some(OID)));
        /// What it is, the external id, what happens, and what it comes to.
        type Line<'a> = (&'a str, &'a str, Vec<UserCommand>, &'a [&'a str], &'a str);
        let lines: Vec<Line<'_>> = vec![
            ("a first login", "ada", vec![pinned()], PINNED, ""),
            (
                "a second",
                "ada",
                vec![pinned(), command(said(Some(&OID.to_uppercase())))],
                SIGNED_IN,
                "",
            ),
            (
                "their successor",
                "ada",
                vec![pinned(), command(said(Some(OTHER_OID)))],
                REFUSED,
                "other-person",
            ),
            (
                "somebody who says no object id",
                "ada",
                vec![pinned(), command(said(None))],
                REFUSED,
                "object-id-missing",
            ),
            (
                "nobody ever said one",
                "ada",
                vec![command(said(None)), command(said(None))],
                SIGNED_IN,
                "",
            ),
            (
                "SCIM says another one",
                OID,
                vec![command(said(Some(OTHER_OID)))],
                REFUSED,
                "other-person",
            ),
            ("SCIM says the same", OID, vec![pinned()], PINNED, ""),
            (
                "the admin gave it to the successor",
                "ada",
                vec![pinned(), repin(Some(OTHER_OID), "moved"), command(said(Some(OTHER_OID)))],
                SIGNED_IN,
                "",
            ),
            (
                "and the predecessor is out",
                "ada",
                vec![pinned(), repin(Some(OTHER_OID), "moved"), pinned()],
                REFUSED,
                "other-person",
            ),
            (
                "the admin released it",
                "ada",
                vec![pinned(), repin(None, "moved"), command(said(Some(OTHER_OID)))],
                PINNED,
                "",
            ),
            (
                "the admin knows better than SCIM",
                OID,
                vec![repin(Some(OTHER_OID), "moved"), command(said(Some(OTHER_OID)))],
                SIGNED_IN,
                "",
            ),
            (
                "another identity provider",
                "ada",
                vec![pinned(), command(of_next(said(Some(OTHER_OID))))],
                &["UserObjectIdReleased", "UserObjectIdPinned", "UserSignedIn"],
                "",
            ),
        ];
        for (line, external_id, commands, events, why) in lines {
            let (did, told) = after(vec![ada(external_id)], commands);
            assert_eq!((&did[..], told.as_str()), (events, why), "{line}");
        }
    }

    #[test]
    fn logins_of_before_there_were_pins_count_as_one() {
        let session = |assertion: Assertion| {
            UserEvent::SignedIn(Box::new(rollcall_domain::user::SignedIn {
                session: SessionId(Uuid::from_u128(1)),
                token_sha256: "33".repeat(32),
                began_at: now(),
                expires_at: now() + TimeDelta::hours(1),
                matched_by: MatchedBy::UserName,
                attempt: sessions::sign_in(1, assertion).attempt,
                drift: vec![],
            }))
        };
        let before = |oids: &[Option<&str>]| {
            let logins = oids.iter().map(|oid| session(said(*oid)));
            std::iter::once(ada("ada")).chain(logins).collect::<Vec<_>>()
        };
        let now_as = |oid| vec![command(said(oid))];
        assert_eq!(after(before(&[Some(OID)]), now_as(Some(OTHER_OID))).1, "other-person");
        assert_eq!(after(before(&[Some(OID)]), now_as(Some(OID))).0, PINNED);
        // The last one counts: whoever was let in yesterday is today.
        assert_eq!(
            after(before(&[Some(OID), Some(OTHER_OID), None]), now_as(Some(OTHER_OID))).0,
            PINNED
        );
        assert_eq!(after(before(&[None]), now_as(Some(OID))).0, PINNED);
    }

    #[test]
    fn a_person_who_is_another_one_now_has_a_reason_and_no_session_of_before() {
        let pinned = || command(said(Some(OID)));
        let (did, _) = after(vec![ada("ada")], vec![pinned(), repin(Some(OTHER_OID), "moved")]);
        assert_eq!(did, ["UserObjectIdReleased", "UserObjectIdPinned", "UserSessionEnded"]);
        let (did, _) = after(vec![ada("ada")], vec![pinned(), repin(Some(OID), "again")]);
        assert_eq!(did, [""; 0]);
        let user = User::default();
        for reason in ["", "  ", "a\nb", &"x".repeat(501)] {
            let mut user = user.clone();
            user.apply(ada("ada"));
            let refused = rollcall_domain::user::decide(&user, repin(None, reason), &context());
            assert_eq!(refused.err(), Some(UserError::InvalidReason), "{reason:?}");
        }
    }

    #[test]
    fn an_object_id_is_one_users_until_it_is_released_or_they_are_gone() {
        let kinds = |events: &[UserEvent]| {
            let claims = claims(ResourceId(Uuid::nil()), events);
            let held = |list: Vec<rollcall_domain::claim::ClearClaim>| {
                list.into_iter().filter(|c| c.kind == ClaimKind::ObjectId).count()
            };
            (held(claims.release), held(claims.take))
        };
        let mut user = User::default();
        user.apply(ada("ada"));
        let mut run = |command| {
            let events = rollcall_domain::user::decide(&user, command, &context()).unwrap().events;
            events.iter().for_each(|event| user.apply(event.clone()));
            kinds(&events)
        };
        assert_eq!(run(command(said(Some(OID)))), (0, 1));
        assert_eq!(run(repin(Some(OTHER_OID), "moved")), (1, 1));
        assert_eq!(run(UserCommand::Delete), (1, 0));
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
            Ok(vec![
                "SamlPolicyChanged",
                "SamlConfigured",
                "SamlCertificateTrusted",
                "SamlEnabled"
            ])
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
        let claims = (0..5).map(|n| Identifier::Claim(n.to_string())).collect::<Vec<_>>();
        for bad in [vec![], vec![Identifier::NameId, Identifier::NameId], claims] {
            assert_eq!(
                policy(&|p| p.identifiers.clone_from(&bad)),
                Err(OrganizationError::InvalidIdentifiers)
            );
        }
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
