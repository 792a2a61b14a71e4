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
            .find(|(key, _)| key.starts_with("hints/"))
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
