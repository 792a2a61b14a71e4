//! Work is bounded before it is done, and whoever may push can neither admit nor stop
//! (docs/trust.md section 7).

use super::*;
use sealgate::internals::crypto::{Outcome, Provider, RustCrypto, SignatureCheck};
use sealgate::internals::error::HostError;
use sealgate::internals::oci::registry::{Fetched, RegistryError};
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::{
    Archive, Judge, Listed, Origin, Report, Request, Subject, Work, verify_image,
};
use std::cell::Cell;
use support::block_on;

/// A registry and a provider that count, the provider failing where it is told to.
struct Counted<'a> {
    memory: &'a Memory,
    fetched: Cell<usize>,
    checks: Cell<usize>,
    fails: fn(&SignatureCheck) -> bool,
}

impl<'a> Counted<'a> {
    fn new(memory: &'a Memory) -> Self {
        Self {
            memory,
            fetched: Cell::new(0),
            checks: Cell::new(0),
            fails: |_| false,
        }
    }

    fn report(&self, rules: &Rules) -> Report {
        let name = Reference::normalize(NAME, Grammar::Containers).unwrap();
        let request = Request::of(name, UnixTime(1_800_000_000));
        block_on(verify_image(self, self, rules, &request))
    }

    /// As a gateway asks, with what satisfied before; and what satisfied now.
    fn judged(&self, rules: &Rules, preferred: &[Origin]) -> (Verdict, Vec<Origin>) {
        let name = Reference::normalize(NAME, Grammar::Containers).unwrap();
        let subject = Subject::read(image(), Some(MANIFEST), None).unwrap();
        let work = Work::new(self);
        preferred
            .iter()
            .for_each(|origin| work.prefer(&subject.digest, origin.clone()));
        let judge = Judge {
            rules,
            name: &name,
            now: UnixTime(1_800_000_000),
            archive: self,
            work: &work,
        };
        let judged = block_on(judge.manifest(&subject, None));
        assert_eq!(work.checks(), self.checks.get());
        (judged.finding.verdict, work.satisfied(&subject.digest))
    }
}

impl Archive for Counted<'_> {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        self.fetched.set(self.fetched.get() + 1);
        self.memory.manifest(reference).await
    }

    async fn blob(&self, digest: &Digest, max: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        self.fetched.set(self.fetched.get() + 1);
        self.memory.blob(digest, max).await
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        self.memory.referrers(digest).await
    }
}

impl Provider for Counted<'_> {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        self.checks.set(self.checks.get() + 1);
        if (self.fails)(check) {
            return Err(HostError::Provider {
                reason: "importKey".into(),
            });
        }
        RustCrypto.verify(check).await
    }
}

/// Signatures of an image, and other things.
#[derive(Default)]
struct Attached {
    memory: Memory,
    referrers: Vec<Referrer>,
    layers: Vec<serde_json::Value>,
}

impl Attached {
    /// One artifact with these bundles.
    fn artifact(&mut self, bundles: impl IntoIterator<Item = Vec<u8>>) -> Referrer {
        let layers: Vec<_> = bundles.into_iter().map(|bundle| serde_json::json!({"mediaType": BUNDLE, "digest": self.memory.put(&bundle).to_string(), "size": bundle.len()})).collect();
        let referrer = self.memory.artifact(manifest(&layers));
        self.referrers.push(referrer.clone());
        referrer
    }

    /// One layer of the `.sig` tag.
    fn layer(&mut self, content: &[u8], signature: &str) {
        let digest = self.memory.put(content).to_string();
        self.layers.push(serde_json::json!({"mediaType": SIMPLE, "digest": digest, "size": content.len(), "annotations": {"dev.cosignproject.cosign/signature": signature}}));
    }

    fn done(mut self) -> Memory {
        let digest = Digest::of(&image());
        self.memory
            .manifests
            .insert("1".into(), (image(), MANIFEST.into()));
        if !self.layers.is_empty() {
            self.memory.manifests.insert(
                format!("sha256-{}.sig", digest.hex()),
                (manifest(&self.layers), MANIFEST.into()),
            );
        }
        self.memory
            .referrers
            .insert(digest.to_string(), self.referrers);
        self.memory
    }
}

/// By a key that nobody trusts, about the image; each in other bytes.
fn forged(number: usize) -> Vec<u8> {
    thread_local! { static FORGED: String = String::from_utf8(bundle(9)).unwrap(); }
    FORGED.with(|forged| {
        forged
            .replace("\"hint\":\"\"", &format!("\"hint\":\"{number}\""))
            .into_bytes()
    })
}

fn ours(seeds: &[u8]) -> Rules {
    policy(
        &[signed_by(seeds, r#"{"type":"matchDigest","anyName":true}"#)],
        MARKER,
    )
}

fn said(report: &Report) -> (Verdict, &str) {
    (report.finding.verdict, report.finding.code)
}

/// 128 referrers of 128 bundles: 16,384 candidates, of which none is a signature.
#[test]
fn candidates_are_counted_one_by_one() {
    let mut attached = Attached::default();
    for referrer in 0..128 {
        attached.artifact((0..128).map(|number| forged(referrer * 128 + number)));
    }
    let memory = attached.done();
    let counted = Counted::new(&memory);
    assert_eq!(
        said(&counted.report(&ours(&[1]))),
        (Verdict::Unknown, "limit.evidence")
    );
    assert!(
        counted.checks.get() <= 128,
        "{} checks",
        counted.checks.get()
    );
    assert!(
        counted.fetched.get() <= 140,
        "{} documents",
        counted.fetched.get()
    );
}

/// What was not examined may be the signature.
#[test]
fn many_that_fail_before_a_good_one_are_could_not_find_out() {
    let with = |bad: usize, good: bool| {
        let mut attached = Attached::default();
        attached.artifact((0..bad).map(forged).chain(good.then(|| bundle(1))));
        attached.done()
    };
    for (bad, good, expected) in [
        (127, true, (Verdict::Allow, "signature.accepted")),
        (128, true, (Verdict::Unknown, "limit.evidence")),
        (128, false, (Verdict::Deny, "signature.invalid")),
        (129, false, (Verdict::Unknown, "limit.evidence")),
    ] {
        assert_eq!(
            said(&judge(&with(bad, good), &ours(&[1]), NAME)),
            expected,
            "{bad}"
        );
    }
}

/// More than 1,000 are listed: the first 1,000 are examined, and stand in order of digest.
#[test]
fn the_first_thousand_listed_are_examined() {
    let listed = |more: usize| {
        let mut attached = Attached::default();
        let good = attached.artifact([bundle(1)]);
        let all = (0_usize..).map(|number| Digest::of(&number.to_be_bytes()));
        let (before, after) = (999, more);
        let mut list: Vec<Digest> = all
            .clone()
            .filter(|digest| *digest < good.digest)
            .take(before)
            .collect();
        list.extend(all.filter(|digest| *digest > good.digest).take(after));
        // What is about another image costs no check.
        attached
            .referrers
            .extend(list.into_iter().map(|digest| Referrer {
                digest,
                artifact_type: Some(BUNDLE.into()),
            }));
        attached.done()
    };
    assert_eq!(
        said(&judge(&listed(1_000), &ours(&[1]), NAME)).0,
        Verdict::Allow
    );
    let unsigned = judge(&listed(1_000), &ours(&[2]), NAME);
    assert_eq!(said(&unsigned), (Verdict::Unknown, "limit.evidence"));
}

/// What by its own word cannot meet the rule costs no check and is not among the 128; the report
/// shows it.
#[test]
fn what_cannot_meet_the_rule_costs_no_check() {
    let mut attached = Attached::default();
    let other = Digest::of(b"another");
    (0..200).for_each(|number| {
        let text = payload(&other, &format!("registry.example/other:{number}"));
        attached.layer(&text, &sign(1, &text));
    });
    attached.artifact((0..200).map(|number| about(&Digest::of(format!("{number}").as_bytes()))));
    let only_others = Attached {
        memory: attached.memory.clone(),
        referrers: attached.referrers.clone(),
        layers: attached.layers.clone(),
    }
    .done();
    let counted = Counted::new(&only_others);
    let report = counted.report(&ours(&[1]));
    assert_eq!(
        (said(&report), counted.checks.get()),
        ((Verdict::Deny, "digest.not-signed"), 0)
    );
    let candidates = &report.requirements[0].candidates;
    assert_eq!(candidates.len(), 400);
    assert!(
        candidates
            .iter()
            .all(|candidate| candidate.reason.code == "digest.not-signed"
                && candidate.reason.message.contains("was not checked")),
        "{:?}",
        candidates[0]
    );
    attached.artifact([bundle(1)]);
    let memory = attached.done();
    let counted = Counted::new(&memory);
    assert_eq!(
        (said(&counted.report(&ours(&[1]))), counted.checks.get()),
        ((Verdict::Allow, "signature.accepted"), 1)
    );
}

/// A good signature about another image.
fn about(digest: &Digest) -> Vec<u8> {
    let own = base64::encode(statement(&Digest::of(&image())).as_bytes());
    let other = base64::encode(statement(digest).as_bytes());
    String::from_utf8(bundle(1))
        .unwrap()
        .replace(&own, &other)
        .into_bytes()
}

/// Two signers of one payload are two candidates, and one candidate listed often is one.
#[test]
fn candidates_are_told_apart_by_their_signatures() {
    let text = payload(&Digest::of(&image()), NAME);
    for (bad, expected) in [(1, Verdict::Allow), (200, Verdict::Allow)] {
        let mut attached = Attached::default();
        (0..bad).for_each(|_| attached.layer(&text, &sign(9, &text)));
        attached.layer(&text, &sign(1, &text));
        let memory = attached.done();
        let counted = Counted::new(&memory);
        assert_eq!(
            (
                counted.report(&ours(&[1])).finding.verdict,
                counted.checks.get()
            ),
            (expected, 2),
            "{bad}"
        );
    }
}

/// 33 keys on P-384, each of which may have signed in two ways, and the one that does.
fn many_keys() -> String {
    let keys: Vec<String> = (1..=33_u8)
        .map(|seed| {
            let key = p384::ecdsa::SigningKey::from_slice(&[seed; 48]).unwrap();
            let head = [
                0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
            ];
            let der = [
                &head[..],
                key.verifying_key().to_sec1_point(false).as_bytes(),
            ]
            .concat();
            format!(
                "\"{}\"",
                base64::encode(pem::encode("PUBLIC KEY", &der).as_bytes())
            )
        })
        .chain([format!("\"{}\"", key_data(1))])
        .collect();
    format!(
        r#"{{"type":"sigstoreSigned","keyDatas":[{}],"signedIdentity":{{"type":"matchDigest"}}}}"#,
        keys.join(",")
    )
}

/// A candidate beyond its limit is skipped and said; it hides none of the others, and alone it is
/// "could not find out".
#[test]
fn a_candidate_beyond_its_limit_is_skipped() {
    use p384::ecdsa::signature::Signer as _;
    let rules = policy(&[many_keys()], MARKER);
    // Well-formed for each of them, and by none.
    let signature: p384::ecdsa::DerSignature = p384::ecdsa::SigningKey::from_slice(&[99; 48])
        .unwrap()
        .sign(b"x");
    let value: serde_json::Value = serde_json::from_slice(&bundle(1)).unwrap();
    let dear = |number: u8| {
        let mut value = value.clone();
        value["dsseEnvelope"]["signatures"][0]["sig"] = base64::encode(signature.as_bytes()).into();
        value["verificationMaterial"]["publicKey"]["hint"] = number.to_string().into();
        value.to_string().into_bytes()
    };
    let mut attached = Attached::default();
    attached.artifact([dear(1)]);
    let memory = attached.done();
    let counted = Counted::new(&memory);
    let report = counted.report(&rules);
    assert_eq!(
        (said(&report), counted.checks.get()),
        ((Verdict::Unknown, "limit.checks"), 64)
    );
    assert_eq!(
        report.requirements[0].candidates[0].reason.code,
        "limit.checks"
    );
    let mut attached = Attached::default();
    attached.artifact([dear(1), dear(2), bundle(1)]);
    let memory = attached.done();
    let counted = Counted::new(&memory);
    assert_eq!(
        said(&counted.report(&rules)),
        (Verdict::Allow, "signature.accepted")
    );
    // 64 each are 512 after eight.
    let mut attached = Attached::default();
    attached.artifact((0..20).map(dear).chain([bundle(1)]));
    let memory = attached.done();
    let counted = Counted::new(&memory);
    assert_eq!(
        (said(&counted.report(&rules)), counted.checks.get()),
        ((Verdict::Unknown, "limit.checks"), 512)
    );
}

/// What was admitted once is looked at first: under a tag that was overwritten, behind more
/// referrers than are listed, and though there are candidates for every bound.
#[test]
fn whoever_may_push_cannot_stop_what_was_admitted() {
    let text = payload(&Digest::of(&image()), NAME);
    for by_tag in [true, false] {
        let signed = || {
            let mut attached = Attached::default();
            if by_tag {
                attached.layer(&text, &sign(1, &text))
            } else {
                drop(attached.artifact([bundle(1)]))
            }
            attached
        };
        let memory = signed().done();
        let (verdict, satisfied) = Counted::new(&memory).judged(&ours(&[1]), &[]);
        assert_eq!((verdict, satisfied.len()), (Verdict::Allow, 1));
        let mut attacked = signed();
        let tag = manifest(&attacked.layers);
        if by_tag {
            // The tag moves; what it meant is still there, by its digest.
            attacked
                .memory
                .manifests
                .insert(Digest::of(&tag).to_string(), (tag, MANIFEST.into()));
            attacked.layers.clear();
        }
        (0..300_usize).for_each(|number| {
            let text = payload(
                &Digest::of(&image()),
                &format!("registry.example/team/app:{number}"),
            );
            attacked.layer(&text, &sign(9, &text));
        });
        (0..1_500).for_each(|number| drop(attacked.artifact([forged(number)])));
        let memory = attacked.done();
        let counted = Counted::new(&memory);
        assert_eq!(counted.judged(&ours(&[1]), &[]).0, Verdict::Unknown);
        let counted = Counted::new(&memory);
        assert_eq!(
            counted.judged(&ours(&[1]), &satisfied),
            (Verdict::Allow, satisfied.clone())
        );
        assert_eq!((counted.checks.get(), counted.fetched.get()), (1, 2));
        // A hint admits nothing by itself, and one that leads nowhere is none.
        assert_eq!(
            Counted::new(&memory).judged(&ours(&[2]), &satisfied).0,
            Verdict::Unknown
        );
        let nowhere = Origin {
            manifest: Digest::of(b"gone"),
            blob: Digest::of(b"gone"),
        };
        let unsigned = Attached::default().done();
        assert_eq!(
            Counted::new(&unsigned).judged(&ours(&[1]), &[nowhere]).0,
            Verdict::Deny
        );
    }
}

/// A provider's failure is no answer: the built-in one decides that check, and no other candidate
/// suffers.
#[test]
fn a_key_that_the_platform_does_not_take_stops_nothing() {
    let mut attached = Attached::default();
    attached.artifact([forged(1), bundle(1)]);
    let memory = attached.done();
    let all: fn(&SignatureCheck) -> bool = |_| true;
    let second: fn(&SignatureCheck) -> bool = |check| {
        check.key()
            == &sealgate::internals::crypto::PublicKey::from_pem(
                &base64::decode(&key_data(2)).unwrap(),
            )
            .unwrap()
    };
    for fails in [all, second] {
        let counted = Counted {
            fails,
            ..Counted::new(&memory)
        };
        assert_eq!(
            said(&counted.report(&ours(&[2, 1]))),
            (Verdict::Allow, "signature.accepted")
        );
        let counted = Counted {
            fails,
            ..Counted::new(&memory)
        };
        assert_eq!(
            said(&counted.report(&ours(&[2]))),
            (Verdict::Deny, "signature.invalid")
        );
    }
}

proptest! {
    /// Whatever is added below the bounds, and whichever checks the platform does not take, what is
    /// allowed stays allowed; and
    /// no more is done than the bounds say.
    #[test]
    fn nothing_added_stops_what_is_allowed(evidence in any_evidence(), more in any_evidence(), others in 0_usize..40, failing: bool, seeds in subsequence(vec![1u8, 2], 1..=2)) {
        let rules = ours(&seeds);
        let before = allows(&rules, &Memory::of(&evidence));
        let all: Vec<Evidence> = evidence.iter().chain(&more).cloned().collect();
        let mut memory = Memory::of(&all);
        let mut attached = Attached { memory: Memory::default(), referrers: Vec::new(), layers: Vec::new() };
        attached.artifact((0..others).map(|number| if number % 2 == 0 { forged(number) } else { about(&Digest::of(&[u8::try_from(number).unwrap()])) }).chain([b"{".to_vec(), b"{\"mediaType\":1}".to_vec()]));
        memory.blobs.extend(attached.memory.blobs);
        memory.manifests.extend(attached.memory.manifests);
        memory.referrers.get_mut(&Digest::of(&image()).to_string()).unwrap().extend(attached.referrers);
        let counted = Counted { fails: if failing { |_| true } else { |_| false }, ..Counted::new(&memory) };
        let report = counted.report(&rules);
        prop_assert!(!before || report.finding.verdict == Verdict::Allow, "{}", report.finding.message);
        prop_assert!(counted.checks.get() <= 512 && counted.fetched.get() <= 2 * 1_000 + 3);
    }
}
