//! The vocabulary under `"sealgate": {"version": 1}`.

use super::*;
use crate::policy::Coverage;
use crate::policy::Others;
use crate::policy::PolicyError;
use crate::policy::Trust;

/// A policy of ours with one requirement.
fn ours(requirement: &str) -> String {
    format!(r#"{{"sealgate":{{"version":1}},"default":[{requirement}]}}"#)
}

/// `ok` or the code, and that the same without the marker is refused.
fn only_ours(requirement: &str) -> &'static str {
    let plain = policy(&format!(r#"{{"default":[{requirement}]}}"#));
    assert!(
        matches!(
            plain,
            "policy.unknown-key" | "policy.requirement-type" | "policy.match-type"
        ),
        "{plain} {requirement}"
    );
    policy(&ours(requirement))
}

fn sigstore(members: &str) -> &'static str {
    only_ours(&format!(r#"{{"type":"sigstoreSigned",{members}}}"#))
}

const IDENTITIES: &str = r#""identities":[{"issuer":"i","subject":"s"}]"#;

#[test]
fn the_marker() {
    let with = |marker: &str| format!(r#"{{"default":[{{"type":"reject"}}],"sealgate":{marker}}}"#);
    let until = |until: &str| {
        with(&format!(
            r#"{{"version":1,"exceptions":[{{"scope":"a.b/c","digests":["sha256:{HEX}"],"until":"{until}","reason":"r"}}]}}"#
        ))
    };
    for (text, code) in [
        (with(r#"{"version":1}"#), "ok"),
        (
            with(r#"{"version":1,"coverage":"instance","audit":["a.b",""],"exceptions":[]}"#),
            "ok",
        ),
        (until("2027-01-31T12:00:00Z"), "ok"),
        (
            with(&format!(r#"{{"version":1,"distrusted":["sha256:{HEX}"]}}"#)),
            "ok",
        ),
        (
            with(r#"{"version":1,"distrusted":["sha256:abc"]}"#),
            "policy.value",
        ),
        (
            with(r#"{"version":1,"distrusted":"sha256:abc"}"#),
            "policy.type",
        ),
        (until("2027-02-31T12:00:00Z"), "policy.value"),
        (until("2027-01-31"), "policy.value"),
        (with("null"), "policy.type"),
        (with("{}"), "policy.missing-key"),
        (with(r#"{"version":2}"#), "policy.version"),
        (with(r#"{"version":"1"}"#), "policy.version"),
        (with(r#"{"version":1.0}"#), "policy.version"),
        (with(r#"{"version":1,"version":1}"#), "policy.duplicate-key"),
        (with(r#"{"version":1,"x":1}"#), "policy.unknown-key"),
        (with(r#"{"version":1,"coverage":"all"}"#), "policy.value"),
        (with(r#"{"version":1,"coverage":null}"#), "policy.value"),
        (with(r#"{"version":1,"audit":null}"#), "policy.type"),
        (with(r#"{"version":1,"audit":[null]}"#), "policy.type"),
        (
            with(r#"{"version":1,"exceptions":[{}]}"#),
            "policy.missing-key",
        ),
        (
            with(
                r#"{"version":1,"exceptions":[{"scope":"a","digests":[],"until":"2027-01-31T12:00:00Z","reason":"r"}]}"#,
            ),
            "policy.no-entries",
        ),
        (
            with(
                r#"{"version":1,"exceptions":[{"scope":"a","digests":["x"],"until":"2027-01-31T12:00:00Z","reason":"r"}]}"#,
            ),
            "policy.value",
        ),
    ] {
        assert_eq!(policy(&text), code, "{text}");
    }
    assert_eq!(
        policy(
            r#"{"sealgate":{"version":1},"default":[{"type":"reject"}],"sealgate":{"version":1}}"#
        ),
        "policy.duplicate-key"
    );
}

#[test]
fn coverage_follows_the_marker() {
    let coverage = |text: &str| {
        Policy::parse(text.as_bytes())
            .map(|policy| (policy.is_extended(), policy.coverage()))
            .unwrap()
    };
    assert_eq!(
        coverage(r#"{"default":[{"type":"reject"}]}"#),
        (false, Coverage::Instance)
    );
    assert_eq!(
        coverage(r#"{"default":[{"type":"reject"}],"sealgate":{"version":1}}"#),
        (true, Coverage::Index)
    );
    assert_eq!(
        coverage(
            r#"{"default":[{"type":"reject"}],"sealgate":{"version":1,"coverage":"instance"}}"#
        ),
        (true, Coverage::Instance)
    );
}

#[test]
fn trusted_roots_and_identities() {
    let root = r#""trustedRoot":"public-good""#;
    let entry = |entry: &str| format!(r#"{root},"identities":[{entry}]"#);
    for (members, code) in [
        (format!("{root},{IDENTITIES}"), "ok"),
        (format!(r#""trustedRootPath":"/r",{IDENTITIES}"#), "ok"),
        (format!(r#""trustedRootData":"YQ==",{IDENTITIES}"#), "ok"),
        (format!(r#"{root},"keyPath":"/k""#), "ok"),
        (root.into(), "policy.trusted-root"),
        (
            format!(r#"{root},"keyPath":"/k",{IDENTITIES}"#),
            "policy.trusted-root",
        ),
        (
            format!(r#"{root},"trustedRootPath":"/r",{IDENTITIES}"#),
            "policy.trusted-root",
        ),
        (
            format!(r#"{root},"rekorPublicKeyPath":"",{IDENTITIES}"#),
            "policy.trusted-root",
        ),
        (
            format!(r#"{root},"keyPath":"/k","keyData":"YQ==""#),
            "policy.key-source",
        ),
        (
            format!(r#"{root},"pki":{{"caRootsPath":"/r","subjectEmail":"e"}},{IDENTITIES}"#),
            "policy.trusted-root",
        ),
        (
            format!(r#""keyPath":"/k",{IDENTITIES}"#),
            "policy.identities",
        ),
        (IDENTITIES.into(), "policy.identities"),
        (
            format!(r#""trustedRoot":"other",{IDENTITIES}"#),
            "policy.value",
        ),
        (
            format!(r#""trustedRoot":null,{IDENTITIES}"#),
            "policy.value",
        ),
        (
            format!(r#""trustedRootPath":"",{IDENTITIES}"#),
            "policy.value",
        ),
        (
            format!(r#""trustedRootPath":null,{IDENTITIES}"#),
            "policy.type",
        ),
        (
            format!(r#""trustedRootData":"",{IDENTITIES}"#),
            "policy.value",
        ),
        (format!(r#"{root},"identities":[]"#), "policy.no-entries"),
        (format!(r#"{root},"identities":null"#), "policy.type"),
        (
            entry(r#"{"issuerRegexp":"i.*","subjectRegexp":"a\\\\p"}"#),
            "ok",
        ),
        (
            entry(r#"{"issuer":"i","subject":"s","claims":{"sourceRepositoryURI":"u"}}"#),
            "ok",
        ),
        (entry(r#"{"issuer":"i"}"#), "policy.identities"),
        (entry(r#"{"subject":"s"}"#), "policy.identities"),
        (
            entry(r#"{"issuer":"i","issuerRegexp":"i","subject":"s"}"#),
            "policy.identities",
        ),
        (entry(r#"{"issuer":"","subject":"s"}"#), "policy.pattern"),
        (
            entry(r#"{"issuer":"i","subjectRegexp":"\\pL"}"#),
            "policy.pattern",
        ),
        (
            entry(r#"{"issuer":"i","subjectRegexp":"a)|(b"}"#),
            "policy.pattern",
        ),
        (
            entry(&format!(
                r#"{{"issuer":"i","subjectRegexp":"{}"}}"#,
                "a".repeat(1025)
            )),
            "policy.pattern",
        ),
        (
            entry(r#"{"issuer":"i","subject":"s","claims":{}}"#),
            "policy.no-entries",
        ),
        (
            entry(r#"{"issuer":"i","subject":"s","claims":{"repository":"x"}}"#),
            "policy.unknown-key",
        ),
        (
            entry(r#"{"issuer":"i","subject":"s","claims":{"buildTrigger":1}}"#),
            "policy.type",
        ),
    ] {
        let members: String = members;
        assert_eq!(sigstore(&members), code, "{members}");
    }
}

/// A short name is its URI from here on; an unknown one is refused in its place, with those that
/// exist.
#[test]
fn short_names_of_predicate_types() {
    let read = |name: &str| {
        let text = format!(
            r#"{{"sealgate":{{"version":1}},"default":[{{"type":"attested","predicateType":"{name}","keyPath":"/k"}}]}}"#
        );
        Policy::parse(text.as_bytes())
    };
    let policy = read("slsaprovenance1").unwrap();
    let [Requirement::Attested(attested)] = policy.default.as_slice() else {
        panic!("{policy:?}")
    };
    assert_eq!(attested.predicate_type, "https://slsa.dev/provenance/v1");
    let error = read("slsa").unwrap_err();
    let PolicyError::PredicateType { place, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(place.pointer, "default[0].predicateType");
    let message = error.to_string();
    assert!(
        message.contains("slsaprovenance1") && message.ends_with(r#"found "slsa""#),
        "{message}"
    );
}

#[test]
fn attested() {
    let with = |members: &str| {
        only_ours(&format!(
            r#"{{"type":"attested","predicateType":"https://p.example","keyPath":"/k",{members}}}"#
        ))
    };
    let aged = |age: &str| {
        only_ours(&format!(
            r#"{{"type":"attested","predicateType":"https://p.example","trustedRoot":"github",{IDENTITIES},"maxAge":{age}}}"#
        ))
    };
    for (found, code) in [
        (
            only_ours(r#"{"type":"attested","predicateType":"https://p.example","keyPath":"/k"}"#),
            "ok",
        ),
        (
            only_ours(r#"{"type":"attested","keyPath":"/k"}"#),
            "policy.missing-key",
        ),
        (
            only_ours(r#"{"type":"attested","predicateType":"","keyPath":"/k"}"#),
            "policy.value",
        ),
        (
            only_ours(r#"{"type":"attested","predicateType":"vuln","keyPath":"/k"}"#),
            "ok",
        ),
        (
            only_ours(r#"{"type":"attested","predicateType":"vulns","keyPath":"/k"}"#),
            "policy.predicate-type",
        ),
        (
            only_ours(r#"{"type":"attested","predicateType":"https://p.example"}"#),
            "policy.key-source",
        ),
        (
            only_ours(&format!(
                r#"{{"type":"attested","predicateType":"https://p.example","trustedRoot":"github",{IDENTITIES}}}"#
            )),
            "ok",
        ),
        (with(r#""rekorPublicKeyPath":"/r""#), "policy.unknown-key"),
        (
            with(r#""signedIdentity":{"type":"matchExact"}"#),
            "policy.unknown-key",
        ),
        // A key's signature can be logged and stamped again, by whoever holds it.
        (with(r#""maxAge":86400"#), "policy.max-age"),
        (
            with(r#""maxAge":86400,"trustedRoot":"github""#),
            "policy.max-age",
        ),
        (aged("86400"), "ok"),
        (aged("0"), "policy.value"),
        (aged("1.5"), "policy.value"),
        (
            with(r#""conditions":[{"pointer":"/a","maxAge":86400}]"#),
            "ok",
        ),
        (
            with(r#""conditions":[{"pointer":"/a","maxAge":0}]"#),
            "policy.value",
        ),
        (
            with(r#""conditions":[{"pointer":"/a","maxAge":1,"equals":1}]"#),
            "policy.condition",
        ),
        (
            with(
                r#""conditions":[{"pointer":"/a~1b/0","equals":{"a":[null]}},{"pointer":"","oneOf":[1,"x"]},{"pointer":"/x","matches":"a|b"}]"#,
            ),
            "ok",
        ),
        (with(r#""conditions":[]"#), "policy.no-entries"),
        (
            with(r#""conditions":[{"pointer":"a","equals":1}]"#),
            "policy.value",
        ),
        (
            with(r#""conditions":[{"pointer":"/a~2","equals":1}]"#),
            "policy.value",
        ),
        (
            with(r#""conditions":[{"pointer":"/a~","equals":1}]"#),
            "policy.value",
        ),
        (
            with(r#""conditions":[{"pointer":"/a"}]"#),
            "policy.condition",
        ),
        (
            with(r#""conditions":[{"pointer":"/a","equals":1,"matches":"x"}]"#),
            "policy.condition",
        ),
        (
            with(r#""conditions":[{"pointer":"/a","oneOf":[]}]"#),
            "policy.no-entries",
        ),
        (
            with(r#""conditions":[{"pointer":"/a","equals":[{"b":{"c":1,"c":1}}]}]"#),
            "policy.duplicate-key",
        ),
    ] {
        assert_eq!(found, code);
    }
}

#[test]
fn pinned() {
    let pin = |image: &str, digest: &str| {
        only_ours(&format!(
            r#"{{"type":"pinned","pins":{{"{image}":"{digest}"}}}}"#
        ))
    };
    let digest = &format!("sha256:{HEX}");
    for (found, code) in [
        (pin("a.b/c:1", digest), "ok"),
        (pin("a.b/c", digest), "policy.value"),
        (pin("busybox:1", digest), "policy.value"),
        (pin(&format!("a.b/c:1@{digest}"), digest), "policy.value"),
        (pin("a.b/C:1", digest), "policy.reference"),
        (pin("a.b/c:1", "x"), "policy.value"),
        (
            only_ours(r#"{"type":"pinned","pins":{}}"#),
            "policy.no-entries",
        ),
        (only_ours(r#"{"type":"pinned"}"#), "policy.missing-key"),
        (
            only_ours(&format!(
                r#"{{"type":"pinned","pins":{{"a.b/c:1":"{digest}"}},"others":"x"}}"#
            )),
            "policy.value",
        ),
    ] {
        assert_eq!(found, code);
    }
    let text = format!(r#"{{"type":"pinned","pins":{{"a.b/c:1":"{digest}"}}}}"#);
    let Requirement::Pinned(pinned) =
        Requirement::parse(text.as_bytes(), Vocabulary::Extended).unwrap()
    else {
        panic!()
    };
    assert_eq!(pinned.others, Others::Deny);
}

#[test]
fn matchers_of_ours_belong_to_sigstore_signed() {
    let digest = r#""signedIdentity":{"type":"matchDigest"}"#;
    assert_eq!(sigstore(&format!(r#""keyPath":"/k",{digest}"#)), "ok");
    assert_eq!(
        sigstore(r#""keyPath":"/k","signedIdentity":{"type":"matchDigest","anyName":null}"#),
        "policy.type"
    );
    assert_eq!(
        sigstore(
            r#""keyPath":"/k","signedIdentity":{"type":"remapRepository","prefix":"a.b/","signedPrefix":"c.d"}"#
        ),
        "policy.prefix"
    );
    assert_eq!(
        only_ours(&format!(
            r#"{{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k",{digest}}}"#
        )),
        "policy.match-type"
    );
    assert_eq!(
        only_ours(r#"{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchDigest"}}"#),
        "policy.match-type"
    );
}

#[test]
fn expired_keys() {
    let signed_by = |until: &str| {
        only_ours(&format!(
            r#"{{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k","expiredKeys":{until}}}"#
        ))
    };
    assert_eq!(signed_by(r#"{"until":"2027-01-31T12:00:00Z"}"#), "ok");
    assert_eq!(signed_by(r#"{"until":"2027-01-31"}"#), "policy.value");
    assert_eq!(signed_by(r#"{"until":null}"#), "policy.value");
    assert_eq!(signed_by("{}"), "policy.missing-key");
    assert_eq!(signed_by("null"), "policy.type");
    assert_eq!(
        signed_by(r#"{"until":"2027-01-31T12:00:00Z","x":1}"#),
        "policy.unknown-key"
    );
    assert_eq!(
        sigstore(r#""keyPath":"/k","expiredKeys":{"until":"2027-01-31T12:00:00Z"}"#),
        "policy.unknown-key"
    );
}

#[test]
fn bundles_are_read_where_our_vocabulary_asks() {
    let reads = |members: &str| match Requirement::parse(
        format!(r#"{{"type":"sigstoreSigned",{members}}}"#).as_bytes(),
        Vocabulary::Extended,
    )
    .unwrap()
    {
        Requirement::SigstoreSigned(signed) => signed.reads_bundles(),
        other => panic!("{other:?}"),
    };
    let digest = r#""signedIdentity":{"type":"matchDigest"}"#;
    assert!(!reads(r#""keyPath":"/k""#));
    assert!(reads(&format!(r#""keyPath":"/k",{digest}"#)));
    assert!(!reads(&format!(
        r#""keyPath":"/k","rekorPublicKeyPath":"/r",{digest}"#
    )));
    assert!(reads(r#""keyPath":"/k","trustedRoot":"staging""#));
    assert!(!reads(&format!(
        r#""pki":{{"caRootsPath":"/r","subjectEmail":"e"}},{digest}"#
    )));
}

#[test]
fn every_path_is_listed_once_in_order() {
    let text = format!(
        r#"{{"sealgate":{{"version":1}},
        "transports":{{"docker":{{"b":[{{"type":"signedBy","keyType":"GPGKeys","keyPaths":["/1","/2"]}},{{"type":"sigstoreSigned","keyPath":"/0"}}],
        "a":[{{"type":"sigstoreSigned","pki":{{"caRootsPath":"/3","caIntermediatesPath":"/4","subjectEmail":"e"}}}}]}},
        "oci":{{"":[{{"type":"sigstoreSigned","fulcio":{{"caPath":"/5","oidcIssuer":"i","subjectEmail":"e"}},"rekorPublicKeyPaths":["/6","/1"]}},
        {{"type":"attested","predicateType":"https://p.example","trustedRootPath":"/7",{IDENTITIES}}}]}}}},
        "default":[{{"type":"sigstoreSigned","keyPath":"/0","trustedRootPath":"/00"}}]}}"#
    );
    let policy = Policy::parse(text.as_bytes()).unwrap();
    assert_eq!(
        policy.asset_paths(),
        ["/0", "/00", "/1", "/2", "/3", "/4", "/5", "/6", "/7"]
    );
    assert!(
        matches!(&policy.scopes().next().unwrap().requirements[0], Requirement::SigstoreSigned(signed) if matches!(signed.trust, Trust::LoggedKeys { .. }))
    );
}
