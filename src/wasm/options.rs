//! Options, each wrong one with its code.

use super::outside::Outside;
use super::roots;
use super::values::{self, failure};
use crate::cosign::predicate_type as predicate_type_of;
use crate::crypto::{EcdsaForm, KeyKind, Message, PublicKey, Role, Scheme, SignatureCheck};
use crate::digest::Digest;
use crate::error::Failure;
use crate::oci::Platform;
use crate::oci::auth::Credentials;
use crate::oci::registry::{EgressHosts, Registry, base_for};
use crate::policy::Policy;
use crate::reference::{Grammar, Reference};
use crate::sigstore::identity::{Identity, Pattern};
use crate::sigstore::verify::{Artifact, Thresholds};
use crate::time::UnixTime;
#[cfg(feature = "openpgp")]
use crate::verify::DirImage;
use crate::verify::{
    BundleQuestion, ClaimWanted, Direct, Either, EvidenceDocument, Mirrors, NamedRoot, Paths,
    Report, Request, Rules, SignedNames, Signers, VerifyError, public_keys, verify_image,
    verify_via_evidence,
};
use crate::x509::Window;
use crate::x509::fulcio::Claims;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use wasm_bindgen::JsValue;

/// Everything that one verification needs.
pub(super) struct Verify {
    request: Request,
    rules: Rules,
    plain_http: bool,
    credentials: Credentials,
    realms: Vec<String>,
    egress: EgressHosts,
    evidence: Option<EvidenceDocument>,
    via_evidence: bool,
    #[cfg(feature = "openpgp")]
    dir: Option<DirImage>,
}

impl Verify {
    /// Reads the options of `startVerify`. Trusted roots are verified by `remote`.
    pub(super) async fn read(options: &JsValue, remote: &Outside<'_>) -> Result<Self, JsValue> {
        let reference = values::need_text(options, "reference")?;
        let dir = values::object(options, "dir");
        if dir.is_none() {
            // What is asked for is told of before that by which it is judged.
            Reference::normalize(&reference, Grammar::Distribution).map_err(failure)?;
        }
        let rules = rules(options, remote).await?.with_paths(paths(options)?);
        let (rules, request) = match &dir {
            Some(dir) => of_dir(options, dir, rules)?,
            None => {
                let request = request(options, &reference, &rules)?;
                (rules, request)
            }
        };
        Ok(Self {
            request,
            rules,
            #[cfg(feature = "openpgp")]
            dir: dir
                .map(|dir| values::byte_map(&dir, "files").map(DirImage::of))
                .transpose()?,
            plain_http: values::flag(options, "plainHttp"),
            credentials: credentials(options)?,
            realms: values::text_list(options, "realms")?,
            egress: EgressHosts::parse(
                values::text_list(options, "egress")?
                    .iter()
                    .map(String::as_str),
            )
            .map_err(failure)?,
            via_evidence: values::flag(options, "viaEvidence"),
            evidence: values::bytes(options, "evidence")?
                .map(|bytes| EvidenceDocument::parse(&bytes))
                .transpose()
                .map_err(failure)?,
        })
    }

    /// The name to judge by.
    pub(super) fn name(&self) -> &Reference {
        self.request.name()
    }

    /// As a first policy is asked for: by one signer, and under any name where a mirror is meant.
    pub(super) fn for_first_policy(self, mirrors: Mirrors) -> Result<Self, JsValue> {
        let rules = self.rules.for_first_policy(mirrors).map_err(failure)?;
        Ok(Self { rules, ..self })
    }

    /// The one identity that is trusted, where no key is.
    pub(super) fn identity(&self) -> Option<&Identity> {
        match &self.rules {
            Rules::Direct(Direct {
                signers: Signers::Identities(identities),
                ..
            }) => identities.first(),
            _ => None,
        }
    }

    /// Verifies.
    pub(super) async fn run(&self, remote: &Outside<'_>) -> Result<Report, JsValue> {
        let (rules, request, at) = (&self.rules, &self.request, self.request.at());
        #[cfg(feature = "openpgp")]
        if let Some(image) = &self.dir {
            let archive = Either::<Outside<'_>>::Dir(image);
            return Ok(verify_image(&archive, remote, rules, request).await);
        }
        if let Some(document) = &self.evidence {
            let archive = Either::<Outside<'_>>::Document(document);
            return Ok(verify_image(&archive, remote, rules, request).await);
        }
        let base = base_for(at.domain(), self.plain_http).map_err(failure)?;
        let registry =
            Registry::new(remote, &base, at.path(), self.credentials.clone()).map_err(failure)?;
        let registry = registry
            .with_realms(self.realms.iter().map(String::as_str))
            .map_err(failure)?
            .with_egress(self.egress.clone());
        if self.via_evidence {
            return Ok(verify_via_evidence(&registry, remote, rules, request).await);
        }
        Ok(verify_image(&Either::Registry(&registry), remote, rules, request).await)
    }
}

fn request(options: &JsValue, reference: &str, rules: &Rules) -> Result<Request, JsValue> {
    let judged_as = values::text(options, "as")?;
    let time = UnixTime(values::integer(options, "time")?);
    let request = Request::parse(reference, judged_as.as_deref(), rules, time).map_err(failure)?;
    on_platform(options, request)
}

fn on_platform(options: &JsValue, request: Request) -> Result<Request, JsValue> {
    Ok(match values::text(options, "platform")? {
        Some(platform) => request.on(Platform::parse(&platform).map_err(failure)?),
        None => request,
    })
}

/// An image of the transport `dir:`, by its path: it has no name to be judged by.
#[cfg(feature = "openpgp")]
fn of_dir(options: &JsValue, dir: &JsValue, rules: Rules) -> Result<(Rules, Request), JsValue> {
    if values::has(options, "as") {
        return Err(argument(
            "expected no name for an image of the transport dir:, found \"as\": a policy knows it \
             by its path",
        ));
    }
    let path = values::need_text(dir, "path")?;
    let time = UnixTime(values::integer(options, "time")?);
    let rules = rules.of_dir(&path).map_err(failure)?;
    let request = Request::of_dir(&path, time).map_err(failure)?;
    Ok((rules, on_platform(options, request)?))
}

#[cfg(not(feature = "openpgp"))]
fn of_dir(_: &JsValue, _: &JsValue, _: Rules) -> Result<(Rules, Request), JsValue> {
    let message = "images of the transport dir: are no part of this build: use one with the feature \
                   openpgp";
    Err(failure(Failure::new("part.missing", message)))
}

/// Without a policy: keys, or an identity and its issuer; a trusted root, a predicate type.
async fn rules(options: &JsValue, remote: &Outside<'_>) -> Result<Rules, JsValue> {
    let Some(policy) = values::bytes(options, "policy")? else {
        if values::has(options, "registriesD") {
            return Err(argument(
                "expected a policy beside \"registriesD\", found none: without one signatures are \
                 looked for where cosign keeps them",
            ));
        }
        let direct = direct(options, remote).await?;
        return Rules::direct_by(direct, remote).await.map_err(failure);
    };
    const OTHERS: [&str; 11] = [
        "anyName",
        "annotations",
        "allKeys",
        "key",
        "trustedRoot",
        "predicateType",
        "certificateIdentity",
        "certificateIdentityRegexp",
        "certificateOidcIssuer",
        "certificateOidcIssuerRegexp",
        "certificateClaims",
    ];
    // "anyName" and "allKeys" that are false are what a policy is judged without.
    if let Some(other) = OTHERS.iter().find(|name| {
        values::has(options, name)
            && (!matches!(**name, "anyName" | "allKeys") || values::flag(options, name))
    }) {
        return Err(argument(&alloc::format!(
            "expected either a policy or {other:?}, found both: a policy says itself who is \
             trusted, leave one out"
        )));
    }
    let policy = Policy::parse(&policy).map_err(failure)?;
    let assets = values::byte_map(options, "assets")?;
    let rules = Rules::policy_by(policy, assets, remote)
        .await
        .map_err(failure)?;
    match registries_d(options)? {
        Some(files) => rules.with_registries_d(&files).map_err(failure),
        None => Ok(rules),
    }
}

/// The files of a `registries.d`; an empty folder says something else than none.
pub(super) fn registries_d(
    options: &JsValue,
) -> Result<Option<BTreeMap<String, Vec<u8>>>, JsValue> {
    values::object(options, "registriesD")
        .map(|_| values::byte_map(options, "registriesD"))
        .transpose()
}

fn argument(message: &str) -> JsValue {
    failure(Failure::new("argument", message))
}

/// One demand without a policy.
async fn direct(options: &JsValue, remote: &Outside<'_>) -> Result<Direct, JsValue> {
    let predicate_type = values::text(options, "predicateType")?;
    let predicate_type = predicate_type
        .as_deref()
        .map(predicate_type_of)
        .transpose()
        .map_err(failure)?
        .map(ToString::to_string);
    let names = if values::flag(options, "anyName") {
        SignedNames::Any
    } else {
        SignedNames::Own
    };
    let annotations = values::text_map(options, "annotations")?;
    if !annotations.is_empty() && predicate_type.is_some() {
        return Err(argument(
            "expected \"annotations\" with a signature of an image, found a \"predicateType\": an \
             attestation has none",
        ));
    }
    Ok(Direct {
        root: root(options, remote).await?,
        predicate_type,
        names,
        annotations,
        all_keys: values::flag(options, "allKeys"),
        ..Direct::by(signers(options)?)
    })
}

/// How a policy names the trusted root: one that this program carries, or where its file lies.
pub(super) fn root_name(options: &JsValue) -> Result<String, JsValue> {
    if let Ok(name) = values::text(options, "trustedRoot") {
        return Ok(name.unwrap_or_else(|| "public-good".into()));
    }
    let path = paths(options)?.trusted_root;
    Ok(path.unwrap_or_else(|| "trusted_root.json".into()))
}

/// Where the files lie that were read, for the commands that a report shows.
fn paths(options: &JsValue) -> Result<Paths, JsValue> {
    let Some(object) = values::object(options, "paths") else {
        return Ok(Paths::default());
    };
    let mut assets = BTreeMap::new();
    for (name, path) in values::text_map(&object, "assets")? {
        assets.insert(name, path);
    }
    Ok(Paths {
        keys: values::text_list(&object, "key")?,
        trusted_root: values::text(&object, "trustedRoot")?,
        assets,
    })
}

fn signers(options: &JsValue) -> Result<Signers, JsValue> {
    let identity = pattern(options, "certificateIdentity", "certificateIdentityRegexp")?;
    let issuer = pattern(
        options,
        "certificateOidcIssuer",
        "certificateOidcIssuerRegexp",
    )?;
    match (values::byte_list(options, "key")?, identity, issuer) {
        (Some(keys), None, None) => public_keys(&keys, &paths(options)?.keys)
            .map(Signers::Keys)
            .map_err(failure),
        (None, Some(subject), Some(issuer)) => Ok(Signers::Identities(alloc::vec![Identity {
            issuer,
            subject,
            claims: claims(options)?
        }])),
        (None, None, None) => Err(failure(VerifyError::RuleMissing)),
        (Some(_), ..) => Err(argument(
            "expected either a key or a certificate's identity, found both: leave one out",
        )),
        _ => Err(argument(
            "a certificate is judged by identity and issuer together: give both",
        )),
    }
}

/// By sigstore-go's names; one that no certificate can have is a mistake.
fn claims(options: &JsValue) -> Result<Vec<(String, String)>, JsValue> {
    let claims = values::text_map(options, "certificateClaims")?;
    match claims
        .iter()
        .find(|(name, _)| !Claims::names().any(|known| known == name))
    {
        Some((name, _)) => Err(argument(&alloc::format!(
            "expected names of Fulcio's claims in \"certificateClaims\", such as \
             sourceRepositoryURI, found {name:?}"
        ))),
        None => Ok(claims),
    }
}

fn pattern(options: &JsValue, exact: &str, expression: &str) -> Result<Option<Pattern>, JsValue> {
    match (
        values::text(options, exact)?,
        values::text(options, expression)?,
    ) {
        (None, None) => Ok(None),
        (Some(text), None) => Pattern::exact(&text).map(Some).map_err(failure),
        (None, Some(text)) => Pattern::search(&text).map(Some).map_err(failure),
        (Some(_), Some(_)) => Err(argument(&alloc::format!(
            "expected one of {exact:?} and {expression:?}, found both"
        ))),
    }
}

/// The name of a root that this program carries, or the bytes of one.
async fn root(options: &JsValue, remote: &Outside<'_>) -> Result<Option<NamedRoot>, JsValue> {
    let found = match values::text(options, "trustedRoot") {
        Ok(None) => return Ok(None),
        Ok(Some(name)) => roots::embedded(&name, remote).await,
        Err(_) => match values::bytes(options, "trustedRoot")? {
            None => return Ok(None),
            Some(bytes) => roots::given(&bytes, remote).await,
        },
    };
    found.map(Some).map_err(failure)
}

/// Reads the options of `verifyBundle`. The trusted root is verified by `remote`.
pub(super) async fn bundle(
    options: &JsValue,
    remote: &Outside<'_>,
) -> Result<BundleQuestion, JsValue> {
    let bundle = values::bytes(options, "bundle")?
        .ok_or_else(|| argument("expected the bundle as \"bundle\""))?;
    let artifact = artifact(options)?;
    let count = |name: &str| -> Result<usize, JsValue> {
        if !values::has(options, name) {
            return Ok(0);
        }
        usize::try_from(values::integer(options, name)?).map_err(|_| {
            argument(&alloc::format!(
                "expected a whole number, not negative, as {name:?}"
            ))
        })
    };
    let thresholds = Thresholds {
        logs: count("tlogThreshold")?,
        timestamps: count("timestampThreshold")?,
        integrated: count("integratedThreshold")?,
        observers: count("observerThreshold")?,
    };
    let wanted = match values::text(options, "wanted")?.as_deref() {
        None | Some("any") => ClaimWanted::Any,
        Some("signature") => ClaimWanted::Signature,
        Some(_) => return Err(argument("expected \"any\" or \"signature\" as \"wanted\"")),
    };
    Ok(BundleQuestion {
        bundle,
        artifact,
        direct: direct(options, remote).await?,
        key_validity: key_validity(options)?,
        thresholds,
        wanted,
    })
}

/// Its bytes, its digest, or its digests by several algorithms.
fn artifact(options: &JsValue) -> Result<Artifact, JsValue> {
    let digests = || {
        values::text_list(options, "digest")?
            .iter()
            .map(|digest| Digest::parse(digest).map_err(failure))
            .collect::<Result<Vec<_>, _>>()
    };
    let one = values::text(options, "digest");
    match (values::bytes(options, "artifact")?, one) {
        (Some(bytes), Ok(None)) => Ok(Artifact::Bytes(bytes)),
        (None, Ok(Some(digest))) => Digest::parse(&digest)
            .map(Artifact::Digest)
            .map_err(failure),
        (None, Err(_)) => digests().map(Artifact::Digests),
        _ => Err(argument(
            "expected what the bundle is about: either \"artifact\" or \"digest\"",
        )),
    }
}

fn key_validity(options: &JsValue) -> Result<Option<Window>, JsValue> {
    let Some(object) = values::object(options, "keyValidity") else {
        return Ok(None);
    };
    let end = if values::has(&object, "end") {
        Some(UnixTime(values::integer(&object, "end")?))
    } else {
        None
    };
    Ok(Some(Window {
        start: UnixTime(values::integer(&object, "start")?),
        end,
    }))
}

fn credentials(options: &JsValue) -> Result<Credentials, JsValue> {
    let Some(object) = values::object(options, "credentials") else {
        return Ok(Credentials::Anonymous);
    };
    if let Some(token) = values::text(&object, "token")? {
        return Ok(Credentials::IdentityToken(token));
    }
    Ok(Credentials::Basic {
        username: values::need_text(&object, "username")?,
        password: values::need_text(&object, "password")?,
    })
}

pub(super) fn web_crypto(options: &JsValue) -> Result<bool, JsValue> {
    match values::text(options, "provider")?.as_deref() {
        None | Some("webcrypto") => Ok(true),
        Some("rust") => Ok(false),
        Some(_) => Err(failure(Failure::new(
            "argument",
            "expected \"webcrypto\" or \"rust\" as \"provider\"",
        ))),
    }
}

/// Reads the options of `verifySignature`.
pub(super) fn signature(options: &JsValue) -> Result<SignatureCheck, JsValue> {
    let need = |key: &str| {
        values::bytes(options, key)?.ok_or_else(|| {
            failure(Failure::new(
                "argument",
                alloc::format!("expected a Uint8Array as {key:?}"),
            ))
        })
    };
    let key = PublicKey::from_pem(&need("key")?).map_err(failure)?;
    let algorithm = values::text(options, "algorithm")?;
    let algorithm = algorithm.as_deref().unwrap_or(match key.kind() {
        KeyKind::Ecdsa(_) => "ecdsa-sha256",
        KeyKind::Rsa(_) => "rsa-pkcs1-sha256",
        KeyKind::Ed25519 => "ed25519",
        KeyKind::Dsa(_) => "dsa",
    });
    let (id, form) = match algorithm.strip_prefix("ecdsa-p1363-") {
        Some(hash) => (alloc::format!("ecdsa-{hash}"), EcdsaForm::Fixed),
        None => (algorithm.into(), EcdsaForm::Der),
    };
    let Some(scheme) = Scheme::by_id(&id) else {
        return Err(failure(Failure::new(
            "argument",
            "expected ecdsa-, ecdsa-p1363-, rsa-pkcs1- or rsa-pss- with sha256, sha384 or sha512, \
             ed25519 or ed25519ph as \"algorithm\"",
        )));
    };
    SignatureCheck::new(
        Role::Given,
        &key,
        scheme,
        form,
        Message::Bytes(need("data")?),
        &need("signature")?,
    )
    .map_err(failure)
}
