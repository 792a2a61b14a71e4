//! Verifying a bundle under a trusted root (TRUST sections 2 and 4), offline.
//!
//! In this order: 1. the log entries, each tied field by field to this signature; 2. the timestamps over this signature;
//! 3. the certificate's path at every verified time, with a certificate transparency promise; 4. the signature; 5. what it
//! is about; 6. who made it. All from one bundle, under one root. An entry or a token of an unlisted issuer is set aside;
//! one that names a listed issuer and fails refuses the bundle.

use super::bundle::{Bundle, Content, Material};
use super::dsse;
use super::statement::{self, Statement};
use super::trusted_root::{Log, TrustedRoot};
use crate::crypto::{EcdsaForm, Hash, KeyKind, Message, Pending, Provider, PublicKey, Refused, Role, Rule, Scheme, SignatureCheck, Step, Verified};
use crate::digest::Digest;
use crate::error::{Failure, HostError};
use crate::time::UnixTime;
use crate::timestamp::Token;
use crate::tlog::rekor::{self, Entry, Expected, ProofForm, Verifier};
use crate::x509::fulcio::Claims;
use crate::x509::{Certificate, Path, Purpose, Window, chains, sct};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

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
    /// Whoever this identity is: an issuer and a subject, both compared exactly.
    Identity {
        /// The OIDC issuer.
        issuer: String,
        /// The subject alternative name.
        subject: String,
    },
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

/// What a verified bundle says.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The in-toto statement, where it is one.
    pub statement: Option<Statement>,
    /// Who signed, where a certificate says it.
    pub claims: Option<Claims>,
    /// When, by everyone who was believed.
    pub times: Vec<UnixTime>,
}

/// What the log and the timestamp authorities gave.
#[derive(Default)]
struct Witnesses {
    logs: BTreeSet<Vec<u8>>,
    integrated: BTreeSet<Vec<u8>>,
    authorities: BTreeSet<usize>,
    times: Vec<UnixTime>,
    steps: Vec<Step>,
}

fn refuse<T>(error: impl Into<Failure>, steps: &[Step]) -> Result<T, Refused> {
    Err(Refused { failure: error.into(), steps: steps.into() })
}

/// Verifies a bundle.
///
/// # Errors
/// [`HostError`] when the provider gave no answer; inside, why the bundle proves nothing.
pub async fn verify_bundle<P: Provider>(bundle: &Bundle, artifact: &Artifact, signer: &Signer, root: &TrustedRoot, thresholds: Thresholds, provider: &P) -> Result<Result<(Verified<Signed>, Vec<Step>), Refused>, HostError> {
    let leaf = match (&bundle.material, signer) {
        (Material::Key, Signer::Key(..)) => None,
        (Material::Certificates(ders), Signer::Identity { .. }) => match ders.iter().map(|der| Certificate::parse(der)).collect::<Result<Vec<_>, _>>() {
            Ok(certificates) => Some(certificates),
            Err(error) => return Ok(refuse(error, &[])),
        },
        _ => return Ok(refuse(SigstoreError::Key, &[])),
    };
    let key = match (&leaf, signer) {
        (Some(certificates), _) => certificates.first().map(|leaf| leaf.public_key().clone()),
        (None, Signer::Key(key, _)) => Some(key.clone()),
        _ => None,
    };
    let Some(key) = key else { return Ok(refuse(SigstoreError::Key, &[])) };
    let mut first: Option<Refused> = None;
    // Alternatives: the schemes that a key of this kind may have signed under.
    for scheme in schemes(bundle, key.kind()) {
        let attempt = Attempt { bundle, artifact, signer, root, thresholds, certificates: leaf.as_deref().unwrap_or_default(), key: &key, scheme };
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
    async fn run<P: Provider>(&self, provider: &P) -> Result<Result<(Verified<Signed>, Vec<Step>), Refused>, HostError> {
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
        let signature = match self.signature() {
            Ok(pending) => pending,
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(leaf) = self.certificates.first() else {
            let times = seen.times.clone();
            let settled = match signature.check(Rule::new("artifact.matches", "the signature is over this artifact"), |statement| Ok(Signed { statement, claims: None, times })) {
                Ok(pending) => pending.settle(provider).await?,
                Err(refused) => Err(refused),
            };
            return Ok(settled.map(|verified| (verified, seen.steps)));
        };
        let mut last = Refused { failure: SigstoreError::NoAuthority.into(), steps: seen.steps.clone() };
        for path in self.paths(leaf, &seen.times) {
            let outcome = match path {
                Ok(path) => self.signed(leaf, path, &seen.times, provider).await?,
                Err(refused) => Err(refused),
            };
            match outcome {
                Ok(verified) => return Ok(Ok((verified, seen.steps))),
                Err(refused) => last = refused,
            }
        }
        Ok(Err(last))
    }

    /// The signature, the path, the promise and the identity, together.
    async fn signed<P: Provider>(&self, leaf: &Certificate, path: Pending<Path>, times: &[UnixTime], provider: &P) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let pending = self.signature().and_then(|signature| {
            signature.and(path).check(Rule::new("identity.matches", "the certificate's one name and its issuer are the ones that were asked for"), |(statement, _)| {
                let claims = Claims::of(leaf)?;
                self.check_identity(&claims)?;
                Ok(Signed { statement, claims: Some(claims), times: times.into() })
            })
        });
        match pending {
            Ok(pending) => pending.settle(provider).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn check_identity(&self, claims: &Claims) -> Result<(), Failure> {
        let Signer::Identity { issuer, subject } = self.signer else { return Err(SigstoreError::Key.into()) };
        if claims.issuer() == Some(issuer) && claims.subject().text() == subject {
            return Ok(());
        }
        let found = format!("{} by the word of {}", claims.subject().text(), claims.issuer().unwrap_or("nobody"));
        Err(SigstoreError::Identity { found, wanted: format!("{subject} by the word of {issuer}") }.into())
    }

    /// Section 1: every entry of a listed log must hold.
    async fn log_entries<P: Provider>(&self, seen: &mut Witnesses, provider: &P) -> Result<Result<(), Refused>, HostError> {
        let entries = match rekor::entries(&self.bundle.log_entries) {
            Ok(entries) => entries,
            Err(error) => return Ok(refuse(error, &seen.steps)),
        };
        for entry in &entries {
            let listed: Vec<&Log> = self.root.transparency_logs().iter().filter(|log| log.key.id() == entry.log_id_unverified()).collect();
            let [log] = listed.as_slice() else {
                seen.steps.push(Step::Waived(Rule::new("log.unlisted", "an entry of a log that the trusted root does not list was set aside")));
                continue;
            };
            if let Err(refused) = self.log_entry(entry, log, seen, provider).await? {
                return Ok(Err(refused));
            }
        }
        Ok(Ok(()))
    }

    async fn log_entry<P: Provider>(&self, entry: &Entry, log: &Log, seen: &mut Witnesses, provider: &P) -> Result<Result<(), Refused>, HostError> {
        if let Err(error) = self.check_body(entry) {
            return Ok(refuse(error, &seen.steps));
        }
        let mut proven = false;
        if entry.has_set() {
            let settled = match entry.set_claim(&log.key) {
                Ok(pending) => pending.settle(provider).await?,
                Err(refused) => Err(refused),
            };
            match settled {
                Ok(verified) => {
                    let time = verified.claim().time();
                    if !log.valid.covers(time) {
                        return Ok(refuse(SigstoreError::LogWindow, verified.steps()));
                    }
                    seen.steps.extend_from_slice(verified.steps());
                    seen.times.push(time);
                    seen.integrated.insert(log.key.id().into());
                    proven = self.bundle.version == super::bundle::Version::V0_1;
                }
                Err(refused) => return Ok(Err(refused)),
            }
        }
        match entry.proof_form() {
            ProofForm::WithCheckpoint => {
                let settled = match entry.inclusion_claim(&log.key) {
                    Ok(pending) => pending.settle(provider).await?,
                    Err(refused) => Err(refused),
                };
                match settled {
                    Ok(verified) => {
                        seen.steps.extend_from_slice(verified.steps());
                        proven = true;
                    }
                    Err(refused) => return Ok(Err(refused)),
                }
            }
            ProofForm::WithoutCheckpoint => {
                if let Err(error) = entry.check_proof() {
                    return Ok(refuse(error, &seen.steps));
                }
            }
            ProofForm::Absent => {}
        }
        if proven {
            seen.logs.insert(log.key.id().into());
        }
        Ok(Ok(()))
    }

    fn check_body(&self, entry: &Entry) -> Result<(), Failure> {
        let verifier = match self.certificates.first() {
            Some(leaf) => Verifier::Certificate(leaf.der()),
            None => Verifier::Key(self.key),
        };
        let signature = self.bundle.signature.as_slice();
        match &self.bundle.content {
            Content::Dsse { payload_type, payload } => {
                let content = rekor::Content::Dsse { payload, payload_type, signatures: &[signature] };
                entry.check_body(&Expected { signature, verifier, content })?;
            }
            Content::Message { .. } => {
                let hash = message_hash(self.scheme);
                let digest = self.artifact_digest(hash)?;
                let content = rekor::Content::MessageDigest(hash, &digest);
                entry.check_body(&Expected { signature, verifier, content })?;
            }
        }
        Ok(())
    }

    fn artifact_digest(&self, hash: Hash) -> Result<Vec<u8>, Failure> {
        match self.artifact {
            Artifact::Bytes(bytes) => Ok(hash.hash(bytes)),
            Artifact::Digest(digest) if digest.algorithm() == hash => Ok(digest.bytes().into()),
            Artifact::Digest(_) => Err(SigstoreError::NeedBytes.into()),
        }
    }

    /// Section 2: every token of a listed authority must hold.
    async fn timestamps<P: Provider>(&self, seen: &mut Witnesses, provider: &P) -> Result<Result<(), Refused>, HostError> {
        for der in &self.bundle.timestamps {
            let token = match Token::parse(der) {
                Ok(token) => token,
                Err(error) => return Ok(refuse(error, &seen.steps)),
            };
            let settled = match token.claims(self.root.timestamp_authorities(), &self.bundle.signature) {
                Ok(alternatives) => first_to_settle(alternatives, provider).await?,
                Err(refused) if refused.failure.code == "timestamp.unknown-authority" => {
                    seen.steps.push(Step::Waived(Rule::new("timestamp.unlisted", "a timestamp of an authority that the trusted root does not list was set aside")));
                    continue;
                }
                Err(refused) => Err(refused),
            };
            match settled {
                Ok(verified) => {
                    seen.times.push(verified.claim().time);
                    seen.authorities.insert(verified.claim().authority);
                    seen.steps.extend_from_slice(verified.steps());
                }
                Err(refused) => return Ok(Err(refused)),
            }
        }
        Ok(Ok(()))
    }

    fn counts(&self, seen: &Witnesses) -> Result<(), Refused> {
        let wanted = self.thresholds.logs.max(usize::from(!self.root.transparency_logs().is_empty()));
        if seen.logs.len() < wanted {
            return refuse(SigstoreError::Log { found: seen.logs.len(), wanted }, &seen.steps);
        }
        if seen.authorities.len() < self.thresholds.timestamps {
            return refuse(SigstoreError::Timestamps { found: seen.authorities.len(), wanted: self.thresholds.timestamps }, &seen.steps);
        }
        let integrated = seen.integrated.len();
        let observers = integrated.saturating_add(seen.authorities.len());
        for (found, wanted) in [(integrated, self.thresholds.integrated), (observers, self.thresholds.observers)] {
            if found < wanted {
                return refuse(SigstoreError::Times { found, wanted }, &seen.steps);
            }
        }
        match self.signer {
            Signer::Identity { .. } if seen.times.is_empty() => refuse(SigstoreError::NoTime, &seen.steps),
            Signer::Key(_, Some(window)) if seen.times.is_empty() || !seen.times.iter().all(|time| window.covers(*time)) => refuse(SigstoreError::KeyWindow, &seen.steps),
            _ => Ok(()),
        }
    }

    /// Section 3: each path to an authority of the root, with a promise of a listed log where the root lists one.
    fn paths(&self, leaf: &Certificate, times: &[UnixTime]) -> Vec<Result<Pending<Path>, Refused>> {
        let intermediates = self.certificates.get(1..).unwrap_or_default();
        let mut paths = Vec::new();
        for anchor in self.root.authorities() {
            match chains(leaf, intermediates, anchor) {
                Ok(found) => paths.extend(found.iter().flat_map(|chain| {
                    let path = || chain.claim(Purpose::CodeSigning, times);
                    match chain.issuer() {
                        Some(issuer) if !self.root.certificate_logs().is_empty() => self.promises(leaf, issuer, path),
                        _ => alloc::vec![path().map(|path| path.note_waived(Rule::new("sct.not-demanded", "the trusted root lists no certificate transparency log")))],
                    }
                })),
                Err(refused) => paths.push(Err(refused)),
            }
        }
        // What came furthest is told: a chain whose names do not fit says least.
        paths.sort_by_key(|path| matches!(path, Err(refused) if refused.steps.is_empty()));
        paths.reverse();
        paths
    }

    /// Each promise of a listed log is an alternative.
    fn promises(&self, leaf: &Certificate, issuer: &Certificate, path: impl Fn() -> Result<Pending<Path>, Refused>) -> Vec<Result<Pending<Path>, Refused>> {
        let scts = match sct::scts(leaf) {
            Ok(scts) => scts,
            Err(error) => return alloc::vec![refuse(error, &[])],
        };
        let mut found = Vec::new();
        for promise in &scts {
            for log in self.root.certificate_logs().iter().filter(|log| log.key.id() == promise.log_id()) {
                found.push(path().and_then(|path| {
                    let claim = promise.claim(leaf, issuer.public_key().spki_der(), log.key.key())?;
                    let claim = claim.check(Rule::new("sct.window", "the promise lies in the time of the log's key"), |sct| {
                        if log.valid.covers(sct.time) { Ok(sct) } else { Err(SigstoreError::SctWindow.into()) }
                    })?;
                    path.and(claim).check(Rule::new("sct.listed", "the certificate carries a promise of a listed log"), |(path, _)| Ok(path))
                }));
            }
        }
        if found.is_empty() {
            found.push(refuse(SigstoreError::Sct, &[]));
        }
        found
    }

    /// Sections 4 and 5: the signature, and what it is about.
    fn signature(&self) -> Result<Pending<Option<Statement>>, Refused> {
        match &self.bundle.content {
            Content::Dsse { payload_type, payload } => {
                if payload_type != statement::PAYLOAD_TYPE {
                    return refuse(SigstoreError::Payload, &[]);
                }
                let message = Message::Bytes(dsse::pae(payload_type, payload));
                let check = self.check(Role::DsseEnvelope, message)?;
                let pending = Pending::read(check, |_| Statement::parse_untyped(payload).map_err(Failure::from))?;
                pending.check(Rule::new("artifact.matches", "the statement is about this artifact"), |statement| {
                    let about = match self.artifact {
                        Artifact::Bytes(bytes) => statement.is_about(bytes),
                        Artifact::Digest(digest) => statement.is_about_digest(digest),
                    };
                    if about { Ok(Some(statement)) } else { Err(SigstoreError::Artifact.into()) }
                })
            }
            Content::Message { algorithm, digest } => {
                let hash = message_hash(self.scheme);
                let wrong = |error: Failure| Refused { failure: error, steps: Vec::new() };
                let own = self.artifact_digest(hash).map_err(wrong)?;
                self.check_hint(algorithm, digest, hash, &own).map_err(wrong)?;
                let message = match self.artifact {
                    Artifact::Bytes(bytes) => Message::Bytes(bytes.clone()),
                    Artifact::Digest(_) => Message::Digest(hash, own),
                };
                let check = self.check(Role::Given, message)?;
                Pending::read(check, |_| Ok(None))
            }
        }
    }

    /// The digest in the bundle is only a hint, but one that contradicts the artifact was altered.
    fn check_hint(&self, algorithm: &str, hint: &[u8], hash: Hash, own: &[u8]) -> Result<(), Failure> {
        let named = match algorithm {
            "SHA2_256" => Some(Hash::Sha256),
            "SHA2_384" => Some(Hash::Sha384),
            "SHA2_512" => Some(Hash::Sha512),
            _ => None,
        };
        let own = match (named, self.artifact) {
            (Some(named), _) if named == hash => own.into(),
            (Some(named), Artifact::Bytes(bytes)) => named.hash(bytes),
            _ => return Err(SigstoreError::NeedBytes.into()),
        };
        if own == hint { Ok(()) } else { Err(SigstoreError::Artifact.into()) }
    }

    fn check(&self, role: Role, message: Message) -> Result<SignatureCheck, Refused> {
        SignatureCheck::new(role, self.key, self.scheme, EcdsaForm::Der, message, &self.bundle.signature).map_err(|error| Refused { failure: error.into(), steps: Vec::new() })
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
