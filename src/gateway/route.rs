//! Paths of the OCI distribution protocol (opencontainers/distribution-spec, "Endpoints"), and
//! those beside it.

use super::action::{Request, Respond};
use super::config::Gateway;
use super::refuse;
use crate::digest::Digest;
use crate::reference::{Grammar, Reference};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Asset(String),
    Health,
    Preflight,
    Ping,
    Evidence {
        repository: String,
        reference: String,
    },
    Manifest {
        repository: String,
        reference: String,
    },
    Blob {
        repository: String,
        digest: Digest,
    },
    List {
        repository: String,
        list: List,
    },
}

/// A list, which covers nothing, and its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum List {
    Tags { query: String },
    Referrers { of: Digest, query: String },
}

/// Scheme and authority of an absolute URL, its path, its query.
pub(super) fn split(url: &str) -> (&str, &str, &str) {
    let after_scheme = url.find("://").map_or(0, |at| at.saturating_add(3));
    let rest = url.get(after_scheme..).unwrap_or_default();
    let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (origin, tail) = url
        .split_at_checked(after_scheme.saturating_add(length))
        .unwrap_or((url, ""));
    let tail = tail.split('#').next().unwrap_or_default();
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    (origin, if path.is_empty() { "/" } else { path }, query)
}

/// The host[:port] that the client knows this gateway by.
pub(super) fn own_host(url: &str) -> &str {
    let origin = split(url).0;
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

pub(super) fn route(request: &Request, gateway: &Gateway) -> Result<Route, Respond> {
    let (_, path, query) = split(&request.url);
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    let Some(below) = path.strip_prefix("/v2") else {
        return beside(request, path, query, reads);
    };
    if !(below.is_empty() || below.starts_with('/')) {
        return beside(request, path, query, reads);
    }
    if !reads {
        return Err(refuse::error(
            405,
            "UNSUPPORTED",
            &format!(
                "sealgate: this gateway only serves: push to and sign at {}; pull here",
                gateway.name
            ),
        ));
    }
    check_namespace(request, query, gateway)?;
    let below = below.trim_start_matches('/');
    if below.is_empty() {
        return Ok(Route::Ping);
    }
    registry(below, query)
}

fn beside(request: &Request, path: &str, query: &str, reads: bool) -> Result<Route, Respond> {
    if let Some(repository) = path.strip_prefix("/api/evidence/") {
        if request.method == "OPTIONS" {
            return Ok(Route::Preflight);
        }
        let repository = decode(repository).ok_or_else(|| {
            refuse::error(
                400,
                "NAME_INVALID",
                "sealgate: the repository name is not well-formed",
            )
        })?;
        let reference = parameter(query, "ref").unwrap_or_else(|| "latest".to_string());
        if !reads {
            return Err(refuse::error(
                405,
                "UNSUPPORTED",
                "sealgate: evidence can only be read",
            ));
        }
        check_names(&repository, &reference)?;
        return Ok(Route::Evidence {
            repository,
            reference,
        });
    }
    if !reads {
        return Err(refuse::error(
            405,
            "UNSUPPORTED",
            "sealgate: this address can only be read",
        ));
    }
    Ok(if path == "/healthz" {
        Route::Health
    } else {
        Route::Asset(path.into())
    })
}

/// Splits at the last marker: a repository may itself have a component `manifests` or `blobs`.
fn registry(below: &str, query: &str) -> Result<Route, Respond> {
    let below = decode(below).ok_or_else(|| {
        refuse::error(
            400,
            "NAME_INVALID",
            "sealgate: the address is not well-formed",
        )
    })?;
    if let Some(repository) = below.strip_suffix("/tags/list") {
        check_names(repository, "latest")?;
        return Ok(Route::List {
            repository: repository.into(),
            list: List::Tags { query: kept(query) },
        });
    }
    let (before, reference) = below.rsplit_once('/').unwrap_or(("", &below));
    let (repository, marker) = before.rsplit_once('/').unwrap_or(("", before));
    check_names(repository, reference)?;
    let digest = || {
        Digest::parse(reference)
            .map_err(|error| refuse::error(400, "DIGEST_INVALID", &format!("sealgate: {error}")))
    };
    match marker {
        "manifests" => Ok(Route::Manifest {
            repository: repository.into(),
            reference: reference.into(),
        }),
        "blobs" => Ok(Route::Blob {
            repository: repository.into(),
            digest: digest()?,
        }),
        "referrers" => Ok(Route::List {
            repository: repository.into(),
            list: List::Referrers {
                of: digest()?,
                query: kept(query),
            },
        }),
        _ => Err(refuse::error(
            404,
            "UNSUPPORTED",
            "sealgate: the registry protocol has no such address",
        )),
    }
}

fn check_names(repository: &str, reference: &str) -> Result<(), Respond> {
    // With a host before it, so that no component of the path is taken for one.
    let bare = Reference::parse(&format!("h.example/{repository}"), Grammar::Containers);
    let bare = bare
        .ok()
        .filter(|bare| bare.is_bare() && bare.path() == repository);
    let Some(bare) = bare else {
        return Err(refuse::error(
            400,
            "NAME_INVALID",
            "sealgate: the repository name is not well-formed",
        ));
    };
    if reference.contains(':') {
        return match Digest::parse(reference) {
            Ok(_) => Ok(()),
            Err(error) => Err(refuse::error(
                400,
                "DIGEST_INVALID",
                &format!("sealgate: {error}"),
            )),
        };
    }
    match bare.with_tag(reference) {
        Some(_) => Ok(()),
        None => Err(refuse::error(
            400,
            "TAG_INVALID",
            "sealgate: the tag is not well-formed",
        )),
    }
}

/// `ns` may name this entry or this gateway, and nothing else: it never selects another policy.
fn check_namespace(request: &Request, query: &str, gateway: &Gateway) -> Result<(), Respond> {
    let names: Vec<String> = parameters(query, "ns");
    let known = |name: &String| {
        *name == gateway.name
            || name == own_host(&request.url)
            || name == own_host(gateway.origin(request))
            || request.header("host").is_some_and(|host| host == name)
    };
    match names.iter().find(|name| !known(name)) {
        Some(foreign) => Err(refuse::error(
            403,
            "DENIED",
            &format!(
                "sealgate: this gateway serves {}, not {}: ask for it by that name",
                gateway.name,
                foreign.chars().take(200).collect::<String>()
            ),
        )),
        None => Ok(()),
    }
}

/// The parts of a query that are passed on.
pub(super) fn kept(query: &str) -> String {
    let fits = |pair: &&str| {
        !pair.is_empty()
            && !pair.starts_with("ns=")
            && pair
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
    };
    query.split('&').filter(fits).collect::<Vec<_>>().join("&")
}

fn parameter(query: &str, name: &str) -> Option<String> {
    parameters(query, name).into_iter().next()
}

fn parameters(query: &str, name: &str) -> Vec<String> {
    let values = query.split('&').filter_map(|pair| {
        pair.split_once('=')
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
    });
    // What does not decode equals nothing that is known.
    values
        .map(|value| decode(value).unwrap_or_else(|| value.into()))
        .collect()
}

/// Percent-decoding; only ASCII may come of it.
fn decode(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(
                digit(bytes.next()?)?
                    .checked_mul(16)?
                    .checked_add(digit(bytes.next()?)?)?,
            )
            .ok()?
        } else {
            byte
        };
        if !byte.is_ascii_graphic() {
            return None;
        }
        out.push(char::from(byte));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        assert_eq!(split("http://a:1/v2/?x=1#f"), ("http://a:1", "/v2/", "x=1"));
        assert_eq!(split("http://a"), ("http://a", "/", ""));
        assert_eq!(split("/v2"), ("", "/v2", ""));
        assert_eq!(own_host("https://h.example:8/x"), "h.example:8");
    }

    #[test]
    fn addresses() {
        let manifest = |repository: &str, reference: &str| Route::Manifest {
            repository: repository.into(),
            reference: reference.into(),
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
