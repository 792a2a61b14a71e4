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

/// A registry at `http://up.test`, a store, and what is to go wrong.
#[derive(Default)]
struct World {
    /// `repository/manifests/reference` and `repository/blobs/digest`: content and type.
    content: RefCell<BTreeMap<String, (Vec<u8>, String)>>,
    /// Answers for the first request that contains this text, as often as it says.
    faults: RefCell<Vec<(String, usize, Result<Response, HostError>)>>,
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
