//! Whether a docker scope can match an image at all (docs/containers-image.md section 1.3).
//! containers/image takes any text for one, and never says that it cannot match.

use crate::limits;
use crate::reference::Grammar;
use crate::reference::Reference;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;

/// What is the matter with a scope, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// It can match.
    Fine,
    /// Its first component is no host.
    Unexpanded(String),
    /// It is no scope of any image.
    Noncanonical(Option<String>),
    /// It has a `*` where none works.
    Wildcard(Option<String>),
}

/// What `scope` is.
pub(super) fn form(scope: &str) -> Form {
    if scope.is_empty() {
        return Form::Fine;
    }
    if scope.len() > limits::REFERENCE {
        return Form::Noncanonical(None);
    }
    if scope.contains('*') {
        return wildcard(scope);
    }
    if is_fine(scope) {
        return Form::Fine;
    }
    match canonical(scope) {
        Some((text, true)) => Form::Unexpanded(text),
        Some((text, false)) => Form::Noncanonical(Some(text)),
        None => Form::Noncanonical(None),
    }
}

/// The host of a scope without wildcard, with its port.
pub(super) fn authority(scope: &str) -> &str {
    let head = scope.split('/').next().unwrap_or_default();
    if is_host(head) {
        head
    } else {
        head.split(['@', ':']).next().unwrap_or_default()
    }
}

/// Whether `text` is `host[:port]` as containers/image takes it for one.
pub(super) fn is_host(text: &str) -> bool {
    let reads_as_host = text.contains(['.', ':']) || text == "localhost";
    reads_as_host && is_domain(text)
}

fn is_domain(text: &str) -> bool {
    Reference::parse(&format!("{text}/x"), Grammar::Containers)
        .is_ok_and(|reference| reference.domain() == text)
}

fn wildcard(scope: &str) -> Form {
    if scope
        .strip_prefix("*.")
        .is_some_and(|domain| !domain.contains([':', '*', '/']) && is_domain(domain))
    {
        return Form::Fine;
    }
    let better = if scope == "*" {
        Some("")
    } else {
        scope.strip_suffix("/*").filter(|rest| is_fine(rest))
    };
    Form::Wildcard(better.map(Into::into))
}

/// Whether it is a host, or a name as [`crate::policy::docker_namespaces`] or an image's identity
/// writes it.
fn is_fine(scope: &str) -> bool {
    if is_host(scope) {
        return scope != "index.docker.io";
    }
    let Ok(reference) = Reference::parse(scope, Grammar::Containers) else {
        return false;
    };
    let one_image = !reference.is_bare();
    let short = reference.domain() == "docker.io" && !reference.path().contains('/');
    is_host(reference.domain())
        && reference.domain() != "index.docker.io"
        && !(one_image && short)
        && !(reference.tag().is_some() && reference.digest().is_some())
}

/// The scope that was probably meant, and whether only its host is missing.
fn canonical(scope: &str) -> Option<(String, bool)> {
    let bare = scope
        .split_once("://")
        .map_or(scope, |(_, rest)| rest)
        .trim_end_matches('/');
    let text = lower_path(bare);
    let expanded = if is_host(&text) {
        text.replace("index.docker.io", "docker.io")
    } else {
        let reference = Reference::normalize(&text, Grammar::Containers).ok()?;
        match reference.digest() {
            Some(digest) => reference.with_digest(digest.clone()).to_string(),
            None => reference.to_string(),
        }
    };
    let head = text.split('/').next().unwrap_or_default();
    let only_host = text == scope && !head.contains('@') && !is_host(head);
    is_fine(&expanded).then_some((expanded, only_host))
}

/// The path in lower case; host, tag and digest stay.
fn lower_path(text: &str) -> String {
    match text.split_once('/') {
        Some((head, rest)) => {
            let end = rest.find([':', '@']).unwrap_or(rest.len());
            let (path, tail) = rest.split_at(end);
            format!("{head}/{}{tail}", path.to_ascii_lowercase())
        }
        None => text.into(),
    }
}
