//! `tags/list` and referrers (OCI distribution specification, "Listing Tags" and "Listing
//! Referrers"): lists, which cover nothing. They are parsed and rewritten, so that nothing leaves
//! but names and descriptors: no `data`, no `urls`, and nothing that the upstream made up.

use super::action::{Action, Respond};
use super::answer;
use super::context::{Context, Resource};
use super::route::List;
use super::stop::Stop;
use crate::digest::Digest;
use crate::encoding::json::{self, Dialect, Node, quote};
use crate::host::{Host, Store};
use crate::oci::registry::{Page, RegistryError};
use crate::reference::{Grammar, Reference};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(super) async fn serve<R: Host + Store>(context: &Context<'_, R>, list: &List) -> Action {
    let path = match list {
        List::Tags { .. } => "tags/list".to_string(),
        List::Referrers { of, .. } => format!("referrers/{of}"),
    };
    match rewritten(context, list, &path).await {
        Ok(respond) => Action::Respond(respond),
        Err(stop) => answer::stopped(context, &Resource::List(&path), stop),
    }
}

async fn rewritten<R: Host>(
    context: &Context<'_, R>,
    list: &List,
    path: &str,
) -> Result<Respond, Stop> {
    let (List::Tags { query } | List::Referrers { query, .. }) = list;
    let kind = match list {
        List::Tags { .. } => "application/json",
        List::Referrers { .. } => INDEX,
    };
    let found = context
        .registry
        .list(&with_query(path, query), kind)
        .await
        .map_err(Stop::Upstream)?;
    let page = found.ok_or(Stop::Missing)?;
    let text = match list {
        List::Tags { .. } => tags(&page.bytes, context.asked),
        List::Referrers { .. } => referrers(&page.bytes),
    };
    let unreadable = || RegistryError::Page {
        url: format!("{}/{}/{path}", context.entry.name, context.repository),
    };
    let text = text.ok_or_else(|| Stop::Upstream(unreadable()))?;
    Ok(respond(text, kind, &page, context.asked, path))
}

/// With the parameters that are passed on: `ns` is for this gateway, and what does not belong into
/// an address or a header is left out.
fn with_query(path: &str, query: &str) -> String {
    let passed = |pair: &&str| {
        !pair.is_empty()
            && !pair.starts_with("ns=")
            && pair
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
    };
    let pairs: Vec<&str> = query.split('&').filter(passed).collect();
    if pairs.is_empty() {
        path.into()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

fn respond(text: String, kind: &str, page: &Page, repository: &str, path: &str) -> Respond {
    let mut respond = answer::content(kind, text.into_bytes(), None);
    let headers = &mut respond.headers;
    headers.push(answer::api_version());
    // The next page is asked for here; of the upstream's link only the query is used.
    if let Some(query) = &page.next {
        let next = with_query(path, query);
        if next != path {
            let link = format!("</v2/{repository}/{next}>; rel=\"next\"");
            headers.push(("link".into(), link));
        }
    }
    if page.filtered {
        headers.push(("oci-filters-applied".into(), "artifactType".into()));
    }
    respond
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

/// Descriptors, with their artifact types and annotations. An unreadable entry is left out, and the
/// others stay.
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
