//! Verifying a bundle under a trusted root (docs/trust.md sections 2 and 4), offline.
//!
//! First what costs nothing: whether the log entries are tied field by field to this signature,
//! whether the timestamps are over it, whether there would be enough of both, what the signature is
//! about. Then the signatures, in this order, up to the first that fails (docs/trust.md section 7):
//!
//! 1. the certificate's chain, from the root down
//! 2. the certificate transparency promises
//! 3. the signature
//! 4. the log entries
//! 5. the timestamps
//! 6. the chain at every verified time
//! 7. who made it
//!
//! All from one bundle, under one root. A promise, an entry or a token of an unlisted issuer is set
//! aside; one that names a listed issuer and fails refuses the bundle.

mod chain;
mod content;
mod witness;

use super::bundle::{Bundle, Content, Material};
use super::dsse;
use super::identity::Identity;
use super::statement::Statement;
use super::trusted_root::TrustedRoot;
use crate::crypto::{
    Hash, KeyKind, Pending, Provider, PublicKey, Refused, Rule, Scheme, Step, Verified,
};
use crate::digest::Digest;
use crate::error::{Failure, HostError};
use crate::simple_signing::Payload;
use crate::time::UnixTime;
use crate::x509::fulcio::Claims;
use crate::x509::{Certificate, Window};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use chain::Standing;
use witness::{Stated, Witnesses};

/// What the bundle is to be about.
#[derive(Debug, Clone)]
pub enum Artifact {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// Its digest alone.
    Digest(Digest),
    /// Its digests by several algorithms, by somebody who read it as a stream.
    Digests(Vec<Digest>),
}

impl Artifact {
    /// Its hash; none where only other ones are known.
    pub fn hash(&self, hash: Hash) -> Option<Vec<u8>> {
        let known = match self {
            Self::Bytes(bytes) => return Some(hash.hash(bytes)),
            Self::Digest(digest) => core::slice::from_ref(digest),
            Self::Digests(digests) => digests,
        };
        known
            .iter()
            .find(|digest| digest.algorithm() == hash)
            .map(|digest| digest.bytes().into())
    }
}

/// Who is to have signed.
#[derive(Debug, Clone)]
pub enum Signer {
    /// The holder of this key; within this window, where one is given.
    Key(PublicKey, Option<Window>),
    /// Whoever one of these identities is.
    Identity(Vec<Identity>),
}

/// Further demands. They only add to what the trusted root demands; counts are of distinct logs and
/// authorities.
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
        Key => "sigstore.material",
            "expected a bundle by a key, and this one is by a certificate (or the other way round)";
        Log { found: usize, wanted: usize } => "sigstore.log",
            "expected entries in {wanted} transparency logs of the trusted root, found {found}";
        LogWindow => "sigstore.log-window",
            "the entry's time lies outside of the time in which the trusted root vouches for the \
             log's key";
        Timestamps { found: usize, wanted: usize } => "sigstore.timestamps",
            "expected timestamps of {wanted} authorities of the trusted root, found {found}";
        Times { found: usize, wanted: usize } => "sigstore.times",
            "expected {wanted} logs or authorities that say when, found {found}";
        NoTime => "sigstore.no-trusted-time",
            "expected a signed entry timestamp or a timestamp of a listed authority, found none: it \
             is not known when the certificate was used";
        KeyWindow => "sigstore.key-window", "the signature was not made while the key was valid";
        NoAuthority => "sigstore.authority",
            "no certificate authority of the trusted root issued this certificate";
        Sct => "sigstore.sct",
            "expected a certificate transparency promise (SCT) of a log of the trusted root, found \
             none";
        SctWindow => "sigstore.sct-window",
            "the certificate transparency promise lies outside of the time in which the trusted \
             root vouches for the log's key";
        Artifact => "sigstore.artifact", "the bundle is about another artifact";
        NeedBytes => "sigstore.need-bytes",
            "this signature is over another hash than what was given, or over the artifact itself: \
             give the artifact itself";
        Payload => "sigstore.payload-type",
            "expected an envelope of type application/vnd.in-toto+json";
        Identity { found: String, wanted: String } => "sigstore.identity",
            "expected a signature by {wanted}, found one by {found}";
    }
}

/// What a signature is over.
#[derive(Debug, Clone)]
pub enum Says {
    /// An in-toto statement, about the artifact.
    Statement(Statement),
    /// A payload of simple signing. Which image it is about, and under which name, is still to be
    /// compared.
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
        let (certificate, claims) = leaf.map_or((None, None), |(leaf, claims)| {
            (Some(leaf.clone()), Some(claims))
        });
        Self {
            says,
            claims,
            certificate,
            times: seen.times.clone(),
            log_entries: seen.entries.clone(),
            timestamps: seen.stamps.clone(),
        }
    }
}

fn refuse<T>(error: impl Into<Failure>, steps: &[Step]) -> Result<T, Refused> {
    Err(Refused {
        failure: error.into(),
        steps: steps.into(),
    })
}

/// Verifies a bundle.
///
/// # Errors
/// [`HostError`] when the provider gave no answer; inside, why the bundle proves nothing.
pub async fn verify_bundle<P: Provider>(
    bundle: &Bundle,
    artifact: &Artifact,
    signer: &Signer,
    root: &TrustedRoot,
    thresholds: Thresholds,
    provider: &P,
) -> Result<Result<Verified<Signed>, Refused>, HostError> {
    let certificates = match (&bundle.material, signer) {
        (Material::Key, Signer::Key(..)) => Vec::new(),
        (Material::Certificates(ders), Signer::Identity(_)) => match ders
            .iter()
            .map(|der| Certificate::parse(der))
            .collect::<Result<Vec<_>, _>>()
        {
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
        let attempt = Attempt {
            bundle,
            artifact,
            signer,
            root,
            thresholds,
            certificates: &certificates,
            key,
            scheme,
        };
        match attempt.run(provider).await? {
            Ok(verified) => return Ok(Ok(verified)),
            Err(refused) => first = first.or(Some(refused)),
        }
    }
    Ok(Err(first.unwrap_or_else(|| Refused {
        failure: SigstoreError::Key.into(),
        steps: Vec::new(),
    })))
}

/// docs/trust.md section 4: by key type and format, never by a field of the evidence.
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
    async fn run<P: Provider>(
        &self,
        provider: &P,
    ) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let stated = match self.stated() {
            Ok(stated) => stated,
            Err(refused) => return Ok(Err(refused)),
        };
        let signature = match self.signature() {
            Ok(signature) => signature,
            Err(refused) => return Ok(Err(refused)),
        };
        match self.certificates.first() {
            None => self.by_key(signature, stated, provider).await,
            Some(leaf) => self.by_certificate(leaf, signature, stated, provider).await,
        }
    }

    async fn by_key<P: Provider>(
        &self,
        signature: Pending<Says>,
        stated: Stated<'_>,
        provider: &P,
    ) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let signature = match signature.settle(provider).await? {
            Ok(signature) => signature,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(match self.witnesses(stated, provider).await? {
            Ok(seen) => {
                let rule = Rule::new("signer.key", "the signature is by a key that was asked for");
                signature
                    .meanwhile(&seen.steps)
                    .check(rule, |says| Ok(Signed::new(says, None, &seen)))
            }
            Err(refused) => Err(refused.after(signature.steps().into())),
        })
    }

    async fn by_certificate<P: Provider>(
        &self,
        leaf: &Certificate,
        signature: Pending<Says>,
        stated: Stated<'_>,
        provider: &P,
    ) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let (chains, none) = self.chains(leaf);
        let mut last = none.unwrap_or_else(|| Refused {
            failure: SigstoreError::NoAuthority.into(),
            steps: Vec::new(),
        });
        let mut open = Some((signature, stated));
        let mut proven: Option<(Verified<Says>, Witnesses)> = None;
        for chain in &chains {
            let standing = match self.standing(chain, provider).await? {
                Ok(standing) => standing,
                // What came furthest is told.
                Err(refused) if refused.steps.len() >= last.steps.len() => {
                    last = refused;
                    continue;
                }
                Err(_) => continue,
            };
            let standing = match self.promised(leaf, standing, provider).await? {
                Ok(standing) => standing,
                Err(refused) => return Ok(Err(refused)),
            };
            if let Some((signature, stated)) = open.take() {
                proven = match self.proofs(signature, stated, provider).await? {
                    Ok(proven) => Some(proven),
                    Err(refused) => return Ok(Err(refused.after(standing.steps().into()))),
                };
            }
            let Some((signature, seen)) = proven.take() else {
                continue;
            };
            let Err(refused) = standing.check(&seen) else {
                return Ok(self.signed(leaf, standing, signature, &seen));
            };
            last = if refused.steps.len() >= last.steps.len() {
                refused
            } else {
                last
            };
            proven = Some((signature, seen));
        }
        Ok(Err(last))
    }

    /// The signature, and what logs and authorities say of it; only under a chain that holds.
    async fn proofs<P: Provider>(
        &self,
        signature: Pending<Says>,
        stated: Stated<'_>,
        provider: &P,
    ) -> Result<Result<(Verified<Says>, Witnesses), Refused>, HostError> {
        let signature = match signature.settle(provider).await? {
            Ok(signature) => signature,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(match self.witnesses(stated, provider).await? {
            Ok(seen) => Ok((signature, seen)),
            Err(refused) => Err(refused.after(signature.steps().into())),
        })
    }

    /// The path, the signature and the identity, together.
    fn signed(
        &self,
        leaf: &Certificate,
        standing: Standing<'_>,
        signature: Verified<Says>,
        seen: &Witnesses,
    ) -> Result<Verified<Signed>, Refused> {
        let rule = Rule::new(
            "signer.identity",
            "the certificate's one name, its issuer and its claims are those of one identity that \
             was asked for",
        );
        standing.at(signature, seen)?.check(rule, |(_, says)| {
            let claims = Claims::of(leaf)?;
            let Signer::Identity(wanted) = self.signer else {
                return Err(SigstoreError::Key.into());
            };
            check_identity(wanted, &claims)?;
            Ok(Signed::new(says, Some((leaf, claims)), seen))
        })
    }
}

/// Whether a certificate with these claims is of one of the identities.
///
/// # Errors
/// [`SigstoreError::Identity`].
pub fn check_identity(wanted: &[Identity], claims: &Claims) -> Result<(), Failure> {
    if wanted.iter().any(|identity| identity.matches(claims)) {
        return Ok(());
    }
    let mut found = format!(
        "{} (vouched for by {})",
        claims.subject().text(),
        claims.issuer().unwrap_or("nobody")
    );
    for name in wanted
        .iter()
        .take(3)
        .flat_map(|identity| identity.missed(claims))
    {
        found.push_str(&format!(
            ", {name} {}",
            claims.get(name).unwrap_or("not there")
        ));
    }
    let wanted: Vec<String> = wanted.iter().take(3).map(ToString::to_string).collect();
    Err(SigstoreError::Identity {
        found,
        wanted: wanted.join("; or "),
    }
    .into())
}

/// Has a claim settled, if it is one.
async fn settle<T, P: Provider>(
    pending: Result<Pending<T>, Refused>,
    provider: &P,
) -> Result<Result<Verified<T>, Refused>, HostError> {
    match pending {
        Ok(pending) => pending.settle(provider).await,
        Err(refused) => Ok(Err(refused)),
    }
}

/// Alternatives, bounded by who made them: the first that holds wins.
async fn first_to_settle<T, P: Provider>(
    alternatives: Vec<Pending<T>>,
    provider: &P,
) -> Result<Result<Verified<T>, Refused>, HostError> {
    let mut last = Refused {
        failure: Failure::new(
            "signature.none",
            "expected a signature, found none to check",
        ),
        steps: Vec::new(),
    };
    for alternative in alternatives {
        match alternative.settle_in_turn(provider).await? {
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
