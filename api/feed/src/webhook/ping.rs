//! Whether a receiver is there, before anything hangs on it.

use super::letters::{letter, token_letter};
use super::post::{Letter, NotPosted, Post};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

/// Why a receiver is not taken on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReceiver {
    /// Nobody answered.
    #[error("the receiver cannot be posted to: {0}")]
    NotPosted(#[from] NotPosted),
    /// It answered otherwise than with success.
    #[error(
        "the receiver answered {0} to a signed message that asks whether it is there, not 2xx; redirects are not followed"
    )]
    Refused(u16),
}

/// Posts a signed `rollcall.ping`, which must be answered 2xx.
///
/// # Errors
/// If it is not.
pub async fn ping(
    post: &dyn Post,
    source: &str,
    url: &str,
    secret: &[u8],
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), NoReceiver> {
    let body = json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": "rollcall.ping",
        "time": rollcall_contract::time::text(now),
        "datacontenttype": "application/json",
        "data": {},
    });
    let secrets = [secret.to_vec()];
    let letter = letter(url, &secrets, &id.to_string(), now, body.to_string().into_bytes());
    taken(post, letter).await
}

/// Posts a signed verification token, which must be answered 2xx.
///
/// # Errors
/// If it is not.
pub async fn verify(post: &dyn Post, url: &str, token: String) -> Result<(), NoReceiver> {
    taken(post, token_letter(url, token)).await
}

async fn taken(post: &dyn Post, letter: Letter) -> Result<(), NoReceiver> {
    match post.post(letter).await?.status {
        200..=299 => Ok(()),
        status => Err(NoReceiver::Refused(status)),
    }
}
