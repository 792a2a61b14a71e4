//! From a leaf to an anchor (RFC 5280 section 6, as Go's `crypto/x509` does it for Fulcio; stricter
//! where noted).
//!
//! 1. the chains that names allow, bounded
//! 2. at every trusted time: each certificate, and the anchor's window
//! 3. authorities: basic constraints, key usage, path length
//! 4. the leaf's usage and purpose, and the purposes of all above it
//! 5. name constraints
//! 6. no critical extension that is not understood
//!
//! Signatures are demanded from the anchor down to the leaf, so that whoever settles them in turn
//! stops at the first that the anchor does not stand behind ([`Pending::settle_in_turn`]). The
//! anchor's own were checked when it was loaded.

use super::anchor::{Anchor, Window, refused, same_tbs};
use super::certificate::Certificate;
use super::error::X509Error;
use crate::crypto::Pending;
use crate::crypto::Refused;
use crate::crypto::Role;
use crate::crypto::Rule;
use crate::crypto::Verified;
use crate::encoding::der::ObjectIdentifier;
use crate::error::Failure;
use crate::limits;
use crate::time::UnixTime;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");

/// What the leaf's key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signatures over artifacts (Fulcio).
    CodeSigning,
    /// The same, by the letter of containers/image, which is Go's (docs/containers-image.md
    /// section 2.4): a certificate that names no purpose, or any, is for all; key usage and basic
    /// constraints of the leaf are not looked at; policies and revocation lists may be critical,
    /// though nobody looks at them.
    CodeSigningAsGo,
    /// RFC 3161 tokens: the leaf's extended key usage is critical and says nothing else (RFC 3161
    /// section 2.3).
    Timestamping,
}

impl Purpose {
    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::CodeSigning | Self::CodeSigningAsGo => CODE_SIGNING,
            Self::Timestamping => TIME_STAMPING,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CodeSigning | Self::CodeSigningAsGo => "code signing",
            Self::Timestamping => "time stamping",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::CodeSigning | Self::CodeSigningAsGo => Role::CertificateSignature,
            Self::Timestamping => Role::TimestampCertificate,
        }
    }
}

/// A leaf that an anchor's authority issued, for a purpose, valid at the times that were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    certificates: Vec<Certificate>,
}

impl Path {
    /// The leaf; the path has one by construction.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    /// The authority that issued the leaf.
    pub fn issuer(&self) -> Option<&Certificate> {
        self.certificates.get(1)
    }

    /// Leaf first, root last.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// Every rule on a path but that of its times: they may be known only once the path is there to
/// vouch for those who tell them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untimed(Path);

/// A chain that the names allow. Whether it is a path, [`Chain::claim`] says.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    anchor: &'a Anchor,
    /// Leaf first, root last.
    certificates: Vec<Certificate>,
    /// How many of them, from the leaf, lie below the anchor.
    below: usize,
}

/// The path from `leaf` to `anchor`. Of several chains that names allow, it is the first that
/// breaks no rule; [`chains`] has the others, for who must try another issuer of the same name.
///
/// # Errors
/// [`X509Error`] as [`Refused`], of the first chain.
pub fn path(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchor: &Anchor,
    purpose: Purpose,
    times: &[UnixTime],
) -> Result<Pending<Path>, Refused> {
    let mut first = None;
    for chain in chains(leaf, intermediates, anchor)? {
        match chain.claim(purpose, times) {
            Ok(path) => return Ok(path),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| refused(unknown_issuer(leaf))))
}

/// Every chain from `leaf` to `anchor` that names allow, at most [`limits::PATHS`], those whose key
/// identifiers fit first.
///
/// # Errors
/// [`X509Error::UnknownIssuer`], [`X509Error::ChainLength`], [`X509Error::TooMany`],
/// [`X509Error::NotTheAuthority`].
pub fn chains<'a>(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchor: &'a Anchor,
) -> Result<Vec<Chain<'a>>, Refused> {
    if anchor.leaf().is_some_and(|own| own != leaf) {
        return Err(refused(X509Error::NotTheAuthority {
            subject: leaf.shown(),
        }));
    }
    if intermediates.len() > limits::CHAIN {
        return Err(refused(too_long()));
    }
    let (mut found, mut is_long) = (Vec::new(), false);
    let mut open = vec![vec![leaf.clone()]];
    let mut steps = 0_usize;
    while let Some(partial) = open.pop() {
        steps += 1;
        if found.len() >= limits::PATHS || steps > limits::PATH_STEPS {
            break;
        }
        let Some(last) = partial.last() else { continue };
        for chain in ends(&partial, last, anchor) {
            if chain.certificates.len() > limits::CHAIN {
                is_long = true;
            } else {
                found.push(chain);
            }
        }
        let fits = |next: &&Certificate| {
            next.subject() == last.issuer()
                && !partial.contains(next)
                && !anchor.chain().contains(next)
        };
        for next in intermediates.iter().filter(fits) {
            if partial.len() + 1 >= limits::CHAIN {
                is_long = true;
            } else {
                open.push(partial.iter().cloned().chain([next.clone()]).collect());
            }
        }
    }
    if found.is_empty() {
        return Err(refused(if is_long {
            too_long()
        } else {
            unknown_issuer(leaf)
        }));
    }
    found.truncate(limits::PATHS);
    // What the key identifiers fit comes first; otherwise the order stays.
    let (mut fitting, others): (Vec<_>, Vec<_>) = found.into_iter().partition(Chain::key_ids_fit);
    fitting.extend(others);
    Ok(fitting)
}

fn too_long() -> X509Error {
    X509Error::ChainLength {
        limit: limits::CHAIN,
    }
}

/// `partial` continued in the anchor, wherever that has an authority which `last` names.
fn ends<'a>(
    partial: &[Certificate],
    last: &Certificate,
    anchor: &'a Anchor,
) -> impl Iterator<Item = Chain<'a>> {
    let authorities = anchor.chain();
    let named = authorities
        .iter()
        .enumerate()
        .filter(|(_, authority)| authority.subject() == last.issuer());
    named.map(move |(at, _)| Chain {
        anchor,
        certificates: partial
            .iter()
            .chain(authorities.iter().skip(at))
            .cloned()
            .collect(),
        below: partial.len(),
    })
}

/// That `issuer` signed `certificate`, which names it.
fn link(
    certificate: &Certificate,
    issuer: &Certificate,
    role: Role,
    is_signer: bool,
) -> Result<Pending<Vec<Certificate>>, Refused> {
    let check = certificate
        .signed_by(issuer.public_key(), role)
        .map_err(refused)?;
    // An authority of timestamps signs for everybody, a signer of code for once.
    let check = if is_signer && role == Role::CertificateSignature {
        check
    } else {
        check.recurring()
    };
    let link = Pending::read(check, |message| {
        same_tbs(message, certificate).map(|()| vec![certificate.clone()])
    })?;
    let rule = Rule::new(
        "certificate.issuer",
        alloc::format!(
            "{} names {} as its issuer",
            certificate.shown(),
            issuer.shown()
        ),
    );
    link.check(rule, |link| {
        if certificate.issuer() == issuer.subject() {
            Ok(link)
        } else {
            Err(Failure::from(unknown_issuer(certificate)))
        }
    })
}

/// The path of a certificate that a person named as trusted, and that is signed by itself: it need
/// not be an authority.
///
/// # Errors
/// [`X509Error`] as [`Refused`].
pub fn own_path(
    leaf: &Certificate,
    valid: Window,
    purpose: Purpose,
    times: &[UnixTime],
) -> Result<Pending<Path>, Refused> {
    let anchor = Anchor::itself(leaf, valid);
    Chain {
        anchor: &anchor,
        certificates: vec![leaf.clone()],
        below: 1,
    }
    .claim(purpose, times)
}

fn validity() -> Rule {
    Rule::new(
        "certificate.validity",
        "each certificate of the chain, and the trusted root's window, covers each trusted time",
    )
}

fn unknown_issuer(leaf: &Certificate) -> X509Error {
    X509Error::UnknownIssuer {
        subject: leaf.shown(),
        issuer: leaf.shown_issuer(),
    }
}

impl Chain<'_> {
    /// The authority that would have issued the leaf: of whom an SCT speaks.
    pub fn issuer(&self) -> Option<&Certificate> {
        self.certificates.get(1)
    }

    /// Leaf first, root last. Only names tie them together so far.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The rules of this module's list; the signatures are left to be checked.
    ///
    /// # Errors
    /// [`X509Error`] as [`Refused`].
    pub fn claim(&self, purpose: Purpose, times: &[UnixTime]) -> Result<Pending<Path>, Refused> {
        let path = self.signatures(purpose.role())?.check(validity(), |path| {
            self.check_times(times)?;
            Ok(path)
        })?;
        self.check_rules(path, purpose, |path| path)
    }

    /// As [`Self::claim`], with the times left for [`Self::verify_times`].
    ///
    /// # Errors
    /// [`X509Error`] as [`Refused`].
    pub fn claim_untimed(&self, purpose: Purpose) -> Result<Pending<Untimed>, Refused> {
        self.check_rules(self.signatures(purpose.role())?, purpose, Untimed)
    }

    /// A path, once its times are known, beside what was verified of its leaf.
    ///
    /// # Errors
    /// [`X509Error`] as [`Refused`].
    pub fn verify_times<T>(
        &self,
        chain: Verified<(Untimed, T)>,
        times: &[UnixTime],
    ) -> Result<Verified<(Path, T)>, Refused> {
        chain.check(validity(), |(Untimed(path), rest)| {
            if path.certificates != self.certificates {
                return Err(Failure::new("internal", "the chain is another one"));
            }
            self.check_times(times)?;
            Ok((path, rest))
        })
    }

    fn check_rules<T>(
        &self,
        path: Pending<Path>,
        purpose: Purpose,
        done: impl FnOnce(Path) -> T,
    ) -> Result<Pending<T>, Refused> {
        path.check(
            Rule::new(
                "certificate.authorities",
                "each issuer is a certificate authority, and no longer chain than it allows is \
                 below it",
            ),
            |path| {
                self.check_authorities()?;
                Ok(path)
            },
        )?
        .check(
            Rule::new(
                "certificate.purpose",
                alloc::format!(
                    "the certificate, and each authority above it, is for {}",
                    purpose.name()
                ),
            ),
            |path| {
                self.check_purpose(purpose)?;
                Ok(path)
            },
        )?
        .check(
            Rule::new(
                "certificate.names",
                "each authority may issue for the names below it",
            ),
            |path| {
                self.check_names()?;
                Ok(path)
            },
        )?
        .check(
            Rule::new(
                "certificate.critical",
                "no certificate has a critical extension that is not understood",
            ),
            |path| {
                self.check_critical(purpose)?;
                Ok(done(path))
            },
        )
    }

    /// RFC 5280 section 6.1.3 (a)(1) and (4), for each certificate below the anchor.
    fn signatures(&self, role: Role) -> Result<Pending<Path>, Refused> {
        let mut links = Vec::new();
        // With nothing above it, a certificate is its own issuer.
        let own = self
            .certificates
            .last()
            .filter(|_| self.below == self.certificates.len());
        for (at, (certificate, issuer)) in self
            .certificates
            .iter()
            .zip(self.certificates.iter().skip(1).chain(own))
            .take(self.below)
            .enumerate()
        {
            links.push(link(certificate, issuer, role, at == 0)?);
        }
        // The anchor's word first.
        let mut claim: Option<Pending<Vec<Certificate>>> = None;
        for link in links.into_iter().rev() {
            claim = Some(match claim {
                None => link,
                Some(claim) => claim.and(link).check(
                    Rule::new("certificate.link", "the chain goes on from the anchor down"),
                    |(above, mut link)| {
                        link.extend(above);
                        Ok(link)
                    },
                )?,
            });
        }
        let claim = claim.ok_or_else(|| refused(X509Error::AnchorEmpty))?;
        let above = self.certificates.iter().skip(self.below).cloned();
        claim.check(
            Rule::new(
                "certificate.anchor",
                "the chain ends in a certificate authority of the trusted root",
            ),
            |mut links| {
                links.extend(above);
                Ok(Path {
                    certificates: links,
                })
            },
        )
    }

    /// RFC 5280 section 6.1.3 (a)(2): inclusive ends. CVE-2026-24122: intermediates too.
    ///
    /// # Errors
    /// [`X509Error::NoTime`], [`X509Error::NotYetValid`], [`X509Error::Expired`].
    pub fn check_times(&self, times: &[UnixTime]) -> Result<(), X509Error> {
        let Some(last) = self.certificates.last().filter(|_| !times.is_empty()) else {
            return Err(X509Error::NoTime);
        };
        for time in times.iter().copied() {
            for certificate in &self.certificates {
                if time < certificate.not_before() {
                    return Err(X509Error::NotYetValid {
                        subject: certificate.shown(),
                        time,
                        start: certificate.not_before(),
                    });
                }
                if certificate.not_after() < time {
                    return Err(X509Error::Expired {
                        subject: certificate.shown(),
                        time,
                        end: certificate.not_after(),
                    });
                }
            }
            let window = self.anchor.valid();
            if time < window.start {
                return Err(X509Error::NotYetValid {
                    subject: last.shown(),
                    time,
                    start: window.start,
                });
            }
            if let Some(end) = window.end.filter(|_| !window.covers(time)) {
                return Err(X509Error::Expired {
                    subject: last.shown(),
                    time,
                    end,
                });
            }
        }
        Ok(())
    }

    /// RFC 5280 section 6.1.4 (k) to (n). The path length counts self-issued authorities too, as Go
    /// does.
    fn check_authorities(&self) -> Result<(), X509Error> {
        for (below, authority) in self.certificates.iter().skip(1).enumerate() {
            let subject = || authority.shown();
            let basic = authority
                .known()
                .basic
                .filter(|basic| basic.ca)
                .ok_or_else(|| X509Error::NotCa { subject: subject() })?;
            if authority
                .key_usage()
                .is_some_and(|usage| !usage.key_cert_sign)
            {
                return Err(X509Error::CannotSign { subject: subject() });
            }
            if let Some(limit) = basic.path_length.filter(|limit| below > *limit) {
                return Err(X509Error::PathLength {
                    subject: subject(),
                    limit,
                    found: below,
                });
            }
        }
        Ok(())
    }

    /// RFC 5280 section 4.2.1.12. The leaf must name the purpose itself; an authority that names
    /// any must name this one, or all (anyExtendedKeyUsage). We reject leaves that are authorities,
    /// which Go accepts, because none signs artifacts; not so by the letter.
    fn check_purpose(&self, purpose: Purpose) -> Result<(), X509Error> {
        let wanted = purpose.name();
        for (at, certificate) in self.certificates.iter().enumerate() {
            let usage = certificate.ext_key_usage();
            let is_for = match (at, purpose) {
                (0, Purpose::CodeSigning) => {
                    usage.is_some_and(|usage| usage.purposes.contains(&purpose.oid()))
                }
                (0, Purpose::Timestamping) => {
                    usage.is_some_and(|usage| usage.critical && usage.purposes == [purpose.oid()])
                }
                _ => usage.is_none_or(|usage| {
                    usage
                        .purposes
                        .iter()
                        .any(|oid| *oid == purpose.oid() || *oid == ANY_PURPOSE)
                }),
            };
            if !is_for {
                return Err(X509Error::ExtKeyUsage {
                    subject: certificate.shown(),
                    wanted,
                });
            }
        }
        let Some(leaf) = self
            .certificates
            .first()
            .filter(|_| purpose != Purpose::CodeSigningAsGo)
        else {
            return Ok(());
        };
        if leaf.is_ca() {
            return Err(X509Error::LeafIsCa {
                subject: leaf.shown(),
            });
        }
        let signs = leaf.key_usage().is_none_or(|usage| {
            usage.digital_signature
                || (purpose == Purpose::Timestamping && usage.content_commitment)
        });
        if signs {
            Ok(())
        } else {
            Err(X509Error::KeyUsage {
                subject: leaf.shown(),
            })
        }
    }

    /// RFC 5280 section 6.1.3 (b) and (c).
    fn check_names(&self) -> Result<(), X509Error> {
        for (above, authority) in self.certificates.iter().enumerate().skip(1) {
            let Some(constraints) = &authority.known().constraints else {
                continue;
            };
            for below in self.certificates.iter().take(above) {
                constraints
                    .check(below.subject(), below.names())
                    .map_err(|name| X509Error::NameNotPermitted {
                        subject: authority.shown(),
                        name,
                    })?;
            }
        }
        Ok(())
    }

    /// RFC 5280 section 6.1.4 (o) and 6.1.5 (f).
    fn check_critical(&self, purpose: Purpose) -> Result<(), X509Error> {
        let ignored = |oid| {
            purpose == Purpose::CodeSigningAsGo
                && [CERTIFICATE_POLICIES, CRL_DISTRIBUTION_POINTS].contains(&oid)
        };
        for certificate in &self.certificates {
            if let Some(unknown) = certificate
                .extensions()
                .iter()
                .find(|extension| extension.is_unknown_critical() && !ignored(extension.oid))
            {
                return Err(X509Error::CriticalExtension {
                    subject: certificate.shown(),
                    oid: unknown.oid.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Whether each authority key identifier is its issuer's. A hint: it orders, and decides
    /// nothing.
    fn key_ids_fit(&self) -> bool {
        self.certificates
            .iter()
            .zip(self.certificates.iter().skip(1))
            .all(|(certificate, issuer)| {
                let (wanted, own) = (
                    &certificate.known().authority_key_id,
                    &issuer.known().subject_key_id,
                );
                wanted.is_none() || own.is_none() || wanted == own
            })
    }
}
