//! SL01 to SL12, SL16, SL18, SL24: the vocabulary of `"sealgate": {"version": 1}` (docs/trust.md sections 3 to
//! 6).

use super::docker_scope;
use super::document::Document;
use super::document::Item;
use super::document::Scope;
use super::document::docker_parents;
use super::edit;
use super::edit::Edit;
use super::finding::Findings;
use super::pattern;
use super::pattern::Open;
use super::rule::Rule;
use super::signed;
use crate::digest::Digest;
use crate::encoding::json::Node;
use crate::encoding::json::quote;
use crate::keyed::Keyed;
use crate::limits;
use crate::policy::Exception;
use crate::policy::Matcher;
use crate::policy::Pinned;
use crate::policy::Requirement;
use crate::policy::SignedBy;
use crate::policy::Test;
use crate::policy::Trust;
use crate::policy::TrustedRoot;
use crate::policy::error::Place;
use crate::policy::error::shown;
use crate::policy::field;
use crate::policy::scope::docker_namespaces;
use crate::sigstore::identity::{Identity, Pattern};
use crate::sigstore::roots;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Exceptions that end within this time are said.
const SOON: i64 = 14 * 86_400;
/// The claims that say whose repository called a workflow.
const CALLER: [&str; 3] = [
    "sourceRepositoryURI",
    "sourceRepositoryIdentifier",
    "sourceRepositoryOwnerURI",
];
/// What the types of predicates have in their names whose content changes while the image stays.
const FINDINGS: [&str; 5] = ["vuln", "vex", "test-result", "sarif", "scan"];

pub(super) fn check(document: &Document<'_>, findings: &mut Findings) {
    if !document.policy.is_extended() {
        return;
    }
    digests(document, findings);
    for item in document.items() {
        identities(item, findings);
        attested(item, findings);
        rekor(item, findings);
        old_roots(document, item, findings);
        match item.requirement {
            Requirement::Pinned(pinned) => pinned_scope(item, pinned, findings),
            Requirement::SignedBy(signed) => expired_keys(item, signed, findings),
            _ => {}
        }
    }
    exceptions(document, findings);
    audits(document, findings);
    audited_distrust(document, findings);
}

/// SL01, SL02.
fn digests(document: &Document<'_>, findings: &mut Findings) {
    let mut served: Keyed<Vec<Scope<'_>>> = Keyed::default();
    for item in document.items() {
        for signer in signers(document, item) {
            // Two are enough to know that it is not one.
            if let Some(scopes) = served.of(&signer)
                && scopes.len() < 2
                && !scopes
                    .iter()
                    .any(|scope| core::ptr::eq(scope.member, item.scope.member))
            {
                scopes.push(item.scope);
            }
        }
    }
    for item in document.items() {
        if !matches!(item.matcher(), Some(Matcher::Digest { .. })) {
            continue;
        }
        let elsewhere = signers(document, item).iter().find_map(|signer| {
            served
                .get(signer)?
                .iter()
                .find(|scope| !core::ptr::eq(scope.member, item.scope.member))
                .copied()
        });
        let opens = "any image that this signer ever signed, under any name, of any age, passes \
                     as this one";
        match elsewhere {
            Some(other) => {
                let message = format!(
                    "matchDigest, and the same signer serves {} too: {opens}, those of the other \
                     scope included; give each scope a signer of its own, or sign with names \
                     (.sig) and use matchRepository",
                    other.shown()
                );
                findings.add(
                    Rule::SharedSigner,
                    item.place_of("signedIdentity"),
                    message,
                    None,
                );
            }
            None => findings.add(
                Rule::AnyDigest,
                item.place_of("signedIdentity"),
                format!("matchDigest: {opens}; let this signer sign nothing else"),
                None,
            ),
        }
    }
}

/// Each key and each identity that can meet it, as something that can be compared.
fn signers(document: &Document<'_>, item: Item<'_>) -> Vec<String> {
    if !matches!(item.requirement, Requirement::SigstoreSigned(_)) {
        return Vec::new();
    }
    match item.trust() {
        Some(Trust::Keys(keys) | Trust::LoggedKeys { keys, .. }) => {
            let asset = |path: &String| {
                document
                    .context
                    .assets
                    .and_then(|assets| assets.get(path))
                    .map(|bytes| Digest::of(bytes).to_string())
            };
            let files = keys
                .paths()
                .iter()
                .map(|path| asset(path).unwrap_or_else(|| format!("file {path}")));
            files
                .chain(keys.datas().iter().map(|data| Digest::of(data).to_string()))
                .collect()
        }
        Some(Trust::Certificates { identities, .. }) => identities
            .iter()
            .map(|identity| format!("{identity:?}"))
            .collect(),
        Some(Trust::Fulcio(fulcio)) => alloc::vec![format!(
            "fulcio {} {}",
            fulcio.oidc_issuer, fulcio.subject_email
        )],
        Some(Trust::Pki(pki)) => alloc::vec![format!(
            "pki {:?} {:?}",
            pki.subject_email, pki.subject_hostname
        )],
        None => Vec::new(),
    }
}

/// SL03 to SL06, PL20.
fn identities(item: Item<'_>, findings: &mut Findings) {
    let Some(Trust::Certificates { identities, .. }) = item.trust() else {
        return;
    };
    let nodes = item
        .node
        .member("identities")
        .and_then(Node::as_array)
        .unwrap_or_default();
    for (number, (node, identity)) in nodes.iter().zip(identities).enumerate() {
        let Place { mut pointer, .. } = item.place_of("identities");
        field::push_index(&mut pointer, number);
        let place = |member: &Node| Place {
            pointer: pointer.clone(),
            at: member.span.start,
        };
        for (exact, regexp, one) in [
            ("issuer", "issuerRegexp", &identity.issuer),
            ("subject", "subjectRegexp", &identity.subject),
        ] {
            let Some(member) = node.member(exact).or_else(|| node.member(regexp)) else {
                continue;
            };
            match one {
                Pattern::Exact(text) => exactly(text, exact, member, place(member), findings),
                pattern => expression(pattern.text(), exact, member, place(member), findings),
            }
        }
        caller(identity, node, place(node), findings);
    }
}

fn exactly(text: &str, which: &str, member: &Node, place: Place, findings: &mut Findings) {
    if text.contains('*') {
        let message = format!(
            "{}; write {which}Regexp, with \\ before each dot",
            exact_wildcard(text)
        );
        findings.add(Rule::ExactWildcard, place, message, None);
    } else if let Some((message, better)) = signed::issuer(text).filter(|_| which == "issuer") {
        findings.add(
            Rule::IssuerForm,
            place,
            message,
            Some(edit::replace(member, quote(&better))),
        );
    }
}

fn expression(text: &str, which: &str, member: &Node, place: Place, findings: &mut Findings) {
    if let Some(open) = pattern::open(text) {
        let message = any(text, open, which);
        return findings.add(Rule::AnyIdentity, place, message, None);
    }
    if let Some(better) = pattern::with_literal_dots(text) {
        let message = any_character(text);
        findings.add(
            Rule::UnescapedDot,
            place,
            message,
            Some(edit::replace(member, quote(&better))),
        );
    }
}

fn exact_wildcard(text: &str) -> String {
    format!(
        "{:?} is compared byte for byte, its * too: it matches no certificate",
        shown(text)
    )
}

fn any(text: &str, open: Open, which: &str) -> String {
    let what = if open == Open::String {
        "any string"
    } else {
        "any address"
    };
    format!(
        "{:?} matches {what}: everyone whom the trusted root certifies passes this {which}; name \
         whom you mean",
        shown(text)
    )
}

fn any_character(text: &str) -> String {
    format!(
        "a dot in {:?} matches any character, so other hosts and names pass too: write \\. where \
         a dot is meant",
        shown(text)
    )
}

/// Texts that have nothing in common but that certificates name such.
const UNLIKE: [&str; 3] = ["a@b.c", "https://x.y/z", "spiffe://q/w"];

/// What a search finds in anything, beside what matches any string whole.
fn open_search(expression: &str, pattern: &Pattern) -> Option<Open> {
    let everywhere =
        matches!(pattern, Pattern::Search(_)) && UNLIKE.iter().all(|text| pattern.matches(text));
    pattern::open(expression).or(everywhere.then_some(Open::String))
}

/// As [`identities`], of what no policy holds.
pub(super) fn of_identity(identity: &Identity) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    for (which, one) in [("issuer", &identity.issuer), ("subject", &identity.subject)] {
        let text = one.text();
        match (one, open_search(text, one)) {
            (Pattern::Exact(_), _) if text.contains('*') => said.push((
                "identity.exact-wildcard",
                format!(
                    "{}; give an expression, with \\ before each dot",
                    exact_wildcard(text)
                ),
            )),
            (Pattern::Exact(_), _) => said.extend(
                signed::issuer(text)
                    .filter(|_| which == "issuer")
                    .map(|(message, _)| ("identity.issuer-form", message)),
            ),
            (_, Some(open)) => said.push(("identity.open", any(text, open, which))),
            (_, None) => {
                if one.is_unanchored() {
                    said.push((
                        "identity.unanchored",
                        format!(
                            "the expression {:?} is searched for and nothing holds it to both \
                             ends of the text: write ^(?:{})$ if a whole match is meant",
                            shown(text),
                            shown(text)
                        ),
                    ));
                }
                said.extend(
                    pattern::with_literal_dots(text)
                        .map(|_| ("identity.unescaped-dot", any_character(text))),
                );
            }
        }
    }
    said.extend(is_of_any_caller(identity).then(|| ("identity.any-caller", ANY_CALLER.into())));
    said
}

const ANY_CALLER: &str = "the subject of a workflow's certificate names the workflow, not who ran \
                          it: with a public reusable workflow, any caller passes; add the claim \
                          sourceRepositoryURI, sourceRepositoryIdentifier or \
                          sourceRepositoryOwnerURI";

/// SL04.
fn caller(identity: &Identity, node: &Node, place: Place, findings: &mut Findings) {
    if is_of_any_caller(identity) {
        findings.add(
            Rule::AnyCaller,
            place,
            ANY_CALLER.into(),
            own_repository(identity, node),
        );
    }
}

fn is_of_any_caller(identity: &Identity) -> bool {
    let text = |pattern: &Pattern| match pattern {
        Pattern::Exact(text) => text.clone(),
        expression => expression.text().replace('\\', ""),
    };
    let (issuer, subject) = (text(&identity.issuer), text(&identity.subject));
    let workflow = issuer.contains("token.actions.githubusercontent.com")
        || subject.contains("github/workflows/")
        || subject.contains(".gitlab-ci.y");
    workflow
        && !identity
            .claims
            .iter()
            .any(|(name, _)| CALLER.contains(&name.as_str()))
}

/// The claim that the workflow ran in the repository that it comes from.
fn own_repository(identity: &Identity, node: &Node) -> Option<Edit> {
    let beginning = match &identity.subject {
        Pattern::Exact(text) => text.clone(),
        expression => pattern::literal_beginning(expression.text()),
    };
    let mut parts = beginning.strip_prefix("https://github.com/")?.split('/');
    let (owner, repository, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claim = format!(
        "\"sourceRepositoryURI\": {}",
        quote(&format!("https://github.com/{owner}/{repository}"))
    );
    match node.member("claims") {
        Some(claims) => edit::append(claims, &claim),
        None => edit::append(node, &format!("\"claims\": {{{claim}}}")),
    }
}

/// SL18 (docs/trust.md section 1).
fn expired_keys(item: Item<'_>, signed: &SignedBy, findings: &mut Findings) {
    let Some(until) = signed.expired_keys else {
        return;
    };
    let message = format!(
        "until {until} a signature by a key that has expired counts, if it says that it was made \
         before: that date is the signer's own word, so whoever stole the old key signs on; have \
         the key prolonged (gpg --quick-set-expire) or the images signed by a new one, and leave \
         expiredKeys out"
    );
    let place = item.place_of("expiredKeys");
    findings.add(Rule::ExpiredKeys, place, message, None);
}

/// SL07, SL08.
fn pinned_scope(item: Item<'_>, pinned: &Pinned, findings: &mut Findings) {
    let verifies = |requirement: &Requirement| {
        !matches!(
            requirement,
            Requirement::Pinned(_) | Requirement::InsecureAcceptAnything
        )
    };
    if !item.scope.requirements.iter().any(verifies) {
        let message = "pinned alone verifies no signature: whoever can edit this policy decides \
                       what runs; add sigstoreSigned beside it";
        findings.add(Rule::PinnedAlone, item.place(), message.into(), None);
    }
    let pins = item
        .node
        .member("pins")
        .and_then(Node::as_object)
        .unwrap_or_default();
    for (member, (image, _)) in pins.iter().zip(&pinned.pins) {
        let key = item.scope.key;
        let covers = !item.scope.is_docker()
            || key.is_empty()
            || key == member.key
            || docker_namespaces(image).iter().any(|scope| scope == key);
        // Scopes that match nothing have a lint of their own.
        if !covers && docker_scope::form(key) == docker_scope::Form::Fine {
            let Place { mut pointer, .. } = item.place_of("pins");
            field::push_scope(&mut pointer, &member.key);
            let message = format!(
                "{image} is no image of {}, so this pin is never looked at: move it to the scope \
                 that covers it",
                item.scope.shown()
            );
            findings.add(
                Rule::PinOutside,
                Place {
                    pointer,
                    at: member.key_span.start,
                },
                message,
                None,
            );
        }
    }
}

/// SL09.
fn attested(item: Item<'_>, findings: &mut Findings) {
    let Requirement::Attested(attested) = item.requirement else {
        return;
    };
    let kind = attested.predicate_type.to_ascii_lowercase();
    let has_age = attested.max_age.is_some()
        || attested
            .conditions
            .iter()
            .any(|condition| matches!(condition.test, Test::MaxAge(_)));
    if !has_age && FINDINGS.iter().any(|word| kind.contains(word)) {
        let add = match attested.trust {
            Trust::Certificates { .. } => "add \"maxAge\" (seconds)",
            _ => {
                "add a condition with \"maxAge\" (seconds) on a time that the statement itself \
                 signs"
            }
        };
        let message = format!(
            "without an age the most favourable statement ever signed counts, however much has \
             been found since: {add}"
        );
        findings.add(Rule::FindingsWithoutAge, item.place(), message, None);
    }
}

/// SL12.
fn rekor(item: Item<'_>, findings: &mut Findings) {
    let Requirement::SigstoreSigned(signed) = item.requirement else {
        return;
    };
    let (Some(_), Trust::Keys(_), Matcher::Digest { .. }) =
        (&signed.rekor, &signed.trust, &signed.identity)
    else {
        return;
    };
    let message = "rekorPublicKey… governs .sig signatures alone, so no bundle can meet this: use \
                   trustedRootPath in its place";
    findings.add(
        Rule::RekorWithoutBundles,
        item.place(),
        message.into(),
        None,
    );
}

/// SL16. The policy's scope decides there, and is enforced.
/// SL23.
fn old_roots(document: &Document<'_>, item: Item<'_>, findings: &mut Findings) {
    let Some(Trust::LoggedKeys { root, .. } | Trust::Certificates { root, .. }) = item.trust()
    else {
        return;
    };
    let is_carried = matches!(
        root,
        TrustedRoot::PublicGood | TrustedRoot::Staging | TrustedRoot::GitHub
    );
    let made = UnixTime::parse(&format!("{}T00:00:00Z", roots::DATE));
    let (Some(now), Some(made), true) = (document.context.now, made, is_carried) else {
        return;
    };
    let days = now.0.saturating_sub(made.0) / 86_400;
    if days >= limits::OLD_ROOTS_DAYS {
        let message = format!(
            "the trusted roots that this program carries are of {}, {days} days ago: a key that Sigstore \
             has withdrawn since still counts, and one that it has added does not; take a newer version of \
             sealgate, or name a trusted_root.json of your own with trustedRootPath",
            roots::DATE
        );
        findings.add(Rule::OldRoots, item.place_of("trustedRoot"), message, None);
    }
}

fn audits(document: &Document<'_>, findings: &mut Findings) {
    let Some(marker) = document.policy.marker() else {
        return;
    };
    let list = document
        .root
        .member("sealgate")
        .and_then(|marker| marker.member("audit"))
        .and_then(Node::as_array)
        .unwrap_or_default();
    // The first scope below each that is under audit.
    let mut below: Vec<Option<Scope<'_>>> = marker.audit.iter().map(|_| None).collect();
    for (number, scope) in below_audited(document, &marker.audit) {
        if let Some(first @ None) = below.get_mut(number) {
            *first = Some(scope);
        }
    }
    for (number, scope) in below.into_iter().enumerate() {
        let (Some(scope), Some(node), Some(audited)) =
            (scope, list.get(number), marker.audit.get(number))
        else {
            continue;
        };
        let message = format!(
            "{} lies below {:?}, which is under audit, and stays enforced: of all scopes that \
             match an image the most specific decides alone; list it under audit, too, if it is \
             meant",
            scope.shown(),
            shown(audited)
        );
        findings.add(
            Rule::AuditAbove,
            Place {
                pointer: format!("sealgate.audit[{number}]"),
                at: node.span.start,
            },
            message,
            None,
        );
    }
}

/// Enforced scopes that lie below one under audit, each with the number of the nearest.
fn below_audited<'a>(
    document: &'a Document<'a>,
    audited: &[String],
) -> impl Iterator<Item = (usize, Scope<'a>)> {
    let mut at: Keyed<usize> = Keyed::default();
    for (number, scope) in audited.iter().enumerate().rev() {
        at.insert(scope.as_str(), number);
    }
    document.of_transport("docker").filter_map(move |scope| {
        if at.contains(scope.key) {
            return None;
        }
        let parents = docker_parents(scope.key);
        let whole = core::iter::once("").filter(|_| !scope.key.is_empty());
        let mut above = parents.iter().map(String::as_str).chain(whole);
        let number = above.find_map(|parent| at.get(parent))?;
        Some((*number, scope))
    })
}

/// SL24.
fn audited_distrust(document: &Document<'_>, findings: &mut Findings) {
    let Some(marker) = document.policy.marker() else {
        return;
    };
    let list = document.root.member("sealgate");
    let list = list.and_then(|marker| marker.member("distrusted"));
    let (Some(list), Some(audited), [_, ..]) =
        (list, marker.audit.first(), marker.distrusted.as_slice())
    else {
        return;
    };
    let message = format!(
        "what is distrusted is served all the same where {:?} is under audit, and only reported: an audit \
         breaks no pull; take the scope out of \"audit\" if it is to be stopped there, too",
        shown(audited)
    );
    let place = Place {
        pointer: "sealgate.distrusted".into(),
        at: list.span.start,
    };
    findings.add(Rule::DistrustAudited, place, message, None);
}

/// SL11.
fn exceptions(document: &Document<'_>, findings: &mut Findings) {
    let (Some(now), Some(marker)) = (document.context.now, document.policy.marker()) else {
        return;
    };
    let Some(list) = document
        .root
        .member("sealgate")
        .and_then(|marker| marker.member("exceptions"))
    else {
        return;
    };
    for (number, (node, exception)) in list
        .as_array()
        .unwrap_or_default()
        .iter()
        .zip(&marker.exceptions)
        .enumerate()
    {
        let Some(message) = ending(exception, now) else {
            continue;
        };
        let place = Place {
            pointer: format!("sealgate.exceptions[{number}]"),
            at: node.span.start,
        };
        let over = exception.until < now;
        let edit = if list.as_array().is_some_and(|all| all.len() == 1) {
            Some(edit::replace(list, "[]"))
        } else {
            edit::without_element(list, number)
        };
        findings.add(Rule::ExceptionEnds, place, message, edit.filter(|_| over));
    }
}

fn ending(exception: &Exception, now: UnixTime) -> Option<String> {
    let Exception {
        scope,
        until,
        reason,
        ..
    } = exception;
    let about = format!("the exception for {:?} ({:?})", shown(scope), shown(reason));
    if *until < now {
        Some(format!(
            "{about} has ended on {until} and admits nothing: remove it"
        ))
    } else if until.0 <= now.0.saturating_add(SOON) {
        Some(format!(
            "{about} ends on {until}: then its images are refused; have them signed by then"
        ))
    } else {
        None
    }
}
