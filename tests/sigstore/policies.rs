//! The demo's keyless and attested images under its policy with one thing changed: what a policy
//! demands is demanded (docs/trust.md sections 1, 4, 5 and 6).

use crate::advisories::image as image_of;
use crate::authority;
use crate::edit::encode;
use crate::forge::{self, TIME};
use crate::support::{Memory, demo_assets, fixtures, judge_at, read};
use sealgate::internals::verify::{Outcome, Report, Rules, RulesError, Verdict};
use sealgate::policy::Policy;
use serde_json::{Value, json};

const ISSUER: &str = "https://token.actions.demo.example";
const SUBJECT: &str = "https://github.com/demo/app/.github/workflows/release.yml@refs/heads/main";

fn image(repository: &str) -> Memory {
    Memory::layout(&fixtures().join("demo").join(repository))
}

fn rules(requirements: Value) -> Result<Rules, RulesError> {
    let policy = json!({ "sealgate": { "version": 1 }, "default": requirements });
    let mut assets = demo_assets();
    for name in ["trusted_root.other.json", "trusted_root.no-log.json"] {
        assets.insert(name.into(), read(fixtures().join("sigstore").join(name)));
    }
    Rules::policy(
        Policy::parse(policy.to_string().as_bytes()).unwrap(),
        assets,
    )
}

fn report(repository: &str, requirement: &Value, time: i64) -> Report {
    judge_at(
        &image(repository),
        &rules(json!([requirement])).unwrap(),
        &format!("demo.example/demo/{repository}:1.0"),
        time,
    )
}

fn code(repository: &str, requirement: &Value) -> String {
    let report = report(repository, requirement, 1_800_000_000);
    if report.finding.verdict == Verdict::Allow {
        "allow".into()
    } else {
        format!("{:?} {}", report.finding.verdict, report.finding.code)
    }
}

/// An object with some members changed; `null` takes one away.
fn with(base: &Value, changes: Value) -> Value {
    let mut object = base.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(name)
        } else {
            object.insert(name.clone(), value.clone())
        };
    }
    object.into()
}

fn identity(issuer: &str, subject: &str) -> Value {
    json!([{ "issuer": issuer, "subject": subject }])
}

/// The workflow that signed demo/attested.
const BUILD: &str = "https://github.com/demo/app/.github/workflows/build.yml@refs/heads/main";

fn workflows() -> Value {
    json!([identity(ISSUER, SUBJECT)[0], identity(ISSUER, BUILD)[0]])
}

fn signed() -> Value {
    json!({ "type": "sigstoreSigned", "trustedRootPath": "trusted_root.json", "identities": workflows(), "signedIdentity": { "type": "matchDigest" } })
}

fn attested() -> Value {
    json!({ "type": "attested", "predicateType": "https://slsa.dev/provenance/v1", "trustedRootPath": "trusted_root.json", "identities": workflows() })
}

#[test]
fn identities() {
    let claims =
        |claims: Value| json!([{ "issuer": ISSUER, "subject": SUBJECT, "claims": claims }]);
    for (changes, wanted) in [
        (json!({}), "allow"),
        (
            json!({ "identities": [{ "issuerRegexp": "https://token[.]actions[.].*", "subjectRegexp": ".*/release[.]yml@refs/heads/main" }] }),
            "allow",
        ),
        // Matched whole.
        (
            json!({ "identities": [{ "issuer": ISSUER, "subjectRegexp": "https://github[.]com/demo/" }] }),
            "Deny sigstore.identity",
        ),
        (
            json!({ "identities": identity(ISSUER, "someone") }),
            "Deny sigstore.identity",
        ),
        (
            json!({ "identities": identity("https://issuer.example", SUBJECT) }),
            "Deny sigstore.identity",
        ),
        // Issuer of one entry, subject of another.
        (
            json!({ "identities": [identity(ISSUER, "someone")[0], identity("https://issuer.example", SUBJECT)[0]] }),
            "Deny sigstore.identity",
        ),
        (
            json!({ "identities": [identity(ISSUER, "someone")[0], identity(ISSUER, SUBJECT)[0]] }),
            "allow",
        ),
        (
            json!({ "identities": claims(json!({ "sourceRepositoryURI": "https://github.com/demo/app", "buildTrigger": "push" })) }),
            "allow",
        ),
        (
            json!({ "identities": claims(json!({ "sourceRepositoryURI": "https://github.com/demo/ap" })) }),
            "Deny sigstore.identity",
        ),
        (
            json!({ "identities": claims(json!({ "sourceRepositoryURI": "https://github.com/demo/app", "buildTrigger": "pull_request" })) }),
            "Deny sigstore.identity",
        ),
        (
            json!({ "trustedRootPath": "trusted_root.other.json" }),
            "Deny sigstore.log",
        ),
        // A bundle names no repository.
        (json!({ "signedIdentity": null }), "Deny identity.unnamed"),
        (
            json!({ "signedIdentity": { "type": "remapRepository", "prefix": "demo.example", "signedPrefix": "demo.example" } }),
            "Deny identity.unnamed",
        ),
        // Keys have no certificate, and the image carries nothing by a key.
        (
            json!({ "identities": null, "keyPath": "cosign.pub" }),
            "Deny sigstore.material",
        ),
    ] {
        assert_eq!(
            code("keyless", &with(&signed(), changes.clone())),
            wanted,
            "{changes}"
        );
    }
    let denied = report(
        "keyless",
        &with(
            &signed(),
            json!({ "identities": claims(json!({ "buildTrigger": "pull_request" })) }),
        ),
        1_800_000_000,
    );
    assert!(
        denied.finding.message.contains("buildTrigger push"),
        "{}",
        denied.finding.message
    );
}

#[test]
fn attestations_are_no_signatures_and_signatures_no_attestations() {
    assert_eq!(code("attested", &signed()), "allow");
    assert_eq!(code("attested", &attested()), "allow");
    // What is not asked for is set aside, and refuses nothing.
    let bom = with(
        &attested(),
        json!({ "predicateType": "https://cyclonedx.org/bom" }),
    );
    for (requirement, message) in [
        (signed(), "attestations say something"),
        (bom, "found one of type"),
    ] {
        let report = report("attested", &requirement, 1_800_000_000);
        let others: Vec<_> = report.requirements[0]
            .candidates
            .iter()
            .filter(|candidate| candidate.reason.code == "bundle.predicate-type")
            .collect();
        assert!(
            others.iter().all(|other| other.outcome == Outcome::SetAside
                && other.reason.message.contains(message)),
            "{others:?}"
        );
        assert!(!others.is_empty());
    }
    assert_eq!(code("keyless", &attested()), "Deny attestation.missing");
    assert_eq!(code("unsigned", &attested()), "Deny attestation.missing");
    // CVE-2022-35929: another type is there.
    assert_eq!(
        code(
            "attested",
            &with(
                &attested(),
                json!({ "predicateType": "https://spdx.dev/Document" })
            )
        ),
        "Deny attestation.missing"
    );
    assert_eq!(
        code(
            "attested",
            &with(
                &attested(),
                json!({ "predicateType": "https://cyclonedx.org/bom" })
            )
        ),
        "allow"
    );
    // Cosign's short names are their URIs, and say no more.
    for (short, wanted) in [
        ("slsaprovenance1", "allow"),
        ("cyclonedx", "allow"),
        ("slsaprovenance", "Deny attestation.missing"),
        ("spdx", "Deny attestation.missing"),
    ] {
        let requirement = with(&attested(), json!({ "predicateType": short }));
        assert_eq!(code("attested", &requirement), wanted, "{short}");
    }
    assert_eq!(
        code(
            "attested",
            &with(
                &attested(),
                json!({ "identities": identity(ISSUER, "someone") })
            )
        ),
        "Deny sigstore.identity"
    );
    let long = format!("https://slsa.dev/provenance/v1?{}", "x".repeat(200));
    assert_eq!(
        code(
            "attested",
            &with(&attested(), json!({ "predicateType": long }))
        ),
        "Deny attestation.missing"
    );
}

#[test]
fn conditions_are_met_by_one_statement() {
    let conditions = |conditions: Value| {
        code(
            "attested",
            &with(&attested(), json!({ "conditions": conditions })),
        )
    };
    let build_type = "https://demo.example/build/v1";
    let at = "/buildDefinition/buildType";
    assert_eq!(
        conditions(json!([{ "pointer": at, "equals": build_type }])),
        "allow"
    );
    assert_eq!(
        conditions(json!([{ "pointer": at, "oneOf": ["x", build_type] }])),
        "allow"
    );
    assert_eq!(
        conditions(json!([{ "pointer": at, "matches": "https://demo[.]example/.*" }])),
        "allow"
    );
    for wrong in [
        json!([{ "pointer": at, "equals": "https://demo.example/build/v2" }]),
        json!([{ "pointer": at, "oneOf": ["x"] }]),
        json!([{ "pointer": at, "matches": "https://demo[.]example/" }]),
        json!([{ "pointer": "/missing", "equals": null }]),
        json!([{ "pointer": at, "equals": build_type }, { "pointer": at, "equals": "y" }]),
    ] {
        assert_eq!(
            conditions(wrong.clone()),
            "Deny attestation.condition",
            "{wrong}"
        );
    }
}

/// Whoever holds an old signature can have it logged and stamped again, and leave the old time out:
/// its certificate is as old as ever. (A log of our own; Fulcio's certificates live for ten
/// minutes.)
#[test]
fn an_old_signature_that_is_logged_again_is_old() {
    let (ca, key, log, promises, leaf) = authority::certified();
    let payload = forge::statement(
        "https://slsa.dev/provenance/v1",
        &[json!({"name": "image", "digest": {"sha256": image_of(&[]).1.hex()}})],
    );
    let (memory, _) = image_of(&[authority::bundle_of(&payload, &key, &leaf, &[], &log)]);
    let root = authority::root(&ca, &log, &promises).to_string();
    let judged = |max_age: i64| {
        let attested = json!({ "type": "attested", "predicateType": "https://slsa.dev/provenance/v1", "trustedRootData": encode(root.as_bytes()), "identities": identity(authority::ISSUER, authority::SUBJECT), "maxAge": max_age });
        let report = judge_at(
            &memory,
            &rules(json!([attested])).unwrap(),
            "demo.example/it:1",
            i64::try_from(TIME).unwrap() + 10,
        );
        (report.finding.verdict, report.finding.code)
    };
    let age = i64::try_from(TIME).unwrap() + 10 - 1_577_836_800;
    assert_eq!(judged(3_600), (Verdict::Deny, "attestation.too-old"));
    assert_eq!(judged(age - 1), (Verdict::Deny, "attestation.too-old"));
    assert_eq!(judged(age), (Verdict::Allow, "signature.accepted"));
}

/// The verdict ends when the age does, to the second.
#[test]
fn ages() {
    let since = {
        let accepted = report("attested", &attested(), 1_800_000_000);
        let claims = accepted.requirements[0]
            .candidates
            .iter()
            .find_map(|candidate| candidate.claims.clone())
            .unwrap();
        claims.signer.unwrap().not_before
    };
    let aged = with(&attested(), json!({ "maxAge": 3_600 }));
    let at = |time: i64| report("attested", &aged, time);
    for (time, wanted) in [
        (since, Verdict::Allow),
        (since + 3_600, Verdict::Allow),
        (since + 3_601, Verdict::Deny),
        (since + 100_000, Verdict::Deny),
    ] {
        assert_eq!(at(time).finding.verdict, wanted, "{}", time - since);
    }
    assert_eq!(at(since + 3_601).finding.code, "attestation.too-old");
    let expires = |report: &Report| {
        report.requirements[0]
            .candidates
            .iter()
            .find_map(|candidate| candidate.expires)
    };
    assert_eq!(expires(&at(since)), Some(since + 3_601));
    assert_eq!(expires(&at(since + 3_601)), None);
    assert_eq!(expires(&report("attested", &attested(), since)), None);
}

#[test]
fn roots_are_judged_at_load() {
    let error = |root: Value| {
        let root = serde_json::to_vec(&root).unwrap();
        let mut assets = demo_assets();
        assets.insert("trusted_root.json".into(), root);
        let policy = json!({ "sealgate": { "version": 1 }, "default": [{ "type": "reject" }], "transports": { "docker": { "a.b": [signed()] } } });
        Rules::policy(
            Policy::parse(policy.to_string().as_bytes()).unwrap(),
            assets,
        )
        .unwrap_err()
        .to_string()
    };
    let root: Value =
        serde_json::from_slice(&read(fixtures().join("demo/trusted_root.json"))).unwrap();
    assert!(
        error(with(&root, json!({ "timestampAuthorities": null })))
            .contains("nobody who could say when"),
        "Rekor v2 tells no time"
    );
    assert!(
        error(with(&root, json!({ "certificateAuthorities": null })))
            .contains("lists no certificate authority")
    );
    assert!(error(json!({})).contains("trusted root"));
    let mut unsigned = root.clone();
    let certificates = unsigned["certificateAuthorities"][0]["certChain"]["certificates"]
        .as_array_mut()
        .unwrap();
    assert_eq!(certificates.len(), 2);
    certificates.pop();
    assert!(
        error(unsigned).contains("trusted root"),
        "a chain without its root"
    );
}
