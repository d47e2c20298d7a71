//! What is posted, with its headers.

use super::envelope::MEDIA_TYPE;
use super::post::Letter;
use super::signing::signature;
use crate::security;
use chrono::{DateTime, Utc};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::{Nothing, RouteError};
use rollcall_contract::route;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::App;

/// Where an organization is shown: what its events come from.
///
/// # Errors
/// If it has no address, which no id can bring about.
pub fn source(app: &App, organization: OrganizationId) -> Result<String, RouteError> {
    let path = OrganizationPath::of(organization.to_string());
    let line = route::SHOW_ORGANIZATION.line(&path, &Nothing)?;
    Ok(format!("{}{}", app.public_url.trim_end_matches('/'), line.target))
}

/// A body with the headers of Standard Webhooks.
pub fn letter(
    url: &str,
    secrets: &[Vec<u8>],
    id: &str,
    now: DateTime<Utc>,
    body: Vec<u8>,
) -> Letter {
    let seconds = now.timestamp();
    let headers = vec![
        ("content-type", MEDIA_TYPE.to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature(secrets, id, seconds, &body)),
    ];
    Letter { url: url.to_owned(), headers, body }
}

/// A token as RFC 8935 section 2.1 has it posted.
pub fn token_letter(url: &str, token: String) -> Letter {
    let headers = vec![
        ("content-type", security::MEDIA_TYPE.to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    Letter { url: url.to_owned(), headers, body: token.into_bytes() }
}
