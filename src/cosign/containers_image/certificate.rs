//! The annotations `dev.sigstore.cosign/certificate` and `…/chain` (docs/containers-image.md
//! section 2.4).

use super::error::ContainersImageError;
use super::material;
use crate::crypto::{Pending, Provider, Refused, Rule, Verified, first_to_settle};
use crate::error::{Failure, HostError, Kind};
use crate::limits;
use crate::time::UnixTime;
use crate::x509::{
    Anchor, Certificate, Path, Purpose, San, Window, X509Error, chains, fulcio, has_hostname,
    own_path,
};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// The policy states no time for its authorities: their certificates do.
const ALWAYS: Window = Window {
    start: UnixTime(i64::MIN),
    end: None,
};

/// `fulcio` of a policy.
#[derive(Debug, Clone, Copy)]
pub struct Fulcio<'a> {
    /// The authorities ([`material::roots`]).
    pub ca: &'a [Certificate],
    /// The issuer of the identity.
    pub oidc_issuer: &'a str,
    /// Whose signature it must be.
    pub subject_email: &'a str,
}

/// `pki` of a policy. What is given of the subject must match; something is given.
#[derive(Debug, Clone, Copy)]
pub struct Pki<'a> {
    /// The roots ([`material::roots`]).
    pub roots: &'a [Certificate],
    /// Further certificates for the path ([`material::intermediates`]).
    pub intermediates: &'a [Certificate],
    /// An e-mail address that the certificate names.
    pub subject_email: Option<&'a str>,
    /// A host that the certificate is for.
    pub subject_hostname: Option<&'a str>,
    /// Now: the whole chain is valid then.
    pub now: UnixTime,
}

impl Fulcio<'_> {
    /// The certificate in PEM, once a path is verified at `time` and it names the issuer and the
    /// address.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer; inside, [`ContainersImageError`],
    /// [`X509Error`] and [`crate::crypto::SignatureError`].
    pub async fn verify<P: Provider>(
        &self,
        certificate: &str,
        chain: Option<&str>,
        time: UnixTime,
        provider: &P,
    ) -> Result<Result<Verified<Certificate>, Refused>, HostError> {
        let verified = verify_path(certificate, chain, &[], self.ca, time, provider).await?;
        Ok(verified
            .and_then(|verified| {
                verified.check(
                    Rule::new(
                        "fulcio.issuer",
                        format!("the certificate names the OIDC issuer {}", self.oidc_issuer),
                    ),
                    |leaf| self.check_issuer(leaf),
                )
            })
            .and_then(|verified| {
                verified.check(
                    Rule::new(
                        "certificate.email",
                        format!(
                            "the certificate names the e-mail address {}",
                            self.subject_email
                        ),
                    ),
                    |leaf| check_email(leaf, self.subject_email),
                )
            }))
    }

    fn check_issuer(&self, leaf: Certificate) -> Result<Certificate, Failure> {
        match fulcio::issuer_as_go(&leaf)? {
            Some(issuer) if issuer == self.oidc_issuer => Ok(leaf),
            Some(found) => Err(ContainersImageError::Issuer {
                found,
                wanted: self.oidc_issuer.into(),
            }
            .into()),
            None => Err(ContainersImageError::IssuerMissing.into()),
        }
    }
}

impl Pki<'_> {
    /// The certificate in PEM, once a path is verified now and it names the subject.
    ///
    /// # Errors
    /// As [`Fulcio::verify`].
    pub async fn verify<P: Provider>(
        &self,
        certificate: &str,
        chain: Option<&str>,
        provider: &P,
    ) -> Result<Result<Verified<Certificate>, Refused>, HostError> {
        let verified = verify_path(
            certificate,
            chain,
            self.intermediates,
            self.roots,
            self.now,
            provider,
        )
        .await?;
        let wanted: Vec<&str> = self
            .subject_email
            .into_iter()
            .chain(self.subject_hostname)
            .collect();
        let rule = Rule::new(
            "certificate.subject",
            format!("the certificate names {}", wanted.join(" and ")),
        );
        Ok(verified.and_then(|verified| verified.check(rule, |leaf| self.check_subject(leaf))))
    }

    fn check_subject(&self, leaf: Certificate) -> Result<Certificate, Failure> {
        // The policy's parser demands one of them; a caller who gives none trusts nobody.
        if self.subject_email.is_none() && self.subject_hostname.is_none() {
            return Err(ContainersImageError::Email {
                wanted: String::new(),
                found: emails(&leaf),
            }
            .into());
        }
        let leaf = self
            .subject_email
            .map_or(Ok(leaf.clone()), |email| check_email(leaf, email))?;
        match self.subject_hostname {
            Some(host) if !has_hostname(&leaf, host) => {
                let found = names(&leaf, |name| matches!(name, San::Dns(_) | San::Ip(_)));
                Err(ContainersImageError::Hostname {
                    wanted: host.into(),
                    found,
                }
                .into())
            }
            _ => Ok(leaf),
        }
    }
}

fn check_email(leaf: Certificate, wanted: &str) -> Result<Certificate, Failure> {
    if leaf
        .names()
        .iter()
        .any(|name| matches!(name, San::Email(email) if email == wanted))
    {
        return Ok(leaf);
    }
    Err(ContainersImageError::Email {
        wanted: wanted.into(),
        found: emails(&leaf),
    }
    .into())
}

fn emails(leaf: &Certificate) -> String {
    names(leaf, |name| matches!(name, San::Email(_)))
}

/// For people: at most eight.
fn names(leaf: &Certificate, wanted: impl Fn(&&San) -> bool) -> String {
    let quoted: Vec<String> = leaf
        .names()
        .iter()
        .filter(wanted)
        .take(8)
        .map(|name| {
            format!(
                "{:?}",
                name.to_string().chars().take(120).collect::<String>()
            )
        })
        .collect();
    quoted.join(" ")
}

/// A path over the certificates that come with the signature and those of the policy to one of
/// `roots`.
async fn verify_path<P: Provider>(
    certificate: &str,
    chain: Option<&str>,
    known: &[Certificate],
    roots: &[Certificate],
    time: UnixTime,
    provider: &P,
) -> Result<Result<Verified<Certificate>, Refused>, HostError> {
    let (leaf, offered) = match untrusted_intermediates(chain)
        .and_then(|offered| Ok((only_leaf(certificate)?, offered)))
    {
        Ok(found) => found,
        Err(failure) => return Ok(Err(Refused::new(failure))),
    };
    let intermediates = on_the_way(&leaf, known.iter().chain(&offered));
    let settled = first_to_settle(paths(&leaf, &intermediates, roots, time), provider).await?;
    Ok(match settled {
        Ok(path) => path.check(
            Rule::new(
                "certificate.authority",
                "an authority that the rule names issued the certificate",
            ),
            |_| Ok(leaf),
        ),
        Err(refused) => {
            let message = format!(
                "veryfing leaf certificate failed: {}",
                refused.failure.message
            );
            Err(Refused {
                failure: Failure {
                    message,
                    ..refused.failure
                },
                ..refused
            })
        }
    })
}

/// The last one is taken for the root and left out.
fn untrusted_intermediates(chain: Option<&str>) -> Result<Vec<Certificate>, Failure> {
    const WHAT: &str = "certificate chain";
    let mut chain = bounded(chain.unwrap_or_default(), WHAT, limits::CHAIN)?;
    chain.pop();
    Ok(chain)
}

fn only_leaf(text: &str) -> Result<Certificate, Failure> {
    let certificates = bounded(text, "the leaf certificate", limits::CHAIN)?;
    match <[Certificate; 1]>::try_from(certificates) {
        Ok([leaf]) => Ok(leaf),
        Err(found) => Err(ContainersImageError::Leaf { found: found.len() }.into()),
    }
}

fn bounded(text: &str, what: &'static str, limit: usize) -> Result<Vec<Certificate>, Failure> {
    if text.len() > limits::CHAIN_TEXT {
        return Err(ContainersImageError::TooLarge {
            what,
            limit: limits::CHAIN_TEXT,
        }
        .into());
    }
    material::certificates(text, what, limit)
}

/// The certificates to which names lead from `leaf`, nearest first: a policy may name many more
/// than a search may look at.
fn on_the_way<'a>(
    leaf: &Certificate,
    offered: impl Iterator<Item = &'a Certificate> + Clone,
) -> Vec<Certificate> {
    let mut found: Vec<Certificate> = Vec::new();
    for _ in 0..limits::CHAIN {
        let is_wanted = |one: &&Certificate| {
            !found.contains(one)
                && core::iter::once(leaf)
                    .chain(&found)
                    .any(|below| below.issuer() == one.subject())
        };
        let mut next: Vec<Certificate> = offered
            .clone()
            .filter(is_wanted)
            .take(limits::CHAIN)
            .cloned()
            .collect();
        next.dedup();
        found.extend(next);
    }
    found.truncate(limits::CHAIN);
    found
}

/// Every path that names allow to one of the roots, bounded; before them, what is to be said where
/// there is none.
fn paths(
    leaf: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    time: UnixTime,
) -> Vec<Result<Pending<Path>, Refused>> {
    let mut paths = vec![Err(Refused::new(X509Error::UnknownIssuer {
        subject: leaf.shown(),
        issuer: leaf.shown_issuer(),
    }))];
    if roots.contains(leaf) {
        paths.push(own_path(leaf, ALWAYS, Purpose::CodeSigningAsGo, &[time]));
    }
    for root in roots {
        // Who is no authority issues nothing.
        let Ok(anchor) = Anchor::named(root, ALWAYS) else {
            continue;
        };
        match chains(leaf, intermediates, &anchor) {
            Ok(found) => paths.extend(
                found
                    .iter()
                    .map(|chain| chain.claim(Purpose::CodeSigningAsGo, &[time])),
            ),
            Err(refused) if refused.failure.kind == Kind::UnknownIssuer => {}
            Err(refused) => paths.push(Err(refused)),
        }
        if paths.len() > limits::PATHS {
            break;
        }
    }
    paths.truncate(limits::PATHS + 1);
    paths
}
