//! Who may be erased, and who is held: every history against every command.

use chrono::DateTime;
use cqrs_es::Aggregate as _;
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::organization::{
    self, Organization, OrganizationCommand, OrganizationError, OrganizationEvent,
    OrganizationEventKind,
};
use rollcall_domain::user::{User, UserCommand, UserError, UserEvent, UserEventKind, decide};
use serde_json::json;

/// What happened, in letters: created, deleted, held, released, erased.
fn after(history: &str) -> User {
    let because = || "asked for".to_owned();
    let mut user = User::default();
    for letter in history.chars() {
        user.apply(match letter {
            'c' => UserEvent::Created {
                attributes: json!({"userName": "ada", "active": true})
                    .as_object()
                    .unwrap()
                    .clone()
                    .into(),
            },
            'd' => UserEvent::Deleted { user_name: "ada".to_owned().into() },
            'h' => UserEvent::Held { because: because() },
            'r' => UserEvent::Released { because: because() },
            'e' => UserEvent::Erased { because: because() },
            other => panic!("{other}"),
        });
    }
    user
}

fn decided(history: &str, command: UserCommand) -> Result<Vec<UserEventKind>, UserError> {
    let context = Context::new(DateTime::UNIX_EPOCH, Actor::Operator, None);
    let events = decide(&after(history), command, &context)?.events;
    Ok(events.iter().map(UserEvent::kind).collect())
}

#[test]
fn a_hold_refuses_an_erasure_and_nothing_else() {
    use UserEventKind::{Deleted, Erased, Held, Released};
    let because = || "asked for".to_owned();
    let erase = || UserCommand::Erase { because: because() };
    let hold = || UserCommand::Hold { because: because() };
    let release = || UserCommand::Release { because: because() };
    let gone = || Err(UserError::NotFound);
    // To erase, to hold, to release, to delete.
    for (history, erasing, holding, releasing, deleting) in [
        ("", gone(), gone(), gone(), gone()),
        ("c", Err(UserError::AlreadyExists), Ok(vec![Held]), Ok(vec![]), Ok(vec![Deleted])),
        ("ch", Err(UserError::AlreadyExists), Ok(vec![]), Ok(vec![Released]), Ok(vec![Deleted])),
        ("chr", Err(UserError::AlreadyExists), Ok(vec![Held]), Ok(vec![]), Ok(vec![Deleted])),
        ("cd", Ok(vec![Erased]), Ok(vec![Held]), Ok(vec![]), gone()),
        ("chd", Err(UserError::Held), Ok(vec![]), Ok(vec![Released]), gone()),
        ("cdh", Err(UserError::Held), Ok(vec![]), Ok(vec![Released]), gone()),
        ("chrd", Ok(vec![Erased]), Ok(vec![Held]), Ok(vec![]), gone()),
        ("chdr", Ok(vec![Erased]), Ok(vec![Held]), Ok(vec![]), gone()),
        ("cdhrh", Err(UserError::Held), Ok(vec![]), Ok(vec![Released]), gone()),
        ("cde", Ok(vec![]), Err(UserError::Erased), Err(UserError::Erased), gone()),
        ("chdre", Ok(vec![]), Err(UserError::Erased), Err(UserError::Erased), gone()),
    ] {
        assert_eq!(decided(history, erase()), erasing, "{history}: erase");
        assert_eq!(decided(history, hold()), holding, "{history}: hold");
        assert_eq!(decided(history, release()), releasing, "{history}: release");
        assert_eq!(decided(history, UserCommand::Delete), deleting, "{history}: delete");
    }
}

#[test]
fn an_organization_that_is_erased_stays_off() {
    use OrganizationEventKind::{Disabled, Enabled, Erased};
    let erase = || OrganizationCommand::Erase { because: "the contract ended".to_owned() };
    let mut organization = Organization::default();
    let context = Context::new(DateTime::UNIX_EPOCH, Actor::Operator, None);
    let mut then = |command: OrganizationCommand| {
        let events = organization::decide(&organization, command, &context)?.events;
        events.iter().for_each(|event| organization.apply(event.clone()));
        Ok::<_, OrganizationError>(events.iter().map(OrganizationEvent::kind).collect::<Vec<_>>())
    };
    assert_eq!(then(erase()), Err(OrganizationError::NotFound));
    let (name, domain) = ("Acme".to_owned(), "acme".to_owned());
    assert!(then(OrganizationCommand::Create { name, domain }).is_ok());
    assert_eq!(then(OrganizationCommand::Disable), Ok(vec![Disabled]));
    assert_eq!(then(OrganizationCommand::Enable), Ok(vec![Enabled]));
    assert_eq!(then(erase()), Ok(vec![Disabled, Erased]));
    assert_eq!(then(erase()), Ok(vec![]));
    assert_eq!(then(OrganizationCommand::Enable), Err(OrganizationError::Erased));
    assert_eq!(then(OrganizationCommand::Disable), Ok(vec![]));
}
