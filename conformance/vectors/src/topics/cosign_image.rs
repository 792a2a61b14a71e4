//! Topic `cosign-image`: `.sig` signatures.
//!
//! What is asked of sealgate: reading layer and payload, the signature, the digest, the name. The
//! runner itself only takes containers apart that sealgate does not read: the files of the `dir:`
//! transport, and the vectors' own.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::failed;
use crate::case::json;
use crate::case::refuse;
use crate::package;
use crate::package::Package;
use crate::provider::Chosen;
use crate::provider::now;
use crate::topics::letter;
use crate::topics::letter::Trusted;
use crate::topics::policy;
use sealgate::internals::cosign::SIMPLE_SIGNING;
use sealgate::internals::cosign::SignatureLayer;
use sealgate::internals::cosign::containers_image::Trust;
use sealgate::internals::crypto::Hash;
use sealgate::internals::crypto::PublicKey;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use sealgate::internals::oci::Document;
use sealgate::internals::oci::media_type;
use sealgate::internals::oci::media_type::Kind;
use sealgate::internals::oci::schema1;
use sealgate::internals::oci::tag;
use sealgate::internals::reference::Grammar;
use sealgate::internals::reference::Reference;
use sealgate::internals::sigstore::identity::Identity;
use sealgate::internals::sigstore::trusted_root::TrustedRoot;
use sealgate::internals::sigstore::verify::Artifact;
use sealgate::internals::sigstore::verify::Says;
use sealgate::internals::sigstore::verify::Signer;
use sealgate::internals::sigstore::verify::verify_bundle;
use sealgate::internals::simple_signing::Payload;
use sealgate::policy::Matcher;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::ffi::OsStr;
use std::path::Path;

pub fn run(case: &Case, provider: &Chosen) -> Run {
    if is_keyless(case) {
        return keyless(case, provider);
    }
    match case.kind.as_str() {
        "cosign-legacy" if case.has_input("keys") => legacy(case, provider),
        "containers-sigstore" => containers(case, provider, &[case.input("signature")?]),
        "containers-sigstore-image" => containers(case, provider, &case.inputs("signatures")?),
        "rekor-set" => letter::set(case, provider),
        "rekor-set-only" => letter::set_only(case, &case.input("set")?, provider),
        "cosign-blob-bundle" => letter::blob_bundle(case, provider),
        "fulcio-cert" => letter::fulcio_certificate(case, provider),
        "cert-identity" => letter::identity(case),
        _ => Err(Stop::Unsupported),
    }
}

/// Certificates under a whole trusted root, by an identity.
pub fn is_keyless(case: &Case) -> bool {
    case.kind == "cosign-legacy" && !case.has_input("keys") && case.has_input("trusted_root")
}

fn keyless(case: &Case, provider: &Chosen) -> Run {
    if !case.has_input("payload") {
        return Err(Stop::Unsupported);
    }
    let root = TrustedRoot::load(&case.input("trusted_root")?)
        .map_err(|error| failed(&error.into()))?
        .map_err(|failure| failed(&failure))?;
    let signer = Signer::Identity(vec![Identity {
        subject: case.pattern("identity", "identity_regex", None)?,
        issuer: case.pattern("issuer", "issuer_regex", None)?,
        claims: Vec::new(),
    }]);
    let wanted = annotations(case)?;
    let mut last = Stop::Refused("vector.no-signature".into());
    for layer in layers(case)? {
        let bundle = layer.as_bundle(true).map_err(|failure| failed(&failure))?;
        match now(verify_bundle(
            &bundle,
            &Artifact::Bytes(Vec::new()),
            &signer,
            &root,
            case.log_threshold()?,
            provider,
        ))? {
            Ok(verified) => match said(&verified.claim().says, case.text("digest")?, &wanted) {
                Ok(()) => return Ok(()),
                Err(stop) => last = stop,
            },
            Err(refused) => last = failed(&refused.failure),
        }
    }
    Err(last)
}

/// A verified claim is about this digest and carries what is wanted.
fn said(says: &Says, digest: Option<&str>, wanted: &[(String, String)]) -> Run {
    match (says, digest) {
        (Says::Payload(payload), Some(digest)) if payload.manifest_digest != digest => {
            refuse("digest.not-signed")
        }
        (Says::Payload(payload), _) => carries(payload, wanted),
        _ if wanted.is_empty() => Ok(()),
        _ => refuse("vector.other-annotations"),
    }
}

/// As a whole image: what the package does not ask (thresholds, logs, other hashes, images of
/// schema 1) is left to the core.
pub fn through_package(case: &Case, package: &Package) -> Option<Run> {
    let dir = |files: &[Vec<u8>]| {
        Some(
            files
                .iter()
                .map(|file| dir_signature(file))
                .collect::<Run<Vec<_>>>()
                .ok()?
                .into_iter()
                .flatten()
                .collect(),
        )
    };
    let (manifest, layers): (_, Vec<SignatureLayer>) = match case.kind.as_str() {
        "containers-sigstore" => ("manifest", dir(&[case.input("signature").ok()?])?),
        "containers-sigstore-image" => ("manifest", dir(&case.inputs("signatures").ok()?)?),
        "cosign-legacy"
            if case.has_input("keys")
                && !case.has_input("rekor_keys")
                && case
                    .param_names()
                    .all(|name| ["digest", "tlog", "annotations"].contains(&name))
                && case.param("tlog") == Some(&Value::Bool(false)) =>
        {
            ("image_manifest", layers(case).ok()?)
        }
        _ => return None,
    };
    let manifest = case.input(manifest).ok()?;
    let kind =
        schema1::recognise(&manifest).filter(|kind| Kind::of(kind) != Some(Kind::Schema1))?;
    Some(verify_image(case, package, &layers, &manifest, kind))
}

fn keys(case: &Case) -> Run<Vec<PublicKey>> {
    case.inputs("keys")?
        .iter()
        .map(|pem| Ok(PublicKey::from_pem(pem)?))
        .collect()
}

/// The payload of a layer that the key signed, and that one of the logs has, where there are any.
fn payload(
    provider: &Chosen,
    layer: &SignatureLayer,
    key: &PublicKey,
    hash: Hash,
    logs: &[PublicKey],
) -> Run<Payload> {
    let keys = std::slice::from_ref(key);
    let payload = if logs.is_empty() {
        now(layer.verify(keys, hash, provider))?.map(|verified| verified.claim().clone())
    } else {
        now(layer.verify_as_containers_image(&Trust::Keys(keys), logs, provider))?
            .map(|verified| verified.claim().payload().clone())
    };
    payload.map_err(|refused| failed(&refused.failure))
}

/// Files of the `dir:` transport against a `sigstoreSigned` requirement with keys
/// (docs/containers-image.md sections 4 and 6): one accepted signature suffices.
fn containers(case: &Case, provider: &Chosen, files: &[Vec<u8>]) -> Run {
    let (trusted, matcher) = (
        Trusted::read(case)?,
        policy::matcher(case, "signedIdentity")?,
    );
    let image = Reference::normalize(case.required("docker_reference")?, Grammar::Containers)?;
    if !case.has_input("manifest") {
        return refuse("vector.no-manifest");
    }
    let digest = schema1::digest(&case.input("manifest")?)?;
    // Before anything is judged, all must be readable.
    let layers = files
        .iter()
        .map(|file| dir_signature(file))
        .collect::<Run<Vec<_>>>()?;
    let mut last = Stop::Refused("vector.no-signature".into());
    for layer in layers.into_iter().flatten() {
        match accepted(
            trusted.payload(case, &layer, provider),
            &matcher,
            &image,
            &digest,
        ) {
            Err(Stop::Refused(code)) => last = Stop::Refused(code),
            done => return done,
        }
    }
    Err(last)
}

fn verify_image(
    case: &Case,
    package: &Package,
    layers: &[SignatureLayer],
    manifest: &[u8],
    kind: &str,
) -> Run {
    let (image, mut options) = match case.text("docker_reference")? {
        // Such a case gives no name, and its signatures speak of some.
        None => {
            let keys: Vec<Value> = case
                .inputs("keys")?
                .iter()
                .map(|pem| package::bytes(pem))
                .collect();
            let wanted: Map<String, Value> = annotations(case)?
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            (
                format!("vectors.example/image@{}", case.required("digest")?),
                json!({"key": keys, "anyName": true, "annotations": wanted}),
            )
        }
        Some(image) => {
            let identity = case
                .param("signedIdentity")
                .ok_or_else(|| Stop::Broken("params.signedIdentity is missing".into()))?;
            let (requirement, assets) = letter::requirement(case, identity)?;
            (
                image.into(),
                json!({"policy": json!({"default": [requirement]}).to_string(), "assets": assets}),
            )
        }
    };
    options["provider"] = package.provider.into();
    options["evidence"] = package::bytes(
        evidence(&image, manifest, kind, layers)?
            .to_string()
            .as_bytes(),
    );
    let report = package.call("verifyImage", json!([image, options]))?;
    let text = |key: &str| report.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("verdict"), text("code")) {
        ("allow", _) => Ok(()),
        ("deny" | "unknown", code) if !code.starts_with("host.") => refuse(code),
        _ => Err(Stop::Broken(report.to_string())),
    }
}

/// What a registry would answer that has this image and these signatures under the image's `.sig`
/// tag.
fn evidence(image: &str, manifest: &[u8], kind: &str, layers: &[SignatureLayer]) -> Run<Value> {
    let name = Reference::normalize(image, Grammar::Distribution)?.with_default_tag();
    let at = name
        .digest()
        .map(ToString::to_string)
        .or_else(|| name.tag().map(String::from))
        .unwrap_or_default();
    let digest = Digest::of(manifest);
    let there = |path: String, kind: &str, body: &[u8]| json!({"path": path, "status": 200, "contentType": kind, "body": base64::encode(body)});
    let mut answers = vec![
        there(format!("manifests/{at}"), kind, manifest),
        json!({"path": format!("referrers/{digest}"), "status": 200, "referrers": []}),
    ];
    let descriptor = |kind: &str, content: &[u8]| json!({"mediaType": kind, "digest": Digest::of(content).to_string(), "size": content.len()});
    let listed = layers.iter().map(|layer| {
        let mut listed = descriptor(&layer.media_type, &layer.payload);
        listed["annotations"] = layer
            .annotations
            .iter()
            .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
            .collect::<Map<_, _>>()
            .into();
        listed
    });
    let signatures = json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": descriptor(media_type::OCI_CONFIG, b"{}"), "layers": listed.collect::<Vec<_>>()});
    answers.push(there(
        format!("manifests/{}", tag::signature_tag(&digest)),
        media_type::OCI_MANIFEST,
        signatures.to_string().as_bytes(),
    ));
    answers.extend(layers.iter().map(|layer| {
        there(
            format!("blobs/{}", Digest::of(&layer.payload)),
            &layer.media_type,
            &layer.payload,
        )
    }));
    Ok(
        json!({"version": 1, "name": image, "repository": name.path(), "reference": at, "answers": answers}),
    )
}

/// One signature is about this digest and this name.
fn accepted(payload: Run<Payload>, matcher: &Matcher, image: &Reference, digest: &Digest) -> Run {
    let payload = payload?;
    answer(payload.manifest_digest, digest.to_string())?;
    if matcher.accepts(Some(image), &payload.docker_reference) {
        Ok(())
    } else {
        refuse("vector.other-name")
    }
}

/// A signature file of the `dir:` transport; `None` for one that is no sigstore signature (section
/// 5).
fn dir_signature(file: &[u8]) -> Run<Option<SignatureLayer>> {
    const SIGSTORE: &[u8] = b"\0sigstore-json\n";
    match file {
        [
            0xa0..=0xa3 | 0xc8 | 0x90..=0x92 | 0xc4 | 0x3d | 0x88..=0x8b | 0xc2,
            ..,
        ] => return Ok(None),
        _ if file.starts_with(b"\0simple-signing\n") => return Ok(None),
        _ => {}
    }
    let Some(text) = file.strip_prefix(SIGSTORE) else {
        return refuse("vector.unknown-format");
    };
    let Ok(record) = serde_json::from_slice::<Value>(text) else {
        return refuse("vector.no-json");
    };
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    let (Some(media_type), Some(payload)) = (
        text("mimeType"),
        text("payload").and_then(base64::decode_go),
    ) else {
        return refuse("vector.no-record");
    };
    let annotations = record
        .get("annotations")
        .filter(|annotations| !annotations.is_null())
        .map_or(Ok(Vec::new()), texts)?;
    Ok(Some(SignatureLayer {
        media_type: media_type.into(),
        payload,
        annotations,
    }))
}

/// Layers against keys and a digest, without a name, as `cosign verify --key` judges.
fn legacy(case: &Case, provider: &Chosen) -> Run {
    let logged = case
        .param("tlog")
        .and_then(Value::as_bool)
        .unwrap_or(case.has_input("rekor_keys"));
    if logged && !case.has_input("rekor_keys") {
        return refuse("vector.no-log-key");
    }
    let digest = Digest::parse(case.required("digest")?)?;
    if case.has_input("image_manifest") {
        digest.check(&schema1::payload(&case.input("image_manifest")?)?)?;
    }
    let hash = match case.text("hash")? {
        None | Some("sha256") => Hash::Sha256,
        Some("sha384") => Hash::Sha384,
        Some("sha512") => Hash::Sha512,
        Some(_) => return Err(Stop::Unsupported),
    };
    if logged && hash != Hash::Sha256 {
        return Err(Stop::Unsupported);
    }
    let log = if logged {
        letter::rekor(case)?
    } else {
        Vec::new()
    };
    let (wanted, layers) = (annotations(case)?, layers(case)?);
    let by_layer = |layer: &SignatureLayer, key: &PublicKey| {
        let payload = payload(provider, layer, key, hash, &log)?;
        answer(payload.manifest_digest.as_str(), digest.to_string())?;
        carries(&payload, &wanted)
    };
    let by_key = |key: &PublicKey| {
        let mut last = refuse("vector.no-signature");
        for layer in &layers {
            last = by_layer(layer, key);
            if last.is_ok() {
                break;
            }
        }
        last
    };
    enough(case, keys(case)?.iter().map(by_key).collect())
}

/// Whether those keys signed that the case asks for, by what became of each. Keys are counted, each
/// once; not signatures.
fn enough(case: &Case, by_key: Vec<Run>) -> Run {
    let threshold = case
        .param("threshold")
        .map_or(Some(1), Value::as_u64)
        .ok_or_else(|| Stop::Broken("params.threshold is no number".into()))?;
    for required in required_keys(case)? {
        if !by_key.get(required).is_some_and(Result::is_ok) {
            return refuse("vector.required-key");
        }
    }
    let (mut signers, mut last) = (0, Ok(()));
    for run in by_key {
        match run {
            Ok(()) => signers += 1,
            refused => last = refused,
        }
    }
    match (signers >= threshold, signers) {
        (true, _) => Ok(()),
        (false, 0) => last.and_then(|()| refuse("vector.no-signature")),
        (false, _) => refuse("vector.threshold"),
    }
}

/// Which keys must have signed, whoever else did (Connaisseur's `required`): each is named by its
/// path, or by its file's name without the extension. A name of no key, or of several, is not
/// understood.
fn required_keys(case: &Case) -> Run<Vec<usize>> {
    let Some(required) = case.param("required") else {
        return Ok(Vec::new());
    };
    let paths = case.input_paths("keys")?;
    let key = |name: &Value| {
        let name = name.as_str().ok_or(Stop::Unsupported)?;
        let is_called = |path: &str| {
            path == name || Path::new(path).file_stem().and_then(OsStr::to_str) == Some(name)
        };
        let mut called = (0..).zip(&paths).filter(|(_, path)| is_called(path));
        match (called.next(), called.next()) {
            (Some((at, _)), None) => Ok(at),
            _ => Err(Stop::Unsupported),
        }
    };
    let names = required.as_array().ok_or(Stop::Unsupported)?;
    names.iter().map(key).collect()
}

/// What the signed payload must carry, as `cosign verify -a` demands it.
fn annotations(case: &Case) -> Run<Vec<(String, String)>> {
    let Some(wanted) = case.param("annotations") else {
        return Ok(Vec::new());
    };
    texts(wanted).map_err(|_| Stop::Broken("params.annotations is no object of strings".into()))
}

/// Each wanted annotation is in the payload, with exactly this value.
fn carries(payload: &Payload, wanted: &[(String, String)]) -> Run {
    if wanted.iter().all(|one| payload.annotations.contains(one)) {
        Ok(())
    } else {
        refuse("vector.other-annotations")
    }
}

/// The layers of the case that have the payload as their content.
fn layers(case: &Case) -> Run<Vec<SignatureLayer>> {
    let payload = case.input("payload")?;
    if case.has_input("annotations") {
        let annotations = json(&case.input("annotations")?)?;
        return Ok(vec![SignatureLayer {
            media_type: SIMPLE_SIGNING.into(),
            payload,
            annotations: texts(&annotations)?,
        }]);
    }
    let Document::Manifest(manifest) = Document::parse(&case.input("sig_manifest")?, None)? else {
        return refuse("vector.no-manifest");
    };
    let wanted = case.param("layer").and_then(Value::as_u64);
    let layers = manifest.layers.into_iter().zip(0..).filter(|(layer, at)| {
        wanted.is_none_or(|wanted| wanted == *at) && layer.digest.check(&payload).is_ok()
    });
    Ok(layers
        .map(|(layer, _)| SignatureLayer {
            media_type: layer.media_type,
            payload: payload.clone(),
            annotations: layer.annotations,
        })
        .collect())
}

/// An object of strings.
fn texts(object: &Value) -> Run<Vec<(String, String)>> {
    let Some(members) = object.as_object() else {
        return refuse("vector.no-annotations");
    };
    let text = |(key, value): (&String, &Value)| {
        value
            .as_str()
            .map(|text| (key.clone(), text.into()))
            .ok_or_else(|| Stop::Refused("vector.no-annotations".into()))
    };
    members.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Outcome;
    use crate::topics;

    const FIXTURES: &str = "../../fixtures";

    /// A signature of this repository's fixtures against keys.
    fn outcome(fixture: &str, keys: &[&str], params: &str) -> String {
        let directory = format!("{FIXTURES}/cosign/{fixture}");
        let manifest = std::fs::read(format!("{directory}/manifest.json")).unwrap();
        let mut params: Value = serde_json::from_str(params).unwrap();
        params["digest"] = Digest::of(&manifest).to_string().into();
        params["tlog"] = false.into();
        let keys: Vec<String> = keys.iter().map(|key| format!("{FIXTURES}/{key}")).collect();
        let mut case = Case::for_tests(
            &json!({
                "id": "cosign-image/x",
                "kind": "cosign-legacy",
                "inputs": {
                    "sig_manifest": format!("{directory}/sig-manifest.json"),
                    "payload": format!("{directory}/payload.json"),
                    "image_manifest": format!("{directory}/manifest.json"),
                    "keys": keys,
                },
                "params": params,
                "expect": "ok",
            })
            .to_string(),
        );
        case.topic = "cosign-image".into();
        let outcome: Outcome = topics::run(&case, &Chosen::Rust);
        outcome.to_string()
    }

    /// Signed: `build` is 42, `name with space` is ö.
    #[test]
    fn signed_annotations() {
        let fixture = "ecdsa-p256-signature-annotations";
        let key = &["cosign/ecdsa-p256-signature-annotations/key.pub"];
        let other = "error vector.other-annotations";
        for (params, expected) in [
            ("{}", "ok -"),
            (r#"{"annotations": {}}"#, "ok -"),
            (r#"{"annotations": {"build": "42"}}"#, "ok -"),
            (
                r#"{"annotations": {"build": "42", "name with space": "ö"}}"#,
                "ok -",
            ),
            (r#"{"annotations": {"build": "43"}}"#, other),
            (r#"{"annotations": {"Build": "42"}}"#, other),
            (r#"{"annotations": {"build": "42", "more": ""}}"#, other),
            (
                r#"{"annotations": {"build": 42}}"#,
                r#"broken "params.annotations is no object of strings""#,
            ),
            (
                r#"{"annotations": {"build": "42"}, "of-tomorrow": 1}"#,
                "unsupported -",
            ),
        ] {
            assert_eq!(outcome(fixture, key, params), expected, "{params}");
        }
        let unsigned = outcome(
            "ecdsa-p256-signature",
            &["cosign/ecdsa-p256-signature/key.pub"],
            r#"{"annotations": {"build": "42"}}"#,
        );
        assert_eq!(unsigned, other);
    }

    /// `key` signed, `cosign` did not.
    #[test]
    fn required_signers() {
        let fixture = "ecdsa-p256-signature-two";
        let keys = &["demo/cosign.pub", "cosign/ecdsa-p256-signature-two/key.pub"];
        let missing = "error vector.required-key";
        for (params, expected) in [
            ("{}", "ok -"),
            (r#"{"required": []}"#, "ok -"),
            (r#"{"required": ["key"]}"#, "ok -"),
            (
                r#"{"required": ["../../fixtures/demo/cosign.pub"]}"#,
                missing,
            ),
            (r#"{"required": ["cosign"], "threshold": 1}"#, missing),
            (r#"{"required": ["key", "cosign"]}"#, missing),
            (
                r#"{"required": ["key"], "threshold": 2}"#,
                "error vector.threshold",
            ),
            (r#"{"required": ["nobody"]}"#, "unsupported -"),
            (r#"{"required": [1]}"#, "unsupported -"),
            (r#"{"required": "key"}"#, "unsupported -"),
            (
                r#"{"required": ["key"], "of-tomorrow": 1}"#,
                "unsupported -",
            ),
        ] {
            assert_eq!(outcome(fixture, keys, params), expected, "{params}");
        }
        let twice = &[keys[1], "cosign/rsa-2048-signature/key.pub"];
        let ambiguous = outcome(fixture, twice, r#"{"required": ["key"]}"#);
        assert_eq!(ambiguous, "unsupported -");
    }
}
