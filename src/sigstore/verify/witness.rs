//! What logs and timestamp authorities say of a signature (docs/trust.md section 4). An entry or a
//! token of an unlisted issuer is set aside; one that names a listed issuer and fails refuses the
//! signature.

use super::attempt::{Attempt, refuse};
use super::error::SigstoreError;
use super::question::Signer;
use crate::crypto::{Pending, Provider, Refused, Rule, Step, Verified, both, first_to_settle};
use crate::encoding::hex;
use crate::error::{Failure, HostError, Kind};
use crate::sigstore::bundle::Content;
use crate::sigstore::trusted_root::Log;
use crate::time::UnixTime;
use crate::timestamp::{Timestamp, Token};
use crate::tlog::rekor;
use crate::tlog::rekor::{Entry, Expected, Included, IntegratedTime, ProofForm, Verifier};
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
        let (entries, tokens) = (stated.entries, stated.tokens);
        let logged = self.log_entries(&entries, stated.steps, provider);
        let (mut seen, stamped) = match both(logged, timestamps(tokens, provider)).await? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let stamped = match stamped {
            Ok(stamped) => stamped,
            Err(refused) => return Ok(Err(refused)),
        };
        for stamp in &stamped {
            seen.stamp(stamp);
        }
        Ok(self.counts(&seen).map(|()| seen))
    }

    /// One after the other: of the next nothing is asked before this one holds.
    async fn log_entries<P: Provider>(
        &self,
        entries: &[(Entry, &Log)],
        steps: Vec<Step>,
        provider: &P,
    ) -> Result<Result<Witnesses, Refused>, HostError> {
        let mut seen = Witnesses {
            steps,
            ..Witnesses::default()
        };
        for (entry, log) in entries {
            if let Err(refused) = self.log_entry(entry, log, &mut seen, provider).await? {
                return Ok(Err(refused));
            }
        }
        Ok(Ok(seen))
    }

    async fn log_entry<P: Provider>(
        &self,
        entry: &Entry,
        log: &Log,
        seen: &mut Witnesses,
        provider: &P,
    ) -> Result<Result<(), Refused>, HostError> {
        let (integrated, included) = (
            integrated(entry, log, provider),
            included(entry, log, provider),
        );
        let (integrated, included) = match both(integrated, included).await? {
            Ok((integrated, Ok(included))) => (integrated, included),
            Ok((_, Err(refused))) | Err(refused) => return Ok(Err(refused)),
        };
        let is_proven =
            included.is_some() || integrated.is_some() && self.bundle.version.set_is_enough();
        seen.entry(entry, log, integrated, included);
        if is_proven {
            add(&mut seen.logs, log.key.id().into());
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

impl Witnesses {
    /// What an entry of this log proves.
    fn entry(
        &mut self,
        entry: &Entry,
        log: &Log,
        integrated: Option<Verified<IntegratedTime>>,
        included: Option<Verified<Included>>,
    ) {
        let time = integrated.as_ref().map(|set| set.claim().time());
        if let Some(time) = time {
            self.times.push(time);
            add(&mut self.integrated, log.key.id().into());
        }
        let checkpoint = included.as_ref().map(|included| {
            let checkpoint = included.claim().checkpoint();
            (checkpoint.origin().into(), checkpoint.size())
        });
        self.steps
            .extend(integrated.iter().flat_map(Verified::steps).cloned());
        self.steps
            .extend(included.iter().flat_map(Verified::steps).cloned());
        self.entries.push(LoggedEntry {
            log_id: hex::encode(log.key.id()),
            index: entry.log_index_unverified(),
            kind: entry.kind(),
            time,
            checkpoint,
        });
    }

    fn stamp(&mut self, stamp: &Verified<Timestamp>) {
        self.times.push(stamp.claim().time);
        self.stamps.push(Stamp {
            time: stamp.claim().time,
            authority: stamp.claim().signer.shown(),
        });
        add(&mut self.authorities, stamp.claim().authority);
        self.steps.extend_from_slice(stamp.steps());
    }
}

/// The signed entry timestamp, where the entry has one, in the time of the log's key.
async fn integrated<P: Provider>(
    entry: &Entry,
    log: &Log,
    provider: &P,
) -> Result<Result<Option<Verified<IntegratedTime>>, Refused>, HostError> {
    if !entry.has_set() {
        return Ok(Ok(None));
    }
    let settled = settle(entry.set_claim(&log.key), provider).await?;
    Ok(settled.and_then(|verified| {
        if log.valid.covers(verified.claim().time()) {
            Ok(Some(verified))
        } else {
            refuse(SigstoreError::LogWindow, verified.steps())
        }
    }))
}

/// The inclusion under a checkpoint, where the entry has one.
async fn included<P: Provider>(
    entry: &Entry,
    log: &Log,
    provider: &P,
) -> Result<Result<Option<Verified<Included>>, Refused>, HostError> {
    Ok(match entry.proof_form() {
        ProofForm::WithCheckpoint => settle(entry.inclusion_claim(&log.key), provider)
            .await?
            .map(Some),
        ProofForm::WithoutCheckpoint => match entry.check_proof() {
            Ok(()) => Ok(None),
            Err(error) => refuse(error, &[]),
        },
        ProofForm::Absent => Ok(None),
    })
}

/// Of each token the first way that holds, one token after the other.
async fn timestamps<P: Provider>(
    tokens: Vec<Vec<Pending<Timestamp>>>,
    provider: &P,
) -> Result<Result<Vec<Verified<Timestamp>>, Refused>, HostError> {
    let mut stamped = Vec::new();
    for alternatives in tokens {
        let alternatives = alternatives.into_iter().map(Ok).collect();
        match first_to_settle(alternatives, provider).await? {
            Ok(verified) => stamped.push(verified),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(stamped))
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
