//! A first policy: one that admits the image in hand, and says what it opens.

use super::direct::{Direct, SignedNames};
use super::report::{Candidate, Report, Requirement};
use super::rules::Rules;
use crate::encoding::json::quote;
use crate::error::Kind;
use crate::policy::Matcher;
use crate::reference::Reference;
use crate::sigstore::identity::{Identity, Pattern};
use crate::sigstore::roots;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

codes! {
    /// No policy can be proposed.
    pub enum InitError {
        NotAllowed { code: &'static str, message: String } => "init.not-signed",
            "expected an image with a good signature by this key or identity; {message} [{code}]";
        OtherName { signed: String, name: String } => "init.other-name",
            "expected an image that is signed under the name {name}, and the signature names \
             {signed:?}: possibly a signature copied from another image, so no rule is written for \
             it; if {name} is a mirror that you know, say so with the option \"mirror\"";
        NoIdentity => "init.identity",
            "the signature names no repository that a policy could demand";
        Demands => "init.demands",
            "a first policy demands one key or identity, and more was asked for: leave annotations \
             and the demand that all keys have signed out";
        Expression => "init.expression",
            "expected the exact identity and issuer to write into the policy, found a regular \
             expression: give the options \"certificateIdentity\" and \"certificateOidcIssuer\"";
    }
}

/// What to do with a signature that names another image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirrors {
    /// No rule is written.
    Refuse,
    /// Someone said that the name is a mirror of what was signed.
    Admit,
}

impl Rules {
    /// The rules by which an image is judged that a first policy is to admit.
    ///
    /// # Errors
    /// [`InitError::Demands`] where more is demanded than that one signer signed the image.
    pub fn for_first_policy(self, mirrors: Mirrors) -> Result<Self, InitError> {
        match self {
            Self::Direct(direct) if direct.all_keys || !direct.annotations.is_empty() => {
                Err(InitError::Demands)
            }
            Self::Direct(direct) => Ok(Self::Direct(Direct {
                names: match mirrors {
                    Mirrors::Admit => SignedNames::Any,
                    Mirrors::Refuse => direct.names,
                },
                ..direct
            })),
            policy @ Self::Policy(_) => Ok(policy),
        }
    }
}

/// Whom a first policy trusts, and where the policy will find it.
#[derive(Debug, Clone, Copy)]
pub enum Trusted<'a> {
    /// The key in the file at this path.
    Key(&'a str),
    /// An identity.
    Identity {
        /// Who; an exact one.
        identity: &'a Identity,
        /// The name of a root that this program carries, or the path of a file.
        root: &'a str,
    },
}

impl Trusted<'_> {
    fn members(self) -> Result<String, InitError> {
        let (identity, root) = match self {
            Self::Key(path) => return Ok(format!("\"keyPath\": {}", quote(path))),
            Self::Identity { identity, root } => (identity, root),
        };
        let (Pattern::Exact(issuer), Pattern::Exact(subject)) =
            (&identity.issuer, &identity.subject)
        else {
            return Err(InitError::Expression);
        };
        let member = match roots::named(root) {
            Some(_) => "trustedRoot",
            None => "trustedRootPath",
        };
        let claims: Vec<String> = identity
            .claims
            .iter()
            .map(|(name, value)| format!("{}: {}", quote(name), quote(value)))
            .collect();
        let claims = match claims.as_slice() {
            [] => String::new(),
            claims => format!(", \"claims\": {{{}}}", claims.join(", ")),
        };
        Ok(format!(
            "\"{member}\": {}, \"identities\": [{{\"issuer\": {}, \"subject\": {}{claims}}}]",
            quote(root),
            quote(issuer),
            quote(subject)
        ))
    }
}

/// The text of a policy under which an image of this name passes, from a report that was made with
/// that key or identity alone.
///
/// # Errors
/// [`InitError`].
pub fn first_policy(
    report: &Report,
    name: &Reference,
    trusted: Trusted<'_>,
    mirrors: Mirrors,
) -> Result<String, InitError> {
    let other_name = |signed: &str| InitError::OtherName {
        signed: signed.chars().take(300).collect(),
        name: name.name(),
    };
    if let (Some(question), Kind::OtherName) = (&report.mirror_question, report.finding.kind) {
        return Err(other_name(&question.signed));
    }
    if !report.finding.is_allowed() {
        return Err(InitError::NotAllowed {
            code: report.finding.code,
            message: report.finding.message.clone(),
        });
    }
    let signed = accepted(report);
    let by_index = report.image.kind == Some("index") && report.instances.is_empty();
    let identities: Vec<&str> = signed
        .iter()
        .filter_map(|candidate| candidate.claims.as_ref()?.identity.as_deref())
        .collect();
    if let (Some(other), Mirrors::Refuse) = (
        identities
            .iter()
            .find(|signed| !Matcher::Repository.accepts(Some(name), signed)),
        mirrors,
    ) {
        return Err(other_name(other));
    }
    let bundle = identities.len() < signed.len();
    let identity = match identities.first() {
        _ if bundle => Matcher::Digest { any_name: false }.to_json(),
        Some(signed) => Matcher::suggest(Some(name), signed).ok_or(InitError::NoIdentity)?,
        None => return Err(InitError::NoIdentity),
    };
    // What only our vocabulary can say needs its marker, which podman refuses.
    let marker = if bundle || by_index || matches!(trusted, Trusted::Identity { .. }) {
        "  \"sealgate\": {\"version\": 1},\n"
    } else {
        ""
    };
    Ok(format!(
        "{{\n{marker}  \"default\": [{{\"type\": \"reject\"}}],\n  \"transports\": {{\n    \
         \"docker\": {{\n      {}: [\n        {{\"type\": \"sigstoreSigned\", {}, \
         \"signedIdentity\": {identity}}}\n      ]\n    }}\n  }}\n}}\n",
        quote(&name.name()),
        trusted.members()?
    ))
}

/// The evidence that satisfied: of the image or index itself, or of each image of the index.
fn accepted(report: &Report) -> Vec<&Candidate> {
    let own = report.requirements.iter().find_map(Requirement::accepted);
    let of_images = report
        .instances
        .iter()
        .filter_map(|image| image.requirements.iter().find_map(Requirement::accepted));
    own.map_or_else(|| of_images.collect(), |own| alloc::vec![own])
}
