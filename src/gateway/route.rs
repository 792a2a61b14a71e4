//! Paths of the OCI distribution protocol (opencontainers/distribution-spec, "Endpoints"), and
//! those beside it.

use super::action::{ClientRequest, Respond};
use super::answer;
use super::settings::Settings;
use super::setup;
use super::wish::{Wish, wish};
use crate::digest::Digest;
use crate::oci::url::{Parts, percent_decode};
use crate::reference::{Grammar, Reference};
use alloc::format;
use alloc::string::{String, ToString};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Asset(String),
    Health,
    Metrics,
    Setup(setup::Guide),
    Admin(Wish),
    Preflight,
    /// What the upstream must be asked for; a ping is about no repository.
    Upstream {
        repository: String,
        wanted: Wanted,
    },
}

/// What is wanted of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Ping,
    Evidence {
        reference: String,
    },
    /// The same of a registry that is not behind this gateway.
    Relay {
        reference: String,
    },
    Report {
        reference: String,
    },
    Badge {
        reference: String,
    },
    Manifest {
        reference: String,
    },
    Blob {
        digest: Digest,
    },
    List(List),
}

/// A list, which covers nothing, and its query as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum List {
    Tags { query: String },
    Referrers { of: Digest, query: String },
}

fn upstream(repository: impl Into<String>, wanted: Wanted) -> Route {
    Route::Upstream {
        repository: repository.into(),
        wanted,
    }
}

pub(super) fn route(request: &ClientRequest, settings: &Settings) -> Result<Route, Respond> {
    let url = Parts::of(&request.url);
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    let below = url
        .path()
        .strip_prefix("/v2")
        .filter(|below| below.is_empty() || below.starts_with('/'));
    let Some(below) = below else {
        return beside_the_protocol(request, &url, settings, reads);
    };
    if !reads {
        return Err(unsupported(&format!(
            "this gateway only serves: push to and sign at {}; pull here",
            settings.entries
        )));
    }
    let below = below.trim_start_matches('/');
    let route = match below {
        "" => upstream("", Wanted::Ping),
        below => registry(below, url.query())?,
    };
    check_namespace(request, &url, settings, &route)?;
    Ok(route)
}

fn unsupported(message: &str) -> Respond {
    answer::error(405, "UNSUPPORTED", &format!("sealgate: {message}"))
}

fn invalid(code: &str, message: &str) -> Respond {
    answer::error(400, code, &format!("sealgate: {message}"))
}

fn beside_the_protocol(
    request: &ClientRequest,
    url: &Parts<'_>,
    settings: &Settings,
    reads: bool,
) -> Result<Route, Respond> {
    if let Some(image) = url
        .path()
        .strip_prefix("/badge/")
        .and_then(|below| below.strip_suffix(".svg"))
        && reads
    {
        return badge(image);
    }
    if url.path() == "/api/verify" {
        return report(request, url, settings, reads);
    }
    if let Some(image) = url.path().strip_prefix("/relay/") {
        return relay(request, url, image, settings, reads);
    }
    if let Some(repository) = url.path().strip_prefix("/api/evidence/") {
        if request.method == "OPTIONS" {
            return Ok(Route::Preflight);
        }
        let repository = percent_decode(repository)
            .ok_or_else(|| invalid("NAME_INVALID", "the repository name is not well-formed"))?;
        if !reads {
            return Err(unsupported("evidence can only be read"));
        }
        let reference = reference(url);
        check_names(&repository, &reference)?;
        return Ok(upstream(repository, Wanted::Evidence { reference }));
    }
    if let Some(wish) = wish(request, url, settings) {
        return wish.map(Route::Admin);
    }
    if !reads {
        return Err(unsupported("this address can only be read"));
    }
    Ok(match url.path() {
        "/healthz" => Route::Health,
        "/metrics" => Route::Metrics,
        "/setup" => Route::Setup(setup::guide(url, settings)?),
        path => Route::Asset(path.into()),
    })
}

/// The tag or digest that evidence is asked of.
fn reference(url: &Parts<'_>) -> String {
    let given = url.parameters("ref").into_iter().next();
    given.unwrap_or_else(|| "latest".into())
}

/// An image of a registry that `RELAY` lists: its host stands first.
fn relay(
    request: &ClientRequest,
    url: &Parts<'_>,
    image: &str,
    settings: &Settings,
    reads: bool,
) -> Result<Route, Respond> {
    if request.method == "OPTIONS" {
        return Ok(Route::Preflight);
    }
    if !reads {
        return Err(unsupported("evidence can only be read"));
    }
    let image = percent_decode(image)
        .ok_or_else(|| invalid("NAME_INVALID", "the repository name is not well-formed"))?;
    let reference = reference(url);
    check_names(
        image.split_once('/').map_or("", |(_, below)| below),
        &reference,
    )?;
    if settings.relayed.of(&image).is_none() {
        let message = "sealgate: this gateway carries no evidence of that registry: its operator lists \
                       those of which it does in RELAY";
        return Err(answer::error(404, "NAME_UNKNOWN", message));
    }
    Ok(upstream(image, Wanted::Relay { reference }))
}

/// An image by the name that policies have for it, or by this gateway's own.
fn report(
    request: &ClientRequest,
    url: &Parts<'_>,
    settings: &Settings,
    reads: bool,
) -> Result<Route, Respond> {
    if request.method == "OPTIONS" {
        return Ok(Route::Preflight);
    }
    if !reads {
        return Err(unsupported("a report can only be read"));
    }
    let wrong = |found: &str| {
        invalid(
            "NAME_INVALID",
            &format!(
                "image: expected {}/REPOSITORY:TAG or @DIGEST, found {:?}",
                settings.entries,
                found.chars().take(200).collect::<String>()
            ),
        )
    };
    let text = url
        .parameters("image")
        .into_iter()
        .next()
        .unwrap_or_default();
    let name = Reference::normalize(&text, Grammar::Containers)
        .map_err(|_| wrong(&text))?
        .with_default_tag();
    let own = settings.origin(request);
    let repository = if name.domain() == Parts::of(&own).authority {
        Some(name.path().to_string())
    } else {
        settings.entries.asked(name.domain(), name.path())
    };
    let reference = match (name.tag(), name.digest()) {
        (Some(tag), None) => tag.to_string(),
        (None, Some(digest)) => digest.to_string(),
        _ => return Err(wrong(&text)),
    };
    let repository = repository.ok_or_else(|| wrong(&text))?;
    Ok(upstream(repository, Wanted::Report { reference }))
}

/// A picture of an image, by the name that clients ask here for. Its query means nothing.
fn badge(image: &str) -> Result<Route, Respond> {
    let image = percent_decode(image)
        .ok_or_else(|| invalid("NAME_INVALID", "the address is not well-formed"))?;
    let parts = match image.split_once('@') {
        Some(parts) => Some(parts),
        None => image.rsplit_once(':'),
    };
    let (repository, reference) = parts.unwrap_or((&image, "latest"));
    check_names(repository, reference)?;
    let reference = reference.into();
    Ok(upstream(repository, Wanted::Badge { reference }))
}

/// Splits at the last marker: a repository may itself have a component `manifests` or `blobs`.
fn registry(below: &str, query: &str) -> Result<Route, Respond> {
    let below = percent_decode(below)
        .ok_or_else(|| invalid("NAME_INVALID", "the address is not well-formed"))?;
    if let Some(repository) = below.strip_suffix("/tags/list") {
        check_names(repository, "latest")?;
        let query = query.into();
        return Ok(upstream(repository, Wanted::List(List::Tags { query })));
    }
    let (before, reference) = below.rsplit_once('/').unwrap_or(("", &below));
    let (repository, marker) = before.rsplit_once('/').unwrap_or(("", before));
    check_names(repository, reference)?;
    let wanted = match marker {
        "manifests" => Wanted::Manifest {
            reference: reference.into(),
        },
        "blobs" => Wanted::Blob {
            digest: parse_digest(reference)?,
        },
        "referrers" => Wanted::List(List::Referrers {
            of: parse_digest(reference)?,
            query: query.into(),
        }),
        _ => {
            return Err(answer::error(
                404,
                "UNSUPPORTED",
                "sealgate: the registry protocol has no such address",
            ));
        }
    };
    Ok(upstream(repository, wanted))
}

fn parse_digest(text: &str) -> Result<Digest, Respond> {
    Digest::parse(text).map_err(|error| invalid("DIGEST_INVALID", &error.to_string()))
}

fn check_names(repository: &str, reference: &str) -> Result<(), Respond> {
    // With a host before it, so that no component of the path is taken for one.
    let bare = Reference::parse(&format!("h.example/{repository}"), Grammar::Containers)
        .ok()
        .filter(|bare| bare.is_bare() && bare.path() == repository)
        .ok_or_else(|| invalid("NAME_INVALID", "the repository name is not well-formed"))?;
    if reference.contains(':') {
        return parse_digest(reference).map(|_| ());
    }
    match bare.with_tag(reference) {
        Some(_) => Ok(()),
        None => Err(invalid("TAG_INVALID", "the tag is not well-formed")),
    }
}

/// `ns` may name this entry or this gateway, and nothing else: it never selects another policy.
fn check_namespace(
    request: &ClientRequest,
    url: &Parts<'_>,
    settings: &Settings,
    route: &Route,
) -> Result<(), Respond> {
    let public = settings.origin(request);
    let entry = match route {
        Route::Upstream { repository, .. } => settings.entries.of(repository),
        _ => None,
    };
    let known = |name: &String| {
        // A ping is about all of them.
        let mut entries = settings.entries.iter();
        entries.any(|known| known.name == *name && entry.is_none_or(|(entry, _)| entry == known))
            || name == url.authority
            || name == Parts::of(&public).authority
            || request.header("host").is_some_and(|host| host == name)
    };
    match url.parameters("ns").iter().find(|name| !known(name)) {
        Some(foreign) => Err(answer::error(
            403,
            "DENIED",
            &format!(
                "sealgate: this gateway serves {}, not {}: ask for it by that name",
                settings.entries,
                foreign.chars().take(200).collect::<String>()
            ),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let manifest = |repository: &str, reference: &str| {
            let reference = reference.into();
            upstream(repository, Wanted::Manifest { reference })
        };
        assert_eq!(
            registry("a/manifests/b/manifests/1.0", ""),
            Ok(manifest("a/manifests/b", "1.0"))
        );
        assert_eq!(
            registry("library/x/manifests/latest", ""),
            Ok(manifest("library/x", "latest"))
        );
        for bad in [
            "manifests/x",
            "a/manifests/",
            "a/manifests/b/c",
            "A/manifests/x",
            "../manifests/x",
            "a%2f..%2fb/manifests/x",
            "a/manifests/x:y",
            "a/blobs/latest",
            "a/uploads/x",
            "a//b/manifests/x",
            "a/manifests/sha256:00",
        ] {
            assert!(registry(bad, "").is_err(), "{bad}");
        }
    }
}
