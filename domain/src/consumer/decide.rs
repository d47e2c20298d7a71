//! What a command on a consumer comes to.

use super::command::{ConsumerCommand, ConsumerError, NAME_CHARS, NewConsumer, NewWay, Renewal};
use super::event::{ConsumerEvent, Way};
use super::state::{Consumer, ConsumerState, Following};
use crate::claim::{ClaimChanges, ClaimKind, ClearClaim};
use crate::context::Context;
use crate::credential::{
    CredentialCommand, CredentialEvent, CredentialIssued, CredentialRevoked, Credentials,
};
use crate::decision::Decision;
use crate::fold_text::fold_text;
use crate::organization::SealedKey;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Decides a command. A command that changes nothing yields no event.
///
/// # Errors
/// If it is not to be.
pub fn decide(
    consumer: &Consumer,
    command: ConsumerCommand,
    context: &Context,
) -> Result<Decision<ConsumerEvent>, ConsumerError> {
    let events = match (consumer, command) {
        (Consumer::Absent, ConsumerCommand::Create(new)) => create(new, context.now)?,
        (_, ConsumerCommand::Create(_)) => return Err(ConsumerError::AlreadyExists),
        (Consumer::Absent | Consumer::Removed, _) => return Err(ConsumerError::NotFound),
        (Consumer::Present(following), command) => change(following, command, context.now)?,
    };
    Ok(events.into())
}

/// Whether a consumer can be found under a text: it stands in addresses, as a name or an id.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=NAME_CHARS).contains(&text.len()) && text.chars().all(plain) && !matches!(text, "." | "..")
}

fn create(new: NewConsumer, now: DateTime<Utc>) -> Result<Vec<ConsumerEvent>, ConsumerError> {
    let NewConsumer { name, types, payload, groups, way } = new;
    // It must be told from an id.
    if !is_name(&name) || name.parse::<Uuid>().is_ok() {
        return Err(ConsumerError::InvalidName);
    }
    let none = Credentials::default();
    let first = |sealed| ConsumerEvent::SecretIssued { number: 1, sealed };
    let (way, proofs) = match way {
        NewWay::Pull(issued) => (Way::Pull, vec![key(&none, issued, now)?]),
        NewWay::Webhook { url, start, secret } => {
            (Way::Webhook { url, start }, vec![first(secret)])
        }
        NewWay::SetPoll { audience, start, key: issued, secret } => {
            let proofs = vec![key(&none, issued, now)?, first(secret)];
            (Way::SetPoll { audience, start }, proofs)
        }
        NewWay::SetPush { url, audience, start, secret } => {
            (Way::SetPush { url, audience, start }, vec![first(secret)])
        }
    };
    let created = ConsumerEvent::Created { name, way, types, payload, groups };
    Ok(std::iter::once(created).chain(proofs).collect())
}

fn key(
    credentials: &Credentials,
    issued: CredentialIssued,
    now: DateTime<Utc>,
) -> Result<ConsumerEvent, ConsumerError> {
    match credentials.decide(CredentialCommand::Issue(issued), now)?.pop() {
        Some(CredentialEvent::Issued(issued)) => Ok(ConsumerEvent::KeyIssued(issued)),
        // Nothing else comes of issuing one.
        _ => Err(ConsumerError::OtherWay("key")),
    }
}

fn change(
    following: &Following,
    command: ConsumerCommand,
    now: DateTime<Utc>,
) -> Result<Vec<ConsumerEvent>, ConsumerError> {
    let when = |condition: bool, event| if condition { vec![event] } else { Vec::new() };
    Ok(match command {
        ConsumerCommand::Create(_) => return Err(ConsumerError::AlreadyExists),
        ConsumerCommand::Pause => {
            when(following.state != ConsumerState::Paused, ConsumerEvent::Paused {})
        }
        ConsumerCommand::Resume => {
            when(following.state != ConsumerState::Active, ConsumerEvent::Resumed {})
        }
        ConsumerCommand::Stop(_) if following.way.url().is_none() => {
            return Err(ConsumerError::NothingToStop);
        }
        // Who paused it wants it to stay so.
        ConsumerCommand::Stop(reason) => {
            when(following.state == ConsumerState::Active, ConsumerEvent::Stopped { reason })
        }
        ConsumerCommand::Rotate(Renewal::Key(issued, until)) => {
            renew_key(following, issued, until, now)?
        }
        ConsumerCommand::Rotate(Renewal::Secret(sealed, until)) => {
            renew_secret(following, sealed, until, now)?
        }
        ConsumerCommand::Rotate(Renewal::Both(issued, sealed, until)) => {
            let mut events = renew_key(following, issued, until, now)?;
            events.extend(renew_secret(following, sealed, until, now)?);
            events
        }
        ConsumerCommand::Handle { .. } if following.way.url().is_none() => {
            return Err(ConsumerError::NothingToHandle);
        }
        ConsumerCommand::Handle { position, part, because } => {
            vec![ConsumerEvent::DeliveryHandled { position, part, because }]
        }
        ConsumerCommand::Remove => {
            let keys = following.keys.iter().copied();
            keys.map(revoked)
                .chain([ConsumerEvent::Removed { name: following.name.clone() }])
                .collect()
        }
    })
}

fn revoked(credential: crate::ids::CredentialId) -> ConsumerEvent {
    ConsumerEvent::KeyRevoked(CredentialRevoked { credential })
}

/// Two hold at once: what is older than the current one goes at once, the current one goes then.
fn renew_key(
    following: &Following,
    issued: CredentialIssued,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<ConsumerEvent>, ConsumerError> {
    let Some((current, older)) = following.keys.split_last() else {
        return Err(ConsumerError::OtherWay("key"));
    };
    let mut events: Vec<_> = older.iter().copied().map(revoked).collect();
    let mut credentials = following.credentials.clone();
    for event in events.iter().filter_map(ConsumerEvent::credential) {
        credentials.evolve(event);
    }
    if until <= now {
        return Err(ConsumerError::OverlapPassed);
    }
    events.push(ConsumerEvent::KeyRetiring { credential: *current, until });
    events.push(key(&credentials, issued, now)?);
    Ok(events)
}

fn renew_secret(
    following: &Following,
    sealed: SealedKey,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<ConsumerEvent>, ConsumerError> {
    if following.secret == 0 {
        return Err(ConsumerError::OtherWay("secret"));
    }
    if until <= now {
        return Err(ConsumerError::OverlapPassed);
    }
    Ok(vec![
        ConsumerEvent::SecretRetiring { number: following.secret, until },
        ConsumerEvent::SecretIssued { number: following.secret + 1, sealed },
    ])
}

/// The claims that go with a consumer's events.
pub fn claims(events: &[ConsumerEvent]) -> ClaimChanges<ClearClaim> {
    let mut claims = ClaimChanges::default();
    let of = |name: &str| ClearClaim::new(ClaimKind::ConsumerName, fold_text(name));
    for event in events {
        match event {
            ConsumerEvent::Created { name, .. } => claims.take.push(of(name)),
            ConsumerEvent::Removed { name } => claims.release.push(of(name)),
            _ => {}
        }
    }
    claims
}
