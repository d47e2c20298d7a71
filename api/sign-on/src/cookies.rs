//! Cookies: one for each request under way, which binds it to the browser; one for the session.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_door::sealing::DeploymentKey;
use serde::{Deserialize, Serialize};

/// The session's cookie. `__Host-` makes browsers insist on https, on this host and on no other.
pub const SESSION: &str = "__Host-rollcall-session";
const REQUEST: &str = "__Host-rollcall-request-";
/// How long a request may take to be answered.
const REQUEST_MINUTES: i64 = 15;
/// Requests of one browser that may be under way: tabs.
const REQUESTS: usize = 8;
/// Longest cookie that is looked at.
const COOKIE_BYTES: usize = 4_096;

/// What a request asks of the identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asking {
    /// To sign somebody in.
    Login,
    /// To sign somebody out.
    Logout,
}

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Whose.
    pub organization: OrganizationId,
    /// What was asked.
    pub asking: Asking,
    /// The request's id.
    pub request: String,
    /// When it is too old.
    pub expires: DateTime<Utc>,
    /// Where to go afterwards; checked before it was written here.
    pub target: Option<String>,
}

impl Pending {
    /// A request that begins now.
    pub fn new(
        organization: OrganizationId,
        asking: Asking,
        request: String,
        now: DateTime<Utc>,
        target: Option<String>,
    ) -> Self {
        Self {
            organization,
            asking,
            request,
            expires: now + TimeDelta::minutes(REQUEST_MINUTES),
            target,
        }
    }

    /// The `Set-Cookie` that binds it to the browser. The response comes from another site by POST,
    /// so it must be sent across sites.
    pub fn to_cookie(&self, key: &DeploymentKey) -> String {
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_string(self).unwrap_or_default());
        let signature = key.sign(REQUEST, &body);
        format!(
            "{}={body}.{signature}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=None",
            self.name(),
            REQUEST_MINUTES * 60
        )
    }

    /// The `Set-Cookie` that ends it.
    pub fn end_cookie(&self) -> String {
        format!("{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None", self.name())
    }

    fn name(&self) -> String {
        format!(
            "{REQUEST}{}",
            self.request.trim_start_matches('_').chars().take(16).collect::<String>()
        )
    }

    /// The requests that this browser has under way with an organization.
    pub fn of(
        headers: &HeaderMap,
        key: &DeploymentKey,
        organization: OrganizationId,
        asking: Asking,
        now: DateTime<Utc>,
    ) -> Vec<Self> {
        let ours = cookies(headers).filter(|(name, _)| name.starts_with(REQUEST));
        let read = |(_, value): (&str, &str)| {
            let (body, signature) =
                value.split_once('.').filter(|_| value.len() <= COOKIE_BYTES)?;
            let signed = key.is_signed(REQUEST, body, signature);
            let pending: Pending =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok().filter(|_| signed)?)
                    .ok()?;
            (pending.organization == organization
                && pending.asking == asking
                && now < pending.expires)
                .then_some(pending)
        };
        ours.filter_map(read).take(REQUESTS).collect()
    }
}

/// The `Set-Cookie` that begins a session.
pub fn begin_session(token: &str, lasts: TimeDelta) -> String {
    format!(
        "{SESSION}={token}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax",
        lasts.num_seconds().max(0)
    )
}

/// The `Set-Cookie` that ends it.
pub fn end_session() -> String {
    format!("{SESSION}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}

/// The session's token, from its cookie.
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    cookies(headers)
        .find(|(name, _)| *name == SESSION)
        .map(|(_, value)| value)
        .filter(|v| !v.is_empty() && v.len() <= 512)
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn header(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let pair = cookie.split(';').next().unwrap();
        headers.insert(header::COOKIE, format!("other=1; {pair}").parse().unwrap());
        headers
    }

    #[test]
    fn a_request_is_known_to_its_browser_its_organization_and_for_a_while() {
        let (key, now, organization) = (
            DeploymentKey::derived_from("k"),
            DateTime::UNIX_EPOCH,
            OrganizationId(Uuid::from_u128(1)),
        );
        let pending = Pending::new(
            organization,
            Asking::Login,
            "_abc".into(),
            now,
            Some("https://app.example/".into()),
        );
        let headers = header(&pending.to_cookie(&key));
        let read = |key: &DeploymentKey, organization, asking, at| {
            Pending::of(&headers, key, organization, asking, at)
        };
        assert_eq!(read(&key, organization, Asking::Login, now), [pending]);
        assert!(read(&key, OrganizationId::NONE, Asking::Login, now).is_empty());
        assert!(read(&key, organization, Asking::Logout, now).is_empty());
        assert!(read(&key, organization, Asking::Login, now + TimeDelta::minutes(15)).is_empty());
        assert!(
            read(&DeploymentKey::derived_from("x"), organization, Asking::Login, now).is_empty()
        );
    }
}
