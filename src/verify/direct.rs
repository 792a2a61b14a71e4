//! What a command line asks for: one demand without a policy, as cosign's commands make it.

use super::error::RulesError;
use super::report::Note;
use super::roots::NamedRoot;
use crate::crypto::{PublicKey, holds_private_key};
use crate::limits;
use crate::policy::lint;
use crate::sigstore::identity::Identity;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// One demand without a policy, as cosign's commands make it.
#[derive(Debug)]
pub struct Direct {
    /// Who must have signed.
    pub signers: Signers,
    /// Under which trusted root. Identities always have one.
    pub root: Option<NamedRoot>,
    /// The type of the attestation that is wanted; none: a signature.
    pub predicate_type: Option<String>,
    /// Which names a signature may speak of.
    pub names: SignedNames,
    /// What a signature must carry in its payload's `optional`, as `cosign verify -a` has it.
    pub annotations: Vec<(String, String)>,
    /// Whether each of several keys must have signed.
    pub all_keys: bool,
    /// Where the files lie.
    pub paths: Paths,
}

/// Which names a signature may speak of where there is no policy (docs/trust.md section 9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignedNames {
    /// The repository that was asked for. A bundle names none.
    #[default]
    Own,
    /// Any: a copied signature passes.
    Any,
}

/// Where files lie, for the commands that are shown to people; nothing is read there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// Of the keys, in their order.
    pub keys: Vec<String>,
    /// Of the trusted root.
    pub trusted_root: Option<String>,
    /// Of files that a policy names, where it is not the name that the policy writes.
    pub assets: BTreeMap<String, String>,
}

/// Who must have signed.
#[derive(Debug)]
pub enum Signers {
    /// One of these keys.
    Keys(Vec<PublicKey>),
    /// One of these identities.
    Identities(Vec<Identity>),
}

impl Signers {
    /// `key` or `identity`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Keys(_) => "key",
            Self::Identities(_) => "identity",
        }
    }
}

impl Direct {
    /// By these, and nothing more is demanded.
    pub fn by(signers: Signers) -> Self {
        Self {
            signers,
            root: None,
            predicate_type: None,
            names: SignedNames::default(),
            annotations: Vec::new(),
            all_keys: false,
            paths: Paths::default(),
        }
    }

    /// The keys of each demand, one of which must have signed: each key, where all must have.
    pub(super) fn demands(&self) -> Vec<&[PublicKey]> {
        match &self.signers {
            Signers::Keys(keys) if self.all_keys => keys.chunks(1).collect(),
            Signers::Keys(keys) => vec![keys],
            Signers::Identities(_) => vec![&[]],
        }
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes = vec![];
        if self
            .root
            .as_ref()
            .is_none_or(|root| root.root.transparency_logs().is_empty())
        {
            notes.push(Note::log_not_required());
        }
        if self.predicate_type.is_none() && self.names == SignedNames::Any {
            notes.push(Note {
                code: "identity.any",
                message: format!(
                    "the name in the signature was not compared: a{} alone says nothing about \
                     which image was meant to have this name",
                    if self.signers.kind() == "key" {
                        " key"
                    } else {
                        "n identity"
                    }
                ),
            });
        }
        if let Signers::Identities(identities) = &self.signers {
            notes.extend(
                identities
                    .iter()
                    .flat_map(lint::identity)
                    .map(|(code, message)| Note { code, message }),
            );
        }
        notes
    }
}

impl Note {
    /// No transparency log was demanded.
    pub(super) fn log_not_required() -> Self {
        Self {
            code: "log.not-required",
            message: "transparency log: not required".into(),
        }
    }
}

/// Keys of files in PEM, each usable; messages name the files at `paths`, as far as they are given.
///
/// # Errors
/// [`RulesError`].
pub fn public_keys(pem: &[Vec<u8>], paths: &[String]) -> Result<Vec<PublicKey>, RulesError> {
    if pem.is_empty() {
        return Err(RulesError::NoKeys);
    }
    if pem.len() > limits::KEYS {
        return Err(RulesError::TooManyKeys {
            limit: limits::KEYS,
        });
    }
    let name = |number: usize| match paths.get(number) {
        Some(path) => format!("the key {path}"),
        None => format!("key {}", number.saturating_add(1)),
    };
    if let Some(number) = pem.iter().position(|bytes| holds_private_key(bytes)) {
        return Err(RulesError::PrivateKey { what: name(number) });
    }
    let key = |(number, bytes): (usize, &Vec<u8>)| {
        PublicKey::from_pem(bytes).map_err(|error| RulesError::Key {
            what: name(number),
            error,
        })
    };
    pem.iter().enumerate().map(key).collect()
}
