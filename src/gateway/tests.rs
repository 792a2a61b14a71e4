//! The gateway against a registry, a store and a provider that do what each test says. Signatures
//! here are stand-ins that the provider knows; real ones are judged in `tests/images.rs`.

mod added_evidence;
mod administration;
mod anything;
mod audit;
mod badge;
mod blobs;
mod budgets;
mod configuration;
mod egress;
mod evidence_by_bytes;
mod evidence_documents;
mod glance;
mod hints;
mod indexes;
mod lists;
mod memory;
mod messages;
mod next;
mod polyglots;
mod published;
mod references;
mod registries;
mod relay;
mod report;
mod serving;
mod setup;
mod sign_in;
#[cfg(feature = "openpgp")]
mod simple_signing;
mod stored;
mod world;

use super::hints::Hints;
use super::*;
use crate::crypto::{Outcome, Provider, PublicKey, SignatureCheck};
use crate::digest::{Algorithm, Digest, sha256};
use crate::encoding::base64;
use crate::error::HostError;
use crate::host::{Host, LogQuestion, Response, Sink, Store};
use crate::limits;
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::cell::{Cell, RefCell};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use world::World;

const GOOD: &[u8] = include_bytes!("../../fixtures/demo/cosign.pub");
const OTHER: &[u8] = include_bytes!("../../fixtures/cosign/ecdsa-p256-signature/key.pub");
const NAME: &str = "r.example";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// In a signature: the provider gives no answer.
const NO_ANSWER: [u8; 8] = *b"noanswer";
const TOKEN: &str = "Bearer yes";

/// What stands for a signature of `message` by `key`: r is the hash of both, s is one.
fn mark(key: &PublicKey, message: &[u8]) -> Vec<u8> {
    let mut signature = sha256(&[key.spki_der(), message].concat()).to_vec();
    signature[0] = 0;
    signature.extend_from_slice(&[0; 31]);
    signature.push(1);
    signature
}

fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    Response {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
        body: body.to_vec(),
        url: None,
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn descriptor(kind: &str, bytes: &[u8], more: &str) -> String {
    format!(
        r#"{{"mediaType":"{kind}","digest":"{}","size":{}{more}}}"#,
        Digest::of(bytes),
        bytes.len()
    )
}

fn manifest(config: &str, layers: &[String]) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{}]}}"#,
        layers.join(",")
    )
    .into_bytes()
}

/// A manifest whose config is empty: a signature's, where its layers are.
fn artifact(layers: &[String]) -> Vec<u8> {
    manifest(&descriptor(CONFIG, b"{}", ""), layers)
}

fn index_of(entries: &[String]) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#,
        entries.join(",")
    )
    .into_bytes()
}

fn payload(digest: &Digest, identity: &str, optional: &str) -> String {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"{identity}"}},
          "image":{{"docker-manifest-digest":"{digest}"}},
          "type":"cosign container image signature"}},"optional":{optional}}}"#
    )
}

const SCOPES: &str = r#"
    "r.example/app": [{"type": "sigstoreSigned", "keyPath": "good.pub",
      "signedIdentity": {"type": "matchRepository"}}],
    "r.example/app:prod": [{"type": "sigstoreSigned", "keyPath": "other.pub",
      "signedIdentity": {"type": "matchRepository"}}],
    "r.example/exact": [{"type": "sigstoreSigned", "keyPath": "good.pub"}],
    "r.example/tagged:1.0": [{"type": "sigstoreSigned", "keyPath": "good.pub"}],
    "r.example/open": [{"type": "insecureAcceptAnything"}],
    "r.example/digest": [{"type": "sigstoreSigned", "keyPath": "good.pub",
      "signedIdentity": {"type": "matchDigest"}}]"#;

fn policy(coverage: &str) -> String {
    format!(
        r#"{{"sealgate": {{"version": 1, "coverage": "{coverage}"}},
          "default": [{{"type": "reject"}}], "transports": {{"docker": {{{SCOPES}}}}}}}"#
    )
}

fn config(policy: &str) -> Config {
    Config {
        upstream: "http://up.test".into(),
        name: NAME.into(),
        policy: policy.as_bytes().to_vec(),
        registries_d: None,
        assets: [
            ("good.pub".to_string(), GOOD.to_vec()),
            ("other.pub".to_string(), OTHER.to_vec()),
        ]
        .into(),
        secret: vec![7; 32],
        ..Config::default()
    }
}

/// Verdicts are forgotten, in the isolate and in the store.
fn forget_verdicts(gateway: &Gateway, world: &World) {
    world
        .store
        .borrow_mut()
        .retain(|key, _| !key.starts_with("verdict/"));
    *gateway.caches.rulings.borrow_mut() = cache::Cache::new(limits::KEPT_VERDICTS);
}

/// The isolate knows nothing, as after a start.
fn forget_all(gateway: &Gateway) {
    let fresh = Caches::default();
    gateway.caches.rulings.swap(&fresh.rulings);
    gateway.caches.content.swap(&fresh.content);
    gateway.caches.hints.swap(&fresh.hints);
}

fn records_of<'a>(gateway: &'a Gateway, world: &'a World) -> records::Records<'a, World> {
    records::Records {
        store: world,
        secret: &gateway.settings.secret,
        build: &gateway.settings.build,
    }
}

fn hints_of<'a>(gateway: &'a Gateway, world: &'a World, repository: &str) -> Hints<'a, World> {
    Hints {
        caches: &gateway.caches.hints,
        records: records_of(gateway, world),
        upstream: &only(gateway).upstream,
        repository: repository.into(),
    }
}

/// A hint that `parent` lists `child`, true or not.
fn plant(gateway: &Gateway, repository: &str, parent: &Digest, child: &Digest) {
    let world = World::default();
    let hints = hints_of(gateway, &world, repository);
    run(hints.remember(parent, core::iter::once(child), None, UnixTime(1_000)));
}

/// The one registry behind it.
fn only(gateway: &Gateway) -> &entries::RegistryEntry {
    gateway.settings.entries.iter().next().unwrap()
}

/// The gateway with something else in its configuration.
fn with(change: impl FnOnce(&mut Config)) -> Gateway {
    let mut config = config(&policy("index"));
    change(&mut config);
    Gateway::new(config)
}

fn gateway() -> Gateway {
    Gateway::new(config(&policy("index")))
}

/// What a client sees.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    phrase: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn message(&self) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        value["errors"][0]["message"].as_str().unwrap().into()
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], time: i64) -> ClientRequest {
    ClientRequest {
        method: method.into(),
        url: format!("http://gate.test{path}"),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
        time: UnixTime(time),
    }
}

fn act(gateway: &Gateway, world: &World, request: &ClientRequest) -> Action {
    if world.taken.get() == 0 {
        world.taken.set(usize::MAX);
    }
    match run(gateway.handle(request, world)) {
        Action::Sent => {
            let (status, headers, body) = world.sent.take().expect("it went out");
            Action::Respond(Respond {
                status,
                status_text: None,
                headers,
                body: Some(body),
                log: None,
            })
        }
        action => action,
    }
}

fn ask(gateway: &Gateway, world: &World, method: &str, path: &str) -> Seen {
    let request = request(method, path, &[], 1_000);
    seen(world, act(gateway, world, &request))
}

fn seen(world: &World, action: Action) -> Seen {
    match action {
        Action::Respond(respond) => Seen {
            status: respond.status,
            headers: respond.headers,
            body: respond.body.unwrap_or_default(),
            phrase: respond.status_text.unwrap_or_default(),
        },
        // The upstream's own answer, as the shell carries it out.
        Action::Stream(stream) => {
            let fetched = run(world.fetch(crate::host::Request {
                method: stream.method,
                url: stream.url,
                headers: stream.headers,
                body: None,
                max_bytes: usize::MAX,
                egress: crate::host::Egress::Operator,
                sign: None,
            }))
            .unwrap();
            let body = if fetched.status >= 400 {
                stream.error_body.into_bytes()
            } else {
                fetched.body
            };
            Seen {
                status: fetched.status,
                headers: fetched.headers,
                body,
                phrase: String::new(),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn get(gateway: &Gateway, world: &World, path: &str) -> Seen {
    ask(gateway, world, "GET", path)
}

fn blob_status(gateway: &Gateway, world: &World, repository: &str, bytes: &[u8]) -> u16 {
    let path = format!("/v2/{repository}/blobs/{}", Digest::of(bytes));
    get(gateway, world, &path).status
}

/// The status, and the code in brackets of a refusal.
fn verdict(gateway: &Gateway, world: &World, path: &str) -> (u16, String) {
    let seen = get(gateway, world, path);
    let text = String::from_utf8_lossy(&seen.body).into_owned();
    let code = text
        .rsplit_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .filter(|_| seen.status >= 400)
        .map(|(code, _)| code.to_string());
    (seen.status, code.unwrap_or_default())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.into())
}
