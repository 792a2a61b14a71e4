//! What is asked of each piece of evidence.

#[cfg(feature = "openpgp")]
use super::simple::GpgKeys;
use super::subject::Subject;
use crate::cosign::containers_image::Trust;
use crate::cosign::{AttachedBundle, BundleUse};
use crate::crypto::PublicKey;
use crate::error::Failure;
use crate::policy::{Condition, Matcher};
use crate::reference::Reference;
use crate::sigstore::identity::Identity;
use crate::sigstore::statement::COSIGN_SIGN;
use crate::sigstore::trusted_root::TrustedRoot;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;

/// Which names a signature may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names<'a> {
    /// Any, because someone said so.
    Any,
    /// The repository that was asked for, where it names one (docs/trust.md section 9).
    Own,
    /// As the policy says.
    Matched(&'a Matcher),
}

/// Who must have signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who<'a> {
    /// The holder of one of these keys, with the proofs that the root demands.
    Keys {
        keys: &'a [PublicKey],
        root: Option<&'a TrustedRoot>,
    },
    /// One of these identities, under this root.
    Identities {
        identities: &'a [Identity],
        root: &'a TrustedRoot,
    },
    /// Whom containers/image would believe. It knows `.sig` layers alone.
    ContainersImage {
        trust: Trust<'a>,
        rekor: &'a [PublicKey],
    },
    /// The holder of one of these OpenPGP keys; or why there are none, which is said of each
    /// signature. It knows simple signatures alone.
    #[cfg(feature = "openpgp")]
    GpgKeys(Result<&'a GpgKeys<'a>, &'a Failure>),
}

/// What must be signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wants<'a> {
    /// A signature of the image.
    Signature(Names<'a>),
    /// A statement about the image.
    Statement {
        predicate_type: &'a str,
        conditions: &'a [Condition],
        max_age: Option<u64>,
    },
}

/// In which order a candidate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As containers/image: what nobody trusted signed is not read.
    ContainersImage,
    /// What a candidate claims first: one that could not meet the requirement, were all of it true,
    /// costs no signature check (docs/trust.md section 7).
    CheapFirst,
}

/// What is asked of each candidate.
pub(super) struct Question<'a> {
    pub subject: &'a Subject,
    /// The reference as judged; an image in files has none.
    pub name: Option<&'a Reference>,
    pub now: UnixTime,
    pub who: Who<'a>,
    pub wants: Wants<'a>,
    /// What a payload's `optional` must say.
    pub annotations: &'a [(String, String)],
    pub order: Order,
}

impl Question<'_> {
    /// The type that a statement must have.
    pub(super) fn predicate_type(&self) -> &str {
        match self.wants {
            Wants::Signature(_) => COSIGN_SIGN,
            Wants::Statement { predicate_type, .. } => predicate_type,
        }
    }

    /// Why a bundle, as it describes itself, is not what is looked for. Whoever lies here only takes
    /// his own evidence away.
    pub(super) fn is_for_another(&self, bundle: &AttachedBundle) -> Option<Failure> {
        let Some(found) = bundle.predicate_type_unverified() else {
            return bundle
                .is_message()
                .then(|| BundleUse::MessageSignature.into());
        };
        let shown = || found.chars().take(100).collect::<String>();
        match self.wants {
            Wants::Signature(_) if found != COSIGN_SIGN || bundle.is_layer() => {
                Some(BundleUse::Predicate { found: shown() }.into())
            }
            Wants::Statement { predicate_type, .. } if found != predicate_type => Some(
                BundleUse::OtherPredicate {
                    found: shown(),
                    wanted: predicate_type.into(),
                }
                .into(),
            ),
            _ => None,
        }
    }

    /// Whether the rule wants a name, which bundles do not have.
    pub(super) fn wants_name(&self) -> bool {
        matches!(self.wants, Wants::Signature(Names::Matched(matcher)) if !matcher.accepts_unnamed())
    }

    /// A good statement, in words.
    pub(super) fn good_statement(&self, by_whom: &str) -> String {
        match self.wants {
            Wants::Signature(_) => format!(
                "a good signature {by_whom}; it names the image's digest and no repository, so \
                 that it does not say which name was meant"
            ),
            Wants::Statement { predicate_type, .. } => {
                format!("a good attestation of type {predicate_type} {by_whom}")
            }
        }
    }
}
