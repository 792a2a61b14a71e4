//! Whatever the bytes are: a code, within bounds, and no panic.

use super::*;
use crate::limits;
use crate::policy::Fulcio;
use crate::policy::Matcher;
use crate::policy::Pki;
use proptest::prelude::*;

#[test]
fn bounds() {
    let scopes = |n: usize| {
        let list = (0..n)
            .map(|i| format!(r#""s{i}":[{{"type":"reject"}}]"#))
            .collect::<alloc::vec::Vec<_>>()
            .join(",");
        format!(r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{{list}}}}}}}"#)
    };
    let keys = |n: usize| {
        sigstore(&format!(
            r#""keyPaths":[{}]"#,
            ["\"/k\""].repeat(n).join(",")
        ))
    };
    let long = "a".repeat(600_000);
    let list = [r#"{"type":"reject"}"#].repeat(20_000).join(",");
    for (found, code) in [
        (policy(&" ".repeat(limits::POLICY + 1)), "policy.too-large"),
        (policy(&"[".repeat(100_000)), "policy.json"),
        (
            policy(&format!(
                r#"{{"default":{}1{}}}"#,
                "[".repeat(70),
                "]".repeat(70)
            )),
            "policy.json",
        ),
        (policy(&r#"{"default":"#.repeat(1000)), "policy.json"),
        (policy(&scopes(10_000)), "ok"),
        (
            policy(&format!(
                r#"{{"default":[{list}],"transports":{{"docker":{{"{long}":[{list}]}}}}}}"#
            )),
            "policy.too-large",
        ),
        (
            policy(&format!(
                r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{"{long}":[{list},1]}}}}}}"#
            )),
            "policy.type",
        ),
        (keys(limits::KEYS), "ok"),
        (keys(limits::KEYS + 1), "policy.too-many"),
    ] {
        assert_eq!(found, code);
    }
    let wrong = format!(
        r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{"{long}":1,"x{long}":1}}}}}}"#
    );
    assert!(message(&wrong[..700_000]).len() < 1_000);
    let unknown = format!(r#"{{"{long}":1}}"#);
    assert!(message(&unknown).len() < 1_000);
}

#[test]
fn go_reads_broken_text_as_replacement_characters() {
    let text = b"{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"\xff\":[{\"type\":\"reject\"}],\"\\ud800\":[{\"type\":\"reject\"}]}}}";
    assert_eq!(
        Policy::parse(text).unwrap_err().code(),
        "policy.duplicate-key"
    );
}

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "1",
    "\"\"",
    "\"type\"",
    "\"default\"",
    "\"transports\"",
    "\"sealgate\"",
    "\"version\"",
    "\"docker\"",
    "\"reject\"",
    "\"signedBy\"",
    "\"sigstoreSigned\"",
    "\"keyPath\"",
    "\"keyData\"",
    "\"YQ==\"",
    "\"signedIdentity\"",
    "\"matchExact\"",
    "\"remapIdentity\"",
    "\"prefix\"",
    "\"a.b\"",
    "\"pinned\"",
    "\"pins\"",
    "\"attested\"",
    "\"conditions\"",
    "{\"type\":\"reject\"}",
    "\"identities\"",
    "\"trustedRoot\"",
];

fn try_all(bytes: &[u8]) {
    let _ = Policy::parse(bytes).map_err(|error| error.to_string());
    for vocabulary in [Vocabulary::Containers, Vocabulary::Extended] {
        let _ = Requirement::parse(bytes, vocabulary).map_err(|error| error.to_string());
        let _ = Requirement::parse_list(bytes, vocabulary).map_err(|error| error.to_string());
        let _ = Matcher::parse(bytes, vocabulary).map_err(|error| error.to_string());
    }
    let _ = Fulcio::parse(bytes).map_err(|error| error.to_string());
    let _ = Pki::parse(bytes).map_err(|error| error.to_string());
}

proptest! {
    #[test]
    fn never_panics_on_bytes(bytes: alloc::vec::Vec<u8>) {
        try_all(&bytes);
    }

    #[test]
    fn never_panics_on_words(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40)) {
        try_all(words.concat().as_bytes());
    }

    /// Any one byte of a good policy altered or taken away: read or refused, never a panic.
    #[test]
    fn never_panics_on_mutations(at in 0usize..400, byte: u8) {
        let good = format!(r#"{{"sealgate":{{"version":1,"coverage":"index"}},"default":[{{"type":"reject"}}],"transports":{{"docker":{{"a.b":[{{"type":"sigstoreSigned","keyData":"YQ==","signedIdentity":{{"type":"remapIdentity","prefix":"a.b","signedPrefix":"c.d"}}}},{{"type":"pinned","pins":{{"a.b/c:1":"sha256:{HEX}"}}}}]}}}}}}"#);
        assert_eq!(policy(&good), "ok");
        let mut altered = good.clone().into_bytes();
        if let Some(place) = altered.get_mut(at) { *place = byte }
        try_all(&altered);
        let mut shorter = good.into_bytes();
        shorter.truncate(at % shorter.len());
        prop_assert!(Policy::parse(&shorter).is_err());
    }

    /// The same bytes give the same policy, and white space changes nothing.
    #[test]
    fn white_space_changes_nothing(gap in "[ \t\r\n]{0,8}") {
        let text = |gap: &str| format!(r#"{gap}{{{gap}"default"{gap}:{gap}[{gap}{{"type":"sigstoreSigned",{gap}"keyPath":"/k"}}{gap}]{gap}}}{gap}"#);
        prop_assert_eq!(Policy::parse(text(&gap).as_bytes()).unwrap(), Policy::parse(text("").as_bytes()).unwrap());
    }
}
