//! Consumers: what may be asked of them, and what it comes to.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::consumer::{
    Consumer, ConsumerCommand, ConsumerError, ConsumerEvent, ConsumerState, GroupFilter,
    NewConsumer, NewWay, Payload, Renewal, Stopped, claims, decide,
};
use rollcall_domain::context::Context;
use rollcall_domain::credential::{CredentialIssued, Proof, Purpose};
use rollcall_domain::ids::CredentialId;
use rollcall_domain::organization::SealedKey;
use rollcall_domain::public_type::TypeFilter;
use uuid::Uuid;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
}

fn key(n: u128) -> CredentialIssued {
    CredentialIssued {
        credential: CredentialId(Uuid::from_u128(n)),
        purpose: Purpose::Feed,
        proof: Proof::Token { sha256: format!("{n:064x}") },
        label: "doors".into(),
        expires_at: None,
    }
}

fn secret(n: u128) -> SealedKey {
    SealedKey {
        algorithm: "aes-256-gcm".into(),
        sealed_with: "0123456789abcdef".into(),
        nonce: format!("{n}"),
        ciphertext: "c2VhbGVk".into(),
    }
}

fn create(name: &str, way: NewWay) -> ConsumerCommand {
    ConsumerCommand::Create(NewConsumer {
        name: name.into(),
        types: TypeFilter::default(),
        payload: Payload::Full,
        groups: GroupFilter::default(),
        way,
    })
}

fn webhook(n: u128) -> NewWay {
    NewWay::Webhook { url: "https://x.example/".into(), start: 7, secret: secret(n) }
}

/// Each way, and whether it asks with a key.
fn ways() -> Vec<(NewWay, bool)> {
    let (url, audience, start) = ("https://x.example/", "https://x.example", 7);
    let (url, audience) = (url.to_owned(), audience.to_owned());
    vec![
        (NewWay::Pull(key(1)), true),
        (webhook(1), false),
        (
            NewWay::SetPoll { audience: audience.clone(), start, key: key(1), secret: secret(1) },
            true,
        ),
        (NewWay::SetPush { url, audience, start, secret: secret(1) }, false),
    ]
}

/// Runs a command in which everything is as in a store: events are written and read again.
fn run(
    consumer: &mut Consumer,
    command: ConsumerCommand,
    minute: i64,
) -> Result<Vec<ConsumerEvent>, ConsumerError> {
    let context = Context::new(at(minute), Actor::Operator, None);
    let decided = decide(consumer, command.clone(), &context)?;
    assert_eq!(decide(consumer, command, &context).unwrap(), decided, "it is decided anew");
    for event in &decided.events {
        let text = serde_json::to_string(event).unwrap();
        let read: ConsumerEvent = serde_json::from_str(&text).unwrap();
        assert_eq!(&read, event);
        cqrs_es::Aggregate::apply(consumer, read);
    }
    let state = serde_json::to_string(consumer).unwrap();
    assert_eq!(&serde_json::from_str::<Consumer>(&state).unwrap(), consumer, "a snapshot of it");
    Ok(decided.events)
}

fn keys(consumer: &Consumer) -> Vec<u128> {
    match consumer {
        Consumer::Present(following) => following.keys.iter().map(|k| k.0.as_u128()).collect(),
        Consumer::Absent | Consumer::Removed => Vec::new(),
    }
}

#[test]
fn a_name_stands_in_an_address_and_is_told_from_an_id() {
    let id = Uuid::from_u128(1).to_string();
    let long = "x".repeat(101);
    for name in ["", " ", "a b", "a/b", "ä", ".", "..", "a\n", &*id, &*id.replace('-', ""), &long]
    {
        let refused = run(&mut Consumer::default(), create(name, NewWay::Pull(key(1))), 0);
        assert_eq!(refused, Err(ConsumerError::InvalidName), "{name:?}");
    }
    for name in ["a", "Doors-2.eu_west", &"x".repeat(100)] {
        let events = run(&mut Consumer::default(), create(name, NewWay::Pull(key(1))), 0).unwrap();
        let taken = claims(&events).take;
        assert_eq!(taken.len(), 1);
        assert_eq!(
            (taken[0].kind, &taken[0].value),
            (ClaimKind::ConsumerName, &name.to_lowercase())
        );
    }
}

#[test]
fn two_keys_hold_at_once_and_the_oldest_goes() {
    let mut consumer = Consumer::default();
    run(&mut consumer, create("doors", NewWay::Pull(key(1))), 0).unwrap();
    let rotate = |n, until| ConsumerCommand::Rotate(Renewal::Key(key(n), at(until)));
    run(&mut consumer, rotate(2, 60), 1).unwrap();
    assert_eq!(keys(&consumer), [1, 2]);
    let events = run(&mut consumer, rotate(3, 60), 2).unwrap();
    assert_eq!(keys(&consumer), [2, 3]);
    assert!(matches!(
        &events[..],
        [
            ConsumerEvent::KeyRevoked(_),
            ConsumerEvent::KeyRetiring { .. },
            ConsumerEvent::KeyIssued(_)
        ]
    ));
    assert_eq!(run(&mut consumer, rotate(4, 2), 2), Err(ConsumerError::OverlapPassed));
    assert!(run(&mut consumer, rotate(3, 60), 2).is_err(), "an id is given out once");
    let secret = ConsumerCommand::Rotate(Renewal::Secret(secret(1), at(60)));
    assert_eq!(run(&mut consumer, secret, 2), Err(ConsumerError::OtherWay("secret")));
    assert_eq!(
        run(&mut consumer, ConsumerCommand::Stop(Stopped::Gone), 2),
        Err(ConsumerError::NothingToStop)
    );
    let events = run(&mut consumer, ConsumerCommand::Remove, 3).unwrap();
    assert_eq!(events.len(), 3, "both keys, and itself");
    assert_eq!(claims(&events).release.len(), 1);
    assert_eq!(run(&mut consumer, ConsumerCommand::Pause, 4), Err(ConsumerError::NotFound));
}

#[test]
fn who_paused_it_wants_it_to_stay_so() {
    let mut consumer = Consumer::default();
    run(&mut consumer, create("doors", webhook(1)), 0).unwrap();
    let state = |consumer: &Consumer| match consumer {
        Consumer::Present(following) => following.state,
        other => panic!("{other:?}"),
    };
    run(&mut consumer, ConsumerCommand::Pause, 1).unwrap();
    let stopped = run(&mut consumer, ConsumerCommand::Stop(Stopped::Gone), 1).unwrap();
    assert_eq!((stopped, state(&consumer)), (vec![], ConsumerState::Paused));
    run(&mut consumer, ConsumerCommand::Resume, 2).unwrap();
    run(&mut consumer, ConsumerCommand::Stop(Stopped::Unreachable), 2).unwrap();
    assert_eq!(state(&consumer), ConsumerState::Stopped(Stopped::Unreachable));
    run(&mut consumer, ConsumerCommand::Resume, 2).unwrap();
    assert_eq!(state(&consumer), ConsumerState::Active);
    let again = run(&mut consumer, ConsumerCommand::Resume, 2).unwrap();
    assert_eq!(again, vec![], "what is so already is no event");
    let handle =
        || ConsumerCommand::Handle { position: 9, part: 2, because: "told by phone".into() };
    let handled = run(&mut consumer, handle(), 3).unwrap();
    let because = "told by phone".into();
    assert_eq!(handled, [ConsumerEvent::DeliveryHandled { position: 9, part: 2, because }]);
    let mut asks = Consumer::default();
    run(&mut asks, create("asks", NewWay::Pull(key(1))), 0).unwrap();
    assert_eq!(run(&mut asks, handle(), 1), Err(ConsumerError::NothingToHandle));
}

proptest! {
    /// Whatever is asked in whatever order: two keys at most, numbers of secrets that grow, and an
    /// end that is one.
    #[test]
    fn whatever_is_asked(way in 0_usize..4, asked in prop::collection::vec(0_u8..9, 1..40)) {
        let mut consumer = Consumer::default();
        let (way, has_key) = ways().swap_remove(way);
        run(&mut consumer, create("doors", way), 0).unwrap();
        let (mut number, mut removed) = (1, false);
        for (minute, what) in (1_i64..).zip(asked) {
            let n = 100 + u128::from(minute.unsigned_abs());
            let until = at(minute) + TimeDelta::minutes(3);
            let command = match what {
                0 => ConsumerCommand::Pause,
                1 => ConsumerCommand::Resume,
                2 => ConsumerCommand::Stop(Stopped::Gone),
                3 | 4 => ConsumerCommand::Rotate(Renewal::Key(key(n), until)),
                5 => ConsumerCommand::Rotate(Renewal::Secret(secret(n), until)),
                6 => ConsumerCommand::Rotate(Renewal::Both(key(n), secret(n), until)),
                7 => ConsumerCommand::Handle { position: 9, part: 1, because: "told by phone".into() },
                _ => ConsumerCommand::Remove,
            };
            let ended = matches!(command, ConsumerCommand::Remove);
            let done = run(&mut consumer, command, minute);
            prop_assert!(!removed || done == Err(ConsumerError::NotFound));
            removed |= ended;
            prop_assert_eq!(removed, consumer == Consumer::Removed);
            prop_assert!(keys(&consumer).len() <= 2);
            prop_assert!(removed || !has_key || !keys(&consumer).is_empty());
            for event in done.unwrap_or_default() {
                if let ConsumerEvent::SecretIssued { number: issued, .. } = event {
                    prop_assert_eq!(issued, number + 1);
                    number = issued;
                }
            }
        }
    }
}
