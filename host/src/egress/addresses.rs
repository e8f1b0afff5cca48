//! The address ranges that are not the public internet, each with the word a message uses. It
//! does not know who asks; the operator's grants are applied by `permits`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::LazyLock;

use ipnet::IpNet;

/// The first range that holds an address gives the word, so narrow ranges stand before wide ones.
/// Sources: the IANA special-purpose registries, and the two metadata addresses that live in
/// ordinary space.
const RANGES: [(&str, &str); 46] = [
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared"),
    ("127.0.0.0/8", "loopback"),
    // Azure's agent and DNS: public by its number, but only ever answered by the machine's host.
    ("168.63.129.16/32", "cloud-metadata"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::ffff:0.0.0.0/96", "IPv4-mapped"),
    ("::/96", "IPv4-compatible"),
    ("::ffff:0:0:0/96", "IPv4-translated"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "NAT64"),
    ("100::/64", "discard"),
    ("100:0:0:1::/64", "discard"),
    ("2001::/32", "Teredo"),
    ("2001:2::/48", "benchmarking"),
    ("2001:10::/28", "ORCHID"),
    ("2001:20::/28", "ORCHID"),
    ("2001:db8::/32", "documentation"),
    ("2001::/23", "protocol"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "AS112"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment-routing"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
    // Everything outside 2000::/3 has not been given out.
    ("::/3", "reserved"),
    ("4000::/2", "reserved"),
    ("8000::/2", "reserved"),
    ("c000::/3", "reserved"),
    ("e000::/4", "reserved"),
    ("f000::/4", "reserved"),
];

static TABLE: LazyLock<Vec<(IpNet, &str)>> = LazyLock::new(|| {
    RANGES
        .iter()
        .map(|(range, word)| (IpNet::from_str(range).expect("the ranges above are valid"), *word))
        .collect()
});

/// The word for a special address; `None` for one of the public internet.
pub fn classify(address: IpAddr) -> Option<&'static str> {
    let tabled = TABLE.iter().find(|(range, _)| range.contains(&address)).map(|(_, word)| *word);
    tabled.or_else(|| match address {
        IpAddr::V6(v6) if is_isatap(v6) => Some("ISATAP"),
        _ => None,
    })
}

/// Whether `address` may be dialled: it is public, or `networks` has it. An address that stands for
/// an IPv4 one is judged by that one too: a grant of the NAT64 range is no grant of 127.0.0.1.
pub fn permits(networks: &[IpNet], address: IpAddr) -> bool {
    match address {
        IpAddr::V6(v6) => match embedded(v6) {
            Some((v4, Disguise::Mapped)) => granted(networks, v4.into()),
            Some((v4, Disguise::Nat64)) => {
                granted(networks, address) && permits(networks, v4.into())
            }
            None => classify(address).is_none() || granted(networks, address),
        },
        IpAddr::V4(_) => classify(address).is_none() || granted(networks, address),
    }
}

/// The smallest sensible grant for an address: this machine as a whole, otherwise the address.
pub(super) fn smallest_grants(address: IpAddr) -> Vec<IpNet> {
    match address {
        IpAddr::V4(v4) if v4.is_loopback() => {
            vec![IpNet::from_str("127.0.0.0/8").expect("a valid range")]
        }
        IpAddr::V4(_) => vec![address.into()],
        IpAddr::V6(v6) => match embedded(v6) {
            Some((v4, Disguise::Mapped)) => smallest_grants(v4.into()),
            Some((v4, Disguise::Nat64)) if classify(v4.into()).is_some() => {
                let mut grants = smallest_grants(v4.into());
                grants.push(address.into());
                grants
            }
            _ => vec![address.into()],
        },
    }
}

fn granted(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// How an IPv6 address stands for an IPv4 one.
enum Disguise {
    /// The kernel itself dials the IPv4 address.
    Mapped,
    /// A translator in the network does.
    Nat64,
}

fn embedded(address: Ipv6Addr) -> Option<(Ipv4Addr, Disguise)> {
    if let Some(v4) = address.to_ipv4_mapped() {
        return Some((v4, Disguise::Mapped));
    }
    let octets = address.octets();
    octets
        .starts_with(&[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0])
        .then(|| (Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]), Disguise::Nat64))
}

/// An interface id that carries an IPv4 address for a tunnel, whatever the prefix.
fn is_isatap(address: Ipv6Addr) -> bool {
    let words = address.segments();
    matches!(words[4], 0 | 0x0200) && words[5] == 0x5efe
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One group for each word: everything in it is special and called so.
    const SPECIAL: &[(&str, &str)] = &[
        ("unspecified", "0.0.0.0 0.0.0.1 0.255.255.255 ::"),
        ("private", "10.0.0.0 10.0.0.1 10.255.255.255 172.16.0.0 172.16.5.4 172.31.255.255"),
        ("private", "192.168.0.0 192.168.1.1 192.168.255.255 fc00:: fc00::1 fd00:ec2::254"),
        ("private", "fd20:ce::254 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("shared", "100.64.0.0 100.100.100.200 100.127.255.255"),
        ("loopback", "127.0.0.0 127.0.0.1 127.0.0.53 127.1.2.3 127.255.255.255 ::1"),
        ("cloud-metadata", "168.63.129.16"),
        ("link-local", "169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255"),
        ("link-local", "fe80:: fe80::1 fe80::a9fe:a9fe febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("protocol", "192.0.0.0 192.0.0.9 192.0.0.170 192.0.0.192 192.0.0.255"),
        ("protocol", "2001:1::1 2001:3::1 2001:4:112::1 2001:30::1 2001:1ff:ffff::1"),
        ("documentation", "192.0.2.0 192.0.2.1 192.0.2.255 198.51.100.0 198.51.100.7"),
        ("documentation", "198.51.100.255 203.0.113.0 203.0.113.9 203.0.113.255"),
        ("documentation", "2001:db8:: 2001:db8::1 2001:db8:ffff::1 3fff:: 3fff:fff::1"),
        ("6to4", "192.88.99.0 192.88.99.1 192.88.99.255 2002:: 2002:7f00:1:: 2002:a9fe:a9fe::"),
        ("6to4", "2002:c0a8:101::1 2002:ffff:ffff::1"),
        ("benchmarking", "198.18.0.0 198.18.0.1 198.19.255.255 2001:2:: 2001:2::1"),
        ("multicast", "224.0.0.0 224.0.0.1 239.255.255.250 239.255.255.255 ff00:: ff02::1 ff0e::1"),
        ("broadcast", "255.255.255.255"),
        ("reserved", "240.0.0.0 240.0.0.1 250.1.2.3 255.255.255.254 ::1:0:0:0:0 1::1 1fff::1"),
        ("reserved", "4000:: 6000::1 7fff::1 8000::1 a000::1 bfff::1 c000::1 dfff::1 e000::1"),
        ("reserved", "efff::1 f000::1 f800::1 fbff::1 fe00::1 fe7f::1 64:ff9b:2::1 100:0:0:2::1"),
        ("IPv4-mapped", "::ffff:0.0.0.0 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254"),
        ("IPv4-mapped", "::ffff:192.168.1.1 ::ffff:8.8.8.8 ::ffff:255.255.255.255"),
        ("IPv4-compatible", "::2 ::127.0.0.1 ::10.0.0.1 ::169.254.169.254 ::8.8.8.8"),
        ("IPv4-translated", "::ffff:0:127.0.0.1 ::ffff:0:10.0.0.1 ::ffff:0:8.8.8.8"),
        ("NAT64", "64:ff9b:: 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b::10.0.0.1"),
        ("NAT64", "64:ff9b::8.8.8.8 64:ff9b:1:: 64:ff9b:1::127.0.0.1 64:ff9b:1:ffff::1"),
        ("discard", "100:: 100::1 100::ffff:ffff:ffff:ffff 100:0:0:1::1"),
        ("Teredo", "2001:: 2001::1 2001:0:7f00:1::1 2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("ORCHID", "2001:10::1 2001:1f:ffff::1 2001:20::1 2001:2f:ffff::1"),
        ("AS112", "2620:4f:8000::42"),
        ("segment-routing", "5f00:: 5f00::1 5f00:ffff::1"),
        ("site-local", "fec0:: fec0::1 feff::1"),
        ("ISATAP", "2606:4700::5efe:127.0.0.1 2606:4700::200:5efe:10.0.0.1 2a00::5efe:808:808"),
    ];

    const PUBLIC: &str = "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 \
        126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 \
        172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 \
        192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 \
        203.0.112.255 203.0.114.0 223.255.255.255 2000::1 2001:200::1 2001:4860:4860::8888 \
        2001:db7::1 2001:db9::1 2003::1 2606:4700::1111 2620:4f:7fff::1 2620:4f:8001::1 \
        2a00:1450::1 3ffe::1 3fff:1000::1 2606:4700::5eff:1 2606:4700::1:5efe:7f00:1";

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text} is not an address"))
    }

    #[test]
    fn every_special_address_is_known_by_its_word() {
        let mut rows = 0;
        for (word, addresses) in SPECIAL {
            for text in addresses.split_whitespace() {
                assert_eq!(classify(address(text)), Some(*word), "{text}");
                assert!(!permits(&[], address(text)), "{text}");
                rows += 1;
            }
        }
        assert!(rows >= 100, "{rows} rows");
    }

    #[test]
    fn the_neighbours_of_special_ranges_are_public() {
        for text in PUBLIC.split_whitespace() {
            assert_eq!(classify(address(text)), None, "{text}");
            assert!(permits(&[], address(text)), "{text}");
        }
    }

    #[test]
    fn a_mapped_address_never_says_more_than_its_ipv4_address() {
        for first in 0..=255 {
            for second in [0, 16, 64, 88, 127, 168, 254, 255] {
                let v4 = Ipv4Addr::new(first, second, 99, 16);
                let networks = [IpNet::from(IpAddr::from(v4))];
                assert!(!permits(&[], v4.to_ipv6_mapped().into()), "{v4}");
                assert!(permits(&networks, v4.to_ipv6_mapped().into()), "{v4}");
            }
        }
    }

    #[test]
    fn a_grant_of_nat64_does_not_grant_what_is_behind_it() {
        let nat64: IpNet = "64:ff9b::/96".parse().unwrap();
        assert!(permits(&[nat64], address("64:ff9b::8.8.8.8")));
        assert!(!permits(&[nat64], address("64:ff9b::127.0.0.1")));
        assert!(!permits(&[], address("64:ff9b::8.8.8.8")));
    }

    #[test]
    fn what_the_remedy_grants_is_then_permitted() {
        for text in SPECIAL.iter().flat_map(|(_, addresses)| addresses.split_whitespace()) {
            assert!(permits(&smallest_grants(address(text)), address(text)), "{text}");
        }
    }
}
