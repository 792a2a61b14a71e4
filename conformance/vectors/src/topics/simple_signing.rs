//! Topic `simple-signing`: OpenPGP messages, the keyrings that they are judged by, and what they
//! say of an image.

use super::signed_by;
use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::failed;
use crate::case::refuse;
use crate::provider::Chosen;
use crate::provider::now;
use sealgate::internals::digest::Digest;
use sealgate::internals::error::Failure;
use sealgate::internals::openpgp::Keyring;
use sealgate::internals::openpgp::Message;
use sealgate::internals::openpgp::OpenPgpError;
use sealgate::internals::openpgp::SignedPayload;
use sealgate::internals::openpgp::Terms;
use sealgate::internals::openpgp::detached;
use sealgate::internals::reference::Grammar;
use sealgate::internals::reference::Reference;
use sealgate::internals::simple_signing::Payload;
use sealgate::internals::simple_signing::PayloadKind;
use sealgate::internals::time::UnixTime;
use serde_json::Value;
use std::time::SystemTime;

pub fn run(case: &Case, provider: &Chosen) -> Run {
    match case.kind.as_str() {
        "openpgp-verify" => {
            let message = read(Message::read(&case.input("signature")?))?;
            verify(case, &message, provider).map(|_| ())
        }
        "openpgp-detached" => {
            let (signature, data) = (case.input("signature")?, case.input("data")?);
            verify(case, &read(detached::message(&signature, &data))?, provider).map(|_| ())
        }
        "keyring" => keyring(case),
        "payload-parse" => {
            let kind = match case.required("type")? {
                "atomic container signature" => PayloadKind::Atomic,
                _ => PayloadKind::Cosign,
            };
            let payload = Payload::parse(&case.input("payload")?, kind)?;
            // It is compared with digests that are computed, so that what is none matches none.
            Digest::parse(&payload.manifest_digest)?;
            Ok(())
        }
        "release-signature" => release(case, provider),
        "manifest-signature" => manifest(case, provider),
        "signedBy-image" => signed_by::image(case, terms(case)?.now, provider),
        _ => Err(Stop::Unsupported),
    }
}

/// A whole decision of the topic `policy`.
pub fn evaluation(case: &Case, provider: &Chosen) -> Run {
    signed_by::evaluation(case, terms(case)?.now, provider)
}

fn read<T>(result: Result<T, OpenPgpError>) -> Run<T> {
    result.map_err(|error| failed(&Failure::from(error)))
}

/// The case's time, or that of the run.
fn terms(case: &Case) -> Run<Terms> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok());
    let now = case
        .text("time")?
        .and_then(UnixTime::parse)
        .or(seconds.map(UnixTime))
        .ok_or(Stop::Broken("what time is it?".into()))?;
    Ok(Terms {
        now,
        expired_keys_until: None,
    })
}

fn verify(case: &Case, message: &Message, provider: &Chosen) -> Run<SignedPayload> {
    let mut keyring = Keyring::default();
    for file in case.inputs("keys")? {
        read(keyring.merge(read(Keyring::read(&file))?))?;
    }
    let verified = now(message.verify(&keyring, terms(case)?, provider))?
        .map_err(|unproven| failed(&unproven.refused.failure))?;
    let claim = verified.claim();
    for (name, found) in [
        ("signer", claim.primary()),
        ("signing_subkey", claim.signer()),
    ] {
        if let Some(expected) = case.text(name)? {
            answer(found.to_string().as_str(), expected)?;
        }
    }
    if let Some(expected) = case.text("content")? {
        answer(claim.payload(), expected.as_bytes())?;
    }
    Ok(claim.clone())
}

fn keyring(case: &Case) -> Run {
    let keyring = read(Keyring::read(&case.input("keyring")?))?;
    let found: Vec<_> = keyring
        .fingerprints()
        .map(|fingerprint| serde_json::Value::from(fingerprint.to_string()))
        .collect();
    if found.is_empty() {
        return refuse("openpgp.no-keys");
    }
    answer(
        Some(&serde_json::Value::from(found)),
        case.param("fingerprints"),
    )
}

fn release(case: &Case, provider: &Chosen) -> Run {
    let message = read(Message::read(&case.input("signature")?))?;
    let signed = verify(case, &message, provider)?;
    let payload = Payload::parse(signed.payload(), PayloadKind::Atomic)?;
    answer(payload.manifest_digest.as_str(), case.required("digest")?)?;
    match case.text("docker_reference")? {
        Some(expected) => answer(payload.docker_reference.as_str(), expected),
        None => Ok(()),
    }
}

/// A signature of one manifest under one name, by one of the keys that count.
fn manifest(case: &Case, provider: &Chosen) -> Run {
    let message = read(Message::read(&case.input("signature")?))?;
    let signed = verify(case, &message, provider)?;
    let accepted = case
        .param("accepted_fingerprints")
        .and_then(Value::as_array);
    let signer = Value::from(signed.primary().to_string());
    if !accepted.is_some_and(|accepted| accepted.contains(&signer)) {
        return refuse("vector.other-signer");
    }
    let payload = Payload::parse(signed.payload(), PayloadKind::Atomic)?;
    let digest = Digest::of(&case.input("manifest")?).to_string();
    answer(payload.manifest_digest, digest)?;
    let normal = |text: &str| Reference::normalize(text, Grammar::Containers);
    let expected = normal(case.required("expected_reference")?)?;
    answer(normal(&payload.docker_reference)?, expected)
}
