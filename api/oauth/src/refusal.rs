//! Why there is no token (RFC 6749 section 5.2).

use rollcall_domain::failure::Cause;

/// Why there is no token. What the client is told is the code and no more; the detail is for the
/// operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The registered code.
    pub code: &'static str,
    /// What happened, for whoever reads the exchange.
    pub detail: String,
    /// What the client is told in place of the detail, where that says more than is its business.
    pub told: Option<&'static str>,
    /// Seconds to wait, where another attempt may go well.
    pub retry_after: Option<u32>,
    /// Why, in the words of failures.
    pub cause: Option<Cause>,
}

impl Refusal {
    fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), told: None, retry_after: None, cause: None }
    }

    /// The request is not what it must be.
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", detail)
    }

    /// Nobody is let in by that.
    pub fn invalid_client(detail: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", detail)
    }

    /// Tokens are not got that way.
    pub fn unsupported_grant_type(detail: impl Into<String>) -> Self {
        Self::new(400, "unsupported_grant_type", detail)
    }

    /// Not for that.
    pub fn invalid_scope() -> Self {
        Self::new(400, "invalid_scope", "another scope than scim was asked for")
    }

    /// Not with this method.
    pub fn wrong_method() -> Self {
        Self::new(405, "invalid_request", "another method than this address is for")
    }

    /// Too many; wait so many seconds.
    pub fn too_many(seconds: u32, detail: impl Into<String>) -> Self {
        let refusal = Self::new(429, "temporarily_unavailable", detail);
        Self { retry_after: Some(seconds), ..refusal }
    }

    /// Not now; nothing is wrong with the client.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let refusal = Self::new(503, "temporarily_unavailable", detail);
        Self { retry_after: Some(30), ..refusal }
    }

    /// The keys of whoever signs for this client cannot be had. Where we look for them, and what
    /// happened there, is not for whoever knows a client's id.
    pub fn no_keys(why: &str) -> Self {
        let told = Some("the keys of this client cannot be fetched");
        Self { told, ..Self::unavailable(format!("the keys cannot be fetched: {why}")) }
    }

    /// The organization or its connection is switched off.
    pub fn switched_off(detail: &str) -> Self {
        Self { cause: Some(Cause::SwitchedOff), ..Self::unavailable(detail) }
    }
}
