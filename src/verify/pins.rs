//! `pinned`, `exceptions` and `distrusted` (docs/trust.md sections 1 and 6): digests that the policy
//! itself names. No signature is looked at.
//!
//! A digest counts when the bytes that are judged have it, or when an index has it that lists them
//! and was judged in their place.

use super::error::{Reason, VerifyError};
use super::finding::Finding;
use super::report::Requirement;
use super::subject::Subject;
use crate::digest::{Algorithm, Digest};
use crate::oci::Document;
use crate::policy::{Exception, Others, Pinned};
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::string::ToString;
use alloc::vec::Vec;

/// What is judged: bytes, and the index that lists them where each of its images is judged for
/// itself.
#[derive(Clone, Copy)]
pub(super) struct InHand<'a> {
    pub subject: &'a Subject,
    pub within: Option<&'a Digest>,
}

impl InHand<'_> {
    fn has(&self, digest: &Digest) -> bool {
        digest.check(&self.subject.bytes).is_ok() || self.within == Some(digest)
    }
}

/// What of this the policy distrusts: these bytes, by whichever algorithm it names them, the index that
/// was judged in their place, or an image that they list, since an index speaks for its images.
pub(super) fn distrusted(distrusted: &[Digest], in_hand: InHand<'_>) -> Option<Digest> {
    if distrusted.is_empty() {
        return None;
    }
    let bytes = &in_hand.subject.bytes;
    let mut meant: Vec<Digest> = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512]
        .map(|algorithm| Digest::with(algorithm, bytes))
        .into();
    meant.extend(in_hand.within.cloned());
    if let Document::Index(index) = &in_hand.subject.document {
        meant.extend(index.manifests.iter().map(|entry| entry.digest.clone()));
    }
    meant.into_iter().find(|one| distrusted.contains(one))
}

/// A tag must be listed with this digest; a digest must be one that is pinned for its repository.
pub(super) fn pinned(
    pinned: &Pinned,
    in_hand: InHand<'_>,
    name: Option<&Reference>,
) -> Requirement {
    // What has no name is not listed.
    let unnamed = || VerifyError::PinnedDigest {
        repository: "images with a name".into(),
        found: in_hand.subject.digest.to_string(),
    };
    let listed = name
        .ok_or_else(unnamed)
        .and_then(|name| listed(pinned, in_hand, name));
    let finding = match listed {
        Ok(reason) => Finding::allow(reason),
        Err(error) => Finding::deny(error),
    };
    Requirement::decided("pinned", finding)
}

fn listed(pinned: &Pinned, in_hand: InHand<'_>, name: &Reference) -> Result<Reason, VerifyError> {
    let mut here = pinned
        .pins
        .iter()
        .filter(|(pin, _)| pin.name() == name.name());
    let found = in_hand.subject.digest.to_string();
    let (None, Some(tag)) = (name.digest(), name.tag()) else {
        let repository = name.name();
        return if here.any(|(_, digest)| in_hand.has(digest)) {
            Ok(Reason::PinnedDigest { repository })
        } else {
            Err(VerifyError::PinnedDigest { repository, found })
        };
    };
    let name = name.to_string();
    match here.find(|(pin, _)| pin.tag() == Some(tag)) {
        Some((_, digest)) if in_hand.has(digest) => Ok(Reason::PinnedTag { name }),
        Some((_, digest)) => Err(VerifyError::PinnedOther {
            name,
            pinned: digest.to_string(),
            found,
        }),
        None if pinned.others == Others::Allow => Ok(Reason::PinnedOthers { name }),
        None => Err(VerifyError::PinnedTag { name, found }),
    }
}

/// The exception that admits this, and until when.
pub(super) fn exception(
    exceptions: &[Exception],
    in_hand: InHand<'_>,
    name: &Reference,
    now: UnixTime,
) -> Option<Requirement> {
    let tagged = name
        .tag()
        .filter(|_| name.digest().is_none())
        .map(|_| name.to_string());
    let admits = |one: &&Exception| {
        now < one.until
            && (one.scope == name.name() || Some(&one.scope) == tagged.as_ref())
            && one.digests.iter().any(|digest| in_hand.has(digest))
    };
    // Of several, the one that lasts.
    let one = exceptions
        .iter()
        .filter(admits)
        .max_by_key(|one| one.until)?;
    let reason = Reason::Exception {
        until: one.until,
        reason: one.reason.clone(),
    };
    Some(Requirement {
        expires: Some(one.until.0),
        ..Requirement::decided("exception", Finding::allow(reason))
    })
}
