//! Cases G and, of lookasides, A: simple signing. Keys and signatures are those of
//! fixtures/simple-signing, made by GnuPG.

use crate::NAME;
use crate::support::{MANIFEST, Memory, fixtures, judge_at, read};
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use sealgate::internals::verify::{Outcome, Report, Rules, Verdict};
use sealgate::policy::Policy;
use sealgate::report::OpenPgpSigner;
use std::collections::BTreeMap;

/// 2026-01-04, a day after everything was signed.
pub(crate) const THEN: i64 = 1_767_484_800;
const DAY: i64 = 86_400;

pub(crate) fn file(name: &str) -> Vec<u8> {
    read(fixtures().join("simple-signing").join(name))
}

pub(crate) fn image() -> Vec<u8> {
    file("manifest.json")
}

/// The image under the tags 1 and 2, with these files as its signatures.
fn stored(signatures: &[Vec<u8>]) -> Memory {
    let mut memory = Memory::default();
    for tag in ["1".into(), "2".into(), Digest::of(&image()).to_string()] {
        memory.manifests.insert(tag, (image(), MANIFEST.into()));
    }
    let digest = Digest::of(&image()).to_string();
    memory.simple.insert(digest, signatures.into());
    memory
}

fn signed(names: &[&str]) -> Memory {
    let files: Vec<Vec<u8>> = (names.iter())
        .map(|name| file(&format!("{name}.sig")))
        .collect();
    stored(&files)
}

/// `signedBy` with this keyring and these further members.
pub(crate) fn by(keyring: &str, more: &str) -> String {
    let data = base64::encode(&file(keyring));
    format!(r#"{{"type":"signedBy","keyType":"GPGKeys","keyData":"{data}"{more}}}"#)
}

fn policy(requirements: &[String]) -> Rules {
    let text = format!(r#"{{"default":[{}]}}"#, requirements.join(","));
    Rules::policy(Policy::parse(text.as_bytes()).unwrap(), BTreeMap::new()).unwrap()
}

fn marked(requirement: &str) -> Rules {
    let text = format!(r#"{{"sealgate":{{"version":1}},"default":[{requirement}]}}"#);
    Rules::policy(Policy::parse(text.as_bytes()).unwrap(), BTreeMap::new()).unwrap()
}

/// What the report says of who made the first signature.
fn openpgp(report: &Report) -> OpenPgpSigner {
    let claims = report.requirements[0].candidates[0].claims.clone().unwrap();
    claims.openpgp.unwrap()
}

/// Under the rule of one key.
fn one(memory: &Memory) -> Report {
    judge_at(memory, &policy(&[by("one.gpg", "")]), NAME, THEN)
}

fn at(memory: &Memory, keyring: &str, time: i64) -> Report {
    judge_at(memory, &policy(&[by(keyring, "")]), NAME, time)
}

pub(crate) fn code(report: &Report) -> &'static str {
    match report.finding.verdict {
        Verdict::Allow => "ok",
        _ => report.finding.code,
    }
}

pub(crate) fn says(report: &Report, text: &str) {
    let message = &report.finding.message;
    assert!(message.contains(text), "{message}");
}

/// Armoured or not, compressed or not; several files are one keyring.
pub(crate) fn g1_a_good_signature() {
    for (signature, keyring) in [
        ("one", "one.gpg"),
        ("one", "one.asc"),
        ("zlib", "one.gpg"),
        ("two", "two.gpg"),
    ] {
        assert_eq!(code(&at(&signed(&[signature]), keyring, THEN)), "ok");
    }
    let text = r#"{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPaths":["a","b"]}]}"#;
    let assets = [("a", "two.gpg"), ("b", "one.asc")].map(|(path, name)| (path.into(), file(name)));
    let rules = Rules::policy(Policy::parse(text.as_bytes()).unwrap(), assets.into()).unwrap();
    for signature in ["one", "two"] {
        let report = judge_at(&signed(&[signature]), &rules, NAME, THEN);
        assert_eq!(code(&report), "ok");
    }
}

/// The report shows key, dates, names and each step.
#[test]
fn the_report_of_a_good_signature() {
    let report = one(&signed(&["one"]));
    assert!(report.verified);
    says(&report, "a good signature by the key ");
    let candidate = &report.requirements[0].candidates[0];
    assert_eq!(
        (
            candidate.format,
            candidate.source.as_str(),
            candidate.outcome
        ),
        (
            "simple-signature",
            "lookaside, signature-1",
            Outcome::Accepted
        )
    );
    let claims = candidate.claims.as_ref().unwrap();
    assert_eq!(claims.identity.as_deref(), Some(NAME));
    assert_eq!(claims.creator.as_deref(), Some("sealgate fixtures"));
    assert_eq!(claims.timestamp, Some(1_767_398_400));
    let key = claims.openpgp.as_ref().unwrap();
    assert_eq!(
        (key.key.len(), &key.subkey, key.key_expired),
        (40, &None, None)
    );
    assert_eq!(
        (key.key_created, key.signed),
        (1_767_225_600, 1_767_398_400)
    );
    assert_eq!(
        (key.user_id.as_deref(), key.algorithm.as_str(), key.hash),
        (Some("one"), "Ed25519", "SHA-256")
    );
    assert_eq!((key.key_expires, key.expires), (None, None));
    let steps: Vec<&str> = candidate.steps.iter().map(|step| step.name).collect();
    for name in ["payload.strict", "digest.equals", "identity.matches"] {
        assert!(steps.contains(&name), "{steps:?}");
    }
    assert!(candidate.steps.iter().all(|step| step.outcome == "holds"));
}

/// Also where the key cannot be used.
pub(crate) fn g2_no_signature() {
    let empty = r#"{"type":"signedBy","keyType":"GPGKeys","keyPaths":[]}"#.to_owned();
    for requirement in [by("one.gpg", ""), empty.clone(), by("one.sig", "")] {
        let report = judge_at(&stored(&[]), &policy(&[requirement]), NAME, THEN);
        assert_eq!(code(&report), "signature.missing");
        says(&report, "A signature was required, but no signature exists");
    }
    // With one, it is the reason against it.
    let report = judge_at(&signed(&["one"]), &policy(&[empty]), NAME, THEN);
    assert_eq!(code(&report), "key.none");
    says(&report, "No public keys imported");
    let report = at(&signed(&["one"]), "manifest.json", THEN);
    assert_eq!(code(&report), "key.none");
}

pub(crate) fn g3_an_unknown_signer() {
    let report = one(&signed(&["two"]));
    assert_eq!(code(&report), "openpgp.unknown-key");
    says(&report, "Invalid GPG signature");
}

pub(crate) fn g4_a_bad_and_a_good_signature() {
    for names in [
        ["two", "one"],
        ["one", "two"],
        ["text", "one"],
        ["digest", "one"],
    ] {
        assert_eq!(code(&one(&signed(&names))), "ok", "{names:?}");
    }
    // None of several: each reason is told, and the code is that of the one that came furthest.
    let report = one(&signed(&["two", "name"]));
    assert_eq!(code(&report), "identity.not-accepted");
    says(
        &report,
        "None of the signatures were accepted, reasons: Invalid GPG signature",
    );
}

/// One file that is no signature by its first byte refuses, wherever it stands.
pub(crate) fn g5_an_armoured_file_beside_a_good_signature() {
    for names in [["one", "armoured"], ["armoured", "one"]] {
        let report = one(&signed(&names));
        assert_eq!(code(&report), "signature.format");
        says(
            &report,
            "unrecognized signature format, starting with binary 0x2d",
        );
    }
    let report = one(&stored(&[file("one.sig"), Vec::new()]));
    assert_eq!(code(&report), "signature.format");
    // In the form with a name it is what its name says.
    let named = [b"\0simple-signing\n".as_slice(), &file("one.sig")].concat();
    assert_eq!(code(&one(&stored(&[named]))), "ok");
}

pub(crate) fn g6_two_signers_in_one_message() {
    let both = [by("one.gpg", ""), by("two.gpg", "")];
    for requirements in [&both[..], &both[..1]] {
        let report = judge_at(&signed(&["both"]), &policy(requirements), NAME, THEN);
        assert_eq!(code(&report), "openpgp.signature-count");
    }
}

pub(crate) fn g7_detached() {
    assert_eq!(code(&one(&signed(&["detached"]))), "openpgp.detached");
}

/// Though it was made while the key was valid.
pub(crate) fn g8_a_key_that_expired_since() {
    let memory = signed(&["expiring"]);
    assert_eq!(code(&at(&memory, "expiring.gpg", THEN)), "ok");
    let last = 1_767_225_600 + 10 * DAY;
    assert_eq!(code(&at(&memory, "expiring.gpg", last)), "ok");
    let report = at(&memory, "expiring.gpg", last + 1);
    assert_eq!(code(&report), "openpgp.key-expired");
    // Who signed is said although it is refused.
    let key = openpgp(&report);
    assert_eq!(key.user_id.as_deref(), Some("expiring"));
    assert_eq!((key.key_expires, key.key_expired), (Some(last), None));
    // The answer that allows ends then.
    let report = at(&memory, "expiring.gpg", THEN);
    let candidate = &report.requirements[0].candidates[0];
    assert_eq!(candidate.expires, Some(last + 1));
}

pub(crate) fn g9_expired_signatures_and_revoked_keys() {
    let end = 1_767_398_400 + 10 * DAY;
    let report = at(&signed(&["expires"]), "one.gpg", end - 1);
    assert_eq!(code(&report), "ok");
    assert_eq!(openpgp(&report).expires, Some(end));
    for (name, keyring, time, expected) in [
        ("expires", "one.gpg", end, "openpgp.signature-expired"),
        ("revoked", "revoked.gpg", THEN, "openpgp.key-revoked"),
        (
            "subkey",
            "subkey-revoked.gpg",
            THEN,
            "openpgp.subkey-revoked",
        ),
    ] {
        assert_eq!(code(&at(&signed(&[name]), keyring, time)), expected);
    }
}

pub(crate) fn g10_a_subkey() {
    let report = at(&signed(&["subkey"]), "subkey.gpg", THEN);
    assert_eq!(code(&report), "ok");
    let key = openpgp(&report);
    assert!(key.subkey.is_some_and(|subkey| subkey != key.key));
}

pub(crate) fn g11_two_requirements() {
    let both = policy(&[by("one.gpg", ""), by("two.gpg", "")]);
    let judged = |names: &[&str]| judge_at(&signed(names), &both, NAME, THEN);
    assert_eq!(code(&judged(&["one", "two"])), "ok");
    assert_eq!(code(&judged(&["two", "one"])), "ok");
    assert_eq!(code(&judged(&["two"])), "openpgp.unknown-key");
    assert_eq!(code(&judged(&["one"])), "openpgp.unknown-key");
}

pub(crate) fn g12_digest_and_identity() {
    let report = one(&signed(&["digest"]));
    assert_eq!(code(&report), "digest.not-signed");
    says(&report, "Signature for digest sha256:0000");
    let report = one(&signed(&["digest-text"]));
    assert_eq!(code(&report), "digest.not-signed");
    says(
        &report,
        "invalid docker-manifest-digest value \"sha256:short\"",
    );
    for name in ["name", "tag", "bare"] {
        let report = one(&signed(&[name]));
        assert_eq!(code(&report), "identity.not-accepted", "{name}");
        says(&report, "Signature for identity \"");
    }
}

/// Every matcher of containers/image.
#[test]
fn signed_identities() {
    let digest = format!("registry.example/team/app@{}", Digest::of(&image()));
    let remapped = r#"{"type":"remapIdentity","prefix":"m.ex","signedPrefix":"registry.example"}"#;
    let other = r#"{"type":"exactRepository","dockerRepository":"registry.example/other/app"}"#;
    for (name, identity, signature, accepted) in [
        (NAME, r#"{"type":"matchExact"}"#, "one", true),
        (NAME, r#"{"type":"matchExact"}"#, "tag", false),
        (NAME, r#"{"type":"matchRepoDigestOrExact"}"#, "one", true),
        (&digest, r#"{"type":"matchRepoDigestOrExact"}"#, "tag", true),
        (
            &digest,
            r#"{"type":"matchRepoDigestOrExact"}"#,
            "bare",
            false,
        ),
        (NAME, r#"{"type":"matchRepository"}"#, "tag", true),
        (NAME, r#"{"type":"matchRepository"}"#, "bare", true),
        (NAME, r#"{"type":"matchRepository"}"#, "name", false),
        (NAME, other, "name", true),
        (NAME, other, "one", false),
        (
            NAME,
            r#"{"type":"exactReference","dockerReference":"registry.example/team/app:2"}"#,
            "tag",
            true,
        ),
        ("m.ex/team/app:1", remapped, "one", true),
        ("m.ex/team/app:2", remapped, "one", false),
    ] {
        let rules = policy(&[by("one.gpg", &format!(r#","signedIdentity":{identity}"#))]);
        let report = judge_at(&signed(&[signature]), &rules, name, THEN);
        let expected = if accepted {
            "ok"
        } else {
            "identity.not-accepted"
        };
        assert_eq!(code(&report), expected, "{name} {identity} {signature}");
    }
}

/// And other payloads that were signed well.
pub(crate) fn g13_payloads() {
    for (name, expected) in [
        ("null", "payload.shape"),
        ("more", "payload.shape"),
        ("text", "payload.json"),
        ("cosign", "payload.type"),
    ] {
        assert_eq!(code(&one(&signed(&[name]))), expected, "{name}");
    }
    says(
        &one(&signed(&["cosign"])),
        "Unrecognized signature type cosign container image signature",
    );
}

/// In a lookaside; those of a `.sig` tag are no simple signatures either.
pub(crate) fn g14_signatures_of_another_sort_alone() {
    let sigstore = b"\0sigstore-json\n{\"mimeType\":\"a/b\",\"payload\":\"\"}".to_vec();
    let report = one(&stored(std::slice::from_ref(&sigstore)));
    assert_eq!(code(&report), "signature.missing");
    says(&report, "A signature was required, but no signature exists");
    assert_eq!(code(&one(&stored(&[sigstore, file("one.sig")]))), "ok");
    let attached = crate::archive(&[crate::signed(&crate::good_payload(), 1)]);
    assert_eq!(code(&one(&attached)), "signature.missing");
}

/// Only GPG keys were ever implemented.
#[test]
fn other_types_of_keys() {
    for kind in ["signedByGPGKeys", "X509Certificates", "signedByX509CAs"] {
        let requirement = by("one.gpg", "").replace("GPGKeys", kind);
        let rules = policy(&[requirement]);
        let report = judge_at(&signed(&["one"]), &rules, NAME, THEN);
        assert_eq!(code(&report), "requirement.not-implemented");
        says(
            &report,
            &format!("Unimplemented \"keyType\" value {kind:?}"),
        );
        let report = judge_at(&stored(&[]), &rules, NAME, THEN);
        assert_eq!(code(&report), "signature.missing");
    }
}

/// `expiredKeys` passes the expiry over and nothing else, until its own time.
#[test]
fn expired_keys() {
    let expired = 1_767_225_600 + 10 * DAY;
    // 2026-02-01T00:00:00Z
    let until = 1_769_904_000;
    let rules = |keyring: &str| {
        let more = r#","expiredKeys":{"until":"2026-02-01T00:00:00Z"}"#;
        marked(&by(keyring, more))
    };
    let judged = |name: &str, keyring: &str, time: i64| {
        judge_at(&signed(&[name]), &rules(keyring), NAME, time)
    };
    let report = judged("expiring", "expiring.gpg", expired + DAY);
    assert_eq!(code(&report), "ok");
    says(
        &report,
        "which expired at 2026-01-11T00:00:00Z (passed over",
    );
    let candidate = &report.requirements[0].candidates[0];
    let key = openpgp(&report);
    assert_eq!(
        (key.key_expires, key.key_expired),
        (Some(expired), Some(expired))
    );
    assert!(candidate.steps.iter().any(|step| step.kind == "waived"));
    assert_eq!(candidate.expires, Some(until + 1));
    assert_eq!(code(&judged("expiring", "expiring.gpg", until)), "ok");
    for (name, keyring, time, expected) in [
        ("expiring", "expiring.gpg", until + 1, "openpgp.key-expired"),
        ("revoked", "revoked.gpg", THEN, "openpgp.key-revoked"),
        (
            "subkey",
            "subkey-revoked.gpg",
            THEN,
            "openpgp.subkey-revoked",
        ),
        (
            "expires",
            "one.gpg",
            expired + 10 * DAY,
            "openpgp.signature-expired",
        ),
        ("two", "one.gpg", THEN, "openpgp.unknown-key"),
    ] {
        assert_eq!(code(&judged(name, keyring, time)), expected, "{name}");
    }
    // A key that has not expired: the report says so.
    let report = judged("one", "one.gpg", until);
    assert_eq!(code(&report), "ok");
    let candidate = &report.requirements[0].candidates[0];
    assert!(candidate.steps.iter().all(|step| step.kind != "waived"));
}

/// With a member of ours, what does not read is passed over (docs/trust.md section 7).
#[test]
fn with_a_member_of_ours_what_does_not_read_is_passed_over() {
    let more = r#","expiredKeys":{"until":"2026-02-01T00:00:00Z"}"#;
    let rules = marked(&by("one.gpg", more));
    for names in [["armoured", "one"], ["one", "armoured"]] {
        assert_eq!(code(&judge_at(&signed(&names), &rules, NAME, THEN)), "ok");
    }
    let report = judge_at(&signed(&["armoured"]), &rules, NAME, THEN);
    assert_eq!(code(&report), "signature.format");
    // The marker alone changes nothing.
    let rules = marked(&by("one.gpg", ""));
    let report = judge_at(&signed(&["one", "armoured"]), &rules, NAME, THEN);
    assert_eq!(code(&report), "signature.format");
}

/// Enumeration ends at the first that is missing.
pub(crate) fn a6_only_the_second_exists() {
    let mut memory = signed(&["one"]);
    memory.gap = 1;
    assert_eq!(code(&one(&memory)), "signature.missing");
}

pub(crate) fn a11_too_many() {
    let most = vec![file("two.sig"); 126];
    let with = |last: Vec<Vec<u8>>| stored(&[most.clone(), last].concat());
    assert_eq!(code(&one(&with(vec![file("one.sig")]))), "ok");
    let report = one(&with(vec![file("one.sig"); 2]));
    assert_eq!(
        (report.finding.verdict, report.finding.code),
        (Verdict::Unknown, "limit.lookaside")
    );
    says(
        &report,
        "server provided 128 signatures, assuming that's unreasonable and a server error",
    );
}

/// Each bit of a good signature's file, and the file cut at each byte: refused, but for what no
/// signature is over and what decides nothing (the name and the date before the payload, and the
/// hint which key signed, as long as it finds the key).
#[test]
fn mutations() {
    let good = file("one.sig");
    let rules = policy(&[by("one.gpg", "")]);
    let judged = |file: Vec<u8>| judge_at(&stored(&[file]), &rules, NAME, THEN);
    let claims = |report: &Report| report.requirements[0].candidates[0].claims.clone();
    let original = claims(&judged(good.clone()));
    let mut passed = Vec::new();
    for byte in 0..good.len() {
        for bit in 0..8 {
            let mut file = good.clone();
            file[byte] ^= 1 << bit;
            let report = judged(file);
            if report.finding.verdict == Verdict::Allow {
                assert_eq!(claims(&report), original);
                passed.push(byte);
            }
        }
    }
    // Behind the length of the name, the name and four bytes of date; the subpacket with the
    // issuer's key id, which as one of another type is none (its fingerprint is signed).
    let payload = good.windows(2).position(|pair| pair == b"{\"").unwrap();
    let issuer = good.windows(4).position(|found| found == [0, 10, 9, 16]);
    let may_be = |byte: &usize| (18..payload).contains(byte) || issuer == Some(byte - 3);
    assert!(passed.iter().all(may_be), "{passed:?}");
    assert!(passed.len() >= 32, "{passed:?}");
    let refused = |file: Vec<u8>, what: &str| {
        assert_ne!(judged(file).finding.verdict, Verdict::Allow, "{what}");
    };
    for end in 0..good.len() {
        refused(good[..end].into(), &format!("cut at {end}"));
    }
    refused([&good[..], b"\0"].concat(), "a byte more");
    refused([&good[..], &good[..]].concat(), "twice");
}
