//! `tags/list` and referrers (OCI distribution specification, "Listing Tags" and "Listing
//! Referrers"): lists, which cover nothing. They are read and written anew, so that nothing leaves
//! but names and descriptors: no `data`, no `urls`, and nothing that the upstream made up.

use super::action::{Action, Request, Respond};
use super::admit::upstream;
use super::config::Gateway;
use super::refuse;
use super::route::{List, kept};
use crate::digest::Digest;
use crate::encoding::json::{self, Dialect, Node, quote};
use crate::host::Host;
use crate::oci::registry::{Page, RegistryError};
use crate::reference::{Grammar, Reference};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(super) async fn serve<R: Host>(
    gateway: &Gateway,
    request: &Request,
    repository: &str,
    list: &List,
    remote: &R,
) -> Action {
    let (path, query, accept) = match list {
        List::Tags { query } => ("tags/list".to_string(), query, "application/json"),
        List::Referrers { of, query } => (format!("referrers/{of}"), query, INDEX),
    };
    let with_query = if query.is_empty() {
        path.clone()
    } else {
        format!("{path}?{query}")
    };
    let registry = match upstream(gateway, request, repository, remote) {
        Ok(registry) => registry,
        Err(error) => return refuse::upstream(gateway, repository, &path, &error),
    };
    let page = match registry.list(&with_query, accept).await {
        Ok(Some(page)) => page,
        Ok(None) => {
            return Action::Respond(refuse::error(
                404,
                "NAME_UNKNOWN",
                &format!(
                    "the registry {} has no such list for {repository}",
                    gateway.name
                ),
            ));
        }
        Err(error) => {
            return refuse::with_troubles(
                refuse::upstream(gateway, repository, &path, &error),
                &registry.take_troubles(),
            );
        }
    };
    let text = match list {
        List::Tags { .. } => tags(&page.bytes, repository),
        List::Referrers { .. } => referrers(&page.bytes),
    };
    let Some(text) = text else {
        return refuse::upstream(
            gateway,
            repository,
            &path,
            &RegistryError::Page {
                url: format!("{}/{repository}/{path}", gateway.name),
            },
        );
    };
    answer(
        text,
        if accept == INDEX {
            INDEX
        } else {
            "application/json"
        },
        &page,
        repository,
        &path,
    )
}

fn answer(text: String, kind: &str, page: &Page, repository: &str, path: &str) -> Action {
    let mut headers: Vec<(String, String)> = alloc::vec![
        ("content-type".into(), kind.into()),
        ("content-length".into(), text.len().to_string()),
        ("cache-control".into(), "no-store".into()),
        (
            "docker-distribution-api-version".into(),
            "registry/2.0".into()
        ),
        ("x-content-type-options".into(), "nosniff".into()),
        ("content-security-policy".into(), refuse::SANDBOX.into()),
    ];
    // The next page is asked for here; only its query is the upstream's word.
    if let Some(query) = page
        .next
        .as_deref()
        .map(kept)
        .filter(|query| !query.is_empty())
    {
        headers.push((
            "link".into(),
            format!("</v2/{repository}/{path}?{query}>; rel=\"next\""),
        ));
    }
    if page.filtered {
        headers.push(("oci-filters-applied".into(), "artifactType".into()));
    }
    Action::Respond(Respond {
        status: 200,
        status_text: None,
        headers,
        body: Some(text.into_bytes()),
        log: None,
    })
}

/// Names that are tags. `null` is how Go writes that there are none.
fn tags(bytes: &[u8], repository: &str) -> Option<String> {
    let root = json::parse(bytes, Dialect::Strict).ok()?;
    let listed = root.member("tags")?;
    let bare = Reference::parse(&format!("h.example/{repository}"), Grammar::Containers).ok()?;
    let fits = |tag: &&str| bare.clone().with_tag(tag).is_some();
    let names = if listed.is_null() {
        &[][..]
    } else {
        listed.as_array()?
    };
    let names: Vec<String> = names
        .iter()
        .filter_map(Node::as_str)
        .filter(fits)
        .map(quote)
        .collect();
    Some(format!(
        "{{\"name\":{},\"tags\":[{}]}}",
        quote(repository),
        names.join(",")
    ))
}

/// Descriptors, with what says what they are. An entry that does not read takes the others not with
/// it.
fn referrers(bytes: &[u8]) -> Option<String> {
    let root = json::parse(bytes, Dialect::Strict).ok()?;
    let listed = root.member("manifests")?;
    let entries = if listed.is_null() {
        &[][..]
    } else {
        listed.as_array()?
    };
    let entries: Vec<String> = entries.iter().filter_map(entry).collect();
    Some(format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{INDEX}\",\"manifests\":[{}]}}",
        entries.join(",")
    ))
}

fn entry(node: &Node) -> Option<String> {
    let text = |name: &str| node.member(name).and_then(Node::as_str);
    let digest = Digest::parse(text("digest")?).ok()?;
    let size = node.member("size")?.as_u64()?;
    let kind = text("artifactType").map_or(String::new(), |kind| {
        format!(",\"artifactType\":{}", quote(kind))
    });
    let notes = node
        .member("annotations")
        .and_then(Node::as_object)
        .unwrap_or_default();
    let notes: Vec<String> = notes
        .iter()
        .filter_map(|note| {
            Some(format!(
                "{}:{}",
                quote(&note.key),
                quote(note.node.as_str()?)
            ))
        })
        .collect();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(",\"annotations\":{{{}}}", notes.join(","))
    };
    Some(format!(
        "{{\"mediaType\":{},\"digest\":\"{digest}\",\"size\":{size}{kind}{notes}}}",
        quote(text("mediaType")?)
    ))
}
