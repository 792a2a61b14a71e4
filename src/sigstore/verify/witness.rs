//! What logs and timestamp authorities say of a signature (docs/trust.md section 4). An entry or a
//! token of an unlisted issuer is set aside; one that names a listed issuer and fails refuses the
//! signature.

use super::attempt::{Attempt, refuse};
use super::error::SigstoreError;
use super::question::Signer;
use crate::crypto::{Pending, Provider, Refused, Rule, Step, Verified, first_to_settle};
use crate::encoding::hex;
use crate::error::{Failure, HostError, Kind};
use crate::sigstore::bundle::Content;
use crate::sigstore::trusted_root::Log;
use crate::time::UnixTime;
use crate::timestamp::{Timestamp, Token};
use crate::tlog::rekor;
use crate::tlog::rekor::{Entry, Expected, ProofForm, Verifier};
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// An entry in a listed log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// The log's id, hexadecimal.
    pub log_id: String,
    /// The entry's index, as the bundle gives it where no signed entry timestamp covers it.
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

/// What the log and the timestamp authorities gave.
#[derive(Default)]
pub(super) struct Witnesses {
    /// Ids of logs, each once.
    pub logs: Vec<Vec<u8>>,
    /// Ids of logs that say when, each once.
    pub integrated: Vec<Vec<u8>>,
    /// Places of authorities in the root, each once.
    pub authorities: Vec<usize>,
    pub times: Vec<UnixTime>,
    pub entries: Vec<LoggedEntry>,
    pub stamps: Vec<Stamp>,
    pub steps: Vec<Step>,
}

/// What the bundle states of listed logs and authorities: tied to this signature, and no signature
/// of theirs checked yet.
pub(super) struct Stated<'a> {
    entries: Vec<(Entry, &'a Log)>,
    /// Of each token, the ways in which a listed authority may have made it.
    tokens: Vec<Vec<Pending<Timestamp>>>,
    /// What was set aside.
    steps: Vec<Step>,
}

impl Attempt<'_> {
    /// Everything that costs no check: each entry of a listed log is about this signature, each
    /// token of a listed authority is over it, and there would be enough of both if all of them
    /// held.
    pub(super) fn stated(&self) -> Result<Stated<'_>, Refused> {
        let mut stated = Stated {
            entries: Vec::new(),
            tokens: Vec::new(),
            steps: Vec::new(),
        };
        self.state_entries(&mut stated)?;
        self.state_tokens(&mut stated)?;
        self.check_stated(&stated)?;
        Ok(stated)
    }

    fn state_entries<'a>(&'a self, stated: &mut Stated<'a>) -> Result<(), Refused> {
        for entry in self
            .bundle
            .log_entries
            .read()
            .or_else(|error| refuse(error, &[]))?
        {
            let listed: Vec<&Log> = self
                .root
                .transparency_logs()
                .iter()
                .filter(|log| log.key.id() == entry.log_id_unverified())
                .collect();
            match listed.as_slice() {
                [log] => {
                    self.check_body(&entry)
                        .or_else(|error| refuse(error, &stated.steps))?;
                    stated.entries.push((entry, *log));
                }
                _ => stated.steps.push(Step::Waived(Rule::new(
                    "log.unlisted",
                    "an entry of a log that the trusted root does not list was set aside",
                ))),
            }
        }
        Ok(())
    }

    fn state_tokens(&self, stated: &mut Stated<'_>) -> Result<(), Refused> {
        let stamped = self
            .bundle
            .stamped
            .as_deref()
            .unwrap_or(&self.bundle.signature);
        for der in &self.bundle.timestamps {
            match Token::parse(der)
                .or_else(|error| refuse(error, &stated.steps))?
                .claims(self.root.timestamp_authorities(), stamped)
            {
                Ok(alternatives) => stated.tokens.push(alternatives),
                Err(refused) if refused.failure.kind == Kind::UnknownAuthority => {
                    stated.steps.push(Step::Waived(Rule::new(
                        "timestamp.unlisted",
                        "a timestamp of an authority that the trusted root does not list was set \
                         aside",
                    )));
                }
                Err(refused) => return Err(refused.after(mem::take(&mut stated.steps))),
            }
        }
        Ok(())
    }

    /// As [`Self::counts`], of what would be there at best.
    fn check_stated(&self, stated: &Stated<'_>) -> Result<(), Refused> {
        let ids = |which: fn(&Self, &Entry) -> bool| {
            let mut ids = Vec::new();
            for (entry, log) in &stated.entries {
                if which(self, entry) {
                    add(&mut ids, log.key.id());
                }
            }
            ids.len()
        };
        let proven = |this: &Self, entry: &Entry| {
            entry.proof_form() == ProofForm::WithCheckpoint
                || entry.has_set() && this.bundle.version.set_is_enough()
        };
        let (logs, integrated, authorities) = (
            ids(proven),
            ids(|_, entry| entry.has_set()),
            stated.tokens.len(),
        );
        self.check_counts([logs, integrated, authorities], &stated.steps)?;
        match self.signer {
            Signer::Identity { .. } if integrated == 0 && authorities == 0 => {
                refuse(SigstoreError::NoTime, &stated.steps)
            }
            _ => Ok(()),
        }
    }

    /// Every entry of a listed log, and every token of a listed authority, must hold.
    pub(super) async fn witnesses<P: Provider>(
        &self,
        stated: Stated<'_>,
        provider: &P,
    ) -> Result<Result<Witnesses, Refused>, HostError> {
        let mut seen = Witnesses {
            steps: stated.steps,
            ..Witnesses::default()
        };
        for (entry, log) in &stated.entries {
            if let Err(refused) = self.log_entry(entry, log, &mut seen, provider).await? {
                return Ok(Err(refused));
            }
        }
        for alternatives in stated.tokens {
            if let Err(refused) = timestamp(alternatives, &mut seen, provider).await? {
                return Ok(Err(refused));
            }
        }
        Ok(self.counts(&seen).map(|()| seen))
    }

    async fn log_entry<P: Provider>(
        &self,
        entry: &Entry,
        log: &Log,
        seen: &mut Witnesses,
        provider: &P,
    ) -> Result<Result<(), Refused>, HostError> {
        let mut fact = LoggedEntry {
            log_id: hex::encode(log.key.id()),
            index: entry.log_index_unverified(),
            kind: entry.kind(),
            time: None,
            checkpoint: None,
        };
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
            add(&mut seen.integrated, log.key.id().into());
            fact.time = Some(time);
            proven = self.bundle.version.set_is_enough();
        }
        match entry.proof_form() {
            ProofForm::WithCheckpoint => {
                let verified = match settle(entry.inclusion_claim(&log.key), provider).await? {
                    Ok(verified) => verified,
                    Err(refused) => return Ok(Err(refused)),
                };
                fact.checkpoint = Some((
                    verified.claim().checkpoint().origin().into(),
                    verified.claim().checkpoint().size(),
                ));
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
            add(&mut seen.logs, log.key.id().into());
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
            Content::Dsse {
                payload_type,
                payload,
            } => {
                let content = rekor::Content::Dsse {
                    payload,
                    payload_type,
                    signatures: &[signature],
                    envelope: self.bundle.stamped.as_deref(),
                };
                entry.check_body(&Expected {
                    signature,
                    verifier,
                    content,
                })?;
            }
            Content::Payload(payload) => {
                let hash = self.message_hash();
                let digest = hash.hash(payload);
                let content = rekor::Content::MessageDigest(hash, &digest);
                entry.check_body(&Expected {
                    signature,
                    verifier,
                    content,
                })?;
            }
            Content::Message { .. } => {
                let hash = self.message_hash();
                let digest = self.artifact_digest(hash)?;
                let content = rekor::Content::MessageDigest(hash, &digest);
                entry.check_body(&Expected {
                    signature,
                    verifier,
                    content,
                })?;
            }
        }
        Ok(())
    }

    fn counts(&self, seen: &Witnesses) -> Result<(), Refused> {
        self.check_counts(
            [
                seen.logs.len(),
                seen.integrated.len(),
                seen.authorities.len(),
            ],
            &seen.steps,
        )?;
        match self.signer {
            Signer::Identity { .. } if seen.times.is_empty() => {
                refuse(SigstoreError::NoTime, &seen.steps)
            }
            Signer::Key(_, Some(window))
                if seen.times.is_empty() || !seen.times.iter().all(|time| window.covers(*time)) =>
            {
                refuse(SigstoreError::KeyWindow, &seen.steps)
            }
            _ => Ok(()),
        }
    }

    fn check_counts(
        &self,
        [logs, integrated, authorities]: [usize; 3],
        steps: &[Step],
    ) -> Result<(), Refused> {
        let wanted = self
            .thresholds
            .logs
            .max(usize::from(!self.root.transparency_logs().is_empty()));
        if logs < wanted {
            return refuse(
                SigstoreError::Log {
                    found: logs,
                    wanted,
                },
                steps,
            );
        }
        if authorities < self.thresholds.timestamps {
            return refuse(
                SigstoreError::Timestamps {
                    found: authorities,
                    wanted: self.thresholds.timestamps,
                },
                steps,
            );
        }
        let observers = integrated.saturating_add(authorities);
        for (found, wanted) in [
            (integrated, self.thresholds.integrated),
            (observers, self.thresholds.observers),
        ] {
            if found < wanted {
                return refuse(SigstoreError::Times { found, wanted }, steps);
            }
        }
        Ok(())
    }
}

async fn timestamp<P: Provider>(
    alternatives: Vec<Pending<Timestamp>>,
    seen: &mut Witnesses,
    provider: &P,
) -> Result<Result<(), Refused>, HostError> {
    Ok(
        match first_to_settle(alternatives.into_iter().map(Ok).collect(), provider).await? {
            Ok(verified) => {
                seen.times.push(verified.claim().time);
                seen.stamps.push(Stamp {
                    time: verified.claim().time,
                    authority: verified.claim().signer.shown(),
                });
                add(&mut seen.authorities, verified.claim().authority);
                seen.steps.extend_from_slice(verified.steps());
                Ok(())
            }
            Err(refused) => Err(refused),
        },
    )
}

/// Counts are of distinct logs and authorities; there are few.
fn add<T: PartialEq>(ids: &mut Vec<T>, id: T) {
    if !ids.contains(&id) {
        ids.push(id);
    }
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
