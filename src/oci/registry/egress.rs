//! Which addresses were written by the one who asks, and which by anybody else (docs/gateway.md
//! "Egress"): where a redirect may lead, and where a user's credentials may go.
//!
//! In scope: what can be decided by reading an address. Out of scope: what a name resolves to; a
//! host refuses private addresses of [`Egress::Public`] where it connects.

use super::error::RegistryError;
use super::error::clean;
use crate::error::HostError;
use crate::host::Egress;
use crate::limits;
use crate::oci::auth::Credentials;
use crate::oci::url::Url;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Hosts that may be private and plain http although somebody else names them: the gateway's
/// `EGRESS`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressHosts(Vec<(String, Option<u16>)>);

impl EgressHosts {
    /// Each `host`, on every port, or `host:port`.
    ///
    /// # Errors
    /// [`RegistryError::Address`] with the first that is neither.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, RegistryError> {
        entries
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn names(&self, url: &Url) -> bool {
        self.0
            .iter()
            .any(|(host, port)| host == url.host() && port.is_none_or(|port| port == url.port()))
    }
}

fn entry(text: &str) -> Result<(String, Option<u16>), RegistryError> {
    let wrong = || RegistryError::Address {
        text: clean(text, limits::NAME),
    };
    let url = Url::parse(&format!("https://{text}"))
        .filter(|_| !text.contains(['/', '?', '#']))
        .ok_or_else(wrong)?;
    // A colon inside of brackets is the address's own.
    let has_port = text.rsplit(']').next().unwrap_or_default().contains(':');
    Ok((url.host().into(), has_port.then(|| url.port())))
}

/// Where a redirect leads, and whose word that is. `ours`: every step up to `at` was the origin
/// that was asked.
pub(super) fn redirect(
    at: &Url,
    location: &str,
    ours: bool,
    hosts: &EgressHosts,
) -> Result<(Url, Egress), RegistryError> {
    let stop = |reason: String| {
        RegistryError::from(HostError::Redirect {
            url: at.shown(),
            reason,
        })
    };
    let next = at.join(location).ok_or_else(|| {
        stop(format!(
            "{:?} is no http or https address",
            clean(location, 100)
        ))
    })?;
    if !at.may_lead_to(&next) {
        return Err(stop(format!("it leads from https to {}", next.shown())));
    }
    if ours && next.same_origin(at) || hosts.names(&next) {
        return Ok((next, Egress::Operator));
    }
    if !next.is_https() {
        return Err(HostError::Egress {
            url: next.shown(),
            reason: format!(
                "a redirect of {} leads there, and it is plain http",
                at.shown()
            ),
        }
        .into());
    }
    public(&next, &format!("a redirect of {}", at.shown()))?;
    Ok((next, Egress::Public))
}

/// Whether a token service may be asked with these credentials: the registry's own host, Docker
/// Hub's, one above the registry (who controls a domain controls what is below it), or one that the
/// user wrote down; of credentials that are lent, not the one above. Anonymously also any other, over
/// https.
pub(super) fn realm(
    base: &Url,
    realm: &Url,
    credentials: &Credentials,
    written: &[Url],
    lent: bool,
) -> Result<Egress, RegistryError> {
    let refused = || RegistryError::Realm {
        registry: base.host().into(),
        realm: realm.shown(),
    };
    if written
        .iter()
        .any(|one| one.same_origin(realm) && one.shown() == realm.shown())
    {
        return Ok(Egress::Operator);
    }
    if !base.may_lead_to(realm) {
        return Err(refused());
    }
    if base.same_host(realm) {
        return Ok(Egress::Operator);
    }
    let docker = base.host() == "registry-1.docker.io" && realm.host() == "auth.docker.io";
    if !realm.is_https()
        || !(docker || base.is_below(realm) && !lent || *credentials == Credentials::Anonymous)
    {
        return Err(refused());
    }
    public(realm, "the registry's challenge")?;
    Ok(Egress::Public)
}

/// The first of two locks: the host that connects refuses names, too.
fn public(url: &Url, who: &str) -> Result<(), RegistryError> {
    if !url.is_private() {
        return Ok(());
    }
    Err(HostError::Egress {
        url: url.shown(),
        reason: format!(
            "{who} leads there, and it is no public address (list a token service that is meant \
             in the option \"realms\")"
        ),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn hosts() {
        let hosts =
            EgressHosts::parse(["Minio.internal", "10.0.0.1:9000", "[::1]", "[fd00::1]:81"])
                .unwrap();
        for (text, expected) in [
            ("http://minio.internal/x", true),
            ("https://minio.internal:9000/x", true),
            ("http://x.minio.internal/", false),
            ("http://10.0.0.1:9000/", true),
            ("http://10.0.0.1/", false),
            ("http://[::1]:7/", true),
            ("http://[fd00::1]:81/", true),
            ("http://[fd00::1]/", false),
        ] {
            assert_eq!(hosts.names(&url(text)), expected, "{text}");
        }
        for wrong in [
            "", "http://a", "a/b", "a?x", "a b", "a:", "a:0", "*.a", "127.1",
        ] {
            assert_eq!(
                EgressHosts::parse([wrong]).unwrap_err().code(),
                "registry.address",
                "{wrong}"
            );
        }
    }

    #[test]
    fn redirects() {
        let hosts = EgressHosts::parse(["minio.internal:9000", "10.0.0.9"]).unwrap();
        let by = Ok(Egress::Operator);
        let public = Ok(Egress::Public);
        for (at, to, ours, expected) in [
            ("http://10.0.0.1:5000/a", "/b", true, by),
            (
                "http://10.0.0.1:5000/a",
                "http://10.0.0.1:5001/b",
                true,
                Err("host.egress"),
            ),
            (
                "http://10.0.0.1:5000/a",
                "http://127.0.0.1:5000/",
                true,
                Err("host.egress"),
            ),
            (
                "http://r.test/a",
                "http://other.test/",
                true,
                Err("host.egress"),
            ),
            ("http://r.test/a", "https://r.test/a", true, public),
            (
                "http://r.test/a",
                "https://127.0.0.1/a",
                true,
                Err("host.egress"),
            ),
            ("http://r.test/a", "http://minio.internal:9000/", true, by),
            (
                "http://r.test/a",
                "http://minio.internal/",
                true,
                Err("host.egress"),
            ),
            ("https://r.test/a", "https://10.0.0.9/", true, by),
            // Never from https to plain http, whoever wrote it.
            (
                "https://r.test/a",
                "http://minio.internal:9000/",
                true,
                Err("host.redirect"),
            ),
            (
                "https://localhost/a",
                "http://localhost/",
                true,
                Err("host.redirect"),
            ),
            ("https://r.test/a", "https://cdn.test/", true, public),
            ("https://r.test/a", "/b", true, by),
            ("https://r.test/a", "https://r.test:8443/b", true, public),
            (
                "https://r.test/a",
                "https://a.localhost/",
                true,
                Err("host.egress"),
            ),
            (
                "https://r.test/a",
                "https://169.254.169.254/latest",
                true,
                Err("host.egress"),
            ),
            (
                "https://r.test/a",
                "https://[fd00::1]/",
                true,
                Err("host.egress"),
            ),
            // Once another host chose, it is its word, wherever it leads.
            ("https://cdn.test/a", "https://cdn.test/b", false, public),
            (
                "https://cdn.test/a",
                "https://127.0.0.1/b",
                false,
                Err("host.egress"),
            ),
            (
                "https://r.test/a",
                "file:///etc/passwd",
                true,
                Err("host.redirect"),
            ),
        ] {
            assert_eq!(
                redirect(&url(at), to, ours, &hosts)
                    .map(|(_, egress)| egress)
                    .map_err(|error| error.code()),
                expected,
                "{at} {to}"
            );
        }
    }

    #[test]
    fn realms() {
        let user = Credentials::Basic {
            username: "u".into(),
            password: "p".into(),
        };
        let written = [
            url("https://sso.corp.test/token?service=x"),
            url("http://10.0.0.1/token"),
        ];
        let own = Ok(Egress::Operator);
        let public = Ok(Egress::Public);
        let no = Err("registry.realm");
        for (base, asked, by_user, anonymously) in [
            ("https://r.test", "https://r.test:5001/auth", own, own),
            ("https://r.test", "http://r.test/auth", no, no),
            ("http://r.test:5000", "http://r.test:5001/auth", own, own),
            (
                "http://127.0.0.1:5000",
                "http://localhost:5001/auth",
                own,
                own,
            ),
            ("https://localhost", "http://localhost:5001/auth", no, no),
            ("https://r.test", "http://a.localhost/", no, no),
            (
                "https://registry.gitlab.test",
                "https://gitlab.test/jwt/auth",
                public,
                public,
            ),
            (
                "http://registry.gitlab.test",
                "http://gitlab.test/jwt/auth",
                no,
                no,
            ),
            ("https://r.test", "https://test/", no, public),
            (
                "https://registry-1.docker.io",
                "https://auth.docker.io/token",
                public,
                public,
            ),
            (
                "https://evil.test",
                "https://auth.docker.io/token",
                no,
                public,
            ),
            ("https://r.test", "https://sub.r.test/", no, public),
            ("https://r.test", "https://evil.test/", no, public),
            ("http://r.test", "http://evil.test/", no, no),
            (
                "https://r.test",
                "https://10.0.0.1/",
                no,
                Err("host.egress"),
            ),
            (
                "https://r.test",
                "https://localhost/",
                no,
                Err("host.egress"),
            ),
            // What the user wrote, and nothing beside it.
            ("https://r.test", "https://sso.corp.test/token", own, own),
            ("https://r.test", "https://sso.corp.test/other", no, public),
            ("https://r.test", "http://10.0.0.1/token", own, own),
            ("https://r.test", "http://10.0.0.1:81/token", no, no),
        ] {
            for (credentials, expected) in [
                (&user, by_user),
                (&Credentials::IdentityToken("t".into()), by_user),
                (&Credentials::Anonymous, anonymously),
            ] {
                let realm = |lent| {
                    realm(&url(base), &url(asked), credentials, &written, lent)
                        .map_err(|error| error.code())
                };
                assert_eq!(realm(false), expected, "{base} {asked} {credentials:?}");
                // Credentials that are lent go nowhere for their host's name alone.
                let is_above = asked == "https://gitlab.test/jwt/auth";
                let expected = match credentials {
                    Credentials::Anonymous => expected,
                    _ if is_above => no,
                    _ => expected,
                };
                assert_eq!(
                    realm(true),
                    expected,
                    "{base} {asked} {credentials:?}, lent"
                );
            }
        }
    }
}
