//! From a token to a time: which authority it is of, and what must hold.

use super::error::TimestampError;
use super::info::TstInfo;
use super::signer::SignedAttributes;
use super::token::Token;
use crate::crypto::EcdsaForm;
use crate::crypto::Message;
use crate::crypto::Pending;
use crate::crypto::Refusals;
use crate::crypto::Refused;
use crate::crypto::Role;
use crate::crypto::Rule;
use crate::crypto::SignatureCheck;
use crate::error::{Failure, Kind};
use crate::limits;
use crate::time::UnixTime;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::Chain;
use crate::x509::Path;
use crate::x509::Purpose;
use crate::x509::Window;
use crate::x509::chains;
use alloc::format;
use alloc::vec::Vec;

/// A timestamp authority of a trusted root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampAuthority {
    /// Its certificates and window. When they begin with the authority's own certificate, no other
    /// signs for it.
    pub chain: Anchor,
}

/// The stamped bytes existed at this time, an authority says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// To the second, rounded down.
    pub time: UnixTime,
    /// Which of the authorities that were given. Thresholds count these, never tokens.
    pub authority: usize,
    /// The certificate whose key signed the token.
    pub signer: Certificate,
}

/// An authority that may have made the token, by one chain of names.
struct Tie<'a> {
    at: usize,
    authority: &'a TimestampAuthority,
    signer: Certificate,
    chain: Chain<'a>,
}

impl Token {
    /// The first of [`Token::claims`]: enough where no two authorities share a name.
    ///
    /// # Errors
    /// As [`Token::claims`].
    pub fn claim(
        &self,
        authorities: &[TimestampAuthority],
        stamped: &[u8],
    ) -> Result<Pending<Timestamp>, Refused> {
        let mut claims = self.claims(authorities, stamped)?.into_iter();
        claims.next().ok_or_else(|| refused(self.unknown()))
    }

    /// Who may have made the token, and what must hold for it: alternatives (authorities of one
    /// name but of different keys), of which one that settles is enough; at least one, at most
    /// [`limits::TIMESTAMP_CLAIMS`].
    ///
    /// # Errors
    /// [`TimestampError::UnknownAuthority`] when the token can be tied to none of the authorities:
    /// it is set aside then (docs/trust.md section 4). Every other [`Refused`] is of a token that
    /// names one of them and fails.
    pub fn claims(
        &self,
        authorities: &[TimestampAuthority],
        stamped: &[u8],
    ) -> Result<Vec<Pending<Timestamp>>, Refused> {
        let ties = self.ties(authorities)?;
        let (mut claims, mut refusals) = (Vec::new(), Refusals::default());
        for tie in &ties {
            match self.claim_of(tie, stamped) {
                Ok(claim) => claims.push(claim),
                Err(refused) => refusals.add(refused),
            }
        }
        if claims.is_empty() {
            return Err(refusals.into_refused(self.unknown()));
        }
        Ok(claims)
    }

    /// 1. the signer's certificate, by what the SignerInfo says, among those of the token or the
    ///    authority's own;
    /// 2. the chains of names from it to the authority; 3. no certificate that cannot be read.
    fn ties<'a>(&self, authorities: &'a [TimestampAuthority]) -> Result<Vec<Tie<'a>>, Refused> {
        let (mut ties, mut refusals) = (Vec::new(), Refusals::default());
        for (at, authority) in authorities.iter().enumerate() {
            match self.ties_to(at, authority) {
                Ok(found) => ties.extend(found),
                Err(refused) => refusals.add(refused),
            }
            if ties.len() > limits::TIMESTAMP_CLAIMS {
                return Err(refused(TimestampError::TooManyAuthorities {
                    limit: limits::TIMESTAMP_CLAIMS,
                }));
            }
        }
        if ties.is_empty() {
            return Err(refusals.into_refused(self.unknown()));
        }
        if let Some(error) = &self.broken {
            return Err(refused(TimestampError::Certificate {
                error: error.clone(),
            }));
        }
        Ok(ties)
    }

    /// The chains to this authority; none when the token does not name it.
    fn ties_to<'a>(
        &self,
        at: usize,
        authority: &'a TimestampAuthority,
    ) -> Result<Vec<Tie<'a>>, Refused> {
        let anchor = &authority.chain;
        let signer = match (anchor.leaf(), self.embedded_signer()) {
            // TOB-SIGSTORE-11: the authority's own certificate signs, and no other of the same
            // issuer.
            (Some(leaf), _) if self.signer.id.names(leaf) => leaf.clone(),
            (Some(_), _) => return Ok(Vec::new()),
            (None, Some(signer)) => signer.clone(),
            (None, None)
                if anchor
                    .chain()
                    .iter()
                    .any(|authority| self.signer.id.is_issued_by(authority)) =>
            {
                return Err(refused(TimestampError::SignerMissing {
                    issuer: self.signer.id.shown(),
                }));
            }
            (None, None) => return Ok(Vec::new()),
        };
        // An altered copy, or a forged certificate, that the SignerInfo would fit as well.
        if self
            .certificates
            .iter()
            .any(|other| self.signer.id.names(other) && *other != signer)
        {
            return Err(refused(TimestampError::SignerAmbiguous));
        }
        match chains(&signer, &self.certificates, anchor) {
            Ok(chains) => Ok(chains
                .into_iter()
                .map(|chain| Tie {
                    at,
                    authority,
                    signer: signer.clone(),
                    chain,
                })
                .collect()),
            Err(error) if error.failure.kind == Kind::UnknownIssuer => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn embedded_signer(&self) -> Option<&Certificate> {
        self.certificates
            .iter()
            .find(|certificate| self.signer.id.names(certificate))
    }

    /// The bag is not signed. We reject whatever has no part in this path because it is there to
    /// mislead whoever takes the first certificate for the signer's (CVE-2026-39984). An authority
    /// may be here under another issuer (cross-signed): its name and key tell.
    fn check_bag(&self, path: &Path) -> Result<(), TimestampError> {
        let is_above = |found: &Certificate| {
            path.certificates().iter().skip(1).any(|above| {
                above.subject() == found.subject() && above.public_key() == found.public_key()
            })
        };
        match self
            .certificates
            .iter()
            .find(|found| path.leaf() != Some(*found) && !is_above(found))
        {
            Some(foreign) => Err(TimestampError::ForeignCertificate {
                subject: foreign.shown(),
            }),
            None => Ok(()),
        }
    }

    fn claim_of(&self, tie: &Tie<'_>, stamped: &[u8]) -> Result<Pending<Timestamp>, Refused> {
        let token = self.token_of(tie, stamped)?;
        // docs/trust.md section 7: whoever settles them in turn looks at the token only under a
        // chain that holds.
        tie.chain
            .claim(Purpose::Timestamping, &[self.info.time])?
            .and(token)
            .check(
                Rule::new(
                    "timestamp.certificates",
                    "the token carries no certificate but those of its signer and the authorities \
                     above it",
                ),
                |(path, time)| {
                    self.check_bag(&path)?;
                    Ok((time, path))
                },
            )?
            .check(
                Rule::new(
                    "timestamp.authority",
                    "the token's signer leads to the authority at the token's time",
                ),
                |(time, path)| {
                    // The path was judged at the time that is signed, and is that of the signer.
                    let signer = path
                        .leaf()
                        .filter(|leaf| **leaf == tie.signer && time == self.info.time);
                    let signer = signer
                        .cloned()
                        .ok_or_else(|| Failure::from(self.unknown()))?;
                    Ok(Timestamp {
                        time,
                        authority: tie.at,
                        signer,
                    })
                },
            )
    }

    /// The token by itself: its time, signed by the signer that it names, over what was stamped.
    fn token_of(&self, tie: &Tie<'_>, stamped: &[u8]) -> Result<Pending<UnixTime>, Refused> {
        let hash = self.signer.hash().map_err(refused)?;
        // RFC 5652 section 5.4: what is signed are the attributes, and they name the content.
        Pending::read(self.signature_check(tie)?, |message| match message {
            Message::Bytes(bytes) => Ok(SignedAttributes::parse(bytes)?),
            Message::Digest(..) => Err(TimestampError::NoSignedAttributes.into()),
        })?
        .check(
            Rule::new(
                "timestamp.message-digest",
                "what was signed is the digest of the token's content",
            ),
            |attributes| {
                attributes.check_content(hash, &self.content)?;
                Ok((attributes, TstInfo::parse(&self.content)?))
            },
        )?
        .check(
            Rule::new(
                "timestamp.imprint",
                "the token is about the signature that was given",
            ),
            |(attributes, info)| {
                info.check_imprint(stamped)?;
                Ok((attributes, info.time))
            },
        )?
        .check(
            Rule::new(
                "timestamp.signer",
                format!("the token names {} as its signer", tie.signer.shown()),
            ),
            |(attributes, time)| {
                attributes.check_certificate(&tie.signer)?;
                Ok(time)
            },
        )?
        .check(
            Rule::new(
                "timestamp.window",
                "the trusted root vouches for the authority at the token's time",
            ),
            |time| check_window(tie.authority.chain.valid(), time),
        )
    }

    fn signature_check(&self, tie: &Tie<'_>) -> Result<SignatureCheck, Refused> {
        SignatureCheck::new(
            Role::TimestampToken,
            tie.signer.public_key(),
            self.signer.scheme().map_err(refused)?,
            EcdsaForm::Der,
            Message::Bytes(self.signer.signed.clone()),
            &self.signer.signature,
        )
        .map_err(refused)
    }

    fn unknown(&self) -> TimestampError {
        TimestampError::UnknownAuthority {
            issuer: self.signer.id.shown(),
        }
    }
}

fn check_window(window: Window, time: UnixTime) -> Result<UnixTime, Failure> {
    if window.covers(time) {
        Ok(time)
    } else {
        Err(TimestampError::Window {
            time,
            start: window.start,
        }
        .into())
    }
}

fn refused(error: impl Into<Failure>) -> Refused {
    Refused {
        failure: error.into(),
        steps: Vec::new(),
    }
}
