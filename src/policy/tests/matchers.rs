//! Prefixes, descriptions and suggestions.

use super::*;
use crate::policy::Matcher;
use crate::policy::matcher;
use crate::reference::Grammar;
use crate::reference::Reference;
use proptest::prelude::*;

fn parse(text: &str) -> Matcher {
    Matcher::parse(text.as_bytes(), Vocabulary::Extended).unwrap()
}

fn image(text: &str) -> Reference {
    Reference::normalize(text, Grammar::Containers).unwrap()
}

fn accepts(matcher: &str, image_name: Option<&str>, signed: &str) -> bool {
    parse(matcher).accepts(image_name.map(image).as_ref(), signed)
}

const EXACT: &str = r#"{"type":"matchExact"}"#;
const DEFAULT: &str = r#"{"type":"matchRepoDigestOrExact"}"#;
const REPOSITORY: &str = r#"{"type":"matchRepository"}"#;
const REMAP: &str = r#"{"type":"remapIdentity","prefix":"m.ex:5000/v","signedPrefix":"v.ex"}"#;

#[test]
fn without_a_name_only_what_names_itself_matches() {
    for matcher in [
        EXACT,
        DEFAULT,
        REPOSITORY,
        REMAP,
        r#"{"type":"matchDigest"}"#,
    ] {
        assert!(!accepts(matcher, None, "a.b/r:t"), "{matcher}");
    }
}

/// A prefix ends at a slash: not within a component, and not before a port.
#[test]
fn prefixes_end_at_a_slash() {
    for (name, prefix, applies) in [
        ("e.com/ns/r:t", "e.com", true),
        ("e.com/ns/r:t", "e.com/ns", true),
        ("e.com/ns/r:t", "e.com/ns/r", true),
        ("e.com/ns2/r:t", "e.com/ns", false),
        ("e.com:5000/ns/r:t", "e.com", false),
        ("e.com:50000/ns/r:t", "e.com:5000", false),
        ("e.com/ns/r:t", "e.com/ns/r/x", false),
        ("busybox:t", "docker.io/library", true),
    ] {
        assert_eq!(
            matcher::prefix_applies(&image(name), prefix),
            applies,
            "{name} {prefix}"
        );
    }
}

#[test]
fn remapping_must_give_a_full_name() {
    let to = |signed: &str, text: &str| {
        matcher::remap(&image(text), "a.b", signed).map(|reference| reference.to_string())
    };
    assert_eq!(to("c.d", "a.b/x:1").as_deref(), Some("c.d/x:1"));
    assert_eq!(to("c.d", "other.b/x:1").as_deref(), Some("other.b/x:1"));
    assert_eq!(to("docker.io", "a.b/x:1"), None);
    assert_eq!(
        to("docker.io/library", "a.b/x:1").as_deref(),
        Some("docker.io/library/x:1")
    );
}

/// Ours: the digest is enough, but a repository that is named must be this one.
#[test]
fn match_digest() {
    let digest = r#"{"type":"matchDigest"}"#;
    assert!(accepts(digest, Some("a.b/r:t"), "a.b/r"));
    assert!(accepts(digest, Some("a.b/r:t"), "a.b/r:old"));
    assert!(!accepts(digest, Some("a.b/r:t"), "a.b/other:t"));
    assert!(!accepts(digest, Some("a.b/r:t"), ""));
    assert!(accepts(
        r#"{"type":"matchDigest","anyName":true}"#,
        Some("a.b/r:t"),
        "elsewhere"
    ));
    assert!(parse(digest).accepts_unnamed());
    for named in [EXACT, DEFAULT, REPOSITORY, REMAP] {
        assert!(!parse(named).accepts_unnamed(), "{named}");
    }
}

#[test]
fn remap_repository_takes_any_tag_of_the_other_name() {
    let text = r#"{"type":"remapRepository","prefix":"mirror.example/v","signedPrefix":"a.b"}"#;
    assert!(accepts(text, Some("mirror.example/v/r:t"), "a.b/r:t"));
    assert!(accepts(text, Some("mirror.example/v/r:t"), "a.b/r:old"));
    assert!(accepts(text, Some("mirror.example/v/r:t"), "a.b/r"));
    assert!(!accepts(
        text,
        Some("mirror.example/v/r:t"),
        "mirror.example/v/r:t"
    ));
    assert!(!accepts(text, Some("mirror.example/v/r:t"), "a.b/other:t"));
    assert!(!accepts(text, Some("mirror.example/v/r:t"), ""));
    assert!(!accepts(text, None, "a.b/r:t"));
}

#[test]
fn descriptions() {
    let says =
        |matcher: &str, name: Option<&str>| parse(matcher).describe(name.map(image).as_ref());
    assert_eq!(
        says(REPOSITORY, Some("demo.example/demo/signed:1")),
        "matchRepository: any tag of demo.example/demo/signed"
    );
    assert_eq!(
        says(DEFAULT, Some("a.b/r:1")),
        "matchRepoDigestOrExact: exactly a.b/r:1"
    );
    assert_eq!(
        says(REMAP, Some("m.ex:5000/v/a:1")),
        "remapIdentity: exactly v.ex/a:1"
    );
    assert_eq!(
        says(EXACT, None),
        "matchExact: nothing matches, because this image has no name"
    );
}

#[test]
fn suggestions() {
    let suggest =
        |name: Option<&str>, signed: &str| Matcher::suggest(name.map(image).as_ref(), signed);
    for (name, signed, json) in [
        (Some("a.b/r:1"), "a.b/r", r#"{"type": "matchRepository"}"#),
        (Some("a.b/r:1"), "a.b/r:2", r#"{"type": "matchRepository"}"#),
        (
            Some("a.b/r:1"),
            "a.b/r:1",
            r#"{"type": "matchRepoDigestOrExact"}"#,
        ),
        (
            Some("mirror.ex/up/r:1"),
            "up.ex/r:1",
            r#"{"type": "remapIdentity", "prefix": "mirror.ex/up", "signedPrefix": "up.ex"}"#,
        ),
        (
            Some("a.b/r:1"),
            "c.d/other:2",
            r#"{"type": "exactReference", "dockerReference": "c.d/other:2"}"#,
        ),
        (
            Some("a.b/r:1"),
            "c.d/r",
            r#"{"type": "exactRepository", "dockerRepository": "c.d/r"}"#,
        ),
        (
            None,
            "busybox:1",
            r#"{"type": "exactReference", "dockerReference": "docker.io/library/busybox:1"}"#,
        ),
    ] {
        assert_eq!(suggest(name, signed).as_deref(), Some(json));
    }
    assert_eq!(suggest(Some("a.b/r:1"), ""), None);
}

proptest! {
    /// What is suggested is a policy's text, and admits the signature.
    #[test]
    fn suggestions_hold(name in "[a-c.]{1,3}/[a-c/]{1,5}(:[a-c])?", signed in "[a-c.]{1,3}/[a-c/]{1,5}(:[a-c])?") {
        let image = Reference::normalize(&name, Grammar::Containers).ok();
        if let Some(json) = Matcher::suggest(image.as_ref(), &signed) {
            let matcher = Matcher::parse(json.as_bytes(), Vocabulary::Containers).unwrap();
            prop_assert!(matcher.accepts(image.as_ref(), &signed));
            prop_assert_eq!(matcher.to_json(), json);
        }
    }

    /// A matcher that accepts a name accepts every spelling that normalises to it.
    #[test]
    fn spelling_does_not_matter(name in "[a-c]{1,3}(/[a-c]{1,3})?:[a-c]") {
        let full = image(&name).to_string();
        for matcher in [EXACT, DEFAULT, REPOSITORY] {
            prop_assert_eq!(accepts(matcher, Some(&full), &name), accepts(matcher, Some(&name), &full));
            prop_assert!(accepts(matcher, Some(&full), &name));
        }
    }

    /// From narrow to wide: what the exact rule accepts, the default accepts, and what that
    /// accepts, the repository does.
    #[test]
    fn wider_rules_accept_more(name in "[ab]\\.c/[ab](:[ab])?", signed in "[ab]\\.c/[ab](:[ab])?", by_digest: bool) {
        let name = if by_digest { format!("{}@sha256:{HEX}", name.split(':').next().unwrap()) } else { name };
        let [exact, default, repository] = [EXACT, DEFAULT, REPOSITORY].map(|matcher| accepts(matcher, Some(&name), &signed));
        prop_assert!(exact <= default && default <= repository);
    }
}
