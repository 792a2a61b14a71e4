//! The decision cases of docs/containers-image.md section 10: every id, and what decides it.

use super::*;
use sealgate::internals::error::Coded;
use sealgate::internals::oci::registry::{Fetched, RegistryError};
use sealgate::internals::reference::{Grammar, Reference};
use sealgate::internals::verify::{Archive, Listed};
use sealgate::policy::{Matcher, Requirement, Vocabulary};

/// What decides a case.
enum Case {
    /// Rows of a table here, by its id.
    Rows(fn(&str)),
    /// Whole images.
    Images(&'static [fn()]),
}

use Case::{Images, Rows};

const CASES: &[(&str, Case)] = &[
    ("P1", Rows(parsing)),
    ("P2", Rows(parsing)),
    ("P3", Rows(parsing)),
    ("P4", Rows(parsing)),
    ("P5", Rows(parsing)),
    ("P6", Rows(parsing)),
    ("P7", Rows(parsing)),
    ("P8", Rows(parsing)),
    ("P9", Rows(parsing)),
    ("P10", Rows(parsing)),
    ("P11", Rows(parsing)),
    ("P12", Rows(parsing)),
    ("P13", Rows(parsing)),
    ("P14", Rows(parsing)),
    ("P15", Rows(parsing)),
    ("P16", Rows(parsing)),
    ("P17", Rows(parsing)),
    ("P18", Rows(parsing)),
    ("P19", Rows(parsing)),
    ("P20", Rows(parsing)),
    ("P21", Rows(parsing)),
    ("P22", Rows(parsing)),
    ("P23", Rows(parsing)),
    ("P24", Rows(parsing)),
    ("P25", Rows(parsing)),
    ("P26", Rows(parsing)),
    ("P27", Rows(parsing)),
    ("P28", Rows(parsing)),
    ("P29", Rows(parsing)),
    ("P30", Rows(parsing)),
    ("P31", Rows(parsing)),
    ("P32", Rows(parsing)),
    ("P33", Rows(parsing)),
    ("P34", Rows(parsing)),
    ("P35", Rows(parsing)),
    ("P36", Rows(parsing)),
    ("S1", Rows(scopes)),
    ("S2", Rows(scopes)),
    ("S3", Rows(scopes)),
    ("S4", Rows(scopes)),
    ("S5", Rows(scopes)),
    ("S6", Rows(scopes)),
    ("S7", Rows(scopes)),
    ("S8", Rows(scopes)),
    ("S9", Rows(scopes)),
    ("S10", Rows(scopes)),
    ("S11", Rows(scopes)),
    ("S12", Rows(scopes)),
    ("M1", Rows(matchers)),
    ("M2", Rows(matchers)),
    ("M3", Rows(matchers)),
    ("M4", Rows(matchers)),
    ("M5", Rows(matchers)),
    ("M6", Rows(matchers)),
    ("M7", Rows(matchers)),
    ("M8", Rows(matchers)),
    ("M9", Rows(matchers)),
    ("M10", Rows(matchers)),
    ("M11", Rows(matchers)),
    ("M12", Rows(matchers)),
    ("M13", Rows(matchers)),
    ("M14", Rows(matchers)),
    ("M15", Rows(matchers)),
    ("M16", Rows(matchers)),
    ("M17", Rows(matchers)),
    ("M18", Rows(matchers)),
    ("G1", Images(&[simple_signing::g1_a_good_signature])),
    ("G2", Images(&[simple_signing::g2_no_signature])),
    ("G3", Images(&[simple_signing::g3_an_unknown_signer])),
    (
        "G4",
        Images(&[simple_signing::g4_a_bad_and_a_good_signature]),
    ),
    (
        "G5",
        Images(&[simple_signing::g5_an_armoured_file_beside_a_good_signature]),
    ),
    (
        "G6",
        Images(&[simple_signing::g6_two_signers_in_one_message]),
    ),
    ("G7", Images(&[simple_signing::g7_detached])),
    ("G8", Images(&[simple_signing::g8_a_key_that_expired_since])),
    (
        "G9",
        Images(&[simple_signing::g9_expired_signatures_and_revoked_keys]),
    ),
    ("G10", Images(&[simple_signing::g10_a_subkey])),
    ("G11", Images(&[simple_signing::g11_two_requirements])),
    ("G12", Images(&[simple_signing::g12_digest_and_identity])),
    ("G13", Images(&[simple_signing::g13_payloads])),
    (
        "G14",
        Images(&[simple_signing::g14_signatures_of_another_sort_alone]),
    ),
    ("G15", Images(&[requirements_are_conjunctions])),
    (
        "C1",
        Images(&[c1_encodings_of_keys_and_signatures, c1_pkcs1, c3_rsa]),
    ),
    ("C2", Images(&[c2_hashes])),
    ("C3", Images(&[c3_rsa])),
    ("C4", Images(&[c4_base64])),
    ("C5", Images(&[c5_c6_payloads])),
    ("C6", Images(&[c5_c6_payloads])),
    (
        "C7",
        Images(&[c7_only_the_first_block_of_a_key_file_counts]),
    ),
    ("C8", Images(&[c8_to_c10_identities])),
    ("C9", Images(&[c8_to_c10_identities])),
    ("C10", Images(&[c8_to_c10_identities])),
    ("C11", Images(&[c11_an_attachment_is_no_signature])),
    ("C12", Images(&[c12_to_c14_keys_and_a_log])),
    (
        "C13",
        Images(&[
            c12_to_c14_keys_and_a_log,
            c13_annotations_that_are_not_needed_are_not_looked_at,
        ]),
    ),
    ("C14", Images(&[c12_to_c14_keys_and_a_log])),
    ("C15", Images(&[c15_to_c20_fulcio])),
    ("C16", Images(&[c15_to_c20_fulcio])),
    ("C17", Images(&[c15_to_c20_fulcio])),
    ("C18", Images(&[c15_to_c20_fulcio])),
    ("C19", Images(&[c15_to_c20_fulcio])),
    ("C20", Images(&[c15_to_c20_fulcio])),
    ("C21", Images(&[c21_keys_of_rekor])),
    ("C22", Images(&[c22_pki])),
    ("C23", Images(&[c23_only_sha256_digests_match])),
    (
        "C24",
        Images(&[c24_one_key_that_cannot_be_used_rejects_everything]),
    ),
    ("A1", Images(&[a1_to_a5_indexes])),
    ("A2", Images(&[a1_to_a5_indexes])),
    ("A3", Images(&[a1_to_a5_indexes])),
    ("A4", Images(&[an_index_is_a_list])),
    ("A5", Images(&[a1_to_a5_indexes])),
    ("A6", Images(&[simple_signing::a6_only_the_second_exists])),
    (
        "A7",
        Images(&[
            a7_what_cannot_be_had_is_no_permission,
            lookaside::a7_another_status_after_the_last,
        ]),
    ),
    ("A8", Images(&[lookaside::a8_a_signature_that_is_too_large])),
    (
        "A9",
        Images(&[a9_attachments_are_off_where_registries_d_does_not_switch_them_on]),
    ),
    ("A10", Images(&[a10_the_signature_manifest_has_one_type])),
    ("A11", Images(&[simple_signing::a11_too_many])),
    ("A12", Images(&[lookaside::a12_accepted_and_unreadable])),
];

#[test]
fn every_case_is_decided_as_containers_image_does() {
    for (id, case) in CASES {
        match case {
            Rows(check) => check(id),
            Images(checks) => checks.iter().for_each(|check| check()),
        }
    }
}

/// Section 10 has 117 cases.
#[test]
fn no_id_is_missing() {
    let groups = [
        ("P", 36),
        ("S", 12),
        ("M", 18),
        ("G", 15),
        ("C", 24),
        ("A", 12),
    ];
    let all: Vec<String> = groups
        .into_iter()
        .flat_map(|(group, count)| (1..=count).map(move |number| format!("{group}{number}")))
        .collect();
    assert_eq!(all.len(), 117);
    assert_eq!(CASES.iter().map(|(id, _)| *id).collect::<Vec<_>>(), all);
}

/// The digits of a digest.
const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// `ok`, or the code.
fn policy(text: &str) -> &'static str {
    Policy::parse(text.as_bytes()).map_or_else(|error| error.code(), |_| "ok")
}

fn requirement(text: &str) -> &'static str {
    Requirement::parse(text.as_bytes(), Vocabulary::Containers)
        .map_or_else(|error| error.code(), |_| "ok")
}

/// A `sigstoreSigned` with these members.
fn sigstore(members: &str) -> &'static str {
    requirement(&format!(r#"{{"type":"sigstoreSigned",{members}}}"#))
}

/// A `signedBy` of GPG keys with these members.
fn signed_by(members: &str) -> &'static str {
    requirement(&format!(
        r#"{{"type":"signedBy","keyType":"GPGKeys",{members}}}"#
    ))
}

/// A `sigstoreSigned` with this `signedIdentity`.
fn identity(text: &str) -> &'static str {
    sigstore(&format!(r#""keyPath":"/k","signedIdentity":{text}"#))
}

/// The rows of one id: id, what is found, what should be.
fn check<T: PartialEq + std::fmt::Debug>(
    id: &str,
    rows: impl IntoIterator<Item = (&'static str, T, T)>,
) {
    let own: Vec<(T, T)> = rows
        .into_iter()
        .filter(|row| row.0 == id)
        .map(|(_, found, expected)| (found, expected))
        .collect();
    assert!(!own.is_empty(), "{id} has no row");
    for (number, (found, expected)) in own.iter().enumerate() {
        assert_eq!(found, expected, "{id}, row {number}");
    }
}

fn parsing(id: &str) {
    check(
        id,
        documents()
            .into_iter()
            .chain(keys())
            .chain(identities())
            .chain(sources()),
    );
}

type Row = (&'static str, &'static str, &'static str);

fn documents() -> Vec<Row> {
    let reject = r#"{"default":[{"type":"reject"}]"#;
    vec![
        ("P1", policy("null"), "policy.type"),
        ("P2", policy("{}"), "policy.no-default"),
        ("P3", policy(r#"{"default":[]}"#), "policy.no-requirements"),
        (
            "P3",
            policy(r#"{"default":null}"#),
            "policy.no-requirements",
        ),
        (
            "P4",
            policy(r#"{"default":[null]}"#),
            "policy.requirement-type",
        ),
        (
            "P4",
            policy(r#"{"default":[{}]}"#),
            "policy.requirement-type",
        ),
        ("P5", policy(&format!("{reject}}}\n")), "ok"),
        ("P5", policy(&format!("{reject}}}x")), "policy.json"),
        ("P6", policy(&format!("\u{feff}{reject}}}")), "policy.json"),
        ("P6", policy(&format!("{reject}}}// x")), "policy.json"),
        ("P6", policy(&format!("{reject},}}")), "policy.json"),
        (
            "P7",
            policy(&format!(r#"{reject},"def\u0061ult":[]}}"#)),
            "policy.duplicate-key",
        ),
        (
            "P8",
            policy(r#"{"Default":[{"type":"reject"}]}"#),
            "policy.unknown-key",
        ),
        (
            "P9",
            policy(&format!(r#"{reject},"transports":{{}}}}"#)),
            "ok",
        ),
        (
            "P9",
            policy(&format!(r#"{reject},"transports":{{"docker":{{}}}}}}"#)),
            "ok",
        ),
        (
            "P9",
            policy(&format!(r#"{reject},"transports":null}}"#)),
            "policy.type",
        ),
        (
            "P9",
            policy(&format!(r#"{reject},"transports":{{"docker":null}}}}"#)),
            "policy.type",
        ),
        (
            "P10",
            policy(&format!(
                r#"{reject},"transports":{{"typo":{{"/":[{{"type":"reject"}}]}}}}}}"#
            )),
            "ok",
        ),
        (
            "P11",
            policy(&format!(
                r#"{reject},"transports":{{"dir":{{"/":[{{"type":"reject"}}]}}}}}}"#
            )),
            "policy.scope",
        ),
        (
            "P11",
            policy(&format!(
                r#"{reject},"transports":{{"docker-archive":{{"/x":[{{"type":"reject"}}]}}}}}}"#
            )),
            "policy.scope",
        ),
        (
            "P12",
            policy(r#"{"default":[{"type":"reject","type":"insecureAcceptAnything"}]}"#),
            "policy.duplicate-key",
        ),
        (
            "P13",
            policy(r#"{"default":[{"type":"reject","Type":"reject"}]}"#),
            "policy.unknown-key",
        ),
    ]
}

fn keys() -> Vec<Row> {
    let x509 = r#"{"type":"signedBy","keyType":"X509Certificates","keyPath":"/k"}"#;
    vec![
        (
            "P14",
            requirement(r#"{"type":"signedBy","keyPath":"/k"}"#),
            "policy.key-type",
        ),
        (
            "P15",
            requirement(r#"{"type":"signedBy","keyType":"gpgkeys","keyPath":"/k"}"#),
            "policy.key-type",
        ),
        (
            "P15",
            requirement(r#"{"type":"signedBy","keyType":"X.509Certificates","keyPath":"/k"}"#),
            "policy.key-type",
        ),
        ("P16", requirement(x509), "ok"),
        ("P17", signed_by(r#""keyPath":"""#), "policy.key-source"),
        ("P17", signed_by(r#""keyPath":null"#), "policy.key-source"),
        (
            "P18",
            signed_by(r#""keyPath":"","keyData":"YQ==""#),
            "policy.key-source",
        ),
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
        (
            "P23",
            signed_by(r#""keyDatas":["YQ=="]"#),
            "policy.unknown-key",
        ),
        (
            "P23",
            sigstore(r#""keyPath":"/k","keyType":"GPGKeys""#),
            "policy.unknown-key",
        ),
    ]
}

fn identities() -> Vec<Row> {
    let remap = |prefix: &str| {
        identity(&format!(
            r#"{{"type":"remapIdentity","prefix":"{prefix}","signedPrefix":"a.b"}}"#
        ))
    };
    vec![
        ("P24", identity("null"), "policy.match-type"),
        (
            "P24",
            signed_by(r#""keyPath":"/k","signedIdentity":null"#),
            "policy.match-type",
        ),
        (
            "P25",
            identity(r#"{"type":"exactReference","dockerReference":"busybox"}"#),
            "policy.no-tag",
        ),
        (
            "P26",
            identity(r#"{"type":"exactRepository","dockerRepository":"busybox:latest"}"#),
            "ok",
        ),
        ("P27", remap("a.b/x:t"), "policy.prefix"),
        ("P27", remap("*.b"), "policy.prefix"),
        ("P27", remap("a.b/"), "policy.prefix"),
        ("P27", remap(""), "policy.prefix"),
        ("P27", remap("a.b/X"), "policy.prefix"),
        ("P27", remap("a.b@sha256:x"), "policy.prefix"),
        ("P28", remap("busybox"), "ok"),
        ("P28", remap("a.b:5000"), "ok"),
        ("P28", remap("a.b:5000/x/y"), "ok"),
    ]
}

fn sources() -> Vec<Row> {
    let fulcio = r#""fulcio":{"caPath":"/ca","oidcIssuer":"i","subjectEmail":"e"}"#;
    let pki = r#""pki":{"caRootsPath":"/ca","subjectEmail":"e"}"#;
    let rekor = r#""rekorPublicKeyPath":"/r""#;
    vec![
        ("P29", sigstore(fulcio), "policy.rekor-source"),
        (
            "P29",
            sigstore(&format!(r#"{fulcio},"rekorPublicKeyPath":"""#)),
            "policy.rekor-source",
        ),
        ("P29", sigstore(&format!("{fulcio},{rekor}")), "ok"),
        (
            "P30",
            sigstore(r#""keyPath":"/k","rekorPublicKeyPath":"""#),
            "ok",
        ),
        (
            "P30",
            sigstore(r#""keyPath":"/k","rekorPublicKeyData":null"#),
            "ok",
        ),
        (
            "P31",
            sigstore(r#""keyPath":"/k","rekorPublicKeyPaths":[]"#),
            "policy.no-entries",
        ),
        (
            "P32",
            sigstore(&format!(
                r#""keyPath":"/k",{rekor},"rekorPublicKeyData":"YQ==""#
            )),
            "policy.rekor-source",
        ),
        (
            "P32",
            sigstore(&format!(
                r#""keyPath":"/k",{rekor},"rekorPublicKeyData":"""#
            )),
            "policy.rekor-source",
        ),
        (
            "P33",
            sigstore(&format!(r#"{fulcio},{rekor},"keyPath":"/k""#)),
            "policy.key-source",
        ),
        (
            "P33",
            sigstore(&format!("{fulcio},{rekor},{pki}")),
            "policy.key-source",
        ),
        (
            "P34",
            sigstore(&format!("{pki},{rekor}")),
            "policy.rekor-source",
        ),
        (
            "P35",
            sigstore(r#""pki":{"caRootsPath":"/ca"}"#),
            "policy.subject",
        ),
        (
            "P35",
            sigstore(&format!(
                r#""fulcio":{{"caPath":"/ca","subjectEmail":"e"}},{rekor}"#
            )),
            "policy.subject",
        ),
        (
            "P35",
            sigstore(&format!(
                r#""fulcio":{{"caPath":"/ca","oidcIssuer":"i"}},{rekor}"#
            )),
            "policy.subject",
        ),
        (
            "P36",
            sigstore(&format!(
                r#""fulcio":{{"caPath":"/ca","oidcIssuer":"i","subjectEmail":"e","subjectURI":"u"}},{rekor}"#
            )),
            "policy.unknown-key",
        ),
    ]
}

/// The scope that is hit, in a policy with these.
fn hit(scopes: &[&str], image: &str) -> String {
    let list: Vec<String> = scopes
        .iter()
        .map(|scope| format!(r#""{scope}":[{{"type":"insecureAcceptAnything"}}]"#))
        .collect();
    let policy = Policy::parse(
        format!(
            r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{{}}}}}}}"#,
            list.join(",")
        )
        .as_bytes(),
    )
    .unwrap();
    policy
        .select(&Reference::normalize(image, Grammar::Containers).unwrap())
        .unwrap()
        .scope
}

fn scopes(id: &str) {
    let many: &[&str] = &[
        "",
        "deep.com",
        "*.deep.com",
        "*.very.deep.com",
        "deep.com/n1",
        "deep.com/n1/r",
        "deep.com/n1/r:t",
    ];
    let pinned = format!("deep.com/n1/r@sha256:{HEX}");
    let rows = [
        ("S1", many, "deep.com/n1/r:t", Some("deep.com/n1/r:t")),
        ("S2", many, "deep.com/n1/r:u", Some("deep.com/n1/r")),
        ("S2", many, &pinned, Some("deep.com/n1/r")),
        ("S3", many, "deep.com/n1/x:t", Some("deep.com/n1")),
        ("S4", many, "deep.com/z:t", Some("deep.com")),
        ("S5", many, "very.deep.com/z", Some("*.deep.com")),
        ("S6", many, "not.very.deep.com/z", Some("*.very.deep.com")),
        ("S7", many, "other.org/z", Some("")),
        ("S8", many, "deep.com:5000/z", Some("")),
        ("S9", many, "Deep.com/z", Some("")),
        ("S10", &["busybox"], "busybox", None),
        (
            "S11",
            &["docker.io/library"],
            "index.docker.io/busybox:1",
            Some("docker.io/library"),
        ),
        ("S12", &["*.0.0.1"], "127.0.0.1:5005/x", Some("*.0.0.1")),
        ("S12", &["a.b/x:latest"], "a.b/x", Some("a.b/x:latest")),
    ];
    check(
        id,
        rows.map(|(id, scopes, image, expected)| {
            (
                id,
                hit(scopes, image),
                expected.map_or("default".into(), |scope| format!("docker \"{scope}\"")),
            )
        }),
    );
}

fn accepts(matcher: &str, image: Option<&str>, signed: &str) -> bool {
    let image = image.map(|name| Reference::normalize(name, Grammar::Containers).unwrap());
    Matcher::parse(matcher.as_bytes(), Vocabulary::Containers)
        .unwrap()
        .accepts(image.as_ref(), signed)
}

fn matchers(id: &str) {
    const EXACT: &str = r#"{"type":"matchExact"}"#;
    const DEFAULT: &str = r#"{"type":"matchRepoDigestOrExact"}"#;
    const REPOSITORY: &str = r#"{"type":"matchRepository"}"#;
    const REMAP: &str = r#"{"type":"remapIdentity","prefix":"m.ex:5000/v","signedPrefix":"v.ex"}"#;
    let at = |name: &str| format!("{name}@sha256:{HEX}");
    let other = format!("a.b/r@sha256:{}", "0".repeat(64));
    let both = format!("a.b/r:t@sha256:{HEX}");
    let (busybox, r) = (at("busybox"), at("a.b/r"));
    let rows = [
        (
            "M1",
            EXACT,
            Some("busybox:latest"),
            "docker.io/library/busybox:latest",
            true,
        ),
        ("M2", EXACT, Some("busybox:latest"), "busybox", false),
        ("M3", EXACT, Some(busybox.as_str()), "busybox:latest", false),
        ("M4", EXACT, Some(&busybox), &busybox, true),
        ("M5", DEFAULT, Some("a.b/r:t"), "a.b/r:u", false),
        ("M6", DEFAULT, Some(&r), "a.b/r:anything", true),
        ("M7", DEFAULT, Some(&r), "a.b/r", false),
        ("M8", DEFAULT, Some(&r), &other, true),
        ("M9", DEFAULT, Some("a.b/r:t"), &both, false),
        ("M9", DEFAULT, Some(&both), "a.b/r:t", false),
        ("M10", REPOSITORY, Some("a.b/r:t"), "a.b/r", true),
        ("M11", REPOSITORY, Some("a.b/r:t"), "", false),
        ("M11", REPOSITORY, Some("a.b/r:t"), "BUSY", false),
        ("M12", REPOSITORY, None, "a.b/r:t", false),
        (
            "M13",
            r#"{"type":"exactReference","dockerReference":"docker.io/library/busybox:latest"}"#,
            None,
            "busybox:latest",
            true,
        ),
        (
            "M14",
            r#"{"type":"exactRepository","dockerRepository":"index.docker.io/library/busybox:9"}"#,
            None,
            "busybox:latest",
            true,
        ),
        ("M15", REMAP, Some("m.ex:5000/v/a:1"), "v.ex/a:1", true),
        ("M16", REMAP, Some("m.ex:5000/v2/a:1"), "v.ex/a:1", false),
        ("M17", REMAP, Some("v.ex/a:1"), "v.ex/a:1", true),
        (
            "M18",
            r#"{"type":"remapIdentity","prefix":"a.b/r","signedPrefix":"v.ex:5000"}"#,
            Some("a.b/r:tag"),
            "v.ex:5000:tag",
            false,
        ),
        (
            "M18",
            r#"{"type":"remapIdentity","prefix":"a.b/r","signedPrefix":"short"}"#,
            Some("a.b/r:tag"),
            "short:tag",
            false,
        ),
    ];
    check(
        id,
        rows.map(|(id, matcher, image, signed, expected)| {
            (id, accepts(matcher, image, signed), expected)
        }),
    );
}

/// C2, by signatures that cosign made.
fn c2_hashes() {
    for (case, expected) in [
        ("ecdsa-p384-signature", Verdict::Allow),
        ("ecdsa-p384-signature-sha384_fail", Verdict::Deny),
    ] {
        let folder = support::fixtures().join("cosign").join(case);
        assert_eq!(
            judge(
                &Memory::case(&folder),
                &support::key_rules(&folder.join("key.pub")),
                &format!("demo.example/fixtures/{case}:1")
            )
            .finding
            .verdict,
            expected,
            "{case}"
        );
    }
}

/// C1 and C3: an RSA key that is forgotten, by which OpenSSL signed [`good_payload`]: PKCS #1 v1.5,
/// and PSS with a salt of 32 bytes.
fn c3_rsa() {
    const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApenoXUi3b0o4RGwHz1SaLEIHaSuM4xh8NbMFjP9a+DwyG8ecAXSYRiqL4AaEtS3nm9wuLGWTxe8AB/yi8kqvwd/z96OsvA0YOV7Vu/Uv+Kp3wGYjcj+fhUk6kMcAJshmhwzrfrERX+hVl9BGxesHGv1Mb0G1jJbbLmzkVw5/Q7fyPY59m1DPtcu+shVxqB+CMttm5qs4BNPmS0PSsqNLNFoTRGF85+6CfjVeSvXpb8GMF5tX9fbuLYBRXPNYWIkp6ZkA+CMpRaAjSq7vIljWzk8q1vrZzJgaTsdee5S88sGQcGtLckki/411ZuF2C9mO++tEBBnSY9iBwyGs3CE/QwIDAQAB";
    const PKCS1: &str = "R7aowd3xo82hEiHB2Vh2HoaqVIz2d9M1IuWP+jR+O9c3NtZhQthLrOORLZ2STgZUpf9OJVMrBcBiRB4tb92nFuuoV2QPawRpk5KQxOuHL9KX50BEEnBuj7MnPZfiTJOtDrfuBI+UkEamTE0e1zNcJ3tUtqOY9tY5F6MCytDEsrxqS38CH+zsqlIQZqNfOlHfBJhbI5Y6pEO9ZlQWHaO6Uvkucs7P9loHIB7H4ovUSfYfNpjrHvGTUp4FSsyN3+5ggAd7/wAvRf2Aa0nS3PxvigfUHRDeqkfjhTTzyo+OeOtVmdwTUYUT4203nD2NSF84oFoEtEuMeTwbWKHIIPa0AA==";
    const PSS: &str = "Bo+dIb8sArAn4+Y4B+oxV8LPZAnRp4BeBPNFPMtDcmO0l2+Ix5PyATTcWz0+9yskdK3wHsZpfBzi/juzDXQ/GyRaAS1JhtcMvt7nZr/piTcea4gHiM4i9fGxFt5vG3PG9p2SHBWHezxUgbGK3HWmf8gYjQIC/VMKFCjFwOR5OeEciNyaEfzQPD4dhy1ZISx+hrTEplxNu7DKmMy3OmEGUugU2m58lZiA72lwy5ivJiMJtKCXaeanBX3KH6wBD77Lo/Zd8oFa/wOTMon4LUbeYwQTvJqzB+45rCAmLsFKb6U75f/q4M4bexeNMn+A5eN/+LEXcOPvgueh86SNpHdTeQ==";
    let key = [pem::encode("PUBLIC KEY", &base64::decode(KEY).unwrap())];
    let payload = good_payload();
    assert_eq!(
        report(&[layer(payload.as_bytes(), PKCS1)], ANY_TAG, &key)
            .finding
            .verdict,
        Verdict::Allow
    );
    let refused = report(&[layer(payload.as_bytes(), PSS)], ANY_TAG, &key);
    assert_eq!(
        (refused.finding.verdict, refused.finding.code),
        (Verdict::Deny, "signature.invalid")
    );
}

/// An index under the tag `multi` that lists these images.
fn multi(memory: &mut Memory, images: &[Vec<u8>]) -> Vec<u8> {
    let platforms = ["amd64", "arm64"];
    let list: Vec<serde_json::Value> = images.iter().zip(platforms).map(|(bytes, architecture)| {
        serde_json::json!({"mediaType": MANIFEST, "digest": Digest::of(bytes).to_string(), "size": bytes.len(), "platform": {"os": "linux", "architecture": architecture}})
    }).collect();
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": list})
        .to_string()
        .into_bytes();
    memory
        .manifests
        .insert("multi".into(), (index.clone(), INDEX.into()));
    for bytes in images {
        memory.manifests.insert(
            Digest::of(bytes).to_string(),
            (bytes.clone(), MANIFEST.into()),
        );
    }
    index
}

/// Hangs these signatures on a manifest.
fn hang(memory: &mut Memory, bytes: &[u8], layers: &[Layer]) {
    let own = archive(layers);
    let (manifest, kind) =
        own.manifests[&format!("sha256-{}.sig", Digest::of(&image()).hex())].clone();
    memory.manifests.insert(
        format!("sha256-{}.sig", Digest::of(bytes).hex()),
        (manifest, kind),
    );
    memory.blobs.extend(own.blobs);
}

fn a1_to_a5_indexes() {
    let key = [public(&signer(1))];
    let multi_name = "registry.example/team/app:multi";
    let signature = |bytes: &[u8], name: &str| {
        [signed(
            &payload(&Digest::of(bytes).to_string(), name, r#","optional":null"#),
            1,
        )]
    };
    let second = String::from_utf8(image())
        .unwrap()
        .replace(
            "\"layers\":[]",
            "\"layers\":[],\"annotations\":{\"a\":\"b\"}",
        )
        .into_bytes();
    // A1: the index is signed and its image is not.
    let mut memory = Memory::default();
    let index = multi(&mut memory, &[image()]);
    hang(&mut memory, &index, &signature(&index, multi_name));
    let refused =
        support::judge_platform(&memory, &rules(ANY_TAG, &key), multi_name, "linux/amd64");
    assert_eq!(
        (refused.finding.verdict, refused.finding.code),
        (Verdict::Deny, "signature.missing"),
        "A1"
    );
    // A2 and A3: the image is signed under the tag that is asked for, and under another.
    for (name, expected, code) in [
        (multi_name, Verdict::Allow, "signature.accepted"),
        (NAME, Verdict::Deny, "identity.not-accepted"),
    ] {
        let mut memory = Memory::default();
        multi(&mut memory, &[image()]);
        hang(&mut memory, &image(), &signature(&image(), name));
        let found = support::judge_platform(&memory, &rules("", &key), multi_name, "linux/amd64");
        assert_eq!(
            (
                found.finding.verdict,
                found
                    .requirements
                    .last()
                    .or(found
                        .instances
                        .last()
                        .and_then(|one| one.requirements.last()))
                    .map(|one| one.finding.code)
            ),
            (expected, Some(code)),
            "A2, A3: {name}"
        );
    }
    // A5: every image is signed, and the index is not. (A4: an_index_is_a_list.)
    let mut memory = Memory::default();
    multi(&mut memory, &[image(), second.clone()]);
    hang(&mut memory, &image(), &signature(&image(), multi_name));
    assert_eq!(
        judge(&memory, &rules("", &key), multi_name).finding.verdict,
        Verdict::Deny,
        "A4"
    );
    hang(&mut memory, &second, &signature(&second, multi_name));
    assert_eq!(
        judge(&memory, &rules("", &key), multi_name).finding.verdict,
        Verdict::Allow,
        "A5"
    );
}

/// A9. Without any registries.d they are on (docs/trust.md section 1).
fn a9_attachments_are_off_where_registries_d_does_not_switch_them_on() {
    let memory = archive(&[signed(&good_payload(), 1)]);
    let judged = |text: &str| {
        let rules = rules(ANY_TAG, &[public(&signer(1))])
            .with_registries_d(&[("a.yaml".to_owned(), text.as_bytes().to_vec())].into())
            .unwrap();
        judge(&memory, &rules, NAME)
    };
    let off = judged("default-docker:\n  lookaside: https://x.example\n");
    assert_eq!(
        (off.finding.verdict, off.finding.code),
        (Verdict::Deny, "signature.missing")
    );
    assert!(
        off.finding
            .message
            .starts_with("A signature was required, but no signature exists"),
        "{}",
        off.finding.message
    );
    assert_eq!(
        judged("docker:\n  registry.example/team:\n    use-sigstore-attachments: true\n")
            .finding
            .verdict,
        Verdict::Allow
    );
    assert_eq!(
        judged(
            "docker:\n  registry.example/team:\n    use-sigstore-attachments: true\n  \
             registry.example/team/app:\n    use-sigstore-attachments: false\n"
        )
        .finding
        .verdict,
        Verdict::Deny
    );
}

/// A registry that answers 403 where signatures are.
struct Closed(Memory);

impl Archive for Closed {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        if reference.ends_with(".sig") {
            return Err(RegistryError::Refused {
                url: reference.into(),
                status: 403,
                code: "DENIED".into(),
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

/// A7, of attachments: whatever is neither there nor said to be missing is an error, not an
/// unsigned image.
fn a7_what_cannot_be_had_is_no_permission() {
    let memory = archive(&[signed(&good_payload(), 1)]);
    let rules = rules(ANY_TAG, &[public(&signer(1))]);
    assert_eq!(judge(&memory, &rules, NAME).finding.verdict, Verdict::Allow);
    assert_eq!(
        judge(&Closed(memory), &rules, NAME).finding.verdict,
        Verdict::Unknown
    );
}
