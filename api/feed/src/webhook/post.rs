//! The seam to the network: whoever posts guards which addresses may be reached.

use async_trait::async_trait;

/// A request that is to be posted.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, as it was sent.
    pub retry_after: Option<String>,
}

/// Why nothing was posted, or nobody answered. Never anything that the other side said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPosted {
    /// It is no address that is posted to.
    #[error("the address must be an https address without a user name")]
    Address,
    /// It leads where nothing is posted to.
    #[error(
        "the address leads to {0}, which is not public; the operator can allow that with --allow-private-webhooks"
    )]
    NotPublic(std::net::IpAddr),
    /// Its host cannot be found.
    #[error("the host of the address cannot be found")]
    Unknown,
    /// Nobody answered in time.
    #[error("nobody answered in time")]
    TooSlow,
    /// The connection failed.
    #[error("the connection failed")]
    Connection,
}

impl NotPosted {
    /// The stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            NotPosted::Address => "no-address",
            NotPosted::NotPublic(_) => "not-public",
            NotPosted::Unknown => "unknown-host",
            NotPosted::TooSlow => "too-slow",
            NotPosted::Connection => "connection",
        }
    }
}

/// Posts, without following redirects, and reads nothing of an answer but its head.
#[async_trait]
pub trait Post: Send + Sync + 'static {
    /// Posts a letter.
    async fn post(&self, letter: Letter) -> Result<Posted, NotPosted>;
}
