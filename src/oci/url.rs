//! Addresses of registries, token services and redirects: the part of RFC 3986 on which every URL
//! parser agrees.
//!
//! In scope: http and https, hosts, ports, paths with queries, joining a `Location`. Out of scope:
//! user information, other schemes, internationalised names, white space, backslashes, IPv4 in its
//! loose spellings. Those are refused: where two parsers read one address differently, credentials
//! go to a host that was not checked. Addresses come from registries and are not trusted.

mod parts;

pub use parts::Parts;
#[cfg(feature = "gateway")]
pub(crate) use parts::percent_decode;

use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use parts::without_fragment;

/// An absolute http or https address, without fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    https: bool,
    /// Lower case; an IPv6 address stands in brackets.
    host: String,
    port: u16,
    /// Begins with a slash; the query follows.
    target: String,
}

impl Url {
    /// Reads `http[s]://host[:port][/path][?query][#fragment]`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        // WHATWG parsers drop tabs and line ends, and read a backslash as a slash.
        if text.len() > limits::ADDRESS
            || !text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            return None;
        }
        let Parts {
            scheme,
            authority,
            target,
        } = Parts::of(text);
        let https = scheme.eq_ignore_ascii_case("https");
        if !https && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, parse_port(port)?),
            _ => (authority, default_port(https)),
        };
        let host = host.to_ascii_lowercase();
        let slash = if target.starts_with('/') { "" } else { "/" };
        is_host(&host).then(|| Self {
            https,
            host,
            port,
            target: format!("{slash}{target}"),
        })
    }

    /// Resolves a `Location` or `Link` (RFC 3986 section 5.2); `None` when the result is no
    /// [`Url`].
    pub fn join(&self, location: &str) -> Option<Self> {
        let path = self.target.split('?').next().unwrap_or_default();
        let text = match location {
            _ if has_scheme(location) => return Self::parse(location),
            _ if location.starts_with("//") => format!("{}:{location}", self.scheme()),
            _ if location.starts_with('/') => format!("{}{location}", self.origin()),
            _ if location.starts_with('?') => format!("{}{path}{location}", self.origin()),
            _ if without_fragment(location).is_empty() => return Some(self.clone()),
            _ => format!("{}{}", self.origin(), merge(path, location)),
        };
        Self::parse(&text)
    }

    /// The same host and port, and this path with its query, which begins with a slash.
    pub(super) fn at(&self, target: &str) -> Self {
        Self {
            target: target.into(),
            ..self.clone()
        }
    }

    /// With these parameters added to the query, percent-encoded.
    pub(super) fn with_query(&self, pairs: &[(&str, &str)]) -> Self {
        let mut target = self.target.clone();
        let form = encode_form(pairs);
        if !form.is_empty() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&form);
        }
        Self {
            target,
            ..self.clone()
        }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The host, lower case, without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own where none is written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is https.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether scheme, host and port are the same.
    pub fn same_origin(&self, other: &Self) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }

    /// Whether the host is `localhost` or below it (RFC 6761 section 6.3), in 127.0.0.0/8 or
    /// `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let named = self.host == "localhost" || self.host.ends_with(".localhost");
        named
            || self.host == "[::1]"
            || self
                .host
                .parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Whether the host is written as an address that the public internet does not have, or names
    /// this machine. A name that resolves to such an address is for whoever connects to refuse.
    pub fn is_private(&self) -> bool {
        let literal = self
            .host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        self.is_loopback() || literal.is_ok_and(|address| !is_public(address))
    }

    /// Whether the host is the same, on whatever port; all loopback hosts are this machine.
    pub fn same_host(&self, other: &Self) -> bool {
        self.host == other.host || self.is_loopback() && other.is_loopback()
    }

    /// Whether the host's name is this one's parent domain, at whatever distance.
    pub fn is_below(&self, other: &Self) -> bool {
        let above = self
            .host
            .strip_suffix(&other.host)
            .is_some_and(|rest| rest.ends_with('.'));
        above && other.host.contains('.')
    }

    /// Whether what this address says may lead to `next`: never from https to plain http.
    pub fn may_lead_to(&self, next: &Self) -> bool {
        next.https || !self.https
    }

    /// Scheme, host and path, for messages: queries of redirects hold signatures.
    pub fn shown(&self) -> String {
        format!(
            "{}{}",
            self.origin(),
            self.target.split('?').next().unwrap_or_default()
        )
    }

    fn origin(&self) -> String {
        let port = if self.port == default_port(self.https) {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        format!("{}://{}{port}", self.scheme(), self.host)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.target)
    }
}

/// `application/x-www-form-urlencoded`, everything but unreserved characters escaped.
pub(super) fn encode_form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        out.push_str(if out.is_empty() { "" } else { "&" });
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// A name of labels, IPv4 in its one strict spelling, or IPv6 in brackets in its canonical one.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        return inner
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| format!("{address}") == inner);
    }
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // URL standard, "ends in a number": such a host is an IPv4 address or nothing (0x7f.1 would be
    // loopback).
    let last = host.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    host.split('.').all(label) && (!number || host.parse::<Ipv4Addr>().is_ok())
}

/// By the IANA special-purpose registries: everything that is not globally reachable, and what
/// carries an IPv4 address inside.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let special = matches!(
                (a, b, c),
                (0 | 10 | 127 | 224.., _, _)
                    | (100, 64..=127, _)
                    | (169, 254, _)
                    | (172, 16..=31, _)
                    | (192, 0, 0 | 2)
                    | (192, 168, _)
                    | (198, 18 | 19, _)
                    | (198, 51, 100)
                    | (203, 0, 113)
            );
            !special
        }
        // Only 2000::/3 is given out; in it lie Teredo and 6to4, which lead to IPv4 addresses, and
        // documentation.
        IpAddr::V6(address) => match address.segments() {
            [0x2001, 0, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] => false,
            [first, ..] => matches!(first, 0x2000..=0x3fff),
        },
    }
}

fn has_scheme(text: &str) -> bool {
    let head = text.split(['/', '?', '#']).next().unwrap_or_default();
    head.contains(':')
}

/// RFC 3986 sections 5.2.3 and 5.2.4: `relative` in the directory of `path`, dot segments resolved.
fn merge(path: &str, relative: &str) -> String {
    let (relative, query) = relative.split_at(relative.find(['?', '#']).unwrap_or(relative.len()));
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut segments: Vec<&str> = directory.split('/').skip(1).collect();
    for segment in relative.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    // A last segment of dots names a directory.
    if matches!(relative.rsplit('/').next(), Some("." | "..")) {
        segments.push("");
    }
    format!("/{}{query}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn reads() {
        for (text, full, loopback) in [
            ("HTTPS://Ghcr.IO", "https://ghcr.io/", false),
            (
                "http://127.9.9.9:5000/x?y#z",
                "http://127.9.9.9:5000/x?y",
                true,
            ),
            (
                "https://localhost:443?a=/b",
                "https://localhost/?a=/b",
                true,
            ),
            ("http://[::1]:80/", "http://[::1]/", true),
            ("http://[2001:db8::1]:81", "http://[2001:db8::1]:81/", false),
            (
                "http://localhost.example/",
                "http://localhost.example/",
                false,
            ),
            ("http://Gate.localhost:1", "http://gate.localhost:1/", true),
            ("http://xlocalhost/", "http://xlocalhost/", false),
            (
                "http://a_b-c.d:65535/%2F|{}",
                "http://a_b-c.d:65535/%2F|{}",
                false,
            ),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(
                (url.to_string().as_str(), url.is_loopback()),
                (full, loopback),
                "{text}"
            );
        }
    }

    /// Each is read by some parser as another host than by another.
    #[test]
    fn refuses() {
        for text in [
            "",
            "x",
            "//a",
            "ftp://a",
            "file:///etc/passwd",
            "http:a",
            "http:/a",
            "http:///a",
            "http://",
            "http://:80",
            "http://a:",
            "http://a:0",
            "http://a:65536",
            "http://a:+1",
            "http://u@a",
            "http://u:p@a",
            "http://a\\@b",
            "http://a\\b",
            "http://a b",
            "http://a\tb",
            "http://a/\n",
            "http://é",
            "http://a%2eb",
            "http://a..b",
            "http://a.",
            "http://127.1",
            "http://0x7f.0.0.1",
            "http://127.0.0.0x1",
            "http://2130706433",
            "http://0177.0.0.1",
            "http://127.0.0.1.",
            "http://[::0:1]",
            "http://[::1",
            "http://[::1]x",
            "http://[fe80::1%25eth0]",
            "javascript://a/%0aalert(1)",
        ] {
            assert_eq!(Url::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn joins() {
        let base = Url::parse("https://r.test:444/v2/a/blobs/x?q=1").unwrap();
        for (location, expected) in [
            ("/y?z", "https://r.test:444/y?z"),
            ("y", "https://r.test:444/v2/a/blobs/y"),
            ("../y/./z", "https://r.test:444/v2/a/y/z"),
            ("..", "https://r.test:444/v2/a/"),
            ("../../../../../y?../z", "https://r.test:444/y?../z"),
            ("?n=2", "https://r.test:444/v2/a/blobs/x?n=2"),
            ("#f", "https://r.test:444/v2/a/blobs/x?q=1"),
            ("", "https://r.test:444/v2/a/blobs/x?q=1"),
            ("//b.test/c", "https://b.test/c"),
            ("http://b.test", "http://b.test/"),
        ] {
            assert_eq!(
                base.join(location).unwrap().to_string(),
                expected,
                "{location}"
            );
        }
        for location in [
            "ftp://a/b",
            "https:evil.test",
            "data:,x",
            "///",
            "\\\\evil.test",
            "/a b",
            "x:y",
            "//u@b",
        ] {
            assert_eq!(base.join(location), None, "{location}");
        }
    }

    #[test]
    fn leads() {
        let url = |text| Url::parse(text).unwrap();
        for (from, to, expected) in [
            ("https://a", "https://b", true),
            ("https://a", "http://a", false),
            ("https://a", "http://localhost", false),
            ("https://localhost", "http://127.0.0.1", false),
            ("http://a", "http://b", true),
            ("http://a", "https://b", true),
            ("https://localhost", "http://a", false),
        ] {
            assert_eq!(url(from).may_lead_to(&url(to)), expected, "{from} {to}");
        }
    }

    #[test]
    fn private_addresses() {
        let private = |host: &str| {
            Url::parse(&format!("https://{host}/"))
                .unwrap()
                .is_private()
        };
        for host in [
            "localhost",
            "a.localhost",
            "127.0.0.1",
            "127.255.0.9",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::a00:1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001::1]",
            "[2002:7f00:1::]",
            "[2001:db8::1]",
        ] {
            assert!(private(host), "{host}");
        }
        for host in [
            "a.test",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.169.0.1",
            "198.17.0.1",
            "223.255.255.255",
            "[2606:4700::1]",
            "[2001:4860::8888]",
        ] {
            assert!(!private(host), "{host}");
        }
    }

    #[test]
    fn hosts_compared() {
        let url = |text: &str| Url::parse(&format!("https://{text}")).unwrap();
        for (a, b, expected) in [
            ("r.test:1", "r.test:2", true),
            ("r.test", "s.test", false),
            ("localhost:1", "127.0.0.1:2", true),
            ("localhost", "r.test", false),
        ] {
            assert_eq!(url(a).same_host(&url(b)), expected, "{a} {b}");
        }
        for (child, parent, expected) in [
            ("registry.gitlab.com", "gitlab.com", true),
            ("a.b.c.test", "c.test", true),
            ("r.test", "test", false),
            ("xgitlab.com", "gitlab.com", false),
            ("r.test", "r.test", false),
            ("gitlab.com", "registry.gitlab.com", false),
        ] {
            assert_eq!(
                url(child).is_below(&url(parent)),
                expected,
                "{child} {parent}"
            );
        }
    }

    #[test]
    fn queries() {
        let url = Url::parse("https://a/t?x=1")
            .unwrap()
            .with_query(&[("scope", "repository:a/b:pull"), ("s", "é &")]);
        assert_eq!(
            url.to_string(),
            "https://a/t?x=1&scope=repository%3Aa%2Fb%3Apull&s=%C3%A9%20%26"
        );
        assert_eq!(url.shown(), "https://a/t");
    }

    proptest! {
        #[test]
        fn never_panics_and_round_trips(
            text in "(https?://)?[a-cA-C0-9x.:/?#@\\\\\\[\\]% -]{0,24}|.{0,40}",
            location in "[a/.:?#\\\\@]{0,12}|.{0,40}",
        ) {
            let base = Url::parse("http://127.0.0.1:5000/v2/x").unwrap();
            let urls = [Url::parse(&text), base.join(&location), base.join(&text)];
            for url in urls.into_iter().flatten() {
                prop_assert_eq!(Url::parse(&url.to_string()), Some(url.clone()));
                prop_assert!(url.target().starts_with('/'));
            }
        }
    }
}
