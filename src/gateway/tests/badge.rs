//! The picture says what was decided, for images that everybody may read, and nothing that anybody
//! wrote.

use super::*;

fn words(gateway: &Gateway, world: &World, path: &str) -> (u16, String) {
    let seen = get(gateway, world, path);
    assert_eq!(seen.header("content-type"), Some("image/svg+xml"), "{path}");
    assert_eq!(seen.header("cache-control"), Some("max-age=60"));
    let text = seen.text();
    let title = text.split("<title>").nth(1).unwrap();
    (seen.status, title.split("</title>").next().unwrap().into())
}

#[test]
fn it_says_what_was_decided() {
    let world = World::default();
    let gateway = gateway();
    let (digest, _) = world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    world.signed("app", "latest", "c");
    let policy: String = gateway.settings.basis.chars().take(8).collect();
    let is = |path: &str, status: u16, words: &str| {
        let title = format!("image: {words} by policy {policy}");
        assert_eq!(
            self::words(&gateway, &world, path),
            (status, title),
            "{path}"
        );
    };
    is("/badge/app:1.0.svg", 200, "verified");
    is("/badge/app.svg", 200, "verified");
    is(&format!("/badge/app@{digest}.svg"), 200, "verified");
    is("/badge/app:2.0.svg", 200, "refused");
    is("/badge/app:absent.svg", 200, "unknown");
    let lenient = with(|config| {
        config.policy = br#"{"default": [{"type": "insecureAcceptAnything"}]}"#.to_vec();
    });
    let (status, title) = words(&lenient, &world, "/badge/app:2.0.svg");
    assert_eq!(status, 200);
    assert!(
        title.starts_with("image: allowed, not verified by policy "),
        "{title}"
    );
    assert!(!title.contains(&policy), "another policy has another name");
}

/// Credentials that come with the request open nothing: who sees the page does not bear them.
#[test]
fn it_is_for_everybody_or_for_nobody() {
    let world = World::default();
    let gateway = gateway();
    world.signed("app", "1.0", "a");
    world.private.set(true);
    let path = "/badge/app:1.0.svg";
    let asked = request("GET", path, &[("authorization", TOKEN)], 1_000);
    let private = seen(&world, act(&gateway, &world, &asked));
    let absent = get(&gateway, &world, "/badge/app:absent.svg");
    assert_eq!((private.status, private.text()), (200, absent.text()));
}

/// Where everybody gets a token, everybody may read.
#[test]
fn a_token_that_everybody_gets_opens_what_is_public() {
    let world = World::default();
    let gateway = gateway();
    world.signed("app", "1.0", "a");
    world.private.set(true);
    world.fail(
        "auth.test/token",
        99,
        Ok(response(200, &[], br#"{"token": "yes"}"#)),
    );
    let (_, title) = words(&gateway, &world, "/badge/app:1.0.svg");
    assert!(title.starts_with("image: verified"), "{title}");
}

/// Nothing that stands in the address, the image or its evidence is in the picture.
#[test]
fn it_says_nothing_that_anybody_wrote() {
    let world = World::default();
    let gateway = gateway();
    world.signed("app", "1.0", "a");
    let plain = get(&gateway, &world, "/badge/app:1.0.svg").text();
    for path in [
        "/badge/app:1.0.svg?label=%3Cscript%3E",
        "/badge/app%3A1.0.svg",
    ] {
        assert_eq!(get(&gateway, &world, path).text(), plain, "{path}");
    }
    for bad in [
        "/badge/%3Cscript%3E:1.svg",
        "/badge/APP:1.svg",
        "/badge/app:%22.svg",
        "/badge/.svg",
    ] {
        let seen = get(&gateway, &world, bad);
        assert_eq!(seen.status, 400, "{bad}");
        assert!(!seen.text().contains("<svg"), "{bad}");
    }
    assert_eq!(
        ask(&gateway, &world, "POST", "/badge/app:1.0.svg").status,
        405
    );
    let broken = with(|config| config.policy = b"{}".into());
    assert_eq!(get(&broken, &world, "/badge/app:1.0.svg").status, 403);
}

/// A page in which it stands sees its size, and whether it came.
#[test]
fn a_page_that_shows_it_cannot_read_it() {
    let world = World::default();
    let gateway = gateway();
    world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    let size = |path: &str| {
        let seen = get(&gateway, &world, path);
        let text = seen.text();
        let width = text.split("width=").nth(1).unwrap();
        (seen.status, width.split(' ').next().unwrap().to_string())
    };
    let one = size("/badge/app:1.0.svg");
    assert_eq!(one, size("/badge/app:2.0.svg"));
    assert_eq!(one, size("/badge/app:absent.svg"));
}
