//! Where the two answers differ, and which differences are meant.

use crate::oracle::Answer;
use crate::oracle::Question;
use crate::ours::Judged;
use crate::ours::Ours;
use crate::ours::Said;
use serde::Deserialize;

/// What is compared.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Does the policy parse?
    Policy,
    /// In whose words is it refused?
    PolicyText,
    /// Is the reference one?
    Reference,
    /// Its full spelling.
    Identity,
    /// Which scope is hit.
    Scope,
    /// May the image run?
    Verdict,
    /// In whose words not?
    VerdictText,
}

/// One difference.
#[derive(Debug)]
pub struct Difference {
    pub aspect: Aspect,
    /// Our code; `ok` where we accept.
    pub ours: String,
    pub our_text: String,
    /// Their text; `ok` where they accept.
    pub theirs: String,
}

/// A kind of difference that is meant.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub aspect: Aspect,
    /// Our code, or its beginning and `*`.
    pub ours: String,
    /// What our message says.
    #[serde(default)]
    pub our_text: String,
    /// What their message contains; `ok` where they accept.
    pub theirs: String,
    pub reason: String,
}

impl Rule {
    pub fn explains(&self, difference: &Difference) -> bool {
        let ours = self
            .ours
            .strip_suffix('*')
            .map_or(self.ours == difference.ours, |start| {
                difference.ours.starts_with(start)
            });
        let theirs = if self.theirs == "ok" {
            difference.theirs == "ok"
        } else {
            difference.theirs.contains(&self.theirs)
        };
        self.aspect == difference.aspect
            && ours
            && difference.our_text.contains(&self.our_text)
            && theirs
    }
}

/// What both say of an absent member. Where several are absent, Go names any of them, in the order
/// of a map, which differs from run to run; so the name is not compared.
const ABSENT: (&str, &str) = (" missing in a JSON object", "");
/// Texts that people search for (docs/containers-image.md): from a beginning to an end.
const POLICY_TEXTS: &[(&str, &str)] = &[
    ("JSON object expected, got <nil>", ""),
    ("Default policy is missing", ""),
    (
        "List of verification policy requirements must not be empty",
        "",
    ),
    ("Duplicate key \"", "\""),
    ("Unknown key \"", "\""),
    ABSENT,
    ("Unknown policy requirement type \"", "\""),
    ("Unknown policy reference match type \"", "\""),
    ("invalid keyType \"\"", ""),
    ("Unrecognized keyType value", ""),
    ("contains no entries", ""),
    ("contains neither a tag nor digest", ""),
    ("prefix \"", "\" is not valid"),
    ("must be specified if fulcio is used", ""),
    ("can be used simultaneously", ""),
    ("are not supported for pki", ""),
    ("must be specified, none of them present", ""),
    ("must be specified, more than one present", ""),
    (
        "exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio, and pki must be specified",
        "",
    ),
    ("oidcIssuer not specified", ""),
    ("subjectEmail not specified", ""),
    ("At least one of caPath and caData must be specified", ""),
    ("caPath and caData cannot be used simultaneously", ""),
    (
        "At least one of caRootsPath and caRootsData must be specified",
        "",
    ),
    (
        "caRootsPath and caRootsData cannot be used simultaneously",
        "",
    ),
    (
        "caIntermediatesPath and caIntermediatesData cannot be used simultaneously",
        "",
    ),
    (
        "At least one of subjectEmail, subjectHostname must be specified",
        "",
    ),
];
const VERDICT_TEXTS: &[(&str, &str)] = &[
    ("A signature was required, but no signature exists", ""),
    (
        " (0 non-sigstore signatures, ",
        " sigstore non-signature attachments)",
    ),
    ("None of the signatures were accepted, reasons: ", ""),
    ("Signature for identity ", " is not accepted"),
    ("Signature for digest ", " does not match"),
    ("cryptographic signature verification failed: ", ""),
    ("base64 decoding: ", ""),
    ("missing dev.", " annotation"),
    ("Running image ", " is rejected by policy."),
    ("signedBaseLayer not implemented yet!", ""),
    ("Unrecognized signature type ", ""),
    ("Field optional.timestamp is not an integer", ""),
    ("Manifest does not match provided manifest digest ", ""),
    ("Duplicate key \"", "\""),
    ("Unknown key \"", "\""),
    ABSENT,
    ("invalid docker-manifest-digest value ", ":"),
];

/// The known texts in `theirs`, which `ours` must have too, in this order.
fn missing_text(known: &[(&str, &str)], theirs: &str, ours: &str) -> Option<String> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (start, end) in known {
        for (at, _) in theirs.match_indices(start) {
            let rest = &theirs[at..];
            if let Some(length) = rest[start.len()..].find(end) {
                found.push((at, &rest[..start.len() + length + end.len()]));
            }
        }
    }
    found.sort_unstable();
    let mut rest = ours;
    for (_, text) in found {
        // Ours are cut at 100 characters; and the two languages write a zero byte each in its way.
        let start = text
            .chars()
            .take(90)
            .collect::<String>()
            .replace("\\x00", "\\0");
        let Some(at) = rest.find(&start) else {
            return Some(text.into());
        };
        rest = &rest[at + start.len()..];
    }
    None
}

/// All differences of one case.
pub fn differences(
    question: &Question,
    ours: &Ours,
    theirs: &Answer,
    judged: Option<&Judged>,
) -> Vec<Difference> {
    let mut list = Vec::new();
    let mut add = |aspect, said: Option<&Said>, theirs: &str| {
        list.push(Difference {
            aspect,
            ours: said.map_or("ok".into(), |said| said.code.clone()),
            our_text: said.map_or(String::new(), |said| said.text.clone()),
            theirs: theirs.into(),
        });
    };
    match (&ours.policy, &theirs.policy_error) {
        (Ok(_), Some(error)) => add(Aspect::Policy, None, error),
        (Err(said), None) => add(Aspect::Policy, Some(said), "ok"),
        (Err(said), Some(error)) if !question.policy_is_doubtful => {
            if let Some(text) = missing_text(POLICY_TEXTS, error, &said.text) {
                add(Aspect::PolicyText, Some(said), &text);
            }
        }
        _ => {}
    }
    match (&ours.reference, &theirs.reference_error) {
        (Ok(_), Some(error)) => add(Aspect::Reference, None, error),
        (Err(said), None) => add(Aspect::Reference, Some(said), "ok"),
        (Ok(name), None) if name.to_string() != theirs.identity => add(
            Aspect::Identity,
            Some(&Said {
                code: "ok".into(),
                text: name.to_string(),
            }),
            &theirs.identity,
        ),
        _ => {}
    }
    if let (Some((scope, _)), None, None) = (
        ours.selected(),
        &theirs.policy_error,
        &theirs.reference_error,
    ) {
        if scope != theirs.scope.as_deref() {
            add(
                Aspect::Scope,
                Some(&Said {
                    code: "ok".into(),
                    text: format!("{scope:?}"),
                }),
                &format!("{:?}", theirs.scope),
            );
        }
        if let Some(judged) = judged {
            verdict(question, judged, theirs, &mut add);
        }
    }
    list
}

fn verdict(
    question: &Question,
    judged: &Judged,
    theirs: &Answer,
    add: &mut impl FnMut(Aspect, Option<&Said>, &str),
) {
    let error = theirs.error.as_deref().unwrap_or("ok");
    match (judged.allowed, theirs.allowed) {
        (true, false) => add(Aspect::Verdict, None, error),
        (false, true) => add(Aspect::Verdict, Some(&judged.said), "ok"),
        (false, false) if question.signatures.iter().any(|layer| layer.is_doubtful) => {}
        (false, false) => {
            if let Some(text) = missing_text(VERDICT_TEXTS, error, &judged.said.text) {
                add(Aspect::VerdictText, Some(&judged.said), &text);
            }
        }
        (true, true) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_looked_for_in_order() {
        let known: &[(&str, &str)] = &[("a \"", "\""), ("b", "")];
        assert_eq!(missing_text(known, "x a \"1\" then b", "a \"1\", b"), None);
        assert_eq!(
            missing_text(known, "x a \"1\" then b", "b, a \"1\""),
            Some("b".into())
        );
        assert_eq!(
            missing_text(known, "a \"1\"", "a \"2\""),
            Some("a \"1\"".into())
        );
        assert_eq!(missing_text(known, "nothing known", ""), None);
    }

    #[test]
    fn rules_explain_what_they_name() {
        let rule = Rule {
            aspect: Aspect::Verdict,
            ours: "x.y".into(),
            our_text: String::new(),
            theirs: "ok".into(),
            reason: String::new(),
        };
        let difference = |ours: &str, theirs: &str| Difference {
            aspect: Aspect::Verdict,
            ours: ours.into(),
            our_text: String::new(),
            theirs: theirs.into(),
        };
        assert!(rule.explains(&difference("x.y", "ok")));
        assert!(!rule.explains(&difference("x.y", "no, not ok")));
        assert!(!rule.explains(&difference("x.z", "ok")));
        assert!(!rule.explains(&Difference {
            aspect: Aspect::Policy,
            ..difference("x.y", "ok")
        }));
    }
}
