//! Finding the simple signatures of one manifest: the registry's extension if it has that, else a
//! lookaside (docs/containers-image.md section 7).
//!
//! One after the other, from 1 on, until one is missing. Nothing found here is trusted.

use super::lookaside::Lookaside;
use super::message::SimpleMessage;
use super::stored::{Stored, listed};
use crate::digest::{Digest, sha256};
use crate::limits;
use crate::verify::archive::Archive;
use crate::verify::error::VerifyError;
use crate::verify::finding::Finding;
use crate::verify::found::{Body, Found};
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The simple signatures of one manifest, fetched as they are looked at; nothing is asked for
/// twice.
pub(in crate::verify) struct SimpleSource<'r, A> {
    archive: &'r A,
    digest: &'r Digest,
    lookaside: Option<Lookaside>,
    /// Where files are that are numbered, for people.
    place: &'static str,
    next: Ahead,
    found: Vec<Arc<Found>>,
    missed: Option<Finding>,
    trouble: Option<Finding>,
}

/// What is asked next.
enum Ahead {
    Extension,
    /// What the extension listed, and how many of it were looked at.
    Listed(VecDeque<Vec<u8>>, usize),
    /// The signature of this number.
    Lookaside(usize),
    Nothing,
}

impl<'r, A: Archive> SimpleSource<'r, A> {
    pub(in crate::verify) fn new(
        archive: &'r A,
        digest: &'r Digest,
        lookaside: Option<Lookaside>,
        place: &'static str,
    ) -> Self {
        Self {
            archive,
            digest,
            lookaside,
            place,
            next: Ahead::Extension,
            found: Vec::new(),
            missed: None,
            trouble: None,
        }
    }

    /// The candidate with this number, fetched if it must be; `fetched` counts the bytes of all
    /// evidence of the image. None: there is no more, or no more can be had, which [`Self::missed`]
    /// says.
    pub(in crate::verify) async fn candidate(
        &mut self,
        number: usize,
        fetched: &mut usize,
    ) -> Option<Arc<Found>> {
        loop {
            if let Some(found) = self.found.get(number) {
                return Some(found.clone());
            }
            match core::mem::replace(&mut self.next, Ahead::Nothing) {
                Ahead::Nothing => return None,
                Ahead::Extension => self.extension(fetched).await,
                Ahead::Listed(mut list, taken) => {
                    if let Some(message) = list.pop_front() {
                        let taken = taken.saturating_add(1);
                        self.next = Ahead::Listed(list, taken);
                        let source = format!("registry, signature {taken}");
                        self.add(source, Ok(Stored::Simple(message)), fetched);
                    }
                }
                Ahead::Lookaside(number) => self.lookaside(number, fetched).await,
            }
        }
    }

    /// The first thing that could not be had: with nothing satisfied it is "unknown".
    pub(in crate::verify) fn missed(&self) -> Option<Finding> {
        self.missed.clone()
    }

    /// The first thing that could not be had or does not read.
    pub(in crate::verify) fn trouble(&self) -> Option<Finding> {
        self.trouble.clone()
    }

    async fn extension(&mut self, fetched: &mut usize) {
        let Some(max) = self.room(*fetched) else {
            return;
        };
        let body = match self.archive.simple_signatures(self.digest, max).await {
            Ok(Some(body)) => body,
            Ok(None) => {
                self.next = Ahead::Lookaside(1);
                return;
            }
            Err(error) => return self.miss(Finding::unknown(error)),
        };
        *fetched = fetched.saturating_add(body.len());
        match listed(&body) {
            Some(list) if list.len() > limits::LOOKASIDE => self.miss(too_many()),
            Some(list) => self.next = Ahead::Listed(list.into(), 0),
            None => self.miss(Finding::unknown(VerifyError::SignatureList)),
        }
    }

    async fn lookaside(&mut self, number: usize, fetched: &mut usize) {
        let Some(max) = self.room(*fetched) else {
            return;
        };
        let asked = self
            .archive
            .simple_signature(self.lookaside.as_ref(), self.digest, number, max)
            .await;
        let blob = match asked {
            Ok(Some(blob)) => blob,
            Ok(None) => return,
            Err(error) => return self.miss(Finding::unknown(error)),
        };
        if number >= limits::LOOKASIDE {
            return self.miss(too_many());
        }
        *fetched = fetched.saturating_add(blob.len());
        let stored = Stored::read(&blob).map_err(Finding::deny);
        self.next = Ahead::Lookaside(number.saturating_add(1));
        let source = format!("{}, signature-{number}", self.place);
        self.add(source, stored, fetched);
    }

    fn room(&mut self, fetched: usize) -> Option<usize> {
        match limits::EVIDENCE_TOTAL.saturating_sub(fetched) {
            0 => {
                self.miss(too_much());
                None
            }
            left => Some(left.min(limits::EVIDENCE)),
        }
    }

    fn miss(&mut self, finding: Finding) {
        self.missed = self.missed.take().or(Some(finding.clone()));
        self.trouble = self.trouble.take().or(Some(finding));
    }

    /// What it inflates to counts as fetched: small files can become much.
    fn add(&mut self, source: String, stored: Result<Stored, Finding>, fetched: &mut usize) {
        let (key, digest, body) = match stored {
            Ok(Stored::Simple(bytes)) => {
                let room = limits::EVIDENCE_TOTAL.saturating_sub(*fetched);
                let Some(message) = SimpleMessage::read(&bytes, room) else {
                    self.next = Ahead::Nothing;
                    return self.miss(too_much());
                };
                let more = message.size().saturating_sub(bytes.len());
                *fetched = fetched.saturating_add(more);
                let digest = Digest::of(&bytes);
                let key = sha256(format!("simple signature {digest}").as_bytes());
                (key, Some(digest), Body::Simple(message))
            }
            Ok(Stored::Sigstore(media_type)) => {
                let key = sha256(format!("other signature {source}").as_bytes());
                (key, None, Body::Attachment(media_type))
            }
            Err(trouble) => {
                self.trouble = self.trouble.take().or(Some(trouble.clone()));
                let key = sha256(format!("broken signature {source}").as_bytes());
                (key, None, Body::Broken(trouble.into_reason()))
            }
        };
        self.found.push(Arc::new(Found {
            source,
            digest,
            origin: None,
            key,
            body,
        }));
    }
}

fn too_much() -> Finding {
    Finding::unknown(VerifyError::EvidenceLimit {
        what: "bytes of evidence",
        limit: limits::EVIDENCE_TOTAL,
    })
}

fn too_many() -> Finding {
    Finding::unknown(VerifyError::Lookaside {
        limit: limits::LOOKASIDE,
    })
}
