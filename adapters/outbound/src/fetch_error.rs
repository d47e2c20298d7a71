//! Why an address was not reached.

use std::net::IpAddr;
use std::time::Duration;

/// Why a document was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No address that can be fetched.
    #[error(
        "it must be an https address without a user name, on port 443 or one from 1024 on: {0}"
    )]
    Address(String),
    /// Private, loopback, link-local or otherwise not for the public.
    #[error(
        "it leads to {0}, which is not a public address; the operator can open its net with --allow-private-outbound"
    )]
    NotPublic(IpAddr),
    /// The name is not known.
    #[error("its host cannot be found: {0}")]
    Unknown(String),
    /// It answered something else than a document. Redirects are not followed.
    #[error("it was answered with status {0}; redirects are not followed")]
    Status(u16),
    /// It is too long.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It took too long.
    #[error("the answer did not arrive within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The connection failed.
    #[error("it cannot be fetched: {0}")]
    Connection(String),
}

impl FetchError {
    /// What became of a request that was sent.
    pub(crate) fn of(error: &reqwest::Error, patience: Duration) -> Self {
        if error.is_timeout() {
            return Self::TooSlow(patience);
        }
        // The innermost cause says what happened; the outer ones repeat the address.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Self::Connection(cause.to_string())
    }
}
