//! Fetches metadata from an address that somebody typed in: guarded against reaching what only this
//! machine can reach.

use futures::StreamExt;
use reqwest::redirect::Policy;
use rollcall_saml::metadata::MAX_BYTES;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use url::{Host, Url};

/// The whole fetch, name lookup included.
const PATIENCE: Duration = Duration::from_secs(15);

/// What an operator allows beyond public addresses over https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses over https.
    Public,
    /// Private ones and plain http too.
    Private,
}

/// Why metadata was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No address that can be fetched.
    #[error("the metadata URL must be an https address without a user name: {0}")]
    Address(String),
    /// Private, loopback, link-local or otherwise not for the public.
    #[error(
        "the metadata URL leads to {0}, which is not a public address; the operator can allow that with --allow-private-metadata"
    )]
    NotPublic(IpAddr),
    /// The name is not known.
    #[error("the host of the metadata URL cannot be found: {0}")]
    Unknown(String),
    /// It answered something else than a document. Redirects are not followed.
    #[error("the metadata URL was answered with status {0}; redirects are not followed")]
    Status(u16),
    /// It is too long.
    #[error("the metadata is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// It took too long.
    #[error("the metadata did not arrive within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// The connection failed.
    #[error("the metadata cannot be fetched: {0}")]
    Connection(String),
}

/// Fetches a document. Every address that the host has must be allowed, and the connection goes to
/// one of those that were looked at, so that a name cannot mean one thing when checked and another
/// when used.
pub async fn fetch(url: &str, reach: Reach) -> Result<Vec<u8>, FetchError> {
    tokio::time::timeout(PATIENCE, within(url, reach)).await.unwrap_or(Err(FetchError::TooSlow))
}

/// A client that reaches this address and no other: every address that its host has was judged, and
/// the connection goes to one of those. It follows no redirect and asks no proxy.
///
/// # Errors
/// If the address must not be reached.
pub async fn guarded(text: &str, reach: Reach) -> Result<(Url, reqwest::Client), FetchError> {
    let wrong = || FetchError::Address(text.chars().take(200).collect());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let scheme_is_good =
        url.scheme() == "https" || (url.scheme() == "http" && reach == Reach::Private);
    if !scheme_is_good || !url.username().is_empty() || url.password().is_some() {
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
    if let Some(private) = addresses.iter().find(|a| reach == Reach::Public && !is_public(a.ip())) {
        return Err(FetchError::NotPublic(private.ip()));
    }
    let mut client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE);
    if let Some(name) = &name {
        client = client.resolve_to_addrs(name, &addresses);
    }
    let client = client
        .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(connection)?;
    Ok((url, client))
}

async fn within(text: &str, reach: Reach) -> Result<Vec<u8>, FetchError> {
    let (url, client) = guarded(text, reach).await?;
    let response = client.get(url).send().await.map_err(connection)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let (mut body, mut stream) = (Vec::new(), response.bytes_stream());
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(connection)?);
        if body.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
    }
    Ok(body)
}

fn connection(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::TooSlow;
    }
    // The innermost cause says what happened; the outer ones repeat the address.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    FetchError::Connection(cause.to_string())
}

/// Whether an address is one that anybody on the internet could reach (RFC 6890 and its
/// registries).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b));
    let protocol = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
    !special && !reserved && !protocol
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    // Addresses that carry an IPv4 address lead where that leads.
    let inner = match s {
        [0, 0, 0, 0, 0, 0xffff, a, b] | [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] => {
            Some((a, b))
        }
        _ => None,
    };
    if let Some((a, b)) = inner {
        let ([a, b], [c, d]) = (a.to_be_bytes(), b.to_be_bytes());
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Only 2000::/3 is given out; documentation, Teredo and benchmarking are in it.
    let special =
        (s[0] == 0x2001 && (s[1] == 0xdb8 || s[1] < 0x200)) || (s[0] == 0x3fff && s[1] < 0x1000);
    (s[0] & 0xe000) == 0x2000 && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in
            ["20.190.151.7", "8.8.8.8", "2603:1006:2000::5", "2606:4700::1111", "64:ff9b::808:808"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001:0:1::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[tokio::test]
    async fn addresses_that_lead_inside_are_refused_before_anything_is_sent() {
        for url in [
            "https://127.0.0.1/m",
            "https://[::1]/m",
            "https://localhost/m",
            "https://0x7f000001/m",
            "https://169.254.169.254/m",
        ] {
            assert!(
                matches!(fetch(url, Reach::Public).await, Err(FetchError::NotPublic(_))),
                "{url}"
            );
        }
        for url in [
            "http://login.example/m",
            "file:///etc/passwd",
            "https://user@login.example/m",
            "nonsense",
            "ftp://x/m",
        ] {
            assert!(
                matches!(fetch(url, Reach::Public).await, Err(FetchError::Address(_))),
                "{url}"
            );
        }
    }
}
