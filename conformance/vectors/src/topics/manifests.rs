//! Topic `manifests`: documents, digests, references, layouts.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::bytes;
use crate::case::refuse;
use crate::package::Package;
use sealgate::internals::digest::Digest;
use sealgate::internals::oci::Document;
use sealgate::internals::oci::Index;
use sealgate::internals::oci::Layout;
use sealgate::internals::oci::Platform;
use sealgate::internals::oci::index::Compression;
use sealgate::internals::oci::layout;
use sealgate::internals::oci::media_type::Kind;
use sealgate::internals::oci::schema1;
use sealgate::internals::oci::schema1::Schema1;
use sealgate::internals::oci::tag;
use sealgate::internals::reference::Grammar;
use sealgate::internals::reference::Reference;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;

pub fn run(case: &Case) -> Run {
    match case.kind.as_str() {
        "manifest-digest" => manifest_digest(case),
        "manifest-type" => manifest_type(case),
        "manifest-parse" => manifest_parse(case),
        "platform-select" => platform_select(case),
        "oci-layout" => oci_layout(case),
        "layout-lookup" => layout_lookup(case),
        "referrers" => referrers(case),
        "dir-image" => dir_image(case),
        "digest-parse" => {
            let _: () = drop(digest(case, "digest")?);
            Ok(())
        }
        "reference-parse" => reference_parse(case),
        "reference-normalize" => reference_normalize(case),
        "tag-scheme" => tag_scheme(case),
        _ => Err(Stop::Unsupported),
    }
}

pub fn through_package(case: &Case, package: &Package) -> Option<Run> {
    (case.kind == "reference-normalize").then(|| parse_reference(case, package))
}

fn parse_reference(case: &Case, package: &Package) -> Run {
    let found = package.call("parseReference", json!([case.required("input")?]))?;
    let member = |name: &str| {
        found
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| Stop::Broken(format!("{name} is no string in {found}")))
    };
    agrees(case, "full", member("canonical")?)?;
    agrees(case, "domain", member("domain")?)?;
    agrees(case, "path", member("path")?)
}

fn digest(case: &Case, param: &str) -> Run<Digest> {
    Ok(Digest::parse(case.required(param)?)?)
}

/// Compares with a parameter, where the case has it.
fn agrees(case: &Case, param: &str, found: &str) -> Run {
    case.text(param)?
        .map_or(Ok(()), |expected| answer(found, expected))
}

fn manifest_digest(case: &Case) -> Run {
    let bytes = case.input("manifest")?;
    let payload = schema1::payload(&bytes)?;
    Ok(digest(case, "digest")?.check(&payload)?)
}

fn manifest_type(case: &Case) -> Run {
    match schema1::recognise(&case.input("manifest")?) {
        Some(media_type) => answer(media_type, case.required("media_type")?),
        None => refuse("vector.no-type"),
    }
}

fn manifest_parse(case: &Case) -> Run {
    let bytes = case.input("manifest")?;
    let media_type = case.required("media_type")?;
    if Kind::of(media_type) == Some(Kind::Schema1) {
        return {
            let _: () = drop(Schema1::parse(&bytes)?);
            Ok(())
        };
    }
    let document = Document::parse(&bytes, Some(media_type))?;
    answer(document.media_type(), media_type)
}

fn index(bytes: &[u8]) -> Run<Index> {
    match Document::parse(bytes, None)? {
        Document::Index(index) => Ok(index),
        Document::Manifest(_) => refuse("vector.no-index"),
    }
}

fn platform_select(case: &Case) -> Run {
    let index = index(&case.input("index")?)?;
    let platform = Platform::new(
        case.required("os")?,
        case.required("architecture")?,
        case.text("variant")?,
    );
    let gzip = case
        .param("prefer_gzip")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let chosen = index.select_by(
        &platform,
        if gzip {
            Compression::PreferGzip
        } else {
            Compression::PreferZstd
        },
    );
    match chosen {
        Some(chosen) => agrees(case, "digest", &chosen.digest.to_string()),
        None => refuse("vector.no-instance"),
    }
}

/// The blob store of a layout. A file that cannot be read is not stored.
fn blobs(root: &Path) -> impl Fn(&Digest) -> Option<Vec<u8>> {
    let root = root.join("blobs");
    move |digest| fs::read(root.join(digest.algorithm().name()).join(digest.hex())).ok()
}

fn open_layout(root: &Path) -> Run<Layout> {
    // Some layouts of the vectors were copied without their oci-layout file.
    if root.join("oci-layout").is_file() {
        layout::check_version(&bytes(&root.join("oci-layout"))?)?;
    }
    Ok(Layout::parse(&bytes(&root.join("index.json"))?)?)
}

fn oci_layout(case: &Case) -> Run {
    let root = case.path("layout")?;
    let _: () = drop(open_layout(&root)?.walk(&blobs(&root))?);
    Ok(())
}

fn layout_lookup(case: &Case) -> Run {
    let layout = Layout::parse(&case.input("index")?)?;
    let name = case.text("ref")?.filter(|name| !name.is_empty());
    let found = layout.find(name)?;
    agrees(case, "digest", &found.digest.to_string())?;
    agrees(case, "media_type", &found.media_type)?;
    let position = layout
        .index()
        .manifests
        .iter()
        .position(|entry| std::ptr::eq(entry, found));
    case.param("position").map_or(Ok(()), |expected| {
        answer(
            position.and_then(|at| u64::try_from(at).ok()),
            expected.as_u64(),
        )
    })
}

fn referrers(case: &Case) -> Run {
    let root = case.path("layout")?;
    let layout = open_layout(&root)?;
    let walk = layout.walk(&blobs(&root))?;
    let subject = digest(case, "subject")?;
    let tag = tag::referrers_tag(&subject);
    agrees(case, "fallback_tag", &tag)?;
    let found = walk.referrers(&subject);
    if found.is_empty() {
        return refuse("vector.no-referrers");
    }
    let mut found: Vec<(String, String)> = found
        .iter()
        .map(|entry| {
            (
                entry.digest.to_string(),
                entry.artifact_type.clone().unwrap_or_default(),
            )
        })
        .collect();
    found.sort();
    let text = |entry: &Value, key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_string()
    };
    let mut expected: Vec<(String, String)> = listed(case, "referrers")
        .iter()
        .map(|entry| (text(entry, "digest"), text(entry, "artifactType")))
        .collect();
    expected.sort();
    answer(found, expected)?;
    let Some(index) = case.text("fallback_index")? else {
        return Ok(());
    };
    let entry = layout.find(Some(&tag))?;
    answer(entry.digest.to_string(), index)?;
    let fallback = walk
        .documents
        .iter()
        .find_map(|(descriptor, document)| match document {
            Document::Index(index) if descriptor.digest == entry.digest => Some(index),
            _ => None,
        });
    fallback.map_or_else(
        || refuse("vector.no-fallback-index"),
        |fallback| lists(case, fallback),
    )
}

fn listed(case: &Case, key: &str) -> Vec<Value> {
    case.param(key)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn lists(case: &Case, fallback: &Index) -> Run {
    let expected: Vec<String> = listed(case, "listed")
        .iter()
        .filter_map(Value::as_str)
        .map(String::from)
        .collect();
    let found: Vec<String> = fallback
        .manifests
        .iter()
        .map(|entry| entry.digest.to_string())
        .collect();
    answer(found, expected)
}

/// The `dir:` transport: `manifest.json`, and each blob under its hash.
fn dir_image(case: &Case) -> Run {
    let root = case.path("dir")?;
    let manifest = bytes(&root.join("manifest.json"))?;
    let manifest = schema1::payload(&manifest)?;
    digest(case, "digest")?.check(&manifest)?;
    let schema1 = schema1::recognise(&manifest).and_then(Kind::of) == Some(Kind::Schema1);
    let listed: Vec<(Digest, Option<u64>)> = if schema1 {
        Schema1::parse(&manifest)?
            .layers
            .into_iter()
            .map(|digest| (digest, None))
            .collect()
    } else {
        match Document::parse(&manifest, None)? {
            Document::Manifest(manifest) => manifest
                .layers
                .into_iter()
                .chain([manifest.config])
                .map(|entry| (entry.digest, Some(entry.size)))
                .collect(),
            Document::Index(_) => return refuse("vector.no-image"),
        }
    };
    for (digest, size) in listed {
        let Ok(blob) = fs::read(root.join(digest.hex())) else {
            return refuse("vector.no-blob");
        };
        digest.check(&blob)?;
        if size.is_some_and(|size| u64::try_from(blob.len()) != Ok(size)) {
            return refuse("vector.blob-size");
        }
    }
    Ok(())
}

fn reference_parse(case: &Case) -> Run {
    let found = Reference::parse(case.required("input")?, Grammar::Distribution)?;
    agrees(case, "repository", &found.name())?;
    agrees(case, "domain", found.domain())?;
    agrees(case, "tag", found.tag().unwrap_or_default())?;
    agrees(
        case,
        "digest",
        &found.digest().map(ToString::to_string).unwrap_or_default(),
    )
}

fn reference_normalize(case: &Case) -> Run {
    let found = Reference::normalize(case.required("input")?, Grammar::Distribution)?;
    agrees(case, "full", &found.to_string())?;
    agrees(case, "domain", found.domain())?;
    agrees(case, "path", found.path())
}

fn tag_scheme(case: &Case) -> Run {
    let digest = digest(case, "digest")?;
    let tag = match case.required("what")? {
        "signature" => tag::signature_tag(&digest),
        "attestation" => tag::attestation_tag(&digest),
        "sbom" => tag::sbom_tag(&digest),
        "referrers" => tag::referrers_tag(&digest),
        _ => return Err(Stop::Unsupported),
    };
    agrees(case, "tag", &tag)
}
