//! The order in which a bundle is verified, by the numbers of the list in this module's
//! documentation.

use super::attempt::Attempt;
use super::chain::Standing;
use super::error::SigstoreError;
use super::question::{Artifact, Signer, Thresholds};
use super::signed::{Says, Signed};
use super::signer::check_identity;
use super::witness::{Stated, Witnesses};
use crate::crypto::{
    Hash, KeyKind, Pending, Provider, Refusals, Refused, Rule, Scheme, Verified, both,
};
use crate::error::HostError;
use crate::sigstore::bundle::{Bundle, Content, Material};
use crate::sigstore::dsse;
use crate::sigstore::trusted_root::TrustedRoot;
use crate::x509::fulcio::Claims;
use crate::x509::{Certificate, X509Error};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Verifies a bundle.
///
/// # Errors
/// [`HostError`] when the provider gave no answer; inside, why the bundle proves nothing.
pub async fn verify_bundle<P: Provider>(
    bundle: &Bundle,
    artifact: &Artifact,
    signer: &Signer,
    root: &TrustedRoot,
    thresholds: Thresholds,
    provider: &P,
) -> Result<Result<Verified<Signed>, Refused>, HostError> {
    let certificates = match certificates(bundle, signer) {
        Ok(certificates) => certificates,
        Err(refused) => return Ok(Err(refused)),
    };
    let key = match (certificates.first(), signer) {
        (Some(leaf), _) => leaf.public_key(),
        (None, Signer::Key(key, _)) => key,
        _ => return Ok(Err(Refused::new(SigstoreError::Key))),
    };
    let mut refusals = Refusals::default();
    // Alternatives: the schemes that a key of this kind may have signed under.
    for scheme in schemes(bundle, key.kind()) {
        let attempt = Attempt {
            bundle,
            artifact,
            signer,
            root,
            thresholds,
            certificates: &certificates,
            key,
            scheme,
        };
        // On the heap: what a page or a gateway awaits is nested deeply enough.
        match Box::pin(attempt.run(provider)).await? {
            Ok(verified) => return Ok(Ok(verified)),
            Err(refused) => refusals.add(refused),
        }
    }
    Ok(Err(refusals.into_refused(SigstoreError::Key)))
}

/// The signer's certificate and what came with it; none where a key is to have signed.
fn certificates(bundle: &Bundle, signer: &Signer) -> Result<Vec<Certificate>, Refused> {
    match (&bundle.material, signer) {
        (Material::Key, Signer::Key(..)) => Ok(Vec::new()),
        (Material::Certificates(ders), Signer::Identity(_)) => ders
            .iter()
            .map(|der| Certificate::parse(der))
            .collect::<Result<_, X509Error>>()
            .map_err(Refused::new),
        _ => Err(Refused::new(SigstoreError::Key)),
    }
}

/// docs/trust.md section 4: by key type and format, never by a field of the evidence.
fn schemes(bundle: &Bundle, key: KeyKind) -> Vec<Scheme> {
    match (&bundle.content, key) {
        (Content::Payload(_), KeyKind::Ecdsa(_)) => alloc::vec![Scheme::Ecdsa(Hash::Sha256)],
        (Content::Message { .. }, KeyKind::Ed25519) => alloc::vec![Scheme::Ed25519ph],
        _ => dsse::schemes(key),
    }
}

impl Attempt<'_> {
    async fn run<P: Provider>(
        &self,
        provider: &P,
    ) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        // What costs no check comes first.
        let proofs = match self.stated().and_then(|stated| {
            Ok(Proofs {
                signature: self.signature()?,
                stated,
            })
        }) {
            Ok(proofs) => proofs,
            Err(refused) => return Ok(Err(refused)),
        };
        match self.certificates.first() {
            None => self.by_key(proofs, provider).await,
            Some(leaf) => self.by_certificate(leaf, proofs, provider).await,
        }
    }

    /// Steps 3 to 5, and 7.
    async fn by_key<P: Provider>(
        &self,
        proofs: Proofs<'_>,
        provider: &P,
    ) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let Proofs { signature, stated } = proofs;
        let signature = match signature.settle(provider).await? {
            Ok(signature) => signature,
            Err(refused) => return Ok(Err(refused)),
        };
        let (signature, seen) = match self.witnessed(signature, stated, provider).await? {
            Ok(proven) => proven,
            Err(refused) => return Ok(Err(refused)),
        };
        let rule = Rule::new("signer.key", "the signature is by a key that was asked for");
        Ok(signature
            .meanwhile(&seen.steps)
            .check(rule, |says| Ok(Signed::new(says, None, &seen))))
    }

    /// All seven steps, for each chain that names allow: a root may list two authorities of one
    /// name.
    async fn by_certificate<P: Provider>(
        &self,
        leaf: &Certificate,
        proofs: Proofs<'_>,
        provider: &P,
    ) -> Result<Result<Verified<Signed>, Refused>, HostError> {
        let (chains, mut refusals) = self.chains(leaf);
        let (mut proofs, mut proven) = (Some(proofs), None);
        for chain in &chains {
            // 1. the certificate's chain, from the root down
            let standing = match self.standing(chain, provider).await? {
                Ok(standing) => standing,
                Err(refused) => {
                    refusals.add(refused);
                    continue;
                }
            };
            // 2. the certificate transparency promises, and beside them, once, 3. the signature
            let standing = match proofs.take() {
                None => self.promised(leaf, standing, provider).await?,
                Some(proofs) => match self
                    .promised_and_proven(leaf, standing, proofs, provider)
                    .await?
                {
                    Ok((standing, found)) => {
                        proven = Some(found);
                        Ok(standing)
                    }
                    Err(refused) => Err(refused),
                },
            };
            // One that fails is no other chain's.
            let standing = match standing {
                Ok(standing) => standing,
                Err(refused) => return Ok(Err(refused)),
            };
            // 6. the chain at every verified time
            let Some((signature, seen)) = proven.take() else {
                continue;
            };
            if let Err(refused) = standing.check(&seen) {
                refusals.add(refused);
                proven = Some((signature, seen));
                continue;
            }
            // 7. who made it
            return Ok(self.signed(leaf, standing, signature, &seen));
        }
        Ok(Err(refusals.into_refused(SigstoreError::NoAuthority)))
    }

    /// Under a chain that holds all else at once, told in this order: the promises, the signature, and
    /// what logs and authorities say of it. None rests on another.
    async fn promised_and_proven<'a, P: Provider>(
        &self,
        leaf: &Certificate,
        standing: Standing<'a>,
        Proofs { signature, stated }: Proofs<'_>,
        provider: &P,
    ) -> Result<Result<(Standing<'a>, Proven), Refused>, HostError> {
        let promised = self.promised(leaf, standing, provider);
        let proven = both(signature.settle(provider), self.witnesses(stated, provider));
        let (standing, proven) = match both(promised, proven).await? {
            Ok(settled) => settled,
            Err(refused) => return Ok(Err(refused)),
        };
        let proven = proven.and_then(|(signature, seen)| match seen {
            Ok(seen) => Ok((signature, seen)),
            Err(refused) => Err(refused.after(signature.steps().into())),
        });
        Ok(match proven {
            Ok(proven) => Ok((standing, proven)),
            Err(refused) => Err(refused.after(standing.steps().into())),
        })
    }

    /// What logs and authorities say of a signature.
    async fn witnessed<P: Provider>(
        &self,
        signature: Verified<Says>,
        stated: Stated<'_>,
        provider: &P,
    ) -> Result<Result<Proven, Refused>, HostError> {
        Ok(match self.witnesses(stated, provider).await? {
            Ok(seen) => Ok((signature, seen)),
            Err(refused) => Err(refused.after(signature.steps().into())),
        })
    }

    /// The path, the signature and the identity, together.
    fn signed(
        &self,
        leaf: &Certificate,
        standing: Standing<'_>,
        signature: Verified<Says>,
        seen: &Witnesses,
    ) -> Result<Verified<Signed>, Refused> {
        let rule = Rule::new(
            "signer.identity",
            "the certificate's one name, its issuer and its claims are those of one identity that \
             was asked for",
        );
        standing.at(signature, seen)?.check(rule, |(_, says)| {
            let claims = Claims::of(leaf)?;
            let Signer::Identity(wanted) = self.signer else {
                return Err(SigstoreError::Key.into());
            };
            check_identity(wanted, &claims)?;
            Ok(Signed::new(says, Some((leaf, claims)), seen))
        })
    }
}

/// What is to be settled under a chain that holds.
struct Proofs<'a> {
    signature: Pending<Says>,
    stated: Stated<'a>,
}

/// A signature that holds, and what was found out about it.
type Proven = (Verified<Says>, Witnesses);
