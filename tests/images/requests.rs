//! What is asked: the name to judge by, and the digest that the bytes must have.

use super::*;
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::Request;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
const OTHER: &str = "sha256:54136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn a_name_to_judge_by_takes_what_was_asked_for_and_contradicts_nothing() {
    let key = key_rules(&fixtures().join("demo/cosign.pub"));
    let policy = demo_rules();
    let pinned = format!("a.example/b@{DIGEST}");
    let both = format!("a.example/b:1@{DIGEST}");
    for (rules, reference, judged_as, expected) in [
        (&key, "a.example/b", None, "a.example/b:latest".into()),
        (&key, "b", None, "docker.io/library/b:latest".into()),
        (
            &policy,
            "a.example/b:1",
            Some("c.example/d"),
            "c.example/d:1".into(),
        ),
        (
            &policy,
            "a.example/b:1",
            Some("c.example/d:2"),
            "c.example/d:2".into(),
        ),
        (
            &policy,
            &pinned,
            Some("c.example/d"),
            format!("c.example/d@{DIGEST}"),
        ),
        (&key, &both, None, both.clone()),
        (&policy, &both, None, "reference.tag-and-digest".into()),
        (
            &policy,
            &both,
            Some("c.example/d:2"),
            "reference.tag-and-digest".into(),
        ),
        (
            &key,
            &pinned,
            Some(&format!("c.example/d@{OTHER}")),
            "argument".into(),
        ),
        (
            &key,
            "a.example/b:1",
            Some(&format!("c.example/d@{DIGEST}")),
            "argument".into(),
        ),
    ] {
        let request = Request::parse(reference, judged_as, rules, UnixTime(0));
        let found = request.map_or_else(|failure| failure.code.into(), |it| it.name().to_string());
        assert_eq!(found, expected, "{reference} as {judged_as:?}");
    }
}

#[test]
fn other_bytes_under_a_digest_are_refused() {
    let mut memory = demo("signed");
    let (bytes, kind) = memory.manifests["1.0"].clone();
    let digest = Digest::of(&bytes).to_string();
    let name = format!("demo.example/demo/signed@{digest}");
    let key = key_rules(&fixtures().join("demo/cosign.pub"));
    assert!(judge(&memory, &key, &name).allowed().is_some());
    let other = [&bytes[..], b" "].concat();
    memory.manifests.insert(digest, (other, kind));
    let report = judge(&memory, &key, &name);
    assert_eq!(
        (
            report.finding.verdict,
            report.finding.code,
            report.allowed()
        ),
        (Verdict::Deny, "digest.mismatch", None)
    );
}

#[test]
fn an_image_that_is_missing_makes_the_list_unknown_and_is_named_alone() {
    let mut memory = demo("multi");
    let (bytes, _) = &memory.manifests["1.0"];
    let index: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let missing = index["manifests"][1]["digest"].as_str().unwrap().to_owned();
    let text = read(fixtures().join("demo/policy.json"));
    let mut policy: serde_json::Value = serde_json::from_slice(&text).unwrap();
    policy["sealgate"]["coverage"] = "instance".into();
    let policy = Policy::parse(policy.to_string().as_bytes()).unwrap();
    let rules = Rules::policy(policy, demo_assets()).unwrap();
    let name = "demo.example/demo/multi:1.0";
    assert_eq!(judge(&memory, &rules, name).finding.verdict, Verdict::Deny);
    memory.manifests.remove(&missing);
    let finding = judge(&memory, &rules, name).finding;
    assert_eq!(
        (finding.verdict, finding.code),
        (Verdict::Unknown, "instance.missing")
    );
    let listed = format!(
        "1 of the 2 images in this index could not be judged, and each is judged for itself here: {missing}"
    );
    assert!(finding.message.starts_with(&listed), "{}", finding.message);
}
