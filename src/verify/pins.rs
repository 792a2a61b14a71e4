//! `pinned` and `exceptions` (docs/trust.md sections 1 and 6): digests that the policy itself
//! names. No signature is looked at.
//!
//! A digest counts when the bytes that are judged have it, or when an index has it that lists them
//! and was judged in their place.

use super::image::Subject;
use super::report::{Requirement, Verdict};
use super::trouble::VerifyError;
use crate::digest::Digest;
use crate::error::Failure;
use crate::policy::{Exception, Others, Pinned};
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What is judged: bytes, and the index that lists them where each of its images is judged for
/// itself.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub subject: &'a Subject,
    pub within: Option<&'a Digest>,
}

impl Judged<'_> {
    fn has(&self, digest: &Digest) -> bool {
        digest.check(&self.subject.bytes).is_ok() || self.within == Some(digest)
    }
}

/// A tag must be listed with this digest; a digest must be one that is pinned for its repository.
pub(super) fn pinned(pinned: &Pinned, judged: Judged<'_>, name: &Reference) -> Requirement {
    let mut here = pinned
        .pins
        .iter()
        .filter(|(pin, _)| pin.name() == name.name());
    let found = || judged.subject.digest.to_string();
    let answer = match (name.digest(), name.tag()) {
        (None, Some(tag)) => match here.find(|(pin, _)| pin.tag() == Some(tag)) {
            Some((_, digest)) if judged.has(digest) => Ok((
                "pinned.listed",
                format!("the policy pins {name} to this digest"),
            )),
            Some((_, digest)) => Err(VerifyError::PinnedOther {
                name: name.to_string(),
                pinned: digest.to_string(),
                found: found(),
            }),
            None if pinned.others == Others::Allow => Ok((
                "pinned.others",
                format!("the policy pins other tags than {name}, and lets the others pass"),
            )),
            None => Err(VerifyError::PinnedTag {
                name: name.to_string(),
                found: found(),
            }),
        },
        _ if here.any(|(_, digest)| judged.has(digest)) => Ok((
            "pinned.listed",
            format!("the policy pins this digest in {}", name.name()),
        )),
        _ => Err(VerifyError::PinnedDigest {
            repository: name.name(),
            found: found(),
        }),
    };
    match answer {
        Ok((code, message)) => decided("pinned", Verdict::Allow, code, message, None),
        Err(error) => {
            let failure = Failure::from(error);
            decided("pinned", Verdict::Deny, failure.code, failure.message, None)
        }
    }
}

/// The exception that admits this, and until when.
pub(super) fn exception(
    exceptions: &[Exception],
    judged: Judged<'_>,
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
            && one.digests.iter().any(|digest| judged.has(digest))
    };
    // Of several, the one that lasts.
    let one = exceptions
        .iter()
        .filter(admits)
        .max_by_key(|one| one.until)?;
    let message = format!(
        "admitted by an exception of the policy until {} (reason: {}), and by nothing else",
        one.until, one.reason
    );
    Some(decided(
        "exception",
        Verdict::Allow,
        "exception.admitted",
        message,
        Some(one.until.0),
    ))
}

fn decided(
    kind: &str,
    verdict: Verdict,
    code: &'static str,
    message: String,
    expires: Option<i64>,
) -> Requirement {
    Requirement {
        kind: kind.into(),
        verdict,
        code,
        message,
        trusted_root: None,
        candidates: Vec::new(),
        expires,
    }
}
