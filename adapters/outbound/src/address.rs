//! Which addresses are public (RFC 6890 and its registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the clouds keep the credentials of the machine: nobody opens these.
const INSTANCE_METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// What an address leads to: itself, and the IPv4 address that it carries, if it carries one.
pub fn led_to(ip: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(v6) = ip else { return vec![ip] };
    match carried(v6) {
        // Another way to write the one within.
        Some(v4) if v6.to_ipv4_mapped().is_some() => vec![v4.into()],
        Some(v4) => vec![ip, v4.into()],
        None => vec![ip],
    }
}

/// The IPv4 address within an IPv6 address: mapped, compatible, NAT64, 6to4, Teredo, ISATAP.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |a: u16, b: u16| {
        let ([a, b], [c, d]) = (a.to_be_bytes(), b.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, a, b] => Some(v4(a, b)),
        [0, 0, 0, 0, 0, 0, a, b] if a != 0 => Some(v4(a, b)),
        [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0x64, 0xff9b, 1, _, _, _, a, b] => Some(v4(a, b)),
        [0x2002, a, b, ..] => Some(v4(a, b)),
        // Teredo turns the client's bits around.
        [0x2001, 0, _, _, _, _, a, b] => Some(v4(!a, !b)),
        [_, _, _, _, 0 | 0x200, 0x5efe, a, b] => Some(v4(a, b)),
        _ => None,
    }
}

/// Whether an address is that of a cloud's machine credentials.
pub fn is_instance_metadata(ip: IpAddr) -> bool {
    INSTANCE_METADATA.contains(&ip)
}

/// Whether an address is one that anybody on the internet could reach.
pub fn is_public(ip: IpAddr) -> bool {
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
    // NAT64's own prefix leads where the address within it leads, which is looked at too.
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return true;
    }
    // Only 2000::/3 is given out; documentation, Teredo and benchmarking are in it.
    let special =
        (s[0] == 0x2001 && (s[1] == 0xdb8 || s[1] < 0x200)) || (s[0] == 0x3fff && s[1] < 0x1000);
    (s[0] & 0xe000) == 0x2000 && !special
}
