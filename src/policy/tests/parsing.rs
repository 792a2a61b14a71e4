//! Sources, types, and the words and places of errors. The cases P of docs/containers-image.md:
//! tests/containers/decisions.rs.

use super::*;
use crate::policy::KeySource;
use crate::policy::SigstoreSigned;

extern crate std;

#[test]
fn one_source_of_certificates() {
    let fulcio = |members: &str| {
        sigstore(&format!(
            r#""rekorPublicKeyPath":"/r","fulcio":{{"oidcIssuer":"i","subjectEmail":"e"{members}}}"#
        ))
    };
    let pki = |members: &str| sigstore(&format!(r#""pki":{{"subjectHostname":"h"{members}}}"#));
    for (found, code) in [
        (fulcio(""), "policy.ca-source"),
        (fulcio(r#","caPath":"""#), "policy.ca-source"),
        (fulcio(r#","caPath":"/c","caData":"""#), "policy.ca-source"),
        (fulcio(r#","caPath":"/c","caData":null"#), "ok"),
        (fulcio(r#","caPath":"","caData":"YQ==""#), "ok"),
        (pki(""), "policy.ca-source"),
        (
            pki(r#","caRootsPath":"/c","caRootsData":"YQ==""#),
            "policy.ca-source",
        ),
        (
            pki(r#","caRootsPath":"/c","caIntermediatesPath":"/i","caIntermediatesData":"""#),
            "policy.ca-source",
        ),
        (
            pki(r#","caRootsData":"YQ==","caIntermediatesPath":"","caIntermediatesData":null"#),
            "ok",
        ),
    ] {
        assert_eq!(found, code);
    }
}

/// P30 says what became of the demand, not only that the policy parses.
#[test]
fn p30_an_empty_rekor_path_demands_no_log() {
    let parse =
        |text: &str| match Requirement::parse(text.as_bytes(), Vocabulary::Containers).unwrap() {
            Requirement::SigstoreSigned(SigstoreSigned { rekor, .. }) => rekor,
            other => panic!("{other:?}"),
        };
    assert_eq!(
        parse(r#"{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPath":""}"#),
        None
    );
    assert_eq!(
        parse(r#"{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyData":""}"#),
        Some(KeySource::Data([].into()))
    );
}

#[test]
fn types_and_nulls() {
    for (found, code) in [
        (policy("[]"), "policy.type"),
        (policy(r#"{"default":{}}"#), "policy.type"),
        (policy(r#"{"default":[1]}"#), "policy.type"),
        (policy(r#"{"default":[{"type":1}]}"#), "policy.type"),
        (
            policy(r#"{"default":[{"Type":"reject"}]}"#),
            "policy.unknown-key",
        ),
        (
            policy(r#"{"default":[{"type":"reject"}],"sealgate ":{"version":1}}"#),
            "policy.unknown-key",
        ),
        (
            requirement(r#"{"type":"signedBaseLayer"}"#),
            "policy.missing-key",
        ),
        (
            requirement(r#"{"type":"signedBaseLayer","baseLayerIdentity":null}"#),
            "policy.match-type",
        ),
        (
            requirement(r#"{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}"#),
            "ok",
        ),
        (sigstore(r#""fulcio":null"#), "policy.type"),
        (sigstore(r#""pki":null"#), "policy.type"),
        (sigstore(r#""keyPath":1"#), "policy.type"),
        (sigstore(r#""keyPaths":"/k""#), "policy.type"),
        (sigstore(r#""keyPaths":[1]"#), "policy.type"),
        (sigstore(r#""keyPaths":[null]"#), "ok"),
        (sigstore(r#""keyDatas":[null,[null,1]]"#), "ok"),
        (sigstore(r#""keyDatas":["*"]"#), "policy.base64"),
        (
            sigstore(r#""keyPath":"/k","keyDatas":null"#),
            "policy.no-entries",
        ),
        (sigstore(r#""keyData":"""#), "ok"),
        (
            sigstore(r#""keyData":"","keyPath":"/k""#),
            "policy.key-source",
        ),
        (sigstore(r#""keyData":null,"keyPath":"/k""#), "ok"),
        (signed_by(r#""keyPaths":null"#), "policy.key-source"),
        (signed_by(r#""keyData":"""#), "ok"),
        (
            signed_by(r#""keyPath":"/k","keyData":null"#),
            "policy.key-source",
        ),
    ] {
        assert_eq!(found, code);
    }
}

#[test]
fn errors_keep_the_words_and_know_the_place() {
    let at = |requirement: &str| {
        format!(
            r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{"registry.local":[{requirement}]}}}}}}"#
        )
    };
    let first = r#"transports.docker["registry.local"][0]"#;
    let member = r#"transports.docker["registry.local"][0].keyPath"#;
    let archive = r#"transports["docker-archive"]["a"]"#;
    for (text, pointer, there, words) in [
        (
            at(r#"{"type":"sigstoreSigned","keyPath":1}"#),
            member,
            "1}",
            "a string expected, got a number",
        ),
        (
            at(r#"{"type":"reject","x":1}"#),
            first,
            r#""x":1"#,
            r#"Unknown key "x""#,
        ),
        (
            at(r#"{"type":"reject","type":"insecureAcceptAnything"}"#),
            first,
            r#""type":"insecure"#,
            r#"Duplicate key "type""#,
        ),
        (
            at(r#"{"type":"attested"}"#),
            first,
            r#"{"type":"attested""#,
            r#"Unknown policy requirement type "attested": it is understood only with "sealgate": {"version": 1}"#,
        ),
        (
            "null".into(),
            "policy",
            "null",
            "JSON object expected, got <nil>",
        ),
        ("{}".into(), "policy", "{}", "Default policy is missing"),
        (
            r#"{"default":[]}"#.into(),
            "default",
            "[]",
            "List of verification policy requirements must not be empty",
        ),
        (
            at(r#"{"type":"signedBaseLayer"}"#),
            first,
            r#"{"type":"signed"#,
            r#"Key "baseLayerIdentity" missing in a JSON object"#,
        ),
        (
            r#"{"default":[{"type":"reject"}],"transports":{"docker-archive":{"a":[]}}}"#.into(),
            archive,
            "[]",
            r#"Unknown key "a""#,
        ),
    ] {
        let text: String = text;
        let message = message(&text);
        assert!(
            message.contains(words)
                && message.starts_with(&format!("{pointer} (byte {})", text.find(there).unwrap())),
            "{message}"
        );
    }
}

/// The table that `policy.schema.json` is held against, too.
#[test]
fn the_table_of_the_schema() {
    let table = std::fs::read("fixtures/policy/policies.json").unwrap();
    let table: serde_json::Value = serde_json::from_slice(&table).unwrap();
    let cases = table.as_array().unwrap();
    for case in cases {
        assert_eq!(
            policy(&case["policy"].to_string()),
            case["code"],
            "{}",
            case["policy"]
        );
    }
    assert!(cases.iter().filter(|case| case["code"] == "ok").count() > 40 && cases.len() > 200);
}
