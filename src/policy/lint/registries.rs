//! PL26 to PL28, SL22: what `registries.d` and the known images mean for the policy.

use super::docker_scope;
use super::document::Document;
use super::document::Scope;
use super::document::docker_parents;
use super::finding::Findings;
use super::rule::Rule;
use crate::keyed::Keyed;
use crate::policy::Requirement;
use crate::policy::error::Place;
use crate::policy::error::shown;
use crate::policy::registries_d::RegistriesD;
use crate::policy::registries_d::Section;
use crate::policy::registries_d::Setting;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn check(document: &Document<'_>, findings: &mut Findings) {
    if let Some(registries) = document.context.registries {
        for scope in document
            .scopes
            .iter()
            .copied()
            .filter(|scope| scope.transport.is_none_or(|name| name == "docker"))
        {
            attachments(registries, scope, findings);
            no_lookaside(registries, scope, findings);
        }
        lookasides(registries, findings);
    }
    indexes(document, findings);
}

/// PL26.
fn attachments(registries: &RegistriesD, scope: Scope<'_>, findings: &mut Findings) {
    let tags = |requirement: &Requirement| match requirement {
        Requirement::SigstoreSigned(signed) => !signed.reads_bundles(),
        _ => false,
    };
    let Some(item) = scope.items().find(|item| tags(item.requirement)) else {
        return;
    };
    let parents = docker_parents(scope.key);
    let scopes = core::iter::once(scope.key)
        .chain(parents.iter().map(String::as_str))
        .filter(|key| !key.is_empty());
    if !registries.lookup(scopes).use_sigstore_attachments {
        let message = format!(
            "registries.d does not say use-sigstore-attachments: true for {}, so its .sig \
             signatures are never fetched and everything is refused: set it there, and for the \
             names of mirrors too",
            scope.shown()
        );
        findings.add(Rule::AttachmentsOff, item.place(), message, None);
    }
}

/// SL22.
fn no_lookaside(registries: &RegistriesD, scope: Scope<'_>, findings: &mut Findings) {
    let simple = |requirement: &Requirement| matches!(requirement, Requirement::SignedBy(_));
    let Some(item) = scope.items().find(|item| simple(item.requirement)) else {
        return;
    };
    // Of images of every registry, some have one.
    let is_named = if scope.key.is_empty() {
        let mut sections = registries.docker.values().chain(&registries.default);
        sections.any(|section| section.lookaside.is_some() || section.sigstore.is_some())
    } else {
        let parents = docker_parents(scope.key);
        let scopes = core::iter::once(scope.key).chain(parents.iter().map(String::as_str));
        registries.lookup(scopes).lookaside.is_some()
    };
    if !is_named {
        let message = format!(
            "registries.d names no lookaside for {}, so only signatures that the registry itself \
             lists are found (podman also looks into a folder of its own): name the place that \
             skopeo and podman wrote them to, as docker: {{SCOPE: {{lookaside: https://…}}}}",
            scope.shown()
        );
        findings.add(Rule::NoLookaside, item.place(), message, None);
    }
}

/// PL27.
fn lookasides(registries: &RegistriesD, findings: &mut Findings) {
    unread_files(registries, findings);
    let sections = registries.docker.iter();
    let mut bases: Keyed<&str> = Keyed::default();
    for (scope, section) in registries
        .default
        .iter()
        .map(|section| ("", section))
        .chain(sections)
    {
        for (name, setting) in settings(section) {
            lookaside(scope, section, name, setting, findings);
        }
        let read = section
            .lookaside
            .as_ref()
            .or(section.sigstore.as_ref())
            .filter(|_| !scope.is_empty());
        let Some(setting) = read else { continue };
        let host = docker_scope::authority(scope);
        let base = setting.text.trim_end_matches('/');
        let other = bases.get(base).copied().unwrap_or(host);
        bases.insert(base, other);
        if other != host {
            let message = format!(
                "{} and {} share the base {}: the host is no part of the path below it, so their \
                 signatures lie in each other's place; give each a base of its own",
                shown(other),
                shown(host),
                shown(base)
            );
            findings.add(
                Rule::LookasideUrl,
                place(scope, section, "lookaside", setting),
                message,
                None,
            );
        }
    }
}

fn unread_files(registries: &RegistriesD, findings: &mut Findings) {
    for name in registries
        .ignored
        .iter()
        .filter(|name| name.ends_with(".yml"))
    {
        let place = Place {
            pointer: format!("registries.d {}", shown(name)),
            at: 0,
        };
        findings.add(
            Rule::LookasideUrl,
            place,
            "only files that end in .yaml are read, this one is not: rename it".into(),
            None,
        );
    }
}

fn settings(section: &Section) -> impl Iterator<Item = (&'static str, &Setting)> {
    let all = [
        ("lookaside", &section.lookaside),
        ("lookaside-staging", &section.lookaside_staging),
        ("sigstore", &section.sigstore),
        ("sigstore-staging", &section.sigstore_staging),
    ];
    all.into_iter()
        .filter_map(|(name, setting)| Some((name, setting.as_ref()?)))
}

fn lookaside(
    scope: &str,
    section: &Section,
    name: &str,
    setting: &Setting,
    findings: &mut Findings,
) {
    let known = ["file://", "http://", "https://"]
        .iter()
        .any(|scheme| setting.text.starts_with(scheme));
    let why = if !known {
        "has none of the schemes file://, http:// and https://, so nothing is found there: write \
         the whole address"
    } else if setting.text.ends_with('/') {
        "ends in /, and another / follows it, so files are not found where they are: leave it out"
    } else {
        return;
    };
    findings.add(
        Rule::LookasideUrl,
        place(scope, section, name, setting),
        format!("{} {why}", shown(&setting.text)),
        None,
    );
}

fn place(scope: &str, section: &Section, name: &str, setting: &Setting) -> Place {
    let within = if scope.is_empty() {
        "default-docker".into()
    } else {
        format!("docker[{:?}]", shown(scope))
    };
    Place {
        pointer: format!("registries.d {}: {within}.{name}", shown(&section.file)),
        at: setting.at,
    }
}

/// PL28.
fn indexes(document: &Document<'_>, findings: &mut Findings) {
    if !document.is_by_instance() {
        return;
    }
    let mut met: Vec<Vec<String>> = document.scopes.iter().map(|_| Vec::new()).collect();
    for image in document
        .context
        .images
        .iter()
        .filter(|image| image.is_index)
    {
        let Ok(selection) = document.policy.select(&image.name) else {
            continue;
        };
        let hit = document
            .scopes
            .iter()
            .position(|scope| core::ptr::eq(scope.requirements, selection.requirements));
        let signed = selection.requirements.iter().any(|requirement| {
            matches!(
                requirement,
                Requirement::SignedBy(_) | Requirement::SigstoreSigned(_)
            )
        });
        if let Some(images) = hit
            .filter(|_| signed)
            .and_then(|number| met.get_mut(number))
        {
            images.push(format!("{}", image.name));
        }
    }
    for (scope, images) in document.scopes.iter().zip(met) {
        if images.is_empty() {
            continue;
        }
        let some = images
            .iter()
            .take(3)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let message = format!(
            "{some}: an index is not judged itself, each image that it lists needs its own \
             signature: sign every instance (cosign sign --recursive)"
        );
        findings.add(Rule::IndexOnly, scope.place(), message, None);
    }
}
