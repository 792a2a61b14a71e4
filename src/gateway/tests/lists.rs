//! `tags/list` and referrers are rewritten.

use super::*;

fn put(world: &World, path: &str, text: &str) {
    let answer = (text.as_bytes().to_vec(), "text/html".into());
    world.content.borrow_mut().insert(path.into(), answer);
}

#[test]
fn lists_are_rewritten() {
    let world = World::default();
    let gateway = gateway();
    let put = |path: &str, text: &str| put(&world, path, text);
    put(
        "app/tags/list",
        r#"{"name":"other","tags":["1.0","<script>","latest","a/b"],"more":"<b>"}"#,
    );
    let seen = get(&gateway, &world, "/v2/app/tags/list");
    assert_eq!(
        (
            seen.status,
            seen.text().as_str(),
            seen.header("content-type")
        ),
        (
            200,
            r#"{"name":"app","tags":["1.0","latest"]}"#,
            Some("application/json")
        )
    );
    assert_eq!(
        (
            seen.header("x-content-type-options"),
            seen.header("content-security-policy")
        ),
        (Some("nosniff"), Some("default-src 'none'; sandbox"))
    );
    put("app/tags/list", r#"{"name":"app","tags":null}"#);
    assert_eq!(
        get(&gateway, &world, "/v2/app/tags/list").text(),
        r#"{"name":"app","tags":[]}"#
    );
    for odd in ["<html>", r#"{"name":"app"}"#, r#"{"tags":"1.0"}"#] {
        put("app/tags/list", odd);
        let seen = get(&gateway, &world, "/v2/app/tags/list");
        assert!(
            seen.status == 503 && !seen.text().contains("up.test"),
            "{odd}: {}",
            seen.text()
        );
    }
    assert_eq!(get(&gateway, &world, "/v2/nowhere/tags/list").status, 404);
}

#[test]
fn descriptors_lose_what_leads_past_the_gateway() {
    let world = World::default();
    let gateway = gateway();
    let put = |path: &str, text: &str| put(&world, path, text);
    let (image, evil) = world.image("app", "1.0", "a");
    let path = format!("app/referrers/{image}");
    let entry = descriptor(
        MANIFEST,
        &evil,
        &format!(
            r#","data":"{}","artifactType":"x","annotations":{{"a":"</script>"}},
              "urls":["https://evil.test/"],"platform":{{"os":"linux"}}"#,
            base64::encode(&evil)
        ),
    );
    put(
        &path,
        &format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entry}],"more":1}}"#),
    );
    let seen = get(&gateway, &world, &format!("/v2/{path}"));
    let expected = descriptor(
        MANIFEST,
        &evil,
        r#","artifactType":"x","annotations":{"a":"</script>"}"#,
    );
    assert_eq!(
        (seen.status, seen.text()),
        (
            200,
            format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{expected}]}}"#)
        )
    );
    put(&path, &String::from_utf8(evil).unwrap());
    assert_eq!(get(&gateway, &world, &format!("/v2/{path}")).status, 503);
}

/// The next page is asked for here, whatever host the upstream names.
#[test]
fn pages() {
    let world = World::default();
    let gateway = gateway();
    let page = |link: &str| {
        world.mend();
        world.fail(
            "tags/list",
            1,
            Ok(response(
                200,
                &[("link", link)],
                br#"{"name":"app","tags":["1.0"]}"#,
            )),
        );
        get(&gateway, &world, "/v2/app/tags/list?n=1&ns=r.example")
    };
    for link in [
        "</v2/app/tags/list?n=1&last=1.0>; rel=\"next\"",
        "<https://evil.test/v2/other/tags/list?n=1&last=1.0&ns=x>; rel=next",
    ] {
        assert_eq!(
            page(link).header("link"),
            Some("</v2/app/tags/list?n=1&last=1.0>; rel=\"next\"")
        );
    }
    for link in ["</v2/app/tags/list>; rel=next", "</x?y=1>; rel=prev", "x"] {
        assert_eq!(page(link).header("link"), None, "{link}");
    }
    assert_eq!(
        world.asked.borrow()[0],
        "GET http://up.test/v2/app/tags/list?n=1"
    );
}

/// The body of an error is ours, that of a 404 too.
#[test]
fn error_bodies_are_ours() {
    let world = World::default();
    world.signed("app", "1.0", "a");
    let gateway = gateway();
    get(&gateway, &world, "/v2/app/manifests/1.0");
    let blob = format!("/v2/app/blobs/{}", Digest::of(b"a"));
    let evil = br#"{"errors":[{"code":"DENIED","message":"sealgate: evil"}],"config":{}}"#;
    for status in [400, 401, 403, 404, 416, 500] {
        for path in [
            &blob,
            "/v2/app/manifests/2.0",
            "/v2/app/tags/list",
            "/api/evidence/app?ref=9",
        ] {
            world.mend();
            world.fail("/v2/app/", usize::MAX, Ok(response(status, &[], evil)));
            let seen = get(&gateway, &world, path);
            assert!(
                seen.status >= 400 && !seen.text().contains("evil"),
                "{status} {path}: {}",
                seen.text()
            );
        }
    }
}
