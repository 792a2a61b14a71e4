//! A request whose answer is remembered takes two steps, and says what the general way says.

use super::*;

/// The answer of the two steps, if they come to one.
fn glanced(gateway: &Gateway, world: &World, request: &ClientRequest) -> Option<Respond> {
    let head = gateway.look(request)?;
    let url = head.url.clone();
    let response = run(world.fetch(head)).ok()?;
    if response.status != 200 {
        return None;
    }
    let digest = response.header("docker-content-digest").map(Into::into);
    gateway.answer(request, url, digest)
}

/// Whether the two steps answer, and if they do, that it is what the general way says.
fn is_known(gateway: &Gateway, world: &World, request: &ClientRequest) -> bool {
    let asked = world.asked.borrow().len();
    let (loads, checks) = (world.loads.get(), world.checks.get());
    let store = world.store.borrow().clone();
    let known = glanced(gateway, world, request);
    let asked_now = world.asked.borrow().len() - asked;
    assert_eq!(
        (world.loads.get(), world.checks.get()),
        (loads, checks),
        "neither the store nor a key was asked"
    );
    assert!(asked_now <= 1, "{asked_now} requests to the upstream");
    assert_eq!(*world.store.borrow(), store, "nothing was saved");
    let general = act(gateway, world, request);
    known.is_some_and(|known| {
        assert_eq!(asked_now, 1);
        assert_eq!(Action::Respond(known), general);
        true
    })
}

const YES: [(&str, &str); 1] = [("authorization", TOKEN)];

#[test]
fn what_is_remembered_takes_two_steps_and_everything_else_the_general_way() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    world.private.set(true);
    let gateway = gateway();
    let known = |method: &str, reference: &str, headers: &[(&str, &str)]| {
        let path = format!("/v2/app/manifests/{reference}");
        is_known(&gateway, &world, &request(method, &path, headers, 1_000))
    };
    let digest = digest.to_string();
    // The first time everything is found out, the second time it is known.
    for reference in ["1.0", &digest] {
        known("GET", reference, &YES);
        for method in ["GET", "HEAD"] {
            assert!(known(method, reference, &YES), "{method} {reference}");
            assert!(!known(method, reference, &[]), "no credentials");
            let wrong = [("authorization", "Bearer no")];
            assert!(!known(method, reference, &wrong), "wrong credentials");
        }
    }
    // What is refused, missing, named otherwise or no manifest.
    for _ in 0..2 {
        assert!(!known("GET", "2.0", &YES), "unsigned");
        assert!(!known("GET", "3.0", &YES), "missing");
        assert!(!known("GET", "1.0?ns=other.example", &YES), "ns");
        assert!(!known("PUT", "1.0", &YES));
    }
    assert!(known("GET", "1.0?ns=r.example", &YES));
    // A tag that moved: to what is known by no verdict under it, and back.
    world.signed("app", "1.1", "c");
    known("GET", "1.1", &YES);
    let content = |tag: &str| world.content.borrow()[&format!("app/manifests/{tag}")].clone();
    let (first, second) = (content("1.0"), content("1.1"));
    let put = |bytes| {
        let path = "app/manifests/1.0".to_string();
        world.content.borrow_mut().insert(path, bytes);
    };
    put(second);
    assert!(!known("GET", "1.0", &YES), "moved");
    put(first);
    assert!(known("GET", "1.0", &YES), "moved back");
}

/// The answer to another question is none, and neither is the same one given twice.
#[test]
fn an_answer_belongs_to_its_question() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let gateway = gateway();
    let request = request("GET", "/v2/app/manifests/1.0", &[], 1_000);
    act(&gateway, &world, &request);
    let asked = gateway.look(&request).unwrap().url;
    assert_eq!(asked, "http://up.test/v2/app/manifests/1.0");
    let digest = Some(digest.to_string());
    let answered = |url: &str| gateway.answer(&request, url.into(), digest.clone());
    assert!(answered(&asked).is_some());
    for other in ["", "http://up.test/v2/app/manifests/1.1", "http://up.test/"] {
        assert!(answered(other).is_none(), "{other}");
    }
    for other in [
        None,
        Some("sha256:00".into()),
        Some(Digest::of(b"").to_string()),
    ] {
        assert!(gateway.answer(&request, asked.clone(), other).is_none());
    }
}

/// A verdict that no longer holds: by its time, by the policy, by a key file, by the build and its
/// roots, by the name.
#[test]
fn a_verdict_that_no_longer_holds_is_not_used() {
    let world = World::default();
    let (digest, _) = world.signed("app", "1.0", "a");
    let at = |time| request("GET", "/v2/app/manifests/1.0", &[], time);
    let first = gateway();
    act(&first, &world, &at(1_000));
    let known = |gateway: &Gateway, time| glanced(gateway, &world, &at(time)).is_some();
    assert!(known(&first, 1_000));
    // The tag is told to others again; the verdict is as old as it was.
    act(&first, &world, &at(4_400));
    assert!(known(&first, 4_599));
    // What the store has of one configuration says nothing to another.
    for other in [
        with(|config| config.policy.push(b' ')),
        with(|config| config.assets.get_mut("good.pub").unwrap().push(b'\n')),
        with(|config| config.build = "with other roots".into()),
        with(|config| config.name = "other.example".into()),
    ] {
        assert!(!known(&other, 4_599));
        // The bytes are known, and the verdict is not.
        first.caches.content.swap(&other.caches.content);
        assert!(!known(&other, 4_599));
        first.caches.content.swap(&other.caches.content);
    }
    assert!(known(&first, 4_599));
    assert!(!known(&first, 4_600), "an hour is over");
    // A refusal is never said by these steps, young or old, and an allowance that came after it is.
    world
        .content
        .borrow_mut()
        .retain(|path, _| !path.ends_with(".sig"));
    forget_verdicts(&first, &world);
    act(&first, &world, &at(5_000));
    assert!(!known(&first, 5_000) && !known(&first, 5_009));
    world.sign("app", &digest, "r.example/app:1.0", GOOD);
    assert!(!known(&first, 5_009) && !known(&first, 5_010));
    act(&first, &world, &at(5_010));
    assert!(known(&first, 5_010));
}

/// What other isolates should know is not lost: it is found, and saved, on the general way.
#[test]
fn news_go_the_general_way() {
    let world = World::default();
    let (digest, bytes) = world.signed("digest", "1.0", "a");
    let gateway = gateway();
    let at = |tag: &str, time| request("GET", &format!("/v2/digest/manifests/{tag}"), &[], time);
    act(&gateway, &world, &at("1.0", 1_000));
    assert!(is_known(&gateway, &world, &at("1.0", 1_299)));
    world.put("digest", "2.0", MANIFEST, &bytes);
    let hints = || {
        let store = world.store.borrow();
        store
            .iter()
            .find(|(key, _)| key.starts_with("news/"))
            .unwrap()
            .1
            .clone()
    };
    act(&gateway, &world, &at("2.0", 1_299));
    forget_all_but_content_and_verdicts(&gateway);
    // The verdict is known, the tag is news.
    let before = hints();
    assert!(glanced(&gateway, &world, &at("2.0", 1_300)).is_none());
    assert_eq!(hints(), before);
    act(&gateway, &world, &at("2.0", 1_300));
    assert!(hints().contains(&format!("tag {digest} 1300 2.0")));
    assert!(is_known(&gateway, &world, &at("2.0", 1_600)));
    assert!(
        !is_known(&gateway, &world, &at("2.0", 1_901)),
        "soon to be told again"
    );
    assert!(hints().contains(&format!("tag {digest} 1901 2.0")));
}

fn forget_all_but_content_and_verdicts(gateway: &Gateway) {
    gateway.caches.hints.swap(&Caches::default().hints);
}

/// As a shell writes it.
fn in_lines(reference: &str, authorization: Option<&str>, time: i64) -> String {
    let address = format!("http://gate.test/v2/app/manifests/{reference}");
    let mut text = format!("{time}\nGET\n{address}\nhost\ngate.test");
    if let Some(value) = authorization {
        text += &format!("\nauthorization\n{value}");
    }
    text
}

/// As a shell carries both steps out.
fn answered(gateway: &Gateway, world: &World, request: &str) -> Option<Vec<u8>> {
    let asked = gateway.look_in_lines(request)?;
    let mut lines = asked.split('\n').map(ToString::to_string);
    let url = lines.next()?;
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        headers.push((name, value));
    }
    let response = run(world.fetch(crate::host::Request {
        method: "HEAD",
        url: url.clone(),
        headers,
        body: None,
        max_bytes: 0,
        egress: crate::host::Egress::Operator,
        sign: None,
    }))
    .ok()?;
    let digest = response.header("docker-content-digest").map(Into::into);
    (response.status == 200).then(|| gateway.answer_in_lines(request, url, digest))?
}

/// What was said to one in these ten seconds is said to another only if the upstream lets them in, and
/// only of what the upstream has now.
#[test]
fn within_a_moment_an_answer_is_made_once_and_nobody_is_let_in_by_it() {
    let world = World::default();
    let (digest, bytes) = world.signed("app", "1.0", "a");
    world.signed("app", "1.1", "b");
    world.private.set(true);
    let gateway = gateway();
    for (tag, time) in [("1.0", 1_000), ("1.1", 1_000)] {
        let path = format!("/v2/app/manifests/{tag}");
        act(&gateway, &world, &request("GET", &path, &YES, time));
    }
    let ask = |who: Option<&str>, time| answered(&gateway, &world, &in_lines("1.0", who, time));
    let first = ask(Some(TOKEN), 1_001).unwrap();
    assert!(first.ends_with(&bytes));
    assert_eq!(ask(Some(TOKEN), 1_001), Some(first.clone()));
    assert_eq!(ask(Some(TOKEN), 1_009), Some(first.clone()));
    // Each is asked about with their own credentials, and with none where they have none.
    assert_eq!(ask(Some("Bearer no"), 1_001), None);
    assert_eq!(ask(None, 1_001), None);
    let look = |who| gateway.look_in_lines(&in_lines("1.0", who, 1_001)).unwrap();
    assert!(look(Some("Bearer no")).ends_with("\nauthorization\nBearer no"));
    assert!(!look(None).contains("authorization") && !look(None).contains(TOKEN));
    // Another host, and one that reads as a header.
    for host in ["other.test", "authorization"] {
        let other = in_lines("1.0", Some(TOKEN), 1_001)
            .replace("gate.test\nauth", &format!("{host}\nauth"));
        assert!(
            gateway.look_in_lines(&other).unwrap().ends_with(TOKEN),
            "{host}"
        );
    }
    // The answer to another question, and of another digest.
    let request = in_lines("1.0", Some(TOKEN), 1_001);
    let of =
        |url: &str, digest: String| gateway.answer_in_lines(&request, url.into(), Some(digest));
    let url = "http://up.test/v2/app/manifests/1.0";
    assert_eq!(of(url, digest.to_string()), Some(first.clone()));
    assert_eq!(
        of("http://up.test/v2/app/manifests/1.1", digest.to_string()),
        None
    );
    assert_eq!(of(url, Digest::of(b"").to_string()), None);
    // A tag that moved within the moment is not what it was.
    let moved = world.content.borrow()["app/manifests/1.1"].clone();
    let (path, before) = ("app/manifests/1.0".to_string(), moved.0.clone());
    world.content.borrow_mut().insert(path, moved);
    assert!(ask(Some(TOKEN), 1_001).is_none_or(|answer| answer.ends_with(&before)));
    assert!(!bytes.ends_with(&before));
    // The next moment has an answer, and a decision, of its own.
    world.put("app", "1.0", MANIFEST, &bytes);
    let next = ask(Some(TOKEN), 1_010).unwrap();
    assert!(next != first && next.ends_with(&bytes));
}

/// The upstream's word is kept as no fact: what needs its content type is asked for each time.
#[test]
fn what_does_not_read_alone_is_not_kept() {
    const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
    let world = World::default();
    let (_, bytes) = world.image("app", "0.9", "a");
    let text = String::from_utf8(bytes).unwrap();
    let bare = text.replacen(&format!(r#""mediaType":"{MANIFEST}","#), "", 1);
    assert_ne!(bare, text);
    for (tag, kind, is_kept) in [("1.0", DOCKER, false), ("1.1", MANIFEST, true)] {
        let gateway = gateway();
        let digest = world.put("app", tag, kind, bare.as_bytes());
        world.sign("app", &digest, &format!("r.example/app:{tag}"), GOOD);
        let path = format!("/v2/app/manifests/{tag}");
        let ask = || act(&gateway, &world, &request("GET", &path, &[], 1_000));
        let Action::Respond(first) = ask() else {
            panic!("{tag}")
        };
        assert_eq!(first.status, 200, "{tag}");
        let kept = gateway
            .caches
            .content
            .borrow_mut()
            .get("app", &digest.to_string())
            .is_some();
        assert_eq!(kept, is_kept, "{kind}");
        let gets = || {
            let asked = world.asked.borrow();
            let is_get = |line: &&String| line.starts_with("GET") && line.contains("/manifests/");
            asked.iter().filter(is_get).count()
        };
        let before = gets();
        ask();
        assert_eq!(gets() > before, !is_kept, "{kind}");
    }
}

/// A look is a step of a pull, and of nothing else, whatever an address has in it.
#[test]
fn nothing_but_a_manifest_is_looked_at() {
    let world = World::default();
    let gateway = with(|config| config.admin_secret = b"0123456789abcdef".to_vec());
    world.signed("app", "1.0", "a");
    let secret = "Bearer 0123456789abcdef";
    let digest = Digest::of(b"a").to_string();
    for (method, path) in [
        ("POST", "/admin/flush?/manifests/"),
        ("GET", "/admin/decisions?image=/manifests/"),
        ("GET", "/badge/app/manifests/x:1.0.svg"),
        ("GET", "/api/evidence/app/manifests/x?ref=1.0"),
        ("GET", "/api/verify?image=r.example/app/manifests/x:1.0"),
        ("GET", "/v2/app/tags/list?/manifests/"),
    ] {
        for who in [None, Some(secret)] {
            let who = who.map_or(String::new(), |who| format!("\nauthorization\n{who}"));
            let text = format!("1000\n{method}\nhttp://gate.test{path}\nhost\ngate.test{who}");
            assert_eq!(gateway.look_in_lines(&text), None, "{path}");
            let asked = "http://up.test/v2/app/manifests/1.0".into();
            let answer = gateway.answer_in_lines(&text, asked, Some(digest.clone()));
            assert_eq!(answer, None, "{path}");
        }
    }
}

/// What is answered out of memory is judged by the next policy as well, as often as it may be.
#[test]
fn what_is_remembered_is_compared_with_the_next_policy() {
    let world = World::default();
    let gateway = with(|config| {
        config.policy_next = Some(br#"{"default": [{"type": "reject"}]}"#.to_vec());
    });
    world.signed("app", "1.0", "a");
    let again = |time| {
        let asked = request("GET", "/v2/app/manifests/1.0", &[], time);
        assert!(answered(&gateway, &world, &in_lines("1.0", None, time)).is_some());
        gateway
            .has_next(&asked)
            .then(|| run(gateway.judge_next(&asked, &world)))
            .flatten()
            .is_some()
    };
    let first = request("GET", "/v2/app/manifests/1.0", &[], 1_000);
    act(&gateway, &world, &first);
    assert!(run(gateway.judge_next(&first, &world)).is_some());
    assert_eq!((again(1_030), again(1_070)), (false, true));
}
