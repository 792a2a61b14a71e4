//! From a certificate to an authority of the trusted root, at every time that is believed (TRUST section 4, RFC 5280), with a
//! promise of a listed certificate transparency log where the root lists one (RFC 6962).

use super::{Attempt, SigstoreError, refuse};
use crate::crypto::{Pending, Refused, Rule};
use crate::time::UnixTime;
use crate::x509::{Certificate, Path, Purpose, chains, sct};
use alloc::vec::Vec;

impl Attempt<'_> {
    /// Section 3: each path to an authority of the root, with a promise of a listed log where the root lists one.
    pub(super) fn paths(&self, leaf: &Certificate, times: &[UnixTime]) -> Vec<Result<Pending<Path>, Refused>> {
        let intermediates = self.certificates.get(1..).unwrap_or_default();
        let mut paths = Vec::new();
        for anchor in self.root.authorities() {
            match chains(leaf, intermediates, anchor) {
                Ok(found) => paths.extend(found.iter().flat_map(|chain| {
                    let path = || chain.claim(Purpose::CodeSigning, times);
                    match chain.issuer() {
                        Some(issuer) if !self.root.certificate_logs().is_empty() => self.promises(leaf, issuer, path),
                        _ => alloc::vec![path().map(|path| path.note_waived(Rule::new("sct.not-demanded", "the trusted root lists no certificate transparency log")))],
                    }
                })),
                Err(refused) => paths.push(Err(refused)),
            }
        }
        // What came furthest is told: a chain whose names do not fit says least.
        paths.sort_by_key(|path| matches!(path, Err(refused) if refused.steps.is_empty()));
        paths.reverse();
        paths
    }

    /// Each promise of a listed log is an alternative.
    fn promises(&self, leaf: &Certificate, issuer: &Certificate, path: impl Fn() -> Result<Pending<Path>, Refused>) -> Vec<Result<Pending<Path>, Refused>> {
        let scts = match sct::scts(leaf) {
            Ok(scts) => scts,
            Err(error) => return alloc::vec![refuse(error, &[])],
        };
        let mut found = Vec::new();
        for promise in &scts {
            for log in self.root.certificate_logs().iter().filter(|log| log.key.id() == promise.log_id()) {
                found.push(path().and_then(|path| {
                    let claim = promise.claim(leaf, issuer.public_key().spki_der(), log.key.key())?;
                    let claim = claim.check(Rule::new("sct.window", "the promise lies in the time of the log's key"), |sct| {
                        if log.valid.covers(sct.time) { Ok(sct) } else { Err(SigstoreError::SctWindow.into()) }
                    })?;
                    path.and(claim).check(Rule::new("sct.listed", "the certificate carries a promise of a listed log"), |(path, _)| Ok(path))
                }));
            }
        }
        if found.is_empty() {
            found.push(refuse(SigstoreError::Sct, &[]));
        }
        found
    }
}
