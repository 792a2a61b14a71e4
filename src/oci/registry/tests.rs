//! Dialogues: each request that is expected, word for word with its Authorization, and the recorded
//! answer to it.

use super::*;
use crate::error::Coded;
use crate::error::HostError;
use crate::host::Request;
use crate::host::Response;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec;
use core::cell::RefCell;
use core::pin::pin;
use core::task::Context;
use core::task::Poll;
use core::task::Waker;
use proptest::prelude::*;

type Outcome = Result<Response, HostError>;

/// Answers in order; a request that is not the next one fails the test.
struct Fake {
    script: RefCell<VecDeque<(String, Outcome)>>,
    /// Answers everything that the script does not.
    otherwise: Option<Response>,
    asked: RefCell<Vec<Request>>,
}

impl Host for Fake {
    async fn fetch(&self, request: Request) -> Outcome {
        // Suspends once, so that nothing may be borrowed over an await.
        let mut woken = false;
        core::future::poll_fn(|_| {
            if core::mem::replace(&mut woken, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let mut line = format!("{} {}", request.method, request.url);
        for (name, value) in &request.headers {
            match name.as_str() {
                "user-agent" => {
                    assert_eq!(value, &format!("sealgate/{}", env!("CARGO_PKG_VERSION")))
                }
                "accept" => {}
                "content-type" => assert_eq!(
                    (request.method, value.as_str()),
                    ("POST", "application/x-www-form-urlencoded")
                ),
                _ => line.push_str(&format!(" | {name}: {value}")),
            }
        }
        if let Some(body) = &request.body {
            line.push_str(&format!(" | {body}"));
        }
        assert!(
            request.headers.iter().any(|(name, _)| name == "user-agent")
                && request.headers.iter().any(|(name, _)| name == "accept")
        );
        self.asked.borrow_mut().push(request);
        match (self.script.borrow_mut().pop_front(), &self.otherwise) {
            (Some((expected, outcome)), _) => {
                assert_eq!(line, expected);
                outcome
            }
            (None, Some(response)) => Ok(response.clone()),
            (None, None) => panic!("nobody expected {line}"),
        }
    }
}

fn fake(script: Vec<(&str, Outcome)>) -> Fake {
    Fake {
        script: RefCell::new(
            script
                .into_iter()
                .map(|(line, outcome)| (line.to_string(), outcome))
                .collect(),
        ),
        otherwise: None,
        asked: RefCell::default(),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..10_000 {
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
    }
    panic!("the dialogue does not end");
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

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Outcome {
    Ok(response(status, headers, body.as_bytes()))
}

fn ok(body: &str) -> Outcome {
    answer(200, &[], body)
}

fn status(status: u16) -> Outcome {
    answer(status, &[], "")
}

fn to(location: &str) -> Outcome {
    answer(307, &[("location", location)], "")
}

fn challenge(text: &str) -> Outcome {
    answer(401, &[("www-authenticate", text)], "")
}

fn basic() -> Credentials {
    Credentials::Basic {
        username: "u".into(),
        password: "p".into(),
    }
}

fn registry(host: &Fake, credentials: Credentials) -> Registry<'_, Fake> {
    Registry::new(host, "https://r.test", "a/b", credentials)
        .unwrap()
        .with_realms(["https://auth.test/token"])
        .unwrap()
}

/// The code and, where all went well, the body of manifest `1` after this dialogue.
fn manifest(
    credentials: Credentials,
    script: Vec<(&str, Outcome)>,
) -> Result<Option<String>, &'static str> {
    let host = fake(script);
    let result = run(registry(&host, credentials).manifest("1"));
    assert!(
        host.script.borrow().is_empty(),
        "not asked: {:?}",
        host.script.borrow()
    );
    result
        .map(|fetched| fetched.map(|fetched| String::from_utf8(fetched.bytes).unwrap()))
        .map_err(|error| error.code())
}

const M: &str = "GET https://r.test/v2/a/b/manifests/1";
const M_T1: &str = "GET https://r.test/v2/a/b/manifests/1 | authorization: Bearer t1";
const M_T2: &str = "GET https://r.test/v2/a/b/manifests/1 | authorization: Bearer t2";
const M_BASIC: &str = "GET https://r.test/v2/a/b/manifests/1 | authorization: Basic dTpw";
const BEARER: &str =
    r#"Bearer realm="https://auth.test/token?x=1",service="r.test",scope="repository:other:push""#;
const TOKEN: &str =
    "GET https://auth.test/token?x=1&service=r.test&scope=repository%3Aa%2Fb%3Apull";
const TOKEN_BASIC: &str = "GET https://auth.test/token?x=1&service=r.test&scope=repository%3Aa%2Fb%3Apull | \
     authorization: Basic dTpw";

fn yes() -> Result<Option<String>, &'static str> {
    Ok(Some("{}".into()))
}

#[test]
fn anonymous() {
    assert_eq!(manifest(Credentials::Anonymous, vec![(M, ok("{}"))]), yes());
    assert_eq!(
        manifest(
            Credentials::Anonymous,
            vec![(
                M,
                answer(404, &[], r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#)
            )]
        ),
        Ok(None)
    );
    assert_eq!(
        manifest(
            Credentials::Anonymous,
            vec![
                (M, challenge(BEARER)),
                (TOKEN, ok(r#"{"token":"t1"}"#)),
                (M_T1, ok("{}"))
            ]
        ),
        yes()
    );
    assert_eq!(
        manifest(
            Credentials::Anonymous,
            vec![(M, challenge("Basic realm=x"))]
        ),
        Err("registry.unauthorized")
    );
    assert_eq!(
        manifest(Credentials::Anonymous, vec![(M, status(401))]),
        Err("registry.unauthorized")
    );
}

#[test]
fn credentials() {
    let token = || ok(r#"{"access_token":"t1"}"#);
    assert_eq!(manifest(basic(), vec![(M, ok("{}"))]), yes());
    assert_eq!(
        manifest(
            basic(),
            vec![(M, challenge("Basic realm=x")), (M_BASIC, ok("{}"))]
        ),
        yes()
    );
    assert_eq!(
        manifest(
            basic(),
            vec![
                (M, challenge("Basic realm=x")),
                (M_BASIC, challenge("Basic realm=x"))
            ]
        ),
        Err("registry.unauthorized")
    );
    assert_eq!(
        manifest(
            basic(),
            vec![
                (M, challenge(BEARER)),
                (TOKEN_BASIC, token()),
                (M_T1, ok("{}"))
            ]
        ),
        yes()
    );
    let post = "POST https://auth.test/token?x=1 | \
                grant_type=refresh_token&client_id=sealgate&refresh_token=i%26d&scope=repository%\
                3Aa%2Fb%3Apull&service=r.test";
    let identity = || Credentials::IdentityToken("i&d".into());
    assert_eq!(
        manifest(
            identity(),
            vec![(M, challenge(BEARER)), (post, token()), (M_T1, ok("{}"))]
        ),
        yes()
    );
    assert_eq!(
        manifest(identity(), vec![(M, challenge("Basic realm=x"))]),
        Err("registry.unauthorized")
    );
    // A POST is not redirected: its body is the secret.
    assert_eq!(
        manifest(
            identity(),
            vec![(M, challenge(BEARER)), (post, to("https://evil.test/"))]
        ),
        Err("registry.token")
    );
}

#[test]
fn the_callers_own_header_goes_to_the_registry_and_nowhere_else() {
    let own = || Credentials::Forward(vec![("authorization".into(), "Bearer own".into())]);
    let sent = "GET https://r.test/v2/a/b/manifests/1 | authorization: Bearer own";
    assert_eq!(manifest(own(), vec![(sent, ok("{}"))]), yes());
    assert_eq!(
        manifest(
            own(),
            vec![
                (sent, to("https://cdn.test/x")),
                ("GET https://cdn.test/x", ok("{}"))
            ]
        ),
        yes()
    );
    let host = fake(vec![(sent, challenge(BEARER))]);
    match run(registry(&host, own()).manifest("1")).unwrap_err() {
        RegistryError::Unauthorized { challenge, url, .. } => assert_eq!(
            (challenge.as_str(), url.as_str()),
            (BEARER, "https://r.test/v2/a/b/manifests/1")
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn token_trouble() {
    for (outcome, code) in [
        (ok("<html>"), "registry.token"),
        (ok("{}"), "registry.token"),
        (ok(r#"{"token":"a\nb"}"#), "registry.token"),
        (status(404), "registry.token"),
        (status(302), "registry.token"),
        (status(401), "registry.unauthorized"),
        (status(403), "registry.unauthorized"),
        (status(400), "registry.unauthorized"),
        (status(429), "registry.rate-limited"),
        (status(503), "host.status"),
        (Err(HostError::Timeout { url: "x".into() }), "host.timeout"),
        (ok(&"x".repeat(limits::TOKEN + 1)), "host.too-large"),
        // A redirect is for documents: what answers for the token service is the token service.
        (to("http://auth.test/"), "registry.token"),
        (to("https://other.test/t"), "registry.token"),
        (to("https://auth.test/t"), "registry.token"),
    ] {
        assert_eq!(
            manifest(
                basic(),
                vec![(M, challenge(BEARER)), (TOKEN_BASIC, outcome)]
            ),
            Err(code)
        );
    }
}

/// A challenge chooses where a user's credentials go: nowhere but to the registry's own host, what
/// is above it, or what the user wrote down. Nothing is sent elsewhere.
#[test]
fn a_challenge_sends_credentials_to_no_other_host() {
    let scope = "scope=repository%3Aa%2Fb%3Apull";
    let asked = |base: &str, realm: &str, credentials: Credentials| {
        let host = Fake {
            otherwise: Some(response(200, &[], br#"{"token":"t1"}"#)),
            ..fake(vec![])
        };
        let first = format!("GET {base}/v2/a/b/manifests/1");
        host.script
            .borrow_mut()
            .push_back((first, challenge(&format!("Bearer realm=\"{realm}\""))));
        let registry = Registry::new(&host, base, "a/b", credentials)
            .unwrap()
            .with_realms(["https://sso.corp.test/token"])
            .unwrap();
        let code = run(registry.manifest("1"))
            .map_err(|error| error.code())
            .err();
        let second = host.asked.borrow().get(1).map(|request| {
            (
                request.url.clone(),
                request.egress,
                request
                    .headers
                    .iter()
                    .any(|(name, _)| name == "authorization")
                    || request.body.is_some(),
            )
        });
        (code, second)
    };
    let to = |url: &str, egress, secret| (None, Some((url.to_string(), egress, secret)));
    for (base, realm) in [
        ("https://r.test", "https://evil.test/t"),
        ("https://r.test", "https://r.test.evil.test/t"),
        ("https://r.test", "http://r.test/t"),
        ("https://r.test", "http://127.0.0.1/t"),
        ("https://r.test", "https://sso.corp.test/other"),
        ("http://r.test", "http://s.test/t"),
        ("https://r.test", "https://127.0.0.1/t"),
    ] {
        for credentials in [basic(), Credentials::IdentityToken("i".into())] {
            assert_eq!(
                asked(base, realm, credentials),
                (Some("registry.realm"), None),
                "{base} {realm}"
            );
        }
    }
    for (base, realm, egress) in [
        ("https://r.test", "https://r.test:5001/t", Egress::Operator),
        (
            "http://r.test:5000",
            "http://r.test:5001/t",
            Egress::Operator,
        ),
        (
            "https://registry.gitlab.test",
            "https://gitlab.test/t",
            Egress::Public,
        ),
        (
            "https://registry-1.docker.io",
            "https://auth.docker.io/t",
            Egress::Public,
        ),
        (
            "https://r.test",
            "https://sso.corp.test/token",
            Egress::Operator,
        ),
        (
            "http://localhost:5000",
            "http://a.localhost:5001/t",
            Egress::Operator,
        ),
    ] {
        assert_eq!(
            asked(base, realm, basic()),
            to(&format!("{realm}?{scope}"), egress, true),
            "{base} {realm}"
        );
        assert_eq!(
            asked(base, realm, Credentials::IdentityToken("i".into())),
            to(realm, egress, true),
            "{base} {realm}"
        );
    }
    // An anonymous token costs nobody anything, and may come from anywhere public.
    assert_eq!(
        asked(
            "https://r.test",
            "https://auth.test/t",
            Credentials::Anonymous
        ),
        to(
            &format!("https://auth.test/t?{scope}"),
            Egress::Public,
            false
        )
    );
    assert_eq!(
        asked(
            "https://r.test",
            "https://10.0.0.1/t",
            Credentials::Anonymous
        ),
        (Some("host.egress"), None)
    );
    let host = fake(vec![(M, challenge("Bearer realm=\"https://evil.test/t\""))]);
    let told = run(Registry::new(&host, "https://r.test", "a/b", basic())
        .unwrap()
        .manifest("1"))
    .unwrap_err()
    .to_string();
    assert!(
        told.contains("https://evil.test/t") && told.contains("\"realms\""),
        "{told}"
    );
}

/// Who wrote an address is said with each request, and a redirect is not the operator's word.
#[test]
fn addresses_that_others_name_are_public_ones() {
    let follow = |base: &str, locations: &[&str], hosts: &[&str]| {
        let host = Fake {
            otherwise: Some(response(200, &[], b"{}")),
            ..fake(vec![])
        };
        let mut at = format!("{base}/v2/a/b/manifests/1");
        for location in locations {
            host.script
                .borrow_mut()
                .push_back((format!("GET {at}"), super::tests::to(location)));
            at = Url::parse(&at).unwrap().join(location).unwrap().to_string();
        }
        let registry = Registry::new(&host, base, "a/b", Credentials::Anonymous)
            .unwrap()
            .with_egress(EgressHosts::parse(hosts.iter().copied()).unwrap());
        let code = run(registry.manifest("1"))
            .map_err(|error| error.code())
            .err();
        let classes: Vec<Egress> = host
            .asked
            .borrow()
            .iter()
            .map(|request| request.egress)
            .collect();
        (code, classes)
    };
    use Egress::{Operator, Public};
    let none: &[&str] = &[];
    assert_eq!(
        follow("http://10.0.0.1:5000", &["/other"], none),
        (None, vec![Operator, Operator])
    );
    assert_eq!(
        follow("http://10.0.0.1:5000", &["http://127.0.0.1:6379/"], none),
        (Some("host.egress"), vec![Operator])
    );
    assert_eq!(
        follow("http://10.0.0.1:5000", &["http://10.0.0.1:6379/"], none),
        (Some("host.egress"), vec![Operator])
    );
    assert_eq!(
        follow("http://10.0.0.1:5000", &["http://other.test/"], none),
        (Some("host.egress"), vec![Operator])
    );
    assert_eq!(
        follow("http://10.0.0.1:5000", &["https://cdn.test/x"], none),
        (None, vec![Operator, Public])
    );
    assert_eq!(
        follow(
            "https://r.test",
            &["https://cdn.test/x", "https://r.test/back"],
            none
        ),
        (None, vec![Operator, Public, Public])
    );
    assert_eq!(
        follow("https://r.test", &["https://metadata.localhost/"], none),
        (Some("host.egress"), vec![Operator])
    );
    assert_eq!(
        follow(
            "http://10.0.0.1:5000",
            &["http://127.0.0.1:9000/x"],
            &["127.0.0.1:9000"]
        ),
        (None, vec![Operator, Operator])
    );
    assert_eq!(
        follow(
            "https://r.test",
            &["https://minio.internal/x"],
            &["minio.internal"]
        ),
        (None, vec![Operator, Operator])
    );
    assert_eq!(
        follow(
            "https://r.test",
            &["http://minio.internal/x"],
            &["minio.internal"]
        ),
        (Some("host.redirect"), vec![Operator])
    );
    // Only documents are followed to.
    let host = fake(vec![("GET https://r.test/v2/", to("https://cdn.test/"))]);
    assert_eq!(
        run(registry(&host, Credentials::Anonymous).ping())
            .unwrap_err()
            .code(),
        "host.status"
    );
}

#[test]
fn where_there_is_no_registry() {
    let host = fake(vec![("GET https://r.test/v2/", status(404))]);
    let registry = registry(&host, Credentials::Anonymous).named("r.example");
    let error = run(registry.ping()).unwrap_err();
    assert_eq!(error.code(), "registry.none");
    assert!(
        error.to_string().contains("r.example") && !error.to_string().contains("r.test"),
        "{error}"
    );
    assert!(registry.take_troubles().concat().contains("r.test"));
}

/// What a gateway tells its clients holds the registry's name; its operator is told everything.
#[test]
fn a_named_registry_keeps_its_address() {
    let secret = "10.1.2.3";
    let base = "http://10.1.2.3:5000";
    let line = "GET http://10.1.2.3:5000/v2/a/b/manifests/1";
    let hint = r#"Bearer realm="x"#;
    for outcome in [
        status(500),
        status(429),
        status(403),
        status(418),
        status(401),
        Err(HostError::Timeout { url: base.into() }),
        Err(HostError::Unreachable {
            url: base.into(),
            reason: "connect ECONNREFUSED 10.1.2.3:5000".into(),
        }),
        Err(HostError::Provider {
            reason: base.into(),
        }),
        Err(HostError::Refused {
            url: base.into(),
            reason: base.into(),
        }),
        Err(HostError::Egress {
            url: base.into(),
            reason: base.into(),
        }),
        to("http://10.1.2.3:6379/"),
        to("https://10.1.2.3/"),
        to("file://10.1.2.3/"),
        ok(&" ".repeat(limits::MANIFEST + 1)),
        challenge(hint),
    ] {
        let host = fake(vec![(line, outcome.clone())]);
        let registry = Registry::new(&host, base, "a/b", Credentials::Forward(Vec::new()))
            .unwrap()
            .named("registry.test");
        let told = run(registry.manifest("1")).unwrap_err();
        assert!(!told.to_string().contains(secret), "{told}");
        let troubles = registry.take_troubles();
        let wanted = told.code() != "registry.unauthorized";
        assert!(
            !wanted
                || troubles
                    .iter()
                    .any(|text| text.contains(secret) && text.contains(told.code())),
            "{outcome:?}: {troubles:?}"
        );
        assert!(registry.take_troubles().is_empty());
        let host = fake(vec![(line, outcome)]);
        let plain = Registry::new(&host, base, "a/b", Credentials::Forward(Vec::new())).unwrap();
        assert_eq!(run(plain.manifest("1")).unwrap_err().code(), told.code());
        assert!(plain.take_troubles().is_empty());
    }
    // A page that leads elsewhere is told of in the list itself.
    let digest = Digest::of(b"image");
    let page = answer(
        200,
        &[("link", "<http://10.1.2.4/x>; rel=next")],
        r#"{"manifests":[{"digest":"one"}]}"#,
    );
    let host = Fake {
        otherwise: Some(response(404, &[], b"")),
        ..fake(vec![])
    };
    host.script
        .borrow_mut()
        .push_back((format!("GET {base}/v2/a/b/referrers/{digest}"), page));
    let registry = Registry::new(&host, base, "a/b", Credentials::Forward(Vec::new()))
        .unwrap()
        .named("registry.test");
    let listed = run(registry.referrers(&digest)).unwrap();
    assert!(!listed.incomplete.unwrap().to_string().contains(secret));
    let host = fake(
        (0..=limits::TROUBLES)
            .map(|_| (line, status(500)))
            .collect(),
    );
    let registry = Registry::new(&host, base, "a/b", Credentials::Forward(Vec::new()))
        .unwrap()
        .named("registry.test");
    for _ in 0..=limits::TROUBLES {
        assert!(run(registry.manifest("1")).is_err());
    }
    assert_eq!(registry.take_troubles().len(), 1, "the same is said once");
}

/// The evidence of a gateway is asked for as everything is: its challenges are answered, within the
/// same rules.
#[test]
fn evidence() {
    let line = "GET https://r.test/api/evidence/a/b?ref=1";
    let with = format!("{line} | authorization: Bearer t1");
    let host = fake(vec![
        (line, challenge(BEARER)),
        (TOKEN_BASIC, ok(r#"{"token":"t1"}"#)),
        (&with, ok("{}")),
    ]);
    assert_eq!(
        run(registry(&host, basic()).evidence("1", 2)),
        Ok(Some(b"{}".to_vec()))
    );
    for (outcome, expected) in [
        (status(404), Ok(None)),
        (ok("{ }"), Err("host.too-large")),
        (status(403), Err("registry.refused")),
        (to("https://cdn.test/"), Err("host.status")),
        (
            challenge(r#"Bearer realm="http://127.0.0.1:1/t""#),
            Err("registry.realm"),
        ),
        (
            challenge(r#"Bearer realm="https://evil.test/t""#),
            Err("registry.realm"),
        ),
    ] {
        let host = fake(vec![(line, outcome)]);
        assert_eq!(
            run(registry(&host, basic()).evidence("1", 2)).map_err(|error| error.code()),
            expected
        );
    }
}

#[test]
fn an_https_registry_names_no_http_realm() {
    for realm in [
        "http://auth.test/",
        "http://r.test/",
        "http://localhost/",
        "http://127.0.0.1:1/",
    ] {
        assert_eq!(
            manifest(
                basic(),
                vec![(M, challenge(&format!("Bearer realm=\"{realm}\"")))]
            ),
            Err("registry.realm"),
            "{realm}"
        );
    }
    let host = fake(vec![
        (
            "GET http://127.0.0.1:5000/v2/a/b/manifests/1",
            challenge(r#"Bearer realm="http://localhost:5003/t""#),
        ),
        (
            "GET http://localhost:5003/t?scope=repository%3Aa%2Fb%3Apull | authorization: Basic \
             dTpw",
            ok(r#"{"token":"t1"}"#),
        ),
        (
            "GET http://127.0.0.1:5000/v2/a/b/manifests/1 | authorization: Bearer t1",
            ok("{}"),
        ),
    ]);
    assert!(
        run(
            Registry::new(&host, "http://127.0.0.1:5000/", "a/b", basic())
                .unwrap()
                .manifest("1")
        )
        .unwrap()
        .is_some()
    );
}

#[test]
fn challenges_end() {
    let token = |text| ok(&format!(r#"{{"token":"{text}"}}"#));
    let insufficient = r#"Bearer realm="https://auth.test/token?x=1",service="r.test",scope="repository:wide:pull",error="insufficient_scope""#;
    let wide = "GET https://auth.test/token?x=1&service=r.test&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Awide%3Apull";
    assert_eq!(
        manifest(
            Credentials::Anonymous,
            vec![
                (M, challenge(BEARER)),
                (TOKEN, token("t1")),
                (M_T1, challenge(BEARER))
            ]
        ),
        Err("registry.unauthorized")
    );
    let start = || {
        vec![
            (M, challenge(BEARER)),
            (TOKEN, token("t1")),
            (M_T1, challenge(insufficient)),
            (wide, token("t2")),
        ]
    };
    assert_eq!(
        manifest(
            Credentials::Anonymous,
            [start(), vec![(M_T2, ok("{}"))]].concat()
        ),
        yes()
    );
    let other = insufficient.replace("wide", "wider");
    for again in [insufficient, BEARER, &other] {
        assert_eq!(
            manifest(
                Credentials::Anonymous,
                [start(), vec![(M_T2, challenge(again))]].concat()
            ),
            Err("registry.unauthorized")
        );
    }
    // The own scope again is nothing new.
    let own = insufficient.replace("wide", "a/b");
    assert_eq!(
        manifest(
            Credentials::Anonymous,
            vec![
                (M, challenge(BEARER)),
                (TOKEN, token("t1")),
                (M_T1, challenge(&own))
            ]
        ),
        Err("registry.unauthorized")
    );
    for garbage in [
        "",
        "x",
        "Bearer",
        "Bearer realm=\"",
        "Bearer realm=\"file:///etc/passwd\"",
        "Negotiate abc=",
    ] {
        assert_eq!(
            manifest(basic(), vec![(M, challenge(garbage))]),
            Err(if garbage.is_empty() {
                "registry.unauthorized"
            } else {
                "registry.challenge"
            }),
            "{garbage}"
        );
    }
}

#[test]
fn a_token_is_kept_and_renewed() {
    let host = fake(vec![
        (M, challenge(BEARER)),
        (TOKEN, ok(r#"{"token":"t1"}"#)),
        (M_T1, ok("{}")),
        (M_T1, ok("{}")),
        (M_T1, challenge(BEARER)),
        (TOKEN, ok(r#"{"token":"t2"}"#)),
        (M_T2, ok("{}")),
    ]);
    let registry = registry(&host, Credentials::Anonymous);
    for _ in 0..3 {
        assert!(run(registry.manifest("1")).unwrap().is_some());
    }
    // One that the registry no longer takes, and that cannot be renewed, is not sent again.
    host.script.borrow_mut().extend(
        [
            (M_T2, challenge(BEARER)),
            (TOKEN, status(503)),
            (M, ok("{}")),
        ]
        .map(|(line, outcome)| (line.to_string(), outcome)),
    );
    assert_eq!(
        run(registry.manifest("1")).unwrap_err().code(),
        "host.status"
    );
    assert!(run(registry.manifest("1")).unwrap().is_some());
}

#[test]
fn redirects() {
    let start = |rest: Vec<(&'static str, Outcome)>| [vec![(M, challenge("Basic"))], rest].concat();
    // Same origin keeps, another host, port or scheme loses the header, and does not get it back.
    assert_eq!(
        manifest(
            basic(),
            start(vec![
                (M_BASIC, to("/x")),
                ("GET https://r.test/x | authorization: Basic dTpw", ok("{}"))
            ])
        ),
        yes()
    );
    assert_eq!(
        manifest(
            basic(),
            start(vec![
                (M_BASIC, to("https://R.test:443/x?y")),
                (
                    "GET https://r.test/x?y | authorization: Basic dTpw",
                    ok("{}")
                )
            ])
        ),
        yes()
    );
    for (location, line) in [
        ("https://cdn.test/x?sig=1", "GET https://cdn.test/x?sig=1"),
        ("//cdn.test", "GET https://cdn.test/"),
        ("https://r.test:444/x", "GET https://r.test:444/x"),
        ("https://sub.r.test/x", "GET https://sub.r.test/x"),
    ] {
        assert_eq!(
            manifest(
                basic(),
                start(vec![(M_BASIC, to(location)), (line, ok("{}"))])
            ),
            yes()
        );
        assert_eq!(
            manifest(
                basic(),
                start(vec![
                    (M_BASIC, to(location)),
                    (line, to("https://r.test/back")),
                    ("GET https://r.test/back", ok("{}"))
                ])
            ),
            yes()
        );
        // Another host's challenge is not answered.
        assert_eq!(
            manifest(basic(), vec![(M, to(location)), (line, challenge("Basic"))]),
            Err("registry.unauthorized")
        );
        assert_eq!(
            manifest(basic(), vec![(M, to(location)), (line, challenge(BEARER))]),
            Err("registry.unauthorized")
        );
        assert_eq!(
            manifest(
                basic(),
                start(vec![(M_BASIC, to(location)), (line, challenge(BEARER))])
            ),
            Err("registry.unauthorized")
        );
        assert_eq!(
            manifest(
                basic(),
                start(vec![
                    (M_BASIC, to(location)),
                    (line, to("https://r.test/back")),
                    ("GET https://r.test/back", challenge("Basic"))
                ])
            ),
            Err("registry.unauthorized")
        );
    }
    for location in [
        "http://r.test/x",
        "http://cdn.test/",
        "http://127.0.0.1/",
        "file:///etc/passwd",
        "ftp://x",
        "gopher://x",
        "data:,{}",
        "https://u:p@x/",
        "https://x\\@y",
        "http://",
        "https://0x7f.1/",
        "a b",
    ] {
        assert_eq!(
            manifest(Credentials::Anonymous, vec![(M, to(location))]),
            Err("host.redirect"),
            "{location}"
        );
    }
    let looped: Vec<_> = (0..=limits::REDIRECTS).map(|_| (M, to("1"))).collect();
    assert_eq!(
        manifest(Credentials::Anonymous, looped),
        Err("host.redirect")
    );
    for code in [301, 302, 303, 307, 308] {
        assert_eq!(
            manifest(
                Credentials::Anonymous,
                vec![
                    (M, answer(code, &[("location", "2")], "")),
                    ("GET https://r.test/v2/a/b/manifests/2", ok("{}"))
                ]
            ),
            yes()
        );
    }
    for code in [300, 304, 305, 306] {
        assert_eq!(
            manifest(
                Credentials::Anonymous,
                vec![(M, answer(code, &[("location", "/x")], ""))]
            ),
            Err("host.status")
        );
    }
}

#[test]
fn plain_http_may_redirect_to_itself_and_to_https() {
    let host = fake(vec![
        ("GET http://r.test/v2/b/manifests/1", to("http://r.test/x")),
        ("GET http://r.test/x", to("https://s.test/x")),
        ("GET https://s.test/x", to("http://s.test/x")),
    ]);
    let result = run(Registry::new(&host, "http://r.test", "b", basic())
        .unwrap()
        .manifest("1"));
    assert_eq!(result.unwrap_err().code(), "host.redirect");
}

#[test]
fn messages_keep_the_signatures_of_redirects() {
    let host = fake(vec![
        (M, to("https://cdn.test/x?X-Amz-Signature=hush")),
        ("GET https://cdn.test/x?X-Amz-Signature=hush", status(500)),
    ]);
    let error = run(registry(&host, Credentials::Anonymous).manifest("1")).unwrap_err();
    assert_eq!(
        error,
        HostError::Status {
            url: "https://cdn.test/x".into(),
            status: 500,
            expected: "200 or 404"
        }
        .into()
    );
}

#[test]
fn a_platform_that_follows_redirects() {
    let moved = |url: &str, status| {
        Ok(Response {
            url: Some(url.into()),
            ..response(status, &[("www-authenticate", "Basic")], b"{}")
        })
    };
    for url in [
        "https://cdn.test/x",
        "https://r.test/v2/a/b/manifests/1",
        "blob:x",
    ] {
        assert_eq!(manifest(basic(), vec![(M, moved(url, 200))]), yes());
    }
    assert_eq!(
        manifest(
            basic(),
            vec![(M, moved("https://r.test/y", 401)), (M_BASIC, ok("{}"))]
        ),
        yes()
    );
    for url in ["https://cdn.test/x", "http://r.test/", "blob:x"] {
        assert_eq!(
            manifest(basic(), vec![(M, moved(url, 401))]),
            Err("registry.unauthorized")
        );
    }
}

#[test]
fn refusals() {
    let denied = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\\u001b[2J\\u202e way\"}]}";
    let host = fake(vec![(M, answer(403, &[], denied))]);
    let error = run(registry(&host, Credentials::Anonymous).manifest("1")).unwrap_err();
    assert_eq!(
        error,
        RegistryError::Refused {
            url: "https://r.test/v2/a/b/manifests/1".into(),
            status: 403,
            code: "DENIED".into(),
            message: "no[2J way".into()
        }
    );
    let host = fake(vec![(M, answer(429, &[("retry-after", "7")], ""))]);
    let error = run(registry(&host, Credentials::Anonymous).manifest("1")).unwrap_err();
    assert_eq!(
        error,
        RegistryError::RateLimited {
            url: "https://r.test/v2/a/b/manifests/1".into(),
            retry_after: Some("7".into()),
            message: String::new(),
        }
    );
    let huge = format!(
        "{{\"errors\":[{{\"code\":\"{}\"}}]}}",
        "A".repeat(limits::ERROR_BODY)
    );
    for (code, body, expected) in [
        (403, huge.as_str(), "registry.refused"),
        (418, "", "registry.refused"),
        (400, "[]", "registry.refused"),
        (500, "", "host.status"),
        (206, "", "host.status"),
        (204, "", "host.status"),
        (999, "", "host.status"),
    ] {
        assert_eq!(
            manifest(Credentials::Anonymous, vec![(M, answer(code, &[], body))]),
            Err(expected)
        );
    }
    for error in [
        HostError::Timeout { url: "x".into() },
        HostError::NotRecorded { url: "x".into() },
    ] {
        assert_eq!(
            manifest(Credentials::Anonymous, vec![(M, Err(error.clone()))]),
            Err(error.code())
        );
    }
}

#[test]
fn heads() {
    let line = "HEAD https://r.test/v2/a/b/manifests/1";
    let headers = [
        ("docker-content-digest", "anything"),
        ("content-type", "a/b"),
        ("content-length", "12"),
    ];
    let host = fake(vec![
        (line, answer(200, &headers, "")),
        (line, status(404)),
        (line, answer(200, &[("content-length", "-1")], "")),
        (line, status(405)),
    ]);
    let registry = registry(&host, Credentials::Anonymous);
    assert_eq!(
        run(registry.head("1")).unwrap(),
        Some(Head {
            digest: Some("anything".into()),
            content_type: Some("a/b".into()),
            length: Some(12)
        })
    );
    assert_eq!(run(registry.head("1")).unwrap(), None);
    assert_eq!(
        run(registry.head("1")).unwrap(),
        Some(Head {
            digest: None,
            content_type: None,
            length: None
        })
    );
    assert_eq!(
        run(registry.head("1")).unwrap_err().code(),
        "registry.refused"
    );
    for request in host.asked.borrow().iter() {
        assert!(
            request
                .headers
                .iter()
                .any(|(name, value)| name == "accept" && value == MANIFESTS)
        );
    }
}

#[test]
fn blobs() {
    let digest = Digest::of(b"hello");
    let line = format!("GET https://r.test/v2/a/b/blobs/{digest}");
    let blob = |outcome: Outcome, max| {
        let host = fake(vec![(line.as_str(), outcome)]);
        run(registry(&host, Credentials::Anonymous).blob(&digest, max))
            .map_err(|error| error.code())
    };
    assert_eq!(blob(ok("hello"), 5), Ok(Some(b"hello".to_vec())));
    assert_eq!(blob(ok("hellO"), 5), Err("digest.mismatch"));
    assert_eq!(blob(ok("hello"), 4), Err("host.too-large"));
    assert_eq!(
        blob(answer(404, &[], "a body longer than the blob"), 5),
        Ok(None)
    );
    assert_eq!(blob(status(403), 5), Err("registry.refused"));
}

#[test]
fn manifests_are_bounded() {
    assert_eq!(
        manifest(
            Credentials::Anonymous,
            vec![(M, ok(&" ".repeat(limits::MANIFEST + 1)))]
        ),
        Err("host.too-large")
    );
    let host = fake(vec![(M, ok("{}"))]);
    run(registry(&host, Credentials::Anonymous).manifest("1")).unwrap();
    assert_eq!(host.asked.borrow()[0].max_bytes, limits::MANIFEST);
}

#[test]
fn names_and_addresses() {
    let host = fake(vec![]);
    for repository in [
        "",
        "A",
        "a/../b",
        "a?x",
        "a#x",
        "a%2f",
        "a:1",
        "a@sha256:x",
        "/a",
        "a/",
        "a b",
        "é",
        &"a".repeat(256),
    ] {
        assert_eq!(
            Registry::new(&host, "https://r.test", repository, Credentials::Anonymous)
                .err()
                .unwrap()
                .code(),
            "registry.name",
            "{repository}"
        );
    }
    for base in [
        "",
        "r.test",
        "ftp://r.test",
        "https://u:p@r.test",
        "https://r.test?x",
        "https://r test",
    ] {
        assert_eq!(
            Registry::new(&host, base, "a", Credentials::Anonymous)
                .err()
                .unwrap()
                .code(),
            "registry.address",
            "{base}"
        );
    }
    let registry = registry(&host, Credentials::Anonymous);
    for reference in [
        "",
        "a/b",
        "../x",
        "a?b",
        "-a",
        "sha256:00",
        "sha256:../x",
        "1@x",
        "a b",
        "a:b",
        &"a".repeat(129),
    ] {
        assert_eq!(
            run(registry.manifest(reference)).unwrap_err().code(),
            "registry.name",
            "{reference}"
        );
        assert_eq!(
            run(registry.head(reference)).unwrap_err().code(),
            "registry.name",
            "{reference}"
        );
    }
    let host = fake(vec![(
        "GET https://page.test/relay/ghcr.io/v2/a/manifests/latest",
        ok("{}"),
    )]);
    run(Registry::new(
        &host,
        "https://page.test/relay/ghcr.io/",
        "a",
        Credentials::Anonymous,
    )
    .unwrap()
    .manifest("latest"))
    .unwrap();
}

#[test]
fn bases() {
    for (domain, plain, base) in [
        ("docker.io", false, Some("https://registry-1.docker.io")),
        ("docker.io", true, Some("https://registry-1.docker.io")),
        ("ghcr.io", false, Some("https://ghcr.io")),
        ("r.test:5000", false, Some("https://r.test:5000")),
        ("r.test:5000", true, Some("http://r.test:5000")),
        ("localhost:5000", false, Some("http://localhost:5000")),
        ("127.1.2.3", false, Some("http://127.1.2.3")),
        (
            "gate.localhost:5000",
            false,
            Some("http://gate.localhost:5000"),
        ),
        ("[::1]:5000", false, Some("http://[::1]:5000")),
        (
            "localhost.evil.test",
            false,
            Some("https://localhost.evil.test"),
        ),
        ("", false, None),
        ("a/b", false, None),
        ("a/", false, None),
        ("u@a", false, None),
        ("a?b", false, None),
        ("a#", false, None),
        ("127.1", false, None),
    ] {
        assert_eq!(base_for(domain, plain).ok().as_deref(), base, "{domain}");
    }
}

/// Whether something is there, without reading it; a challenge of another host is nobody's business
/// here.
#[test]
fn blobs_that_are_not_read() {
    let digest = Digest::of(b"x");
    let line = format!("HEAD https://r.test/v2/a/b/blobs/{digest}");
    let evil = answer(401, &[("www-authenticate", "Basic realm=\"evil\"")], "");
    for (script, expected) in [
        (vec![status(200)], Ok(true)),
        (vec![status(404)], Ok(false)),
        (vec![status(405)], Ok(true)),
        (vec![status(403)], Err("registry.refused")),
        (vec![status(500)], Err("host.status")),
        // Whom it sends on it has let in; nobody goes there.
        (vec![to("https://cdn.test/x")], Ok(true)),
        (vec![to("http://127.0.0.1:1/x")], Ok(true)),
        (vec![status(302)], Ok(true)),
        (vec![status(304)], Err("host.status")),
        (vec![evil.clone()], Err("registry.unauthorized")),
    ] {
        let host = fake(
            script
                .into_iter()
                .map(|outcome| (line.as_str(), outcome))
                .collect(),
        );
        let found = run(registry(&host, Credentials::Forward(Vec::new())).has_blob(&digest));
        if let Err(RegistryError::Unauthorized { challenge, .. }) = &found {
            assert!(!challenge.is_empty());
        }
        assert_eq!(found.map_err(|error| error.code()), expected);
    }
}

mod referrers {
    use super::*;

    const EMPTY: &str = r#"{"schemaVersion":2,"manifests":[]}"#;
    const ONE: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"digest":"one"}]}"#;
    const TWO: &str = r#"{"schemaVersion":2,"manifests":[{"digest":"one"}, {"digest":"two"}]}"#;
    const BOTH: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"digest":"one"},{"digest":"two"}]}"#;

    fn line(rest: &str) -> String {
        let digest = Digest::of(b"image");
        format!(
            "GET https://r.test/v2/a/b/{}",
            rest.replace("API", &format!("referrers/{digest}"))
                .replace("TAG", &format!("manifests/sha256-{}", digest.hex()))
        )
    }

    /// Body, source and code of `incomplete`, or the code of the error.
    fn list(
        script: Vec<(&str, Outcome)>,
    ) -> Result<(String, Source, Option<&'static str>), &'static str> {
        let mut host = fake(vec![]);
        let head = line("").replace("GET", "HEAD") + &format!("manifests/{}", Digest::of(b"image"));
        let script = script.into_iter().map(|(rest, outcome)| {
            (
                if rest == "HEAD" {
                    head.clone()
                } else {
                    line(rest)
                },
                outcome,
            )
        });
        host.script = RefCell::new(script.collect());
        let result = run(registry(&host, Credentials::Anonymous).referrers(&Digest::of(b"image")));
        assert!(
            host.script.borrow().is_empty(),
            "not asked: {:?}",
            host.script.borrow()
        );
        result
            .map(|found| {
                (
                    String::from_utf8(found.bytes).unwrap(),
                    found.source,
                    found.incomplete.map(|error| error.code()),
                )
            })
            .map_err(|error| error.code())
    }

    fn some(
        bytes: &str,
        source: Source,
    ) -> Result<(String, Source, Option<&'static str>), &'static str> {
        Ok((bytes.into(), source, None))
    }

    #[test]
    fn union() {
        let none = BOTH.replace(r#"{"digest":"one"},{"digest":"two"}"#, "");
        assert_eq!(
            list(vec![("API", ok(ONE)), ("TAG", status(404))]),
            some(ONE, Source::Api)
        );
        assert_eq!(
            list(vec![("API", ok(EMPTY)), ("TAG", ok(TWO))]),
            some(TWO, Source::TagSchema)
        );
        assert_eq!(
            list(vec![
                ("API", ok(&EMPTY.replace("[]", "null"))),
                ("TAG", ok(TWO))
            ]),
            some(TWO, Source::TagSchema)
        );
        assert_eq!(
            list(vec![("API", ok(ONE)), ("TAG", ok(TWO))]),
            some(BOTH, Source::Both)
        );
        assert_eq!(
            list(vec![("API", ok(EMPTY)), ("TAG", status(404))]),
            some(&none, Source::None)
        );
        assert_eq!(
            list(vec![("API", status(404)), ("TAG", status(404))]),
            some(&none, Source::None)
        );
        // Somebody's image under that tag is for the caller to judge, and takes nothing away.
        assert_eq!(
            list(vec![("API", status(404)), ("TAG", ok("<html>"))]),
            some("<html>", Source::TagSchema)
        );
        assert_eq!(
            list(vec![("API", ok(ONE)), ("TAG", ok("<html>"))]).map(|found| found.0),
            Ok(ONE.to_string())
        );
    }

    #[test]
    fn no_api() {
        for code in [400, 404, 405, 406, 501] {
            assert_eq!(
                list(vec![("API", status(code)), ("TAG", ok(ONE))]),
                some(ONE, Source::TagSchema),
                "{code}"
            );
        }
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"manifests":{}}"#,
            r#"{"manifests":[],"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#,
            r#"{"manifests":[],"manifests":[]}"#,
        ] {
            assert_eq!(
                list(vec![("API", ok(body)), ("TAG", ok(ONE))]),
                some(ONE, Source::TagSchema),
                "{body}"
            );
        }
        for code in [401, 403] {
            assert_eq!(
                list(vec![
                    ("API", status(code)),
                    ("HEAD", status(200)),
                    ("TAG", ok(ONE))
                ]),
                some(ONE, Source::TagSchema)
            );
            let expected = if code == 401 {
                "registry.unauthorized"
            } else {
                "registry.refused"
            };
            for head in [401, 403, 404, 500] {
                assert_eq!(
                    list(vec![("API", status(code)), ("HEAD", status(head))]),
                    Err(expected)
                );
            }
        }
    }

    #[test]
    fn could_not_find_out() {
        for (code, expected) in [
            (429, "registry.rate-limited"),
            (500, "host.status"),
            (502, "host.status"),
            (503, "host.status"),
            (504, "host.status"),
            (302, "host.status"),
            (410, "registry.refused"),
        ] {
            assert_eq!(list(vec![("API", status(code))]), Err(expected), "{code}");
            assert_eq!(
                list(vec![("API", ok(EMPTY)), ("TAG", status(code))]),
                Err(expected),
                "{code}"
            );
            assert_eq!(
                list(vec![("API", status(404)), ("TAG", status(code))]),
                Err(expected),
                "{code}"
            );
            assert_eq!(
                list(vec![("API", ok(ONE)), ("TAG", status(code))]),
                Ok((ONE.into(), Source::Api, Some(expected))),
                "{code}"
            );
        }
        assert_eq!(
            list(vec![("API", Err(HostError::Timeout { url: "x".into() }))]),
            Err("host.timeout")
        );
        assert_eq!(
            list(vec![("API", ok(&" ".repeat(limits::MANIFEST + 1)))]),
            Err("host.too-large")
        );
    }

    #[test]
    fn pages() {
        let page = |link: &str, body| answer(200, &[("link", link)], body);
        for link in [
            "</v2/a/b/x?n=2>; rel=\"next\"",
            "<http://R.test:80/v2/a/b/x?n=2>;rel=next",
            "<y>; rel=prev, <../x?n=2>; title=a; rel=\"x next\", <z>; rel=last",
            "<../x?n=2>; rel=NEXT ,<z>",
        ] {
            assert_eq!(
                list(vec![
                    ("API", page(link, ONE)),
                    ("x?n=2", ok(TWO)),
                    ("TAG", status(404))
                ]),
                some(BOTH, Source::Api),
                "{link}"
            );
        }
        for link in [
            "",
            "x",
            "<",
            "<x",
            "<x>",
            "<x>; rel=prev",
            "<x>; next",
            ">;rel=next<",
        ] {
            assert_eq!(
                list(vec![("API", page(link, ONE)), ("TAG", status(404))]),
                some(ONE, Source::Api),
                "{link}"
            );
        }
        let next = "<../x>; rel=next";
        for link in [
            "<https://evil.test/x>; rel=next",
            "<file:///x>; rel=next",
            "<https://u@r.test/>; rel=next",
        ] {
            assert_eq!(
                list(vec![("API", page(link, ONE)), ("TAG", status(404))]),
                Ok((ONE.into(), Source::Api, Some("registry.page")))
            );
            assert_eq!(
                list(vec![("API", page(link, EMPTY)), ("TAG", status(404))]),
                Err("registry.page")
            );
        }
        assert_eq!(
            list(vec![
                ("API", page(next, ONE)),
                ("x", status(503)),
                ("TAG", status(404))
            ]),
            Ok((ONE.into(), Source::Api, Some("host.status")))
        );
        assert_eq!(
            list(vec![
                ("API", page(next, ONE)),
                ("x", status(404)),
                ("TAG", ok(TWO))
            ]),
            Ok((BOTH.into(), Source::Both, Some("registry.page")))
        );
    }

    #[test]
    fn endless_lists_end() {
        let entries = |range: core::ops::Range<usize>| {
            format!(
                "{{\"manifests\":[{}]}}",
                range
                    .map(|i| format!("{{\"digest\":\"{i}\"}}"))
                    .collect::<Vec<_>>()
                    .join(",")
            )
        };
        let counted = |host: &Fake| {
            let found =
                run(registry(host, Credentials::Anonymous).referrers(&Digest::of(b"image")))
                    .unwrap();
            let index =
                crate::encoding::json::parse(&found.bytes, crate::encoding::json::Dialect::Strict)
                    .unwrap();
            (
                index.member("manifests").unwrap().as_array().unwrap().len(),
                found.incomplete.map(|error| error.code()),
                host.asked.borrow().len(),
            )
        };
        let with = |body: String| Fake {
            otherwise: Some(response(
                200,
                &[("link", "</v2/a/b/x>; rel=next")],
                body.as_bytes(),
            )),
            ..fake(vec![])
        };
        assert_eq!(
            counted(&with(entries(0..1))),
            (1, Some("limit.evidence"), limits::REFERRERS_PAGES + 1)
        );
        assert_eq!(
            counted(&with(entries(0..400))),
            (400, Some("limit.evidence"), 4)
        );
        let whole = |body: String| Fake {
            otherwise: Some(response(200, &[], body.as_bytes())),
            ..fake(vec![])
        };
        assert_eq!(counted(&whole(entries(0..1_000))), (1_000, None, 2));
        assert_eq!(
            counted(&whole(entries(0..1_001))),
            (1_000, Some("limit.evidence"), 2)
        );
        assert_eq!(
            counted(&with(format!(
                "{}{}",
                entries(0..1),
                " ".repeat(limits::MANIFEST - 100)
            ))),
            (1, Some("limit.evidence"), 6)
        );
    }
}

proptest! {
    #[test]
    fn never_panics_and_ends(
        challenge in "(Bearer realm=\"https://a\\.test\",(error=insufficient_scope,scope=\"x\")?|Basic)?.{0,20}",
        location in "(https?://|/|<../x>; rel=next)?.{0,12}",
        code in prop_oneof![Just(200u16), Just(307), Just(401), 0u16..1000],
        body in prop_oneof![Just(r#"{"token":"t","manifests":[{}]}"#.to_string()), ".{0,20}"],
    ) {
        let headers = [("www-authenticate", challenge.as_str()), ("location", location.as_str()), ("link", location.as_str())];
        let host = Fake { otherwise: Some(response(code, &headers, body.as_bytes())), ..fake(vec![]) };
        let registry = registry(&host, basic());
        let digest = Digest::of(b"x");
        for code in [run(registry.manifest("1")).err(), run(registry.head("1")).err(), run(registry.blob(&digest, 10)).err(), run(registry.referrers(&digest)).err()].into_iter().flatten() {
            prop_assert!(!code.to_string().contains(char::is_control));
        }
        for request in host.asked.borrow().iter() {
            let known = request.url.starts_with("https://r.test/") || request.url.starts_with("https://a.test/");
            prop_assert!(known || request.headers.iter().all(|(name, _)| name != "authorization"));
        }
    }
}
