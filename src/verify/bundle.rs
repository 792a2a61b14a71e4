//! A bundle by itself, as `cosign verify-blob` and `verify-attestation` on a file have it: no
//! registry, no policy.

use super::direct::{Direct, Signers};
use super::error::RulesError;
use super::report::{Claims, StepReport};
use super::rules::Rules;
use super::work::Work;
use crate::cosign::{check_predicate, predicate_rule};
use crate::crypto::{Hash, Provider, Refusals, Refused, Rule, Verified};
use crate::encoding::hex;
use crate::error::{Failure, HostError, Kind};
use crate::sigstore::bundle::{Bundle, Content};
use crate::sigstore::statement::COSIGN_SIGN;
use crate::sigstore::trusted_root::TrustedRoot;
use crate::sigstore::verify::{
    Artifact, Says, Signed, Signer, SigstoreError, Thresholds, verify_bundle,
};
use crate::x509::Window;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

/// What is asked of a bundle.
#[derive(Debug)]
pub struct BundleQuestion {
    /// Its bytes.
    pub bundle: Vec<u8>,
    /// What it is to be about.
    pub artifact: Artifact,
    /// Who is to have signed, and under which root; a predicate type where an attestation is
    /// wanted.
    pub direct: Direct,
    /// When a key counts.
    pub key_validity: Option<Window>,
    /// Further demands.
    pub thresholds: Thresholds,
    /// Which kind of claim is wanted, where no predicate type is.
    pub wanted: ClaimWanted,
}

/// Which kind of claim is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClaimWanted {
    /// Any; whoever asks reads which it was.
    #[default]
    Any,
    /// A signature of the artifact: over its bytes, or a statement of cosign's own type. Whatever
    /// else a statement says, it does not say "this is mine" (docs/trust.md section 3).
    Signature,
}

/// What kind of claim a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BundleKind {
    /// A signature over the artifact itself.
    Message,
    /// A statement about the artifact; its predicate type says what it means.
    Statement,
}

codes! {
    /// Why a good bundle is not what was asked for.
    pub enum QuestionError {
        Attestation { found: String } => "bundle.attestation",
            "expected a signature of the file, found a statement about it of type {found:?}: such a \
             statement may say anything, also that the file must not be used; say which type you \
             want with the option \"predicateType\"";
        /// Ignoring them would accept less than was asked for.
        OfImages => "bundle.image-demand",
            "annotations and the demand that all keys have signed are about the signatures of an \
             image, and this is one bundle about a file: leave them out";
        OtherFile { detail: String } => "sigstore.artifact",
            "this is not the file that was signed{detail}: get the file that belongs to this \
             bundle, or its bundle";
    }
}

/// What a verified bundle says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VerifiedBundle {
    /// What kind of claim it is. Who gave no predicate type must look: a statement may say
    /// anything about the artifact.
    pub kind: BundleKind,
    /// What it claims.
    pub claims: Claims,
    /// The trusted root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
    /// Each step of the verification.
    pub steps: Vec<StepReport>,
}

impl BundleQuestion {
    /// Verifies.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, why the bundle proves nothing.
    pub async fn ask<P: Provider>(
        self,
        provider: &P,
    ) -> Result<Result<VerifiedBundle, Failure>, HostError> {
        let (bundle, artifact) = (Bundle::parse(&self.bundle), &self.artifact);
        let direct = demand(self.direct, provider).await;
        let (direct, bundle) = match direct.and_then(|direct| {
            let bundle = bundle?;
            match other_file(artifact, &bundle) {
                Some(failure) => Err(failure),
                None => Ok((direct, bundle)),
            }
        }) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let nothing = TrustedRoot::default();
        let root = direct.root.as_ref().map_or(&nothing, |root| &root.root);
        let signers: Vec<Signer> = match &direct.signers {
            Signers::Keys(keys) => keys
                .iter()
                .map(|key| Signer::Key(key.clone(), self.key_validity))
                .collect(),
            Signers::Identities(identities) => alloc::vec![Signer::Identity(identities.clone())],
        };
        let work = Work::new(provider);
        let meter = work.candidate();
        let mut refusals = Refusals::default();
        for signer in &signers {
            let outcome =
                verify_bundle(&bundle, artifact, signer, root, self.thresholds, &meter).await?;
            match outcome.and_then(|verified| {
                of_type(verified, direct.predicate_type.as_deref(), self.wanted)
            }) {
                Ok(verified) => {
                    let root = direct.root.as_ref().map(|root| root.name.clone());
                    return Ok(Ok(VerifiedBundle::of(&verified, root)));
                }
                Err(refused) => refusals.add(refused),
            }
        }
        let failure = refusals.into_refused(RulesError::NoKeys).failure;
        Ok(Err(match failure.kind {
            Kind::OtherContent => QuestionError::OtherFile {
                detail: String::new(),
            }
            .into(),
            _ => failure,
        }))
    }
}

/// What can be demanded of one bundle.
async fn demand<P: Provider>(direct: Direct, provider: &P) -> Result<Direct, Failure> {
    match Rules::direct_by(direct, provider).await? {
        Rules::Direct(direct) if direct.all_keys || !direct.annotations.is_empty() => {
            Err(QuestionError::OfImages.into())
        }
        Rules::Direct(direct) => Ok(direct),
        Rules::Policy(_) => Err(RulesError::NoKeys.into()),
    }
}

/// What the bundle says itself about its file: said first, since a log entry that does not fit is
/// only a consequence.
fn other_file(artifact: &Artifact, bundle: &Bundle) -> Option<Failure> {
    let Content::Message { algorithm, digest } = &bundle.content else {
        return None;
    };
    let hash = match algorithm.as_str() {
        "SHA2_256" => Hash::Sha256,
        "SHA2_384" => Hash::Sha384,
        "SHA2_512" => Hash::Sha512,
        _ => return None,
    };
    let own = artifact.hash(hash)?;
    let detail = || {
        format!(
            ": the bundle is about one with the {} {}, and this one has {}",
            algorithm.replace("SHA2_", "SHA-"),
            hex::encode(digest),
            hex::encode(&own)
        )
    };
    (own != *digest).then(|| QuestionError::OtherFile { detail: detail() }.into())
}

fn of_type(
    verified: Verified<Signed>,
    predicate_type: Option<&str>,
    wanted: ClaimWanted,
) -> Result<Verified<Signed>, Refused> {
    let other = match (predicate_type, wanted, &verified.claim().says) {
        (None, ClaimWanted::Any, _) | (None, ClaimWanted::Signature, Says::Blob) => {
            return Ok(verified);
        }
        (None, ClaimWanted::Signature, Says::Statement(statement))
            if statement.predicate_type != COSIGN_SIGN =>
        {
            Some(statement.predicate_type.chars().take(100).collect())
        }
        _ => None,
    };
    if let Some(found) = other {
        return verified.check(
            Rule::new("bundle.signature", "the bundle is a signature of the file"),
            |_| Err(QuestionError::Attestation { found }.into()),
        );
    }
    let wanted = predicate_type.unwrap_or(COSIGN_SIGN);
    verified.check(predicate_rule(wanted), |mut signed| {
        let Says::Statement(statement) = signed.says else {
            return Err(SigstoreError::Payload.into());
        };
        signed.says = Says::Statement(check_predicate(statement, wanted)?);
        Ok(signed)
    })
}

impl VerifiedBundle {
    fn of(verified: &Verified<Signed>, trusted_root: Option<String>) -> Self {
        let (kind, predicate_type) = match &verified.claim().says {
            Says::Statement(statement) => (
                BundleKind::Statement,
                Some(statement.predicate_type.clone()),
            ),
            // A bundle by itself never holds a payload of simple signing.
            Says::Payload(_) | Says::Blob => (BundleKind::Message, None),
        };
        Self {
            kind,
            claims: Claims {
                predicate_type,
                ..Claims::of(verified.claim())
            },
            trusted_root,
            steps: StepReport::of(verified.steps()),
        }
    }
}
