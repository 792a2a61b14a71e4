//! The dialogue with one repository of a registry (OCI distribution specification 1.1, "Pull" and
//! "Listing Referrers").
//!
//! In scope: manifests, blobs, referrers; challenges and tokens; redirects. Out of scope: what the
//! documents mean, pushing, large blobs. Nothing that is answered is trusted: a blob is compared
//! with its digest here, a manifest by the caller, and a digest that a header names is a hint.

mod egress;
mod error;
mod referrers;
#[cfg(feature = "openpgp")]
mod signatures;
#[cfg(test)]
mod tests;
mod tokens;
mod transport;

pub use egress::EgressHosts;
pub use error::RegistryError;
pub(crate) use error::clean;
pub use referrers::Page;
pub use referrers::Referrers;
pub use referrers::Source;
pub(crate) use tokens::Tokens;

use super::auth::Bearer;
use super::auth::Challenge;
use super::auth::Credentials;
use super::auth::Token;
use super::auth::hide;
use super::auth::parse_token;
use super::url::Url;
use crate::digest::Digest;
use crate::error::Coded;
use crate::host::Egress;
use crate::host::Host;
use crate::limits;
use crate::reference::Grammar;
use crate::reference::Reference;
use crate::shared::Shared;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use tokens::Taken;
use transport::Call;
use transport::Redirects;
use transport::Reply;
use transport::is_redirect;

/// Every media type of a manifest, at every request: docker-registry answers 404 to one that does
/// not name its type. Schema 1 stands last, so that such an image is refused for what it is.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
                         application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.docker.distribution.manifest.v1+prettyjws, \
                         application/vnd.docker.distribution.manifest.v1+json";

/// One repository, and what it takes to read it. A token is fetched when the registry asks for one,
/// and kept.
pub struct Registry<'h, H> {
    host: &'h H,
    base: Url,
    repository: String,
    credentials: Credentials,
    /// Token services that the user wrote down.
    realms: Vec<Url>,
    egress: EgressHosts,
    /// The name by which errors speak of it, instead of addresses.
    name: Option<String>,
    session: Shared<Session>,
    /// Where it is asked for others than those whose credentials these are.
    lent: Option<Lent<'h>>,
}

/// Credentials that somebody lends to those who ask: they go where whoever lends them wrote, and
/// are used for what is asked alone.
struct Lent<'h> {
    tokens: &'h Tokens,
    /// Under which name tokens are kept: that of the credentials, and the repository.
    whose: String,
    now: UnixTime,
}

#[derive(Default)]
struct Session {
    /// The Authorization header that worked last.
    authorization: Option<String>,
    /// The one that was sent last, which a registry may repeat.
    borne: Option<String>,
    /// Scopes that the registry asked for beyond our own.
    wider: Vec<String>,
    /// What went wrong, with all addresses; only where the errors name none.
    troubles: Vec<String>,
    /// Whether it has the extension for simple signatures, once that is known.
    #[cfg(feature = "openpgp")]
    has_signatures: Option<bool>,
}

impl Session {
    fn trouble(&mut self, text: String) {
        if self.troubles.len() < limits::TROUBLES && !self.troubles.contains(&text) {
            self.troubles.push(text);
        }
    }
}

/// What HEAD says of a manifest; hints, all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `Docker-Content-Digest`, as it came.
    pub digest: Option<String>,
    /// `Content-Type`, as it came.
    pub content_type: Option<String>,
    /// `Content-Length` in bytes.
    pub length: Option<u64>,
}

/// A manifest, not yet compared with any digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The body, whole, at most 4 MiB.
    pub bytes: Vec<u8>,
    /// `Content-Type`, as it came.
    pub content_type: Option<String>,
    /// `Docker-Content-Digest`, as it came: the registry's word, to be compared.
    pub digest: Option<String>,
}

/// The address of the registry of this domain (`host[:port]`): https, but http for loopback hosts
/// and with `plain_http`.
///
/// # Errors
/// [`RegistryError::Address`].
pub fn base_for(domain: &str, plain_http: bool) -> Result<String, RegistryError> {
    if matches!(domain, "docker.io" | "index.docker.io") {
        return Ok("https://registry-1.docker.io".into());
    }
    let wrong = || RegistryError::Address {
        text: clean(domain, limits::NAME),
    };
    let url = Url::parse(&format!("https://{domain}"))
        .filter(|url| url.target() == "/" && !domain.contains(['/', '?', '#']))
        .ok_or_else(wrong)?;
    let scheme = if plain_http || url.is_loopback() {
        "http"
    } else {
        "https"
    };
    Ok(format!("{scheme}://{domain}"))
}

impl<'h, H: Host> Registry<'h, H> {
    /// The repository `repository` (without host) of the registry at `base`, whose path, if any,
    /// stands before `/v2/`.
    ///
    /// # Errors
    /// [`RegistryError::Address`], [`RegistryError::Name`].
    pub fn new(
        host: &'h H,
        base: &str,
        repository: &str,
        credentials: Credentials,
    ) -> Result<Self, RegistryError> {
        let wrong = || RegistryError::Address {
            text: clean(base, limits::NAME),
        };
        let base = Url::parse(base)
            .filter(|url| !url.target().contains('?'))
            .ok_or_else(wrong)?;
        // The domain is a stand-in: of a bare name, the first component could be read as one.
        let parsed = Reference::parse(
            &format!("registry.example/{repository}"),
            Grammar::Distribution,
        )
        .ok();
        if !parsed.is_some_and(|parsed| parsed.is_bare() && parsed.path() == repository) {
            return Err(RegistryError::Name {
                text: clean(repository, limits::NAME),
            });
        }
        Ok(Self {
            host,
            base,
            repository: repository.into(),
            credentials,
            realms: Vec::new(),
            egress: EgressHosts::default(),
            name: None,
            session: Shared::default(),
            lent: None,
        })
    }

    /// With further token services that may be given the credentials: their addresses, as the user
    /// wrote them.
    ///
    /// # Errors
    /// [`RegistryError::Address`].
    pub fn with_realms<'a>(
        mut self,
        realms: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RegistryError> {
        let wrong = |text: &str| RegistryError::Address {
            text: clean(text, limits::NAME),
        };
        self.realms = realms
            .into_iter()
            .map(|text| Url::parse(text).ok_or_else(|| wrong(text)))
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// With hosts that redirects may lead to although they are private.
    #[must_use]
    pub fn with_egress(self, egress: EgressHosts) -> Self {
        Self { egress, ..self }
    }

    /// As a gateway asks for its clients: of token services the registry's own host, Docker Hub's
    /// and those that were written down get the credentials, and no challenge widens the scope.
    /// Tokens are kept for the next dialogue, under the name of the credentials.
    #[must_use]
    pub(crate) fn lending(mut self, tokens: &'h Tokens, credentials: &str, now: UnixTime) -> Self {
        let whose = format!("{credentials}\n{}\n{}", self.base, self.repository);
        self.lent = Some(Lent { tokens, whose, now });
        self.resume();
        self
    }

    /// With credentials that were given out meanwhile.
    pub(crate) fn lend(&mut self, credentials: Credentials) {
        self.credentials = credentials;
        self.resume();
    }

    /// Begins with what the registry took last.
    fn resume(&self) {
        let Some(lent) = &self.lent else { return };
        let authorization = match lent.tokens.get(&lent.whose, lent.now) {
            Some(Taken::Bearer(token)) => Some(format!("Bearer {token}")),
            Some(Taken::Basic) => self.credentials.basic(),
            None => None,
        };
        self.session
            .with(|session| session.authorization = authorization);
    }

    /// Its errors name it so and hold no address: clients of a gateway need not know where the
    /// registry is. What was left out is kept for [`Registry::take_troubles`].
    #[must_use]
    pub(crate) fn named(self, name: &str) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    /// What went wrong since the last time, with all addresses: for the operator.
    pub(crate) fn take_troubles(&self) -> Vec<String> {
        self.session
            .with(|session| core::mem::take(&mut session.troubles))
    }

    /// What went wrong elsewhere on the way to it: for the operator.
    pub(crate) fn note(&self, text: String) {
        self.session.with(|session| session.trouble(text));
    }

    /// An error as it may be told.
    fn told(&self, error: RegistryError) -> RegistryError {
        let Some(name) = &self.name else { return error };
        // That clients are to sign in is no trouble.
        if self.lent.is_some() || !matches!(error, RegistryError::Unauthorized { .. }) {
            let text = self.hidden_in(&format!("{error} [{}]", error.code()));
            self.session.with(|session| session.trouble(text));
        }
        match error.without_addresses(name) {
            RegistryError::RateLimited {
                url,
                retry_after,
                message,
            } => RegistryError::RateLimited {
                url,
                retry_after: retry_after.map(|after| self.hidden_in(&after)),
                message: self.hidden_in(&message),
            },
            error => error,
        }
    }

    /// The text without what this dialogue was asked with.
    fn hidden_in(&self, text: &str) -> String {
        let borne = self.session.with(|session| session.borne.clone());
        let text = self.credentials.hidden_in(text);
        match borne
            .as_deref()
            .and_then(|borne| borne.strip_prefix("Bearer "))
        {
            Some(token) => hide(&text, token),
            None => text,
        }
    }

    /// `GET /v2/`: whether these credentials are let in at all.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(crate) async fn ping(&self) -> Result<(), RegistryError> {
        let url = self.api_url();
        let answer = self
            .ask("GET", &url, "*/*", limits::ERROR_BODY, Redirects::Returned)
            .await?;
        self.found(answer, "200")?
            .map(|_| ())
            .ok_or_else(|| self.told(RegistryError::NoRegistry { url: url.shown() }))
    }

    /// What HEAD says of the manifest of this tag or digest; `None` when there is none.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(crate) async fn head(&self, reference: &str) -> Result<Option<Head>, RegistryError> {
        let url = self.manifest_url(reference)?;
        let answer = self
            .ask("HEAD", &url, MANIFESTS, limits::ERROR_BODY, self.followed())
            .await?;
        let Some(answer) = self.found(answer, "200 or 404")? else {
            return Ok(None);
        };
        let header = |name| answer.response.header(name).map(String::from);
        let length = answer
            .response
            .header("content-length")
            .and_then(|length| length.parse().ok());
        Ok(Some(Head {
            digest: header("docker-content-digest"),
            content_type: header("content-type"),
            length,
        }))
    }

    /// The manifest of this tag or digest; `None` when there is none. The caller compares it with
    /// the digest.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        let url = self.manifest_url(reference)?;
        let answer = self
            .ask("GET", &url, MANIFESTS, limits::MANIFEST, self.followed())
            .await?;
        let fetched = |answer: Reply| {
            let header = |name| answer.response.header(name).map(String::from);
            Fetched {
                content_type: header("content-type"),
                digest: header("docker-content-digest"),
                bytes: answer.response.body,
            }
        };
        Ok(self.found(answer, "200 or 404")?.map(fetched))
    }

    /// The blob of this digest, hashed and compared; `None` when there is none.
    ///
    /// # Errors
    /// [`RegistryError`]; `digest.mismatch` when it is another, `host.too-large` when it has more
    /// than `max` bytes.
    pub async fn blob(
        &self,
        digest: &Digest,
        max: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let url = self.blob_url(digest);
        let answer = self.ask("GET", &url, "*/*", max, self.followed()).await?;
        let Some(answer) = self.found(answer, "200 or 404")? else {
            return Ok(None);
        };
        digest.check(&answer.response.body)?;
        Ok(Some(answer.response.body))
    }

    /// Where the protocol begins: the address of `/v2/`.
    pub(crate) fn api_url(&self) -> Url {
        self.base
            .at(&format!("{}/v2/", self.base.target().trim_end_matches('/')))
    }

    /// Where the blob of this digest is, for whoever streams it.
    pub(crate) fn blob_url(&self, digest: &Digest) -> Url {
        self.url(&format!("blobs/{digest}"))
    }

    /// Whether these credentials may read the blob of this digest; `false` when there is none.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(crate) async fn has_blob(&self, digest: &Digest) -> Result<bool, RegistryError> {
        let answer = self
            .ask(
                "HEAD",
                &self.blob_url(digest),
                "*/*",
                limits::ERROR_BODY,
                Redirects::Returned,
            )
            .await?;
        match answer.status() {
            404 => Ok(false),
            // A registry that knows no HEAD of blobs has let these credentials in; so has one that
            // sends them on.
            200 | 400 | 405 | 406 => Ok(true),
            status if is_redirect(status) || !answer.ours => Ok(true),
            _ => Err(self.error(&answer, "200 or 404")),
        }
    }

    /// What a sealgate gateway at this address has about the image of this tag or digest
    /// (`/api/evidence`), which the caller judges; `None` when there is no such thing.
    ///
    /// # Errors
    /// [`RegistryError`]; `host.too-large` when it has more than `max` bytes.
    pub(crate) async fn evidence(
        &self,
        reference: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = format!(
            "{}/api/evidence/{}",
            self.base.target().trim_end_matches('/'),
            self.repository
        );
        let url = self.base.at(&path).with_query(&[("ref", reference)]);
        let answer = self
            .ask("GET", &url, "application/json", max, Redirects::Returned)
            .await?;
        Ok(self
            .found(answer, "200 or 404")?
            .map(|answer| answer.response.body))
    }

    fn followed(&self) -> Redirects<'_> {
        Redirects::Followed(&self.egress)
    }

    /// The error that a status is which nobody wants.
    fn error(&self, answer: &Reply, expected: &'static str) -> RegistryError {
        self.told(answer.error(expected))
    }

    /// 200 is something, 404 is nothing, anything else an error.
    fn found(&self, answer: Reply, expected: &'static str) -> Result<Option<Reply>, RegistryError> {
        match answer.status() {
            200 => Ok(Some(answer)),
            404 => Ok(None),
            _ => Err(self.error(&answer, expected)),
        }
    }

    fn url(&self, rest: &str) -> Url {
        self.base.at(&format!(
            "{}/v2/{}/{rest}",
            self.base.target().trim_end_matches('/'),
            self.repository
        ))
    }

    fn manifest_url(&self, reference: &str) -> Result<Url, RegistryError> {
        let is_tag = || {
            Reference::parse(&format!("r/r:{reference}"), Grammar::Distribution)
                .is_ok_and(|parsed| parsed.tag() == Some(reference))
        };
        if Digest::parse(reference).is_ok() || is_tag() {
            return Ok(self.url(&format!("manifests/{reference}")));
        }
        Err(RegistryError::Name {
            text: clean(reference, limits::NAME),
        })
    }

    /// Sends a request to the registry and answers its challenges: with a new token, and once more
    /// with wider scopes.
    async fn ask(
        &self,
        method: &'static str,
        url: &Url,
        accept: &'static str,
        max: usize,
        redirects: Redirects<'_>,
    ) -> Result<Reply, RegistryError> {
        let mut answer = self.send(method, url, accept, max, redirects).await?;
        for renewed in [false, true] {
            // Who is asked after a redirect is not the one whose credentials these are.
            if answer.status() != 401
                || !answer.ours
                || !self
                    .authorise(&answer, renewed)
                    .await
                    .map_err(|error| self.told(error))?
            {
                break;
            }
            answer = self.send(method, url, accept, max, redirects).await?;
        }
        if answer.status() == 401 {
            Err(self.error(&answer, "200"))
        } else {
            Ok(answer)
        }
    }

    /// The header with the token that it got by itself, where it got one.
    pub(crate) fn own_authorization(&self) -> Option<(String, String)> {
        let own = self.session.with(|session| session.authorization.clone());
        authorization(own).pop()
    }

    async fn send(
        &self,
        method: &'static str,
        url: &Url,
        accept: &'static str,
        max: usize,
        redirects: Redirects<'_>,
    ) -> Result<Reply, RegistryError> {
        let secret = match &self.credentials {
            Credentials::Forward(headers) => headers.clone(),
            _ => authorization(self.session.with(|session| {
                session.borne.clone_from(&session.authorization);
                session.authorization.clone()
            })),
        };
        // Every address that is asked first is below the registry's own.
        let call = Call {
            method,
            url,
            accept,
            secret: &secret,
            body: None,
            max,
            egress: Egress::Operator,
            redirects,
        };
        transport::send(self.host, &call)
            .await
            .map_err(|error| self.told(error))
    }

    /// Does what the challenge of `answer` asks; `false` when there is nothing more to try.
    async fn authorise(&self, answer: &Reply, renewed: bool) -> Result<bool, RegistryError> {
        if matches!(self.credentials, Credentials::Forward(_)) {
            return Ok(false);
        }
        let challenge = answer.challenge();
        let stale = self.session.with(|session| session.authorization.take());
        if let Some(lent) = &self.lent {
            lent.tokens.forget(&lent.whose);
        }
        match Challenge::choose(answer.headers("www-authenticate")) {
            None if challenge.is_empty() => Ok(false),
            None => Err(RegistryError::Challenge {
                url: answer.url.shown(),
                challenge,
            }),
            Some(Challenge::Basic) => {
                let basic = self.credentials.basic();
                if basic.is_some() && basic == stale {
                    return self.refused_credentials(&answer.url).map_or(Ok(false), Err);
                }
                self.session
                    .with(|session| session.authorization.clone_from(&basic));
                if basic.is_some() {
                    self.keep(Taken::Basic, Some(u64::MAX));
                }
                Ok(basic.is_some())
            }
            Some(Challenge::Bearer(bearer)) => {
                let wider = self.widen(&bearer);
                if renewed && !wider {
                    return Ok(false);
                }
                let Token { token, seconds } = self.fetch_token(&bearer, challenge).await?;
                let authorization = Some(format!("Bearer {token}"));
                self.keep(Taken::Bearer(token), seconds);
                self.session
                    .with(|session| session.authorization = authorization);
                Ok(true)
            }
        }
    }

    fn keep(&self, taken: Taken, seconds: Option<u64>) {
        if let Some(lent) = &self.lent {
            lent.tokens.keep(&lent.whose, taken, seconds, lent.now);
        }
    }

    /// Where the credentials themselves are refused: only whoever lent them can do something.
    fn refused_credentials(&self, at: &Url) -> Option<RegistryError> {
        let is_lent = self.lent.is_some() && self.credentials != Credentials::Anonymous;
        is_lent.then(|| RegistryError::Credentials { url: at.shown() })
    }

    fn scope(&self) -> String {
        format!("repository:{}:pull", self.repository)
    }

    /// Takes over the scopes of an `insufficient_scope` challenge; whether they are new.
    fn widen(&self, bearer: &Bearer) -> bool {
        if self.lent.is_some() {
            return false;
        }
        let own = self.scope();
        let asked: Vec<String> = bearer
            .scope
            .iter()
            .filter(|scope| bearer.insufficient && **scope != own)
            .cloned()
            .collect();
        self.session.with(|session| {
            let is_known = asked.iter().all(|scope| session.wider.contains(scope));
            if !is_known {
                session.wider = asked;
            }
            !is_known
        })
    }

    async fn fetch_token(
        &self,
        bearer: &Bearer,
        challenge: String,
    ) -> Result<Token, RegistryError> {
        let egress = egress::realm(
            &self.base,
            &bearer.realm,
            &self.credentials,
            &self.realms,
            self.lent.is_some(),
        )?;
        let mut scopes = Vec::from([self.scope()]);
        self.session
            .with(|session| scopes.extend_from_slice(&session.wider));
        let request = bearer.request(&self.credentials, &scopes);
        let secret = authorization(request.authorization);
        let call = Call {
            method: request.method,
            url: &request.url,
            accept: "application/json",
            secret: &secret,
            body: request.body,
            max: limits::TOKEN,
            egress,
            redirects: Redirects::Returned,
        };
        let answer = transport::send(self.host, &call).await?;
        match answer.status() {
            200 => parse_token(&answer.response.body).ok_or_else(|| RegistryError::Token {
                url: answer.url.shown(),
                status: 200,
            }),
            // RFC 6749 section 5.2: 400 is a grant that is not accepted.
            status @ (400 | 401 | 403) => {
                let refused = self
                    .refused_credentials(&answer.url)
                    .filter(|_| status != 403);
                if let Some(refused) = refused {
                    return Err(refused);
                }
                let (_, message) = error::parse_error_body(&answer.response.body);
                Err(RegistryError::Unauthorized {
                    url: answer.url.shown(),
                    challenge,
                    message,
                })
            }
            status @ 300..=499 if status != 429 => Err(RegistryError::Token {
                url: answer.url.shown(),
                status,
            }),
            _ => Err(answer.error("200")),
        }
    }
}

fn authorization(value: Option<String>) -> Vec<(String, String)> {
    value
        .into_iter()
        .map(|value| ("authorization".into(), value))
        .collect()
}
