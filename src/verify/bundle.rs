//! A bundle by itself, as `cosign verify-blob` and `verify-attestation` on a file have it: no registry, no policy.

use super::report::{Claims, StepReport};
use super::rules::{Direct, Rules, RulesError, Signers};
use super::work::Work;
use crate::crypto::Provider;
use crate::error::{Failure, HostError};
use crate::sigstore::bundle::Bundle;
use crate::sigstore::trusted_root::TrustedRoot;
use crate::sigstore::verify::{Artifact, Says, Signed, Signer, SigstoreError, Thresholds, verify_bundle};
use crate::x509::Window;
use crate::crypto::{Refused, Verified};
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
    /// Who is to have signed, and under which root; a predicate type where an attestation is wanted.
    pub direct: Direct,
    /// When a key counts.
    pub key_validity: Option<Window>,
    /// Further demands.
    pub thresholds: Thresholds,
}

/// What a verified bundle says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedBundle {
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
    pub async fn ask<P: Provider>(self, provider: &P) -> Result<Result<VerifiedBundle, Failure>, HostError> {
        let direct = match Rules::direct(self.direct) {
            Ok(Rules::Direct(direct)) => direct,
            Ok(Rules::Policy { .. }) => return Ok(Err(RulesError::NoKeys.into())),
            Err(error) => return Ok(Err(error.into())),
        };
        let bundle = match Bundle::parse(&self.bundle) {
            Ok(bundle) => bundle,
            Err(error) => return Ok(Err(error.into())),
        };
        let nothing = TrustedRoot::default();
        let root = direct.root.as_ref().map_or(&nothing, |root| &root.root);
        let signers: Vec<Signer> = match &direct.signers {
            Signers::Keys(keys) => keys.iter().map(|key| Signer::Key(key.clone(), self.key_validity)).collect(),
            Signers::Identities(identities) => alloc::vec![Signer::Identity(identities.clone())],
        };
        let work = Work::new(provider);
        let meter = work.candidate();
        let mut last = Failure::from(RulesError::NoKeys);
        for signer in &signers {
            let outcome = verify_bundle(&bundle, &self.artifact, signer, root, self.thresholds, &meter).await?;
            match outcome.and_then(|verified| of_type(verified, direct.predicate_type.as_deref())) {
                Ok(verified) => return Ok(Ok(VerifiedBundle::of(&verified, direct.root.map(|root| root.name)))),
                Err(refused) => last = refused.failure,
            }
        }
        Ok(Err(last))
    }
}

fn of_type(verified: Verified<Signed>, wanted: Option<&str>) -> Result<Verified<Signed>, Refused> {
    let Some(wanted) = wanted else { return Ok(verified) };
    verified.check(crate::cosign::predicate_rule(wanted), |mut signed| {
        let Says::Statement(statement) = signed.says else { return Err(SigstoreError::Payload.into()) };
        signed.says = Says::Statement(crate::cosign::check_predicate(statement, wanted)?);
        Ok(signed)
    })
}

impl VerifiedBundle {
    fn of(verified: &Verified<Signed>, trusted_root: Option<String>) -> Self {
        let predicate_type = match &verified.claim().says {
            Says::Statement(statement) => Some(statement.predicate_type.clone()),
            Says::Payload(_) | Says::Blob => None,
        };
        Self { claims: Claims { predicate_type, ..Claims::of(verified.claim()) }, trusted_root, steps: StepReport::of(verified.steps()) }
    }
}
