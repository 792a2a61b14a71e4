//! Digests that a policy names: `pinned`, `exceptions`, and scopes under `audit` (docs/trust.md
//! sections 1 and 6).

use super::*;
use sealgate::internals::digest::Algorithm;
use sealgate::internals::oci::registry::{Fetched, RegistryError};
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::{Archive, Judge, Listed, Report, Subject, Work};
use serde_json::{Value, json};

const UNTIL: i64 = 1_798_761_600;
const UNTIL_TEXT: &str = "2027-01-01T00:00:00Z";

fn digest_of(memory: &Memory) -> String {
    Digest::of(&memory.manifests["1.0"].0).to_string()
}

fn rules(marker: Value, requirements: Value) -> Rules {
    let mut marker = marker;
    marker["version"] = json!(1);
    let policy = json!({ "sealgate": marker, "default": [{ "type": "reject" }], "transports": { "docker": { "demo.example/demo": requirements } } });
    Rules::policy(
        Policy::parse(policy.to_string().as_bytes()).unwrap(),
        demo_assets(),
    )
    .unwrap()
}

fn pinned(image: &str, digest: &str, others: &str) -> Rules {
    rules(
        json!({}),
        json!([{ "type": "pinned", "pins": { image: digest }, "others": others }]),
    )
}

fn said(report: &Report) -> (Verdict, &str) {
    (report.finding.verdict, report.finding.code)
}

/// By the digest of its image.
fn by_digest(memory: &Memory, rules: &Rules, repository: &str) -> Report {
    let digest = digest_of(memory);
    judge(memory, rules, &format!("{repository}@{digest}"))
}

#[test]
fn a_tag_has_the_digest_that_is_pinned() {
    let memory = demo("unsigned");
    let name = "demo.example/demo/unsigned:1.0";
    let digest = digest_of(&memory);
    let other = Digest::of(b"another").to_string();
    let sha512 = Digest::with(Algorithm::Sha512, &memory.manifests["1.0"].0).to_string();
    for (image, digest, others, verdict, code) in [
        (
            name,
            digest.as_str(),
            "deny",
            Verdict::Allow,
            "pinned.listed",
        ),
        (name, &sha512, "deny", Verdict::Allow, "pinned.listed"),
        (name, &other, "deny", Verdict::Deny, "pinned.other-digest"),
        (name, &other, "allow", Verdict::Deny, "pinned.other-digest"),
        (
            "demo.example/demo/unsigned:2.0",
            &digest,
            "deny",
            Verdict::Deny,
            "pinned.unlisted-tag",
        ),
        (
            "demo.example/demo/unsigned:2.0",
            &other,
            "allow",
            Verdict::Allow,
            "pinned.others",
        ),
        (
            "demo.example/demo/signed:1.0",
            &digest,
            "deny",
            Verdict::Deny,
            "pinned.unlisted-tag",
        ),
    ] {
        assert_eq!(
            said(&judge(&memory, &pinned(image, digest, others), name)),
            (verdict, code),
            "{image} {digest}"
        );
    }
    let refused = judge(&memory, &pinned(name, &other, "deny"), name);
    assert!(
        refused.finding.message.contains(&other) && refused.finding.message.contains(&digest),
        "{}",
        refused.finding.message
    );
}

#[test]
fn a_digest_is_pinned_for_its_repository() {
    let memory = demo("unsigned");
    let repository = "demo.example/demo/unsigned";
    let (digest, other) = (digest_of(&memory), Digest::of(b"another").to_string());
    let tagged = format!("{repository}:any-tag");
    assert_eq!(
        said(&by_digest(
            &memory,
            &pinned(&tagged, &digest, "deny"),
            repository
        )),
        (Verdict::Allow, "pinned.listed")
    );
    // What tags may, digests may not: "others" speaks of tags.
    for (image, digest) in [
        (tagged.as_str(), &other),
        ("demo.example/demo/signed:1.0", &digest),
    ] {
        for others in ["deny", "allow"] {
            assert_eq!(
                said(&by_digest(
                    &memory,
                    &pinned(image, digest, others),
                    repository
                )),
                (Verdict::Deny, "pinned.unlisted-digest"),
                "{image}"
            );
        }
    }
}

#[test]
fn a_pin_is_no_signature() {
    let memory = demo("unsigned");
    let name = "demo.example/demo/unsigned:1.0";
    let pin = json!({ "type": "pinned", "pins": { name: digest_of(&memory) } });
    let key = json!({ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchRepository" } });
    for both in [json!([pin, key]), json!([key, pin])] {
        assert_eq!(
            said(&judge(&memory, &rules(json!({}), both), name)),
            (Verdict::Deny, "signature.missing")
        );
    }
}

/// A pinned index speaks for the images that it lists, whichever way they are judged.
#[test]
fn a_pinned_index_covers_its_images() {
    let memory = demo("multi");
    let name = "demo.example/demo/multi:1.0";
    let pin = json!([{ "type": "pinned", "pins": { name: digest_of(&memory) } }]);
    for coverage in ["index", "instance"] {
        let report = judge(
            &memory,
            &rules(json!({ "coverage": coverage }), pin.clone()),
            name,
        );
        assert_eq!(
            said(&report),
            (Verdict::Allow, "pinned.listed"),
            "{coverage}"
        );
    }
    let Ok(Document::Index(index)) = Document::parse(&memory.manifests["1.0"].0, None) else {
        panic!()
    };
    let child = index.manifests[0].digest.to_string();
    let report = judge(
        &memory,
        &rules(json!({}), pin),
        &format!("demo.example/demo/multi@{child}"),
    );
    assert_eq!(
        said(&report),
        (Verdict::Deny, "pinned.unlisted-digest"),
        "nothing says by which index it came"
    );
}

fn excepted(scope: &str, digest: &str, requirements: Value) -> Rules {
    rules(
        json!({ "exceptions": [{ "scope": scope, "digests": [digest], "until": UNTIL_TEXT, "reason": "the signer is down" }] }),
        requirements,
    )
}

#[test]
fn an_exception_admits_its_digests_until_its_end() {
    let memory = demo("unsigned");
    let name = "demo.example/demo/unsigned:1.0";
    let (digest, other) = (digest_of(&memory), Digest::of(b"another").to_string());
    let key = json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchRepository" } }]);
    let at = |rules: &Rules, time: i64| support::judge_at(&memory, rules, name, time);
    let open = excepted("demo.example/demo/unsigned", &digest, key.clone());
    let admitted = at(&open, UNTIL - 1);
    assert_eq!(said(&admitted), (Verdict::Allow, "exception.admitted"));
    assert!(
        admitted.finding.message.contains("the signer is down")
            && admitted.finding.message.contains(UNTIL_TEXT),
        "{}",
        admitted.finding.message
    );
    // What is lacking is said beside it.
    let kinds: Vec<(&str, &str)> = admitted
        .requirements
        .iter()
        .map(|one| (one.kind.as_str(), one.finding.code))
        .collect();
    assert_eq!(
        kinds,
        [
            ("sigstoreSigned", "signature.missing"),
            ("exception", "exception.admitted")
        ]
    );
    assert_eq!(admitted.requirements[1].expires, Some(UNTIL));
    assert_eq!(admitted.equivalent, None, "cosign knows no exceptions");
    for time in [UNTIL, UNTIL + 1] {
        assert_eq!(said(&at(&open, time)), (Verdict::Deny, "signature.missing"));
    }
    for (scope, digest, verdict) in [
        ("demo.example/demo", &digest, Verdict::Deny),
        ("demo.example/demo/unsigned/below", &digest, Verdict::Deny),
        ("demo.example/demo/unsigned:1.0", &digest, Verdict::Allow),
        ("demo.example/demo/unsigned:2.0", &digest, Verdict::Deny),
        ("demo.example/demo/uns", &digest, Verdict::Deny),
        ("other.example/demo/unsigned", &digest, Verdict::Deny),
        ("demo.example/demo/unsigned", &other, Verdict::Deny),
    ] {
        assert_eq!(
            at(&excepted(scope, digest, key.clone()), UNTIL - 1)
                .finding
                .verdict,
            verdict,
            "{scope} {digest}"
        );
    }
    // By its digest it is the same repository, and no tag.
    let named = |scope: &str| {
        let lasting = rules(
            json!({ "exceptions": [{ "scope": scope, "digests": [&digest], "until": "2099-01-01T00:00:00Z", "reason": "r" }] }),
            key.clone(),
        );
        by_digest(&memory, &lasting, "demo.example/demo/unsigned")
            .finding
            .verdict
    };
    assert_eq!(
        (
            named("demo.example/demo/unsigned"),
            named("demo.example/demo/unsigned:1.0")
        ),
        (Verdict::Allow, Verdict::Deny)
    );
    let reject = excepted(
        "demo.example/demo/unsigned",
        &digest,
        json!([{ "type": "reject" }]),
    );
    assert_eq!(
        said(&at(&reject, UNTIL - 1)),
        (Verdict::Allow, "exception.admitted")
    );
    let subject = Subject::read(memory.manifests["1.0"].0.clone(), None, None).unwrap();
    let reference = sealgate::internals::reference::Reference::normalize(
        name,
        sealgate::internals::reference::Grammar::Containers,
    )
    .unwrap();
    let judge = Judge {
        rules: &reject,
        name: &reference,
        now: UnixTime(UNTIL - 1),
        archive: &memory,
        work: &Work::new(&sealgate::internals::crypto::RustCrypto),
    };
    let judged = block_on(judge.manifest(&subject, None));
    assert_eq!(
        judged.expires(),
        Some(UnixTime(UNTIL)),
        "what is remembered ends with it"
    );
}

#[test]
fn what_needs_no_exception_has_none() {
    let memory = demo("signed");
    let key = json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchRepository" } }]);
    let report = support::judge_at(
        &memory,
        &excepted("demo.example/demo/signed", &digest_of(&memory), key),
        "demo.example/demo/signed:1.0",
        UNTIL - 1,
    );
    assert_eq!(
        (said(&report), report.requirements.len()),
        ((Verdict::Allow, "signature.accepted"), 1)
    );
}

/// A registry that keeps its signatures to itself.
struct Closed(Memory);

impl Archive for Closed {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        if reference.ends_with(".sig") {
            return Err(RegistryError::Refused {
                url: reference.into(),
                status: 503,
                code: "UNAVAILABLE".into(),
                message: String::new(),
            });
        }
        self.0.manifest(reference).await
    }

    async fn blob(
        &self,
        digest: &Digest,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        self.0.blob(digest, max_bytes).await
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        self.0.referrers(digest).await
    }
}

/// That is when the glass is broken.
#[test]
fn an_exception_admits_what_could_not_be_found_out() {
    let memory = Closed(demo("unsigned"));
    let key = json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchRepository" } }]);
    let name = "demo.example/demo/unsigned:1.0";
    let open = excepted("demo.example/demo/unsigned", &digest_of(&memory.0), key);
    assert_eq!(
        said(&support::judge_at(&memory, &open, name, UNTIL - 1)),
        (Verdict::Allow, "exception.admitted")
    );
    assert_eq!(
        support::judge_at(&memory, &open, name, UNTIL)
            .finding
            .verdict,
        Verdict::Unknown
    );
}

/// The verdict is what it will be; the report says that it is not enforced yet.
#[test]
fn audit_is_a_note() {
    let memory = demo("unsigned");
    let name = "demo.example/demo/unsigned:1.0";
    let noted = |scope: &str| {
        let report = judge(
            &memory,
            &rules(json!({ "audit": [scope] }), json!([{ "type": "reject" }])),
            name,
        );
        assert_eq!(report.finding.verdict, Verdict::Deny);
        report.notes.iter().any(|note| note.code == "policy.audit")
    };
    assert!(
        noted("demo.example/demo/unsigned")
            && noted("demo.example/demo")
            && noted("demo.example/demo/unsigned:1.0")
    );
    assert!(!noted("demo.example/demo/signed") && !noted("other.example"));
    // The policy's own scope is nearer.
    assert!(!noted("") && !noted("*.example") && !noted("demo.example"));
}

/// Where registries.d does not switch attachments on, tags and referrers are as if they were not
/// there.
#[test]
fn registries_d_switches_attachments_off() {
    let files = |text: &str| [("a.yaml".to_owned(), text.as_bytes().to_vec())].into();
    let off = demo_rules()
        .with_registries_d(&files(
            "docker:\n  other.example:\n    use-sigstore-attachments: true\n",
        ))
        .unwrap();
    let on = demo_rules()
        .with_registries_d(&files(
            "docker:\n  demo.example:\n    use-sigstore-attachments: true\n",
        ))
        .unwrap();
    for repository in ["signed", "bundle", "keyless", "attested"] {
        let name = format!("demo.example/demo/{repository}:1.0");
        assert_eq!(
            judge(&demo(repository), &on, &name).finding.verdict,
            Verdict::Allow,
            "{repository}"
        );
        let report = judge(&demo(repository), &off, &name);
        assert_eq!(
            said(&report),
            (Verdict::Deny, "signature.missing"),
            "{repository}"
        );
        assert!(
            report
                .notes
                .iter()
                .any(|note| note.code == "registries-d.attachments-off")
        );
    }
}

fn distrusts(digests: Value, requirements: Value) -> Rules {
    rules(
        json!({ "distrusted": digests, "exceptions": [{ "scope": "demo.example/demo/signed", "digests": digests, "until": "2099-01-01T00:00:00Z", "reason": "r" }] }),
        requirements,
    )
}

/// A good signature, no demand at all, and an exception: none of them outweighs it.
#[test]
fn what_is_distrusted_is_refused() {
    let memory = demo("signed");
    let bytes = memory.manifests["1.0"].0.clone();
    let key = json!([{ "type": "sigstoreSigned", "keyPath": "cosign.pub", "signedIdentity": { "type": "matchRepository" } }]);
    let other = Digest::of(b"another").to_string();
    let by = |algorithm| Digest::with(algorithm, &bytes).to_string();
    for requirements in [
        key.clone(),
        json!([{ "type": "insecureAcceptAnything" }]),
        json!([{ "type": "pinned", "pins": { "demo.example/demo/signed:1.0": digest_of(&memory) } }]),
    ] {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let rules = distrusts(json!([other, by(algorithm)]), requirements.clone());
            for report in [
                judge(&memory, &rules, "demo.example/demo/signed:1.0"),
                by_digest(&memory, &rules, "demo.example/demo/signed"),
            ] {
                assert_eq!(said(&report), (Verdict::Deny, "policy.distrusted"));
                assert!(report.finding.message.contains(&by(algorithm)));
            }
        }
        let rules = distrusts(json!([other]), requirements);
        let report = judge(&memory, &rules, "demo.example/demo/signed:1.0");
        assert_eq!(report.finding.verdict, Verdict::Allow);
    }
}

/// An index speaks for its images: one that lists a distrusted one is refused with it, and each image
/// of a distrusted index is.
#[test]
fn distrust_reaches_images_of_indexes() {
    let memory = demo("multi");
    let name = "demo.example/demo/multi:1.0";
    let Ok(Document::Index(index)) = Document::parse(&memory.manifests["1.0"].0, None) else {
        panic!()
    };
    let [first, second] = [0, 1].map(|number| index.manifests[number].digest.to_string());
    let child = |digest: &str| format!("demo.example/demo/multi@{digest}");
    let by_sha512 = Digest::with(Algorithm::Sha512, &memory.manifests["1.0"].0).to_string();
    for coverage in ["index", "instance"] {
        let distrusted = |digest: &str| {
            rules(
                json!({ "coverage": coverage, "distrusted": [digest] }),
                json!([{ "type": "insecureAcceptAnything" }]),
            )
        };
        for (digest, image, verdict) in [
            (&first, name.to_string(), Verdict::Deny),
            (&first, child(&first), Verdict::Deny),
            (&first, child(&second), Verdict::Allow),
            (&digest_of(&memory), name.to_string(), Verdict::Deny),
            (&by_sha512, name.to_string(), Verdict::Deny),
        ] {
            assert_eq!(
                judge(&memory, &distrusted(digest), &image).finding.verdict,
                verdict,
                "{coverage} {digest} {image}"
            );
        }
    }
}
