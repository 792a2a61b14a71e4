//! The happy vectors, and the one place that asks sealgate.

use crate::edit::decode;
use sealgate::internals::crypto::{Curve, KeyKind, Provider, PublicKey, RustCrypto, Step};
use sealgate::internals::digest::Digest;
use sealgate::internals::error::Coded;
use sealgate::internals::sigstore::bundle::Bundle;
use sealgate::internals::sigstore::identity::Identity;
use sealgate::internals::sigstore::roots;
use sealgate::internals::sigstore::trusted_root::TrustedRoot;
use sealgate::internals::sigstore::verify::{Artifact, Signer, Thresholds, verify_bundle};
use sealgate::internals::time::UnixTime;
use sealgate::internals::x509::Certificate;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

/// A bundle that holds, and everything that it holds for.
#[derive(Clone)]
pub(crate) struct Vector {
    pub name: String,
    pub bundle: Value,
    pub root: Value,
    pub trusted: TrustedRoot,
    pub artifact: Artifact,
    pub signer: Signer,
    pub thresholds: Thresholds,
}

/// What came of a bundle that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    pub steps: Vec<Step>,
    pub times: Vec<UnixTime>,
    /// Statement and claims, as far as they can be compared.
    pub says: String,
}

/// Polls a future that has nothing to wait for.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

pub(crate) fn load_root(root: &[u8]) -> Result<TrustedRoot, String> {
    TrustedRoot::load(root)
        .unwrap()
        .map_err(|failure| failure.code.into())
}

/// A root of a vector, read once: every authority's chain is verified then.
fn known_root(root: &[u8]) -> TrustedRoot {
    static KNOWN: Mutex<BTreeMap<Vec<u8>, TrustedRoot>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    known
        .entry(root.into())
        .or_insert_with(|| load_root(root).unwrap())
        .clone()
}

impl Vector {
    /// The adapter: bytes and demands in, steps or a code out.
    pub(crate) fn judge_bytes<P: Provider>(
        &self,
        bundle: &[u8],
        provider: &P,
    ) -> Result<Accepted, String> {
        let bundle = Bundle::parse(bundle).map_err(|error| String::from(error.code()))?;
        match wait(verify_bundle(
            &bundle,
            &self.artifact,
            &self.signer,
            &self.trusted,
            self.thresholds,
            provider,
        ))
        .unwrap()
        {
            Ok(verified) => {
                let signed = verified.claim();
                Ok(Accepted {
                    steps: verified.steps().into(),
                    times: signed.times.clone(),
                    says: format!("{:?} {:?}", signed.says, signed.claims),
                })
            }
            Err(refused) => Err(refused.failure.code.into()),
        }
    }

    pub(crate) fn judge(&self, bundle: &Value) -> Result<Accepted, String> {
        self.judge_bytes(&serde_json::to_vec(bundle).unwrap(), &RustCrypto)
    }

    pub(crate) fn accepted(&self) -> Accepted {
        self.judge(&self.bundle)
            .unwrap_or_else(|code| panic!("{} is happy no longer: {code}", self.name))
    }

    /// What came of a happy vector as it is, under its own root.
    pub(crate) fn whole(&self) -> &'static Accepted {
        static WHOLE: OnceLock<BTreeMap<&str, Accepted>> = OnceLock::new();
        let whole = WHOLE.get_or_init(|| {
            all()
                .iter()
                .map(|vector| (vector.name.as_str(), vector.accepted()))
                .collect()
        });
        &whole[self.name.as_str()]
    }

    /// The same under another trusted root.
    pub(crate) fn under(&self, root: &Value) -> Self {
        let trusted = load_root(&serde_json::to_vec(root).unwrap())
            .unwrap_or_else(|code| panic!("{}: the root does not load: {code}", self.name));
        Self {
            root: root.clone(),
            trusted,
            ..self.clone()
        }
    }

    /// One of the shared vectors, which may become others.
    pub(crate) fn is_shared(&self) -> bool {
        self.name.starts_with("bundles/")
    }

    pub(crate) fn is_keyed(&self) -> bool {
        matches!(self.signer, Signer::Key(..))
    }

    /// Whether this code says that. Where a key may have signed in several ways, or several
    /// authorities may have issued the certificate, each is an attempt, and another one's reason
    /// may be told.
    pub(crate) fn tells(&self, code: &str, expected: &str) -> bool {
        let schemes = self.has_two_schemes()
            && [
                "sigstore.need-bytes",
                "log-body.algorithm",
                "signature.invalid",
            ]
            .contains(&code);
        let authorities = self.root["certificateAuthorities"]
            .as_array()
            .is_some_and(|list| list.len() > 1);
        let late = [
            "signature.invalid",
            "sigstore.artifact",
            "sigstore.sct",
            "sigstore.identity",
            "sigstore.payload-type",
            "sigstore.need-bytes",
        ]
        .contains(&expected);
        code == expected || schemes || authorities && late && code.starts_with("x509.")
    }

    fn has_two_schemes(&self) -> bool {
        let kind = match (&self.signer, self.leaf_pointer()) {
            (Signer::Key(key, _), _) => key.kind(),
            (Signer::Identity(_), Some(_)) => Certificate::parse(&self.leaf())
                .unwrap()
                .public_key()
                .kind(),
            (Signer::Identity(_), None) => return false,
        };
        matches!(kind, KeyKind::Ecdsa(Curve::P384 | Curve::P521))
    }

    /// Where the leaf stands.
    pub(crate) fn leaf_pointer(&self) -> Option<&'static str> {
        [
            "/verificationMaterial/certificate/rawBytes",
            "/verificationMaterial/x509CertificateChain/certificates/0/rawBytes",
        ]
        .into_iter()
        .find(|pointer| self.bundle.pointer(pointer).is_some())
    }

    pub(crate) fn leaf(&self) -> Vec<u8> {
        decode(self.bundle.pointer(self.leaf_pointer().unwrap()).unwrap())
    }

    pub(crate) fn signature_pointer(&self) -> &'static str {
        if self.is_dsse() {
            "/dsseEnvelope/signatures/0/sig"
        } else {
            "/messageSignature/signature"
        }
    }

    pub(crate) fn signature(&self) -> &Value {
        self.bundle.pointer(self.signature_pointer()).unwrap()
    }

    /// The timestamps, where the root lists an authority that may have made them.
    pub(crate) fn stamps(&self) -> Option<&Value> {
        let data = &self.bundle["verificationMaterial"]["timestampVerificationData"];
        let listed = self.root["timestampAuthorities"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        (listed
            && data["rfc3161Timestamps"]
                .as_array()
                .is_some_and(|list| !list.is_empty()))
        .then_some(data)
    }

    pub(crate) fn is_dsse(&self) -> bool {
        self.bundle.get("dsseEnvelope").is_some()
    }

    pub(crate) fn entries(&self) -> &[Value] {
        self.bundle["verificationMaterial"]["tlogEntries"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }

    /// Whether the trusted root lists the log of this entry.
    pub(crate) fn lists(&self, entry: &Value) -> bool {
        self.root["tlogs"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|log| log["logId"]["keyId"] == entry["logId"]["keyId"])
    }
}

/// Every happy vector that is there; it fails where there is none.
pub(crate) fn all() -> &'static [Vector] {
    static ALL: OnceLock<Vec<Vector>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut found = shared();
        found.extend(fixtures());
        assert!(
            !found.is_empty(),
            "expected happy bundles in fixtures/sigstore (`make fixtures` makes them), found none"
        );
        found
    })
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The shared vectors of the topic, where they are there. Nothing of them is kept here.
pub(crate) fn shared_folder() -> Option<PathBuf> {
    let folder = PathBuf::from("../shared/vectors/bundles");
    folder.join("cases.json").exists().then_some(folder)
}

/// The names of all cases that are there and expected to hold.
pub(crate) fn shared_names() -> Vec<String> {
    let Some(folder) = shared_folder() else {
        return Vec::new();
    };
    let cases = json(&folder.join("cases.json"));
    cases["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["expect"] == "ok")
        .map(|case| case["id"].as_str().unwrap().into())
        .collect()
}

fn shared() -> Vec<Vector> {
    let Some(folder) = shared_folder() else {
        return Vec::new();
    };
    let cases = json(&folder.join("cases.json"));
    cases["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["expect"] == "ok")
        .filter_map(|case| shared_case(&folder, case))
        .collect()
}

/// `None` for what sealgate refuses: conformance/vectors/divergences.json says why, and `make
/// vectors` that nothing else is.
fn shared_case(folder: &Path, case: &Value) -> Option<Vector> {
    let (inputs, params) = (&case["inputs"], &case["params"]);
    let input = |name: &str| inputs[name].as_str().map(|path| folder.join(path));
    let number = |name: &str| usize::try_from(params[name].as_u64().unwrap_or(0)).unwrap();
    let bundle = json(&input("bundle")?);
    let artifact = match params["digest"].as_str() {
        Some(digest) if digest.starts_with("sha1:") => return None,
        Some(digest) => Artifact::Digest(Digest::parse(digest).unwrap()),
        None => Artifact::Bytes(read(&input("artifact")?)),
    };
    let signer = match (
        input("key"),
        params["identity"].as_str(),
        params["issuer"].as_str(),
    ) {
        (Some(key), ..) => Signer::Key(PublicKey::from_pem(&read(&key)).unwrap(), None),
        (None, Some(subject), Some(issuer)) => {
            Signer::Identity(vec![Identity::exact(issuer, subject).unwrap()])
        }
        _ => return None,
    };
    let thresholds = Thresholds {
        logs: number("tlog_threshold"),
        timestamps: number("signed_timestamp_threshold"),
        integrated: number("integrated_timestamp_threshold"),
        observers: number("observer_timestamp_threshold").max(number("time_threshold")),
    };
    let root = read(&input("trusted_root")?);
    let (trusted, root) = (known_root(&root), serde_json::from_slice(&root).unwrap());
    let name = case["id"].as_str().unwrap().into();
    let vector = Vector {
        name,
        bundle,
        root,
        trusted,
        artifact,
        signer,
        thresholds,
    };
    vector.judge(&vector.bundle).is_ok().then_some(vector)
}

/// All bundles of fixtures/sigstore that are good (fixtures/README.md); each of them must be.
fn fixtures() -> Vec<Vector> {
    let own = Path::new("fixtures/sigstore");
    let mut found = Vec::new();
    for (folder, instance) in [
        ("", None),
        ("public-good", Some("public-good")),
        ("staging", Some("staging")),
        ("github", Some("github")),
    ] {
        let Ok(cases) = std::fs::read_dir(own.join(folder)) else {
            continue;
        };
        let mut cases: Vec<PathBuf> = cases
            .map(|case| case.unwrap().path())
            .filter(|case| case.join("bundle.json").exists())
            .collect();
        cases.sort();
        found.extend(
            cases
                .iter()
                .filter(|case| !case.to_str().unwrap().ends_with("_fail"))
                .filter_map(|case| fixture(own, case, instance)),
        );
    }
    found
}

/// `None` for a certificate without an issuer, which no identity matches.
fn fixture(own: &Path, folder: &Path, instance: Option<&str>) -> Option<Vector> {
    let case = json(&folder.join("case.json"));
    let text = |name: &str| {
        case[name]
            .as_str()
            .unwrap_or_else(|| panic!("{}: no {name}", folder.display()))
    };
    let root = match instance {
        Some(name) => roots::named(name).unwrap().bytes.to_vec(),
        None => read(&own.join(text("root"))),
    };
    let artifact = match std::fs::read(folder.join("artifact")) {
        Ok(bytes) => Artifact::Bytes(bytes),
        Err(_) => Artifact::Digest(Digest::parse(text("digest")).unwrap()),
    };
    let signer = match (case["key"].as_str(), case["issuer"].as_str()) {
        (Some(key), _) => Signer::Key(PublicKey::from_pem(&read(&folder.join(key))).unwrap(), None),
        (None, Some(issuer)) => {
            Signer::Identity(vec![Identity::exact(issuer, text("identity")).unwrap()])
        }
        (None, None) => return None,
    };
    let name = folder
        .strip_prefix("fixtures")
        .unwrap()
        .to_str()
        .unwrap()
        .into();
    let (trusted, root) = (known_root(&root), serde_json::from_slice(&root).unwrap());
    Some(Vector {
        name,
        bundle: json(&folder.join("bundle.json")),
        root,
        trusted,
        artifact,
        signer,
        thresholds: Thresholds::default(),
    })
}
