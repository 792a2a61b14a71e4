//! PL01 to PL03, PL05 to PL11, SL15: scopes, and what they leave open.

use super::docker_scope;
use super::docker_scope::Form;
use super::document::Document;
use super::document::Scope;
use super::edit;
use super::edit::Edit;
use super::finding::Findings;
use super::rule::Rule;
use crate::encoding::json::Node;
use crate::encoding::json::quote;
use crate::keyed::Keyed;
use crate::keyed::Keys;
use crate::limits;
use crate::policy::Requirement;
use crate::policy::error::Place;
use crate::policy::error::shown;
use crate::policy::field;
use crate::policy::scope;
use crate::reference::Grammar;
use crate::reference::Reference;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

const REJECT: &str = r#"[{"type": "reject"}]"#;

pub(super) fn check(document: &Document<'_>, findings: &mut Findings) {
    let mut hosts = Keys::default();
    for scope in document.of_transport("docker") {
        if let Some(host) = docker_scope::authority(scope.key).split(':').next() {
            hosts.add(host);
        }
    }
    for scope in document.scopes.iter().copied() {
        open(scope, findings);
        weaker(document, scope, findings);
        if scope.is_docker() {
            let rename = |better: &str| {
                document
                    .find("docker", better)
                    .is_none()
                    .then(|| edit::rename(scope.member, better))
            };
            docker_form(scope.key, scope.place(), rename, findings);
            apex(document, scope, &hosts, findings);
        }
    }
    ports(document, findings);
    transports(document, findings);
    marked(document, findings);
}

/// How much a list demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rigour {
    Nothing,
    Something,
    TheImpossible,
}

fn rigour(requirements: &[Requirement]) -> Rigour {
    let never = |requirement: &Requirement| {
        matches!(
            requirement,
            Requirement::Reject | Requirement::SignedBaseLayer { .. }
        )
    };
    if requirements.iter().any(never) {
        Rigour::TheImpossible
    } else if requirements
        .iter()
        .all(|requirement| *requirement == Requirement::InsecureAcceptAnything)
    {
        Rigour::Nothing
    } else {
        Rigour::Something
    }
}

/// Whether `one` demands only a part of what `other` demands.
fn is_part(one: &[Requirement], other: &[Requirement]) -> bool {
    let bounded = one.len() <= limits::COMPARED && other.len() <= limits::COMPARED;
    bounded
        && one.iter().all(|requirement| other.contains(requirement))
        && !other.iter().all(|requirement| one.contains(requirement))
}

fn open(scope: Scope<'_>, findings: &mut Findings) {
    if rigour(scope.requirements) != Rigour::Nothing {
        return;
    }
    let edit = Some(edit::replace(&scope.member.node, REJECT));
    match (scope.transport, scope.key) {
        (None, _) => {
            let message = "the default accepts anything: images that no scope lists run \
                           unverified; use reject here, and list what may run"
                .into();
            findings.add(Rule::DefaultOpen, scope.place(), message, edit);
        }
        (Some("docker"), "") => {
            let message = "docker \"\" accepts anything: every registry that is not listed is \
                           trusted; use reject here, and list what may run"
                .into();
            findings.add(Rule::TransportOpen, scope.place(), message, edit);
        }
        (Some("docker"), key)
            if key.starts_with("*.")
                || docker_scope::authority(key) == key && docker_scope::is_host(key) =>
        {
            let message = format!(
                "{} accepts anything: whatever anybody can push to this registry runs, and \
                 nothing of it was verified; use reject here, and list the repositories that may \
                 run",
                scope.shown()
            );
            findings.add(Rule::RegistryOpen, scope.place(), message, edit);
        }
        _ => {}
    }
}

/// PL03 and PL10. Nothing is inherited: the most specific scope decides alone.
fn weaker(document: &Document<'_>, scope: Scope<'_>, findings: &mut Findings) {
    let Some(above) = document.above(scope) else {
        return;
    };
    let (ours, theirs) = (rigour(scope.requirements), rigour(above.requirements));
    // Beside what is rejected, or open itself, an open scope is how lists of the permitted are
    // written.
    if theirs == Rigour::Something
        && (ours == Rigour::Nothing || is_part(scope.requirements, above.requirements))
    {
        let message = format!(
            "{} stands in place of {}, which demands more: its verification is lost here; repeat \
             its requirements, or remove this scope",
            scope.shown(),
            above.shown()
        );
        findings.add(Rule::WeakerChild, scope.place(), message, None);
    }
    let tagged = scope.is_docker()
        && Reference::parse(scope.key, Grammar::Containers)
            .is_ok_and(|reference| !reference.domain().is_empty() && reference.tag().is_some());
    if tagged && (theirs < ours || is_part(above.requirements, scope.requirements)) {
        let message = format!(
            "{} demands more than {}, which decides for every other tag and for pulls by digest: \
             whoever asks for the same image by its digest skips this; put the requirements on \
             the repository",
            scope.shown(),
            above.shown()
        );
        findings.add(Rule::TagScopeBypass, scope.place(), message, None);
    }
}

/// PL05, PL06, PL08, also for the scopes that the marker lists.
fn docker_form(
    scope: &str,
    place: Place,
    change: impl FnOnce(&str) -> Option<Edit>,
    findings: &mut Findings,
) {
    let name = quote(&shown(scope));
    match docker_scope::form(scope) {
        Form::Fine => {}
        Form::Unexpanded(better) => {
            let message = format!(
                "{name} never matches, because scopes are compared with expanded names: write \
                 {better}"
            );
            findings.add(Rule::UnexpandedScope, place, message, change(&better));
        }
        Form::Noncanonical(Some(better)) => {
            let message = format!(
                "{name} never matches, because no image is called so: its canonical form is \
                 {better}"
            );
            findings.add(Rule::NoncanonicalScope, place, message, change(&better));
        }
        Form::Noncanonical(None) => {
            let message = format!(
                "{name} never matches, because no image can be called so: write host[:port], \
                 host[:port]/path, or a whole reference"
            );
            findings.add(Rule::NoncanonicalScope, place, message, None);
        }
        Form::Wildcard(better) => {
            let edit = better.as_deref().and_then(change);
            let instead = better
                .map(|better| format!("; a scope covers everything below it: write \"{better}\""))
                .unwrap_or_default();
            let message = format!(
                "{name} never matches: a * works only as *.domain, without port or path{instead}"
            );
            findings.add(Rule::BadWildcard, place, message, edit);
        }
    }
}

/// PL09.
fn apex(document: &Document<'_>, scope: Scope<'_>, hosts: &Keys, findings: &mut Findings) {
    let Some(domain) = scope
        .key
        .strip_prefix("*.")
        .filter(|_| docker_scope::form(scope.key) == Form::Fine)
    else {
        return;
    };
    if hosts.contains(domain) {
        return;
    }
    let start = scope.member.key_span.start;
    let text = format!("{}: {}, ", quote(domain), document.text(&scope.member.node));
    let message = format!(
        "{} covers every host below {domain} at any depth, and not {domain} itself: list it too \
         if it is meant",
        scope.shown()
    );
    findings.add(
        Rule::WildcardApex,
        scope.place(),
        message,
        Some(Edit {
            at: start..start,
            text,
        }),
    );
}

/// PL07: `host` is no parent of `host:port`.
fn ports(document: &Document<'_>, findings: &mut Findings) {
    let mut ported: Keyed<Vec<String>> = Keyed::default();
    let hosts = document
        .of_transport("docker")
        .map(|scope| docker_scope::authority(scope.key).to_string());
    let known = document
        .context
        .images
        .iter()
        .map(|image| image.name.domain().to_string());
    for authority in hosts.chain(known) {
        if let Some((host, _)) = authority.split_once(':') {
            // What is said names a few of them.
            if let Some(seen) = ported.of(host)
                && seen.len() < 4
                && !seen.contains(&authority)
            {
                seen.push(authority);
            }
        }
    }
    for scope in document.of_transport("docker") {
        let host = docker_scope::authority(scope.key);
        let Some(others) = ported.get(host) else {
            continue;
        };
        let rest = scope.key.get(host.len()..).unwrap_or_default();
        let missing: Vec<&str> = others
            .iter()
            .filter(|other| document.find("docker", &format!("{other}{rest}")).is_none())
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "{} does not cover {}: a host without its port is no parent of a host with one; \
                 list that too if it is meant",
                scope.shown(),
                missing.join(", ")
            );
            findings.add(Rule::PortScope, scope.place(), message, None);
        }
    }
}

/// PL11.
fn transports(document: &Document<'_>, findings: &mut Findings) {
    let members = document
        .root
        .member("transports")
        .and_then(Node::as_object)
        .unwrap_or_default();
    for member in members
        .iter()
        .filter(|member| !scope::TRANSPORTS.contains(&member.key.as_str()))
    {
        let mut pointer = String::new();
        field::push_key(&mut pointer, "transports");
        field::push_key(&mut pointer, &member.key);
        let near = scope::TRANSPORTS
            .into_iter()
            .find(|known| is_near(known, &member.key));
        let free = |known: &&str| !members.iter().any(|other| other.key == **known);
        let scopes = member.node.as_object().unwrap_or_default();
        let fits = |known: &&str| {
            scopes
                .iter()
                .all(|scoped| scope::expected(known, &scoped.key).is_none())
        };
        let edit = near
            .filter(free)
            .filter(fits)
            .map(|known| edit::rename(member, known));
        let meant = near
            .map(|known| format!("; was {known} meant?"))
            .unwrap_or_default();
        let message = format!(
            "there is no transport {}: these scopes are parsed and never used{meant}",
            quote(&shown(&member.key))
        );
        findings.add(
            Rule::UnknownTransport,
            Place {
                pointer,
                at: member.key_span.start,
            },
            message,
            edit,
        );
    }
}

/// Whether `found` is `known` but for case and separators, or for one letter.
fn is_near(known: &str, found: &str) -> bool {
    let plain = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect::<String>()
    };
    if found.len() > known.len() + 4 {
        return false;
    }
    let (a, b) = (plain(known), plain(found));
    let before = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let after = a
        .bytes()
        .rev()
        .zip(b.bytes().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let longer = a.len().max(b.len());
    a.len().abs_diff(b.len()) <= 1 && before + after + 1 >= longer
}

/// The scopes that the marker lists.
fn marked(document: &Document<'_>, findings: &mut Findings) {
    let Some(marker) = document.root.member("sealgate") else {
        return;
    };
    // Those of exceptions are in their one spelling, or the policy does not parse.
    let mut one = |node: &Node, path: &str| {
        let place = Place {
            pointer: format!("sealgate.{path}"),
            at: node.span.start,
        };
        docker_form(
            node.as_str().unwrap_or_default(),
            place,
            |better| Some(edit::replace(node, quote(better))),
            findings,
        );
    };
    for (number, node) in marker
        .member("audit")
        .and_then(Node::as_array)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        one(node, &format!("audit[{number}]"));
    }
}
