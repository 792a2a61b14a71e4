//! Name constraints (RFC 5280 section 4.2.1.10): for which names an authority may issue.
//!
//! Whatever cannot be compared is refused: a URI without a host, a name of a form that is
//! constrained and not read here. RUSTSEC-2026-0098 and -0099 are about verifiers that let such
//! names pass.

use super::error::X509Error;
use super::name::{San, attributes, ia5, tag_number};
use crate::encoding::der::{Element, Elements, ObjectIdentifier, Tag, constructed};
use crate::limits;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

#[derive(Debug)]
pub(super) struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

/// GeneralSubtree's base.
#[derive(Debug)]
enum Subtree {
    Email(String),
    Dns(String),
    Uri(String),
    /// Address and mask.
    Ip(Vec<u8>, Vec<u8>),
    Directory(Vec<u8>),
    /// A form that is not read, by its tag number.
    Unread(u32),
}

/// A name as it is compared: its form, by GeneralName's tag number, and itself.
struct Name<'a> {
    form: u32,
    san: &'a San,
}

impl NameConstraints {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, X509Error> {
        let mut values = Elements::inside_only(bytes, Tag::Sequence, "the name constraints")?;
        let permitted = subtrees(values.optional(constructed(0))?)?;
        let excluded = subtrees(values.optional(constructed(1))?)?;
        values.finish()?;
        if permitted.is_empty() && excluded.is_empty() {
            return Err(values.error().into());
        }
        Ok(Self {
            permitted,
            excluded,
        })
    }

    /// Whether a certificate with this subject (a DER Name) and these `names` may be issued; else
    /// the name that may not. RFC 5280 section 6.1.3 (b) and (c), for self-issued certificates too,
    /// as Go does.
    pub(super) fn check(&self, subject: &[u8], names: &[San]) -> Result<(), String> {
        let directory = San::Directory(subject.into());
        let mut emails = Vec::new();
        // "rfc822Name … constraint MUST be applied to the attribute of type emailAddress in the
        // subject".
        let read = attributes(subject, |oid, value| {
            if oid == EMAIL_ADDRESS {
                emails.push(ia5(value.body).map_or(San::Unread(1), San::Email));
            }
        });
        read.map_err(|error| error.to_string())?;
        // An empty subject is no directory name.
        let directory = Some(&directory).filter(|_| subject.len() > 2);
        directory
            .into_iter()
            .chain(&emails)
            .chain(names)
            .try_for_each(|san| {
                self.check_name(&Name {
                    form: form(san),
                    san,
                })
            })
    }

    fn check_name(&self, name: &Name<'_>) -> Result<(), String> {
        let refused = || name.san.to_string();
        let of_form =
            |subtrees: &'_ [Subtree]| subtrees.iter().any(|subtree| subtree.form() == name.form);
        let is_permitted = !of_form(&self.permitted)
            || self
                .permitted
                .iter()
                .any(|subtree| subtree.holds(name.san, Side::Permitted) == Some(true));
        // Comparable, and outside of each.
        let is_excluded = self
            .excluded
            .iter()
            .filter(|subtree| subtree.form() == name.form)
            .any(|subtree| subtree.holds(name.san, Side::Excluded) != Some(false));
        if is_permitted && !is_excluded {
            Ok(())
        } else {
            Err(refused())
        }
    }
}

/// On which side a subtree stands. A wildcard is inside a permitted one only with all that it
/// matches, and inside an excluded one as soon as anything is that it matches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Permitted,
    Excluded,
}

fn form(san: &San) -> u32 {
    match san {
        San::Other(..) => 0,
        San::Email(_) => 1,
        San::Dns(_) => 2,
        San::Directory(_) => 4,
        San::Uri(_) => 6,
        San::Ip(_) => 7,
        San::Unread(number) => *number,
    }
}

fn subtrees(list: Option<Element<'_>>) -> Result<Vec<Subtree>, X509Error> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let mut values = Elements::of(list.body, "the name constraints");
    let mut subtrees = Vec::new();
    while subtrees.is_empty() || !values.is_empty() {
        let mut subtree = values.inside(Tag::Sequence)?;
        let base = subtree.any()?;
        // "the minimum MUST be zero, and maximum MUST be absent", and DER leaves a default out.
        subtree.finish()?;
        if subtrees.len() == limits::NAMES {
            return Err(X509Error::TooMany {
                what: "name constraints",
                limit: limits::NAMES,
            });
        }
        subtrees.push(Subtree::read(base).ok_or_else(|| values.error())?);
    }
    Ok(subtrees)
}

impl Subtree {
    fn read(base: Element<'_>) -> Option<Self> {
        let text = || {
            if base.body.is_empty() {
                Some(String::new())
            } else {
                ia5(base.body)
            }
        };
        Some(match tag_number(base.tag)? {
            (false, 1) => Self::Email(text()?),
            (false, 2) => Self::Dns(text()?),
            (false, 6) => Self::Uri(text()?),
            (false, 7) if matches!(base.body.len(), 8 | 32) => {
                let (address, mask) = base.body.split_at(base.body.len() / 2);
                Self::Ip(address.into(), mask.into())
            }
            (true, 4) => {
                attributes(base.body, |_, _| ()).ok()?;
                Self::Directory(base.body.into())
            }
            (true, number @ (0 | 3 | 5)) | (false, number @ 8) => Self::Unread(number),
            _ => return None,
        })
    }

    fn form(&self) -> u32 {
        match self {
            Self::Email(_) => 1,
            Self::Dns(_) => 2,
            Self::Directory(_) => 4,
            Self::Uri(_) => 6,
            Self::Ip(..) => 7,
            Self::Unread(number) => *number,
        }
    }

    /// Whether the name is inside; `None` when that cannot be told.
    fn holds(&self, name: &San, side: Side) -> Option<bool> {
        match (self, name) {
            (Self::Email(base), San::Email(name)) => email(base, name),
            (Self::Dns(base), San::Dns(name)) => dns(base, name, side),
            (Self::Uri(base), San::Uri(name)) => Some(host_in(base, uri_host(name)?)),
            (Self::Ip(address, mask), San::Ip(name)) => Some(ip(address, mask, name)),
            (Self::Directory(base), San::Directory(name)) => directory(base, name),
            _ => None,
        }
    }
}

/// `user@host` is one mailbox, `host` all of that host, `.domain` all of the hosts in it.
fn email(base: &str, name: &str) -> Option<bool> {
    let (local, host) = name.rsplit_once('@')?;
    // A quoted local part has many spellings.
    if local.is_empty() || local.contains(['"', '\\', '@']) || !is_host(host) {
        return None;
    }
    Some(match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            base_local == local && base_host.eq_ignore_ascii_case(host)
        }
        None => host_in(base, host),
    })
}

/// For URIs and email: `host` exactly, or any host below `.domain`.
fn host_in(base: &str, host: &str) -> bool {
    if base.is_empty() {
        return true;
    }
    if base.starts_with('.') {
        is_below(base, host)
    } else {
        base.eq_ignore_ascii_case(host)
    }
}

/// `.domain` ends `host`, with something before it.
fn is_below(dot_domain: &str, host: &str) -> bool {
    let Some(before) = host.len().checked_sub(dot_domain.len()) else {
        return false;
    };
    before > 0
        && host
            .get(before..)
            .is_some_and(|end| end.eq_ignore_ascii_case(dot_domain))
}

/// "any DNS name that can be constructed by simply adding zero or more labels to the left-hand
/// side".
fn dns(base: &str, name: &str, side: Side) -> Option<bool> {
    let (is_wildcard, host) = name
        .strip_prefix("*.")
        .map_or((false, name), |rest| (true, rest));
    if !is_host(host) {
        return None;
    }
    let base = base.strip_prefix('.').unwrap_or(base);
    let within = |domain: &str, host: &str| {
        domain.is_empty()
            || domain.eq_ignore_ascii_case(host)
            || is_below(&alloc::format!(".{domain}"), host)
    };
    let all = within(base, host);
    let any = is_wildcard && within(host, base);
    Some(match side {
        Side::Permitted => all,
        Side::Excluded => all || any,
    })
}

/// The host of a URI (RFC 3986 section 3.2) if it is a domain name: "the constraint MUST be
/// specified as a fully qualified domain name", and a URI without such a host is refused.
fn uri_host(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once("://")?;
    if scheme.is_empty()
        || !scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host,
    };
    // The last label of a name is no number: that is an address.
    let is_name = host
        .rsplit('.')
        .next()
        .is_some_and(|label| !label.bytes().all(|byte| byte.is_ascii_digit()));
    (is_host(host) && is_name).then_some(host)
}

/// Labels of letters, digits, hyphens and underscores.
fn is_host(host: &str) -> bool {
    host.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

fn ip(address: &[u8], mask: &[u8], name: &[u8]) -> bool {
    name.len() == address.len()
        && name
            .iter()
            .zip(address)
            .zip(mask)
            .all(|((name, address), mask)| name & mask == address & mask)
}

/// The base's relative names begin the name (section 7.1).
fn directory(base: &[u8], name: &[u8]) -> Option<bool> {
    let (base, name) = (relative_names(base)?, relative_names(name)?);
    if base.len() > name.len() {
        return Some(false);
    }
    let mut all = true;
    for (base, name) in base.iter().zip(&name) {
        if base.len() != name.len() {
            return Some(false);
        }
        for ((oid, base), (other, name)) in base.iter().zip(name) {
            all &= oid == other && same_text(base, name)?;
        }
    }
    Some(all)
}

/// RDNSequence.
fn relative_names(name: &[u8]) -> Option<Vec<Vec<(ObjectIdentifier, Element<'_>)>>> {
    let mut sets = Elements::of(name, "a name").inside(Tag::Sequence).ok()?;
    let mut names = Vec::new();
    while !sets.is_empty() {
        let mut set = sets.inside(Tag::Set).ok()?;
        let mut parts = Vec::new();
        while !set.is_empty() {
            let mut attribute = set.inside(Tag::Sequence).ok()?;
            parts.push((attribute.oid().ok()?, attribute.any().ok()?));
        }
        names.push(parts);
    }
    Some(names)
}

/// Case and runs of spaces do not matter (RFC 4518, as far as ASCII goes). `None` for other texts
/// that are not the same bytes.
fn same_text(one: &Element<'_>, other: &Element<'_>) -> Option<bool> {
    if one.raw == other.raw {
        return Some(true);
    }
    let folded = |value: &Element<'_>| {
        let is_text = matches!(
            value.tag,
            Tag::PrintableString | Tag::Utf8String | Tag::Ia5String
        ) && value.body.is_ascii();
        let text = core::str::from_utf8(value.body).ok().filter(|_| is_text)?;
        Some(
            text.split_ascii_whitespace()
                .map(str::to_ascii_lowercase)
                .collect::<Vec<_>>(),
        )
    };
    Some(folded(one)? == folded(other)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_uris() {
        for (uri, host) in [
            ("https://github.com/o/r@refs/x", Some("github.com")),
            ("https://u:p@host.example:8443/x", Some("host.example")),
            ("spiffe://domain.example", Some("domain.example")),
            ("https://evil.example\\@github.com/", Some("evil.example")),
            ("https://evil.example#@github.com", Some("evil.example")),
            ("https://github.com@evil.example/", Some("evil.example")),
            ("urn:x", None),
            ("https:github.com", None),
            ("https:///x", None),
            ("https://[::1]/", None),
            ("https://10.0.0.1/", None),
            ("https://a%2eb/", None),
            ("https://a..b/", None),
            ("https://host:x/", None),
            ("https://github.com./", None),
            ("://github.com", None),
        ] {
            assert_eq!(uri_host(uri), host, "{uri}");
        }
    }

    #[test]
    fn mailboxes() {
        for (base, name, inside) in [
            ("example.com", "me@example.com", Some(true)),
            ("example.com", "me@EXAMPLE.com", Some(true)),
            ("example.com", "me@a.example.com", Some(false)),
            (".example.com", "me@a.example.com", Some(true)),
            (".example.com", "me@example.com", Some(false)),
            ("me@example.com", "me@example.com", Some(true)),
            ("me@example.com", "Me@example.com", Some(false)),
            ("", "me@example.com", Some(true)),
            ("example.com", "\"a@b\"@example.com", None),
            ("example.com", "example.com", None),
            ("example.com", "a@b@example.com", None),
            ("example.com", "@example.com", None),
        ] {
            assert_eq!(email(base, name), inside, "{base} {name}");
        }
    }

    #[test]
    fn domains() {
        for (base, name, permitted, excluded) in [
            ("example.com", "example.com", true, true),
            ("example.com", "a.Example.com", true, true),
            ("example.com", "badexample.com", false, false),
            ("example.com", "com", false, false),
            ("a.example.com", "*.example.com", false, true),
            ("example.com", "*.example.com", true, true),
            ("b.a.example.com", "*.example.com", false, true),
            ("", "x", true, true),
            ("example.com", "*.com", false, true),
            ("example.com", "*.org", false, false),
        ] {
            assert_eq!(
                (
                    dns(base, name, Side::Permitted),
                    dns(base, name, Side::Excluded)
                ),
                (Some(permitted), Some(excluded)),
                "{base} {name}"
            );
        }
        assert_eq!(dns("example.com", "a.*.example.com", Side::Permitted), None);
    }
}
