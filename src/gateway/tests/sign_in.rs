//! Signing in: clients at this gateway, and this gateway at registries. The token service here checks
//! what it is sent.

use super::*;
use crate::host::Request;
use alloc::boxed::Box;
use alloc::rc::Rc;

/// Planted wherever something is secret: it must come out nowhere.
const CANARY: &str = "c4n4ry-0123456789abcdef0123456789abcdef";
const OTHER_CANARY: &str = "c4n4ry-fedcba9876543210fedcba9876543210";
const REALM: &str = "https://auth.test/token";

fn basic(name: &str, token: &str) -> String {
    format!(
        "Basic {}",
        base64::encode(format!("{name}:{token}").as_bytes())
    )
}

fn hash(token: &str) -> String {
    crate::encoding::hex::encode(&sha256(token.as_bytes()))
}

/// `ci` may read all of the registry, `one` one repository.
fn clients() -> String {
    format!(
        r#"[{{"name": "ci", "sha256": "{}", "repositories": ["{NAME}"]}},
            {{"name": "one", "sha256": "{}", "repositories": ["{NAME}/open", "{NAME}/team/x"]}}]"#,
        hash(CANARY),
        hash(OTHER_CANARY)
    )
}

fn entry(more: &str) -> String {
    format!(r#"[{{"prefix": "", "upstream": "http://up.test", "name": "{NAME}"{more}}}]"#)
}

fn credentials(credential: &str) -> String {
    format!(r#"{{"up.test": {credential}}}"#)
}

fn user() -> String {
    credentials(&format!(
        r#"{{"username": "robot", "password": "{CANARY}"}}"#
    ))
}

/// With `UPSTREAM_CREDENTIALS`, `CLIENTS`, and more members of its one registry.
fn signed_in(credentials: Option<&str>, clients: Option<&str>, more: &str) -> Gateway {
    with(|config| {
        (config.upstream, config.name) = Default::default();
        config.registries = Some(entry(more));
        config.upstream_credentials = credentials.map(Into::into);
        config.clients = clients.map(Into::into);
    })
}

fn with_realm() -> Gateway {
    let more = format!(r#", "realm": "{REALM}""#);
    let gateway = signed_in(Some(&user()), Some(&clients()), &more);
    assert_eq!(gateway.misconfigured(), None);
    gateway
}

fn as_client(name: &str, token: &str, path: &str, time: i64) -> ClientRequest {
    let authorization = basic(name, token);
    request("GET", path, &[("authorization", &authorization)], time)
}

fn ask_as(gateway: &Gateway, world: &World, path: &str) -> Seen {
    ask_at(gateway, world, path, 1_000)
}

fn ask_at(gateway: &Gateway, world: &World, path: &str, time: i64) -> Seen {
    seen(
        world,
        act(gateway, world, &as_client("ci", CANARY, path, time)),
    )
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut headers = request.headers.iter();
    let found = headers.find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// A token service for `robot`, which gives what [`TOKEN`] says, for 300 seconds. It refuses any other
/// question than for pulling one repository.
fn serve_tokens(world: &World) {
    world.private.set(true);
    *world.service.borrow_mut() = Some(Box::new(|request| {
        let query = request.url.strip_prefix(REALM)?;
        let is_asked = query.starts_with("?service=up&scope=repository%3A")
            && query.ends_with("%3Apull")
            && query.matches("scope").count() == 1;
        let is_robot = header(request, "authorization") == Some(&basic("robot", CANARY));
        let status = match (is_asked, is_robot) {
            (true, true) => 200,
            (_, false) => 401,
            (false, _) => 400,
        };
        let token = br#"{"token": "yes", "expires_in": 300}"#;
        Some(response(status, &[], token))
    }));
}

fn paths(digest: &Digest) -> [String; 8] {
    let layer = Digest::of(b"a");
    [
        "/v2/".into(),
        "/v2/app/manifests/1.0".into(),
        format!("/v2/app/manifests/{digest}"),
        format!("/v2/app/blobs/{layer}"),
        "/v2/app/tags/list".into(),
        format!("/v2/app/referrers/{digest}"),
        "/api/evidence/app?ref=1.0".into(),
        format!("/api/verify?image={NAME}/app:1.0"),
    ]
}

/// Nobody is told anything, and nobody asked, before it is known who asks.
#[test]
fn who_is_no_client_gets_nothing() {
    let world = World::default();
    serve_tokens(&world);
    let gateway = with_realm();
    let (digest, _) = world.signed("app", "1.0", "a");
    let short = hash("short");
    let weak = format!(r#"[{{"name": "ci", "sha256": "{short}", "repositories": ["{NAME}"]}}]"#);
    let weak = signed_in(None, Some(&weak), "");
    let wrong = [
        None,
        Some(basic("ci", OTHER_CANARY)),
        Some(basic("one", CANARY)),
        Some(basic("nobody", CANARY)),
        Some(basic("ci", "")),
        Some(basic("", CANARY)),
        Some(basic("ci", &CANARY[1..])),
        Some(format!("Bearer {CANARY}")),
        Some(CANARY.into()),
        Some("Basic ".into()),
        Some("Basic !".into()),
        Some(basic("ci", &"x".repeat(limits::BASIC))),
    ];
    for authorization in &wrong {
        for path in paths(&digest)
            .iter()
            .chain(&["/v2/nowhere/tags/list".into()])
        {
            let headers = authorization
                .as_ref()
                .map(|value| ("authorization", value.as_str()));
            let headers: Vec<_> = headers.into_iter().collect();
            for method in ["GET", "HEAD"] {
                let action = act(&gateway, &world, &request(method, path, &headers, 1_000));
                let seen = seen(&world, action);
                assert_eq!(seen.status, 401, "{path} {authorization:?}");
                assert_eq!(
                    seen.header("www-authenticate"),
                    Some("Basic realm=\"sealgate\"")
                );
            }
        }
    }
    let action = act(&weak, &world, &as_client("ci", "short", "/v2/", 1_000));
    assert_eq!(
        seen(&world, action).status,
        401,
        "a token that somebody thought up"
    );
    assert_eq!((world.asked.borrow().len(), world.loads.get()), (0, 0));
    // Spelt otherwise, it is the same.
    let spelt = basic("ci", CANARY).replace("Basic ", "bAsIc ");
    let action = act(
        &gateway,
        &world,
        &request("GET", "/v2/", &[("authorization", &spelt)], 0),
    );
    assert_eq!(seen(&world, action).status, 200);
    assert_eq!(world.asked.borrow().len(), 0);
}

/// A client has its repositories, whole components, and not a word of any other.
#[test]
fn a_client_has_its_repositories() {
    let world = World::default();
    serve_tokens(&world);
    let gateway = with_realm();
    let (digest, _) = world.signed("app", "1.0", "a");
    for repository in ["open", "open/more", "team/x", "openly", "team"] {
        world.image(repository, "1.0", "a");
    }
    let ask = |path: &str| {
        let action = act(
            &gateway,
            &world,
            &as_client("one", OTHER_CANARY, path, 1_000),
        );
        seen(&world, action)
    };
    for path in &paths(&digest)[1..] {
        let seen = ask(path);
        assert_eq!(seen.status, 403, "{path}");
        assert!(
            seen.message()
                .contains("the client one may not have r.example/app")
        );
    }
    for repository in ["openly", "team", "team/xy"] {
        assert_eq!(
            ask(&format!("/v2/{repository}/tags/list")).status,
            403,
            "{repository}"
        );
    }
    assert_eq!((world.asked.borrow().len(), world.loads.get()), (0, 0));
    assert_eq!(ask("/v2/").status, 200);
    assert_eq!(ask("/v2/open/manifests/1.0").status, 200);
    // The policy has no scope for it: this is decided, and said.
    assert_eq!(ask("/v2/team/x/manifests/1.0").status, 403);
    assert!(!world.asked.borrow().is_empty());
}

/// What a registry gets is the gateway's own: for pulling what was asked for, from services that the
/// operator knows.
#[test]
fn registries_are_asked_with_the_gateways_own() {
    let world = World::default();
    serve_tokens(&world);
    let gateway = with_realm();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    for path in paths(&digest) {
        let seen = ask_as(&gateway, &world, &path);
        let is_list = path.contains("tags") || path.contains("referrers");
        assert!(
            seen.status == 200 || is_list && seen.status == 404,
            "{path}: {}",
            seen.status
        );
    }
    assert_eq!(
        ask_as(&gateway, &world, "/v2/app/manifests/1.0").body,
        bytes
    );
    let allowed = [basic("robot", CANARY), TOKEN.to_string()];
    let borne = world.borne.borrow();
    assert!(!borne.is_empty() && borne.iter().all(|borne| allowed.contains(borne)));
    let asked = world.asked.borrow();
    let tokens = asked.iter().filter(|asked| asked.contains(REALM)).count();
    assert_eq!(tokens, 1, "{asked:?}");
    let blob = Digest::of(b"a");
    let path = format!("/v2/app/blobs/{blob}");
    drop((borne, asked));
    let Action::Stream(stream) = act(&gateway, &world, &as_client("ci", CANARY, &path, 1_000))
    else {
        panic!("a blob streams");
    };
    let borne: Vec<_> = stream
        .headers
        .iter()
        .filter(|(name, _)| name == "authorization")
        .collect();
    assert_eq!(borne, [&("authorization".to_string(), TOKEN.to_string())]);
    assert!(stream.pass.iter().all(|name| name != "www-authenticate"));
}

/// A challenge chooses neither who gets credentials, nor for what.
#[test]
fn a_challenge_chooses_nothing() {
    let world = World::default();
    serve_tokens(&world);
    world.signed("app", "1.0", "a");
    let path = "/v2/app/manifests/1.0";
    // That realm was not written down.
    let gateway = signed_in(Some(&user()), Some(&clients()), "");
    assert_eq!(gateway.misconfigured(), None);
    let seen = ask_as(&gateway, &world, path);
    assert_eq!(seen.status, 503);
    assert!(
        seen.message().contains("[registry.realm]"),
        "{}",
        seen.message()
    );
    assert!(seen.header("www-authenticate").is_none());
    assert_eq!(*world.borne.borrow(), [""; 0]);
    // Another scope, and more of it, is what nobody asked for.
    let gateway = with_realm();
    let challenge = format!(
        "Bearer realm=\"{REALM}\",service=\"up\",scope=\"repository:other:pull,push registry:catalog:*\",\
         error=\"insufficient_scope\""
    );
    let answer = response(401, &[("www-authenticate", &challenge)], b"");
    world.fail("up.test", 1, Ok(answer.clone()));
    assert_eq!(ask_as(&gateway, &world, path).status, 200);
    let scope = "?service=up&scope=repository%3Aapp%3Apull";
    let asked = |world: &World| {
        let asked = world.asked.borrow();
        let tokens = asked.iter().filter(|asked| asked.contains("auth.test"));
        tokens.cloned().collect::<Vec<_>>()
    };
    assert_eq!(asked(&world), [format!("GET {REALM}{scope}")]);
    // A token that does not suffice is one refusal, in our words, and asks nobody to sign in elsewhere.
    world.fail("up.test", 9, Ok(answer));
    let seen = ask_as(&gateway, &world, path);
    assert_eq!(seen.status, 403);
    assert!(seen.message().contains("the credentials of this gateway"));
    assert!(seen.header("www-authenticate").is_none());
    assert_eq!(asked(&world).len(), 2);
}

/// docs/registries.md "Requests".
#[test]
fn what_a_pull_asks_the_registry() {
    let world = World::default();
    serve_tokens(&world);
    let gateway = with_realm();
    let (digest, _) = world.signed("app", "1.0", "a");
    let pull = |time: i64| {
        world.asked.borrow_mut().clear();
        let layer = Digest::of(b"a");
        for path in [
            "/v2/".to_string(),
            "/v2/app/manifests/1.0".into(),
            format!("/v2/app/manifests/{digest}"),
            format!("/v2/app/blobs/{layer}"),
        ] {
            assert_eq!(ask_at(&gateway, &world, &path, time).status, 200, "{path}");
        }
        let asked = world.asked.borrow();
        let count = |part: &str| asked.iter().filter(|asked| asked.contains(part)).count();
        assert_eq!(
            count("auth.test") + count("HEAD ") + count("GET http://up"),
            asked.len()
        );
        (count("auth.test"), count("HEAD "), count("GET http://up"))
    };
    let cold = pull(1_000);
    assert_eq!(cold.0, 1);
    // Three of HEAD: the tag, the digest, the layer; the layer itself.
    assert_eq!(pull(1_001), (0, 3, 1));
    assert_eq!(pull(1_200), (0, 3, 1));
    // The token ends before its 300 seconds are over; of what it is asked for first, the registry
    // says that there is none.
    assert_eq!(pull(1_290), (1, 4, 1));
    assert_eq!(pull(1_291), (0, 3, 1));
    // Another repository has a token of its own.
    world.image("open", "1.0", "b");
    world.asked.borrow_mut().clear();
    assert_eq!(
        ask_at(&gateway, &world, "/v2/open/manifests/1.0", 1_291).status,
        200
    );
    let asked = world.asked.borrow();
    assert!(
        asked
            .iter()
            .any(|asked| asked.contains("repository%3Aopen%3Apull")),
        "{asked:?}"
    );
}

/// Registries that want Basic authentication get it at once from the second request on.
#[test]
fn basic_authentication_is_learnt() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let wanted = basic("robot", CANARY);
    *world.service.borrow_mut() = Some(Box::new(move |request| {
        let is_in = header(request, "authorization") == Some(&wanted);
        let challenge = [("www-authenticate", "Basic realm=\"x\"")];
        (!is_in).then(|| response(401, &challenge, b""))
    }));
    let gateway = signed_in(Some(&user()), Some(&clients()), "");
    let path = "/v2/app/manifests/1.0";
    assert_eq!(ask_as(&gateway, &world, path).status, 200);
    world.asked.borrow_mut().clear();
    assert_eq!(ask_as(&gateway, &world, path).status, 200);
    assert_eq!(world.asked.borrow().len(), 1);
    // Another password is none: that is for the operator to know, and for no client.
    let wrong = credentials(&format!(
        r#"{{"username": "robot", "password": "{OTHER_CANARY}"}}"#
    ));
    let gateway = signed_in(Some(&wrong), Some(&clients()), "");
    let action = act(&gateway, &world, &as_client("ci", CANARY, path, 1_000));
    let Action::Respond(respond) = &action else {
        panic!("nothing streams");
    };
    let line = respond.log.as_ref().unwrap().line();
    assert!(line.contains("registry.credentials") && line.contains("UPSTREAM_CREDENTIALS"));
    assert!(!line.contains("c4n4ry"));
    let seen = seen(&world, action);
    assert_eq!(seen.status, 503);
    assert!(seen.message().contains("[registry.credentials]"));
    assert!(seen.header("www-authenticate").is_none());
}

/// RFC 6749 section 6, as docker's `identitytoken` is used.
#[test]
fn an_identity_token_is_exchanged() {
    let world = World::default();
    world.private.set(true);
    world.signed("app", "1.0", "a");
    let forms = Rc::new(RefCell::new(Vec::new()));
    let seen_forms = forms.clone();
    *world.service.borrow_mut() = Some(Box::new(move |request| {
        request.url.strip_prefix(REALM)?;
        assert_eq!(
            (request.method, header(request, "authorization")),
            ("POST", None)
        );
        let body = request.body.clone().unwrap();
        let is_known = body.contains(&format!("refresh_token={CANARY}"));
        seen_forms.borrow_mut().push(body);
        let token = br#"{"access_token": "yes", "expires_in": 300}"#;
        Some(response(if is_known { 200 } else { 400 }, &[], token))
    }));
    let more = format!(r#", "realm": "{REALM}""#);
    let path = "/v2/app/manifests/1.0";
    let token = credentials(&format!(r#"{{"identityToken": "{CANARY}"}}"#));
    let gateway = signed_in(Some(&token), Some(&clients()), &more);
    assert_eq!(ask_as(&gateway, &world, path).status, 200);
    assert_eq!(
        *forms.borrow(),
        [format!(
            "grant_type=refresh_token&client_id=sealgate&refresh_token={CANARY}\
             &scope=repository%3Aapp%3Apull&service=up"
        )]
    );
    let token = credentials(r#"{"identityToken": "another"}"#);
    let gateway = signed_in(Some(&token), Some(&clients()), &more);
    let seen = ask_as(&gateway, &world, path);
    assert_eq!(seen.status, 503);
    assert!(seen.message().contains("[registry.credentials]"));
}

/// What is public is everybody's, by the gateway's own credentials; whoever signs in elsewhere is not
/// looked at.
#[test]
fn what_is_public_is_everybodys() {
    let world = World::default();
    serve_tokens(&world);
    let (digest, _) = world.signed("app", "1.0", "a");
    let more = format!(r#", "realm": "{REALM}", "public": true"#);
    for clients in [None, Some(clients())] {
        let gateway = signed_in(Some(&user()), clients.as_deref(), &more);
        assert_eq!(gateway.misconfigured(), None);
        for path in &paths(&digest)[1..] {
            let headers = [("authorization", "Basic Og==")];
            for headers in [&headers[..0], &headers] {
                world.borne.borrow_mut().clear();
                let seen = seen(
                    &world,
                    act(&gateway, &world, &request("GET", path, headers, 1_000)),
                );
                assert!([200, 404].contains(&seen.status), "{path}: {}", seen.status);
                assert!(
                    world
                        .borne
                        .borrow()
                        .iter()
                        .all(|borne| borne != "Basic Og==")
                );
            }
        }
        // Clients sign in where there are some.
        let ping = get(&gateway, &world, "/v2/").status;
        assert_eq!(ping, if clients.is_some() { 401 } else { 200 });
    }
    // Without credentials, it is what the registry gives to everybody.
    *world.service.borrow_mut() = None;
    world.fail("auth.test", 9, Ok(response(401, &[], b"")));
    let gateway = signed_in(None, None, r#", "public": true"#);
    let seen = get(&gateway, &world, "/v2/app/manifests/1.0");
    assert_eq!(seen.status, 403);
    assert!(
        seen.message().contains("this gateway has none for it"),
        "{}",
        seen.message()
    );
}

/// With clients of its own, the gateway has the one login: a registry without credentials is asked as
/// anybody, and theirs go nowhere.
#[test]
fn clients_sign_in_at_the_gateway_alone() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let gateway = signed_in(None, Some(&clients()), "");
    assert_eq!(gateway.misconfigured(), None);
    for path in paths(&digest) {
        assert!(
            [200, 404].contains(&ask_as(&gateway, &world, &path).status),
            "{path}"
        );
    }
    assert_eq!(*world.borne.borrow(), [""; 0]);
    // The administrator is no client.
    let gateway = with(|config| {
        config.clients = Some(clients());
        config.admin_secret = b"0123456789abcdef".to_vec();
    });
    let headers = [("authorization", "Bearer 0123456789abcdef")];
    let asked = request("GET", "/v2/app/manifests/1.0", &headers, 1_000);
    assert_eq!(seen(&world, act(&gateway, &world, &asked)).status, 401);
}

/// What is remembered takes two steps for clients of the gateway's, too: each is asked who it is, at each
/// step, however often others were answered, and the registry is asked with the gateway's own word.
#[test]
fn two_steps_know_each_client() {
    let world = World::default();
    serve_tokens(&world);
    let gateway = with_realm();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    assert_eq!(
        ask_as(&gateway, &world, "/v2/app/manifests/1.0").status,
        200
    );
    let lines = |authorization: &str| {
        let path = "http://gate.test/v2/app/manifests/1.0";
        format!("1000\nGET\n{path}\nauthorization\n{authorization}")
    };
    let url = "http://up.test/v2/app/manifests/1.0";
    let (asked, loads) = (world.asked.borrow().len(), world.loads.get());
    let answer = |who: &str| {
        let digest = Some(digest.to_string());
        gateway.answer_in_lines(&lines(who), url.into(), digest)
    };
    let strangers = [
        basic("ci", OTHER_CANARY),
        basic("one", OTHER_CANARY),
        basic("nobody", CANARY),
        format!("Bearer {CANARY}"),
        String::new(),
    ];
    let ci = basic("ci", CANARY);
    for _ in 0..2 {
        let head = gateway.look_in_lines(&lines(&ci)).unwrap();
        let (address, sent) = head.split_once('\n').unwrap();
        assert_eq!(address, url);
        assert!(sent.contains("authorization\nBearer ") && !sent.contains(&ci));
        assert!(answer(&ci).unwrap().ends_with(&bytes));
        for who in &strangers {
            assert_eq!(gateway.look_in_lines(&lines(who)), None, "{who}");
            assert_eq!(answer(who), None, "{who}");
        }
    }
    assert_eq!(
        (world.asked.borrow().len(), world.loads.get()),
        (asked, loads)
    );
    // What everybody may have is asked for by the gateway's own word, whoever asks, and by no other.
    let public = signed_in(
        Some(&user()),
        None,
        &format!(r#", "realm": "{REALM}", "public": true"#),
    );
    assert_eq!(public.misconfigured(), None);
    assert_eq!(get(&public, &world, "/v2/app/manifests/1.0").status, 200);
    let without = "1000\nGET\nhttp://gate.test/v2/app/manifests/1.0".to_string();
    for text in [&without, &lines(&ci), &without] {
        let head = public.look_in_lines(text).unwrap();
        assert_eq!(head.matches("authorization").count(), 1, "{head}");
        assert!(!head.contains(&ci), "{head}");
    }
    // Where the gateway has no token at hand, the registry says so, on the general way.
    let later = lines(&ci).replacen("1000", "1400", 1);
    let head = gateway.look_in_lines(&later).unwrap();
    assert!(!head.contains("authorization"), "{head}");
}

/// Who brought credentials and was not let in is counted, by whom; who asks how to sign in is not.
#[test]
fn refused_sign_ins_are_counted() {
    let counts = |gateway: &Gateway| {
        let metrics = get(gateway, &World::default(), "/metrics").text();
        ["client", "repository", "registry", "own"].map(|reason| {
            let start = format!("sealgate_sign_in_refusals_total{{reason=\"{reason}\"}} ");
            let mut lines = metrics.lines().filter_map(|line| line.strip_prefix(&start));
            lines.next().unwrap().parse::<u64>().unwrap()
        })
    };
    let world = World::default();
    serve_tokens(&world);
    world.signed("app", "1.0", "a");
    let gateway = with_realm();
    let path = "/v2/app/manifests/1.0";
    let ask = |gateway: &Gateway, name: &str, token: &str| {
        let asked = as_client(name, token, path, 1_000);
        seen(&world, act(gateway, &world, &asked)).status
    };
    assert_eq!(get(&gateway, &world, path).status, 401);
    assert_eq!(get(&gateway, &world, "/v2/").status, 401);
    assert_eq!(ask(&gateway, "ci", CANARY), 200);
    assert_eq!(counts(&gateway), [0; 4]);
    assert_eq!(ask(&gateway, "ci", OTHER_CANARY), 401);
    assert_eq!(ask(&gateway, "nobody", CANARY), 401);
    assert_eq!(ask(&gateway, "one", OTHER_CANARY), 403);
    assert_eq!(counts(&gateway), [2, 1, 0, 0]);
    // What the token service does not accept, and what the registry does not let these read.
    let refuse = |part: &str, status: u16| {
        *world.service.borrow_mut() = None;
        serve_tokens(&world);
        let before = world.service.take().unwrap();
        let part = part.to_string();
        *world.service.borrow_mut() = Some(Box::new(move |request: &Request| {
            match request.url.contains(&part) {
                true => Some(response(status, &[], b"")),
                false => before(request),
            }
        }));
    };
    let fresh = with_realm();
    refuse("auth.test", 401);
    assert_eq!(ask(&fresh, "ci", CANARY), 503);
    refuse("up.test", 403);
    assert_eq!(ask(&fresh, "ci", CANARY), 403);
    assert_eq!(counts(&fresh), [0, 0, 0, 2]);
    // Clients who sign in at the registry.
    *world.service.borrow_mut() = None;
    world.private.set(true);
    let open = super::gateway();
    assert_eq!(get(&open, &world, path).status, 401);
    assert_eq!(counts(&open), [0; 4]);
    let wrong = [("authorization", "Bearer no")];
    let asked = request("GET", path, &wrong, 1_000);
    assert_eq!(seen(&world, act(&open, &world, &asked)).status, 401);
    assert_eq!(counts(&open), [0, 0, 1, 0]);
}

/// Docker Hub's official images have a short name, which is the same here as everywhere.
#[test]
fn an_official_image_has_a_short_name_for_clients_too() {
    let hub = |repositories: &str| {
        let hash = hash(CANARY);
        with(|config| {
            config.name = "docker.io".into();
            config.clients = Some(format!(
                r#"[{{"name": "ci", "sha256": "{hash}", "repositories": [{repositories}]}}]"#
            ));
        })
    };
    let world = World::default();
    let may = |gateway: &Gateway, repository: &str| {
        let path = format!("/v2/{repository}/tags/list");
        let asked = as_client("ci", CANARY, &path, 1_000);
        seen(&world, act(gateway, &world, &asked)).status != 403
    };
    let nginx = hub(r#""docker.io/nginx""#);
    assert_eq!(nginx.misconfigured(), None);
    assert!(may(&nginx, "nginx") && may(&nginx, "library/nginx"));
    // It may be an organisation's name as well.
    assert!(may(&nginx, "nginx/unit"));
    assert!(!may(&nginx, "library/redis") && !may(&nginx, "team/nginx"));
    let all = hub(r#""docker.io/library""#);
    assert!(may(&all, "nginx") && may(&all, "library/redis") && !may(&all, "team/nginx"));
    assert!(!may(&hub(r#""docker.io/team/nginx""#), "nginx"));
}

/// Whoever may look at a picture is nobody: what the gateway may read is not in it.
#[test]
fn a_badge_is_made_without_credentials() {
    let world = World::default();
    serve_tokens(&world);
    world.signed("app", "1.0", "a");
    let path = "/badge/app:1.0.svg";
    let unknown = "image: unknown by policy";
    let gateway = with_realm();
    assert!(ask_as(&gateway, &world, path).text().contains(unknown));
    assert_eq!(world.asked.borrow().len(), 0, "for clients alone");
    let more = format!(r#", "realm": "{REALM}", "public": true"#);
    let gateway = signed_in(Some(&user()), None, &more);
    assert_eq!(
        ask_as(&gateway, &world, "/v2/app/manifests/1.0").status,
        200
    );
    world.borne.borrow_mut().clear();
    assert!(ask_as(&gateway, &world, path).text().contains(unknown));
    assert_eq!(*world.borne.borrow(), [""; 0]);
    world.private.set(false);
    *world.service.borrow_mut() = None;
    assert!(
        ask_as(&gateway, &world, path)
            .text()
            .contains("image: verified")
    );
}

#[test]
fn what_would_publish_a_private_registry_refuses_everything() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let (user, clients) = (user(), clients());
    let list = |client: &str| format!("[{client}]");
    let good = format!(
        r#"{{"name": "a", "sha256": "{}", "repositories": ["{NAME}"]}}"#,
        hash("a")
    );
    let twice = format!("[{good},{good}]");
    let changed = |from: &str, to: &str| list(&good.replace(from, to));
    let cases = [
        // Credentials, clients, more of the entry; the code and words.
        (
            Some(user.as_str()),
            None,
            "",
            "config.upstream-credentials",
            "to come with CLIENTS",
        ),
        (
            Some(user.as_str()),
            None,
            r#", "public": false"#,
            "config.upstream-credentials",
            "CLIENTS",
        ),
        (
            Some(""),
            Some(&*clients),
            "",
            "config.upstream-credentials",
            "a JSON object",
        ),
        (
            Some(r#"{"other.test": {"identityToken": "x"}}"#),
            Some(&*clients),
            "",
            "config.upstream-credentials",
            "\"other.test\" to be the registry of one that stands here: up.test",
        ),
        (
            Some(&user),
            Some(&*clients),
            r#", "credentials": "robots""#,
            "config.upstream-credentials",
            "\"robots\" to be there",
        ),
        (None, Some(""), "", "config.clients", "a JSON list"),
        (None, Some("[]"), "", "config.clients", "found 0"),
        (None, Some("{}"), "", "config.clients", "found 0"),
        (None, Some("[1]"), "", "config.clients", "each client to be"),
        (None, Some(&twice), "", "config.clients", "\"a\" twice"),
        (
            None,
            Some(&changed("\"a\"", "\"a:b\"")),
            "",
            "config.clients",
            "each client to be",
        ),
        (
            None,
            Some(&changed("\"a\"", "\"\"")),
            "",
            "config.clients",
            "each client to be",
        ),
        (
            None,
            Some(&changed("sha256", "sha1")),
            "",
            "config.clients",
            "each client to be",
        ),
        (
            None,
            Some(&changed(&hash("a"), "00")),
            "",
            "config.clients",
            "the SHA-256 of its token",
        ),
        (
            None,
            Some(&changed("[\"r.example\"]", "[]")),
            "",
            "config.clients",
            "found 0",
        ),
        (
            None,
            Some(&changed("[\"r.example\"]", "\"r.example\"")),
            "",
            "config.clients",
            "found 0",
        ),
        (
            None,
            Some(&changed("[\"r.example\"]", "[1]")),
            "",
            "config.clients",
            "names as policies",
        ),
        (
            None,
            Some(&changed("r.example", "r.exampl")),
            "",
            "config.clients",
            "r.exampl\"",
        ),
        (
            None,
            Some(&changed("r.example", "r.example/")),
            "",
            "config.clients",
            "r.example/\"",
        ),
        (
            None,
            Some(&changed("r.example", "r.example/a:1")),
            "",
            "config.clients",
            "a:1\"",
        ),
        (
            None,
            Some(&changed("r.example", "")),
            "",
            "config.clients",
            "found \"\"",
        ),
    ];
    for (credentials, clients, more, code, words) in cases {
        for mode in [Mode::Enforce, Mode::Audit] {
            let gateway = with(|config| {
                (config.upstream, config.name) = Default::default();
                config.registries = Some(entry(more));
                config.upstream_credentials = credentials.map(Into::into);
                config.clients = clients.map(Into::into);
                config.mode = mode;
            });
            let failure = gateway
                .misconfigured()
                .unwrap_or_else(|| panic!("{clients:?} {words}"));
            assert_eq!(failure.code, code, "{}", failure.message);
            assert!(failure.message.contains(words), "{}", failure.message);
            for path in ["/v2/", "/v2/app/manifests/1.0", "/v2/app/tags/list"] {
                assert_eq!(ask_as(&gateway, &world, path).status, 403, "{path} {words}");
            }
        }
    }
    assert_eq!(world.asked.borrow().len(), 0);
    // The short form can have clients, and no "public".
    let short = with(|config| config.upstream_credentials = Some(user.clone()));
    assert_eq!(
        short.misconfigured().unwrap().code,
        "config.upstream-credentials"
    );
    let short = with(|config| {
        config.upstream_credentials = Some(user.clone());
        config.clients = Some(clients.clone());
    });
    assert_eq!(short.misconfigured(), None);
}

/// Credentials have a name, and belong to one registry.
#[test]
fn credentials_belong_to_one_registry() {
    let two = |one: &str, other: &str, credentials: &str| {
        with(|config| {
            (config.upstream, config.name) = Default::default();
            config.registries = Some(format!(
                r#"[{{"prefix": "a", "upstream": "http://up.test", "name": "{NAME}"{one}}},
                    {{"prefix": "b", "upstream": "http://b.test"{other}}}]"#
            ));
            config.upstream_credentials = Some(credentials.into());
            config.clients = Some(clients());
        })
    };
    let named = r#", "credentials": "shared""#;
    let shared = r#"{"shared": {"identityToken": "x"}}"#;
    let gateway = two(named, named, shared);
    let failure = gateway.misconfigured().unwrap();
    assert!(
        failure.message.contains("found it named for two"),
        "{}",
        failure.message
    );
    assert_eq!(two(named, "", shared).misconfigured(), None);
    let gateway = two(named, "", shared);
    let own: Vec<bool> = gateway
        .settings
        .entries
        .iter()
        .map(|entry| entry.own.is_some())
        .collect();
    assert_eq!(own, [true, false]);
    // Docker Hub has many names, and one spelling here.
    for key in [
        "docker.io",
        "index.docker.io",
        "https://index.docker.io/v1/",
    ] {
        let gateway = with(|config| {
            config.upstream = "https://registry-1.docker.io".into();
            config.name = String::new();
            config.upstream_credentials = Some(format!(
                r#"{{"{key}": {{"username": "u", "password": "p"}}}}"#
            ));
            config.clients = Some(clients().replace(NAME, "docker.io"));
        });
        assert_eq!(gateway.misconfigured(), None, "{key}");
        assert!(only(&gateway).own.is_some());
    }
}

/// A stand-in for Amazon: each call gives the next password, for 12 hours. A registry that takes the
/// last one.
fn serve_ecr(world: &World) -> Rc<Cell<u32>> {
    let given = Rc::new(Cell::new(0));
    let count = given.clone();
    *world.service.borrow_mut() = Some(Box::new(move |request| {
        if request.url == "https://api.ecr.eu-central-1.amazonaws.com/" {
            let keys = request.sign.as_ref().unwrap();
            assert_eq!(
                (keys.service.as_str(), keys.region.as_str()),
                ("ecr", "eu-central-1")
            );
            assert_eq!(keys.secret_access_key, CANARY);
            assert!(header(request, "authorization").is_none());
            let target = header(request, "x-amz-target").unwrap();
            assert!(target.ends_with(".GetAuthorizationToken"));
            count.set(count.get() + 1);
            let token = base64::encode(format!("AWS:{OTHER_CANARY}{}", count.get()).as_bytes());
            let end = 1_000 + 43_200 * i64::from(count.get());
            let body = format!(
                r#"{{"authorizationData":[{{"authorizationToken":"{token}","expiresAt":{end}.5}}]}}"#
            );
            return Some(response(200, &[], body.as_bytes()));
        }
        assert!(request.sign.is_none());
        let wanted = basic("AWS", &format!("{OTHER_CANARY}{}", count.get()));
        let challenge = [("www-authenticate", "Basic realm=\"x\"")];
        (header(request, "authorization") != Some(&wanted)).then(|| response(401, &challenge, b""))
    }));
    given
}

fn ecr() -> Gateway {
    let keys = format!(
        r#"{{"ecr": {{"region": "eu-central-1", "accessKeyId": "AKID", "secretAccessKey": "{CANARY}"}}}}"#
    );
    let gateway = signed_in(Some(&credentials(&keys)), Some(&clients()), "");
    assert_eq!(gateway.misconfigured(), None);
    gateway
}

#[test]
fn amazon_gives_out_passwords_that_are_renewed_in_time() {
    let world = World::default();
    let given = serve_ecr(&world);
    world.signed("app", "1.0", "a");
    let gateway = ecr();
    let path = "/v2/app/manifests/1.0";
    for (time, count) in [
        (1_000, 1),
        (1_001, 1),
        (1_000 + 43_200 - 1_801, 1),
        (1_000 + 43_200 - 1_800, 2),
        (1_000 + 43_200, 2),
    ] {
        assert_eq!(ask_at(&gateway, &world, path, time).status, 200, "{time}");
        assert_eq!(given.get(), count, "{time}");
    }
}

/// While the old one holds, it is used; where there is none, that is told, and not asked for again at
/// each request.
#[test]
fn when_amazon_gives_none() {
    let world = World::default();
    let given = serve_ecr(&world);
    let (digest, _) = world.signed("app", "1.0", "a");
    let gateway = ecr();
    let path = "/v2/app/manifests/1.0";
    assert_eq!(ask_at(&gateway, &world, path, 1_000).status, 200);
    let inner = world.service.take().unwrap();
    *world.service.borrow_mut() = Some(Box::new(move |request| {
        if request.sign.is_none() {
            return inner(request);
        }
        let body = format!(r#"{{"__type": "ExpiredTokenException", "message": "{CANARY}"}}"#);
        Some(response(400, &[], body.as_bytes()))
    }));
    let asked = |world: &World| {
        let asked = world.asked.borrow();
        asked
            .iter()
            .filter(|asked| asked.contains("amazonaws"))
            .count()
    };
    let late = 1_000 + 43_200 - 1_000;
    for (time, count) in [(late, 2), (late + 1, 2), (late + 59, 2), (late + 80, 3)] {
        assert_eq!(ask_at(&gateway, &world, path, time).status, 200, "{time}");
        assert_eq!((asked(&world), given.get()), (count, 1), "{time}");
    }
    let gone = 1_000 + 43_200;
    let before = asked(&world);
    // Nothing is asked of the store or the registry, although an answer stands there.
    world.loads.set(0);
    forget_all(&gateway);
    for path in [path.to_string(), format!("/v2/app/manifests/{digest}")] {
        let action = act(&gateway, &world, &as_client("ci", CANARY, &path, gone));
        let Action::Respond(respond) = &action else {
            panic!("nothing streams");
        };
        let line = respond.log.as_ref().unwrap().line();
        assert!(line.contains("found 400 (ExpiredTokenException)"), "{line}");
        assert!(!line.contains("c4n4ry") && !line.contains("AKID"), "{line}");
        let seen = seen(&world, action);
        assert_eq!(seen.status, 503);
        assert!(
            seen.message().contains("[gateway.credentials]"),
            "{}",
            seen.message()
        );
        assert!(!seen.message().contains("amazonaws"));
    }
    assert_eq!((asked(&world), world.loads.get()), (before + 1, 0));
}

/// Amazon says when a password ends: one that ends soon, or has ended, is no reason to ask at each
/// request.
#[test]
fn a_password_that_ends_soon_is_asked_for_once_a_minute() {
    for (end, status, after) in [
        (1_000 + 1_200, 200, 60),
        (1_000 + 30, 503, 10),
        (0, 503, 10),
    ] {
        let world = World::default();
        let inner = (serve_ecr(&world), world.service.take().unwrap()).1;
        *world.service.borrow_mut() = Some(Box::new(move |request| {
            let mut answer = inner(request)?;
            if request.sign.is_some() {
                let text = String::from_utf8(answer.body).unwrap();
                let (before, _) = text.split_once("\"expiresAt\":").unwrap();
                answer.body = format!("{before}\"expiresAt\":{end}}}]}}").into_bytes();
            }
            Some(answer)
        }));
        world.signed("app", "1.0", "a");
        let gateway = ecr();
        let asked = || {
            let asked = world.asked.borrow();
            let asked = asked.iter().filter(|asked| asked.contains("amazonaws"));
            asked.count()
        };
        for (time, count) in [(1_000, 1), (1_001, 1), (1_009, 1), (1_000 + after + 10, 2)] {
            let seen = ask_at(&gateway, &world, "/v2/app/manifests/1.0", time);
            assert_eq!((seen.status, asked()), (status, count), "{end} {time}");
        }
    }
}

/// That Amazon gave out a password says nothing of what this request may read.
#[test]
fn a_password_lets_nobody_into_the_store() {
    let world = World::default();
    serve_ecr(&world);
    let (digest, _) = world.signed("app", "1.0", "a");
    let gateway = ecr();
    let path = format!("/v2/app/manifests/{digest}");
    assert_eq!(
        ask_as(&gateway, &world, "/v2/app/manifests/1.0").status,
        200
    );
    let gateway = ecr();
    world.loads.set(0);
    world.fail("up.test", 9, Ok(response(403, &[], b"")));
    let seen = ask_as(&gateway, &world, &path);
    assert_eq!((seen.status, world.loads.get()), (403, 0));
    assert!(seen.message().contains("the credentials of this gateway"));
}

/// The next policy judges what a client asked for, by the same credentials.
#[test]
fn the_next_policy_asks_with_the_gateways_own() {
    let world = World::default();
    serve_tokens(&world);
    world.signed("app", "1.0", "a");
    let gateway = with(|config| {
        (config.upstream, config.name) = Default::default();
        config.registries = Some(entry(&format!(r#", "realm": "{REALM}""#)));
        config.upstream_credentials = Some(user());
        config.clients = Some(clients());
        config.policy_next = Some(br#"{"default": [{"type": "reject"}]}"#.to_vec());
    });
    let asked = as_client("ci", CANARY, "/v2/app/manifests/1.0", 1_000);
    assert_eq!(seen(&world, act(&gateway, &world, &asked)).status, 200);
    let tokens = |world: &World| {
        let asked = world.asked.borrow();
        asked.iter().filter(|asked| asked.contains(REALM)).count()
    };
    let line = run(gateway.judge_next(&asked, &world)).unwrap();
    assert!(line.contains("policy.reject"), "{line}");
    assert_eq!(tokens(&world), 1);
}

/// Docker Hub says how many pulls there may be: its words reach whoever pulls, with what to do.
#[test]
fn docker_hubs_limit_is_told() {
    let said = "You have reached your unauthenticated pull rate limit. https://www.docker.com/x";
    let body = format!(r#"{{"errors": [{{"code": "TOOMANYREQUESTS", "message": "{said}"}}]}}"#);
    let ask = |name: &str, more: &str| {
        let world = World::default();
        let answer = response(429, &[("retry-after", "17")], body.as_bytes());
        world.fail("", 9, Ok(answer));
        let gateway = with(|config| {
            config.registries = Some(format!(
                r#"[{{"prefix": "", "upstream": "{}", "name": "{name}"{more}}}]"#,
                if name == "docker.io" {
                    "https://registry-1.docker.io"
                } else {
                    "http://up.test"
                }
            ));
            (config.upstream, config.name) = Default::default();
            if more.contains("credentials") {
                config.upstream_credentials =
                    Some(r#"{"hub": {"username": "u", "password": "p"}}"#.into());
            }
        });
        assert_eq!(gateway.misconfigured(), None);
        let seen = get(&gateway, &world, "/v2/library/x/manifests/1.0");
        assert_eq!((seen.status, seen.header("retry-after")), (429, Some("17")));
        assert!(seen.text().contains("TOOMANYREQUESTS"));
        seen.message()
    };
    for (more, words) in [
        ("", "your account, or of this gateway's address"),
        (
            r#", "public": true"#,
            "an account may have more (UPSTREAM_CREDENTIALS)",
        ),
        (
            r#", "public": true, "credentials": "hub""#,
            "this gateway's account",
        ),
    ] {
        let message = ask("docker.io", more);
        assert!(
            message.contains(said) && message.contains(words),
            "{message}"
        );
    }
    // What any other registry says could name what is nobody's business.
    let message = ask(NAME, "");
    assert_eq!(
        message,
        "the registry r.example says that there were too many requests"
    );
}

/// Whatever goes wrong, no secret goes out: not to clients, nor to the operator's log, nor to whoever
/// prints a value while looking for an error.
#[test]
fn no_secret_goes_out() {
    let world = World::default();
    serve_tokens(&world);
    let (digest, _) = world.signed("app", "1.0", "a");
    let build = || Config {
        registries: Some(entry(&format!(r#", "realm": "{REALM}""#))),
        upstream: String::new(),
        name: String::new(),
        upstream_credentials: Some(user()),
        clients: Some(clients()),
        admin_secret: OTHER_CANARY.into(),
        secret: CANARY.into(),
        ..config(&policy("index"))
    };
    let secrets = [
        CANARY.to_string(),
        OTHER_CANARY.to_string(),
        basic("robot", CANARY)[6..].to_string(),
        basic("ci", CANARY)[6..].to_string(),
        hash(CANARY),
    ];
    let check = |what: &str, text: &str| {
        for secret in &secrets {
            assert!(!text.contains(secret), "{what}: {text}");
        }
    };
    check("Config", &format!("{:?}", build()));
    let gateway = Gateway::new(build());
    let answer = |path: &str, bearer: bool| {
        let authorization = match bearer {
            true => format!("Bearer {OTHER_CANARY}"),
            false => basic("ci", CANARY),
        };
        let headers = [("authorization", authorization.as_str())];
        let action = act(&gateway, &world, &request("GET", path, &headers, 1_000));
        if let Some(log) = action.log() {
            check(path, &log.line());
        }
        // A stream goes to the registry, with its token.
        if let Action::Respond(respond) = &action {
            check(path, &format!("{:?}", respond.headers));
            check(
                path,
                &String::from_utf8_lossy(respond.body.as_deref().unwrap_or_default()),
            );
        }
    };
    let all = || {
        for path in paths(&digest) {
            answer(&path, false);
        }
        for path in [
            "/healthz",
            "/metrics",
            "/setup",
            "/setup?for=podman",
            "/setup?for=docker",
            "/setup?for=hosts",
            "/setup?for=policy",
            "/admin/decisions",
            "/admin/refusals?since=0",
            "/badge/app:1.0.svg",
        ] {
            answer(path, false);
            answer(path, true);
        }
    };
    all();
    // A service that says what it was sent, and registries that do.
    let echo = format!(r#"{{"errors": [{{"code": "{CANARY}", "message": "{CANARY}"}}]}}"#);
    *world.service.borrow_mut() = None;
    for status in [400, 401, 403, 429, 500] {
        forget_all(&gateway);
        gateway.caches.forget(UnixTime(1_000));
        world.mend();
        world.fail("auth.test", 99, Ok(response(status, &[], echo.as_bytes())));
        all();
        world.fail("up.test", 99, Ok(response(status, &[], echo.as_bytes())));
        all();
    }
    // And in headers, by all that comes out of them.
    let sent = format!("Bearer {CANARY} {}", basic("robot", CANARY));
    for (status, name, text) in [
        (
            401,
            "www-authenticate",
            format!("Negotiate said=\"{sent}\""),
        ),
        (401, "www-authenticate", format!("Bearer realm=\"{sent}\"")),
        (401, "www-authenticate", sent.clone()),
        (429, "retry-after", CANARY.into()),
        (307, "location", format!("ftp://{CANARY}/")),
        (307, "location", format!("http://10.0.0.1/{CANARY}")),
        (307, "location", format!("/{CANARY}")),
    ] {
        for host in ["auth.test", "up.test"] {
            forget_all(&gateway);
            gateway.caches.forget(UnixTime(1_000));
            world.mend();
            world.fail(host, 99, Ok(response(status, &[(name, &text)], b"")));
            all();
        }
    }
    check("Gateway", &format!("{gateway:?}"));
    for (_, borne) in world.store.borrow().iter() {
        check("store", borne);
    }
}
