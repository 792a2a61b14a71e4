//! A certificate authority that a trusted root lists.

use super::certificate::Certificate;
use super::error::X509Error;
use crate::crypto::Message;
use crate::crypto::Pending;
use crate::crypto::Refused;
use crate::crypto::Role;
use crate::crypto::Rule;
use crate::error::Failure;
use crate::limits;
use crate::time::UnixTime;
use alloc::vec::Vec;

/// When an authority, a log or a key counts. Both ends are inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first second.
    pub start: UnixTime,
    /// The last second; none while it is in use.
    pub end: Option<UnixTime>,
}

impl Window {
    /// Whether it covers this time.
    pub fn covers(&self, time: UnixTime) -> bool {
        self.start <= time && self.end.is_none_or(|end| time <= end)
    }
}

/// A certificate authority of a trusted root: its chain, issuing authority first, root last, and
/// the window in which the root vouches for it. A timestamp authority's chain may begin with its
/// own certificate, which is no authority's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    leaf: Option<Certificate>,
    chain: Vec<Certificate>,
    valid: Window,
}

impl Anchor {
    /// The signatures inside the chain, checked once, when a trusted root is loaded. Windows and
    /// constraints are judged for each path at its times.
    ///
    /// # Errors
    /// [`X509Error`] as [`Refused`]: an empty or overlong chain, one out of order, one with
    /// something else than authorities.
    pub fn verify(certificates: &[Certificate], valid: Window) -> Result<Pending<Self>, Refused> {
        let anchor = Self::of(certificates, valid).map_err(refused)?;
        let mut claim: Option<Pending<()>> = None;
        for (certificate, issuer) in links(certificates) {
            // A chain out of order says so, even where the keys do not fit either.
            let issued = is_issued_by(certificate, issuer);
            let check = match certificate.signed_by(issuer.public_key(), Role::CertificateSignature)
            {
                Ok(check) => check,
                Err(error) => return Err(refused(issued.err().unwrap_or_else(|| error.into()))),
            };
            let read = Pending::read(check, |message| same_tbs(message, certificate))?;
            let rule = Rule::new(
                "certificate.issuer",
                alloc::format!("{} was issued by {}", certificate.shown(), issuer.shown()),
            );
            let link = read.check(rule, |()| issued)?;
            claim = Some(match claim {
                Some(claim) => claim.and(link).check(chain_rule(), |_| Ok(()))?,
                None => link,
            });
        }
        claim
            .ok_or_else(|| refused(X509Error::AnchorEmpty))?
            .check(chain_rule(), |()| Ok(anchor))
    }

    /// One certificate that a person named as the authority: there is no signature inside to check,
    /// and it need not be a root.
    ///
    /// # Errors
    /// [`X509Error::NotCa`].
    pub fn named(certificate: &Certificate, valid: Window) -> Result<Self, X509Error> {
        Self::of(core::slice::from_ref(certificate), valid)
    }

    /// One certificate that a person named, whatever it is: nobody but itself is below it
    /// ([`super::own_path`]).
    pub(super) fn itself(certificate: &Certificate, valid: Window) -> Self {
        Self {
            leaf: None,
            chain: Vec::from([certificate.clone()]),
            valid,
        }
    }

    fn of(certificates: &[Certificate], valid: Window) -> Result<Self, X509Error> {
        if certificates.len() > limits::CHAIN {
            return Err(X509Error::ChainLength {
                limit: limits::CHAIN,
            });
        }
        let (first, above) = certificates.split_first().ok_or(X509Error::AnchorEmpty)?;
        let (leaf, chain) = if first.is_ca() || above.is_empty() {
            (None, certificates)
        } else {
            (Some(first.clone()), above)
        };
        match chain.iter().find(|certificate| !certificate.is_ca()) {
            Some(other) => Err(X509Error::NotCa {
                subject: other.shown(),
            }),
            None => Ok(Self {
                leaf,
                chain: chain.into(),
                valid,
            }),
        }
    }

    /// The authority's own certificate, when the trusted root names it: no other is accepted then.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.leaf.as_ref()
    }

    /// The authorities: issuing authority first, root last.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// When the trusted root vouches for it.
    pub fn valid(&self) -> Window {
        self.valid
    }
}

/// Each certificate with its issuer; the last with itself when it is its own, and when it stands
/// alone.
fn links(certificates: &[Certificate]) -> impl Iterator<Item = (&Certificate, &Certificate)> {
    let own = certificates
        .last()
        .filter(|last| last.issuer() == last.subject() || certificates.len() == 1);
    certificates
        .iter()
        .zip(certificates.iter().skip(1).chain(own))
}

fn is_issued_by(certificate: &Certificate, issuer: &Certificate) -> Result<(), Failure> {
    if certificate.issuer() == issuer.subject() {
        return Ok(());
    }
    Err(if certificate == issuer {
        X509Error::AnchorUnsigned {
            subject: certificate.shown(),
        }
        .into()
    } else {
        X509Error::AnchorOrder {
            subject: certificate.shown(),
            issuer: certificate.shown_issuer(),
        }
        .into()
    })
}

fn chain_rule() -> Rule {
    Rule::new(
        "anchor.chain",
        "the authority's certificates follow one another up to its root",
    )
}

/// What was signed is this certificate's content.
pub(super) fn same_tbs(message: &Message, certificate: &Certificate) -> Result<(), Failure> {
    match message {
        Message::Bytes(bytes) if bytes == certificate.tbs_der() => Ok(()),
        _ => Err(X509Error::Der {
            what: "the TBSCertificate",
        }
        .into()),
    }
}

pub(super) fn refused(error: impl Into<Failure>) -> Refused {
    Refused {
        failure: error.into(),
        steps: Vec::new(),
    }
}
