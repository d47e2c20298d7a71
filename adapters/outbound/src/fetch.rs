//! One guarded GET.

use crate::guard::{Guard, Verdict};
use futures::StreamExt;
use reqwest::redirect::Policy;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use url::{Host, Url};

/// How much, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The longest answer, in bytes.
    pub bytes: usize,
    /// The whole, name lookup included.
    pub patience: Duration,
}

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

/// Fetches a document. Every address that the host has must be allowed, and the connection goes to
/// one of those that were looked at, so that a name cannot mean one thing when checked and another
/// when used. Plain http, and ports below 1024, lead into opened nets only.
///
/// # Errors
/// If there is none to be had.
pub async fn fetch(url: &str, guard: &Guard, bounds: Bounds) -> Result<Vec<u8>, FetchError> {
    let fetched = tokio::time::timeout(bounds.patience, within(url, guard, bounds));
    fetched.await.unwrap_or(Err(FetchError::TooSlow(bounds.patience)))
}

async fn within(text: &str, guard: &Guard, bounds: Bounds) -> Result<Vec<u8>, FetchError> {
    let wrong = || FetchError::Address(text.chars().take(200).collect());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let encrypted = url.scheme() == "https";
    if !(encrypted || url.scheme() == "http")
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(wrong());
    }
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    let (name, addresses) = match url.host().ok_or_else(wrong)? {
        Host::Ipv4(ip) => (None, vec![SocketAddr::new(ip.into(), port)]),
        Host::Ipv6(ip) => (None, vec![SocketAddr::new(ip.into(), port)]),
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name, port))
                .await
                .map_err(|_| FetchError::Unknown(name.to_owned()))?;
            (Some(name.to_owned()), found.collect())
        }
    };
    if addresses.is_empty() {
        return Err(FetchError::Unknown(name.unwrap_or_default()));
    }
    let for_anybody = encrypted && (port == 443 || port >= 1_024);
    for address in &addresses {
        match guard.judge(address.ip()) {
            Verdict::Refused if encrypted => return Err(FetchError::NotPublic(address.ip())),
            Verdict::Public | Verdict::Refused if !for_anybody => return Err(wrong()),
            Verdict::Public | Verdict::Opened | Verdict::Refused => {}
        }
    }
    let mut client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(bounds.patience)
        .timeout(bounds.patience);
    if let Some(name) = &name {
        client = client.resolve_to_addrs(name, &addresses);
    }
    let client = client
        .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| connection(error, bounds))?;
    let response = client.get(url).send().await.map_err(|error| connection(error, bounds))?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let (mut body, mut stream) = (Vec::new(), response.bytes_stream());
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(|error| connection(error, bounds))?);
        if body.len() > bounds.bytes {
            return Err(FetchError::TooLarge(bounds.bytes));
        }
    }
    Ok(body)
}

fn connection(error: reqwest::Error, bounds: Bounds) -> FetchError {
    if error.is_timeout() {
        return FetchError::TooSlow(bounds.patience);
    }
    // The innermost cause says what happened; the outer ones repeat the address.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    FetchError::Connection(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 1_000, patience: Duration::from_secs(5) };

    #[tokio::test]
    async fn addresses_that_lead_inside_are_refused_before_anything_is_sent() {
        for url in [
            "https://127.0.0.1/m",
            "https://[::1]/m",
            "https://localhost/m",
            "https://0x7f000001/m",
            "https://169.254.169.254/m",
        ] {
            let fetched = fetch(url, &Guard::default(), BOUNDS).await;
            assert!(matches!(fetched, Err(FetchError::NotPublic(_))), "{url}");
        }
        for url in [
            "http://8.8.8.8/m",
            "http://127.0.0.1/m",
            "https://8.8.8.8:22/m",
            "file:///etc/passwd",
            "https://user@login.example/m",
            "nonsense",
            "ftp://x/m",
        ] {
            let fetched = fetch(url, &Guard::default(), BOUNDS).await;
            assert!(matches!(fetched, Err(FetchError::Address(_))), "{url}");
        }
        let open = Guard::default().and_everywhere();
        let fetched = fetch("http://169.254.169.254/latest", &open, BOUNDS).await;
        assert!(matches!(fetched, Err(FetchError::Address(_))));
    }
}
