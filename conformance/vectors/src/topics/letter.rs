//! Topic `cosign-image`, where certificates and logs have a say: whom a policy trusts, and what is
//! asked of it alone.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::failed;
use crate::case::json;
use crate::case::refuse;
use crate::package;
use crate::provider::Chosen;
use crate::provider::now;
use sealgate::internals::cosign::SignatureLayer;
use sealgate::internals::cosign::containers_image::Fulcio;
use sealgate::internals::cosign::containers_image::Logged;
use sealgate::internals::cosign::containers_image::Pki;
use sealgate::internals::cosign::containers_image::Trust;
use sealgate::internals::cosign::containers_image::material;
use sealgate::internals::crypto::PublicKey;
use sealgate::internals::sigstore::identity::Pattern;
use sealgate::internals::simple_signing::Payload;
use sealgate::internals::time::UnixTime;
use sealgate::internals::tlog::rekor::Entry;
use sealgate::internals::x509::Certificate;
use sealgate::internals::x509::fulcio::Claims;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::time::SystemTime;

/// Whom a case trusts.
pub struct Trusted {
    keys: Vec<PublicKey>,
    /// Roots and intermediates.
    authorities: (Vec<Certificate>, Vec<Certificate>),
    rekor: Vec<PublicKey>,
}

/// The inputs with which `sigstoreSigned` names its trust.
const TRUST: [&str; 3] = ["keys", "fulcio_ca", "pki_roots"];

impl Trusted {
    /// What a policy's files hold.
    pub fn read(case: &Case) -> Run<Self> {
        let keys = if case.has_input("keys") {
            case.inputs("keys")?
        } else {
            Vec::new()
        };
        let keys = keys
            .iter()
            .map(|pem| Ok(PublicKey::from_pem(pem)?))
            .collect::<Run<_>>()?;
        let roots = TRUST
            .iter()
            .skip(1)
            .find(|input| case.has_input(input))
            .map_or(Ok(Vec::new()), |input| {
                Ok::<_, Stop>(material::roots(&case.input(input)?)?)
            })?;
        let intermediates = if case.has_input("pki_intermediates") {
            case.input("pki_intermediates")?
        } else {
            Vec::new()
        };
        let intermediates =
            material::intermediates(&intermediates).map_err(|failure| failed(&failure))?;
        Ok(Self {
            keys,
            authorities: (roots, intermediates),
            rekor: rekor(case)?,
        })
    }

    /// The payload of a layer that comes from whom the case trusts.
    pub fn payload(&self, case: &Case, layer: &SignatureLayer, provider: &Chosen) -> Run<Payload> {
        let text = |of: &str, key: &str| {
            case.param(of)
                .and_then(|value| value.get(key))
                .and_then(Value::as_str)
        };
        let (roots, intermediates) = &self.authorities;
        let trust = match TRUST
            .into_iter()
            .filter(|input| case.has_input(input))
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["keys"] => Trust::Keys(&self.keys),
            ["fulcio_ca"] => Trust::Fulcio(Fulcio {
                ca: roots,
                oidc_issuer: text("fulcio", "oidcIssuer").unwrap_or_default(),
                subject_email: text("fulcio", "subjectEmail").unwrap_or_default(),
            }),
            ["pki_roots"] => {
                let (subject_email, subject_hostname) =
                    (text("pki", "subjectEmail"), text("pki", "subjectHostname"));
                Trust::Pki(Pki {
                    roots,
                    intermediates,
                    subject_email,
                    subject_hostname,
                    now: today()?,
                })
            }
            _ => return Err(Stop::Unsupported),
        };
        match now(layer.verify_as_containers_image(&trust, &self.rekor, provider))? {
            Ok(verified) => Ok(verified.claim().payload().clone()),
            Err(refused) => Err(failed(&refused.failure)),
        }
    }
}

/// The requirement of a policy that says the same, and the files that it names.
pub fn requirement(case: &Case, identity: &Value) -> Run<(Value, Map<String, Value>)> {
    let mut assets = Map::new();
    let mut file = |name: String, bytes: &[u8]| {
        assets.insert(name.clone(), package::bytes(bytes));
        Value::from(name)
    };
    let mut requirement = json!({"type": "sigstoreSigned", "signedIdentity": identity});
    for (input, member) in [("keys", "keyPaths"), ("rekor_keys", "rekorPublicKeyPaths")] {
        if case.has_input(input) {
            let files = case.inputs(input)?;
            requirement[member] = files
                .iter()
                .zip(1..)
                .map(|(bytes, number)| file(format!("/{input}/{number}.pub"), bytes))
                .collect();
        }
    }
    for (of, input, member) in [
        ("fulcio", "fulcio_ca", "caPath"),
        ("pki", "pki_roots", "caRootsPath"),
        ("pki", "pki_intermediates", "caIntermediatesPath"),
    ] {
        if case.has_input(input) {
            if requirement.get(of).is_none() {
                requirement[of] = case
                    .param(of)
                    .cloned()
                    .ok_or_else(|| Stop::Broken(format!("params.{of} is missing")))?;
            }
            requirement[of][member] = file(format!("/{input}.pem"), &case.input(input)?);
        }
    }
    Ok((requirement, assets))
}

/// The keys of its logs.
pub fn rekor(case: &Case) -> Run<Vec<PublicKey>> {
    let files = if case.has_input("rekor_keys") {
        case.inputs("rekor_keys")?
    } else {
        Vec::new()
    };
    material::rekor_keys(&files.iter().map(Vec::as_slice).collect::<Vec<_>>())
        .map_err(|failure| failed(&failure))
}

fn today() -> Run<UnixTime> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok());
    since
        .map(UnixTime)
        .ok_or_else(|| Stop::Broken("the clock is before 1970".into()))
}

fn text(case: &Case, input: &str) -> Run<String> {
    String::from_utf8(case.input(input)?).map_err(|error| Stop::Broken(error.to_string()))
}

/// A log's word on a signature by a certificate, whose path and names are not asked for.
pub fn set(case: &Case, provider: &Chosen) -> Run {
    let (signature, payload) = (text(case, "signature_b64")?, case.input("payload")?);
    let logged = Logged {
        signature: &signature,
        payload: &payload,
    };
    match now(logged.verify_for_certificate(
        &text(case, "set")?,
        &text(case, "certificate")?,
        &rekor(case)?,
        provider,
    ))? {
        Ok(verified) => case.param("integrated_time").map_or(Ok(()), |expected| {
            answer(Some(verified.claim().0.time().0), expected.as_i64())
        }),
        Err(refused) => Err(failed(&refused.failure)),
    }
}

/// A log's word on an entry, of whatever signature it is.
pub fn set_only(case: &Case, annotation: &[u8], provider: &Chosen) -> Run {
    let entry = Entry::parse_annotation(annotation)?;
    let mut last = Stop::Refused("vector.no-log-key".into());
    for key in rekor(case)? {
        let claim = entry
            .set_claim_of_any_log(&key)
            .map_err(|refused| failed(&refused.failure))?;
        match now(claim.settle(provider))? {
            Ok(verified) => {
                let logged = verified.claim();
                case.param("integrated_time").map_or(Ok(()), |expected| {
                    answer(Some(logged.time().0), expected.as_i64())
                })?;
                return case.param("log_index").map_or(Ok(()), |expected| {
                    answer(Some(logged.log_index()), expected.as_u64())
                });
            }
            Err(refused) => last = failed(&refused.failure),
        }
    }
    Err(last)
}

/// cosign's own file beside a blob: the log's word is one of its members.
pub fn blob_bundle(case: &Case, provider: &Chosen) -> Run {
    let bundle = json(&case.input("blob_bundle")?)?;
    let Some(annotation) = bundle.get("rekorBundle") else {
        return refuse("vector.no-bundle");
    };
    set_only(case, annotation.to_string().as_bytes(), provider)
}

/// A certificate of Fulcio at a time.
pub fn fulcio_certificate(case: &Case, provider: &Chosen) -> Run {
    let mut ca = Vec::new();
    for file in case.inputs("roots")? {
        ca.extend(material::roots(&file)?);
    }
    let fulcio = Fulcio {
        ca: &ca,
        oidc_issuer: case.required("issuer")?,
        subject_email: case.required("email")?,
    };
    let chain = if case.has_input("chain") {
        Some(text(case, "chain")?)
    } else {
        None
    };
    let time = case
        .param("time")
        .and_then(Value::as_i64)
        .ok_or_else(|| Stop::Broken("params.time is no number".into()))?;
    match now(fulcio.verify(
        &text(case, "certificate")?,
        chain.as_deref(),
        UnixTime(time),
        provider,
    ))? {
        Ok(_) => Ok(()),
        Err(refused) => Err(failed(&refused.failure)),
    }
}

/// What a certificate says of its signer. The globs are Kyverno's, and the runner's: sealgate is
/// asked for the names.
pub fn identity(case: &Case) -> Run {
    const KNOWN: [&str; 5] = [
        "issuer",
        "issuer_regex",
        "subject",
        "subject_regex",
        "extensions",
    ];
    if !case.param_names().all(|name| KNOWN.contains(&name)) {
        return Err(Stop::Unsupported);
    }
    let certificates =
        material::intermediates(&case.input("certificate")?).map_err(|failure| failed(&failure))?;
    let [certificate] = certificates.as_slice() else {
        return refuse("vector.no-certificate");
    };
    let claims = Claims::of(certificate)?;
    let found = [
        ("issuer_regex", claims.issuer().unwrap_or_default()),
        ("subject_regex", claims.subject().text()),
    ];
    for (param, found) in found {
        if let Some(regexp) = case.text(param)?
            && !Pattern::search(regexp)?.matches(found)
        {
            return refuse("vector.no-match");
        }
    }
    if let Some(pattern) = case.text("subject")?
        && !glob(pattern, claims.subject().text())
    {
        return refuse("vector.other-subject");
    }
    if let Some(issuer) = case.text("issuer")? {
        answer(claims.issuer(), Some(issuer))?;
    }
    for (name, value) in case
        .param("extensions")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let found = claims
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, text)| text);
        answer(found, value.as_str())?;
    }
    Ok(())
}

/// `*` stands for any characters, `?` for one.
fn glob(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            glob(&pattern[1..], text)
                || text
                    .chars()
                    .next()
                    .is_some_and(|c| glob(pattern, &text[c.len_utf8()..]))
        }
        (Some('?'), Some(c)) => glob(&pattern[1..], &text[c.len_utf8()..]),
        (Some(p), Some(c)) if p == c => glob(&pattern[p.len_utf8()..], &text[c.len_utf8()..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("a*", "abc", true),
            ("a*c", "abc", true),
            ("a?c", "abc", true),
            ("a?", "abc", false),
            ("*", "", true),
            ("", "a", false),
            ("é*", "éa", true),
            ("a.c", "abc", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
