//! From a certificate to an authority of the trusted root, at every time that is believed
//! (docs/trust.md section 4, RFC 5280), with the promises of the listed certificate transparency
//! logs where the root lists some (RFC 6962).

use super::attempt::{Attempt, refuse};
use super::error::SigstoreError;
use super::witness::Witnesses;
use crate::crypto::{Pending, Provider, Refusals, Refused, Rule, Step, Verified};
use crate::error::HostError;
use crate::x509::{Certificate, Chain, Path, Purpose, Untimed, chains, sct};
use alloc::vec::Vec;

/// A chain that the root stands behind, the promises of its leaf included. Its times are still to
/// be judged.
pub(super) struct Standing<'a> {
    chain: &'a Chain<'a>,
    claim: Verified<Untimed>,
}

impl Standing<'_> {
    pub(super) fn steps(&self) -> &[Step] {
        self.claim.steps()
    }

    /// Whether it holds at every verified time; another chain may.
    pub(super) fn check(&self, seen: &Witnesses) -> Result<(), Refused> {
        let steps = || self.steps().iter().chain(&seen.steps).cloned().collect();
        self.chain
            .check_times(&seen.times)
            .map_err(|error| Refused {
                failure: error.into(),
                steps: steps(),
            })
    }

    /// The path at every verified time, and what its leaf signed.
    pub(super) fn at<T>(
        self,
        signature: Verified<T>,
        seen: &Witnesses,
    ) -> Result<Verified<(Path, T)>, Refused> {
        self.chain.verify_times(
            self.claim.and(signature).meanwhile(&seen.steps),
            &seen.times,
        )
    }
}

impl Attempt<'_> {
    /// Each chain of names to an authority of the root, and what is to be said of those that are
    /// none.
    pub(super) fn chains(&self, leaf: &Certificate) -> (Vec<Chain<'_>>, Refusals) {
        let intermediates = self.certificates.get(1..).unwrap_or_default();
        let (mut found, mut refused) = (Vec::new(), Refusals::default());
        for anchor in self.root.authorities() {
            match chains(leaf, intermediates, anchor) {
                Ok(chains) => found.extend(chains),
                Err(error) => refused.add(error),
            }
        }
        (found, refused)
    }

    /// From the anchor down, up to the first link that fails.
    pub(super) async fn standing<'a, P: Provider>(
        &self,
        chain: &'a Chain<'a>,
        provider: &P,
    ) -> Result<Result<Standing<'a>, Refused>, HostError> {
        Ok(match chain.claim_untimed(Purpose::CodeSigning) {
            Ok(claim) => claim
                .settle_in_turn(provider)
                .await?
                .map(|claim| Standing { chain, claim }),
            Err(refused) => Err(refused),
        })
    }

    /// The promises, under a chain that holds: of whom they speak is known then, and one that fails
    /// is no other chain's.
    pub(super) async fn promised<'a, P: Provider>(
        &self,
        leaf: &Certificate,
        standing: Standing<'a>,
        provider: &P,
    ) -> Result<Result<Standing<'a>, Refused>, HostError> {
        let Standing { chain, claim } = standing;
        if self.root.certificate_logs().is_empty() {
            return Ok(Ok(Standing {
                chain,
                claim: claim.note_waived(Rule::new(
                    "sct.not-demanded",
                    "the trusted root lists no certificate transparency log",
                )),
            }));
        }
        let promised = match chain.issuer() {
            Some(issuer) => match self.promises(leaf, issuer) {
                Ok(promises) => promises.settle(provider).await?,
                Err(refused) => Err(refused),
            },
            None => refuse(SigstoreError::NoAuthority, &[]),
        };
        Ok(match promised {
            Ok(promised) => {
                let rule = Rule::new(
                    "sct.listed",
                    "the certificate carries a promise of a listed log, and all that it carries \
                     of listed logs hold",
                );
                claim
                    .and(promised)
                    .check(rule, |(claim, ())| Ok(claim))
                    .map(|claim| Standing { chain, claim })
            }
            Err(refused) => Err(refused.after(claim.steps().into())),
        })
    }

    /// Every promise that names a listed log; at least one. One that fails refuses the certificate.
    fn promises(&self, leaf: &Certificate, issuer: &Certificate) -> Result<Pending<()>, Refused> {
        let scts = sct::scts(leaf).or_else(|error| refuse(error, &[]))?;
        let (mut all, mut unlisted): (Option<Pending<()>>, _) = (None, false);
        for promise in &scts {
            let listed: Vec<_> = self
                .root
                .certificate_logs()
                .iter()
                .filter(|log| log.key.id() == promise.log_id())
                .collect();
            let Some(log) = listed.first() else {
                unlisted = true;
                continue;
            };
            let claim = promise.claim(leaf, issuer.public_key().spki_der(), log.key.key())?;
            let claim = claim.check(
                Rule::new(
                    "sct.window",
                    "the promise lies in the time of the log's key",
                ),
                |sct| {
                    // A root may list one key for several times.
                    if listed.iter().any(|log| log.valid.covers(sct.time)) {
                        Ok(())
                    } else {
                        Err(SigstoreError::SctWindow.into())
                    }
                },
            )?;
            all = Some(match all {
                None => claim,
                Some(all) => all.and(claim).check(
                    Rule::new("sct.every", "every promise of a listed log holds"),
                    |_| Ok(()),
                )?,
            });
        }
        let all = all.ok_or_else(|| Refused::new(SigstoreError::Sct))?;
        Ok(match unlisted {
            true => all.note_waived(Rule::new(
                "sct.unlisted",
                "a promise of a log that the trusted root does not list was set aside",
            )),
            false => all,
        })
    }
}
