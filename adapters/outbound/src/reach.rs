//! A connection to an address that somebody typed in.

use crate::fetch_error::FetchError;
use crate::guard::{Guard, Verdict};
use reqwest::redirect::Policy;
use std::net::SocketAddr;
use std::time::Duration;
use url::{Host, Url};

/// A client that reaches this address and no other: every address that its host has was judged, and
/// the connection goes to one of those, so that a name cannot mean one thing when checked and
/// another when used. Plain http, and ports below 1024, lead into opened nets only. It follows no
/// redirect, asks no proxy, and gives up after `patience`.
///
/// # Errors
/// If the address must not be reached.
pub async fn reach(
    text: &str,
    guard: &Guard,
    patience: Duration,
) -> Result<(Url, reqwest::Client), FetchError> {
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
        .connect_timeout(patience)
        .timeout(patience);
    if let Some(name) = &name {
        client = client.resolve_to_addrs(name, &addresses);
    }
    let client = client
        .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| FetchError::of(&error, patience))?;
    Ok((url, client))
}
