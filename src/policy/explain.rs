//! What a policy would demand of an image, in plain words: which scope decides and why, and each of
//! its requirements.
//!
//! In scope: what the policy says. Out of scope: whether an image meets it.

use super::Attested;
use super::Condition;
use super::Coverage;
use super::IdentityError;
use super::KeySource;
use super::Marker;
use super::Matcher;
use super::Others;
use super::Pinned;
use super::Policy;
use super::Requirement;
use super::SignedBy;
use super::SigstoreSigned;
use super::Test;
use super::Trust;
use super::TrustedRoot;
use super::error::shown;
use super::scope;
use crate::encoding::json::Node;
use crate::encoding::json::Value;
use crate::encoding::json::quote;
use crate::reference::Reference;
use crate::sigstore::identity::{Identity, Pattern};
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;

/// What applies to one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The image's name, whole.
    pub image: String,
    /// What was looked up, most specific first, up to what was there.
    pub looked_up: Vec<LookedUp>,
    /// What decides, as reports call it: `docker "registry.example.com/team"` or `default`.
    pub scope: String,
    /// What is demanded; all of it.
    pub requirements: Vec<Demand>,
    /// `index` or `instance`.
    pub coverage: &'static str,
    /// What else one should know.
    pub notes: Vec<String>,
}

/// One scope under which an image is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LookedUp {
    /// As reports call it.
    pub scope: String,
    /// Whether the policy has it.
    pub is_there: bool,
}

/// One requirement in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Demand {
    /// Its type, as the policy writes it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// A phrase that continues "it demands".
    pub demands: String,
}

impl Policy {
    /// What applies to an image of `docker:`. A reference with neither tag nor digest means the tag
    /// `latest`.
    ///
    /// # Errors
    /// [`IdentityError::TagAndDigest`].
    pub fn explain(&self, image: &Reference) -> Result<Explanation, IdentityError> {
        let image = image.clone().with_default_tag();
        let selection = self.select(&image)?;
        let namespaces = scope::docker_namespaces(&image);
        let identity = scope::docker_identity(&image)?;
        let scopes: Vec<&str> = core::iter::once(identity.as_str())
            .chain(namespaces.iter().map(String::as_str))
            .chain([""])
            .collect();
        let exact = [
            identity.as_str(),
            namespaces.first().map_or("", String::as_str),
        ];
        let until = scopes
            .iter()
            .position(|scope| selection.key == Some(*scope));
        let before = until.unwrap_or(scopes.len());
        let missed = scopes.iter().take(before).map(|scope| LookedUp {
            scope: format!("docker {}", quote(scope)),
            is_there: false,
        });
        let mut notes = notes(selection.requirements);
        if let Some(marker) = &self.marker {
            notes.extend(marked(marker, self.audited(&image), &exact));
        }
        Ok(Explanation {
            looked_up: missed
                .chain([LookedUp {
                    scope: selection.scope.clone(),
                    is_there: true,
                }])
                .collect(),
            requirements: selection
                .requirements
                .iter()
                .map(|requirement| Demand {
                    kind: requirement.kind(),
                    demands: demands(requirement, &image),
                })
                .collect(),
            scope: selection.scope,
            coverage: if self.coverage() == Coverage::Index {
                "index"
            } else {
                "instance"
            },
            notes,
            image: image.to_string(),
        })
    }
}

/// For people.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} is decided by {}\n\nLooked up, most specific first; the first that is there \
             decides alone:",
            self.image, self.scope
        )?;
        for LookedUp { scope, is_there } in &self.looked_up {
            writeln!(
                f,
                "  {} {scope}",
                if *is_there {
                    "there:    "
                } else {
                    "not there:"
                }
            )?;
        }
        let all = if self.requirements.len() > 1 {
            ", all of it (different signatures may meet different requirements)"
        } else {
            ""
        };
        writeln!(f, "\nIt demands{all}:")?;
        for (number, Demand { kind, demands }) in (1..).zip(&self.requirements) {
            writeln!(f, "  {number}. {kind}: {demands}")?;
        }
        let coverage = match self.coverage {
            "index" => "An index that is allowed covers the images that it lists.",
            _ => "Of an index, each image is judged by its own signatures.",
        };
        writeln!(f, "\n{coverage}")?;
        if !self.notes.is_empty() {
            writeln!(f, "\nNotes")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "  - {note}"))
    }
}

fn demands(requirement: &Requirement, image: &Reference) -> String {
    match requirement {
        Requirement::InsecureAcceptAnything => {
            "nothing; everything passes, and no signature is looked at".into()
        }
        Requirement::Reject => "what no image has; everything is refused".into(),
        Requirement::SignedBaseLayer { .. } => {
            "what was never implemented; everything is refused".into()
        }
        Requirement::SignedBy(signed) => simple(signed, image),
        Requirement::SigstoreSigned(signed) => sigstore(signed, image),
        Requirement::Attested(attested) => statement(attested),
        Requirement::Pinned(pinned) => pin(pinned, image),
    }
}

fn simple(signed: &SignedBy, image: &Reference) -> String {
    let expired = signed.expired_keys.map_or(String::new(), |until| {
        format!("; that a key has expired since is passed over until {until}")
    });
    format!(
        "a simple signature by {}; it must name {}{expired}",
        keys(&signed.keys, "OpenPGP keys"),
        signed.identity.describe(Some(image))
    )
}

fn sigstore(signed: &SigstoreSigned, image: &Reference) -> String {
    let log = signed
        .rekor
        .as_ref()
        .map(|rekor| format!(", logged under {}", keys(rekor, "keys of Rekor")))
        .unwrap_or_default();
    let read = if signed.reads_bundles() {
        ".sig tags and bundles"
    } else {
        ".sig tags"
    };
    let name = if matches!(signed.identity, Matcher::Digest { .. }) {
        "it must be about"
    } else {
        "it must name"
    };
    format!(
        "a Cosign signature {}{log}, from {read}; {name} {}",
        trust(&signed.trust),
        signed.identity.describe(Some(image))
    )
}

fn statement(attested: &Attested) -> String {
    let says: Vec<String> = attested.conditions.iter().map(condition).collect();
    let says = if says.is_empty() {
        String::new()
    } else {
        format!(", in which {}", says.join(", and "))
    };
    let age = attested
        .max_age
        .map(|seconds| format!(", not older than {seconds} seconds by the signer's certificate"))
        .unwrap_or_default();
    format!(
        "one signed statement of the type {} about this image {}{says}{age}",
        attested.predicate_type,
        trust(&attested.trust)
    )
}

fn condition(condition: &Condition) -> String {
    let is = match &condition.test {
        Test::Equals(node) => format!("is {}", value(node)),
        Test::OneOf(nodes) => format!(
            "is one of {}",
            nodes.iter().map(value).collect::<Vec<_>>().join(", ")
        ),
        Test::Matches(Pattern::Exact(text)) => format!("is {}", quote(text)),
        Test::Matches(pattern) => format!("matches {} whole", quote(pattern.text())),
        Test::MaxAge(seconds) => format!("is a time of at most {seconds} seconds ago"),
    };
    let place = if condition.pointer.is_empty() {
        "the predicate"
    } else {
        condition.pointer.as_str()
    };
    format!("{place} {is}")
}

fn value(node: &Node) -> String {
    match &node.value {
        Value::String(text) => quote(text),
        Value::Number(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".into(),
        Value::Array(items) => format!("a list of {} values", items.len()),
        Value::Object(members) => format!("an object of {} members", members.len()),
    }
}

fn pin(pinned: &Pinned, image: &Reference) -> String {
    let same_name = || {
        pinned
            .pins
            .iter()
            .filter(|(pin, _)| pin.name() == image.name())
    };
    let listed = same_name().find(|(pin, _)| pin.tag().is_some() && pin.tag() == image.tag());
    match (listed, image.digest(), pinned.others) {
        (Some((_, digest)), _, _) => {
            format!("the digest {digest} for this tag; no signature is looked at")
        }
        (None, Some(asked), _) if same_name().any(|(_, digest)| digest == asked) => {
            "one of the pinned digests, which this one is; no signature is looked at".into()
        }
        (None, Some(_), _) => "one of the digests that are pinned for this repository, or an \
                               index among them that lists this one"
            .into(),
        (None, None, Others::Deny) => {
            "a tag that is listed, which this one is not; it is refused".into()
        }
        (None, None, Others::Allow) => {
            "nothing of tags that are not listed, and this one is not".into()
        }
    }
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::Keys(source) => format!("by {}", keys(source, "keys")),
        Trust::LoggedKeys { keys: source, root } => format!(
            "by {}, with an entry in a log of {}",
            keys(source, "keys"),
            rooted(root)
        ),
        Trust::Fulcio(fulcio) => format!(
            "by a certificate for {} from the issuer {}, under the authority in {}",
            quote(&fulcio.subject_email),
            quote(&fulcio.oidc_issuer),
            files(&fulcio.ca)
        ),
        Trust::Pki(pki) => {
            let named: Vec<&str> = pki
                .subject_email
                .iter()
                .chain(&pki.subject_hostname)
                .map(String::as_str)
                .collect();
            format!(
                "by a certificate for {} that is valid now, under the authority in {}",
                named.join(" and "),
                files(&pki.roots)
            )
        }
        Trust::Certificates { root, identities } => {
            let one: Vec<String> = identities.iter().map(identity).collect();
            let one_of = if one.len() > 1 { "one of: " } else { "" };
            format!(
                "by a certificate under {} for {one_of}{}",
                rooted(root),
                one.join("; or ")
            )
        }
    }
}

fn identity(identity: &Identity) -> String {
    let one = |pattern: &Pattern| match pattern {
        Pattern::Exact(text) => quote(text),
        expression => format!("whatever matches {} whole", quote(expression.text())),
    };
    let claims: Vec<String> = identity
        .claims
        .iter()
        .map(|(name, value)| format!("{name} {}", quote(value)))
        .collect();
    let claims = if claims.is_empty() {
        String::new()
    } else {
        format!(" with the claims {}", claims.join(", "))
    };
    format!(
        "the subject {} from the issuer {}{claims}",
        one(&identity.subject),
        one(&identity.issuer)
    )
}

fn rooted(root: &TrustedRoot) -> String {
    match root {
        TrustedRoot::PublicGood => "Sigstore's public trusted root".into(),
        TrustedRoot::Staging => "Sigstore's staging trusted root".into(),
        TrustedRoot::GitHub => "GitHub's trusted root".into(),
        TrustedRoot::Path(path) => format!("the trusted root in {path}"),
        TrustedRoot::Data(_) => "the trusted root that the policy carries".into(),
    }
}

/// `the key in a` or `one of the keys in a, b`.
fn keys(source: &KeySource, several: &str) -> String {
    let single = several.replacen("keys", "key", 1);
    match source {
        KeySource::Path(_) | KeySource::Data(_) => format!("the {single} in {}", files(source)),
        KeySource::Paths(_) | KeySource::Datas(_) => {
            format!("one of the {several} in {}", files(source))
        }
    }
}

fn files(source: &KeySource) -> String {
    if source.paths().is_empty() {
        "the policy itself".into()
    } else {
        source.paths().join(", ")
    }
}

fn notes(requirements: &[Requirement]) -> Vec<String> {
    let mut notes = Vec::new();
    let signed = || {
        requirements.iter().filter_map(|requirement| {
            if let Requirement::SigstoreSigned(signed) = requirement {
                Some(signed)
            } else {
                None
            }
        })
    };
    if signed().any(|signed| matches!(signed.trust, Trust::Keys(_)) && signed.rekor.is_none()) {
        notes.push("transparency log: not required".into());
    }
    if signed().any(|signed| matches!(signed.identity, Matcher::Digest { .. })) {
        notes.push(
            "matchDigest: any image that this signer ever signed, under any name, of any age, \
             passes as this one"
                .into(),
        );
    }
    notes
}

/// What the marker says of an image with this scope under audit, and these two names of its own.
fn marked(marker: &Marker, audited: Option<&str>, exact: &[&str]) -> Vec<String> {
    let audited = audited.into_iter().map(|scope| {
        format!(
            "{} is under audit: refusals are only written down",
            quote(&shown(scope))
        )
    });
    let excepted = marker
        .exceptions
        .iter()
        .filter(|exception| exact.contains(&exception.scope.as_str()))
        .map(|exception| {
            let digests: Vec<String> = exception.digests.iter().map(ToString::to_string).collect();
            format!(
                "until {} an exception admits {}: {}",
                exception.until,
                digests.join(", "),
                shown(&exception.reason)
            )
        });
    let distrusted = (!marker.distrusted.is_empty()).then(|| {
        let digests: Vec<String> = marker.distrusted.iter().map(ToString::to_string).collect();
        format!(
            "refused in every repository, whatever is demanded here: {}",
            digests.join(", ")
        )
    });
    audited.chain(excepted).chain(distrusted).collect()
}
