//! Whether a certificate is for a host (RFC 6125 section 6.4, as Go's `Certificate.VerifyHostname`
//! does it).
//!
//! In scope: `dNSName` with a wildcard as its whole first label, `iPAddress`. Out of scope: the
//! common name.

use super::certificate::Certificate;
use super::name::San;
use core::net::IpAddr;

/// An address (in brackets or not) is compared with addresses, a name with names, without regard to
/// ASCII case. What is no host name matches itself alone.
pub fn has_hostname(certificate: &Certificate, host: &str) -> bool {
    let unwrapped = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match unwrapped.parse::<IpAddr>() {
        Ok(address) => certificate.names().iter().any(
            |name| matches!(name, San::Ip(bytes) if ip(bytes) == Some(address.to_canonical())),
        ),
        Err(_) => certificate
            .names()
            .iter()
            .any(|name| matches!(name, San::Dns(pattern) if matches_name(pattern, host))),
    }
}

/// An IPv4 address inside of IPv6 is the IPv4 address.
fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
        .map(|address| address.to_canonical())
}

fn matches_name(pattern: &str, host: &str) -> bool {
    if !is_name(host.strip_suffix('.').unwrap_or(host), false) || !is_name(pattern, true) {
        return !matches!(host, "" | ".") && pattern.eq_ignore_ascii_case(host);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(pattern), Some((_, host))) => pattern.eq_ignore_ascii_case(host),
        (Some(_), None) => false,
        (None, _) => pattern.eq_ignore_ascii_case(host),
    }
}

/// Labels of letters, digits, underscores and inner hyphens; the first one of a pattern may be `*`,
/// but not the only one.
fn is_name(name: &str, is_pattern: bool) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let rest = name
        .strip_prefix("*.")
        .filter(|_| is_pattern)
        .unwrap_or(name);
    rest.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, host, expected) in [
            ("host.example.com", "host.example.com", true),
            ("Host.example.com", "hosT.example.com.", true),
            ("host.example.com", "example.com", false),
            ("example.com", "host.example.com", false),
            ("*.example.com", "host.example.com", true),
            ("*.example.com", "a.host.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("h*.example.com", "host.example.com", false),
            ("h*.example.com", "H*.example.com", true),
            ("host.*.com", "host.example.com", false),
            ("*", "host", false),
            ("*", "*", true),
            ("*.com", "com", false),
            ("*.example.com", "*.example.com", true),
            ("*.*.com", "a.b.com", false),
            ("", "", false),
            (".", ".", false),
            ("host.example.com.", "host.example.com", false),
            ("a_b.example", "a_b.example", true),
            ("-a.example", "-a.example", true),
            ("192.0.2.1", "192.0.2.1", true),
        ] {
            assert_eq!(matches_name(pattern, host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn addresses() {
        let of = |text: &str| {
            text.parse::<IpAddr>()
                .ok()
                .map(|address| address.to_canonical())
        };
        assert_eq!(ip(&[192, 0, 2, 1]), of("192.0.2.1"));
        assert_eq!(
            ip(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]),
            of("192.0.2.1")
        );
        assert_eq!(ip(&[1, 2, 3]), None);
    }
}
