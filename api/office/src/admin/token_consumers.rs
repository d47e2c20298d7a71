//! Consumers that get security event tokens: their keys, and what they are told about.

use rollcall_domain::consumer::NewWay;
use rollcall_domain::credential::CredentialIssued;
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_domain::organization::SealedKey;
use rollcall_domain::outbound::{is_security, verification};
use rollcall_domain::public_type::{PublicType, TypeFilter};
use rollcall_door::{App, Refusal};
use rollcall_feed::{Feed, security, webhook};
use rollcall_jose::SigningKey;

/// Longest audience.
const AUDIENCE_BYTES: usize = 500;

/// Those of the types that were asked for that are told as tokens, each by its name.
///
/// # Errors
/// 400 if there is none.
pub fn types(asked: &TypeFilter) -> Result<TypeFilter, Refusal> {
    let told = PublicType::ALL.iter().filter(|public| is_security(**public));
    let names: Vec<String> = told
        .clone()
        .filter(|public| asked.wants(**public))
        .map(|public| public.as_str().to_owned())
        .collect();
    if names.is_empty() {
        let all: Vec<&str> = told.map(|public| public.as_str()).collect();
        let said = format!("none of these is told as a token; these are: {}", all.join(", "));
        return Err(Refusal::parameter("types", said));
    }
    TypeFilter::new(names).map_err(|e| Refusal::unavailable(&e))
}

/// Whom tokens are for.
///
/// # Errors
/// 400 if nobody, or nothing that a receiver could compare.
pub fn audience(asked: Option<String>) -> Result<String, Refusal> {
    let audience = asked.ok_or_else(|| {
        Refusal::parameter("audience", "security event tokens need an audience".to_owned())
    })?;
    let is_good = (1..=AUDIENCE_BYTES).contains(&audience.len())
        && audience.chars().all(|c| c.is_ascii_graphic());
    match is_good {
        true => Ok(audience),
        false => Err(Refusal::parameter(
            "audience",
            format!("an audience has 1 to {AUDIENCE_BYTES} printable ASCII characters, no space"),
        )),
    }
}

/// A new key that tokens are signed with, sealed and as it is.
///
/// # Errors
/// If none can be made.
pub async fn signing_key(
    app: &App,
    id: ConsumerId,
    number: u64,
) -> Result<(SealedKey, SigningKey), Refusal> {
    let pkcs8 = tokio::task::spawn_blocking(SigningKey::generate).await?;
    let pkcs8 = pkcs8.map_err(|e| Refusal::unavailable(&e))?;
    let about = webhook::about(id, number);
    let sealed = app.deployment_key.seal(&pkcs8, &about, app.engine.ids.nonce())?;
    let key = SigningKey::read(&pkcs8).map_err(|e| Refusal::unavailable(&e))?;
    Ok((sealed, key))
}

/// Who asks for tokens.
///
/// # Errors
/// If it is not to be.
pub async fn poll(
    app: &App,
    id: ConsumerId,
    audience: String,
    start: Position,
    key: CredentialIssued,
) -> Result<NewWay, Refusal> {
    let (secret, _) = signing_key(app, id, 1).await?;
    Ok(NewWay::SetPoll { audience, start, key, secret })
}

/// A receiver that took a verification token.
///
/// # Errors
/// 400 if it did not.
pub async fn push(
    app: &App,
    feed: &Feed,
    (organization, id): (OrganizationId, ConsumerId),
    audience: String,
    start: Position,
    url: String,
) -> Result<NewWay, Refusal> {
    let (secret, key) = signing_key(app, id, 1).await?;
    let issuer = security::issuer(app, organization, id).map_err(|e| Refusal::unavailable(&e))?;
    let (jti, now) = (app.engine.ids.exchange().0, app.engine.clock.now());
    let token = security::sign(&key, &verification(jti, now, &issuer, &audience, id.0));
    let token = token.map_err(|e| Refusal::unavailable(&e))?;
    webhook::verify(feed.post(), &url, token)
        .await
        .map_err(|refused| Refusal::bad_request(refused.to_string()))?;
    Ok(NewWay::SetPush { url, audience, start, secret })
}
