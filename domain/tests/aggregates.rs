//! Given events, when a command, then events: users, groups and organizations.

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::Aggregate as _;
use cqrs_es::test::TestFramework;
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::credential::{
    CredentialCommand, CredentialError, CredentialIssued, CredentialRevoked, CredentialSecretAdded,
    CredentialSecretRetired, Proof, Purpose,
};
use rollcall_domain::group::{Group, GroupCommand, GroupError, GroupEvent, required};
use rollcall_domain::ids::{CredentialId, ResourceId, TokenId};
use rollcall_domain::interpretation::{Notes, Reading};
use rollcall_domain::organization::{
    Organization, OrganizationCommand, OrganizationError, OrganizationEvent,
};
use rollcall_domain::run::{Noticed, Pulse};
use rollcall_domain::scim::{Attributes, Limits, ResourceKind, ScimType, decode_patch};
use rollcall_domain::user::{Change, User, UserCommand, UserError, UserEvent, decide};
use serde_json::{Value, json};
use uuid::Uuid;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn context() -> Context {
    Context::new(now(), Actor::Operator, None)
}

fn attributes(value: Value) -> Attributes {
    value.as_object().unwrap().clone()
}

fn id(n: u128) -> ResourceId {
    ResourceId(Uuid::from_u128(n))
}

fn patch(kind: ResourceKind, operations: Value) -> Vec<rollcall_domain::scim::Intent> {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    decode_patch(kind, &body, &Limits::default(), &mut Notes::default()).unwrap()
}

fn ada() -> UserEvent {
    UserEvent::Created {
        attributes: attributes(json!({ "userName": "ada@x.example", "displayName": "Ada", "active": true, "title": "Guard" })).into(),
    }
}

fn change(attribute: &str, before: Value, after: Value) -> Change {
    let some = |v: Value| (!v.is_null()).then(|| v.into());
    Change { attribute: attribute.into(), before: some(before), after: some(after) }
}

mod user {
    use super::*;

    fn given(events: Vec<UserEvent>) -> cqrs_es::test::AggregateTestExecutor<User> {
        TestFramework::with(context()).given(events)
    }

    #[test]
    fn a_new_user_is_active_unless_it_says_otherwise() {
        let create = |body| UserCommand::Create { attributes: attributes(body) };
        let created = |body| vec![UserEvent::Created { attributes: attributes(body).into() }];
        given(vec![])
            .when(create(json!({ "userName": "a" })))
            .then_expect_events(created(json!({ "userName": "a", "active": true })));
        given(vec![])
            .when(create(json!({ "userName": "a", "active": false })))
            .then_expect_events(created(json!({ "userName": "a", "active": false })));
    }

    #[test]
    fn a_patch_tells_renames_changes_and_switches_apart() {
        let intents = patch(
            ResourceKind::User,
            json!([
                { "op": "Replace", "path": "userName", "value": "ada.moor@x.example" },
                { "op": "Replace", "path": "active", "value": "False" },
                { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Security" },
                { "op": "Remove", "path": "title" },
            ]),
        );
        given(vec![ada()]).when(UserCommand::Change { intents }).then_expect_events(vec![
            UserEvent::Renamed {
                before: "ada@x.example".to_owned().into(),
                after: "ada.moor@x.example".to_owned().into(),
            },
            UserEvent::Changed {
                changes: vec![
                    change("title", json!("Guard"), Value::Null),
                    change(
                        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                        Value::Null,
                        json!("Security"),
                    ),
                ],
            },
            UserEvent::Deactivated {},
        ]);
    }

    #[test]
    fn what_is_true_already_makes_no_event() {
        let intents = patch(
            ResourceKind::User,
            json!([{ "op": "Replace", "path": "active", "value": "True" }, { "op": "Replace", "value": { "displayName": "Ada" } }]),
        );
        given(vec![ada()]).when(UserCommand::Change { intents }).then_expect_events(vec![]);
    }

    #[test]
    fn a_put_without_active_does_not_open_a_door() {
        let replace =
            UserCommand::Replace { attributes: attributes(json!({ "userName": "ada@x.example" })) };
        given(vec![ada(), UserEvent::Deactivated {}]).when(replace).then_expect_events(vec![
            UserEvent::Changed {
                changes: vec![
                    change("displayName", json!("Ada"), Value::Null),
                    change("title", json!("Guard"), Value::Null),
                ],
            },
        ]);
    }

    #[test]
    fn who_is_gone_stays_gone() {
        let gone = UserEvent::Deleted { user_name: "ada@x.example".to_owned().into() };
        given(vec![ada()]).when(UserCommand::Delete).then_expect_events(vec![gone.clone()]);
        given(vec![ada(), gone.clone()])
            .when(UserCommand::Delete)
            .then_expect_error(UserError::NotFound);
        let again = UserCommand::Create { attributes: attributes(json!({ "userName": "b" })) };
        given(vec![ada(), gone]).when(again).then_expect_error(UserError::AlreadyExists);
    }

    #[test]
    fn a_patch_that_fails_half_way_changes_nothing() {
        let intents = patch(
            ResourceKind::User,
            json!([{ "op": "replace", "path": "displayName", "value": "X" }, { "op": "replace", "path": "active", "value": "perhaps" }]),
        );
        let result = given(vec![ada()]).when(UserCommand::Change { intents }).inspect_result();
        let Err(UserError::Scim(error)) = result else { panic!("{result:?}") };
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    }

    #[test]
    fn liberties_that_show_only_at_the_state_are_noted() {
        let intents = patch(
            ResourceKind::User,
            json!([{ "op": "Add", "path": "emails[type eq \"work\"].value", "value": "a@x" }]),
        );
        let mut user = User::default();
        user.apply(ada());
        let decision = decide(&user, UserCommand::Change { intents }, &context()).unwrap();
        assert!(decision.notes.list().iter().any(|i| i.reading == Reading::ValuePathCreated));
    }
}

mod group {
    use super::*;

    fn guards(members: &[u128]) -> Vec<GroupEvent> {
        let mut events = vec![GroupEvent::Created {
            attributes: attributes(json!({ "displayName": "Guards" })),
        }];
        if !members.is_empty() {
            events.push(GroupEvent::MembersAdded {
                members: members.iter().map(|n| id(*n)).collect(),
            });
        }
        events
    }

    fn check(members: &[u128], operations: Value, expected: Vec<GroupEvent>) {
        let command = GroupCommand::Change { intents: patch(ResourceKind::Group, operations) };
        TestFramework::<Group>::with(context())
            .given(guards(members))
            .when(command)
            .then_expect_events(expected);
    }

    fn value(ids: &[u128]) -> Value {
        ids.iter().map(|n| json!({ "value": id(*n).to_string() })).collect()
    }

    #[test]
    fn only_those_who_join_and_leave_are_told() {
        let added = |ids: &[u128]| GroupEvent::MembersAdded {
            members: ids.iter().map(|n| id(*n)).collect(),
        };
        let removed = |ids: &[u128]| GroupEvent::MembersRemoved {
            members: ids.iter().map(|n| id(*n)).collect(),
        };
        check(
            &[1],
            json!([{ "op": "Add", "path": "members", "value": value(&[2, 1, 3]) }]),
            vec![added(&[2, 3])],
        );
        check(&[1], json!([{ "op": "Add", "path": "members", "value": value(&[1]) }]), vec![]);
        check(
            &[1, 2],
            json!([{ "op": "Remove", "path": "members", "value": value(&[2, 9]) }]),
            vec![removed(&[2])],
        );
        check(
            &[1, 2],
            json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", id(1)) }]),
            vec![removed(&[1])],
        );
        check(&[1, 2], json!([{ "op": "remove", "path": "members" }]), vec![removed(&[1, 2])]);
        check(
            &[1, 2],
            json!([{ "op": "replace", "path": "members", "value": value(&[2, 3]) }]),
            vec![removed(&[1]), added(&[3])],
        );
        let back_and_forth = json!([
            { "op": "add", "path": "members", "value": value(&[5]) },
            { "op": "remove", "path": "members", "value": value(&[5, 1]) },
            { "op": "add", "path": "members", "value": value(&[1]) },
        ]);
        check(&[1], back_and_forth, vec![]);
    }

    #[test]
    fn a_put_without_members_keeps_them() {
        let replace = |members| GroupCommand::Replace {
            attributes: attributes(json!({ "displayName": "Doors" })),
            members,
        };
        let renamed = GroupEvent::Renamed { before: "Guards".into(), after: "Doors".into() };
        let given = || TestFramework::<Group>::with(context()).given(guards(&[1]));
        given().when(replace(None)).then_expect_events(vec![renamed.clone()]);
        given()
            .when(replace(Some(vec![])))
            .then_expect_events(vec![renamed, GroupEvent::MembersRemoved { members: vec![id(1)] }]);
    }

    #[test]
    fn everybody_named_must_exist_also_who_is_a_member_already() {
        let intents = patch(
            ResourceKind::Group,
            json!([{ "op": "add", "path": "members", "value": value(&[1, 2]) }]),
        );
        let command = GroupCommand::Change { intents };
        assert_eq!(required(id(7), &command).unwrap(), [id(1), id(2)]);
        assert_eq!(required(id(2), &command).unwrap_err(), GroupError::OwnMember(id(2)));
    }
}

mod organization {
    use super::*;

    fn token(n: u128) -> TokenId {
        TokenId(Uuid::from_u128(n))
    }

    fn issue(n: u128, expires_at: Option<DateTime<Utc>>) -> OrganizationCommand {
        OrganizationCommand::Credential(CredentialCommand::Issue(credential(
            n,
            Purpose::Scim,
            "",
            expires_at,
        )))
    }

    fn issued(n: u128, expires_at: Option<DateTime<Utc>>) -> OrganizationEvent {
        OrganizationEvent::CredentialIssued(credential(n, Purpose::Scim, "", expires_at))
    }

    fn credential(
        n: u128,
        purpose: Purpose,
        label: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> CredentialIssued {
        let (credential, proof) =
            (CredentialId(Uuid::from_u128(n)), Proof::Token { sha256: format!("{n}") });
        CredentialIssued { credential, purpose, proof, label: label.into(), expires_at }
    }

    fn revoke(n: u128, purpose: Purpose) -> OrganizationCommand {
        OrganizationCommand::Credential(CredentialCommand::Revoke {
            credential: CredentialId(Uuid::from_u128(n)),
            purpose,
        })
    }

    fn refused(why: CredentialError) -> OrganizationError {
        OrganizationError::Credential(why)
    }

    fn created() -> OrganizationEvent {
        OrganizationEvent::Created { name: "Example".into(), domain: "example".into() }
    }

    fn given(events: Vec<OrganizationEvent>) -> cqrs_es::test::AggregateTestExecutor<Organization> {
        TestFramework::with(context()).given(events)
    }

    #[test]
    fn a_domain_is_a_slug() {
        for bad in ["", "Example", "-a", "a-", "a.b", "a b", &"x".repeat(64)] {
            let create = OrganizationCommand::Create { name: "Example".into(), domain: bad.into() };
            given(vec![]).when(create).then_expect_error(OrganizationError::InvalidDomain);
        }
        let create =
            OrganizationCommand::Create { name: "Example".into(), domain: "example".into() };
        given(vec![]).when(create).then_expect_events(vec![created()]);
    }

    #[test]
    fn the_first_token_enables_scim_a_later_one_does_not() {
        given(vec![created()])
            .when(issue(1, None))
            .then_expect_events(vec![OrganizationEvent::ScimEnabled {}, issued(1, None)]);
        given(vec![created(), OrganizationEvent::ScimDisabled {}])
            .when(issue(1, None))
            .then_expect_events(vec![issued(1, None)]);
    }

    #[test]
    fn two_tokens_live_at_once_and_no_third() {
        let past = Some(now() - TimeDelta::seconds(1));
        let two =
            || vec![created(), OrganizationEvent::ScimEnabled {}, issued(1, None), issued(2, None)];
        given(two())
            .when(issue(3, None))
            .then_expect_error(refused(CredentialError::TooManyTokens));
        let one_revoked =
            [two(), vec![OrganizationEvent::ScimTokenRevoked { token: token(1) }]].concat();
        given(one_revoked).when(issue(3, None)).then_expect_events(vec![issued(3, None)]);
        let one_expired =
            vec![created(), OrganizationEvent::ScimEnabled {}, issued(1, past), issued(2, None)];
        given(one_expired).when(issue(3, None)).then_expect_events(vec![issued(3, None)]);
        given(vec![created()])
            .when(issue(1, past))
            .then_expect_error(refused(CredentialError::ExpiryPassed(Purpose::Scim)));
    }

    #[test]
    fn a_switch_that_stands_right_makes_no_event() {
        given(vec![created()]).when(OrganizationCommand::Enable).then_expect_events(vec![]);
        given(vec![created()])
            .when(OrganizationCommand::Disable)
            .then_expect_events(vec![OrganizationEvent::Disabled {}]);
        given(vec![created()])
            .when(revoke(9, Purpose::Scim))
            .then_expect_error(refused(CredentialError::Unknown(Purpose::Scim)));
    }

    /// Tokens and auditors' keys of before there were credentials count, and are revoked, like the
    /// others.
    #[test]
    fn what_was_issued_before_there_were_credentials_is_a_credential() {
        let old = |n| OrganizationEvent::ScimTokenIssued {
            token: token(n),
            sha256: format!("{n}"),
            label: String::new(),
            expires_at: None,
        };
        given(vec![created(), old(1), issued(2, None)])
            .when(issue(3, None))
            .then_expect_error(refused(CredentialError::TooManyTokens));
        let revoked = OrganizationEvent::CredentialRevoked(CredentialRevoked {
            credential: CredentialId(Uuid::from_u128(1)),
        });
        given(vec![created(), old(1)])
            .when(revoke(1, Purpose::Scim))
            .then_expect_events(vec![revoked]);
        given(vec![created(), old(1)])
            .when(revoke(1, Purpose::Audit))
            .then_expect_error(refused(CredentialError::Unknown(Purpose::Audit)));
        let again = [
            vec![created(), old(1)],
            vec![OrganizationEvent::ScimTokenRevoked { token: token(1) }],
        ]
        .concat();
        given(again).when(revoke(1, Purpose::Scim)).then_expect_events(vec![]);
    }

    #[test]
    fn a_key_says_whom_it_is_for_and_a_purpose_has_so_many() {
        let issue = |n, purpose, label: &str| {
            OrganizationCommand::Credential(CredentialCommand::Issue(credential(
                n, purpose, label, None,
            )))
        };
        for purpose in [Purpose::Audit, Purpose::Administration, Purpose::Operation] {
            for bad in ["", "  ", "a\nb", &"x".repeat(201)] {
                given(vec![created()])
                    .when(issue(1, purpose, bad))
                    .then_expect_error(refused(CredentialError::InvalidLabel(purpose)));
            }
            let many = (1..=purpose.most_live() as u128)
                .map(|n| OrganizationEvent::CredentialIssued(credential(n, purpose, "a", None)));
            let events: Vec<_> = std::iter::once(created()).chain(many).collect();
            given(events.clone())
                .when(issue(999, purpose, "a"))
                .then_expect_error(refused(CredentialError::TooMany(purpose)));
            given(events)
                .when(issue(1, purpose, "a"))
                .then_expect_error(refused(CredentialError::Exists));
        }
    }

    /// A secret that is retired or over is refused; one beside it is not.
    #[test]
    fn a_client_with_secrets_lives_as_long_as_one_of_them() {
        let id = CredentialId(Uuid::from_u128(1));
        let proof = Proof::ClientSecret { sha256: "a".into() };
        let end = Some(now() + TimeDelta::days(1));
        let issued = CredentialIssued {
            credential: id,
            purpose: Purpose::Scim,
            proof,
            label: "Entra".into(),
            expires_at: end,
        };
        let mut organization = Organization::default();
        let mut live = |event, at: DateTime<Utc>| {
            organization.apply(event);
            let Organization::Present(settings) = &organization else { return false };
            settings.credentials.get(id).is_some_and(|known| known.is_live(at))
        };
        assert!(!live(created(), now()));
        assert!(live(OrganizationEvent::CredentialIssued(issued), now()));
        let later = now() + TimeDelta::days(2);
        let added = CredentialSecretAdded { credential: id, sha256: "b".into(), expires_at: None };
        assert!(live(OrganizationEvent::CredentialSecretAdded(added), later));
        let retired = CredentialSecretRetired { credential: id, sha256: "b".into() };
        assert!(!live(OrganizationEvent::CredentialSecretRetired(retired), later));
        assert!(!live(
            OrganizationEvent::CredentialRevoked(CredentialRevoked { credential: id }),
            now()
        ));
    }

    #[test]
    fn silence_is_kept_once_and_ends_with_a_cycle() {
        let noticed = |state, minutes| Noticed {
            state,
            last_cycle_at: now() + TimeDelta::minutes(minutes),
            usual_seconds: 2_400,
        };
        let note = |state, minutes| OrganizationCommand::NoteRhythm(noticed(state, minutes));
        let changed =
            |state, minutes| OrganizationEvent::ProvisioningRhythmChanged(noticed(state, minutes));
        given(vec![created()]).when(note(Pulse::Regular, 0)).then_expect_events(vec![]);
        given(vec![created()])
            .when(note(Pulse::Silent, 0))
            .then_expect_events(vec![changed(Pulse::Silent, 0)]);
        let silent = || given(vec![created(), changed(Pulse::Silent, 0)]);
        silent().when(note(Pulse::Silent, 0)).then_expect_events(vec![]);
        silent().when(note(Pulse::Stretched, 0)).then_expect_events(vec![]);
        silent()
            .when(note(Pulse::Regular, 400))
            .then_expect_events(vec![changed(Pulse::Regular, 400)]);
        given(vec![]).when(note(Pulse::Silent, 0)).then_expect_error(OrganizationError::NotFound);
    }
}
