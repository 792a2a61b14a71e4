//! One thing that may be a signature, as it was found.

use super::error::Reason;
use super::report::{Candidate, Claims, Outcome, StepReport};
#[cfg(feature = "openpgp")]
use super::simple::SimpleMessage;
use super::work::Origin;
use crate::cosign::SignatureLayer;
use crate::crypto::{Refused, Step, Verified};
use crate::digest::Digest;
use crate::error::Failure;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// One thing that may be a signature, as it came.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it was, for people.
    pub source: String,
    /// The digest of its bytes.
    pub digest: Option<Digest>,
    /// Where it was, to look there first another time.
    pub origin: Option<Origin>,
    /// The same bytes, type and signature annotations are one candidate, wherever they are.
    pub key: [u8; 32],
    /// What it is.
    pub body: Body,
}

/// What was found. Bundles and attestations are read when they are examined, so that only one at a
/// time takes memory.
#[derive(Debug)]
pub(super) enum Body {
    /// A layer of a `.sig` manifest, or of an artifact of the older referrers mode.
    Layer(SignatureLayer),
    /// A Sigstore bundle.
    Bundle(Vec<u8>),
    /// An attestation in a layer of the older form, with its annotations.
    Envelope(Vec<u8>, Vec<(String, String)>),
    /// A simple signature: an OpenPGP message.
    #[cfg(feature = "openpgp")]
    Simple(SimpleMessage),
    /// A layer of another type beside signatures.
    Attachment(String),
    /// Something that does not read.
    Broken(Failure),
}

impl Found {
    /// How much there is to read.
    pub(super) fn size(&self) -> usize {
        match &self.body {
            Body::Layer(layer) => layer.payload.len(),
            Body::Bundle(bytes) | Body::Envelope(bytes, _) => bytes.len(),
            #[cfg(feature = "openpgp")]
            Body::Simple(message) => message.size(),
            Body::Attachment(_) | Body::Broken(_) => 0,
        }
    }
}

/// How the report names what is no signature, or cannot be read as one.
pub(super) const OTHER: &str = "other";

impl Found {
    fn format(&self) -> &'static str {
        match self.body {
            Body::Layer(_) => "cosign-signature",
            Body::Bundle(_) => "sigstore-bundle",
            Body::Envelope(..) => "cosign-attestation",
            #[cfg(feature = "openpgp")]
            Body::Simple(_) => "simple-signature",
            Body::Attachment(_) | Body::Broken(_) => OTHER,
        }
    }

    fn candidate(&self, outcome: Outcome, reason: Failure, steps: &[Step]) -> Candidate {
        Candidate {
            source: self.source.clone(),
            format: self.format(),
            digest: self.digest.as_ref().map(ToString::to_string),
            outcome,
            reason,
            claims: None,
            steps: StepReport::of(steps),
            expires: None,
        }
    }

    /// It does not satisfy what was asked.
    pub(super) fn rejected(&self, refused: Refused) -> Candidate {
        self.candidate(Outcome::Rejected, refused.failure, &refused.steps)
    }

    /// It does not read as what it says that it is, or was not examined to its end.
    pub(super) fn unreadable(&self, failure: Failure) -> Candidate {
        Candidate {
            format: OTHER,
            ..self.rejected(Refused::new(failure))
        }
    }

    /// It is no signature of an image, or nothing that was asked for, and does not count.
    pub(super) fn set_aside(&self, refused: Refused) -> Candidate {
        self.candidate(Outcome::SetAside, refused.failure, &refused.steps)
    }

    /// It is a simple signature, and the rule wants another sort, or the other way round.
    #[cfg(feature = "openpgp")]
    pub(super) fn not_for_this(&self) -> Candidate {
        self.set_aside(Refused::new(Reason::OtherSort))
    }

    /// Its signature was verified: what it claims is shown either way.
    pub(super) fn judged<T>(
        &self,
        judged: Result<Verified<T>, Refused>,
        claims: Claims,
        message: String,
    ) -> Candidate {
        let candidate = match judged {
            Ok(verified) => {
                let reason = Reason::Signature { message }.into();
                self.candidate(Outcome::Accepted, reason, verified.steps())
            }
            Err(refused) => self.rejected(refused),
        };
        Candidate {
            claims: Some(claims),
            ..candidate
        }
    }
}

impl Candidate {
    /// What its signature says, where it was verified although the candidate is refused.
    pub(super) fn claiming(self, claims: Option<Claims>) -> Self {
        Self { claims, ..self }
    }

    /// An answer that was accepted ends then.
    pub(super) fn until(self, expires: Option<i64>) -> Self {
        Self {
            expires: expires.filter(|_| self.outcome == Outcome::Accepted),
            ..self
        }
    }
}
