//! Simple signatures over http: a lookaside, which may be hostile, and the registry's extension.

use crate::NAME;
use crate::simple_signing::{THEN, by, code, file, image, says};
use crate::support::{MANIFEST, block_on};
use sealgate::host::{Egress, Host, Request, Response};
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use sealgate::internals::error::HostError;
use sealgate::internals::oci::auth::Credentials;
use sealgate::internals::oci::registry::Registry;
use sealgate::internals::reference::{Grammar, Reference};
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify;
use sealgate::internals::verify::{Either, Report, Rules, Verdict, verify_image};
use sealgate::policy::Policy;
use std::cell::RefCell;
use std::collections::BTreeMap;

const LOOKASIDE: &str = "https://l.test/sigs";
/// With a lookaside, as most have it.
const CONFIGURED: &str = "default-docker:\n  lookaside: https://l.test/sigs\n";

/// Status, headers and body.
type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// The registry, a lookaside, and whatever else is asked; what is not here is not there.
#[derive(Default)]
struct Web {
    answers: BTreeMap<String, Answer>,
    /// Every signature of a lookaside.
    every: Option<Vec<u8>>,
    asked: RefCell<Vec<Request>>,
}

impl Host for Web {
    async fn fetch(&self, request: Request) -> Result<Response, HostError> {
        let url = request.url.clone();
        let max = request.max_bytes;
        self.asked.borrow_mut().push(request);
        let every = self.every.as_ref().filter(|_| url.contains("/signature-"));
        let (status, headers, body) = match (self.answers.get(&url), every) {
            (Some(answer), _) => answer.clone(),
            (None, Some(body)) => (200, Vec::new(), body.clone()),
            (None, None) if url.starts_with("file:") => {
                let reason = "no files here".into();
                return Err(HostError::Refused { url, reason });
            }
            (None, None) => (404, Vec::new(), Vec::new()),
        };
        if body.len() > max {
            return Err(HostError::TooLarge { url, limit: max });
        }
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.into(), value));
        Ok(Response {
            status,
            headers: headers.collect(),
            body,
            url: None,
        })
    }
}

/// Where the signature of this number is in this lookaside.
fn at(base: &str, number: usize) -> String {
    let hex = Digest::of(&image()).hex();
    format!("{base}/team/app@sha256={hex}/signature-{number}")
}

impl Web {
    fn new() -> Self {
        let mut web = Self::default();
        for tag in ["1", "other"] {
            web.put(
                &format!("https://registry.example/v2/team/app/manifests/{tag}"),
                200,
                &[("content-type", MANIFEST)],
                &image(),
            );
        }
        web.put("https://registry.example/v2/", 200, &[], b"");
        web
    }

    fn put(&mut self, url: &str, status: u16, headers: &[(&'static str, &str)], body: &[u8]) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).into()));
        let answer = (status, headers.collect(), body.into());
        self.answers.insert(url.into(), answer);
    }

    /// With these files of the fixtures in a lookaside.
    fn signed(base: &str, names: &[&str]) -> Self {
        let mut web = Self::new();
        for (number, name) in (1..).zip(names) {
            web.put(&at(base, number), 200, &[], &file(&format!("{name}.sig")));
        }
        web
    }

    fn asked(&self, part: &str) -> usize {
        let asked = self.asked.borrow();
        asked.iter().filter(|one| one.url.contains(part)).count()
    }
}

fn rules(requirement: &str, registries_d: Option<&str>) -> Rules {
    let text = format!(r#"{{"default":[{requirement}]}}"#);
    let rules = Rules::policy(Policy::parse(text.as_bytes()).unwrap(), BTreeMap::new()).unwrap();
    match registries_d {
        Some(text) => rules
            .with_registries_d(&[("a.yaml".to_owned(), text.as_bytes().to_vec())].into())
            .unwrap(),
        None => rules,
    }
}

fn judge(web: &Web, registries_d: Option<&str>) -> Report {
    judge_by(web, &rules(&by("one.gpg", ""), registries_d))
}

fn judge_by(web: &Web, rules: &Rules) -> Report {
    let secret = ("authorization".to_owned(), "Bearer secret".to_owned());
    let credentials = Credentials::Forward([secret].into());
    let registry = Registry::new(web, "https://registry.example", "team/app", credentials).unwrap();
    let name = Reference::normalize(NAME, Grammar::Containers).unwrap();
    let request = verify::Request::of(name, UnixTime(THEN));
    let archive = Either::Registry(&registry);
    block_on(verify_image(&archive, &RustCrypto, rules, &request))
}

fn is_unknown(report: &Report, code: &str) {
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Unknown, code),
        "{}",
        report.finding.message
    );
}

#[test]
fn a_good_signature() {
    let web = Web::signed(LOOKASIDE, &["two", "one"]);
    assert_eq!(code(&judge(&web, Some(CONFIGURED))), "ok");
    // The third is asked for, since all are loaded first; it is not there.
    assert_eq!(web.asked("https://l.test/"), 3);
    assert_eq!(web.asked(&at(LOOKASIDE, 3)), 1);
    // Without a registries.d, and without a lookaside in it, nobody says where to look.
    for registries_d in [
        None,
        Some("default-docker:\n  lookaside-staging: https://l.test/sigs\n"),
    ] {
        assert_eq!(code(&judge(&web, registries_d)), "signature.missing");
    }
    assert_eq!(web.asked("https://l.test/"), 3);
}

/// An operator's own address may be private and plain http.
#[test]
fn an_address_of_the_operators_own() {
    let base = "http://10.0.0.7:8080";
    let web = Web::signed(base, &["one"]);
    let text = format!("default-docker:\n  sigstore: {base}\n");
    assert_eq!(code(&judge(&web, Some(&text))), "ok");
}

/// By scope, and from less specific sections what a more specific one leaves open.
#[test]
fn registries_d_decides() {
    let web = Web::signed("https://team.test", &["one"]);
    let text = "default-docker:\n  lookaside: https://l.test/sigs\ndocker:\n  \
                registry.example/team:\n    lookaside: https://team.test\n  \
                registry.example/team/app:\n    use-sigstore-attachments: false\n";
    assert_eq!(code(&judge(&web, Some(text))), "ok");
    assert_eq!(web.asked("https://l.test/"), 0);
    let other = text.replace("registry.example/team:", "registry.example/other:");
    assert_eq!(code(&judge(&web, Some(&other))), "signature.missing");
}

/// What is secret between user and registry goes to the registry alone.
#[test]
fn credentials_stay_with_the_registry() {
    let mut web = Web::signed(LOOKASIDE, &["one"]);
    let challenge = "Basic realm=\"x\"";
    web.put(
        &at(LOOKASIDE, 2),
        401,
        &[("www-authenticate", challenge)],
        b"",
    );
    is_unknown(&judge(&web, Some(CONFIGURED)), "lookaside.status");
    let moved = at(LOOKASIDE, 1).replace("sigs", "moved");
    web.put(&at(LOOKASIDE, 1), 302, &[("location", &moved)], b"");
    web.put(&moved, 200, &[], &file("one.sig"));
    web.answers.remove(&at(LOOKASIDE, 2));
    assert_eq!(code(&judge(&web, Some(CONFIGURED))), "ok");
    for request in web.asked.borrow().iter() {
        let has = request
            .headers
            .iter()
            .any(|(name, _)| name == "authorization");
        assert_eq!(has, request.url.starts_with("https://registry.example/"));
        assert_eq!(request.egress, Egress::Operator);
    }
}

/// 404 is the end; anything else is no answer, wherever it stands.
pub(crate) fn a7_another_status_after_the_last() {
    for status in [201, 204, 206, 400, 401, 403, 410, 429, 500, 503] {
        for names in [&["one"][..], &[]] {
            let mut web = Web::signed(LOOKASIDE, names);
            web.put(&at(LOOKASIDE, names.len() + 1), status, &[], b"");
            is_unknown(&judge(&web, Some(CONFIGURED)), "lookaside.status");
        }
    }
}

#[test]
fn redirects_stay_on_the_host() {
    for (location, expected) in [
        ("https://l.test/elsewhere", "ok"),
        ("/elsewhere", "ok"),
        ("https://l.test:8443/elsewhere", "ok"),
        ("https://cdn.test/elsewhere", "host.redirect"),
        ("http://l.test/elsewhere", "host.redirect"),
        ("https://registry.example/v2/", "host.redirect"),
        ("https://10.0.0.1/elsewhere", "host.egress"),
        ("file:///etc/passwd", "host.redirect"),
    ] {
        let mut web = Web::new();
        web.put(&at(LOOKASIDE, 1), 307, &[("location", location)], b"");
        for url in ["https://l.test/elsewhere", location] {
            web.put(url, 200, &[], &file("one.sig"));
        }
        let report = judge(&web, Some(CONFIGURED));
        assert_eq!(code(&report), expected, "{location}");
        let followed = web.asked.borrow().last().unwrap().clone();
        if expected == "ok" {
            let own = followed.url.starts_with("https://l.test/");
            assert_eq!(followed.egress == Egress::Operator, own);
        } else {
            assert_eq!(report.finding.verdict, Verdict::Unknown);
            assert_eq!(followed.url, at(LOOKASIDE, 1), "{location}");
        }
    }
    let mut web = Web::new();
    let own = at(LOOKASIDE, 1);
    web.put(&own, 302, &[("location", &own)], b"");
    is_unknown(&judge(&web, Some(CONFIGURED)), "host.redirect");
    assert!(web.asked("https://l.test/") < 10);
}

pub(crate) fn a8_a_signature_that_is_too_large() {
    let mut web = Web::signed(LOOKASIDE, &["one"]);
    web.put(&at(LOOKASIDE, 2), 200, &[], &vec![0xa3; 5 << 20]);
    let report = judge(&web, Some(CONFIGURED));
    is_unknown(&report, "host.too-large");
    says(&report, "4194304 bytes");
}

/// Endless signatures, and endless bytes.
#[test]
fn bounds() {
    let mut web = Web::new();
    web.every = Some(file("two.sig"));
    is_unknown(&judge(&web, Some(CONFIGURED)), "limit.lookaside");
    assert_eq!(web.asked("https://l.test/"), 128);
    web.asked.borrow_mut().clear();
    web.every = Some(vec![0xa3; 4 << 20]);
    is_unknown(&judge(&web, Some(CONFIGURED)), "limit.evidence");
    assert_eq!(web.asked("https://l.test/"), 4);
}

/// podman cannot copy signatures that it cannot read, whatever the policy demands.
pub(crate) fn a12_accepted_and_unreadable() {
    let anything = r#"{"type":"insecureAcceptAnything"}"#;
    let judged =
        |web: &Web, registries_d: &str| judge_by(web, &rules(anything, Some(registries_d)));
    let web = Web::signed(LOOKASIDE, &["armoured"]);
    let report = judged(&web, CONFIGURED);
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Deny, "signature.format")
    );
    says(&report, "reading signatures: unrecognized signature format");
    assert_eq!(
        code(&judged(&Web::signed(LOOKASIDE, &["two"]), CONFIGURED)),
        "ok"
    );
    assert_eq!(
        code(&judged(&web, "default-docker:\n  lookaside: file:///x\n")),
        "ok"
    );
    assert_eq!(code(&judge_by(&web, &rules(anything, None))), "ok");
}

/// A folder of the machine is asked of whoever has one.
#[test]
fn files() {
    let base = "file:///var/lib/containers/sigstore";
    let configured = format!("default-docker:\n  lookaside: {base}\n");
    let mut web = Web::signed(base, &["one"]);
    is_unknown(&judge(&web, Some(&configured)), "host.refused");
    web.put(&at(base, 2), 404, &[], b"");
    assert_eq!(code(&judge(&web, Some(&configured))), "ok");
    for wrong in [
        "ftp://l.test",
        "l.test/x",
        "file://l.test/x",
        "https://u:p@l.test",
    ] {
        let configured = format!("default-docker:\n  lookaside: {wrong}\n");
        let report = judge(&web, Some(&configured));
        assert_eq!(report.finding.verdict, Verdict::Unknown, "{wrong}");
    }
}

/// Attachments are loaded too, where they are looked at, and what is wrong with them refuses.
#[test]
fn attachments_are_loaded_with_them() {
    let mut web = Web::signed(LOOKASIDE, &["one"]);
    let tag = format!("sha256-{}.sig", Digest::of(&image()).hex());
    let url = format!("https://registry.example/v2/team/app/manifests/{tag}");
    web.put(&url, 200, &[("content-type", "text/plain")], b"x");
    assert_eq!(code(&judge(&web, Some(CONFIGURED))), "ok");
    let on = format!("{CONFIGURED}  use-sigstore-attachments: true\n");
    assert_eq!(code(&judge(&web, Some(&on))), "signature.manifest");
    web.answers.remove(&url);
    assert_eq!(code(&judge(&web, Some(&on))), "ok");
}

fn listed(entries: &[(u8, &str, &[u8])]) -> Vec<u8> {
    let entry = |(version, kind, content): &(u8, &str, &[u8])| {
        let content = base64::encode(content);
        serde_json::json!({"schemaVersion": version, "name": "x@y", "type": kind, "content": content})
    };
    let entries: Vec<_> = entries.iter().map(entry).collect();
    serde_json::json!({"signatures": entries})
        .to_string()
        .into_bytes()
}

/// It takes the place of the lookaside.
/// Small messages that become much: what they inflate to counts, whatever comes of it, and no more of
/// them is inflated then.
#[test]
fn what_inflates_counts() {
    let bomb = |inside: &[u8]| {
        let stream = miniz_oxide::deflate::compress_to_vec_zlib(inside, 1);
        [&[0xa3, 2][..], &stream].concat()
    };
    // As much as one may, one byte for 64 that do not compress.
    let mut state = 1_u32;
    let inside: Vec<u8> = (0..4 << 20)
        .map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if at % 64 < 2 {
                state.to_be_bytes()[0]
            } else {
                0
            }
        })
        .collect();
    let bomb = bomb(&inside);
    assert!(bomb.len() < 400 << 10, "{}", bomb.len());
    let mut web = Web::new();
    web.every = Some(bomb);
    let report = judge(&web, Some(CONFIGURED));
    is_unknown(&report, "limit.evidence");
    assert!(
        web.asked("/signature-") <= 5,
        "{}",
        web.asked("/signature-")
    );
}

#[test]
fn the_registrys_extension() {
    const SAID: (&str, &str) = ("x-registry-supports-signatures", "1");
    let digest = Digest::of(&image());
    let url = format!("https://registry.example/extensions/v2/team/app/signatures/{digest}");
    let web = |said: &[(&'static str, &str)], status: u16, body: &[u8]| {
        let mut web = Web::signed(LOOKASIDE, &["two"]);
        web.put("https://registry.example/v2/", 401, said, b"");
        web.put(&url, status, &[], body);
        web
    };
    let (one, two) = (file("one.sig"), file("two.sig"));
    let good = listed(&[
        (2, "atomic", &two),
        (1, "atomic", b"x"),
        (2, "x", b"x"),
        (2, "atomic", &one),
    ]);
    let registry = web(&[SAID], 200, &good);
    let report = judge(&registry, Some(CONFIGURED));
    assert_eq!(code(&report), "ok");
    assert_eq!(
        report.requirements[0].candidates[1].source,
        "registry, signature 2"
    );
    assert_eq!(registry.asked("https://l.test/"), 0);
    let asked = registry.asked.borrow();
    let list = asked.iter().find(|request| request.url == url).unwrap();
    assert!(
        list.headers
            .iter()
            .any(|(_, value)| value == "Bearer secret")
    );
    // Nor does it need one.
    assert_eq!(code(&judge(&web(&[SAID], 200, &good), None)), "ok");
    // What it lists is the whole of it.
    let empty = web(&[SAID], 200, &listed(&[]));
    assert_eq!(code(&judge(&empty, Some(CONFIGURED))), "signature.missing");
    for (status, body) in [
        (404, &good[..]),
        (500, &good),
        (200, b"no list"),
        (200, b"[]"),
    ] {
        let report = judge(&web(&[SAID], status, body), Some(CONFIGURED));
        assert_eq!(report.finding.verdict, Verdict::Unknown, "{status}");
    }
    let many = listed(&vec![(2, "atomic", &two[..]); 129]);
    is_unknown(
        &judge(&web(&[SAID], 200, &many), Some(CONFIGURED)),
        "limit.lookaside",
    );
    // Without the header, or with another value, the lookaside counts.
    for said in [&[][..], &[("x-registry-supports-signatures", "true")]] {
        let report = judge(&web(said, 200, &good), Some(CONFIGURED));
        assert_eq!(code(&report), "openpgp.unknown-key");
    }
    let mut unwell = web(&[SAID], 200, &good);
    unwell.put("https://registry.example/v2/", 503, &[], b"");
    is_unknown(&judge(&unwell, Some(CONFIGURED)), "host.status");
}
