//! Security event tokens (RFC 8417): whose they are, and with what they are signed. Each consumer has
//! an issuer and keys of its own, so that what one receiver gets is believed by no other.

use crate::sealed::about;
use chrono::{DateTime, Utc};
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::request_line::{Nothing, RouteError};
use rollcall_contract::route;
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::outbound::SecurityEvent;
use rollcall_domain::sql::SqlError;
use rollcall_door::App;
use rollcall_door::sealing::SealError;
use rollcall_jose::{SigningError, SigningKey};
use rollcall_projections::consumers::ConsumerRow;

/// What a token says that it is (RFC 8417 section 2.3).
const TYP: &str = "secevent+jwt";
/// The media type of a token that is posted (RFC 8935 section 2.1).
pub const MEDIA_TYPE: &str = "application/secevent+jwt";

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// What is kept of consumers cannot be read.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The key cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Nothing can be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The consumer has no address.
    #[error(transparent)]
    Address(#[from] RouteError),
    /// It gets no tokens, or has no key.
    #[error("this consumer has no key that tokens are signed with")]
    NoKey,
}

/// Who tells a consumer: an address of its own. It is made of ids, which stay when names change.
///
/// # Errors
/// If it has no address, which no id can bring about.
pub fn issuer(
    app: &App,
    organization: OrganizationId,
    consumer: ConsumerId,
) -> Result<String, RouteError> {
    let line = route::SHOW_CONSUMER.line(&path(organization, consumer), &Nothing)?;
    Ok(format!("{}{}", app.public_url.trim_end_matches('/'), line.target))
}

/// A consumer by its ids.
pub fn path(organization: OrganizationId, consumer: ConsumerId) -> ConsumerPath {
    ConsumerPath { organization: organization.to_string(), consumer: consumer.to_string() }
}

/// The keys of a consumer that hold, the one that signs first.
///
/// # Errors
/// If they cannot be read or opened.
pub async fn keys(
    app: &App,
    row: &ConsumerRow,
    now: DateTime<Utc>,
) -> Result<Vec<SigningKey>, TokenError> {
    let mut keys = Vec::new();
    if row.way.audience().is_none() {
        return Ok(keys);
    }
    // The current one and the one before: what is older is a key no more.
    for secret in app.consumers.secrets(row.organization, row.id).await?.into_iter().take(2) {
        if secret.until.is_none_or(|until| now < until) {
            let pkcs8 = app.deployment_key.open(&secret.sealed, &about(row.id, secret.number))?;
            keys.push(SigningKey::read(&pkcs8)?);
        }
    }
    Ok(keys)
}

/// The key that signs now.
///
/// # Errors
/// If there is none, or it cannot be opened.
pub async fn signer(
    app: &App,
    row: &ConsumerRow,
    now: DateTime<Utc>,
) -> Result<SigningKey, TokenError> {
    keys(app, row, now).await?.into_iter().next().ok_or(TokenError::NoKey)
}

/// A token, signed.
///
/// # Errors
/// If nothing can be signed.
pub fn sign(key: &SigningKey, event: &SecurityEvent) -> Result<String, TokenError> {
    Ok(key.sign(TYP, &event.claims)?)
}
