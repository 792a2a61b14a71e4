//! What is attached to a manifest: the referrers API and the tag schema (OCI distribution
//! specification 1.1, "Listing Referrers" and "Referrers Tag Schema"; docs/trust.md section 7 says
//! which answers mean that a registry has no such API).
//!
//! Both are always read: Cosign writes the tag where the API exists too, and a list that hid the
//! other one would let an added entry take evidence away. The list names candidates only, and is
//! not trusted.

use super::Registry;
use super::error::RegistryError;
use super::transport::Reply;
use crate::digest::Digest;
use crate::encoding::json;
use crate::encoding::json::Dialect;
use crate::encoding::json::Node;
use crate::host::Host;
use crate::keyed::Keys;
use crate::limits;
use crate::oci::url::Url;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The list of what is attached to a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrers {
    /// An image index: as it came when one document lists everything, otherwise put together from
    /// the entries as they came, each once. When only the tag exists and holds something else,
    /// that.
    pub bytes: Vec<u8>,
    /// Where entries were found.
    pub source: Source,
    /// Why there may be more than is listed. Nothing listed and not sure of it is an error
    /// instead.
    pub incomplete: Option<RegistryError>,
}

/// Where referrers were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The referrers API.
    Api,
    /// The tag `sha256-<hex>`.
    TagSchema,
    /// Both.
    Both,
    /// Nowhere: nothing is attached.
    None,
}

/// One document of a list.
struct ListDocument {
    bytes: Vec<u8>,
    entries: Vec<String>,
}

/// One page of a list, as the registry sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The body, whole, at most [`limits::MANIFEST`] bytes.
    pub bytes: Vec<u8>,
    /// The query of the next page's address, where the registry names one.
    pub next: Option<String>,
    /// Whether the registry says that it filtered referrers by their artifact type.
    pub filtered: bool,
}

struct OnePage {
    document: ListDocument,
    /// Where the list goes on; an error when the registry names a place where it cannot.
    next: Result<Option<Url>, RegistryError>,
}

impl<H: Host> Registry<'_, H> {
    /// One page of `tags/list` or `referrers/<digest>`, with its query; `None` when there is none.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(crate) async fn list(
        &self,
        path_and_query: &str,
        accept: &'static str,
    ) -> Result<Option<Page>, RegistryError> {
        let answer = self
            .ask(
                "GET",
                &self.url(path_and_query),
                accept,
                limits::MANIFEST,
                self.followed(),
            )
            .await?;
        let Some(answer) = self.found(answer, "200 or 404")? else {
            return Ok(None);
        };
        let next = answer
            .headers("link")
            .find_map(next_link)
            .and_then(|link| link.split_once('?'))
            .map(|(_, query)| query.into());
        let filtered = answer.headers("oci-filters-applied").next().is_some();
        Ok(Some(Page {
            next,
            filtered,
            bytes: answer.response.body,
        }))
    }

    /// Lists what is attached to `digest`, by the API and by the tag schema.
    ///
    /// # Errors
    /// [`RegistryError`] when the API exists and gives no answer, or nothing is listed and a source
    /// is out of reach.
    pub(crate) async fn referrers(&self, digest: &Digest) -> Result<Referrers, RegistryError> {
        let (mut documents, mut incomplete) = self.pages(digest).await?;
        let pages = documents.len();
        let mut odd = None;
        match self.manifest(&tag(digest)).await {
            Ok(Some(fetched)) => match read(fetched.bytes) {
                Ok(document) => documents.push(document),
                Err(bytes) => odd = Some(bytes),
            },
            Ok(None) => {}
            Err(error) => incomplete = incomplete.or(Some(error)),
        }
        let listed = |documents: Option<&[ListDocument]>| {
            documents
                .unwrap_or_default()
                .iter()
                .any(|document| !document.entries.is_empty())
        };
        let source = match (
            listed(documents.get(..pages)),
            listed(documents.get(pages..)) || odd.is_some(),
        ) {
            (true, true) => Source::Both,
            (true, false) => Source::Api,
            (false, true) => Source::TagSchema,
            (false, false) => Source::None,
        };
        match (source, incomplete, odd) {
            (Source::None, Some(error), _) => Err(error),
            (Source::TagSchema, incomplete, Some(bytes)) => Ok(Referrers {
                bytes,
                source,
                incomplete,
            }),
            (_, incomplete, _) => Ok(merge(documents, source, incomplete)),
        }
    }

    /// The pages of the API, none when there is no API; and why there may be more.
    async fn pages(
        &self,
        digest: &Digest,
    ) -> Result<(Vec<ListDocument>, Option<RegistryError>), RegistryError> {
        let Some(page) = self.first_page(digest).await? else {
            return Ok((Vec::new(), None));
        };
        let mut documents = Vec::from([page.document]);
        let mut next = page.next;
        loop {
            let url = match next {
                Ok(Some(url)) => url,
                Ok(None) => return Ok((documents, None)),
                Err(error) => return Ok((documents, Some(error))),
            };
            let listed: usize = documents
                .iter()
                .map(|document| document.entries.len())
                .sum();
            let bytes: usize = documents.iter().map(|document| document.bytes.len()).sum();
            if documents.len() >= limits::REFERRERS_PAGES
                || listed >= limits::EVIDENCE_LISTED
                || bytes >= limits::EVIDENCE_TOTAL
            {
                return Ok((
                    documents,
                    Some(RegistryError::Limit {
                        listed: listed.min(limits::EVIDENCE_LISTED),
                    }),
                ));
            }
            match self.page(&url).await {
                Ok(Some(page)) => {
                    documents.push(page.document);
                    next = page.next;
                }
                Ok(None) => {
                    return Ok((
                        documents,
                        Some(self.told(RegistryError::Page { url: url.shown() })),
                    ));
                }
                Err(error) => return Ok((documents, Some(error))),
            }
        }
    }

    async fn first_page(&self, digest: &Digest) -> Result<Option<OnePage>, RegistryError> {
        match self.page(&self.url(&format!("referrers/{digest}"))).await {
            // Some registries know no such address and so grant no right to it; but credentials
            // that read nothing prove nothing.
            Err(
                error @ (RegistryError::Unauthorized { .. }
                | RegistryError::Refused { status: 403, .. }),
            ) => {
                if matches!(self.head(&digest.to_string()).await, Ok(Some(_))) {
                    Ok(None)
                } else {
                    Err(error)
                }
            }
            page => page,
        }
    }

    /// One page; `None` when there is no API (docs/trust.md section 7).
    async fn page(&self, url: &Url) -> Result<Option<OnePage>, RegistryError> {
        let answer = self
            .ask("GET", url, INDEX, limits::MANIFEST, self.followed())
            .await?;
        match answer.status() {
            200 => {}
            400 | 404 | 405 | 406 | 501 => return Ok(None),
            _ => return Err(self.error(&answer, "200 or 404")),
        }
        let next = self.next(&answer);
        Ok(read(answer.response.body)
            .ok()
            .map(|document| OnePage { document, next }))
    }

    /// The next page, at our own registry whatever scheme and port a proxy let it write.
    fn next(&self, answer: &Reply) -> Result<Option<Url>, RegistryError> {
        let Some(link) = answer.headers("link").find_map(next_link) else {
            return Ok(None);
        };
        let elsewhere = || {
            self.told(RegistryError::Page {
                url: answer.url.shown(),
            })
        };
        let url = answer
            .url
            .join(link)
            .filter(|url| url.host() == self.base.host())
            .ok_or_else(elsewhere)?;
        Ok(Some(self.base.at(url.target())))
    }
}

/// The tag of the tag schema: algorithm and hash, each cut to what a tag can hold.
fn tag(digest: &Digest) -> String {
    let hash: String = digest.hex().chars().take(64).collect();
    format!("{}-{hash}", digest.algorithm().name())
}

/// The target of the first `rel="next"` (RFC 8288 section 3).
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .split_ascii_whitespace()
                    .any(|rel| rel.eq_ignore_ascii_case("next"))
        };
        if parameters.split(';').any(is_next) {
            return Some(target);
        }
        rest = after;
    }
}

/// An index and its entries as they stand in it; the bytes again when they are no index. Go writes
/// an empty list as `null`.
fn read(bytes: Vec<u8>) -> Result<ListDocument, Vec<u8>> {
    let Ok(node) = json::parse(&bytes, Dialect::Strict) else {
        return Err(bytes);
    };
    let typed = node
        .member("mediaType")
        .is_none_or(|media_type| media_type.as_str() == Some(INDEX));
    let list = node.member("manifests").and_then(|list| {
        if list.is_null() {
            Some(&[][..])
        } else {
            list.as_array()
        }
    });
    let Some(list) = list.filter(|_| typed) else {
        return Err(bytes);
    };
    let text = |entry: &Node| {
        bytes
            .get(entry.span.clone())
            .and_then(|text| core::str::from_utf8(text).ok())
            .unwrap_or_default()
            .into()
    };
    let entries = list.iter().map(text).collect();
    Ok(ListDocument { bytes, entries })
}

/// One document as it is, or an index of what several list.
fn merge(
    documents: Vec<ListDocument>,
    source: Source,
    incomplete: Option<RegistryError>,
) -> Referrers {
    let mut documents: Vec<ListDocument> = documents
        .into_iter()
        .filter(|document| !document.entries.is_empty())
        .collect();
    if let [only] = documents.as_mut_slice()
        && only.entries.len() <= limits::EVIDENCE_LISTED
    {
        return Referrers {
            bytes: core::mem::take(&mut only.bytes),
            source,
            incomplete,
        };
    }
    let mut seen = Keys::default();
    let mut entries: Vec<&str> = documents
        .iter()
        .flat_map(|document| &document.entries)
        .map(String::as_str)
        .filter(|entry| seen.add(*entry))
        .collect();
    let cut = entries.len() > limits::EVIDENCE_LISTED;
    entries.truncate(limits::EVIDENCE_LISTED);
    let incomplete = incomplete.or_else(|| {
        cut.then_some(RegistryError::Limit {
            listed: limits::EVIDENCE_LISTED,
        })
    });
    let bytes = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{INDEX}\",\"manifests\":[{}]}}",
        entries.join(",")
    )
    .into_bytes();
    Referrers {
        bytes,
        source,
        incomplete,
    }
}
