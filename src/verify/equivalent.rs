//! The same question, as a command for cosign (docs/trust.md section 9).
//!
//! It names the files that were really used, and waives the proofs that our verdict did not use.
//! There is none where cosign would say the opposite, or where it is not known what it would say;
//! what our verdict rests on and cosign does not compare stands above it, as a comment of the
//! shell.

use super::direct::{Direct, Paths, SignedNames, Signers};
use super::finding::Verdict;
use super::judged::Judged;
use super::report::{Candidate, Requirement as Judgement};
use super::request::Request;
use super::roots::NamedRoot;
use super::rules::{PolicyRules, Rules};
use crate::crypto::PublicKey;
use crate::error::Kind;
use crate::policy;
use crate::policy::{KeySource, Matcher, Requirement, SigstoreSigned, Trust};
use crate::sigstore::identity::{Identity, Pattern};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What cosign is asked, before the image.
struct Command<'a> {
    /// Which of the requirements it is about.
    number: usize,
    signer: String,
    root: Option<&'a NamedRoot>,
    /// Its file; none where cosign has it itself.
    root_path: Option<&'a str>,
    predicate_type: Option<&'a str>,
    /// What cosign is not told, or does not compare.
    apart: Vec<String>,
    /// Whether all was looked at that cosign looks at.
    sees_all: bool,
}

/// The command with which cosign answers the same about this digest.
pub(super) fn equivalent(
    rules: &Rules,
    request: &Request,
    judged: &Judged,
    digest: Option<&str>,
) -> Option<String> {
    // cosign knows no exceptions, and judges the images of an index one by one.
    // Nor does it know images in files.
    let is_unnamed = rules.named(request.name()).is_none();
    if judged.finding.kind == Kind::Exception || !judged.instances.is_empty() || is_unnamed {
        return None;
    }
    let mut command = match rules {
        Rules::Direct(direct) => of_direct(direct, judged)?,
        Rules::Policy(rules) => of_policy(rules, request, judged)?,
    };
    let requirement = judged.requirements.get(command.number)?;
    if !agrees(judged.finding.verdict, requirement, &command) {
        return None;
    }
    if requirement
        .accepted()
        .and_then(|candidate| candidate.claims.as_ref()?.identity.as_ref())
        .is_none()
    {
        // No name was there to be compared.
        command.apart.retain(|line| line != NAME);
    }
    let repository = request.shown().split('@').next().unwrap_or_default();
    let repository = match repository.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => repository,
    };
    Some(format!(
        "{} {}",
        command.text(judged.finding.verdict),
        quoted(&format!("{repository}@{}", digest?))
    ))
}

const NAME: &str =
    "cosign does not compare the name in the signature, and this verdict rests on it, too";

impl Command<'_> {
    fn text(&self, verdict: Verdict) -> String {
        let apart = if self.apart.is_empty() || verdict != Verdict::Allow {
            String::new()
        } else {
            format!("# {}\n", self.apart.join("; "))
        };
        let verb = self.predicate_type.map_or("verify".to_string(), |kind| {
            format!("verify-attestation --type {}", quoted(kind))
        });
        let file = self.root_path.map_or(String::new(), |path| {
            format!(" --trusted-root {}", quoted_path(path))
        });
        let tlog = if self
            .root
            .is_none_or(|root| root.root.transparency_logs().is_empty())
        {
            " --insecure-ignore-tlog=true"
        } else {
            ""
        };
        let sct = if self
            .root
            .is_some_and(|root| root.root.certificate_logs().is_empty())
            && !self.signer.starts_with("--key")
        {
            " --insecure-ignore-sct=true"
        } else {
            ""
        };
        format!("{apart}cosign {verb} {}{file}{tlog}{sct}", self.signer)
    }
}

fn of_direct<'a>(direct: &'a Direct, judged: &Judged) -> Option<Command<'a>> {
    // cosign takes one key.
    if direct.demands().len() > 1 {
        return None;
    }
    let requirement = judged.requirements.first()?;
    let (mut signer, mut apart) = match &direct.signers {
        Signers::Keys(keys) => {
            let paths: Vec<Option<&str>> = (0..keys.len())
                .map(|number| direct.paths.keys.get(number).map(String::as_str))
                .collect();
            (key_option(keys, &paths, requirement)?, Vec::new())
        }
        Signers::Identities(identities) => identity_option(identities)?,
    };
    for (name, value) in &direct.annotations {
        signer.push_str(" -a ");
        signer.push_str(&quoted(&format!("{name}={value}")));
    }
    if direct.names == SignedNames::Own && direct.predicate_type.is_none() {
        apart.push(NAME.into());
    }
    let root_path = match &direct.root {
        None => None,
        // A root of which no file is known: cosign has the public one itself, and no other.
        Some(root) if direct.paths.trusted_root.is_none() => match root.carried {
            Some("public-good") => None,
            _ => return None,
        },
        Some(_) => direct.paths.trusted_root.as_deref(),
    };
    Some(Command {
        number: 0,
        signer,
        root: direct.root.as_ref(),
        root_path,
        predicate_type: direct.predicate_type.as_deref(),
        apart,
        sees_all: true,
    })
}

fn of_policy<'a>(
    rules: &'a PolicyRules,
    request: &Request,
    judged: &Judged,
) -> Option<Command<'a>> {
    let paths = &rules.paths;
    let requirements = rules.policy.select(request.name()).ok()?.requirements;
    let (number, signed) = requirements
        .iter()
        .enumerate()
        .find_map(|(number, requirement)| {
            if let Requirement::SigstoreSigned(signed) = requirement {
                Some((number, signed))
            } else {
                None
            }
        })?;
    let (signer, mut apart) = match &signed.trust {
        // cosign is told of Rekor's key by other means.
        Trust::Keys(_) if signed.rekor.is_some() => return None,
        Trust::Keys(source) | Trust::LoggedKeys { keys: source, .. } => (
            policy_key(
                source,
                &rules.assets,
                paths,
                judged.requirements.get(number)?,
            )?,
            Vec::new(),
        ),
        Trust::Certificates { identities, .. } => identity_option(identities)?,
        Trust::Fulcio(_) | Trust::Pki(_) => return None,
    };
    let root_path = match signed.trust.root() {
        None | Some(policy::TrustedRoot::PublicGood) => None,
        Some(policy::TrustedRoot::Path(path)) => Some(path_of(paths, path)),
        Some(_) => return None,
    };
    if !matches!(signed.identity, Matcher::Digest { any_name: true }) {
        apart.push(NAME.into());
    }
    if requirements.len() > 1 {
        apart.push(format!(
            "this asks for one of the policy's {} requirements",
            requirements.len()
        ));
    }
    let root = signed.trust.root().and_then(|root| rules.roots.get(root));
    Some(Command {
        number,
        signer,
        root,
        root_path,
        predicate_type: None,
        apart,
        sees_all: sees_all(signed),
    })
}

/// What reads `.sig` tags alone, or wants a name, passes over bundles that cosign believes.
fn sees_all(signed: &SigstoreSigned) -> bool {
    signed.reads_bundles() && signed.identity.accepts_unnamed()
}

fn path_of<'a>(paths: &'a Paths, name: &'a str) -> &'a str {
    paths.assets.get(name).map_or(name, String::as_str)
}

fn policy_key(
    source: &KeySource,
    assets: &BTreeMap<String, Vec<u8>>,
    paths: &Paths,
    requirement: &Judgement,
) -> Option<String> {
    let names = source.paths();
    let keys: Vec<PublicKey> = names
        .iter()
        .map(|name| PublicKey::from_pem(assets.get(name)?).ok())
        .collect::<Option<_>>()?;
    let places: Vec<Option<&str>> = names
        .iter()
        .map(|name| Some(path_of(paths, name)))
        .collect();
    key_option(&keys, &places, requirement)
}

/// Of several keys the one that made the accepted signature; a key without a file cannot be named.
fn key_option(
    keys: &[PublicKey],
    paths: &[Option<&str>],
    requirement: &Judgement,
) -> Option<String> {
    let made = |key: &PublicKey| {
        requirement.accepted().is_some_and(|one| {
            one.steps.iter().any(|step| {
                step.kind == "signature"
                    && step.outcome == "holds"
                    && step.key.as_deref() == Some(&key.fingerprint())
            })
        })
    };
    let number = if keys.len() == 1 {
        0
    } else {
        keys.iter().position(made)?
    };
    Some(format!("--key {}", quoted_path((*paths.get(number)?)?)))
}

/// One identity; cosign takes no more. And what it is not told of it.
fn identity_option(identities: &[Identity]) -> Option<(String, Vec<String>)> {
    let [identity] = identities else { return None };
    let option = |name: &str, pattern: &Pattern| match pattern {
        Pattern::Exact(text) => format!("--certificate-{name} {}", quoted(text)),
        Pattern::Search(_) => format!("--certificate-{name}-regexp {}", quoted(pattern.text())),
        Pattern::Whole(_) => format!(
            "--certificate-{name}-regexp {}",
            quoted(&format!(r"\A(?:{})\z", pattern.text()))
        ),
    };
    let claims: Vec<&str> = identity
        .claims
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let apart = if claims.is_empty() {
        Vec::new()
    } else {
        alloc::vec![format!(
            "this command does not compare the certificate's claims {}",
            claims.join(", ")
        )]
    };
    Some((
        format!(
            "{} {}",
            option("identity", &identity.subject),
            option("oidc-issuer", &identity.issuer)
        ),
        apart,
    ))
}

/// Whether cosign is known to say the same.
fn agrees(verdict: Verdict, requirement: &Judgement, command: &Command<'_>) -> bool {
    let refuses_too = |candidate: &Candidate| match candidate.reason.kind {
        Kind::InvalidSignature
        | Kind::OtherContent
        | Kind::OtherSigner
        | Kind::Annotation
        | Kind::Attachment => true,
        // cosign takes any statement for a signature.
        Kind::OtherPredicate => command.predicate_type.is_some(),
        _ => false,
    };
    match verdict {
        Verdict::Allow => requirement.accepted().is_some(),
        Verdict::Deny => {
            requirement.finding.verdict == Verdict::Deny
                && command.sees_all
                && requirement.candidates.iter().all(refuses_too)
        }
        Verdict::Unknown => false,
    }
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=+".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// A path, that cosign may not take for an address of a key elsewhere (`env://…`, `awskms:///…`),
/// nor for an option.
fn quoted_path(path: &str) -> String {
    if path.starts_with('-') || path.contains("://") {
        quoted(&format!("./{path}"))
    } else {
        quoted(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        for (text, word) in [
            ("cosign.pub", "cosign.pub"),
            ("", "''"),
            ("a b", "'a b'"),
            ("a'b", r"'a'\''b'"),
            ("$(x)", "'$(x)'"),
            ("~/k", "'~/k'"),
            ("a\nb", "'a\nb'"),
            ("ü", "'ü'"),
            ("a;b", "'a;b'"),
        ] {
            assert_eq!(quoted(text), word);
        }
        assert_eq!(
            (quoted_path("-k"), quoted_path("env://K"), quoted_path("/k")),
            ("./-k".into(), "./env://K".into(), "/k".into())
        );
    }
}
