//! The gateway against a registry, a store and a provider that do what each test says. Signatures here are stand-ins
//! that the provider knows; real ones are judged in `tests/images.rs`.

use super::*;
use crate::crypto::{Outcome, Provider, PublicKey, SignatureCheck};
use crate::digest::{sha256, Algorithm, Digest};
use crate::encoding::base64;
use crate::error::HostError;
use crate::host::{Host, Response, Store};
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::cell::{Cell, RefCell};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

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
const TOKEN: &str = "Bearer yes";

/// The end of a path, how often to answer so, and the answer.
type Fault = (String, usize, Result<Response, HostError>);

/// A registry at `http://up.test`, a store, and what is to go wrong.
#[derive(Default)]
struct World {
    /// `repository/manifests/reference` and `repository/blobs/digest`: content and type.
    content: RefCell<BTreeMap<String, (Vec<u8>, String)>>,
    /// Answers for the first request that contains this text, as often as it says.
    faults: RefCell<Vec<Fault>>,
    asked: RefCell<Vec<String>>,
    store: RefCell<BTreeMap<String, String>>,
    private: Cell<bool>,
    /// HEAD says nothing of digests.
    mute: Cell<bool>,
    checks: Cell<usize>,
}

impl Host for World {
    async fn fetch(&self, request: crate::host::Request) -> Result<Response, HostError> {
        let line = format!("{} {}", request.method, request.url);
        self.asked.borrow_mut().push(line.clone());
        let fault = self.faults.borrow_mut().iter_mut().find(|(part, left, _)| line.contains(part) && *left > 0).map(|(_, left, outcome)| {
            *left -= 1;
            outcome.clone()
        });
        if let Some(outcome) = fault {
            return outcome;
        }
        let authorised = request.headers.iter().any(|(name, value)| name == "authorization" && value == TOKEN);
        if self.private.get() && !authorised {
            return Ok(response(401, &[("www-authenticate", "Bearer realm=\"https://auth.test/token\",service=\"up\"")], b""));
        }
        let path = request.url.strip_prefix("http://up.test/v2/").expect("nobody else is asked");
        let Some((bytes, kind)) = self.content.borrow().get(path).cloned() else { return Ok(response(404, &[], b"")) };
        let digest = Digest::of(&bytes).to_string();
        let mut headers = vec![("content-type", kind.as_str())];
        if !self.mute.get() {
            headers.push(("docker-content-digest", &digest));
        }
        Ok(response(200, &headers, if request.method == "HEAD" { b"" } else { &bytes }))
    }
}

impl Provider for World {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        self.checks.set(self.checks.get() + 1);
        let crate::crypto::Message::Bytes(message) = check.message() else { return Ok(Outcome::Fails) };
        Ok(if check.signature() == mark(check.key(), message) { Outcome::Holds } else { Outcome::Fails })
    }
}

impl Store for World {
    async fn load(&self, key: &str) -> Option<String> {
        self.store.borrow().get(key).cloned()
    }

    async fn lock(&self, _key: &str) {}

    async fn save(&self, key: &str, value: &str, _seconds: u32) {
        self.store.borrow_mut().insert(key.into(), value.into());
    }
}

/// What stands for a signature of `message` by `key`: r is the hash of both, s is one.
fn mark(key: &PublicKey, message: &[u8]) -> Vec<u8> {
    let mut signature = sha256(&[key.spki_der(), message].concat()).to_vec();
    signature[0] = 0;
    signature.extend_from_slice(&[0; 31]);
    signature.push(1);
    signature
}

fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    Response { status, headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(), body: body.to_vec(), url: None }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn descriptor(kind: &str, bytes: &[u8], more: &str) -> String {
    format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}{more}}}"#, Digest::of(bytes), bytes.len())
}

fn manifest(config: &str, layers: &[String]) -> Vec<u8> {
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{}]}}"#, layers.join(",")).into_bytes()
}

fn index_of(entries: &[String]) -> Vec<u8> {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, entries.join(",")).into_bytes()
}

impl World {
    fn blob(&self, repository: &str, bytes: &[u8]) {
        self.content.borrow_mut().insert(format!("{repository}/blobs/{}", Digest::of(bytes)), (bytes.to_vec(), "application/octet-stream".into()));
    }

    fn put(&self, repository: &str, tag: &str, kind: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        for reference in [tag, &digest.to_string()] {
            self.content.borrow_mut().insert(format!("{repository}/manifests/{reference}"), (bytes.to_vec(), kind.into()));
        }
        digest
    }

    /// An image with one layer, which is its text.
    fn image(&self, repository: &str, tag: &str, text: &str) -> (Digest, Vec<u8>) {
        let config = format!(r#"{{"os":"linux","text":"{text}"}}"#);
        self.blob(repository, config.as_bytes());
        self.blob(repository, text.as_bytes());
        let bytes = manifest(&descriptor(CONFIG, config.as_bytes(), ""), &[descriptor(LAYER, text.as_bytes(), "")]);
        (self.put(repository, tag, MANIFEST, &bytes), bytes)
    }

    /// Signs as `identity`, beside what is there.
    fn sign(&self, repository: &str, digest: &Digest, identity: &str, key: &[u8]) -> Digest {
        let payload = payload(digest, identity, "null");
        let signature = base64::encode(&mark(&PublicKey::from_pem(key).unwrap(), payload.as_bytes()));
        self.blob(repository, payload.as_bytes());
        self.blob(repository, b"{}");
        let layer = descriptor(SIMPLE, payload.as_bytes(), &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#));
        self.put(repository, &format!("sha256-{}.sig", digest.hex()), MANIFEST, &manifest(&descriptor(CONFIG, b"{}", ""), &[layer]))
    }

    fn signed(&self, repository: &str, tag: &str, text: &str) -> (Digest, Vec<u8>) {
        let (digest, bytes) = self.image(repository, tag, text);
        self.sign(repository, &digest, &format!("{NAME}/{repository}:{tag}"), GOOD);
        (digest, bytes)
    }

    fn fail(&self, part: &str, times: usize, outcome: Result<Response, HostError>) {
        self.faults.borrow_mut().push((part.into(), times, outcome));
    }

    fn mend(&self) {
        self.faults.borrow_mut().clear();
    }

    fn forget(&self, kind: &str) {
        self.store.borrow_mut().retain(|key, _| !key.starts_with(kind));
    }
}

fn payload(digest: &Digest, identity: &str, optional: &str) -> String {
    format!(r#"{{"critical":{{"identity":{{"docker-reference":"{identity}"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":{optional}}}"#)
}

const SCOPES: &str = r#"
    "r.example/app": [{"type": "sigstoreSigned", "keyPath": "good.pub", "signedIdentity": {"type": "matchRepository"}}],
    "r.example/app:prod": [{"type": "sigstoreSigned", "keyPath": "other.pub", "signedIdentity": {"type": "matchRepository"}}],
    "r.example/exact": [{"type": "sigstoreSigned", "keyPath": "good.pub"}],
    "r.example/tagged:1.0": [{"type": "sigstoreSigned", "keyPath": "good.pub"}],
    "r.example/open": [{"type": "insecureAcceptAnything"}],
    "r.example/digest": [{"type": "sigstoreSigned", "keyPath": "good.pub", "signedIdentity": {"type": "matchDigest"}}]"#;

fn policy(coverage: &str) -> String {
    format!(r#"{{"sealgate": {{"version": 1, "coverage": "{coverage}"}}, "default": [{{"type": "reject"}}], "transports": {{"docker": {{{SCOPES}}}}}}}"#)
}

fn config(policy: &str) -> Config {
    Config {
        upstream: "http://up.test".into(),
        name: NAME.into(),
        policy: policy.as_bytes().to_vec(),
        registries_d: None,
        assets: [("good.pub".to_string(), GOOD.to_vec()), ("other.pub".to_string(), OTHER.to_vec())].into(),
        secret: vec![7; 32],
    }
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
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn message(&self) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        value["errors"][0]["message"].as_str().unwrap().into()
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], time: i64) -> Request {
    Request { method: method.into(), url: format!("http://gate.test{path}"), headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(), time: UnixTime(time) }
}

fn act(gateway: &Gateway, world: &World, request: &Request) -> Action {
    run(gateway.handle(request, world))
}

fn ask(gateway: &Gateway, world: &World, method: &str, path: &str) -> Seen {
    match act(gateway, world, &request(method, path, &[], 1_000)) {
        Action::Respond(respond) => Seen { status: respond.status, headers: respond.headers, body: respond.body.unwrap_or_default(), phrase: respond.status_text.unwrap_or_default() },
        // The upstream's own answer, as the shell carries it out.
        Action::Stream(stream) => {
            let fetched = run(world.fetch(crate::host::Request { method: stream.method, url: stream.url, headers: stream.headers, body: None, max_bytes: usize::MAX })).unwrap();
            Seen { status: fetched.status, headers: fetched.headers, body: fetched.body, phrase: String::new() }
        }
        Action::Asset(path) => panic!("a file: {path}"),
    }
}

fn get(gateway: &Gateway, world: &World, path: &str) -> Seen {
    ask(gateway, world, "GET", path)
}

/// The status, and the code in brackets of a refusal.
fn verdict(gateway: &Gateway, world: &World, path: &str) -> (u16, String) {
    let seen = get(gateway, world, path);
    let text = String::from_utf8_lossy(&seen.body).into_owned();
    let code = text.rsplit_once('[').and_then(|(_, rest)| rest.split_once(']')).filter(|_| seen.status >= 400).map(|(code, _)| code.to_string());
    (seen.status, code.unwrap_or_default())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.into())
}

mod serving {
    use super::*;

    #[test]
    fn head_says_what_get_says() {
        let world = World::default();
        let (digest, bytes) = world.signed("app", "1.0", "a");
        let (unsigned, _) = world.image("app", "2.0", "b");
        let gateway = gateway();
        for reference in ["1.0", &digest.to_string(), "2.0", &unsigned.to_string(), "3.0"] {
            let path = format!("/v2/app/manifests/{reference}");
            let (get, head) = (get(&gateway, &world, &path), ask(&gateway, &world, "HEAD", &path));
            assert!(head.body.is_empty());
            assert_eq!(Seen { body: Vec::new(), ..get.clone() }, head, "{reference}");
            assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()));
            if get.status == 200 {
                assert_eq!((get.body.as_slice(), get.header("docker-content-digest")), (bytes.as_slice(), Some(digest.to_string().as_str())));
                assert_eq!((get.header("content-type"), get.header("cache-control")), (Some(MANIFEST), Some("no-transform")));
            }
        }
        assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/1.0").0, 200);
        assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/2.0"), is(403, "signature.missing"));
        assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/3.0").0, 404);
    }

    /// With any of HEAD's answers, with and without a store.
    #[test]
    fn a_tag_that_moves_is_served_as_what_was_judged() {
        let world = World::default();
        let (signed, bytes) = world.signed("app", "1.0", "a");
        let gateway = gateway();
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").body, bytes);
        let (unsigned, other) = world.image("app", "1.0", "b");
        // What was kept does not answer for the tag, nor its verdict for the other digest.
        assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/1.0"), is(403, "signature.missing"));
        // HEAD still told of the old one: the old one's bytes are sent, which is what was judged.
        let old = response(200, &[("docker-content-digest", &signed.to_string())], b"");
        world.fail("HEAD http://up.test/v2/app/manifests/1.0", 1, Ok(old.clone()));
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").body, bytes);
        // And with nothing kept, whatever the GET by that digest returns must have it.
        world.store.borrow_mut().clear();
        world.fail("HEAD http://up.test/v2/app/manifests/1.0", 1, Ok(old));
        world.fail(&format!("GET http://up.test/v2/app/manifests/{signed}"), 2, Ok(response(200, &[("content-type", MANIFEST)], &other)));
        assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/1.0"), is(403, "digest.mismatch"));
        world.mute.set(true);
        assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/1.0"), is(403, "signature.missing"));
        assert_eq!(verdict(&gateway, &world, &format!("/v2/app/manifests/{unsigned}")), is(403, "signature.missing"));
    }

    /// One retry, then refused: by digest, and where only the GET of a tag tells its digest.
    #[test]
    fn bytes_that_contradict_the_digest() {
        let world = World::default();
        let (digest, _) = world.signed("app", "1.0", "a");
        let gateway = gateway();
        let wrong = response(200, &[("content-type", MANIFEST), ("docker-content-digest", &digest.to_string())], b"{}");
        let by_digest = format!("GET http://up.test/v2/app/manifests/{digest}");
        for (times, expected) in [(2, is(403, "digest.mismatch")), (1, is(200, ""))] {
            world.mend();
            world.store.borrow_mut().clear();
            world.fail(&by_digest, times, Ok(wrong.clone()));
            assert_eq!(verdict(&gateway, &world, &format!("/v2/app/manifests/{digest}")), expected);
        }
        for (times, expected) in [(2, is(403, "digest.mismatch")), (1, is(200, ""))] {
            world.mend();
            world.store.borrow_mut().clear();
            world.fail("HEAD http://up.test/v2/app/manifests/1.0", 1, Ok(response(405, &[], b"")));
            world.fail("GET http://up.test/v2/app/manifests/1.0", times, Ok(wrong.clone()));
            assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/1.0"), expected, "{times}");
        }
    }

    #[test]
    fn an_upstream_that_says_no_or_nothing() {
        let world = World::default();
        let (digest, _) = world.signed("app", "1.0", "a");
        let gateway = gateway();
        let challenge = "Bearer realm=\"https://auth.test/token\"";
        let limited = response(429, &[("retry-after", "7")], b"");
        let denied = response(403, &[], br#"{"errors":[{"code":"DENIED","message":"not for you"}]}"#);
        for (answer, status) in [
            (Ok(response(401, &[("www-authenticate", challenge)], b"")), 401), (Ok(denied), 403), (Ok(response(404, &[], b"")), 404), (Ok(limited), 429),
            (Ok(response(500, &[], b"")), 503), (Ok(response(502, &[], b"")), 503), (Ok(response(418, &[], b"")), 503), (Err(HostError::Timeout { url: "u".into() }), 503),
        ] {
            for reference in ["1.0", &digest.to_string()] {
                world.mend();
                world.store.borrow_mut().clear();
                world.fail("http", usize::MAX, answer.clone());
                let path = format!("/v2/app/manifests/{reference}");
                let seen = get(&gateway, &world, &path);
                assert_eq!(seen.status, status, "{reference}: {answer:?}");
                assert_eq!(seen.header("www-authenticate"), (status == 401).then_some(challenge));
                assert_eq!(seen.header("retry-after"), (status == 429).then_some("7"));
                assert_eq!(seen.header("cache-control"), Some("no-store"));
                assert_eq!(ask(&gateway, &world, "HEAD", &path).status, status);
            }
        }
    }

    /// A source of evidence that gives no answer is never "unsigned", and nothing of it is kept.
    #[test]
    fn evidence_out_of_reach_is_could_not_find_out() {
        let world = World::default();
        let (digest, _) = world.signed("app", "1.0", "a");
        let payload = format!("/blobs/{}", Digest::of(payload(&digest, "r.example/app:1.0", "null").as_bytes()));
        let gateway = gateway();
        for (part, answer) in [
            (".sig", Ok(response(500, &[], b""))), (".sig", Ok(response(429, &[], b""))), (".sig", Ok(response(403, &[], b""))), (".sig", Err(HostError::Timeout { url: "u".into() })),
            (&payload, Ok(response(500, &[], b""))), (&payload, Ok(response(404, &[], b""))),
        ] {
            world.mend();
            world.fail(part, usize::MAX, answer.clone());
            assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 503, "{part}: {answer:?}");
        }
        world.mend();
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
    }

    #[test]
    fn writes_and_other_names() {
        let world = World::default();
        world.signed("app", "1.0", "a");
        let gateway = gateway();
        for method in ["PUT", "POST", "PATCH", "DELETE", "OPTIONS"] {
            let seen = ask(&gateway, &world, method, "/v2/app/manifests/1.0");
            assert!(seen.status == 405 && seen.message().contains("push to and sign at r.example"), "{method}");
        }
        for (ns, status) in [("r.example", 200), ("gate.test", 200), ("docker.io", 403), ("R.example", 403), ("", 403), ("r.example&ns=docker.io", 403), ("r%2Eexample", 200)] {
            assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/1.0?ns={ns}")).status, status, "{ns}");
        }
    }

    #[test]
    fn a_wrong_configuration_refuses_everything_and_says_why() {
        let world = World::default();
        let (digest, _) = world.signed("app", "1.0", "a");
        let good = config(&policy("index"));
        let mut upper = good.clone();
        upper.assets.remove("other.pub");
        for (config, code) in [
            (Config { policy: b"{}".to_vec(), ..good.clone() }, "config.policy"), (Config { policy: vec![b' '; 2 << 20], ..good.clone() }, "config.policy-size"), (upper, "key.missing"),
            (Config { upstream: "ftp://x".into(), ..good.clone() }, "config.upstream"), (Config { upstream: "http://up.test/path".into(), ..good.clone() }, "config.upstream"),
            (Config { registries_d: Some([("a.yaml".to_string(), b"docker: [".to_vec())].into()), ..good.clone() }, "config.registries-d"),
            (Config { name: "no host".into(), ..good.clone() }, "config.name"), (Config { name: "team/docker.io".into(), ..good.clone() }, "config.name"),
        ] {
            let gateway = Gateway::new(config);
            assert_eq!(gateway.misconfigured().unwrap().code, code);
            for path in ["/v2/app/manifests/1.0".to_string(), format!("/v2/app/manifests/{digest}"), format!("/v2/app/blobs/{}", Digest::of(b"a")), "/v2/app/tags/list".into(), format!("/v2/app/referrers/{digest}")] {
                let seen = get(&gateway, &world, &path);
                assert!(seen.status == 403 && seen.message().starts_with("sealgate:") && seen.message().contains(&format!("[{code}]")), "{code} {path}");
            }
            assert_eq!(get(&gateway, &world, "/healthz").text(), r#"{"state":"misconfigured"}"#);
        }
    }

    /// GATEWAY, "Configuration": `REGISTRIES_D` decides where signatures are, for whoever judges the evidence, too.
    #[test]
    fn registries_d_decides_where_signatures_are() {
        let world = World::default();
        world.signed("app", "1.0", "a");
        let files = |text: &str| Some([("a.yaml".to_string(), text.as_bytes().to_vec())].into());
        for (text, status) in [("default-docker:\n  use-sigstore-attachments: true\n", 200), ("docker:\n  r.example/app:\n    use-sigstore-attachments: true\n", 200), ("docker:\n  r.example/other:\n    use-sigstore-attachments: true\n", 403)] {
            let config = Config { registries_d: files(text), ..config(&policy("index")) };
            let gateway = Gateway::new(config.clone());
            let seen = get(&gateway, &world, "/v2/app/manifests/1.0");
            assert_eq!(seen.status, status, "{text}");
            assert!(status == 200 || seen.message().contains("[signature.missing]"));
            let evidence = crate::verify::EvidenceDocument::parse(&get(&gateway, &world, "/api/evidence/app?ref=1.0").body).unwrap();
            assert_eq!(evidence.policy.unwrap().registries_d, config.registries_d);
        }
    }

    /// GATEWAY, "Serving": audit never breaks a pull, and what it lets pass is written down.
    #[test]
    fn a_scope_under_audit_is_served_and_written_down() {
        let world = World::default();
        let audit = |scope: &str| Gateway::new(config(&policy("index").replace(r#""version": 1"#, &format!(r#""version": 1, "audit": ["{scope}"]"#))));
        let gateway = audit("r.example/app");
        let (digest, bytes) = world.image("app", "1.0", "a");
        let (tag, by_digest, blob) = ("/v2/app/manifests/1.0".to_string(), format!("/v2/app/manifests/{digest}"), format!("/v2/app/blobs/{}", Digest::of(b"a")));
        let log = |gateway: &Gateway, path: &str| match act(gateway, &world, &request("GET", path, &[], 1_000)) {
            Action::Respond(respond) => respond.log,
            Action::Stream(stream) => stream.log,
            Action::Asset(path) => panic!("a file: {path}"),
        };
        // The blob first: nothing that was served leads to it, and it passes all the same.
        for (path, code) in [(&blob, "gateway.not-linked"), (&tag, "signature.missing"), (&by_digest, "signature.missing"), (&blob, "signature.missing")] {
            assert_eq!(get(&gateway, &world, path).status, 200, "{path}");
            let log = log(&gateway, path).unwrap();
            assert!(log.contains(r#""verdict":"audit""#) && log.contains(&format!(r#""code":"{code}""#)), "{log}");
        }
        assert_eq!(get(&gateway, &world, &tag).body, bytes);
        // Who enforces believes nothing of it, and neither does another scope here.
        let strict = super::tests::gateway();
        for path in [&tag, &by_digest, &blob] {
            assert_eq!(verdict(&strict, &world, path).0, 403, "{path}");
        }
        world.image("exact", "1.0", "c");
        assert_eq!(verdict(&gateway, &world, "/v2/exact/manifests/1.0"), is(403, "signature.missing"));
        assert_eq!(verdict(&audit("r.example/app:2.0"), &world, &tag), is(403, "signature.missing"));
        assert_eq!(verdict(&audit(""), &world, &tag).0, 200);
        // What cannot be found out passes; what the upstream says is still what it says.
        world.fail(".sig", 9, Ok(response(503, &[], b"")));
        world.forget("verdict/");
        assert_eq!(get(&gateway, &world, &tag).status, 200);
        assert_eq!(verdict(&strict, &world, &tag).0, 503);
        world.mend();
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/absent").status, 404);
        // Bytes that contradict the digest that was asked for do not.
        world.store.borrow_mut().clear();
        world.fail(&format!("GET http://up.test{by_digest}"), 2, Ok(response(200, &[("content-type", MANIFEST)], b"{}")));
        assert_eq!(verdict(&gateway, &world, &by_digest), is(403, "digest.mismatch"));
        world.mend();
        // What is good is allowed, as ever.
        world.sign("app", &digest, &format!("{NAME}/app:1.0"), GOOD);
        world.store.borrow_mut().clear();
        assert!(log(&gateway, &tag).unwrap().contains(r#""verdict":"allow""#));
    }

    /// GATEWAY, "Configuration": the name's default is the upstream's host, and Docker Hub is always docker.io.
    #[test]
    fn names() {
        for (upstream, name, repository, judged, fetched) in [
            ("https://reg.test:5000", "", "app", "reg.test:5000/app:1", "app"),
            ("https://registry-1.docker.io", "", "busybox", "docker.io/library/busybox:1", "library/busybox"),
            ("https://registry-1.docker.io/", "index.docker.io", "team/app", "docker.io/team/app:1", "team/app"),
            ("http://up.test", "docker.io", "busybox", "docker.io/library/busybox:1", "library/busybox"),
        ] {
            let gateway = Gateway::new(Config { upstream: upstream.into(), name: name.into(), ..config(&policy("index")) });
            assert_eq!(gateway.misconfigured(), None, "{upstream} {name}");
            assert_eq!(gateway.judged_name(repository, "1").unwrap().to_string(), judged);
            assert_eq!(gateway.upstream_repository(repository), fetched);
        }
    }

    /// containerd fetches whatever has `urls` from there first, an index's images too, and takes `data` instead of
    /// fetching: an image that a list names would come past this gateway.
    #[test]
    fn nothing_leads_past_the_gateway() {
        for coverage in ["index", "instance"] {
            let world = World::default();
            let gateway = Gateway::new(config(&policy(coverage)));
            let (_, signed) = world.signed("app", "child", "a");
            let (_, unsigned) = world.image("app", "unsigned", "b");
            let layer = |more: &str| manifest(&descriptor(CONFIG, b"{}", ""), &[descriptor(LAYER, b"x", more)]);
            let urls = r#","urls":["http://evil.test/x"]"#;
            let data = format!(r#","data":"{}""#, base64::encode(&unsigned));
            for (kind, bytes) in [
                (MANIFEST, layer(urls)),
                (MANIFEST, manifest(&descriptor(CONFIG, b"{}", urls), &[descriptor(LAYER, b"x", "")])),
                (INDEX, index_of(&[descriptor(MANIFEST, &signed, ""), descriptor(MANIFEST, &unsigned, urls)])),
                (INDEX, index_of(&[descriptor(MANIFEST, &signed, ""), descriptor(MANIFEST, &unsigned, &data)])),
            ] {
                let digest = world.put("app", "1.0", kind, &bytes);
                world.sign("app", &digest, "r.example/app:1.0", GOOD);
                assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/1.0"), is(403, "gateway.foreign-layer"), "{}", String::from_utf8_lossy(&bytes));
                assert_eq!(verdict(&gateway, &world, &format!("/v2/app/manifests/{digest}")), is(403, "gateway.foreign-layer"));
            }
        }
    }
}

mod references {
    use super::*;

    /// An Allow for `repo@digest` never answers for `repo:prod` under a stricter scope, in whatever order they are asked.
    #[test]
    fn each_reference_is_its_own_question() {
        let world = World::default();
        let (digest, bytes) = world.signed("app", "1.0", "a");
        world.put("app", "prod", MANIFEST, &bytes);
        let gateway = gateway();
        for _ in 0..2 {
            assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{digest}")).status, 200);
            assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/prod"), is(403, "signature.invalid"));
            assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
        }
        // And the same content in another repository is another question.
        let all = world.content.borrow().clone();
        for (path, content) in all {
            world.content.borrow_mut().insert(path.replacen("app/", "exact/", 1), content);
        }
        assert_eq!(verdict(&gateway, &world, "/v2/exact/manifests/1.0"), is(403, "identity.not-accepted"));
        assert_eq!(verdict(&gateway, &world, &format!("/v2/exact/manifests/{digest}")), is(403, "identity.not-accepted"));
        assert_eq!(verdict(&gateway, &world, "/v2/unknown/manifests/1.0").0, 404);
    }

    /// A GET by digest that follows a HEAD by tag.
    #[test]
    fn a_tag_that_was_resolved_here_admits_its_digest() {
        let world = World::default();
        let (digest, _) = world.signed("tagged", "1.0", "a");
        let gateway = gateway();
        let by_digest = format!("/v2/tagged/manifests/{digest}");
        assert_eq!(verdict(&gateway, &world, &by_digest), is(403, "policy.reject"));
        assert_eq!(ask(&gateway, &world, "HEAD", "/v2/tagged/manifests/1.0").status, 200);
        assert_eq!(get(&gateway, &world, &by_digest).status, 200);
        assert_eq!(get(&gateway, &world, &format!("/v2/tagged/blobs/{}", Digest::of(b"a"))).status, 200);
        // The hint alone admits nothing: the tag is judged for this digest, now.
        let (unsigned, _) = world.image("tagged", "2.0", "b");
        let hint = format!("hint/http://up.test/tagged/tag/{unsigned}");
        world.store.borrow_mut().insert(hint, "1.0".into());
        assert_eq!(verdict(&gateway, &world, &format!("/v2/tagged/manifests/{unsigned}")), is(403, "policy.reject"));
        // A policy that no longer allows the tag: nothing that was remembered helps.
        let strict = Gateway::new(config(&policy("index").replace("tagged:1.0", "tagged:2.0")));
        assert_eq!(verdict(&strict, &world, &by_digest), is(403, "policy.reject"));
    }

    #[test]
    fn other_digest_algorithms() {
        let world = World::default();
        let (digest, bytes) = world.signed("app", "1.0", "a");
        let long = Digest::with(Algorithm::Sha512, &bytes).to_string();
        world.content.borrow_mut().insert(format!("app/manifests/{long}"), (bytes.clone(), MANIFEST.into()));
        let gateway = gateway();
        let seen = get(&gateway, &world, &format!("/v2/app/manifests/{long}"));
        assert_eq!((seen.status, seen.header("docker-content-digest")), (200, Some(long.as_str())));
        let other = world.image("app", "x", "b").1;
        world.content.borrow_mut().insert(format!("app/manifests/{long}"), (other, MANIFEST.into()));
        world.store.borrow_mut().clear();
        assert_eq!(verdict(&gateway, &world, &format!("/v2/app/manifests/{long}")), is(403, "digest.mismatch"));
        assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{digest}")).status, 200);
    }
}

mod indexes {
    use super::*;

    fn multi(world: &World, repository: &str, tag: &str) -> (Digest, [(Digest, Vec<u8>); 2]) {
        let children = [world.image(repository, "child-a", "a"), world.image(repository, "child-b", "b")];
        let entries: Vec<String> = children.iter().map(|(_, bytes)| descriptor(MANIFEST, bytes, "")).collect();
        (world.put(repository, tag, INDEX, &index_of(&entries)), children)
    }

    #[test]
    fn an_allowed_index_covers_what_it_lists() {
        let world = World::default();
        let (index, [(a, _), (b, _)]) = multi(&world, "app", "1.0");
        world.sign("app", &index, "r.example/app:1.0", GOOD);
        let gateway = gateway();
        // Before the index was seen here, an image of it is one like any other.
        assert_eq!(verdict(&gateway, &world, &format!("/v2/app/manifests/{a}")), is(403, "signature.missing"));
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
        for child in [&a, &b] {
            assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{child}")).status, 200);
            assert_eq!(get(&gateway, &world, &format!("/v2/app/blobs/{}", Digest::of(if *child == a { b"a" } else { b"b" }))).status, 200);
        }
        // Its tag is another reference, under which it was never judged.
        assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/child-a"), is(403, "signature.missing"));
        // A hint to an index that does not list it.
        let (stranger, _) = world.image("app", "stranger", "c");
        world.store.borrow_mut().insert(format!("hint/http://up.test/app/child/{stranger}"), index.to_string());
        assert_eq!(verdict(&gateway, &world, &format!("/v2/app/manifests/{stranger}")), is(403, "signature.missing"));
        // An index that is not allowed any more covers nothing.
        world.content.borrow_mut().retain(|path, _| !path.ends_with(".sig"));
        world.forget("verdict/");
        assert_eq!(verdict(&gateway, &world, &format!("/v2/app/manifests/{a}")), is(403, "signature.missing"));
    }

    #[test]
    fn every_image_of_a_long_index_is_covered() {
        let world = World::default();
        let children: Vec<(Digest, Vec<u8>)> = (0..70).map(|number| world.image("app", &format!("c{number}"), &number.to_string())).collect();
        let entries: Vec<String> = children.iter().map(|(_, bytes)| descriptor(MANIFEST, bytes, "")).collect();
        let index = world.put("app", "1.0", INDEX, &index_of(&entries));
        world.sign("app", &index, "r.example/app:1.0", GOOD);
        let gateway = gateway();
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
        for (child, _) in [&children[0], &children[69]] {
            assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{child}")).status, 200);
        }
    }

    #[test]
    fn an_index_that_is_a_list_covers_nothing() {
        let world = World::default();
        let (index, [(a, _), (b, _)]) = multi(&world, "exact", "1.0");
        let gateway = Gateway::new(config(&policy("instance")));
        world.sign("exact", &index, "r.example/exact:1.0", GOOD);
        assert_eq!(verdict(&gateway, &world, "/v2/exact/manifests/1.0"), is(403, "signature.missing"));
        // Signed under the reference of the index, as podman wants it.
        world.sign("exact", &a, "r.example/exact:1.0", GOOD);
        world.forget("verdict/");
        assert_eq!(get(&gateway, &world, "/v2/exact/manifests/1.0").status, 200);
        assert_eq!(get(&gateway, &world, &format!("/v2/exact/manifests/{a}")).status, 200);
        assert_eq!(verdict(&gateway, &world, &format!("/v2/exact/manifests/{b}")), is(403, "signature.missing"));
        assert_eq!(get(&gateway, &world, &format!("/v2/exact/blobs/{}", Digest::of(b"a"))).status, 200);
        assert_eq!(get(&gateway, &world, &format!("/v2/exact/blobs/{}", Digest::of(b"b"))).status, 403);
    }

    /// A list of 4,096 entries costs one hash of the image, not one an entry.
    #[test]
    fn a_long_list_costs_little() {
        let world = World::default();
        let layer = descriptor(LAYER, b"a", &format!(r#","annotations":{{"x":"{}"}}"#, "x".repeat(2 << 20)));
        let bytes = manifest(&descriptor(CONFIG, b"{}", ""), &[layer]);
        let child = world.put("app", "child", MANIFEST, &bytes);
        let entries: Vec<String> = (0..4_000_u32).map(|number| descriptor(MANIFEST, &number.to_be_bytes(), "")).chain([descriptor(MANIFEST, &bytes, "")]).collect();
        let index = world.put("app", "1.0", INDEX, &index_of(&entries));
        world.sign("app", &index, "r.example/app:1.0", GOOD);
        let gateway = gateway();
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/1.0").status, 200);
        let path = format!("/v2/app/manifests/{child}");
        let seen = get(&gateway, &world, &path);
        assert_eq!(seen.status, 200, "{}", seen.text());
    }
}

mod memory {
    use super::*;

    fn records(world: &World) -> Vec<(String, String)> {
        world.store.borrow().iter().filter(|(key, _)| key.starts_with("verdict/")).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// How many signatures were checked by this request.
    fn checks(world: &World, gateway: &Gateway, path: &str, time: i64) -> usize {
        let before = world.checks.get();
        act(gateway, world, &request("GET", path, &[], time));
        world.checks.get() - before
    }

    #[test]
    fn a_verdict_is_used_while_it_is_good() {
        let world = World::default();
        let (digest, _) = world.signed("app", "1.0", "a");
        let path = "/v2/app/manifests/1.0";
        let gateway = gateway();
        let again = |gateway: &Gateway, time| checks(&world, gateway, path, time);
        assert_eq!((again(&gateway, 1_000), again(&gateway, 1_001), again(&gateway, 4_599), again(&gateway, 4_600)), (1, 0, 0, 1));
        // Another secret, another policy, another key file, another name: another question.
        let other = |change: fn(&mut Config)| {
            let mut config = config(&policy("index"));
            change(&mut config);
            Gateway::new(config)
        };
        for other in [
            other(|config| config.secret = vec![8; 32]), other(|config| config.policy.push(b' ')), other(|config| config.assets.get_mut("other.pub").unwrap().push(b'\n')),
            other(|config| config.assets.insert("more".into(), Vec::new()).map_or((), |_| ())),
            other(|config| config.registries_d = Some([("a.yaml".to_string(), b"default-docker:\n  use-sigstore-attachments: true\n".to_vec())].into())),
        ] {
            world.forget("verdict/");
            assert_eq!((again(&gateway, 4_601), again(&gateway, 4_601), again(&other, 4_601)), (1, 0, 1));
        }
        // With no secret worth the name, nothing is kept.
        for weak in [other(|config| config.secret.clear()), other(|config| config.secret.truncate(15))] {
            world.forget("verdict/");
            assert_eq!((again(&weak, 4_601), again(&weak, 4_601)), (1, 1));
        }
        // Refusals are short.
        world.content.borrow_mut().retain(|path, _| !path.ends_with(".sig"));
        assert_eq!(act(&gateway, &world, &request("GET", path, &[], 10_000)), act(&gateway, &world, &request("GET", path, &[], 10_000)));
        world.sign("app", &digest, "r.example/app:1.0", GOOD);
        let status = |time| match act(&gateway, &world, &request("GET", path, &[], time)) {
            Action::Respond(respond) => respond.status,
            _ => 0,
        };
        assert_eq!((status(10_009), status(10_010)), (403, 200));
    }

    #[test]
    fn a_record_that_is_not_ours_is_ignored() {
        let world = World::default();
        world.signed("app", "1.0", "a");
        world.image("app", "2.0", "b");
        let gateway = gateway();
        assert_eq!((get(&gateway, &world, "/v2/app/manifests/1.0").status, get(&gateway, &world, "/v2/app/manifests/2.0").status), (200, 403));
        let all = records(&world);
        let (allow, deny) = (all.iter().find(|(_, value)| value.contains("\nallow\n")).unwrap(), all.iter().find(|(_, value)| value.contains("\ndeny\n")).unwrap());
        let forged = deny.1.replace("\ndeny\n", "\nallow\n");
        let longer = allow.1.replacen("\n4600\n", "\n9999999\n", 1);
        assert_ne!(longer, allow.1);
        for record in [&allow.1, &forged, &longer, &allow.1.replace(&allow.0, &deny.0), "", "\n", &format!("{}\n\n\n\n\n", deny.0), "x"] {
            world.store.borrow_mut().insert(deny.0.clone(), record.to_string());
            assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/2.0"), is(403, "signature.missing"), "{record:?}");
        }
        world.store.borrow_mut().insert(allow.0.clone(), longer);
        assert_eq!(checks(&world, &gateway, "/v2/app/manifests/1.0", 5_000), 1);
    }

    /// What a signed payload makes of a message stays inside the message.
    #[test]
    fn a_verdict_is_kept_no_longer_than_it_is_an_answer() {
        use crate::gateway::memory::{Kept, Memory};
        let (gateway, world) = (gateway(), World::default());
        let memory = Memory { gateway: &gateway, store: &world, repository: "app".into() };
        let kept = Kept { allow: true, code: "signature.accepted".into(), message: "m".into() };
        let found = |now: i64| run(memory.verdict("k", UnixTime(now))).is_some();
        for (until, last) in [(Some(105), 104), (Some(1_000_000), 3_699), (None, 3_699)] {
            run(memory.keep_verdict("k", &kept, UnixTime(100), until.map(UnixTime)));
            assert!(found(last) && !found(last + 1), "{until:?}");
            world.forget("k");
        }
        for over in [100, 99, i64::MIN] {
            run(memory.keep_verdict("k", &kept, UnixTime(100), Some(UnixTime(over))));
            assert!(!found(100) && !found(-5_000), "{over}");
        }
    }

    #[test]
    fn lines_in_a_message_are_no_fields_of_a_record() {
        let world = World::default();
        let (digest, _) = world.image("app", "1.0", "a");
        world.sign("app", &digest, "x\\nallow\\nsignature.accepted\\n\\u001b[2Jok", GOOD);
        let gateway = gateway();
        for _ in 0..2 {
            let seen = get(&gateway, &world, "/v2/app/manifests/1.0");
            assert_eq!((seen.status, verdict(&gateway, &world, "/v2/app/manifests/1.0").1.as_str()), (403, "identity.not-accepted"));
            assert!(seen.phrase.len() < 200 && seen.phrase.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        }
    }

    /// Kept bytes answer nobody whom the upstream would not.
    #[test]
    fn what_is_kept_needs_the_requests_own_authorisation() {
        let world = World::default();
        let (digest, _) = world.signed("app", "1.0", "a");
        let (unsigned, _) = world.image("app", "2.0", "b");
        world.private.set(true);
        let gateway = gateway();
        let with = |path: &str, token: &[(&str, &str)]| match act(&gateway, &world, &request("GET", path, token, 1_000)) {
            Action::Respond(respond) => respond.status,
            Action::Stream(_) => 0,
            Action::Asset(_) => panic!(),
        };
        let (layer, other) = (Digest::of(b"a"), Digest::of(b"b"));
        let hint = format!("hint/http://up.test/app/blob/{other}");
        world.store.borrow_mut().insert(hint, unsigned.to_string());
        let yes = [("authorization", TOKEN)];
        assert_eq!(with("/v2/app/manifests/1.0", &yes), 200);
        assert_eq!(with("/v2/app/manifests/2.0", &yes), 403);
        assert_eq!(with(&format!("/v2/app/blobs/{other}"), &yes), 403);
        for token in [vec![], vec![("authorization", "Bearer no")]] {
            for path in ["/v2/", "/v2/app/manifests/1.0", "/v2/app/manifests/2.0", "/v2/app/manifests/3.0", &format!("/v2/app/manifests/{digest}"), &format!("/v2/app/manifests/{unsigned}"), "/api/evidence/app?ref=1.0"] {
                assert_eq!(with(path, &token), 401, "{path}");
            }
            // An allowed blob streams, and the upstream says 401; a refusal, with its reason, is for those who may read.
            assert_eq!(with(&format!("/v2/app/blobs/{layer}"), &token), 0);
            for blob in [other.clone(), Digest::of(b"nowhere")] {
                assert_eq!(with(&format!("/v2/app/blobs/{blob}"), &token), 401, "{blob}");
            }
        }
        assert_eq!(with(&format!("/v2/app/blobs/{}", Digest::of(b"nowhere")), &yes), 404);
    }

    #[test]
    fn everything_works_without_a_store() {
        let world = World::default();
        let (digest, _) = world.signed("app", "1.0", "a");
        let gateway = gateway();
        for reference in ["1.0", &digest.to_string()] {
            world.store.borrow_mut().clear();
            assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{reference}")).status, 200);
        }
        world.store.borrow_mut().clear();
        assert_eq!(verdict(&gateway, &world, &format!("/v2/app/blobs/{}", Digest::of(b"a"))), is(403, "gateway.not-linked"));
    }
}

mod blobs {
    use super::*;

    #[test]
    fn only_what_an_allowed_manifest_lists_now() {
        let world = World::default();
        let (signed, _) = world.signed("app", "1.0", "a");
        let (unsigned, _) = world.image("app", "2.0", "b");
        let gateway = gateway();
        let blob = |text: &str| format!("/v2/app/blobs/{}", Digest::of(text.as_bytes()));
        assert_eq!(verdict(&gateway, &world, &blob("a")), is(403, "gateway.not-linked"));
        get(&gateway, &world, "/v2/app/manifests/1.0");
        get(&gateway, &world, "/v2/app/manifests/2.0");
        for (text, status) in [("a", 200), (r#"{"os":"linux","text":"a"}"#, 200), ("b", 403), (r#"{"os":"linux","text":"b"}"#, 403)] {
            assert_eq!(get(&gateway, &world, &blob(text)).status, status, "{text}");
            assert_eq!(ask(&gateway, &world, "HEAD", &blob(text)).status, status, "{text}");
        }
        // A hint to a manifest that does not list it, that is not allowed, that is none, that is gone.
        for hint in [signed.to_string(), unsigned.to_string(), "x".into(), Digest::of(b"gone").to_string()] {
            world.store.borrow_mut().insert(format!("hint/http://up.test/app/blob/{}", Digest::of(b"b")), hint);
            assert_eq!(get(&gateway, &world, &blob("b")).status, 403);
        }
        // One that could not be asked outweighs one that refuses, in either order.
        let gone = Digest::of(b"gone").to_string();
        world.fail(&gone, usize::MAX, Ok(response(500, &[], b"")));
        for hint in [format!("{unsigned}\n{gone}"), format!("{gone}\n{unsigned}")] {
            world.store.borrow_mut().insert(format!("hint/http://up.test/app/blob/{}", Digest::of(b"b")), hint);
            assert_eq!(get(&gateway, &world, &blob("b")).status, 503);
        }
        world.mend();
        world.forget("hint/http://up.test/app/blob");
        get(&gateway, &world, "/v2/app/manifests/1.0");
        // Another repository with the same blob.
        world.image("open", "1.0", "b");
        get(&gateway, &world, "/v2/open/manifests/1.0");
        assert_eq!((get(&gateway, &world, &blob("b")).status, get(&gateway, &world, &blob("b").replace("/app/", "/open/")).status), (403, 200));
        // No longer allowed: no longer sent.
        world.content.borrow_mut().retain(|path, _| !path.ends_with(".sig"));
        world.forget("verdict/");
        assert_eq!(verdict(&gateway, &world, &blob("a")), is(403, "signature.missing"));
        // A manifest is no blob.
        let bytes = world.content.borrow()["app/manifests/2.0"].0.clone();
        world.blob("app", &bytes);
        assert_eq!(verdict(&gateway, &world, &format!("/v2/app/blobs/{unsigned}")), is(403, "gateway.not-linked"));
    }

    #[test]
    fn streams_carry_what_they_should() {
        let world = World::default();
        world.signed("app", "1.0", "a");
        let gateway = gateway();
        get(&gateway, &world, "/v2/app/manifests/1.0");
        let headers = [("authorization", "Basic eA=="), ("range", "bytes=1-"), ("cookie", "c"), ("x-forwarded-for", "1"), ("host", "gate.test")];
        let Action::Stream(stream) = act(&gateway, &world, &request("GET", &format!("/v2/app/blobs/{}", Digest::of(b"a")), &headers, 1_000)) else { panic!() };
        let sent: Vec<&str> = stream.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((stream.method, stream.url.as_str(), sent), ("GET", format!("http://up.test/v2/app/blobs/{}", Digest::of(b"a")).as_str(), vec!["authorization", "range"]));
        assert_eq!(stream.location, ("http://up.test/v2/".to_string(), "http://gate.test/v2/".to_string()));
        // What a browser is shown from here cannot act as a page of ours.
        assert!(stream.set.iter().any(|(name, value)| name == "content-security-policy" && value.contains("sandbox")));
        let Action::Stream(list) = act(&gateway, &world, &request("GET", "/v2/app/tags/list?n=2&ns=r.example&last=x", &[], 1_000)) else { panic!() };
        assert_eq!(list.url, "http://up.test/v2/app/tags/list?n=2&last=x");
        assert!(list.set.contains(&("cache-control".into(), "no-store".into())));
    }
}

mod evidence_by_bytes {
    use super::*;

    fn typed(world: &World, kind: &str, config: &[u8], layers: &[&[u8]]) -> (Digest, Vec<u8>) {
        for bytes in layers.iter().chain([&config]) {
            world.blob("app", bytes);
        }
        let listed: Vec<String> = layers.iter().map(|bytes| descriptor(kind, bytes, "")).collect();
        let bytes = manifest(&descriptor(CONFIG, config, ""), &listed);
        (world.put("app", "odd", MANIFEST, &bytes), bytes)
    }

    fn bundle() -> String {
        format!(r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"x"}}}},"dsseEnvelope":{{"payload":"e30=","payloadType":"x","signatures":[{{"sig":"AA=="}}]}}}}"#)
    }

    #[test]
    fn signatures_are_served_and_so_is_their_content() {
        let world = World::default();
        let (image, _) = world.image("app", "1.0", "a");
        let signature = world.sign("app", &image, "r.example/app:1.0", OTHER);
        let gateway = gateway();
        let text = payload(&image, "r.example/app:1.0", "null");
        let blob = format!("/v2/app/blobs/{}", Digest::of(text.as_bytes()));
        assert_eq!(get(&gateway, &world, &blob).status, 403);
        for reference in [format!("sha256-{}.sig", image.hex()), signature.to_string()] {
            assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{reference}")).status, 200, "{reference}");
        }
        let (get, head) = (get(&gateway, &world, &blob), ask(&gateway, &world, "HEAD", &blob));
        assert_eq!((get.status, get.body.as_slice(), head), (200, text.as_bytes(), Seen { body: Vec::new(), ..get.clone() }));
        for (kind, bytes) in [(BUNDLE, bundle()), (DSSE, r#"{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}"#.into())] {
            typed(&world, kind, b"{}", &[bytes.as_bytes()]);
            assert_eq!(super::get(&gateway, &world, "/v2/app/manifests/odd").status, 200, "{kind}");
        }
    }

    /// podman runs an image whose layer is *typed* as a signature.
    #[test]
    fn an_image_is_an_image_however_it_is_typed() {
        let world = World::default();
        let gateway = gateway();
        let good = payload(&Digest::of(b"x"), "r.example/app", "null");
        let large = vec![b' '; 64 << 10];
        for kind in [SIMPLE, BUNDLE, DSSE, "application/vnd.dev.sigstore.bundle+json;version=0.1"] {
            for (config, layers) in [
                (&b"{}"[..], vec![&b"a layer"[..]]), (b"{}", vec![b"\x1f\x8b\x08"]), (b"{}", vec![b"{}"]), (b"{}", vec![good.as_bytes(), b"a layer"]), (b"{}", vec![]),
                (b"no JSON", vec![good.as_bytes()]), (&large, vec![good.as_bytes()]),
            ] {
                let (digest, bytes) = typed(&world, kind, config, &layers);
                for tag in ["odd", &digest.to_string(), &format!("sha256-{}", digest.hex()), &format!("sha256-{}.sig", digest.hex())] {
                    world.put("app", tag, MANIFEST, &bytes);
                    assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{tag}")).status, 403, "{kind} {tag}: {}", String::from_utf8_lossy(&bytes));
                    world.content.borrow_mut().remove(&format!("app/manifests/{tag}"));
                    world.put("app", "odd", MANIFEST, &bytes);
                }
                for layer in layers {
                    assert_eq!(get(&gateway, &world, &format!("/v2/app/blobs/{}", Digest::of(layer))).status, 403);
                }
            }
        }
        // Beside an ordinary layer; and with a layer that cannot be had.
        let mixed = manifest(&descriptor(CONFIG, b"{}", ""), &[descriptor(SIMPLE, good.as_bytes(), ""), descriptor(LAYER, b"a layer", "")]);
        world.put("app", "odd", MANIFEST, &mixed);
        assert_eq!(get(&gateway, &world, "/v2/app/manifests/odd").status, 403);
        typed(&world, SIMPLE, b"{}", &[good.as_bytes()]);
        let blob = format!("/blobs/{}", Digest::of(good.as_bytes()));
        for (answer, status) in [(response(404, &[], b""), 403), (response(500, &[], b""), 503), (response(200, &[], b"other"), 403)] {
            world.mend();
            world.fail(&blob, usize::MAX, Ok(answer));
            assert_eq!(get(&gateway, &world, "/v2/app/manifests/odd").status, status);
        }
    }

    /// A payload may hold any text as `optional`, and a tar archive of the oldest format needs no byte that JSON forbids:
    /// one document can be both.
    #[test]
    fn a_signature_that_is_an_archive_too_is_an_image() {
        let world = World::default();
        let gateway = gateway();
        let critical = payload(&Digest::of(b"x"), "r.example/app", "null").replace(r#","optional":null"#, "")[1..].to_string();
        for (kind, head, tail) in [
            (SIMPLE, r#"{"optional":{"x":""#, format!(r#""}},{critical}"#)),
            (BUNDLE, r#"{"x":""#, format!(r#"",{}"#, &bundle()[1..])),
            (DSSE, r#"{"x":""#, r#"","payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}"#.into()),
        ] {
            let mut bytes = archive(head);
            bytes.extend_from_slice(tail.as_bytes());
            assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
            typed(&world, kind, b"{}", &[&bytes]);
            assert_eq!(verdict(&gateway, &world, "/v2/app/manifests/odd"), is(403, "signature.missing"), "{kind}");
            // It is only the sum that makes it an archive.
            bytes[20] = b'x';
            typed(&world, kind, b"{}", &[&bytes]);
            assert_eq!(get(&gateway, &world, "/v2/app/manifests/odd").status, 200, "{kind}");
        }
    }

    /// A header of tar without a NUL, whose file's name begins with `head`, and 512 bytes of file.
    fn archive(head: &str) -> Vec<u8> {
        let mut block = [b' '; 1_024];
        block[..head.len()].copy_from_slice(head.as_bytes());
        block[100..148].copy_from_slice(b"0000644 0000000 0000000 00000001000 00000000000 ");
        block[156] = b'0';
        let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}  ").as_bytes());
        block.to_vec()
    }

    #[test]
    fn lists_of_evidence() {
        let world = World::default();
        let (image, bytes) = world.image("app", "1.0", "a");
        let signature = world.sign("app", &image, "r.example/app:1.0", OTHER);
        let signed = world.content.borrow()[&format!("app/manifests/{signature}")].0.clone();
        let gateway = gateway();
        let tag = format!("sha256-{}", image.hex());
        let listed = |entries: &[String]| {
            world.put("app", &tag, INDEX, &index_of(entries));
            get(&gateway, &world, &format!("/v2/app/manifests/{tag}")).status
        };
        let good = descriptor(MANIFEST, &signed, &format!(r#","artifactType":"{BUNDLE}""#));
        assert_eq!(listed(core::slice::from_ref(&good)), 200);
        // An image among them, or called evidence.
        for entry in [descriptor(MANIFEST, &bytes, ""), descriptor(MANIFEST, &bytes, &format!(r#","artifactType":"{BUNDLE}""#)), descriptor(MANIFEST, b"gone", "")] {
            assert_eq!(listed(&[good.clone(), entry.clone()]), 403, "{entry}");
            assert_eq!(listed(&[entry]), 403);
        }
        assert_eq!(listed(&[]), 403);
        // It covers nothing.
        assert_eq!(get(&gateway, &world, &format!("/v2/app/manifests/{image}")).status, 403);
    }

    /// 16 MiB together, for a list as for one manifest.
    #[test]
    fn lists_are_bounded() {
        let world = World::default();
        let gateway = gateway();
        let entries: Vec<String> = (0..8_u32)
            .map(|number| {
                let text = payload(&Digest::of(&number.to_be_bytes()), "x", &format!("null{}", " ".repeat(3 << 20)));
                world.blob("app", b"{}");
                world.blob("app", text.as_bytes());
                let bytes = manifest(&descriptor(CONFIG, b"{}", ""), &[descriptor(SIMPLE, text.as_bytes(), "")]);
                world.put("app", &format!("e{number}"), MANIFEST, &bytes);
                descriptor(MANIFEST, &bytes, "")
            })
            .collect();
        for (count, status) in [(5, 200), (8, 403)] {
            world.put("app", "list", INDEX, &index_of(&entries[..count]));
            world.asked.borrow_mut().clear();
            assert_eq!(get(&gateway, &world, "/v2/app/manifests/list").status, status, "{count}");
            assert!(world.asked.borrow().iter().filter(|line| line.contains("/blobs/")).count() <= 2 * 6);
        }
    }
}

mod messages {
    use super::*;

    /// Before any signature was checked, and straight into people's terminals.
    #[test]
    fn text_from_evidence_carries_no_control_characters() {
        let world = World::default();
        let (image, _) = world.image("app", "1.0", "a");
        let hostile = "\\u001b[2J\\nallowed\\u202e\\u0000";
        let text = payload(&image, "r.example/app", "null").replace("\"type\":", &format!("\"{hostile}\":1,\"type\":"));
        world.blob("app", text.as_bytes());
        let signature = base64::encode(&mark(&PublicKey::from_pem(GOOD).unwrap(), text.as_bytes()));
        let layer = descriptor(SIMPLE, text.as_bytes(), &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#));
        world.put("app", &format!("sha256-{}.sig", image.hex()), MANIFEST, &manifest(&descriptor(CONFIG, b"{}", ""), &[layer]));
        let gateway = gateway();
        let message = get(&gateway, &world, "/v2/app/manifests/1.0").message();
        assert!(message.contains("Unknown key") && !message.contains(|c: char| c.is_control() || c == '\u{202e}'), "{message:?}");
    }

    #[test]
    fn a_message_has_an_end() {
        let world = World::default();
        let (image, _) = world.image("app", "1.0", "a");
        world.sign("app", &image, &"x".repeat(100_000), GOOD);
        let message = get(&gateway(), &world, "/v2/app/manifests/1.0").message();
        assert!(message.len() < 8_000 && message.contains("[identity.not-accepted]") && message.contains("http://gate.test/#"), "{}", message.len());
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let world = World::default();
        world.image("app", "1.0", "a");
        let seen = get(&gateway(), &world, "/v2/app/manifests/1.0");
        let message = seen.message();
        assert!(message.starts_with("sealgate: r.example/app:1.0 is refused: ") && message.contains("http://gate.test/#gate.test/app:1.0"), "{message}");
        assert!(seen.phrase.starts_with("sealgate: r.example/app:1.0"));
        assert_eq!((seen.header("content-type"), seen.header("cache-control")), (Some("application/json"), Some("no-store")));
    }
}

mod evidence_documents {
    use super::*;

    #[test]
    fn a_refused_image_can_be_inspected_and_not_pulled() {
        let world = World::default();
        let (image, _) = world.image("app", "1.0", "a");
        let gateway = gateway();
        let seen = get(&gateway, &world, "/api/evidence/app?ref=1.0");
        let value: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!((seen.status, value["name"].as_str(), value["digest"].as_str()), (200, Some("r.example/app:1.0"), Some(image.to_string().as_str())));
        assert!(!seen.text().contains("blobs/"));
        assert_eq!(get(&gateway, &world, "/api/evidence/app?ref=9").status, 404);
        assert_eq!(get(&gateway, &world, "/api/evidence/../app?ref=1.0").status, 400);
    }

    /// An index of 64 images, each with as much evidence as one may have, does not become one document.
    #[test]
    fn a_document_is_bounded() {
        let world = World::default();
        let children: Vec<(Digest, Vec<u8>)> = (0..20).map(|number| world.image("app", &format!("c{number}"), &number.to_string())).collect();
        for (digest, _) in &children {
            let text = payload(digest, "r.example/app", &format!("null{}", " ".repeat(3 << 20)));
            world.blob("app", text.as_bytes());
            world.put("app", &format!("sha256-{}.sig", digest.hex()), MANIFEST, &manifest(&descriptor(CONFIG, b"{}", ""), &[descriptor(SIMPLE, text.as_bytes(), "")]));
        }
        let entries: Vec<String> = children.iter().map(|(_, bytes)| descriptor(MANIFEST, bytes, "")).collect();
        world.put("app", "1.0", INDEX, &index_of(&entries));
        let seen = get(&gateway(), &world, "/api/evidence/app?ref=1.0");
        assert_eq!(seen.status, 200);
        assert!(seen.body.len() < 48 << 20, "{}", seen.body.len());
        crate::verify::EvidenceDocument::parse(&seen.body).unwrap();
    }
}

/// TRUST section 7, for requirements of ours: evidence that is added never takes an Allow away.
mod added_evidence {
    use super::*;

    const LIST: &str = "application/vnd.oci.image.index.v1+json";

    fn layer(world: &World, digest: &Digest, key: &[u8], text: &str) -> String {
        let payload = payload(digest, "r.example/digest:1.0", text);
        let signature = base64::encode(&mark(&PublicKey::from_pem(key).unwrap(), payload.as_bytes()));
        world.blob("digest", payload.as_bytes());
        descriptor(SIMPLE, payload.as_bytes(), &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#))
    }

    #[test]
    fn a_layer_that_does_not_load_is_skipped() {
        let world = World::default();
        let (digest, _) = world.image("digest", "1.0", "a");
        let good = layer(&world, &digest, GOOD, "null");
        let path = "/v2/digest/manifests/1.0";
        let with = |layers: &[String]| {
            world.forget("verdict/");
            world.put("digest", &format!("sha256-{}.sig", digest.hex()), MANIFEST, &manifest(&descriptor(CONFIG, b"{}", ""), layers));
            verdict(&gateway(), &world, path)
        };
        let altered = layer(&world, &digest, GOOD, "{}");
        let altered_digest = Digest::of(payload(&digest, "r.example/digest:1.0", "{}").as_bytes());
        world.content.borrow_mut().insert(format!("digest/blobs/{altered_digest}"), (b"other".to_vec(), String::new()));
        let missing = descriptor(SIMPLE, b"missing", "");
        let huge = missing.replace("\"size\":7", "\"size\":5000000");
        for (bad, alone) in [(&missing, is(503, "signature.blob-missing")), (&huge, is(503, "limit.evidence")), (&altered, is(403, "digest.mismatch"))] {
            assert_eq!(with(&[bad.clone(), good.clone()]), is(200, ""), "{bad}");
            assert_eq!(with(&[good.clone(), bad.clone()]), is(200, ""), "{bad}");
            assert_eq!(with(core::slice::from_ref(bad)), alone, "{bad}");
        }
        // The letter of containers/image knows no skipping.
        let bytes = manifest(&descriptor(CONFIG, b"{}", ""), &[layer(&world, &digest, GOOD, "null"), missing]);
        let all = world.content.borrow().clone();
        for (place, content) in all {
            world.content.borrow_mut().insert(place.replacen("digest/", "app/", 1), content);
        }
        world.put("app", &format!("sha256-{}.sig", digest.hex()), MANIFEST, &bytes);
        assert_eq!(verdict(&gateway(), &world, "/v2/app/manifests/1.0"), is(503, "signature.blob-missing"));
    }

    #[test]
    fn a_list_with_an_entry_that_does_not_read_lists_the_others() {
        let world = World::default();
        let (digest, bytes) = world.image("digest", "1.0", "a");
        let good = layer(&world, &digest, GOOD, "null");
        let artifact = manifest(&descriptor(CONFIG, b"{}", ""), &[good]);
        world.put("digest", "artifact", MANIFEST, &artifact);
        let entry = descriptor(MANIFEST, &artifact, r#","artifactType":"application/vnd.dev.cosign.artifact.sig.v1+json""#);
        let path = "/v2/digest/manifests/1.0";
        let gateway = gateway();
        let long = descriptor(MANIFEST, &bytes, &format!(r#","artifactType":"x","annotations":{{"a":"{}"}}"#, "a".repeat(3 << 20)));
        // Together they are more than a manifest may be.
        let other = long.replace("aaaa", "bbbb");
        for odd in [r#"{"digest":"sha256:00","mediaType":"x","size":1}"#, "{}", "5", r#"{"digest":5}"#, &long] {
            world.store.borrow_mut().clear();
            world.content.borrow_mut().insert(format!("digest/referrers/{digest}"), (index_of(core::slice::from_ref(&other)), LIST.into()));
            world.put("digest", &format!("sha256-{}", digest.hex()), LIST, &index_of(&[odd.into(), entry.clone()]));
            assert_eq!(verdict(&gateway, &world, path), is(200, ""), "{}", &odd[..odd.len().min(80)]);
        }
    }
}
