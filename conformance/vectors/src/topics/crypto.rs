//! Topic `crypto`: files of Wycheproof and single signatures.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::json;
use crate::case::refuse;
use crate::package::Package;
use crate::package::bytes;
use crate::provider::Chosen;
use crate::provider::now;
use sealgate::internals::crypto::Curve;
use sealgate::internals::crypto::EcdsaForm;
use sealgate::internals::crypto::Hash;
use sealgate::internals::crypto::KeyKind;
use sealgate::internals::crypto::Message;
use sealgate::internals::crypto::Outcome;
use sealgate::internals::crypto::Provider;
use sealgate::internals::crypto::PublicKey;
use sealgate::internals::crypto::Role;
use sealgate::internals::crypto::Scheme;
use sealgate::internals::crypto::SignatureCheck;
use sealgate::internals::encoding::hex;
use serde_json::Value;
use serde_json::json;

/// Whether a signature holds: the key as PEM, the message, the signature.
type Holds<'a> = &'a dyn Fn(&[u8], Scheme, EcdsaForm, &[u8], &[u8]) -> Run;

pub fn run(case: &Case, provider: &Chosen) -> Run {
    through(case, &|key, scheme, form, message, signature| {
        check(provider, key, scheme, form, message, signature)
    })
}

pub fn through_package(case: &Case, package: &Package) -> Option<Run> {
    let has_entry = matches!(case.kind.as_str(), "wycheproof-file" | "signature");
    has_entry.then(|| {
        through(case, &|key, scheme, form, message, signature| {
            verify_signature(package, key, scheme, form, message, signature)
        })
    })
}

fn through(case: &Case, holds: Holds) -> Run {
    match case.kind.as_str() {
        "wycheproof-file" => wycheproof(case, holds),
        "signature" => signature(case, holds),
        _ => Err(Stop::Unsupported),
    }
}

fn check(
    provider: &Chosen,
    key: &[u8],
    scheme: Scheme,
    form: EcdsaForm,
    message: &[u8],
    signature: &[u8],
) -> Run {
    let key = PublicKey::from_pem(key)?;
    let check = SignatureCheck::new(
        Role::Given,
        &key,
        scheme,
        form,
        Message::Bytes(message.into()),
        signature,
    )?;
    match now(provider.verify(&check))? {
        Outcome::Holds => Ok(()),
        Outcome::Fails => refuse("signature.invalid"),
    }
}

fn verify_signature(
    package: &Package,
    key: &[u8],
    scheme: Scheme,
    form: EcdsaForm,
    message: &[u8],
    signature: &[u8],
) -> Run {
    let name = |family: &str, hash: Hash| {
        let hash = match hash {
            Hash::Sha256 => "sha256",
            Hash::Sha384 => "sha384",
            Hash::Sha512 => "sha512",
        };
        format!("{family}-{hash}")
    };
    let algorithm = match (scheme, form) {
        (Scheme::Ecdsa(hash), EcdsaForm::Fixed) => name("ecdsa-p1363", hash),
        (Scheme::Ecdsa(hash), _) => name("ecdsa", hash),
        (Scheme::RsaPkcs1(hash), _) => name("rsa-pkcs1", hash),
        (Scheme::RsaPss(hash), _) => name("rsa-pss", hash),
        (Scheme::Ed25519, _) => "ed25519".into(),
        (Scheme::Ed25519ph, _) => "ed25519ph".into(),
        (Scheme::Dsa(_) | Scheme::DsaSha224 | Scheme::RsaPkcs1Sha1 | Scheme::RsaPkcs1Sha224, _) => {
            return Err(Stop::Unsupported);
        }
    };
    let options = json!({"key": bytes(key), "data": bytes(message), "signature": bytes(signature), "algorithm": algorithm, "provider": package.provider});
    match package.call("verifySignature", json!([options]))? {
        Value::Bool(true) => Ok(()),
        Value::Bool(false) => refuse("signature.invalid"),
        other => Err(Stop::Broken(format!("verifySignature gave {other}"))),
    }
}

fn hash(name: &str) -> Option<Hash> {
    match name {
        "SHA-256" => Some(Hash::Sha256),
        "SHA-384" => Some(Hash::Sha384),
        "SHA-512" => Some(Hash::Sha512),
        _ => None,
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Run<&'a str> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| Stop::Broken(format!("{key} is no string")))
}

fn list<'a>(value: &'a Value, key: &str) -> Run<&'a [Value]> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| Stop::Broken(format!("{key} is no list")))
}

fn unhex(value: &Value, key: &str) -> Run<Vec<u8>> {
    hex::decode(text(value, key)?).ok_or_else(|| Stop::Broken(format!("{key} is not hexadecimal")))
}

/// Every test of a file gets its own result.
fn wycheproof(case: &Case, holds: Holds) -> Run {
    let file = json(&case.input("vectors")?)?;
    let form = if text(&file, "schema")?.contains("p1363") {
        EcdsaForm::Fixed
    } else {
        EcdsaForm::Der
    };
    let (mut run, mut wrong) = (0, None);
    for group in list(&file, "testGroups")? {
        let key = text(group, "publicKeyPem")?.as_bytes();
        let scheme = scheme(text(&file, "algorithm")?, group)?;
        for test in list(group, "tests")? {
            let held = match holds(
                key,
                scheme,
                form,
                &unhex(test, "msg")?,
                &unhex(test, "sig")?,
            ) {
                Ok(()) => true,
                Err(Stop::Refused(_)) => false,
                Err(other) => return Err(other),
            };
            match (text(test, "result")?, held) {
                ("valid", true) | ("invalid", false) | ("acceptable", _) => run += 1,
                // All are run, so that a provider that answers later is asked everything at once.
                _ => {
                    wrong = wrong.or(Some(format!(
                        "vector.tcId-{}",
                        test.get("tcId").unwrap_or(&Value::Null)
                    )))
                }
            }
        }
    }
    if let Some(code) = wrong {
        return refuse(&code);
    }
    case.param("tests")
        .map_or(Ok(()), |tests| answer(Some(run), tests.as_u64()))
}

fn scheme(algorithm: &str, group: &Value) -> Run<Scheme> {
    let hash = || hash(text(group, "sha")?).ok_or(Stop::Unsupported);
    match algorithm {
        "ECDSA" => Ok(Scheme::Ecdsa(hash()?)),
        "EDDSA" => Ok(Scheme::Ed25519),
        "RSASSA-PKCS1-v1_5" => Ok(Scheme::RsaPkcs1(hash()?)),
        "RSASSA-PSS" if text(group, "mgfSha")? == text(group, "sha")? => {
            Ok(Scheme::RsaPss(hash()?))
        }
        _ => Err(Stop::Unsupported),
    }
}

/// A single signature, its algorithm in words.
fn signature(case: &Case, holds: Holds) -> Run {
    let key = case.input("key")?;
    let words: Vec<&str> = case.required("algorithm")?.split(' ').collect();
    let scheme = match words.as_slice() {
        ["ECDSA", curve, name] => {
            let curve = match *curve {
                "P-256" => Curve::P256,
                "P-384" => Curve::P384,
                "P-521" => Curve::P521,
                _ => return Err(Stop::Unsupported),
            };
            // The curve is the vectors' word; sealgate takes it from the key.
            if PublicKey::from_pem(&key)?.kind() != KeyKind::Ecdsa(curve) {
                return refuse("vector.other-key");
            }
            Scheme::Ecdsa(hash(name).ok_or(Stop::Unsupported)?)
        }
        ["RSASSA-PKCS1-v1_5", name] => Scheme::RsaPkcs1(hash(name).ok_or(Stop::Unsupported)?),
        ["RSASSA-PSS", name] => Scheme::RsaPss(hash(name).ok_or(Stop::Unsupported)?),
        ["Ed25519"] => Scheme::Ed25519,
        ["Ed25519ph"] => Scheme::Ed25519ph,
        _ => return Err(Stop::Unsupported),
    };
    holds(
        &key,
        scheme,
        EcdsaForm::Der,
        &case.input("data")?,
        &case.input("signature")?,
    )
}

/// Whether a file of RSA-PSS vectors uses a salt that is not as long as the hash.
pub fn has_other_salt(case: &Case) -> bool {
    let Ok(file) = case.input("vectors").and_then(|bytes| json(&bytes)) else {
        return false;
    };
    let Ok(groups) = list(&file, "testGroups") else {
        return false;
    };
    groups.iter().any(|group| {
        let length = text(group, "sha")
            .ok()
            .and_then(hash)
            .and_then(|hash| u64::try_from(hash.size()).ok());
        let salt = group.get("sLen").and_then(Value::as_u64);
        salt.is_some() && salt != length
    })
}
