//! Verifying a bundle under a trusted root (TRUST sections 2 and 4), offline.
//!
//! In this order: 1. the log entries, each tied field by field to this signature; 2. the timestamps over this signature;
//! 3. the certificate's path at every verified time, with a certificate transparency promise; 4. the signature; 5. what it
//! is about; 6. who made it. All from one bundle, under one root. An entry or a token of an unlisted issuer is set aside;
//! one that names a listed issuer and fails refuses the bundle.

mod chain;
mod content;
mod witness;

use super::bundle::{Bundle, Content, Material};
use super::dsse;
use super::identity::Identity;
use super::statement::Statement;
use super::trusted_root::TrustedRoot;
use crate::crypto::{Hash, KeyKind, Pending, Provider, PublicKey, Refused, Rule, Scheme, Step, Verified};
use crate::digest::Digest;
use crate::error::{Failure, HostError};
use crate::simple_signing::Payload;
use crate::time::UnixTime;
use crate::x509::fulcio::Claims;
use crate::x509::{Certificate, Path, Window};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use witness::Witnesses;

/// What the bundle is to be about.
#[derive(Debug, Clone)]
pub enum Artifact {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// Its digest alone.
    Digest(Digest),
}

/// Who is to have signed.
#[derive(Debug, Clone)]
pub enum Signer {
    /// The holder of this key; within this window, where one is given.
    Key(PublicKey, Option<Window>),
    /// Whoever one of these identities is.
    Identity(Vec<Identity>),
}

/// Further demands. They only add to what the trusted root demands; counts are of distinct logs and authorities.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thresholds {
    /// Transparency logs.
    pub logs: usize,
    /// Timestamp authorities.
    pub timestamps: usize,
    /// Logs with a signed entry timestamp.
    pub integrated: usize,
    /// Logs and authorities together, that say when.
    pub observers: usize,
}

codes! {
    /// Why a bundle proves nothing here.
    pub enum SigstoreError {
        Key => "sigstore.material", "expected a bundle by a key, and this one is by a certificate (or the other way round)";
        Log { found: usize, wanted: usize } => "sigstore.log", "expected entries in {wanted} transparency logs of the trusted root, found {found}";
        LogWindow => "sigstore.log-window", "the entry's time lies outside of the time in which the trusted root vouches for the log's key";
        Timestamps { found: usize, wanted: usize } => "sigstore.timestamps", "expected timestamps of {wanted} authorities of the trusted root, found {found}";
        Times { found: usize, wanted: usize } => "sigstore.times", "expected {wanted} logs or authorities that say when, found {found}";
        NoTime => "sigstore.no-trusted-time", "expected a signed entry timestamp or a timestamp of a listed authority, found none: it is not known when the certificate was used";
        KeyWindow => "sigstore.key-window", "the signature was not made while the key was valid";
        NoAuthority => "sigstore.authority", "no certificate authority of the trusted root issued this certificate";
        Sct => "sigstore.sct", "expected a certificate transparency promise (SCT) of a log of the trusted root, found none";
        SctWindow => "sigstore.sct-window", "the certificate transparency promise lies outside of the time in which the trusted root vouches for the log's key";
        Artifact => "sigstore.artifact", "the bundle is about another artifact";
        NeedBytes => "sigstore.need-bytes", "this signature is over another hash than the digest that was given: give the artifact itself";
        Payload => "sigstore.payload-type", "expected an envelope of type application/vnd.in-toto+json";
        Identity { found: String, wanted: String } => "sigstore.identity", "expected a signature by {wanted}, found one by {found}";
    }
}

/// What a signature is over.
#[derive(Debug, Clone)]
pub enum Says {
    /// An in-toto statement, about the artifact.
    Statement(Statement),
    /// A payload of simple signing. Which image it is about, and under which name, is still to be compared.
    Payload(Payload),
    /// The artifact itself.
    Blob,
}

/// What a verified bundle says.
#[derive(Debug, Clone)]
pub struct Signed {
    /// What is signed.
    pub says: Says,
    /// Who signed, where a certificate says it.
    pub claims: Option<Claims>,
    /// The certificate.
    pub certificate: Option<Certificate>,
    /// When, by everyone who was believed.
    pub times: Vec<UnixTime>,
    /// The entries in listed logs; all hold.
    pub log_entries: Vec<LoggedEntry>,
    /// The timestamps of listed authorities.
    pub timestamps: Vec<Stamp>,
}

/// An entry in a listed log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// The log's id, hexadecimal.
    pub log_id: String,
    /// The entry's index, by its own word where no signed entry timestamp covers it.
    pub index: u64,
    /// Kind and version, for instance `hashedrekord 0.0.1`.
    pub kind: String,
    /// The time of a verified signed entry timestamp.
    pub time: Option<UnixTime>,
    /// Origin and size of the checkpoint that proves the entry's inclusion.
    pub checkpoint: Option<(String, u64)>,
}

/// A timestamp of a listed authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub time: UnixTime,
    /// The certificate that signed it, for people.
    pub authority: String,
}

impl Signed {
    fn new(says: Says, leaf: Option<(&Certificate, Claims)>, seen: &Witnesses) -> Self {
        let (certificate, claims) = leaf.map_or((None, None), |(leaf, claims)| (Some(leaf.clone()), Some(claims)));
        Self { says, claims, certificate, times: seen.times.clone(), log_entries: seen.entries.clone(), timestamps: seen.stamps.clone() }
    }
}

fn refuse<T>(error: impl Into<Failure>, steps: &[Step]) -> Result<T, Refused> {
    Err(Refused { failure: error.into(), steps: steps.into() })
}

/// Verifies a bundle.
///
/// # Errors
/// [`HostError`] when the provider gave no answer; inside, why the bundle proves nothing.
pub async fn verify_bundle<P: Provider>(bundle: &Bundle, artifact: &Artifact, signer: &Signer, root: &TrustedRoot, thresholds: Thresholds, provider: &P) -> Result<Result<Verified<Signed>, Refused>, HostError> {
    let certificates = match (&bundle.material, signer) {
        (Material::Key, Signer::Key(..)) => Vec::new(),
        (Material::Certificates(ders), Signer::Identity(_)) => match ders.iter().map(|der| Certificate::parse(der)).collect::<Result<Vec<_>, _>>() {
            Ok(certificates) => certificates,
            Err(error) => return Ok(refuse(error, &[])),
        },
        _ => return Ok(refuse(SigstoreError::Key, &[])),
    };
    let key = match (certificates.first(), signer) {
        (Some(leaf), _) => leaf.public_key(),
        (None, Signer::Key(key, _)) => key,
        _ => return Ok(refuse(SigstoreError::Key, &[])),
    };
    let mut first: Option<Refused> = None;
    // Alternatives: the schemes that a key of this kind may have signed under.
    for scheme in schemes(bundle, key.kind()) {
        let attempt = Attempt { bundle, artifact, signer, root, thresholds, certificates: &certificates, key, scheme };
        match attempt.run(provider).await? {
            Ok(verified) => return Ok(Ok(verified)),
            Err(refused) => first = first.or(Some(refused)),
        }
    }
    Ok(Err(first.unwrap_or_else(|| Refused { failure: SigstoreError::Key.into(), steps: Vec::new() })))
}

/// TRUST section 4: by key type and format, never by a field of the evidence.
fn schemes(bundle: &Bundle, key: KeyKind) -> Vec<Scheme> {
    match (&bundle.content, key) {
        (Content::Payload(_), KeyKind::Ecdsa(_)) => alloc::vec![Scheme::Ecdsa(Hash::Sha256)],
        (Content::Message { .. }, KeyKind::Ed25519) => alloc::vec![Scheme::Ed25519ph],
        _ => dsse::schemes(key),
    }
}

struct Attempt<'a> {
    bundle: &'a Bundle,
    artifact: &'a Artifact,
    signer: &'a Signer,
    root: &'a TrustedRoot,
    thresholds: Thresholds,
    certificates: &'a [Certificate],
    key: &'a PublicKey,
    scheme: Scheme,
}

impl Attempt<'_> {
    async fn run<P: Provider>(&self, provider: &P) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let mut seen = Witnesses::default();
        if let Err(refused) = self.log_entries(&mut seen, provider).await? {
            return Ok(Err(refused));
        }
        if let Err(refused) = self.timestamps(&mut seen, provider).await? {
            return Ok(Err(refused));
        }
        if let Err(refused) = self.counts(&seen) {
            return Ok(Err(refused));
        }
        let settled = match self.certificates.first() {
            None => self.by_key(&seen, provider).await?,
            Some(leaf) => self.by_certificate(leaf, &seen, provider).await?,
        };
        Ok(match settled {
            Ok(verified) => Ok(verified.after(seen.steps)),
            Err(refused) => Err(refused.after(seen.steps)),
        })
    }

    async fn by_key<P: Provider>(&self, seen: &Witnesses, provider: &P) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let pending = self.signature().and_then(|signature| {
            signature.check(Rule::new("signer.key", "the signature is by a key that was asked for"), |says| Ok(Signed::new(says, None, seen)))
        });
        settle(pending, provider).await
    }

    async fn by_certificate<P: Provider>(&self, leaf: &Certificate, seen: &Witnesses, provider: &P) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        if let Err(refused) = self.signature() {
            return Ok(Err(refused)); // whichever the path
        }
        let mut last = Refused { failure: SigstoreError::NoAuthority.into(), steps: Vec::new() };
        for path in self.paths(leaf, &seen.times) {
            let pending = path.and_then(|path| self.signed(leaf, path, seen));
            match settle(pending, provider).await? {
                Ok(verified) => return Ok(Ok(verified)),
                // What came furthest is told.
                Err(refused) if refused.steps.len() >= last.steps.len() => last = refused,
                Err(_) => {}
            }
        }
        Ok(Err(last))
    }

    /// The signature, the path, the promise and the identity, together.
    fn signed(&self, leaf: &Certificate, path: Pending<Path>, seen: &Witnesses) -> Result<Pending<Signed>, Refused> {
        let rule = Rule::new("signer.identity", "the certificate's one name, its issuer and its claims are those of one identity that was asked for");
        self.signature()?.and(path).check(rule, |(says, _)| {
            let claims = Claims::of(leaf)?;
            self.check_identity(&claims)?;
            Ok(Signed::new(says, Some((leaf, claims)), seen))
        })
    }

    fn check_identity(&self, claims: &Claims) -> Result<(), Failure> {
        let Signer::Identity(wanted) = self.signer else { return Err(SigstoreError::Key.into()) };
        if wanted.iter().any(|identity| identity.matches(claims)) {
            return Ok(());
        }
        let mut found = format!("{} by the word of {}", claims.subject().text(), claims.issuer().unwrap_or("nobody"));
        for name in wanted.iter().take(3).flat_map(|identity| identity.missed(claims)) {
            found.push_str(&format!(", {name} {}", claims.get(name).unwrap_or("not there")));
        }
        let wanted: Vec<String> = wanted.iter().take(3).map(ToString::to_string).collect();
        Err(SigstoreError::Identity { found, wanted: wanted.join("; or ") }.into())
    }
}

/// Has a claim settled, if it is one.
async fn settle<T, P: Provider>(pending: Result<Pending<T>, Refused>, provider: &P) -> Result<Result<Verified<T>, Refused>, HostError> {
    match pending {
        Ok(pending) => pending.settle(provider).await,
        Err(refused) => Ok(Err(refused)),
    }
}

/// Alternatives, bounded by who made them: the first that holds wins.
async fn first_to_settle<T, P: Provider>(alternatives: Vec<Pending<T>>, provider: &P) -> Result<Result<Verified<T>, Refused>, HostError> {
    let mut last = Refused { failure: Failure::new("signature.none", "expected a signature, found none to check"), steps: Vec::new() };
    for alternative in alternatives {
        match alternative.settle(provider).await? {
            Ok(verified) => return Ok(Ok(verified)),
            Err(refused) => last = refused,
        }
    }
    Ok(Err(last))
}

/// The hash of a message signature, by which a log entry names it.
fn message_hash(scheme: Scheme) -> Hash {
    match scheme {
        Scheme::Ecdsa(hash) | Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) => hash,
        Scheme::Ed25519 | Scheme::Ed25519ph => Hash::Sha512,
    }
}
