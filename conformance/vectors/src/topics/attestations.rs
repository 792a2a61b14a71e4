//! Topic `attestations`: statements in bundles, in `.att` layers, in plain envelopes; predicate
//! types.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::failed;
use crate::case::refuse;
use crate::provider::Chosen;
use crate::provider::now;
use sealgate::internals::cosign::AttachedBundle;
use sealgate::internals::cosign::predicate_type;
use sealgate::internals::crypto::EcdsaForm;
use sealgate::internals::crypto::Hash;
use sealgate::internals::crypto::KeyKind;
use sealgate::internals::crypto::PublicKey;
use sealgate::internals::crypto::Scheme;
use sealgate::internals::digest::Digest;
use sealgate::internals::error::Failure;
use sealgate::internals::sigstore::bundle::Bundle;
use sealgate::internals::sigstore::bundle::Content;
use sealgate::internals::sigstore::bundle::Material;
use sealgate::internals::sigstore::dsse::Envelope;
use sealgate::internals::sigstore::statement::Statement;
use sealgate::internals::sigstore::trusted_root::TrustedRoot;
use sealgate::internals::sigstore::verify::Artifact;
use sealgate::internals::sigstore::verify::Says;
use sealgate::internals::sigstore::verify::Signed;
use sealgate::internals::sigstore::verify::Signer;
use sealgate::internals::sigstore::verify::verify_bundle;
use sealgate::internals::x509::Certificate;
use sealgate::internals::x509::fulcio::Claims;
use serde_json::Value;

/// Claims of certificates, by the names of the vectors and of sigstore-go.
const CLAIMS: [(&str, &str); 3] = [
    ("source_repository_uri", "sourceRepositoryURI"),
    ("source_repository_owner_uri", "sourceRepositoryOwnerURI"),
    ("github_workflow_repository", "githubWorkflowRepository"),
];

pub fn run(case: &Case, provider: &Chosen) -> Run {
    match case.kind.as_str() {
        "bundle-attestation" => {
            let bundle = Bundle::parse(&document(case, "bundle")?)?;
            statement(case, provider, &bundle)
        }
        "cosign-att" => statement(case, provider, layer(case)?.bundle()),
        "dsse" => envelope(case, provider),
        "statement-predicate" => answer(
            Statement::parse(&Envelope::parse(&case.input("envelope")?)?.payload)?
                .predicate_type
                .as_str(),
            case.required("predicate_type")?,
        ),
        "predicate-alias" => {
            let found = predicate_type(case.required("type")?)?;
            case.text("uri")?.map_or(Ok(()), |uri| answer(found, uri))
        }
        _ => Err(Stop::Unsupported),
    }
}

/// A line of a file of lines, or a part of a document.
fn document(case: &Case, input: &str) -> Run<Vec<u8>> {
    let bytes = case.input(input)?;
    if let Some(line) = case.param("line").and_then(Value::as_u64) {
        let line = usize::try_from(line)
            .ok()
            .and_then(|line| bytes.split(|byte| *byte == b'\n').nth(line));
        return line
            .map(<[u8]>::to_vec)
            .ok_or(Stop::Broken("no such line".into()));
    }
    match case.text("pointer")? {
        Some(pointer) => {
            let whole: Value =
                serde_json::from_slice(&bytes).map_err(|_| Stop::Refused("vector.json".into()))?;
            Ok(whole
                .pointer(pointer)
                .ok_or(Stop::Broken("the pointer leads nowhere".into()))?
                .to_string()
                .into_bytes())
        }
        None => Ok(bytes),
    }
}

/// One layer of an `.att` manifest with its descriptor's annotations; the layer's digest is its
/// place.
fn layer(case: &Case) -> Run<AttachedBundle> {
    let manifest: Value = serde_json::from_slice(&case.input("att_manifest")?)
        .map_err(|_| Stop::Refused("vector.json".into()))?;
    let number = case
        .param("layer")
        .and_then(Value::as_u64)
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(0);
    let descriptor = &manifest["layers"][number];
    let envelope = case.input("envelope")?;
    Digest::parse(descriptor["digest"].as_str().unwrap_or_default())?.check(&envelope)?;
    let annotations = descriptor["annotations"].as_object().into_iter().flatten();
    let annotations: Vec<(String, String)> = annotations
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.into())))
        .collect();
    AttachedBundle::parse_layer(&envelope, &annotations).map_err(|failure| failed(&failure))
}

fn statement(case: &Case, provider: &Chosen, bundle: &Bundle) -> Run {
    let root = TrustedRoot::load(&case.input("trusted_root")?)
        .map_err(|error| failed(&error.into()))?
        .map_err(|failure| failed(&failure))?;
    let artifact = match case.text("digest")? {
        Some(digest) => Artifact::Digest(Digest::parse(digest)?),
        None if case.has_input("manifest") => Artifact::Bytes(case.input("manifest")?),
        None if case.has_input("artifact") => Artifact::Bytes(case.input("artifact")?),
        None => some_subject(bundle)?,
    };
    match now(verify_bundle(
        bundle,
        &artifact,
        &signer(case, bundle)?,
        &root,
        case.log_threshold()?,
        provider,
    ))? {
        Ok(verified) => of_type(case, verified.claim()),
        Err(refused) => Err(failed(&refused.failure)),
    }
}

fn of_type(case: &Case, signed: &Signed) -> Run {
    match (&signed.says, case.text("predicate_type")?) {
        (_, None) => Ok(()),
        (Says::Statement(statement), Some(wanted)) if statement.predicate_type == wanted => Ok(()),
        _ => refuse("vector.predicate-type"),
    }
}

/// What the vectors leave open, sealgate does not: it is asked for what the statement is about.
fn some_subject(bundle: &Bundle) -> Run<Artifact> {
    let Content::Dsse { payload, .. } = &bundle.content else {
        return Err(Stop::Unsupported);
    };
    let statement = Statement::parse_untyped(payload)?;
    let known = statement
        .subjects
        .iter()
        .flat_map(|subject| &subject.digests)
        .find_map(|(algorithm, hex)| Digest::parse(&format!("{algorithm}:{hex}")).ok());
    known.map(Artifact::Digest).ok_or(Stop::Unsupported)
}

fn signer(case: &Case, bundle: &Bundle) -> Run<Signer> {
    if case.has_input("key") {
        return Ok(Signer::Key(PublicKey::from_pem(&case.input("key")?)?, None));
    }
    let Material::Certificates(certificates) = &bundle.material else {
        return Err(Stop::Unsupported);
    };
    let found = Claims::of(&Certificate::parse(
        certificates.first().map_or(&[], Vec::as_slice),
    )?)?;
    let wanted = CLAIMS.iter().filter_map(|(theirs, ours)| {
        Some((ours.to_string(), case.param(theirs)?.as_str()?.to_string()))
    });
    // As above: what is left open is the certificate's own.
    case.identity_with(&found, wanted.collect())
}

/// A plain envelope: distinct keys are counted.
fn envelope(case: &Case, provider: &Chosen) -> Run {
    if case.has_input("openpgp_keys")
        || case
            .text("scheme")?
            .is_some_and(|scheme| !["rsa-pss", "rsa-pkcs1"].contains(&scheme))
    {
        return Err(Stop::Unsupported);
    }
    let envelope = Envelope::parse(&document(case, "envelope")?)?;
    let threshold = case.param("threshold").and_then(Value::as_u64).unwrap_or(1);
    let mut keys: Vec<PublicKey> = Vec::new();
    for pem in case.inputs("keys")? {
        let key = PublicKey::from_pem(&pem)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut accepted = 0;
    let mut last = Failure::new("vector.no-signature", "");
    for key in &keys {
        match signed_by(case, provider, &envelope, key)? {
            Ok(()) => accepted += 1,
            Err(failure) => last = failure,
        }
    }
    if accepted >= threshold {
        Ok(())
    } else {
        Err(failed(&last))
    }
}

fn signed_by(
    case: &Case,
    provider: &Chosen,
    envelope: &Envelope,
    key: &PublicKey,
) -> Run<Result<(), Failure>> {
    let hash = match case.text("hash")? {
        Some("sha384") => Hash::Sha384,
        Some("sha512") => Hash::Sha512,
        _ => Hash::Sha256,
    };
    let scheme = match key.kind() {
        KeyKind::Ecdsa(_) => Scheme::Ecdsa(hash),
        KeyKind::Rsa(_) if case.text("scheme")? == Some("rsa-pss") => Scheme::RsaPss(hash),
        KeyKind::Rsa(_) => Scheme::RsaPkcs1(hash),
        KeyKind::Ed25519 => Scheme::Ed25519,
        KeyKind::Dsa(_) => return Err(Stop::Unsupported),
    };
    let form = if case.text("sig_encoding")? == Some("raw") {
        EcdsaForm::Fixed
    } else {
        EcdsaForm::Der
    };
    let mut last = Failure::new("vector.no-signature", "");
    for claim in envelope.claims(key, scheme, form) {
        match claim {
            Ok(pending) => match now(pending.settle(provider))? {
                Ok(_) => return Ok(Ok(())),
                Err(refused) => last = refused.failure,
            },
            Err(refused) => last = refused.failure,
        }
    }
    Ok(Err(last))
}
