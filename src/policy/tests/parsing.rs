//! P1 to P36.

use super::*;
use crate::policy::KeySource;
use crate::policy::SigstoreSigned;

extern crate std;

#[test]
fn p1_to_p13_documents() {
    let reject = r#"{"default":[{"type":"reject"}]"#;
    for (id, text, code) in [
        ("P1", "null".into(), "policy.type"),
        ("P2", "{}".into(), "policy.no-default"),
        ("P3", r#"{"default":[]}"#.into(), "policy.no-requirements"),
        ("P3", r#"{"default":null}"#.into(), "policy.no-requirements"),
        ("P4", r#"{"default":[null]}"#.into(), "policy.requirement-type"),
        ("P4", r#"{"default":[{}]}"#.into(), "policy.requirement-type"),
        ("P5", format!("{reject}}}\n"), "ok"),
        ("P5", format!("{reject}}}x"), "policy.json"),
        ("P6", format!("\u{feff}{reject}}}"), "policy.json"),
        ("P6", format!("{reject}}}// x"), "policy.json"),
        ("P6", format!("{reject},}}"), "policy.json"),
        ("P7", format!(r#"{reject},"def\u0061ult":[]}}"#), "policy.duplicate-key"),
        ("P8", r#"{"Default":[{"type":"reject"}]}"#.into(), "policy.unknown-key"),
        ("P9", format!(r#"{reject},"transports":{{}}}}"#), "ok"),
        ("P9", format!(r#"{reject},"transports":{{"docker":{{}}}}}}"#), "ok"),
        ("P9", format!(r#"{reject},"transports":null}}"#), "policy.type"),
        ("P9", format!(r#"{reject},"transports":{{"docker":null}}}}"#), "policy.type"),
        ("P10", format!(r#"{reject},"transports":{{"typo":{{"/":[{{"type":"reject"}}]}}}}}}"#), "ok"),
        ("P11", format!(r#"{reject},"transports":{{"dir":{{"/":[{{"type":"reject"}}]}}}}}}"#), "policy.scope"),
        ("P11", format!(r#"{reject},"transports":{{"docker-archive":{{"/x":[{{"type":"reject"}}]}}}}}}"#), "policy.scope"),
        ("P12", r#"{"default":[{"type":"reject","type":"insecureAcceptAnything"}]}"#.into(), "policy.duplicate-key"),
        ("P13", r#"{"default":[{"type":"reject","Type":"reject"}]}"#.into(), "policy.unknown-key"),
    ] {
        let text: String = text;
        assert_eq!(policy(&text), code, "{id} {text}");
    }
}

#[test]
fn p14_to_p23_keys() {
    let x509 = r#"{"type":"signedBy","keyType":"X509Certificates","keyPath":"/k"}"#;
    for (id, found, code) in [
        ("P14", requirement(r#"{"type":"signedBy","keyPath":"/k"}"#), "policy.key-type"),
        ("P15", requirement(r#"{"type":"signedBy","keyType":"gpgkeys","keyPath":"/k"}"#), "policy.key-type"),
        ("P15", requirement(r#"{"type":"signedBy","keyType":"X.509Certificates","keyPath":"/k"}"#), "policy.key-type"),
        ("P16", requirement(x509), "ok"),
        ("P17", signed_by(r#""keyPath":"""#), "policy.key-source"),
        ("P17", signed_by(r#""keyPath":null"#), "policy.key-source"),
        ("P18", signed_by(r#""keyPath":"","keyData":"YQ==""#), "policy.key-source"),
        ("P19", sigstore(r#""keyPath":"","keyData":"YQ==""#), "ok"),
        ("P20", signed_by(r#""keyPaths":[]"#), "ok"),
        ("P20", sigstore(r#""keyPaths":[]"#), "policy.no-entries"),
        ("P20", sigstore(r#""keyPaths":null"#), "policy.no-entries"),
        ("P21", sigstore(r#""keyData":"YQ""#), "policy.base64"),
        ("P21", sigstore(r#""keyData":"_-8=""#), "policy.base64"),
        ("P21", sigstore(r#""keyData":"Y Q==""#), "policy.base64"),
        ("P22", sigstore(r#""keyData":"Y\nQ==""#), "ok"),
        ("P22", sigstore(r#""keyData":"YR==""#), "ok"),
        ("P22", sigstore(r#""keyData":[1,2,3]"#), "ok"),
        ("P22", sigstore(r#""keyData":[256]"#), "policy.value"),
        ("P22", sigstore(r#""keyData":[1.0]"#), "policy.value"),
        ("P23", signed_by(r#""keyDatas":["YQ=="]"#), "policy.unknown-key"),
        ("P23", sigstore(r#""keyPath":"/k","keyType":"GPGKeys""#), "policy.unknown-key"),
    ] {
        assert_eq!(found, code, "{id}");
    }
}

#[test]
fn p24_to_p28_identities() {
    let identity = |text: &str| sigstore(&format!(r#""keyPath":"/k","signedIdentity":{text}"#));
    let remap = |prefix: &str| identity(&format!(r#"{{"type":"remapIdentity","prefix":"{prefix}","signedPrefix":"a.b"}}"#));
    for (id, found, code) in [
        ("P24", identity("null"), "policy.match-type"),
        ("P24", signed_by(r#""keyPath":"/k","signedIdentity":null"#), "policy.match-type"),
        ("P25", identity(r#"{"type":"exactReference","dockerReference":"busybox"}"#), "policy.no-tag"),
        ("P26", identity(r#"{"type":"exactRepository","dockerRepository":"busybox:latest"}"#), "ok"),
        ("P27", remap("a.b/x:t"), "policy.prefix"),
        ("P27", remap("*.b"), "policy.prefix"),
        ("P27", remap("a.b/"), "policy.prefix"),
        ("P27", remap(""), "policy.prefix"),
        ("P27", remap("a.b/X"), "policy.prefix"),
        ("P27", remap("a.b@sha256:x"), "policy.prefix"),
        ("P28", remap("busybox"), "ok"),
        ("P28", remap("a.b:5000"), "ok"),
        ("P28", remap("a.b:5000/x/y"), "ok"),
    ] {
        assert_eq!(found, code, "{id}");
    }
}

#[test]
fn p29_to_p36_sigstore() {
    let fulcio = r#""fulcio":{"caPath":"/ca","oidcIssuer":"i","subjectEmail":"e"}"#;
    let pki = r#""pki":{"caRootsPath":"/ca","subjectEmail":"e"}"#;
    let rekor = r#""rekorPublicKeyPath":"/r""#;
    for (id, members, code) in [
        ("P29", fulcio.into(), "policy.rekor-source"),
        ("P29", format!(r#"{fulcio},"rekorPublicKeyPath":"""#), "policy.rekor-source"),
        ("P29", format!("{fulcio},{rekor}"), "ok"),
        ("P30", r#""keyPath":"/k","rekorPublicKeyPath":"""#.into(), "ok"),
        ("P30", r#""keyPath":"/k","rekorPublicKeyData":null"#.into(), "ok"),
        ("P31", r#""keyPath":"/k","rekorPublicKeyPaths":[]"#.into(), "policy.no-entries"),
        ("P32", format!(r#""keyPath":"/k",{rekor},"rekorPublicKeyData":"YQ==""#), "policy.rekor-source"),
        ("P32", format!(r#""keyPath":"/k",{rekor},"rekorPublicKeyData":"""#), "policy.rekor-source"),
        ("P33", format!(r#"{fulcio},{rekor},"keyPath":"/k""#), "policy.key-source"),
        ("P33", format!("{fulcio},{rekor},{pki}"), "policy.key-source"),
        ("P34", format!("{pki},{rekor}"), "policy.rekor-source"),
        ("P35", r#""pki":{"caRootsPath":"/ca"}"#.into(), "policy.subject"),
        ("P35", format!(r#""fulcio":{{"caPath":"/ca","subjectEmail":"e"}},{rekor}"#), "policy.subject"),
        ("P35", format!(r#""fulcio":{{"caPath":"/ca","oidcIssuer":"i"}},{rekor}"#), "policy.subject"),
        ("P36", format!(r#""fulcio":{{"caPath":"/ca","oidcIssuer":"i","subjectEmail":"e","subjectURI":"u"}},{rekor}"#), "policy.unknown-key"),
    ] {
        let members: String = members;
        assert_eq!(sigstore(&members), code, "{id} {members}");
    }
}

#[test]
fn one_source_of_certificates() {
    let fulcio = |members: &str| sigstore(&format!(r#""rekorPublicKeyPath":"/r","fulcio":{{"oidcIssuer":"i","subjectEmail":"e"{members}}}"#));
    let pki = |members: &str| sigstore(&format!(r#""pki":{{"subjectHostname":"h"{members}}}"#));
    for (found, code) in [
        (fulcio(""), "policy.ca-source"),
        (fulcio(r#","caPath":"""#), "policy.ca-source"),
        (fulcio(r#","caPath":"/c","caData":"""#), "policy.ca-source"),
        (fulcio(r#","caPath":"/c","caData":null"#), "ok"),
        (fulcio(r#","caPath":"","caData":"YQ==""#), "ok"),
        (pki(""), "policy.ca-source"),
        (pki(r#","caRootsPath":"/c","caRootsData":"YQ==""#), "policy.ca-source"),
        (pki(r#","caRootsPath":"/c","caIntermediatesPath":"/i","caIntermediatesData":"""#), "policy.ca-source"),
        (pki(r#","caRootsData":"YQ==","caIntermediatesPath":"","caIntermediatesData":null"#), "ok"),
    ] {
        assert_eq!(found, code);
    }
}

/// P30 says what became of the demand, not only that the policy parses.
#[test]
fn p30_an_empty_rekor_path_demands_no_log() {
    let parse = |text: &str| match Requirement::parse(text.as_bytes(), Vocabulary::Containers).unwrap() {
        Requirement::SigstoreSigned(SigstoreSigned { rekor, .. }) => rekor,
        other => panic!("{other:?}"),
    };
    assert_eq!(parse(r#"{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPath":""}"#), None);
    assert_eq!(parse(r#"{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyData":""}"#), Some(KeySource::Data([].into())));
}

#[test]
fn types_and_nulls() {
    for (found, code) in [
        (policy("[]"), "policy.type"),
        (policy(r#"{"default":{}}"#), "policy.type"),
        (policy(r#"{"default":[1]}"#), "policy.type"),
        (policy(r#"{"default":[{"type":1}]}"#), "policy.type"),
        (policy(r#"{"default":[{"Type":"reject"}]}"#), "policy.unknown-key"),
        (policy(r#"{"default":[{"type":"reject"}],"sealgate ":{"version":1}}"#), "policy.unknown-key"),
        (requirement(r#"{"type":"signedBaseLayer"}"#), "policy.missing-key"),
        (requirement(r#"{"type":"signedBaseLayer","baseLayerIdentity":null}"#), "policy.match-type"),
        (requirement(r#"{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}"#), "ok"),
        (sigstore(r#""fulcio":null"#), "policy.type"),
        (sigstore(r#""pki":null"#), "policy.type"),
        (sigstore(r#""keyPath":1"#), "policy.type"),
        (sigstore(r#""keyPaths":"/k""#), "policy.type"),
        (sigstore(r#""keyPaths":[1]"#), "policy.type"),
        (sigstore(r#""keyPaths":[null]"#), "ok"),
        (sigstore(r#""keyDatas":[null,[null,1]]"#), "ok"),
        (sigstore(r#""keyDatas":["*"]"#), "policy.base64"),
        (sigstore(r#""keyPath":"/k","keyDatas":null"#), "policy.no-entries"),
        (sigstore(r#""keyData":"""#), "ok"),
        (sigstore(r#""keyData":"","keyPath":"/k""#), "policy.key-source"),
        (sigstore(r#""keyData":null,"keyPath":"/k""#), "ok"),
        (signed_by(r#""keyPaths":null"#), "policy.key-source"),
        (signed_by(r#""keyData":"""#), "ok"),
        (signed_by(r#""keyPath":"/k","keyData":null"#), "policy.key-source"),
    ] {
        assert_eq!(found, code);
    }
}

#[test]
fn errors_keep_the_words_and_know_the_place() {
    let at = |requirement: &str| format!(r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{"registry.local":[{requirement}]}}}}}}"#);
    let first = r#"transports.docker["registry.local"][0]"#;
    let member = r#"transports.docker["registry.local"][0].keyPath"#;
    let archive = r#"transports["docker-archive"]["a"]"#;
    for (text, pointer, there, words) in [
        (at(r#"{"type":"sigstoreSigned","keyPath":1}"#), member, "1}", "a string expected, got a number"),
        (at(r#"{"type":"reject","x":1}"#), first, r#""x":1"#, r#"Unknown key "x""#),
        (at(r#"{"type":"reject","type":"insecureAcceptAnything"}"#), first, r#""type":"insecure"#, r#"Duplicate key "type""#),
        (at(r#"{"type":"attested"}"#), first, r#"{"type":"attested""#, r#"Unknown policy requirement type "attested": it is understood only with "sealgate": {"version": 1}"#),
        ("null".into(), "policy", "null", "JSON object expected, got <nil>"),
        ("{}".into(), "policy", "{}", "Default policy is missing"),
        (r#"{"default":[]}"#.into(), "default", "[]", "List of verification policy requirements must not be empty"),
        (at(r#"{"type":"signedBaseLayer"}"#), first, r#"{"type":"signed"#, r#"Key "baseLayerIdentity" missing in a JSON object"#),
        (r#"{"default":[{"type":"reject"}],"transports":{"docker-archive":{"a":[]}}}"#.into(), archive, "[]", r#"Unknown key "a""#),
    ] {
        let text: String = text;
        let message = message(&text);
        assert!(message.contains(words) && message.starts_with(&format!("{pointer} (byte {})", text.find(there).unwrap())), "{message}");
    }
}

/// The table that `policy.schema.json` is held against, too.
#[test]
fn the_table_of_the_schema() {
    let table = std::fs::read("fixtures/policy/policies.json").unwrap();
    let table: serde_json::Value = serde_json::from_slice(&table).unwrap();
    let cases = table.as_array().unwrap();
    for case in cases {
        assert_eq!(policy(&case["policy"].to_string()), case["code"], "{}", case["policy"]);
    }
    assert!(cases.iter().filter(|case| case["code"] == "ok").count() > 40 && cases.len() > 200);
}
