//! A first policy: one that admits the image in hand, and says what it opens.

use super::report::{Candidate, Outcome, Report, Requirement, Verdict};
use crate::encoding::json::quote;
use crate::policy::Matcher;
use crate::reference::Reference;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

codes! {
    /// No policy can be proposed.
    pub enum InitError {
        NotAllowed { code: &'static str, message: String } => "init.not-signed",
            "expected an image with a good signature by this key; {message} [{code}]";
        OtherName { signed: String, name: String } => "init.other-name",
            "expected an image that is signed under the name {name}, and the signature names \
             {signed:?}: possibly a signature copied from another image, so no rule is written for \
             it; if {name} is a mirror that you know, say so with the option \"mirror\"";
        NoIdentity => "init.identity",
            "the signature names no repository that a policy could demand";
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

/// The text of a policy under which an image of this name passes, from a report that was made with
/// the key alone.
///
/// # Errors
/// [`InitError`].
pub fn first_policy(
    report: &Report,
    name: &Reference,
    key_path: &str,
    mirrors: Mirrors,
) -> Result<String, InitError> {
    let other_name = |signed: &str| InitError::OtherName {
        signed: signed.chars().take(300).collect(),
        name: name.name(),
    };
    if let (Some(question), "identity.other-name") = (&report.mirror_question, report.code) {
        return Err(other_name(&question.signed));
    }
    if report.verdict != Verdict::Allow {
        return Err(InitError::NotAllowed {
            code: report.code,
            message: report.message.clone(),
        });
    }
    let own = accepted(&report.requirements);
    let by_index = report.image.kind == Some("index") && own.is_some();
    let instances = || {
        report
            .instances
            .iter()
            .flat_map(|instance| accepted(&instance.requirements))
            .collect::<Vec<_>>()
    };
    let signed: Vec<&Candidate> = own.map_or_else(instances, |one| alloc::vec![one]);
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
    let marker = if bundle || by_index {
        "  \"sealgate\": {\"version\": 1},\n"
    } else {
        ""
    };
    Ok(format!(
        "{{\n{marker}  \"default\": [{{\"type\": \"reject\"}}],\n  \"transports\": {{\n    \
         \"docker\": {{\n      {}: [\n        {{\"type\": \"sigstoreSigned\", \"keyPath\": {}, \
         \"signedIdentity\": {identity}}}\n      ]\n    }}\n  }}\n}}\n",
        quote(&name.name()),
        quote(key_path)
    ))
}

fn accepted(requirements: &[Requirement]) -> Option<&Candidate> {
    requirements
        .iter()
        .flat_map(|requirement| &requirement.candidates)
        .find(|candidate| candidate.outcome == Outcome::Accepted)
}
