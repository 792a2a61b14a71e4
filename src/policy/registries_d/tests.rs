//! The cases of docs/containers-image.md section 7, and what is no `registries.d`.

use super::*;
use crate::error::Coded;
use crate::reference::Grammar;
use alloc::format;
use alloc::string::ToString;
use proptest::prelude::*;

fn read(text: &str) -> Result<RegistriesD, RegistriesError> {
    RegistriesD::parse([("a.yaml", text.as_bytes())])
}

fn code(text: &str) -> &'static str {
    read(text).map_or_else(|error| error.code(), |_| "ok")
}

fn of(registries: &RegistriesD, image: &str) -> (bool, Option<String>) {
    let storage = storage(
        Some(registries),
        &Reference::normalize(image, Grammar::Containers).unwrap(),
    )
    .unwrap();
    (storage.use_sigstore_attachments, storage.lookaside)
}

const EXAMPLE: &str = r#"---
# comment
default-docker:
  lookaside-staging: file:///mnt/staging   # for writing only
  sigstore: "https://default.example/sigstore"

docker:
    registry.example.com: # a host
        lookaside: 'https://lookaside.example.com/#a'
        unknown: {}
    registry.example.com/team:
        use-sigstore-attachments: true
    registry.example.com/team/app:1.0:
        use-sigstore-attachments: no
        lookaside:
    localhost:5000/x:
        sigstore: http://old.example
        lookaside: http://new.example
    "*.wild.example":
        use-sigstore-attachments: Yes
    empty.example:
unknown:
  nested:
    key: value
"#;

#[test]
fn each_setting_falls_through_by_itself() {
    let registries = read(EXAMPLE).unwrap();
    let url = |text: &str| Some(text.to_string());
    for (image, attachments, lookaside) in [
        (
            "registry.example.com/other:1",
            false,
            url("https://lookaside.example.com/#a"),
        ),
        // The section of the team leaves the lookaside open: the host's holds.
        (
            "registry.example.com/team/app:2",
            true,
            url("https://lookaside.example.com/#a"),
        ),
        // The tag's own section closes what the team's opened; its empty lookaside is as if
        // absent.
        (
            "registry.example.com/team/app:1.0",
            false,
            url("https://lookaside.example.com/#a"),
        ),
        // lookaside before sigstore.
        ("localhost:5000/x", false, url("http://new.example")),
        // The host without its port is no parent.
        (
            "registry.example.com:5000/team/app:2",
            false,
            url("https://default.example/sigstore"),
        ),
        (
            "a.b.wild.example/x",
            true,
            url("https://default.example/sigstore"),
        ),
        (
            "wild.example/x",
            false,
            url("https://default.example/sigstore"),
        ),
        (
            "empty.example/x",
            false,
            url("https://default.example/sigstore"),
        ),
        ("busybox", false, url("https://default.example/sigstore")),
    ] {
        assert_eq!(of(&registries, image), (attachments, lookaside), "{image}");
    }
}

#[test]
fn without_any_file_tags_are_looked_at_and_with_an_empty_folder_they_are_not() {
    let image = Reference::normalize("a.b/c", Grammar::Containers).unwrap();
    assert_eq!(
        storage(None, &image),
        Ok(Storage {
            use_sigstore_attachments: true,
            lookaside: None
        })
    );
    assert_eq!(of(&RegistriesD::default(), "a.b/c"), (false, None));
    assert_eq!(
        of(
            &read("default-docker: {use-sigstore-attachments: true}").unwrap_or_default(),
            "a.b/c"
        ),
        (false, None)
    );
    assert_eq!(
        of(
            &read("default-docker:\n  use-sigstore-attachments: on").unwrap(),
            "a.b/c"
        ),
        (true, None)
    );
    let both = Reference::normalize(
        &format!("a.b/c:1@sha256:{}", "0".repeat(64)),
        Grammar::Containers,
    )
    .unwrap();
    assert_eq!(
        storage(Some(&RegistriesD::default()), &both)
            .unwrap_err()
            .code(),
        "reference.tag-and-digest"
    );
}

#[test]
fn files_are_merged_and_no_scope_stands_in_two() {
    let merge = |files: &[(&str, &str)]| {
        RegistriesD::parse(files.iter().map(|(name, text)| (*name, text.as_bytes())))
            .map_err(|error| error.code())
    };
    let (a, b) = (
        "docker:\n  a.b:\n    lookaside: http://a\n",
        "docker:\n  b.c:\n    lookaside: http://b\ndefault-docker:\n",
    );
    let merged = merge(&[("a.yaml", a), ("b.yaml", b), ("c.yml", a), ("README", "?")]).unwrap();
    assert_eq!(
        (
            of(&merged, "a.b/x").1.unwrap(),
            of(&merged, "b.c/x").1.unwrap()
        ),
        ("http://a".into(), "http://b".into())
    );
    assert_eq!(merged.ignored, ["c.yml", "README"]);
    assert_eq!(
        merge(&[("a.yaml", a), ("b.yaml", a)]),
        Err("registries-d.twice")
    );
    assert_eq!(
        merge(&[("a.yaml", a), ("b.yaml", "docker:\n  a.b:\n")]),
        Err("registries-d.twice"),
        "a section that says nothing is one"
    );
    let default = "default-docker:\n  lookaside: http://a\n";
    assert_eq!(
        merge(&[("a.yaml", default), ("b.yaml", default)]),
        Err("registries-d.twice")
    );
    assert!(
        merge(&[("a.yaml", default), ("b.yaml", "default-docker:\n")]).is_ok(),
        "null is as if absent"
    );
    let half = format!("#{}\n", "x".repeat(600_000));
    assert_eq!(
        merge(&[("a.yaml", &half), ("b.yaml", &half)]),
        Err("registries-d.too-large")
    );
}

#[test]
fn what_is_read() {
    for text in [
        "",
        "\n\n# only a comment",
        "---\n",
        "docker:",
        "docker: ~",
        "docker: {}",
        "docker: {} # none",
        "a: b\r\nc: d\r\n",
        "  docker:\n    a.b:\n",
        "docker:\n a:\n   lookaside: null\n",
        "\"docker\" : \n  'a.b':\n",
    ] {
        assert_eq!(code(text), "ok", "{text:?}");
    }
    let found = read(
        "docker:\n  a.b: #x\n    lookaside:   http://a/#b  # c\n    sigstore: \"x # y\" # z\n",
    )
    .unwrap();
    let section = found.docker.get("a.b").unwrap();
    assert_eq!(
        section.lookaside,
        Some(Setting {
            text: "http://a/#b".into(),
            at: 35
        })
    );
    assert_eq!(section.sigstore.as_ref().unwrap().text, "x # y");
}

#[test]
fn what_is_refused_says_so() {
    for (text, expected) in [
        ("docker: {a.b: {lookaside: x}}", "registries-d.subset"),
        ("docker: [a]", "registries-d.subset"),
        ("docker:\n- a", "registries-d.subset"),
        ("docker: &a\n  b.c:\n", "registries-d.subset"),
        ("docker:\n  *.b.c:\n", "registries-d.subset"),
        ("docker: !x y", "registries-d.subset"),
        ("docker:\n  <<: x\n", "registries-d.subset"),
        ("a: |\n  b", "registries-d.subset"),
        ("a: b\n  c", "registries-d.subset"),
        ("a: \"b\n  c\"", "registries-d.subset"),
        ("a: \"b\\n\"", "registries-d.subset"),
        ("a: 'b''c'", "registries-d.subset"),
        ("%YAML 1.1\n---\na: b", "registries-d.subset"),
        ("a: b\n---\nc: d", "registries-d.subset"),
        ("a: b\n...\n", "registries-d.subset"),
        ("\ta: b", "registries-d.subset"),
        ("docker:\n\ta.b:\n", "registries-d.subset"),
        ("\u{feff}a: b", "registries-d.subset"),
        ("? a\n: b", "registries-d.subset"),
        ("~: b", "registries-d.subset"),
        ("a", "registries-d.yaml"),
        ("a:b", "registries-d.yaml"),
        ("a: b: c", "registries-d.yaml"),
        ("a: \"b\" c", "registries-d.yaml"),
        ("a:\n    b: c\n  d: e", "registries-d.yaml"),
        ("a #b: c", "registries-d.yaml"),
        ("  a: b\nc: d", "registries-d.yaml"),
        ("a: b\na: c", "registries-d.duplicate-key"),
        (
            "docker:\n  a.b:\n  \"a.b\":\n",
            "registries-d.duplicate-key",
        ),
        ("docker: x", "registries-d.type"),
        ("docker:\n  a.b: x", "registries-d.type"),
        ("default-docker: x", "registries-d.type"),
        (
            "default-docker:\n  lookaside:\n    x: y",
            "registries-d.type",
        ),
        (
            "default-docker:\n  use-sigstore-attachments: \"true\"",
            "registries-d.type",
        ),
        (
            "default-docker:\n  use-sigstore-attachments: 1",
            "registries-d.type",
        ),
        (
            "a:\n b:\n  c:\n   d:\n    e:\n     f:\n      g:\n       h:\n        i:",
            "registries-d.depth",
        ),
    ] {
        assert_eq!(code(text), expected, "{text:?}");
    }
    assert_eq!(
        RegistriesD::parse([("a.yaml", &b"\xff"[..])])
            .unwrap_err()
            .code(),
        "registries-d.utf8"
    );
    assert_eq!(
        read("a:\n  - b")
            .unwrap_err()
            .to_string()
            .split(" is YAML")
            .next()
            .unwrap(),
        "registries.d a.yaml, line 2: a sequence or a complex key"
    );
}

proptest! {
    #[test]
    fn never_panics(text in "[a-c:# \n\t\"'{}&*~\\-é]{0,40}", bytes: Vec<u8>) {
        let _ = read(&text);
        let _ = RegistriesD::parse([("a.yaml", bytes.as_slice())]);
    }
}
