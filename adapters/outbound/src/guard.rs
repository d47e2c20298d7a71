//! Who decides where a request may go.

use crate::address::{is_instance_metadata, is_public, led_to};
use ipnet::IpNet;
use std::net::IpAddr;

/// Public addresses, and the nets that the operator opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    open: Vec<IpNet>,
}

/// Something that is no list of nets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no net: write nets such as 10.1.0.0/16, with commas between them")]
pub struct NetError(String);

/// What the guard says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Anybody could reach it.
    Public,
    /// Only inside, and the operator opened it.
    Opened,
    /// Only inside.
    Refused,
}

impl Guard {
    /// Public addresses, and those of these nets, such as `10.1.0.0/16,fd00:1::/64`.
    ///
    /// # Errors
    /// If these are no nets.
    pub fn opening(nets: &str) -> Result<Self, NetError> {
        let names = nets.split(',').map(str::trim).filter(|net| !net.is_empty());
        let open = names.map(|net| net.parse().map_err(|_| NetError(net.to_owned())));
        Ok(Self { open: open.collect::<Result<_, _>>()? })
    }

    /// The same, and every net there is.
    pub fn and_everywhere(mut self) -> Self {
        let all = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        self.open.extend(all.into_iter().filter_map(|ip| IpNet::new(ip, 0).ok()));
        self
    }

    /// Judges an address by all that it leads to.
    pub fn judge(&self, ip: IpAddr) -> Verdict {
        let led_to = led_to(ip);
        let is_open = |ip: &IpAddr| self.open.iter().any(|net| net.contains(ip));
        if led_to.iter().any(|ip| is_instance_metadata(*ip)) {
            Verdict::Refused
        } else if led_to.iter().all(|ip| is_public(*ip)) {
            Verdict::Public
        } else if led_to.iter().all(|ip| is_public(*ip) || is_open(ip)) {
            Verdict::Opened
        } else {
            Verdict::Refused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: [&str; 5] =
        ["20.190.151.7", "8.8.8.8", "2603:1006:2000::5", "2606:4700::1111", "64:ff9b::808:808"];
    const INSIDE: [&str; 31] = [
        "127.0.0.1",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.0.8",
        "192.88.99.1",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "::1",
        "::",
        "::127.0.0.1",
        "::808:808",
        "fe80::1",
        "fec0::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "2001:0:1::1",
        "2606:4700::5efe:a00:1",
        "2606:4700::200:5efe:7f00:1",
        "ff02::1",
        "100::1",
    ];
    const NEVER: [&str; 5] = [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "fd00:ec2::254",
    ];

    #[test]
    fn only_public_addresses_are_public_and_opened_nets_are_open() {
        let (closed, open) = (Guard::default(), Guard::default().and_everywhere());
        for public in PUBLIC {
            assert_eq!(closed.judge(public.parse().unwrap()), Verdict::Public, "{public}");
        }
        for inside in INSIDE {
            assert_eq!(closed.judge(inside.parse().unwrap()), Verdict::Refused, "{inside}");
            assert_eq!(open.judge(inside.parse().unwrap()), Verdict::Opened, "{inside}");
        }
        for never in NEVER {
            assert_eq!(open.judge(never.parse().unwrap()), Verdict::Refused, "{never}");
        }
    }

    #[test]
    fn a_net_opens_itself_alone() {
        let guard = Guard::opening("10.1.0.0/16, fd00:1::/64").unwrap();
        for (ip, verdict) in [
            ("10.1.2.3", Verdict::Opened),
            ("::ffff:10.1.2.3", Verdict::Opened),
            ("fd00:1::5", Verdict::Opened),
            ("10.2.0.1", Verdict::Refused),
            ("fd00:2::5", Verdict::Refused),
            ("127.0.0.1", Verdict::Refused),
            ("8.8.8.8", Verdict::Public),
        ] {
            assert_eq!(guard.judge(ip.parse().unwrap()), verdict, "{ip}");
        }
        assert!(Guard::opening("10.1.0.0/16,here").is_err());
        assert_eq!(Guard::opening("").unwrap(), Guard::default());
    }
}
