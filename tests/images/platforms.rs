//! `--platform`: every entry that a client could take for it must be allowed, and there must be one
//! (docs/trust.md section 8).

use super::support::judge_platform;
use super::*;

/// An index that is signed, of amd64 and arm64.
#[test]
fn a_platform_that_no_entry_has_is_refused() {
    let (memory, key) = (
        demo("multi"),
        key_rules(&fixtures().join("demo/cosign.pub")),
    );
    for rules in [&demo_rules(), &key] {
        for (platform, expected) in [
            ("linux/amd64", (Verdict::Allow, "signature.accepted")),
            ("linux/arm64", (Verdict::Allow, "signature.accepted")),
            // Another variant of a system and architecture that are there: a client could take it.
            ("linux/arm64/v8", (Verdict::Allow, "signature.accepted")),
            ("linux/s390x", (Verdict::Deny, "index.platform")),
            ("windows/amd64", (Verdict::Deny, "index.platform")),
        ] {
            let report = judge_platform(&memory, rules, "demo.example/demo/multi:1.0", platform);
            assert_eq!(
                (report.finding.verdict, report.finding.code),
                expected,
                "{platform}"
            );
        }
    }
    assert!(judge(&memory, &key, "demo.example/demo/multi:1.0").verified);
}

/// What says nothing of its platform could be taken for any.
#[test]
fn an_entry_without_a_platform_counts() {
    let mut memory = demo("multi");
    let (bytes, kind) = memory.manifests["1.0"].clone();
    let mut index: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    index["manifests"][1]
        .as_object_mut()
        .unwrap()
        .remove("platform");
    memory
        .manifests
        .insert("1.0".into(), (index.to_string().into_bytes(), kind));
    memory.told.clear();
    let text = String::from_utf8(read(fixtures().join("demo/policy.json"))).unwrap();
    let mut policy: serde_json::Value = serde_json::from_str(&text).unwrap();
    policy["sealgate"]["coverage"] = "instance".into();
    let rules = Rules::policy(
        Policy::parse(policy.to_string().as_bytes()).unwrap(),
        demo_assets(),
    )
    .unwrap();
    for (platform, judged) in [("linux/amd64", 2), ("linux/s390x", 1)] {
        let report = judge_platform(&memory, &rules, "demo.example/demo/multi:1.0", platform);
        assert_eq!(
            (report.finding.verdict, report.instances.len()),
            (Verdict::Deny, judged),
            "{platform}"
        );
    }
}
