//! Which credentials may come to be.

use super::command::{LABEL_CHARS, MOST_AUDIENCES};
use super::ring::{Credential, Credentials};
use super::{CredentialError, CredentialIssued, KeySource, Proof, Purpose};
use chrono::{DateTime, Duration, Utc};

/// So many SCIM tokens may be live at once: the old and the new one of a rotation. They are taken
/// only where nothing better is offered.
const LIVE_TOKENS: usize = 2;
/// So long may a text be that must be equal to a claim, in bytes.
const CLAIM_BYTES: usize = 500;
/// So long may a document of keys be, in bytes.
const DOCUMENT_BYTES: usize = 64 * 1024;
/// A client secret lasts from a day to three years.
const SECRET_LIFE: (Duration, Duration) = (Duration::days(1), Duration::days(3 * 366));

/// Whether one may be issued beside those that are there.
pub(super) fn may_be_issued(
    all: &Credentials,
    issued: &CredentialIssued,
    now: DateTime<Utc>,
) -> Result<(), CredentialError> {
    let CredentialIssued { credential, purpose, proof, label, expires_at } = issued;
    // Tokens were always issued without one.
    let needs_label = !is_token(*purpose, proof);
    let plain = label.chars().count() <= LABEL_CHARS && !label.chars().any(char::is_control);
    if !plain || needs_label && label.trim().is_empty() {
        return Err(CredentialError::InvalidLabel(*purpose));
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(CredentialError::ExpiryPassed(*purpose));
    }
    of_proof(*purpose, proof, *expires_at, now)?;
    if all.get(*credential).is_some() {
        return Err(CredentialError::Exists);
    }
    let live = || all.values().filter(|c| c.is_live(now));
    let is_live_token = |c: &&Credential| is_token(c.purpose, &c.proof);
    if is_token(*purpose, proof) && live().filter(is_live_token).count() >= LIVE_TOKENS {
        return Err(CredentialError::TooManyTokens);
    }
    if live().filter(|c| c.purpose == *purpose).count() >= purpose.most_live() {
        return Err(CredentialError::TooMany(*purpose));
    }
    Ok(())
}

fn is_token(purpose: Purpose, proof: &Proof) -> bool {
    purpose == Purpose::Scim && matches!(proof, Proof::Token { .. })
}

fn of_proof(
    purpose: Purpose,
    proof: &Proof,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), CredentialError> {
    let invalid = |why| Err(CredentialError::InvalidProof(why));
    if purpose != Purpose::Scim && !matches!(proof, Proof::Token { .. }) {
        return invalid("only the credentials of a SCIM connection can be proved otherwise");
    }
    match proof {
        Proof::Token { .. } => Ok(()),
        Proof::ClientSecret { .. } => secret_life(expires_at, now),
        Proof::PrivateKeyJwt { keys: KeySource::Url(url) } => match is_value(url) {
            true => Ok(()),
            false => invalid("the address of the keys must have 1 to 500 characters"),
        },
        Proof::PrivateKeyJwt { keys: KeySource::Document(text) } => {
            match !text.is_empty() && text.len() <= DOCUMENT_BYTES {
                true => Ok(()),
                false => invalid("the document of keys must have 1 to 65536 bytes"),
            }
        }
        Proof::Federated { issuer, tenant, subject, audiences, authorized_party } => {
            let values = [issuer, tenant, subject].into_iter().chain(authorized_party);
            if !values.chain(audiences).all(|value| is_value(value)) {
                return invalid(
                    "issuer, tenant, subject, audiences and authorized party must have 1 to 500 characters, no blanks and no control characters",
                );
            }
            match audiences.len() {
                1..=MOST_AUDIENCES => Ok(()),
                _ => invalid("a trust has 1 to 10 audiences"),
            }
        }
    }
}

/// Whether a client secret may last until then.
pub(super) fn secret_life(
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), CredentialError> {
    let life = expires_at.map(|at| at - now);
    // Whoever says a day by a clock of their own means a day.
    let shortest = SECRET_LIFE.0 - Duration::minutes(10);
    match life.is_some_and(|life| life >= shortest && life <= SECRET_LIFE.1) {
        true => Ok(()),
        false => Err(CredentialError::SecretLife),
    }
}

/// Whether something can be equal to a claim.
pub(super) fn is_value(text: &str) -> bool {
    (1..=CLAIM_BYTES).contains(&text.len())
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}
