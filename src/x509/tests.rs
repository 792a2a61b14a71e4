//! fixtures/x509/ by tools/fixtures/x509.mjs: certificates by OpenSSL, SCTs by Node. A chain is
//! `leaf < int < root` unless a row says otherwise.

use super::certificate::Certificate;
use super::fulcio::{Claims, SubjectName};
use super::path::{Chain, Purpose, chains, path};
use super::sct::{self, scts};
use super::{Anchor, Path, San, Window, X509Error};
use crate::crypto::Links;
use crate::crypto::Outcome;
use crate::crypto::Pending;
use crate::crypto::Provider;
use crate::crypto::PublicKey;
use crate::crypto::Refused;
use crate::crypto::Remembering;
use crate::crypto::Role;
use crate::crypto::RustCrypto;
use crate::crypto::Step;
use crate::crypto::Verified;
use crate::error::Coded;
use crate::time::UnixTime;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use proptest::prelude::*;

extern crate std;

/// 2024-06-01T12:00:00Z and :10:00: the leaf's first and last second.
const FIRST: i64 = 1_717_243_200;
const LAST: i64 = FIRST + 600;
const ALWAYS: Window = Window {
    start: UnixTime(0),
    end: None,
};

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(format!("fixtures/x509/{name}.der")).unwrap()
}

fn cert(name: &str) -> Certificate {
    Certificate::parse(&bytes(name)).unwrap()
}

fn certs(names: &[&str]) -> Vec<Certificate> {
    names.iter().map(|name| cert(name)).collect()
}

fn settle<T>(pending: Pending<T>) -> Result<Verified<T>, Refused> {
    settle_by(&RustCrypto, pending)
}

/// As [`settle`], with what was seen to hold before.
fn settle_with<T>(links: &Links, pending: Pending<T>) -> Result<Verified<T>, Refused> {
    settle_by(&Remembering::new(&RustCrypto, links), pending)
}

fn settle_by<T>(provider: &impl Provider, pending: Pending<T>) -> Result<Verified<T>, Refused> {
    let mut future = Box::pin(pending.settle(provider));
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => panic!("RustCrypto answers at once"),
    }
}

fn anchor(names: &[&str], valid: Window) -> Result<Anchor, Refused> {
    Anchor::verify(&certs(names), valid)
        .and_then(settle)
        .map(|anchor| anchor.claim().clone())
}

fn root() -> Anchor {
    anchor(&["root"], ALWAYS).unwrap()
}

fn code<T>(result: Result<T, Refused>) -> &'static str {
    result.map_or_else(|refused| refused.failure.code, |_| "ok")
}

/// The path from `leaf` over `intermediates` to the root, at the leaf's first second.
fn to_root(leaf: &str, intermediates: &[&str]) -> Result<Verified<Path>, Refused> {
    path(
        &cert(leaf),
        &certs(intermediates),
        &root(),
        Purpose::CodeSigning,
        &[UnixTime(FIRST)],
    )
    .and_then(settle)
}

#[test]
fn a_good_chain_says_how() {
    let verified = to_root("leaf", &["int"]).unwrap();
    assert_eq!(
        verified.claim().certificates(),
        certs(&["leaf", "int", "root"])
    );
    assert_eq!(
        (verified.claim().leaf(), verified.claim().issuer()),
        (Some(&cert("leaf")), Some(&cert("int")))
    );
    let signatures = verified.steps().iter().filter(|step| matches!(step, Step::Settled(check, Outcome::Holds) if check.role() == Role::CertificateSignature));
    assert_eq!(signatures.count(), 2);
    let rules: Vec<_> = verified
        .steps()
        .iter()
        .filter_map(|step| {
            if let Step::Rule(rule) = step {
                Some(rule.name)
            } else {
                None
            }
        })
        .collect();
    for name in [
        "certificate.issuer",
        "certificate.anchor",
        "certificate.validity",
        "certificate.authorities",
        "certificate.purpose",
        "certificate.names",
        "certificate.critical",
    ] {
        assert!(rules.contains(&name), "{name}");
    }
}

/// Each row breaks one rule of RFC 5280 section 6, or comes as near to that as can be.
#[test]
fn rules_of_paths() {
    for (leaf, intermediates, expected) in [
        ("leaf", &["int"][..], "ok"),
        ("leaf-root", &[], "ok"),
        ("leaf-ed25519", &["int"], "ok"),
        // Issuers.
        ("leaf", &[], "x509.unknown-issuer"),
        ("leaf", &["sub"], "x509.unknown-issuer"),
        ("leaf-sub", &["int"], "x509.unknown-issuer"),
        ("leaf", &["int-stranger"], "signature.invalid"),
        // Superfluous, repeated and self-made certificates change nothing.
        ("leaf", &["root", "sub", "int", "int", "leaf"], "ok"),
        ("leaf", &["int-stranger", "int"], "ok"),
        // CVE-2026-24122.
        ("leaf", &["int-expired"], "x509.expired"),
        ("leaf", &["int-later"], "x509.not-yet-valid"),
        ("leaf", &["int-not-ca"], "x509.not-ca"),
        ("leaf", &["int-no-basic"], "x509.not-ca"),
        ("leaf", &["int-no-sign"], "x509.key-cert-sign"),
        ("leaf", &["int-other-eku"], "x509.ext-key-usage"),
        ("leaf", &["int-any-eku"], "ok"),
        ("leaf", &["int-critical"], "x509.critical-extension"),
        ("leaf-sub", &["int", "sub"], "x509.path-length"),
        ("leaf-sub", &["int-any-eku", "sub"], "ok"),
        (
            "leaf-deep-8",
            &[
                "deep-8", "deep-7", "deep-6", "deep-5", "deep-4", "deep-3", "deep-2", "deep-1",
            ],
            "ok",
        ),
        (
            "leaf-deep-9",
            &[
                "deep-9", "deep-8", "deep-7", "deep-6", "deep-5", "deep-4", "deep-3", "deep-2",
                "deep-1",
            ],
            "x509.chain-length",
        ),
        ("leaf", &["int"; 11], "x509.chain-length"),
        // The leaf.
        ("leaf-no-eku", &["int"], "x509.ext-key-usage"),
        ("leaf-other-eku", &["int"], "x509.ext-key-usage"),
        ("leaf-any-eku", &["int"], "x509.ext-key-usage"),
        ("leaf-no-usage", &["int"], "ok"),
        ("leaf-other-usage", &["int"], "x509.key-usage"),
        ("leaf-ca", &["int"], "x509.leaf-is-ca"),
        ("leaf-critical", &["int"], "x509.critical-extension"),
        ("leaf-poison", &["int"], "x509.critical-extension"),
        ("tsa", &["int"], "x509.ext-key-usage"),
    ] {
        assert_eq!(
            code(to_root(leaf, intermediates)),
            expected,
            "{leaf} {intermediates:?}"
        );
    }
}

/// The anchor's own certificates count too.
#[test]
fn a_chain_of_eleven_over_the_anchor() {
    let upper = anchor(&["deep-1", "root"], ALWAYS).unwrap();
    for (leaf, intermediates, expected) in [
        (
            "leaf-deep-9",
            &[
                "deep-9", "deep-8", "deep-7", "deep-6", "deep-5", "deep-4", "deep-3", "deep-2",
            ][..],
            "x509.chain-length",
        ),
        (
            "leaf-deep-8",
            &[
                "deep-8", "deep-7", "deep-6", "deep-5", "deep-4", "deep-3", "deep-2",
            ],
            "ok",
        ),
    ] {
        assert_eq!(
            code(
                path(
                    &cert(leaf),
                    &certs(intermediates),
                    &upper,
                    Purpose::CodeSigning,
                    &[UnixTime(FIRST)]
                )
                .and_then(settle)
            ),
            expected,
            "{leaf}"
        );
    }
}

/// RUSTSEC-2026-0098: URIs. RUSTSEC-2026-0099: wildcards.
#[test]
fn name_constraints() {
    for (leaf, intermediate, expected) in [
        ("leaf", "int-uri-inside", "ok"),
        ("leaf", "int-uri-outside", "x509.name-constraint"),
        ("leaf", "int-uri-below", "x509.name-constraint"),
        ("leaf", "int-uri-excluded", "x509.name-constraint"),
        ("leaf-urn", "int-uri-inside", "x509.name-constraint"),
        ("leaf-urn", "int-uri-excluded", "x509.name-constraint"),
        ("leaf", "int-dns-narrow", "ok"),
        ("leaf-wildcard", "int-dns-narrow", "x509.name-constraint"),
        ("leaf-wildcard", "int-dns-wide", "ok"),
        ("leaf-wildcard", "int-dns-excluded", "x509.name-constraint"),
        ("leaf-email", "int-email-host", "x509.name-constraint"),
        ("leaf-email", "int-email-domain", "ok"),
        ("leaf-email", "int-email-excluded", "x509.name-constraint"),
        (
            "leaf-subject-email",
            "int-email-host",
            "x509.name-constraint",
        ),
        ("leaf-subject-email", "int-email-domain", "ok"),
        ("leaf-ip", "int-ip", "x509.name-constraint"),
        ("leaf-wildcard", "int-ip", "ok"),
        ("leaf", "int-directory", "ok"),
        ("leaf", "int-directory-other", "x509.name-constraint"),
    ] {
        assert_eq!(
            code(to_root(leaf, &[intermediate])),
            expected,
            "{leaf} {intermediate}"
        );
    }
}

#[test]
fn validity_ends_are_inclusive_and_every_time_counts() {
    let leaf = cert("leaf");
    let at = |times: &[i64], valid| {
        let times: Vec<_> = times.iter().copied().map(UnixTime).collect();
        code(
            path(
                &leaf,
                &certs(&["int"]),
                &anchor(&["root"], valid).unwrap(),
                Purpose::CodeSigning,
                &times,
            )
            .and_then(settle),
        )
    };
    for (times, expected) in [
        (&[][..], "x509.no-time"),
        (&[FIRST], "ok"),
        (&[LAST], "ok"),
        (&[FIRST - 1], "x509.not-yet-valid"),
        (&[LAST + 1], "x509.expired"),
        (&[FIRST, LAST], "ok"),
        (&[FIRST, LAST + 1], "x509.expired"),
        (&[FIRST - 1, FIRST], "x509.not-yet-valid"),
        (&[i64::MIN], "x509.not-yet-valid"),
        (&[i64::MAX], "x509.expired"),
    ] {
        assert_eq!(at(times, ALWAYS), expected, "{times:?}");
    }
    for (start, end, expected) in [
        (FIRST, Some(FIRST), "ok"),
        (FIRST, None, "ok"),
        (FIRST + 1, None, "x509.not-yet-valid"),
        (0, Some(FIRST - 1), "x509.expired"),
        (FIRST + 1, Some(FIRST - 1), "x509.not-yet-valid"),
    ] {
        assert_eq!(
            at(
                &[FIRST],
                Window {
                    start: UnixTime(start),
                    end: end.map(UnixTime)
                }
            ),
            expected,
            "{start} {end:?}"
        );
    }
}

#[test]
fn anchors() {
    for (names, expected) in [
        (&["root"][..], "ok"),
        (&["int", "root"], "ok"),
        (&["rsa-root"], "ok"),
        (&["ed-root"], "ok"),
        (&["tsa", "root"], "ok"),
        (&["leaf", "int", "root"], "ok"),
        (&[], "x509.anchor-empty"),
        (&["root"; 11], "x509.chain-length"),
        (&["root", "int"], "x509.anchor-order"),
        (&["int", "rsa-root"], "x509.anchor-order"),
        (&["int"], "x509.anchor-unsigned"),
        (&["leaf"], "x509.not-ca"),
        (&["root", "leaf"], "x509.not-ca"),
        (&["int", "leaf", "root"], "x509.not-ca"),
        (&["leaf", "int-stranger", "root"], "signature.invalid"),
        (&["sub", "int-stranger", "root"], "signature.invalid"),
    ] {
        assert_eq!(code(anchor(names, ALWAYS)), expected, "{names:?}");
    }
    assert_eq!(
        Anchor::named(&cert("leaf"), ALWAYS).unwrap_err().code(),
        "x509.not-ca"
    );
}

/// A remembered link says that a key signed bytes, and nothing of whether it may (docs/trust.md
/// section 7).
#[test]
fn a_remembered_link_proves_nothing_else() {
    let links = Links::default();
    let judge = |leaf: &str, intermediate: &str, anchor: &Anchor, at: i64| {
        path(
            &cert(leaf),
            &certs(&[intermediate]),
            anchor,
            Purpose::CodeSigning,
            &[UnixTime(at)],
        )
        .and_then(|claim| settle_with(&links, claim))
    };
    let counted = |verified: &Verified<Path>| {
        let count = |wanted: fn(&Step) -> bool| {
            let steps = verified.steps().iter();
            steps.filter(|step| wanted(step)).count()
        };
        (
            count(|step| matches!(step, Step::Settled(..))),
            count(|step| matches!(step, Step::Remembered(_))),
        )
    };
    let good = || judge("leaf", "int", &root(), FIRST).unwrap();
    // The signer's own is met once, and checked each time.
    assert_eq!((counted(&good()), counted(&good())), ((2, 0), (1, 1)));
    // Its time, and the root's.
    assert_eq!(
        code(judge("leaf", "int", &root(), LAST + 1)),
        "x509.expired"
    );
    let over = Window {
        start: UnixTime(0),
        end: Some(UnixTime(FIRST - 1)),
    };
    let root_over = anchor(&["root"], over).unwrap();
    assert_eq!(
        code(judge("leaf", "int", &root_over, FIRST)),
        "x509.expired"
    );
    // An authority of the same name that is not the one.
    let other = Anchor::named(&cert("int-stranger"), ALWAYS).unwrap();
    assert_eq!(
        code(judge("leaf", "int", &other, FIRST)),
        "signature.invalid"
    );
    for (intermediate, expected) in [
        ("int-expired", "x509.expired"),
        ("int-critical", "x509.critical-extension"),
        ("int-other-eku", "x509.ext-key-usage"),
        ("int-no-sign", "x509.key-cert-sign"),
        ("int-uri-outside", "x509.name-constraint"),
        ("int-stranger", "signature.invalid"),
    ] {
        let chain = certs(&["leaf", intermediate, "root"]);
        for (below, issuer) in chain.iter().zip(chain.iter().skip(1)) {
            let check = below
                .signed_by(issuer.public_key(), Role::CertificateSignature)
                .unwrap()
                .recurring();
            let parsed = Pending::read(check.clone(), |_| Ok(())).unwrap();
            // The stranger's signature does not hold, and is not remembered.
            assert_eq!(settle_with(&links, parsed).is_ok(), links.hold(&check));
        }
        for _ in 0..2 {
            assert_eq!(
                code(judge("leaf", intermediate, &root(), FIRST)),
                expected,
                "{intermediate}"
            );
        }
    }
}

/// What was checked when the anchor was loaded is not checked again; its rules are.
#[test]
fn paths_end_at_the_first_certificate_of_the_anchor() {
    let signatures = |anchor: &Anchor, leaf: &str| {
        let verified = path(
            &cert(leaf),
            &[],
            anchor,
            Purpose::CodeSigning,
            &[UnixTime(FIRST)],
        )
        .and_then(settle)
        .unwrap();
        (
            verified
                .steps()
                .iter()
                .filter(|step| matches!(step, Step::Settled(..)))
                .count(),
            verified.claim().certificates().len(),
        )
    };
    let whole = anchor(&["int", "root"], ALWAYS).unwrap();
    assert_eq!(signatures(&whole, "leaf"), (1, 3));
    assert_eq!(signatures(&whole, "leaf-root"), (1, 2));
    assert_eq!(
        signatures(&Anchor::named(&cert("int"), ALWAYS).unwrap(), "leaf"),
        (1, 2)
    );
    for (chain, expected) in [
        (&["int-expired", "root"][..], "x509.expired"),
        (&["int-critical", "root"], "x509.critical-extension"),
        (&["int-other-eku", "root"], "x509.ext-key-usage"),
        (&["int-no-sign", "root"], "x509.key-cert-sign"),
        (&["int-uri-outside", "root"], "x509.name-constraint"),
        (&["int-stranger", "root"], "signature.invalid"),
    ] {
        assert_eq!(
            code(
                path(
                    &cert("leaf"),
                    &[],
                    &anchor(chain, ALWAYS).unwrap(),
                    Purpose::CodeSigning,
                    &[UnixTime(FIRST)]
                )
                .and_then(settle)
            ),
            expected,
            "{chain:?}"
        );
    }
}

#[test]
fn timestamp_authorities() {
    let at = |leaf: &str, chain: &[&str], purpose| {
        code(
            path(
                &cert(leaf),
                &[],
                &anchor(chain, ALWAYS).unwrap(),
                purpose,
                &[UnixTime(FIRST)],
            )
            .and_then(settle),
        )
    };
    for (leaf, chain, purpose, expected) in [
        ("tsa", &["root"][..], Purpose::Timestamping, "ok"),
        ("tsa", &["tsa", "root"], Purpose::Timestamping, "ok"),
        (
            "tsa-two",
            &["tsa", "root"],
            Purpose::Timestamping,
            "x509.other-leaf",
        ),
        (
            "tsa-two",
            &["root"],
            Purpose::Timestamping,
            "x509.ext-key-usage",
        ),
        (
            "tsa-not-critical",
            &["root"],
            Purpose::Timestamping,
            "x509.ext-key-usage",
        ),
        (
            "leaf-root",
            &["root"],
            Purpose::Timestamping,
            "x509.ext-key-usage",
        ),
        ("tsa", &["root"], Purpose::CodeSigning, "x509.ext-key-usage"),
        ("tsa-two", &["root"], Purpose::CodeSigning, "ok"),
    ] {
        assert_eq!(
            at(leaf, chain, purpose),
            expected,
            "{leaf} {chain:?} {purpose:?}"
        );
    }
}

/// Two authorities of one name: the one that the key identifier names comes first, the other stays.
#[test]
fn issuers_of_one_name_are_alternatives() {
    let (leaf, root) = (cert("leaf"), root());
    for order in [["int", "int-stranger"], ["int-stranger", "int"]] {
        let found = chains(&leaf, &certs(&order), &root).unwrap();
        assert_eq!(
            found
                .iter()
                .map(|chain| chain.issuer().unwrap().clone())
                .collect::<Vec<_>>(),
            certs(&["int", "int-stranger"])
        );
        let codes: Vec<_> = found
            .iter()
            .map(|chain| {
                code(
                    chain
                        .claim(Purpose::CodeSigning, &[UnixTime(FIRST)])
                        .and_then(settle),
                )
            })
            .collect();
        assert_eq!(codes, ["ok", "signature.invalid"]);
    }
    // Cross-issued without end: bounded.
    let many = certs(&[
        "int",
        "int-stranger",
        "int-expired",
        "int-later",
        "int-critical",
        "int-any-eku",
        "int-other-eku",
        "int-ip",
        "int-no-sign",
        "int-uri-inside",
    ]);
    assert!(chains(&leaf, &many, &root).unwrap().len() <= crate::limits::PATHS);
}

/// No bit of a leaf can be changed: each either is no certificate any more, or leads nowhere.
#[test]
fn no_altered_byte_is_accepted() {
    let (good, int, root) = (bytes("leaf"), certs(&["int"]), root());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        let Ok(leaf) = Certificate::parse(&bad) else {
            continue;
        };
        let result =
            path(&leaf, &int, &root, Purpose::CodeSigning, &[UnixTime(FIRST)]).and_then(settle);
        assert!(result.is_err(), "byte {at}");
    }
    // The subject alternative name, inside what is signed.
    let mut bad = good.clone();
    let at = good
        .windows(10)
        .position(|part| part == b"github.com")
        .unwrap();
    bad[at] ^= 1;
    let leaf = Certificate::parse(&bad).unwrap();
    assert_eq!(
        code(path(&leaf, &int, &root, Purpose::CodeSigning, &[UnixTime(FIRST)]).and_then(settle)),
        "signature.invalid"
    );
}

/// `old` replaced by `new` of the same length, where it stands first.
fn replaced(name: &str, old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut der = bytes(name);
    let at = der.windows(old.len()).position(|part| part == old).unwrap();
    der[at..at + new.len()].copy_from_slice(new);
    der
}

#[test]
fn malformed_certificates() {
    let leaf = bytes("leaf");
    let mut longer = leaf.clone();
    longer.push(0);
    let large = vec![0x30; crate::limits::CERTIFICATE + 1];
    for (what, der, expected) in [
        ("nothing", vec![], "x509.der"),
        ("a byte more", longer, "x509.der"),
        ("a byte less", leaf[..leaf.len() - 1].to_vec(), "x509.der"),
        ("too large", large, "x509.too-large"),
        (
            "version 2",
            replaced("leaf", &[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 1]),
            "x509.version",
        ),
        (
            "algorithms differ",
            replaced(
                "leaf",
                &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
                &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
            ),
            "x509.der",
        ),
        (
            "critical as 1",
            replaced("leaf", &[1, 1, 0xff], &[1, 1, 1]),
            "x509.der",
        ),
        (
            "critical as false",
            replaced("leaf", &[1, 1, 0xff], &[1, 1, 0]),
            "x509.der",
        ),
        (
            "month 13",
            replaced("leaf", b"240601120000Z", b"241301120000Z"),
            "x509.der",
        ),
        (
            "no Z",
            replaced("leaf", b"240601120000Z", b"240601120000+"),
            "x509.der",
        ),
        (
            "twice",
            replaced("leaf", &[0x55, 0x1d, 0x25], &[0x55, 0x1d, 0x0f]),
            "x509.duplicate-extension",
        ),
        (
            "key usage with zeros",
            replaced("leaf", &[3, 2, 7, 0x80], &[3, 2, 6, 0x80]),
            "x509.der",
        ),
        (
            "name not ASCII",
            replaced("leaf", b"github.com", b"g\xffthub.com"),
            "x509.der",
        ),
        (
            "a compressed point",
            replaced("leaf", &[3, 0x42, 0, 4], &[3, 0x42, 0, 2]),
            "x509.key",
        ),
        (
            "path length of a leaf",
            replaced(
                "int",
                &[0x30, 6, 1, 1, 0xff, 2, 1, 0],
                &[0x30, 6, 2, 4, 1, 0, 0, 0],
            ),
            "x509.der",
        ),
        (
            "negative path length",
            replaced(
                "int",
                &[0x30, 6, 1, 1, 0xff, 2, 1, 0],
                &[0x30, 6, 1, 1, 0xff, 2, 1, 0xff],
            ),
            "x509.der",
        ),
    ] {
        assert_eq!(
            Certificate::parse(&der).map_or_else(|error| error.code(), |_| "ok"),
            expected,
            "{what}"
        );
    }
}

#[test]
fn claims_of_fulcio() {
    let claims = Claims::of(&cert("leaf")).unwrap();
    assert_eq!(
        claims.subject(),
        &SubjectName::Uri(
            "https://github.com/o/r/.github/workflows/release.yml@refs/tags/v1".into()
        )
    );
    assert_eq!(
        claims.issuer(),
        Some("https://token.actions.githubusercontent.com")
    );
    let all: Vec<_> = claims.iter().collect();
    assert_eq!(
        all,
        [
            ("githubWorkflowTrigger", "push"),
            ("sourceRepositoryURI", "https://github.com/o/r"),
            ("sourceRepositoryVisibilityAtSigning", "public")
        ]
    );
    assert_eq!(
        (
            claims.get("sourceRepositoryURI"),
            claims.get("sourceRepositoryRef"),
            claims.get("issuer")
        ),
        (Some("https://github.com/o/r"), None, None)
    );
    assert_eq!(Claims::names().count(), 19);
    assert_eq!(
        Claims::of(&cert("leaf-old-issuer")).unwrap().issuer(),
        claims.issuer()
    );
    assert_eq!(Claims::of(&cert("leaf-no-issuer")).unwrap().issuer(), None);
    assert_eq!(
        Claims::of(&cert("leaf-username")).unwrap().subject(),
        &SubjectName::Username("me!example.com".into())
    );
    assert_eq!(
        Claims::of(&cert("leaf-email")).unwrap().subject().text(),
        "me@mail.example.com"
    );
    for (name, expected) in [
        ("leaf-no-name", "x509.names"),
        ("leaf-two-names", "x509.names"),
        ("leaf-wildcard", "x509.name-type"),
        ("leaf-ip", "x509.name-type"),
        ("leaf-other-name", "x509.name-type"),
        ("leaf-issuers-differ", "x509.issuers-differ"),
        ("leaf-raw-claim", "x509.claim"),
    ] {
        assert_eq!(
            Claims::of(&cert(name)).unwrap_err().code(),
            expected,
            "{name}"
        );
    }
}

#[test]
fn accessors() {
    let leaf = cert("leaf");
    assert_eq!(
        (leaf.not_before(), leaf.not_after(), leaf.is_ca()),
        (UnixTime(FIRST), UnixTime(LAST), false)
    );
    assert_eq!(
        (leaf.der(), leaf.issuer()),
        (bytes("leaf").as_slice(), cert("int").subject())
    );
    assert!(
        matches!(leaf.names(), [San::Uri(_)])
            && leaf.key_usage().unwrap().digital_signature
            && cert("int").is_ca()
    );
    assert_eq!(
        (leaf.shown().as_str(), leaf.shown_issuer().as_str()),
        ("leaf", "int")
    );
}

fn log(name: &str) -> PublicKey {
    PublicKey::from_spki_der(&bytes(&format!("{name}.spki"))).unwrap()
}

#[test]
fn signed_certificate_timestamps() {
    let (leaf, int) = (cert("leaf-scts"), cert("int"));
    let issuer = int.public_key().spki_der();
    assert_eq!(code(to_root("leaf-scts", &["int"])), "ok");
    let found = scts(&leaf).unwrap();
    assert_eq!(found.len(), 2);
    for (sct, key, other) in [
        (&found[0], log("log"), log("log-rsa")),
        (&found[1], log("log-rsa"), log("log")),
    ] {
        let verified = sct.claim(&leaf, issuer, &key).and_then(settle).unwrap();
        assert_eq!(
            (verified.claim().time, verified.claim().log_id, sct.time()),
            (UnixTime(FIRST), sct.log_id(), UnixTime(FIRST))
        );
        assert_eq!(code(sct.claim(&leaf, issuer, &other)), "x509.sct-log");
        // Another issuer, another certificate.
        assert_eq!(
            code(
                sct.claim(&leaf, cert("int-stranger").public_key().spki_der(), &key)
                    .and_then(settle)
            ),
            "signature.invalid"
        );
        assert_eq!(
            code(sct.claim(&cert("leaf"), issuer, &key).and_then(settle)),
            "signature.invalid"
        );
    }
    assert_eq!(scts(&cert("leaf")), Ok(vec![]));
}

/// Every byte of the list is covered: by its form, by the log's name, or by the log's signature.
#[test]
fn no_altered_timestamp_is_accepted() {
    let (good, int) = (cert("leaf-scts"), cert("int"));
    let (list, keys) = (
        good.extension(sct::OID).unwrap(),
        [log("log"), log("log-rsa")],
    );
    let at = good
        .der()
        .windows(list.len())
        .position(|part| part == list)
        .unwrap();
    for offset in 0..list.len() {
        let mut bad = good.der().to_vec();
        bad[at + offset] ^= 1 << (offset % 8);
        let Ok(leaf) = Certificate::parse(&bad) else {
            continue;
        };
        let Ok(found) = scts(&leaf) else { continue };
        let holds = |sct: &sct::Sct| {
            keys.iter().any(|key| {
                sct.claim(&leaf, int.public_key().spki_der(), key)
                    .and_then(settle)
                    .is_ok()
            })
        };
        assert!(!found.iter().all(holds), "byte {offset}");
    }
}

/// The list's forms that are refused, in place of the real one's first bytes.
#[test]
fn malformed_timestamps() {
    let good = cert("leaf-scts");
    let list = good.extension(sct::OID).unwrap().to_vec();
    let at = good
        .der()
        .windows(list.len())
        .position(|part| part == list)
        .unwrap();
    let with = |offset: usize, byte: u8| {
        let mut bad = good.der().to_vec();
        bad[at + offset] = byte;
        scts(&Certificate::parse(&bad).unwrap()).unwrap_err().code()
    };
    // OCTET STRING 04 82 LL LL, list's length, entry's length, version.
    for (offset, byte, expected) in [
        (0, 5, "x509.der"),
        (4, 0xff, "x509.sct"),
        (5, 0, "x509.sct"),
        (6, 0xff, "x509.sct"),
        (7, 0, "x509.sct"),
        (8, 1, "x509.sct"),
    ] {
        assert_eq!(with(offset, byte), expected, "{offset}");
    }
}

#[test]
fn codes_are_unique_but_for_their_module() {
    let mut codes = X509Error::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), X509Error::CODES.len());
    assert!(codes.iter().all(|code| code.starts_with("x509.")));
    assert!(X509Error::NoTime.to_string().contains("expected"));
}

fn use_all(der: &[u8]) {
    let Ok(certificate) = Certificate::parse(der) else {
        return;
    };
    let _ = (
        Claims::of(&certificate),
        certificate.shown(),
        certificate.shown_issuer(),
    );
    for sct in scts(&certificate).unwrap_or_default() {
        let _ = sct.claim(
            &certificate,
            certificate.public_key().spki_der(),
            &log("log"),
        );
    }
    let intermediates = [
        certificate.clone(),
        cert("int-directory"),
        cert("int-uri-inside"),
        cert("int-email-domain"),
        cert("int-dns-excluded"),
    ];
    if let Ok(found) = chains(&certificate, &intermediates, &root()) {
        found
            .iter()
            .map(|chain: &Chain<'_>| chain.claim(Purpose::CodeSigning, &[UnixTime(FIRST)]))
            .for_each(drop);
    }
    let _ = Anchor::verify(&intermediates, ALWAYS);
}

proptest! {
    #[test]
    fn no_bytes_panic(der in proptest::collection::vec(any::<u8>(), 0..200)) {
        use_all(&der);
    }

    #[test]
    fn no_mutation_panics(which in 0_usize..6, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<Option<prop::sample::Index>>()) {
        let mut der = bytes(["leaf", "leaf-scts", "int-directory", "int-email-domain", "leaf-username", "rsa-root"][which]);
        for (at, byte) in changes {
            let at = at.index(der.len());
            der[at] = byte;
        }
        if let Some(cut) = cut {
            der.truncate(cut.index(der.len()));
        }
        use_all(&der);
    }
}
