//! Options, each wrong one with its code.

use super::values::{self, failure};
use crate::crypto::{EcdsaForm, Hash, KeyKind, Message, PublicKey, Role, Scheme, SignatureCheck};
use crate::digest::Digest;
use crate::error::Failure;
use crate::gateway;
use crate::host::Remote;
use crate::oci::auth::Credentials;
use crate::oci::registry::{base_for, Registry};
use crate::oci::Platform;
use crate::policy::Policy;
use crate::reference::{Grammar, Reference};
use crate::time::UnixTime;
use crate::verify::{verify_image, Either, EvidenceDocument, Fetched, Report, Rules, VerifyError};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use wasm_bindgen::JsValue;

/// Everything that one verification needs.
pub struct Verify {
    shown: String,
    /// The name to judge by.
    pub name: Reference,
    /// Where to ask.
    at: Reference,
    pinned: Option<Digest>,
    rules: Rules,
    platform: Option<Platform>,
    plain_http: bool,
    credentials: Credentials,
    evidence: Option<EvidenceDocument>,
    time: UnixTime,
    /// Whether signatures are asked of the platform.
    pub web_crypto: bool,
}

impl Verify {
    /// Reads the options of `startVerify`.
    pub fn read(options: &JsValue) -> Result<Self, JsValue> {
        let shown = values::need_text(options, "reference")?;
        let at = Reference::normalize(&shown, Grammar::Distribution).map_err(failure)?.with_default_tag();
        let rules = rules(options)?;
        let name = name(&shown, values::text(options, "as")?.as_deref())?;
        let both = |reference: &Reference| reference.tag().is_some() && reference.digest().is_some();
        if matches!(rules, Rules::Policy { .. }) && (both(&at) || both(&name)) {
            return Err(failure(VerifyError::TagAndDigest));
        }
        if name.digest().is_some() && name.digest() != at.digest() {
            return Err(failure(Failure::new("argument", "the name to judge by has a digest, and the image was not asked for by this digest: leave it out, or ask for the image by it")));
        }
        Ok(Self {
            pinned: at.digest().cloned(),
            name,
            rules,
            platform: values::text(options, "platform")?.map(|text| Platform::parse(&text)).transpose().map_err(failure)?,
            plain_http: values::flag(options, "plainHttp"),
            credentials: credentials(options)?,
            evidence: values::bytes(options, "evidence")?.map(|bytes| EvidenceDocument::parse(&bytes)).transpose().map_err(failure)?,
            time: UnixTime(values::integer(options, "time")?),
            web_crypto: web_crypto(options)?,
            at,
            shown,
        })
    }

    /// Verifies.
    pub async fn run(&self, remote: &Remote) -> Result<Report, JsValue> {
        let reference = match &self.pinned {
            Some(digest) => digest.to_string(),
            None => self.at.tag().unwrap_or("latest").to_string(),
        };
        let what = Fetched {
            shown: &self.shown,
            reference: &reference,
            pinned: self.pinned.as_ref(),
            name: &self.name,
            told_by: self.at.domain(),
            platform: self.platform.as_ref(),
            time: self.time,
        };
        if let Some(document) = &self.evidence {
            return Ok(verify_image(&Either::<Remote>::Document(document), remote, &self.rules, &what).await);
        }
        let base = base_for(self.at.domain(), self.plain_http).map_err(failure)?;
        let registry = Registry::new(remote, &base, self.at.path(), self.credentials.clone()).map_err(failure)?;
        Ok(verify_image(&Either::Registry(&registry), remote, &self.rules, &what).await)
    }
}

/// The name to judge an image by that was asked for as `shown`.
pub fn name(shown: &str, judged_as: Option<&str>) -> Result<Reference, JsValue> {
    match judged_as {
        Some(text) => named(text, &Reference::normalize(shown, Grammar::Distribution).map_err(failure)?.with_default_tag()),
        None => Ok(Reference::normalize(shown, Grammar::Containers).map_err(failure)?.with_default_tag()),
    }
}

/// A name without tag and digest takes those that were asked for.
fn named(text: &str, at: &Reference) -> Result<Reference, JsValue> {
    let name = Reference::normalize(text, Grammar::Containers).map_err(failure)?;
    if !name.is_bare() {
        return Ok(name);
    }
    Ok(match (at.digest(), at.tag().and_then(|tag| name.with_tag(tag))) {
        (Some(digest), _) => name.with_digest(digest.clone()),
        (None, Some(tagged)) => tagged,
        (None, None) => name.with_default_tag(),
    })
}

fn rules(options: &JsValue) -> Result<Rules, JsValue> {
    match (values::byte_list(options, "key")?, values::bytes(options, "policy")?) {
        (Some(keys), None) => Rules::keys(&keys).map_err(failure),
        (None, Some(policy)) => {
            let policy = Policy::parse(&policy).map_err(failure)?;
            Rules::policy(policy, values::byte_map(options, "assets")?).map_err(failure)
        }
        (None, None) => Err(failure(VerifyError::RuleMissing)),
        (Some(_), Some(_)) => Err(failure(Failure::new("argument", "expected either a key or a policy, found both: leave one out"))),
    }
}

fn credentials(options: &JsValue) -> Result<Credentials, JsValue> {
    let Some(object) = values::object(options, "credentials") else { return Ok(Credentials::Anonymous) };
    if let Some(token) = values::text(&object, "token")? {
        return Ok(Credentials::IdentityToken(token));
    }
    Ok(Credentials::Basic { username: values::need_text(&object, "username")?, password: values::need_text(&object, "password")? })
}

fn web_crypto(options: &JsValue) -> Result<bool, JsValue> {
    match values::text(options, "provider")?.as_deref() {
        None | Some("webcrypto") => Ok(true),
        Some("rust") => Ok(false),
        Some(_) => Err(failure(Failure::new("argument", "expected \"webcrypto\" or \"rust\" as \"provider\""))),
    }
}

/// Reads the options of `verifySignature`.
pub fn signature(options: &JsValue) -> Result<(SignatureCheck, bool), JsValue> {
    let need = |key: &str| values::bytes(options, key)?.ok_or_else(|| failure(Failure::new("argument", alloc::format!("expected a Uint8Array as {key:?}"))));
    let key = PublicKey::from_pem(&need("key")?).map_err(failure)?;
    let hash = |kind: Option<&str>| match kind {
        Some("sha256") => Some(Hash::Sha256),
        Some("sha384") => Some(Hash::Sha384),
        Some("sha512") => Some(Hash::Sha512),
        _ => None,
    };
    let algorithm = values::text(options, "algorithm")?;
    let algorithm = algorithm.as_deref().unwrap_or(match key.kind() {
        KeyKind::Ecdsa(_) => "ecdsa-sha256",
        KeyKind::Rsa(_) => "rsa-pkcs1-sha256",
        KeyKind::Ed25519 => "ed25519",
    });
    let (family, suffix) = algorithm.rsplit_once('-').map_or((algorithm, None), |(family, suffix)| (family, Some(suffix)));
    let (scheme, form) = match (family, hash(suffix)) {
        ("ecdsa", Some(h)) => (Scheme::Ecdsa(h), EcdsaForm::Der),
        ("ecdsa-p1363", Some(h)) => (Scheme::Ecdsa(h), EcdsaForm::Fixed),
        ("rsa-pkcs1", Some(h)) => (Scheme::RsaPkcs1(h), EcdsaForm::Der),
        ("rsa-pss", Some(h)) => (Scheme::RsaPss(h), EcdsaForm::Der),
        ("ed25519", None) => (Scheme::Ed25519, EcdsaForm::Der),
        ("ed25519ph", None) => (Scheme::Ed25519ph, EcdsaForm::Der),
        _ => return Err(failure(Failure::new("argument", "expected ecdsa-, ecdsa-p1363-, rsa-pkcs1- or rsa-pss- with sha256, sha384 or sha512, ed25519 or ed25519ph as \"algorithm\""))),
    };
    let check = SignatureCheck::new(Role::Given, &key, scheme, form, Message::Bytes(need("data")?), &need("signature")?).map_err(failure)?;
    Ok((check, web_crypto(options)?))
}

/// Reads a gateway's configuration.
pub fn gateway(config: &JsValue) -> Result<(gateway::Config, bool), JsValue> {
    let config_read = gateway::Config {
        upstream: values::need_text(config, "upstream")?,
        name: values::need_text(config, "name")?,
        policy: values::bytes(config, "policy")?.unwrap_or_default(),
        assets: values::byte_map(config, "assets")?,
        secret: values::bytes(config, "secret")?.unwrap_or_else(Vec::new),
    };
    Ok((config_read, web_crypto(config)?))
}

/// Reads a client's request.
pub fn request(request: &JsValue) -> Result<gateway::Request, JsValue> {
    Ok(gateway::Request {
        method: values::need_text(request, "method")?.to_ascii_uppercase(),
        url: values::need_text(request, "url")?,
        headers: values::header_list(request, "headers")?,
        time: UnixTime(values::integer(request, "time")?),
    })
}
