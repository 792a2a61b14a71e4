//! Topic `bundles`: Sigstore bundles under a trusted root, as `verify-blob` and
//! `verify-attestation` see them.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::failed;
use crate::provider::Chosen;
use crate::provider::now;
use sealgate::internals::crypto::PublicKey;
use sealgate::internals::digest::Algorithm;
use sealgate::internals::digest::Digest;
use sealgate::internals::sigstore::bundle::Bundle;
use sealgate::internals::sigstore::bundle::Material;
use sealgate::internals::sigstore::trusted_root::TrustedRoot;
use sealgate::internals::sigstore::verify::Artifact;
use sealgate::internals::sigstore::verify::Signer;
use sealgate::internals::sigstore::verify::Thresholds;
use sealgate::internals::sigstore::verify::verify_bundle;
use sealgate::internals::time::UnixTime;
use sealgate::internals::timestamp::Token;
use sealgate::internals::x509::Certificate;
use sealgate::internals::x509::Window;
use sealgate::internals::x509::fulcio::Claims;

pub fn run(case: &Case, provider: &Chosen) -> Run {
    if case.kind == "rfc3161" {
        return timestamp(case, provider);
    }
    // What does not even parse is refused whatever is asked of it.
    let bundle = Bundle::parse(&case.input("bundle")?)?;
    if has_sha1_digest(case) || switches_the_log_off(case) || case.param("skip_artifact").is_some()
    {
        return Err(Stop::Unsupported);
    }
    let root = match TrustedRoot::load(&case.input("trusted_root")?)
        .map_err(|error| failed(&error.into()))?
    {
        Ok(root) => root,
        Err(failure) => return Err(failed(&failure)),
    };
    let (artifact, signer) = (artifact(case)?, signer(case, &bundle)?);
    match now(verify_bundle(
        &bundle,
        &artifact,
        &signer,
        &root,
        thresholds(case)?,
        provider,
    ))? {
        Ok(_) => Ok(()),
        Err(refused) => Err(failed(&refused.failure)),
    }
}

fn artifact(case: &Case) -> Run<Artifact> {
    match case.param("digest").and_then(serde_json::Value::as_str) {
        Some(digest) => Ok(Artifact::Digest(Digest::parse(digest)?)),
        None => Ok(Artifact::Bytes(case.input("artifact")?)),
    }
}

fn time(case: &Case, name: &str) -> Run<Option<UnixTime>> {
    Ok(case.text(name)?.and_then(UnixTime::parse_fractional))
}

fn signer(case: &Case, bundle: &Bundle) -> Run<Signer> {
    if case.has_input("key") {
        let window = time(case, "key_valid_from")?
            .map(|start| {
                Ok::<_, Stop>(Window {
                    start,
                    end: time(case, "key_valid_until")?,
                })
            })
            .transpose()?;
        return Ok(Signer::Key(
            PublicKey::from_pem(&case.input("key")?)?,
            window,
        ));
    }
    // What the vectors leave open, sealgate does not: it is asked for the identity that the
    // certificate has.
    case.identity(&claims(bundle)?)
}

fn claims(bundle: &Bundle) -> Run<Claims> {
    let Material::Certificates(certificates) = &bundle.material else {
        return Err(Stop::Unsupported);
    };
    Ok(Claims::of(&Certificate::parse(
        certificates.first().map_or(&[], Vec::as_slice),
    )?)?)
}

fn thresholds(case: &Case) -> Run<Thresholds> {
    let number = |name: &str| {
        case.param(name)
            .and_then(serde_json::Value::as_u64)
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(0)
    };
    Ok(Thresholds {
        logs: number("tlog_threshold").max(case.log_threshold()?.logs),
        timestamps: number("signed_timestamp_threshold"),
        integrated: number("integrated_timestamp_threshold"),
        observers: number("observer_timestamp_threshold").max(number("time_threshold")),
    })
}

/// One token over a signature, without a bundle.
fn timestamp(case: &Case, provider: &Chosen) -> Run {
    let root = match TrustedRoot::load(&case.input("trusted_root")?)
        .map_err(|error| failed(&error.into()))?
    {
        Ok(root) => root,
        Err(failure) => return Err(failed(&failure)),
    };
    let token = Token::parse(&case.input("timestamp")?)?;
    let mut last = Err(Stop::Unsupported);
    for claim in token
        .claims(root.timestamp_authorities(), &case.input("signature")?)
        .map_err(|refused| failed(&refused.failure))?
    {
        match now(claim.settle(provider))? {
            Ok(_) => return Ok(()),
            Err(refused) => last = Err(failed(&refused.failure)),
        }
    }
    last
}

/// Subjects match by hashes that sealgate computes (docs/trust.md section 4).
pub fn has_sha1_digest(case: &Case) -> bool {
    case.param("digest")
        .and_then(serde_json::Value::as_str)
        .is_some_and(|digest| digest.starts_with("sha1:"))
}

/// A verifier that does not look at the log, but asks for times.
pub fn switches_the_log_off(case: &Case) -> bool {
    let number = |name: &str| case.param(name).and_then(serde_json::Value::as_u64);
    number("tlog_threshold") == Some(0)
        && number("observer_timestamp_threshold").is_some_and(|wanted| wanted > 0)
}

/// Beside a token over this signature one over something else, both at a time of the trusted root's
/// authorities.
pub fn has_stray_timestamp(case: &Case) -> bool {
    let Some(bundle) = case
        .input("bundle")
        .ok()
        .and_then(|bytes| Bundle::parse(&bytes).ok())
    else {
        return false;
    };
    let hashes = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512]
        .map(|algorithm| algorithm.hash(&bundle.signature));
    let own = |token: &Vec<u8>| {
        hashes
            .iter()
            .any(|hash| token.windows(hash.len()).any(|part| part == hash))
    };
    let Some(Ok(Ok(root))) = case
        .input("trusted_root")
        .ok()
        .map(|bytes| TrustedRoot::load(&bytes))
    else {
        return false;
    };
    let listed = |token: &Vec<u8>| {
        Token::parse(token).is_ok_and(|token| {
            root.timestamp_authorities()
                .iter()
                .any(|authority| authority.chain.valid().covers(token.time_unverified()))
        })
    };
    bundle.timestamps.iter().any(own)
        && !bundle.timestamps.iter().all(own)
        && bundle.timestamps.iter().all(listed)
}
