//! Proxies that are trusted to say whom they speak for.

use anyhow::Context as _;
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// What a proxy says of those it speaks for: the last address is the one it saw itself.
const FORWARDED: &str = "x-forwarded-for";

/// The nets in which they are.
#[derive(Clone, Debug, Default)]
pub struct Trusted(Arc<[IpNet]>);

impl Trusted {
    /// Reads nets, with commas between them.
    ///
    /// # Errors
    /// Names what is no net.
    pub fn parse(nets: &str) -> anyhow::Result<Self> {
        let names = nets.split(',').map(str::trim).filter(|net| !net.is_empty());
        let parse = |net: &str| {
            let one = net.parse::<IpAddr>().map(IpNet::from);
            one.or_else(|_| net.parse())
                .with_context(|| format!("--trusted-proxy: {net:?} is no net, such as 10.1.0.0/16"))
        };
        Ok(Self(names.map(parse).collect::<anyhow::Result<_>>()?))
    }

    /// Whether a peer is one of them.
    pub fn is_one(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|net| net.contains(&peer))
    }

    /// Where a request comes from: read from the right, the first address that is none of them.
    /// What stands before it was said by nobody who is trusted.
    pub fn source(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.is_one(peer) {
            return peer;
        }
        let lines: Vec<&str> =
            headers.get_all(FORWARDED).iter().filter_map(|v| v.to_str().ok()).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let mut nearest = peer;
        for hop in hops {
            // Whatever cannot be read ends what can be believed.
            let Some(address) = read(hop.trim()) else { return nearest };
            nearest = address;
            if !self.is_one(address) {
                break;
            }
        }
        nearest
    }
}

/// An address as proxies write it, with or without a port.
fn read(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(ip, _)| ip);
    bare.unwrap_or(hop)
        .parse()
        .ok()
        .or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn nobody_but_a_trusted_proxy_says_where_a_request_comes_from() {
        let trusted = Trusted::parse("10.0.0.0/8, 192.0.2.7").unwrap();
        let source = |peer: &str, lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED, HeaderValue::from_static(line));
            }
            trusted.source(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(source("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(source("10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(source("10.1.2.3", &["6.6.6.6, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            source("10.1.2.3", &["6.6.6.6", "198.51.100.1:4711, 192.0.2.7"]),
            "198.51.100.1"
        );
        assert_eq!(source("10.1.2.3", &["198.51.100.1, nonsense"]), "10.1.2.3");
        assert_eq!(source("10.1.2.3", &["198.51.100.1, nonsense, 10.9.9.9"]), "10.9.9.9");
        assert_eq!(source("10.1.2.3", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(source("::ffff:10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(source("10.1.2.3", &[]), "10.1.2.3");
        assert!(Trusted::parse("10.0.0.0/8,everybody").is_err());
    }
}
