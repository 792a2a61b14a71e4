//! The crate sigstore-verify, asked the same.

use crate::vectors::Vector;
use sealgate::internals::crypto::Hash;
use sealgate::internals::sigstore::identity::Pattern;
use sealgate::internals::sigstore::verify::{Artifact, Signer};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{
    Artifact as TheirArtifact, ArtifactDigest, Bundle, DerPublicKey, HashAlgorithm,
};
use sigstore_verify::{Policy, PublicKeyVerificationPolicy, VerificationPolicy, Verifier};

/// A verifier under the vector's root, with the demands that follow from it (docs/trust.md section
/// 4).
pub struct Peer<'a> {
    verifier: Verifier,
    policy: Box<dyn Policy>,
    artifact: &'a Artifact,
}

impl<'a> Peer<'a> {
    pub fn new(vector: &'a Vector) -> Result<Self, String> {
        let root =
            TrustedRoot::from_json(&vector.root.to_string()).map_err(|error| error.to_string())?;
        let verifier = Verifier::new(&root).map_err(|error| error.to_string())?;
        let lists = |name: &str| {
            vector.root[name]
                .as_array()
                .is_some_and(|list| !list.is_empty())
        };
        Ok(Self {
            verifier,
            policy: policy(&vector.signer, lists("tlogs"), lists("ctlogs")),
            artifact: &vector.artifact,
        })
    }

    pub fn judge(&self, bundle: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(bundle).map_err(|error| error.to_string())?;
        let bundle = Bundle::from_json(text).map_err(|error| error.to_string())?;
        let artifact = match self.artifact {
            Artifact::Bytes(bytes) => TheirArtifact::from_blob(bytes),
            Artifact::Digest(digest) => {
                let algorithm = match digest.algorithm() {
                    Hash::Sha256 => HashAlgorithm::Sha2256,
                    Hash::Sha384 => HashAlgorithm::Sha2384,
                    Hash::Sha512 => HashAlgorithm::Sha2512,
                };
                TheirArtifact::from(
                    ArtifactDigest::new(algorithm, digest.bytes().to_vec())
                        .map_err(|error| error.to_string())?,
                )
            }
            Artifact::Digests(_) => return Err("the peer takes one digest".into()),
        };
        self.verifier
            .verify(artifact, &bundle, self.policy.as_ref())
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

fn policy(signer: &Signer, log: bool, promise: bool) -> Box<dyn Policy> {
    match signer {
        Signer::Key(key, _) => {
            let policy =
                PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki_der().to_vec()));
            Box::new(if log {
                policy
            } else {
                policy.skip_tlog_unsafe()
            })
        }
        Signer::Identity(identities) => {
            let (Pattern::Exact(issuer), Pattern::Exact(subject)) =
                (&identities[0].issuer, &identities[0].subject)
            else {
                panic!("vectors name their signer exactly")
            };
            let policy = VerificationPolicy::new(subject.clone(), issuer.clone());
            let policy = if log {
                policy
            } else {
                policy.skip_tlog_unsafe()
            };
            Box::new(if promise { policy } else { policy.skip_sct() })
        }
    }
}
