//! One policy requirement (docs/containers-image.md section 2, docs/trust.md section 1).

use super::attested::Attested;
use super::error::PolicyError;
use super::error::shown;
use super::field;
use super::field::Field;
use super::field::Vocabulary;
use super::keys::KeySource;
use super::matcher::Matcher;
use super::pinned::Pinned;
use super::signed_by::SignedBy;
use super::sigstore_signed::SigstoreSigned;
use super::trust::Trust;
use super::trusted_root::TrustedRoot;
use alloc::string::String;
use alloc::vec::Vec;

/// A condition on an image. All of a list must hold, in order; the first that does not decides.
///
/// Two rules say which members of a requirement count, and they differ by type. In `signedBy` the
/// *presence* of a key member counts, even with `null` or `""`, and its value must then say
/// something. In `sigstoreSigned` the *effective value* counts: `""` for a path and `null` for data
/// are as if the member were absent (so a Rekor demand can vanish), while `""` for data is a value,
/// of which no key can be made. In members of ours, presence counts and nothing is empty.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Requirement {
    /// Everything passes, and no signature becomes verified by it.
    InsecureAcceptAnything,
    /// Nothing passes: `Running image … is rejected by policy.`
    Reject,
    /// Parses, and nothing passes: `signedBaseLayer not implemented yet!`
    SignedBaseLayer {
        /// `baseLayerIdentity`.
        identity: Matcher,
    },
    /// A simple-signing signature.
    SignedBy(SignedBy),
    /// A Cosign signature.
    SigstoreSigned(SigstoreSigned),
    /// A signed statement. Ours.
    Attested(Attested),
    /// A digest for a tag. Ours.
    Pinned(Pinned),
}

impl Requirement {
    /// Parses one requirement alone.
    ///
    /// # Errors
    /// [`PolicyError`], with the place.
    pub fn parse(bytes: &[u8], vocabulary: Vocabulary) -> Result<Self, PolicyError> {
        field::parse(bytes, vocabulary, Self::read)
    }

    /// Parses a list of requirements alone.
    ///
    /// # Errors
    /// [`PolicyError`], with the place.
    pub fn parse_list(bytes: &[u8], vocabulary: Vocabulary) -> Result<Vec<Self>, PolicyError> {
        field::parse(bytes, vocabulary, Self::read_list)
    }

    pub(super) fn read_list(field: &Field<'_>) -> Result<Vec<Self>, PolicyError> {
        let list = if field.node.is_null() {
            Vec::new()
        } else {
            field.list(Self::read)?
        };
        if list.is_empty() {
            Err(PolicyError::NoRequirements {
                place: field.place(),
            })
        } else {
            Ok(list)
        }
    }

    fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        match field.kind()? {
            "insecureAcceptAnything" => field
                .members(&["type"], &[])
                .map(|_| Self::InsecureAcceptAnything),
            "reject" => field.members(&["type"], &[]).map(|_| Self::Reject),
            "signedBaseLayer" => signed_base_layer(field),
            "signedBy" => SignedBy::read(field).map(Self::SignedBy),
            "sigstoreSigned" => SigstoreSigned::read(field).map(Self::SigstoreSigned),
            "attested" if field.is_extended() => Attested::read(field).map(Self::Attested),
            "pinned" if field.is_extended() => Pinned::read(field).map(Self::Pinned),
            found => Err(PolicyError::RequirementType {
                place: field.place(),
                found: shown(found),
                advice: advice(found),
            }),
        }
    }

    /// Its type, as a policy writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InsecureAcceptAnything => "insecureAcceptAnything",
            Self::Reject => "reject",
            Self::SignedBaseLayer { .. } => "signedBaseLayer",
            Self::SignedBy(_) => "signedBy",
            Self::SigstoreSigned(_) => "sigstoreSigned",
            Self::Attested(_) => "attested",
            Self::Pinned(_) => "pinned",
        }
    }

    /// Whom a Sigstore signature or attestation must come from; `None` for other types.
    pub fn trust(&self) -> Option<&Trust> {
        match self {
            Self::SigstoreSigned(signed) => Some(&signed.trust),
            Self::Attested(attested) => Some(&attested.trust),
            _ => None,
        }
    }

    /// The paths of keys, certificates and trusted roots that it names.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::InsecureAcceptAnything
            | Self::Reject
            | Self::SignedBaseLayer { .. }
            | Self::Pinned(_) => Vec::new(),
            Self::SignedBy(signed) => all_of(&signed.keys).collect(),
            Self::SigstoreSigned(signed) => trusted(&signed.trust)
                .chain(signed.rekor.iter().flat_map(all_of))
                .collect(),
            Self::Attested(attested) => trusted(&attested.trust).collect(),
        }
    }
}

impl Requirement {
    /// What it carries itself, of keys and certificates.
    pub fn datas(&self) -> impl Iterator<Item = &[u8]> {
        let sources = match self {
            Self::SignedBy(signed) => alloc::vec![&signed.keys],
            Self::SigstoreSigned(signed) => signed
                .trust
                .sources()
                .into_iter()
                .chain(&signed.rekor)
                .collect(),
            Self::Attested(attested) => attested.trust.sources(),
            Self::InsecureAcceptAnything
            | Self::Reject
            | Self::SignedBaseLayer { .. }
            | Self::Pinned(_) => Vec::new(),
        };
        sources
            .into_iter()
            .flat_map(KeySource::datas)
            .map(Vec::as_slice)
    }
}

fn all_of(source: &KeySource) -> impl Iterator<Item = &str> {
    source.paths().iter().map(String::as_str)
}

fn trusted(trust: &Trust) -> impl Iterator<Item = &str> {
    let root = match trust.root() {
        Some(TrustedRoot::Path(path)) => Some(path.as_str()),
        _ => None,
    };
    trust.sources().into_iter().flat_map(all_of).chain(root)
}

fn signed_base_layer(field: &Field<'_>) -> Result<Requirement, PolicyError> {
    let members = field.members(&["type", "baseLayerIdentity"], &[])?;
    let identity = Matcher::read(&members.need("baseLayerIdentity")?, Vocabulary::Containers)?;
    Ok(Requirement::SignedBaseLayer { identity })
}

fn advice(found: &str) -> &'static str {
    match found {
        "attested" | "pinned" => {
            "it is understood only with \"sealgate\": {\"version\": 1} at the top level of the \
             policy"
        }
        _ => "expected insecureAcceptAnything, reject, signedBy, sigstoreSigned or signedBaseLayer",
    }
}
