//! Cookies: one for each request under way, which binds it to the browser; one for the session.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_door::sealing::DeploymentKey;
use rollcall_door::session::{COOKIE as SESSION, cookies};
use serde::{Deserialize, Serialize};

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
        ended(&self.name())
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
            let pending = Self::read(key, value)?;
            (pending.organization == organization
                && pending.asking == asking
                && now < pending.expires)
                .then_some(pending)
        };
        // The newest first: whoever has many of them under way is answered in the last.
        let mut pending: Vec<Self> = ours.filter_map(read).collect();
        pending.sort_by_key(|pending| std::cmp::Reverse(pending.expires));
        pending.truncate(REQUESTS);
        pending
    }

    /// The `Set-Cookie`s that end what this browser has too much of, so that one more fits: the
    /// oldest, and what cannot be read. Other sites can make a browser begin as many as they like.
    pub fn given_up(headers: &HeaderMap, key: &DeploymentKey, now: DateTime<Utc>) -> Vec<String> {
        let ours = cookies(headers).filter(|(name, _)| name.starts_with(REQUEST));
        let mut all: Vec<(Option<DateTime<Utc>>, &str)> = ours
            .map(|(name, value)| {
                let pending = Self::read(key, value).filter(|pending| now < pending.expires);
                (pending.map(|pending| pending.expires), name)
            })
            .collect();
        all.sort_by_key(|(expires, _)| std::cmp::Reverse(*expires));
        let kept = all.iter().take_while(|(expires, _)| expires.is_some()).count();
        all.iter().skip(kept.min(REQUESTS - 1)).map(|(_, name)| ended(name)).collect()
    }

    /// When it began.
    pub fn began(&self) -> DateTime<Utc> {
        self.expires - TimeDelta::minutes(REQUEST_MINUTES)
    }

    fn read(key: &DeploymentKey, value: &str) -> Option<Self> {
        let (body, signature) = value.split_once('.').filter(|_| value.len() <= COOKIE_BYTES)?;
        let signed = key.is_signed(REQUEST, body, signature);
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok().filter(|_| signed)?).ok()
    }
}

fn ended(name: &str) -> String {
    format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None")
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;
    use uuid::Uuid;

    fn header(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let pair = cookie.split(';').next().unwrap();
        headers.insert(header::COOKIE, format!("other=1; {pair}").parse().unwrap());
        headers
    }

    #[test]
    fn the_newest_requests_are_known_and_the_oldest_given_up() {
        let (key, organization) =
            (DeploymentKey::derived_from("k"), OrganizationId(Uuid::from_u128(1)));
        let at = |n: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(n);
        let begun =
            |n: i64| Pending::new(organization, Asking::Login, format!("_{n:016x}"), at(n), None);
        let pairs = (0..40).map(|n| begun(n).to_cookie(&key).split(';').next().unwrap().to_owned());
        let odd = format!("{REQUEST}odd=x");
        let all: Vec<String> = pairs.chain([odd]).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, all.join("; ").parse().unwrap());
        let known = Pending::of(&headers, &key, organization, Asking::Login, at(40));
        let expected: Vec<Pending> = (32..40).rev().map(begun).collect();
        assert_eq!(known, expected);
        let given_up = Pending::given_up(&headers, &key, at(40));
        assert_eq!(given_up.len(), 34, "seven are left beside the one that begins");
        assert!(given_up.iter().any(|line| line.starts_with(&format!("{REQUEST}odd=;"))));
        assert!(Pending::given_up(&header(&begun(1).to_cookie(&key)), &key, at(2)).is_empty());
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
