//! What logs and timestamp authorities say of a signature (TRUST section 4). An entry or a token of an unlisted issuer is set
//! aside; one that names a listed issuer and fails refuses the signature.

use super::{Attempt, LoggedEntry, SigstoreError, Signer, Stamp, first_to_settle, message_hash, refuse, settle};
use crate::crypto::{Provider, Refused, Rule, Step};
use crate::encoding::hex;
use crate::error::{Failure, HostError};
use crate::sigstore::bundle::Content;
use crate::sigstore::trusted_root::Log;
use crate::time::UnixTime;
use crate::timestamp::Token;
use crate::tlog::rekor;
use crate::tlog::rekor::{Entry, Expected, ProofForm, Verifier};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// What the log and the timestamp authorities gave.
#[derive(Default)]
pub(super) struct Witnesses {
    pub logs: BTreeSet<Vec<u8>>,
    pub integrated: BTreeSet<Vec<u8>>,
    pub authorities: BTreeSet<usize>,
    pub times: Vec<UnixTime>,
    pub entries: Vec<LoggedEntry>,
    pub stamps: Vec<Stamp>,
    pub steps: Vec<Step>,
}

impl Attempt<'_> {
    /// Section 1: every entry of a listed log must hold.
    pub(super) async fn log_entries<P: Provider>(&self, seen: &mut Witnesses, provider: &P) -> Result<Result<(), Refused>, HostError> {
        let entries = match self.bundle.log_entries.read() {
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
        let mut fact = LoggedEntry { log_id: hex::encode(log.key.id()), index: entry.log_index_unverified(), kind: entry.kind(), time: None, checkpoint: None };
        let mut proven = false;
        if entry.has_set() {
            let verified = match settle(entry.set_claim(&log.key), provider).await? {
                Ok(verified) => verified,
                Err(refused) => return Ok(Err(refused)),
            };
            let time = verified.claim().time();
            if !log.valid.covers(time) {
                return Ok(refuse(SigstoreError::LogWindow, verified.steps()));
            }
            seen.steps.extend_from_slice(verified.steps());
            seen.times.push(time);
            seen.integrated.insert(log.key.id().into());
            fact.time = Some(time);
            proven = self.bundle.version.set_is_enough();
        }
        match entry.proof_form() {
            ProofForm::WithCheckpoint => {
                let verified = match settle(entry.inclusion_claim(&log.key), provider).await? {
                    Ok(verified) => verified,
                    Err(refused) => return Ok(Err(refused)),
                };
                fact.checkpoint = Some((verified.claim().checkpoint().origin().into(), verified.claim().checkpoint().size()));
                seen.steps.extend_from_slice(verified.steps());
                proven = true;
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
        seen.entries.push(fact);
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
                let content = rekor::Content::Dsse { payload, payload_type, signatures: &[signature], envelope: self.bundle.stamped.as_deref() };
                entry.check_body(&Expected { signature, verifier, content })?;
            }
            Content::Payload(payload) => {
                let hash = message_hash(self.scheme);
                let digest = hash.hash(payload);
                let content = rekor::Content::MessageDigest(hash, &digest);
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

    /// Section 2: every token of a listed authority must hold.
    pub(super) async fn timestamps<P: Provider>(&self, seen: &mut Witnesses, provider: &P) -> Result<Result<(), Refused>, HostError> {
        let stamped = self.bundle.stamped.as_deref().unwrap_or(&self.bundle.signature);
        for der in &self.bundle.timestamps {
            let token = match Token::parse(der) {
                Ok(token) => token,
                Err(error) => return Ok(refuse(error, &seen.steps)),
            };
            let settled = match token.claims(self.root.timestamp_authorities(), stamped) {
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
                    seen.stamps.push(Stamp { time: verified.claim().time, authority: verified.claim().signer.shown() });
                    seen.authorities.insert(verified.claim().authority);
                    seen.steps.extend_from_slice(verified.steps());
                }
                Err(refused) => return Ok(Err(refused)),
            }
        }
        Ok(Ok(()))
    }

    pub(super) fn counts(&self, seen: &Witnesses) -> Result<(), Refused> {
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
}
