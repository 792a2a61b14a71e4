//! Tokens of fixtures/timestamp (tools/fixtures/timestamp.mjs), and what must come of each way to
//! alter them.

use super::*;
use crate::crypto::RustCrypto;
use crate::crypto::Step;
use crate::error::Coded;
use crate::time::UnixTime;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::Window;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use proptest::prelude::*;

extern crate std;

/// The time in the tokens of `openssl cms`.
const TIME: UnixTime = UnixTime(1_893_456_000);
const ALWAYS: (i64, Option<i64>) = (0, None);

/// Tests run in the package's folder.
fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("fixtures/timestamp/{name}")).unwrap()
}

fn wait<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the provider in pure Rust never waits"),
    }
}

fn authority(certificates: &[&str], (start, end): (i64, Option<i64>)) -> TimestampAuthority {
    let certificates: Vec<_> = certificates
        .iter()
        .map(|name| Certificate::parse(&file(&format!("{name}.cer"))).unwrap())
        .collect();
    let anchor = Anchor::verify(
        &certificates,
        Window {
            start: UnixTime(start),
            end: end.map(UnixTime),
        },
    )
    .unwrap();
    TimestampAuthority {
        chain: wait(anchor.settle(&RustCrypto))
            .unwrap()
            .unwrap()
            .claim()
            .clone(),
    }
}

/// An authority that the root names by its own certificate, as Sigstore's roots do.
fn own(leaf: &str) -> TimestampAuthority {
    authority(&[leaf, "intermediate", "root"], ALWAYS)
}

/// One that it names by the authorities above it.
fn above() -> TimestampAuthority {
    authority(&["intermediate", "root"], ALWAYS)
}

/// The first claim that settles, else the code of the last.
fn judge_bytes(
    token: &[u8],
    authorities: &[TimestampAuthority],
    stamped: &[u8],
) -> Result<Timestamp, String> {
    let token = Token::parse(token).map_err(|error| String::from(error.code()))?;
    let mut last = Err(String::from("none"));
    for claim in token
        .claims(authorities, stamped)
        .map_err(|refused| String::from(refused.failure.code))?
    {
        match wait(claim.settle(&RustCrypto)).unwrap() {
            Ok(verified) => return Ok(verified.claim().clone()),
            Err(refused) => last = Err(refused.failure.code.into()),
        }
    }
    last
}

fn judge(token: &[u8], authorities: &[TimestampAuthority]) -> Result<Timestamp, String> {
    judge_bytes(token, authorities, &file("stamped"))
}

fn code(token: &[u8], authorities: &[TimestampAuthority]) -> String {
    judge(token, authorities).map_or_else(|code| code, |_| "ok".into())
}

#[test]
fn accepts_what_openssl_makes() {
    for (name, leaf) in [
        ("a.tsr", "a"),
        ("a.token", "a"),
        ("a-certificates.tsr", "a"),
        ("b.tsr", "b"),
        ("rsa.tsr", "rsa"),
        ("plain.token", "a"),
        ("key-id.token", "a"),
        ("fraction.token", "a"),
        ("extension.token", "a"),
        ("ed25519.token", "ed25519"),
    ] {
        let authorities = [own("two-purposes"), own(leaf)];
        let found =
            judge(&file(name), &authorities).unwrap_or_else(|code| panic!("{name}: {code}"));
        assert_eq!(
            (found.authority, found.signer.der()),
            (1, file(&format!("{leaf}.cer")).as_slice()),
            "{name}"
        );
        if !name.ends_with("tsr") && name != "a.token" {
            assert_eq!(found.time, TIME, "{name}");
        }
    }
    // Without the authority's own certificate, that of the token will do.
    for name in [
        "a-certificates.tsr",
        "rsa.tsr",
        "plain.token",
        "key-id.token",
    ] {
        assert_eq!(code(&file(name), &[above()]), "ok", "{name}");
    }
}

/// Each with its own code.
#[test]
fn refuses_what_no_authority_should_make() {
    let a = [own("a")];
    for (name, expected) in [
        ("refused.tsr", "timestamp.status"),
        ("critical-extension.token", "timestamp.critical-extension"),
        ("version-2.token", "timestamp.version"),
        ("sha1.token", "timestamp.hash"),
        ("other-bytes.token", "timestamp.imprint"),
        ("before.token", "x509.not-yet-valid"),
        ("after.token", "x509.expired"),
        ("no-attributes.token", "timestamp.no-signed-attributes"),
        ("other-type.token", "timestamp.content-type"),
        ("two-signers.token", "timestamp.signers"),
    ] {
        assert_eq!(code(&file(name), &a), expected, "{name}");
    }
    assert_eq!(
        judge_bytes(&file("plain.token"), &a, b"another signature").unwrap_err(),
        "timestamp.imprint"
    );
    // RFC 3161 section 2.3: the extended key usage is critical, and says time stamping alone.
    for name in ["two-purposes", "not-critical", "code-signing", "no-purpose"] {
        let token = file(&format!("{name}.token"));
        assert_eq!(code(&token, &[own(name)]), "x509.ext-key-usage", "{name}");
        assert_eq!(code(&token, &[above()]), "x509.ext-key-usage", "{name}");
    }
}

/// Set aside (docs/trust.md section 4), as opposed to what names a listed authority and fails.
#[test]
fn tells_unlisted_authorities_from_failures() {
    let impostor = || authority(&["impostor"], ALWAYS);
    let (plain, bare) = (file("plain.token"), file("a.tsr"));
    for (token, authorities, expected) in [
        (&plain, vec![], "timestamp.unknown-authority"),
        (
            &plain,
            vec![own("b"), own("rsa")],
            "timestamp.unknown-authority",
        ),
        (&bare, vec![own("b")], "timestamp.unknown-authority"),
        (
            &bare,
            vec![authority(&["root"], ALWAYS)],
            "timestamp.unknown-authority",
        ),
        // It names the authority, and nobody has the certificate.
        (&bare, vec![above()], "timestamp.signer-missing"),
        (&bare, vec![above(), own("a")], "ok"),
        // Two authorities of one name: the names fit both, the signature one.
        (&plain, vec![impostor()], "signature.invalid"),
        (&plain, vec![impostor(), above()], "ok"),
        (&file("forged.token"), vec![impostor()], "ok"),
        (&file("forged.token"), vec![above()], "signature.invalid"),
        // The trusted root names A's certificate; the forged one has its issuer and serial number.
        (
            &file("forged.token"),
            vec![own("a")],
            "timestamp.signer-ambiguous",
        ),
    ] {
        assert_eq!(code(token, &authorities), expected);
    }
    let token = Token::parse(&plain).unwrap();
    assert_eq!(
        (
            token.time_unverified(),
            token
                .claims(&[impostor(), above()], &file("stamped"))
                .unwrap()
                .len()
        ),
        (TIME, 2)
    );
    assert!(
        token.says_the_same(&Token::parse(&file("key-id.token")).unwrap())
            && !token.says_the_same(&Token::parse(&bare).unwrap())
    );
    assert!(token.claim(&[above()], &file("stamped")).is_ok());
}

#[test]
fn bounds_the_ties() {
    let token = Token::parse(&file("plain.token")).unwrap();
    let authorities = vec![own("a"); 65];
    assert_eq!(
        token
            .claims(&authorities[..64], &file("stamped"))
            .unwrap()
            .len(),
        64
    );
    assert_eq!(
        token
            .claims(&authorities, &file("stamped"))
            .unwrap_err()
            .failure
            .code,
        "timestamp.too-many-authorities"
    );
}

/// Inclusive at both ends; a fraction of a second is dropped.
#[test]
fn judges_the_window_at_the_tokens_time() {
    let window = |start, end| {
        [authority(
            &["a", "intermediate", "root"],
            (TIME.0 + start, Some(TIME.0 + end)),
        )]
    };
    for name in ["plain.token", "fraction.token"] {
        for (start, end, expected) in [
            (0, 0, "ok"),
            (-1, 0, "ok"),
            (0, 1, "ok"),
            (1, 2, "timestamp.window"),
            (-2, -1, "timestamp.window"),
            (1, -1, "timestamp.window"),
        ] {
            assert_eq!(
                code(&file(name), &window(start, end)),
                expected,
                "{name} {start} {end}"
            );
        }
    }
}

/// TOB-SIGSTORE-11: a token of A in the window of B, which has the same issuer.
#[test]
fn binds_a_token_to_its_authority() {
    let ended = |names: &[&str]| authority(names, (0, Some(TIME.0 - 1)));
    let token = file("plain.token");
    assert_eq!(
        code(&token, &[ended(&["a", "intermediate", "root"]), own("b")]),
        "timestamp.window"
    );
    assert_eq!(
        code(&token, &[own("b"), ended(&["a", "intermediate", "root"])]),
        "timestamp.window"
    );
    // Listed once more with a window that covers it: then it is vouched for, by that one.
    assert_eq!(
        judge(
            &token,
            &[ended(&["a", "intermediate", "root"]), own("b"), own("a")]
        )
        .unwrap()
        .authority,
        2
    );
}

/// A golden list of what was asked and checked, in order.
#[test]
fn explains_itself() {
    let token = Token::parse(&file("plain.token")).unwrap();
    let claim = token.claim(&[above()], &file("stamped")).unwrap();
    let verified = wait(claim.settle(&RustCrypto)).unwrap().unwrap();
    let names: Vec<_> = verified
        .steps()
        .iter()
        .map(|step| match step {
            Step::Settled(check, _) => check.role().name(),
            Step::Rule(rule) => rule.name,
            other => panic!("{other:?}"),
        })
        .collect();
    let own: Vec<_> = names
        .iter()
        .filter(|name| !name.starts_with("certificate."))
        .copied()
        .collect();
    assert_eq!(
        own,
        [
            "signature.timestamp-certificate",
            "signature.timestamp-token",
            "timestamp.message-digest",
            "timestamp.imprint",
            "timestamp.signer",
            "timestamp.window",
            "timestamp.certificates",
            "timestamp.authority",
        ]
    );
}

/// A DER value that can be altered and written again.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Bytes(u8, Vec<u8>),
    Inside(u8, Vec<Node>),
}

impl Node {
    fn read(mut bytes: &[u8]) -> Vec<Node> {
        let mut nodes = Vec::new();
        while let [tag, length, rest @ ..] = bytes {
            let (length, rest) = match length {
                0x81 => (usize::from(rest[0]), &rest[1..]),
                0x82 => (
                    usize::from(rest[0]) * 256 + usize::from(rest[1]),
                    &rest[2..],
                ),
                short => (usize::from(*short), rest),
            };
            let (body, rest) = rest.split_at(length);
            nodes.push(if tag & 0x20 == 0 {
                Node::Bytes(*tag, body.into())
            } else {
                Node::Inside(*tag, Node::read(body))
            });
            bytes = rest;
        }
        nodes
    }

    fn write(&self) -> Vec<u8> {
        let (tag, body) = match self {
            Node::Bytes(tag, body) => (*tag, body.clone()),
            Node::Inside(tag, nodes) => (*tag, nodes.iter().flat_map(Node::write).collect()),
        };
        let [.., high, low] = body.len().to_be_bytes();
        let length = match (high, low) {
            (0, 0..=0x7f) => vec![low],
            (0, _) => vec![0x81, low],
            _ => vec![0x82, high, low],
        };
        [vec![tag], length, body].concat()
    }

    fn nodes(&mut self) -> &mut Vec<Node> {
        match self {
            Node::Inside(_, nodes) => nodes,
            Node::Bytes(..) => panic!("nothing is inside"),
        }
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        match self {
            Node::Bytes(_, bytes) => bytes,
            Node::Inside(..) => panic!("values are inside"),
        }
    }

    fn at(&mut self, path: &[usize]) -> &mut Node {
        path.iter().fold(self, |node, at| &mut node.nodes()[*at])
    }

    fn tag(&mut self) -> &mut u8 {
        match self {
            Node::Bytes(tag, _) | Node::Inside(tag, _) => tag,
        }
    }

    fn flip(&mut self) {
        *self.bytes().last_mut().unwrap() ^= 1;
    }
}

fn null() -> Node {
    Node::Bytes(5, vec![])
}

fn certificate(name: &str) -> Node {
    Node::read(&file(&format!("{name}.cer"))).remove(0)
}

// Where things are in a token.
const SIGNED_DATA: &[usize] = &[1, 0];
const ALGORITHMS: &[usize] = &[1, 0, 1];
const CONTENT: &[usize] = &[1, 0, 2];
const BAG: &[usize] = &[1, 0, 3];
const SIGNERS: &[usize] = &[1, 0, 4];
const SIGNER: &[usize] = &[1, 0, 4, 0];
const ATTRIBUTES: &[usize] = &[1, 0, 4, 0, 3];

fn altered(name: &str, alter: impl FnOnce(&mut Node)) -> Vec<u8> {
    let mut token = Node::read(&file(name)).remove(0);
    assert_eq!(token.write(), file(name), "the editor writes what it reads");
    alter(&mut token);
    token.write()
}

/// Alters the TSTInfo of a token.
fn altered_info(name: &str, alter: impl FnOnce(&mut Node)) -> Vec<u8> {
    altered(name, |token| {
        let content = token.at(CONTENT).at(&[1, 0]).bytes();
        let mut info = Node::read(content).remove(0);
        alter(&mut info);
        *content = info.write();
    })
}

type Mutation = (&'static str, fn(&mut Node), &'static str);

/// Of plain.token. Each is refused with its own code, whether or not the root names the signer's
/// certificate.
const MUTATIONS: &[Mutation] = &[
    (
        "other outer type",
        |t| t.at(&[0]).flip(),
        "timestamp.not-signed-data",
    ),
    (
        "something after the content",
        |t| t.nodes().push(null()),
        "timestamp.der",
    ),
    (
        "something after the SignedData",
        |t| t.at(&[1]).nodes().push(null()),
        "timestamp.der",
    ),
    (
        "something after the signers",
        |t| t.at(SIGNED_DATA).nodes().push(null()),
        "timestamp.der",
    ),
    (
        "version of the SignedData",
        |t| *t.at(&[1, 0, 0]).bytes() = vec![1],
        "timestamp.version",
    ),
    (
        "version with leading zero",
        |t| *t.at(&[1, 0, 0]).bytes() = vec![0, 3],
        "timestamp.der",
    ),
    (
        "no hash listed",
        |t| t.at(ALGORITHMS).nodes().clear(),
        "timestamp.digest-algorithms",
    ),
    (
        "other hash listed",
        |t| t.at(ALGORITHMS).at(&[0, 0]).flip(),
        "timestamp.digest-algorithms",
    ),
    (
        "content type",
        |t| t.at(CONTENT).at(&[0]).flip(),
        "timestamp.content-type",
    ),
    (
        "content in an octet string of parts",
        |t| *t.at(CONTENT).at(&[1, 0]).tag() = 0x24,
        "timestamp.der",
    ),
    (
        "no content",
        |t| drop(t.at(CONTENT).nodes().pop()),
        "timestamp.der",
    ),
    (
        "something after the content's octets",
        |t| t.at(CONTENT).at(&[1]).nodes().push(null()),
        "timestamp.der",
    ),
    (
        "something after the encapsulated content",
        |t| t.at(CONTENT).nodes().push(null()),
        "timestamp.der",
    ),
    (
        "no signer",
        |t| t.at(SIGNERS).nodes().clear(),
        "timestamp.signers",
    ),
    (
        "the signer twice",
        |t| {
            let signer = t.at(SIGNER).clone();
            t.at(SIGNERS).nodes().push(signer);
        },
        "timestamp.signers",
    ),
    (
        "the signer is no SEQUENCE",
        |t| *t.at(SIGNER).tag() = 0x31,
        "timestamp.der",
    ),
    (
        "version of the signer",
        |t| *t.at(SIGNER).at(&[0]).bytes() = vec![3],
        "timestamp.version",
    ),
    (
        "other issuer of the signer",
        |t| t.at(SIGNER).at(&[1, 0, 0, 0, 1]).flip(),
        "timestamp.unknown-authority",
    ),
    (
        "hash of the signer",
        |t| {
            t.at(SIGNER).at(&[2, 0]).bytes()[8] = 2;
            t.at(ALGORITHMS).at(&[0, 0]).bytes()[8] = 2;
        },
        "timestamp.algorithm",
    ),
    (
        "hash of the signer with parameters",
        |t| {
            for list in [SIGNER, ALGORITHMS] {
                t.at(list)
                    .at(&[if list == SIGNER { 2 } else { 0 }])
                    .nodes()
                    .insert(1, Node::Bytes(2, vec![1]))
            }
        },
        "timestamp.hash",
    ),
    (
        "other parameters listed",
        |t| {
            t.at(ALGORITHMS)
                .at(&[0])
                .nodes()
                .insert(1, Node::Bytes(2, vec![1]))
        },
        "timestamp.digest-algorithms",
    ),
    (
        "no signed attributes",
        |t| drop(t.at(SIGNER).nodes().remove(3)),
        "timestamp.no-signed-attributes",
    ),
    (
        "attributes empty",
        |t| t.at(ATTRIBUTES).nodes().clear(),
        "timestamp.attribute",
    ),
    (
        "no content-type attribute",
        |t| drop(t.at(ATTRIBUTES).nodes().remove(0)),
        "timestamp.attribute",
    ),
    (
        "no message-digest attribute",
        |t| drop(t.at(ATTRIBUTES).nodes().pop()),
        "timestamp.attribute",
    ),
    (
        "attributes out of order",
        |t| t.at(ATTRIBUTES).nodes().swap(0, 1),
        "timestamp.der",
    ),
    (
        "an attribute twice",
        |t| {
            let first = t.at(ATTRIBUTES).at(&[0]).clone();
            t.at(ATTRIBUTES).nodes().insert(0, first);
        },
        "timestamp.der",
    ),
    (
        "an attribute is no SEQUENCE",
        |t| *t.at(ATTRIBUTES).at(&[2]).tag() = 0x31,
        "timestamp.der",
    ),
    (
        "two message digests",
        |t| {
            let set = t.at(ATTRIBUTES).at(&[2, 1]);
            let mut other = set.at(&[0]).clone();
            other.flip();
            set.nodes().push(other);
        },
        "timestamp.attribute",
    ),
    (
        "content-type attribute of another type",
        |t| t.at(ATTRIBUTES).at(&[0, 1, 0]).flip(),
        "timestamp.signed-type",
    ),
    (
        "message digest of another type",
        |t| *t.at(ATTRIBUTES).at(&[2, 1, 0]).tag() = 3,
        "timestamp.der",
    ),
    (
        "message digest",
        |t| t.at(ATTRIBUTES).at(&[2, 1, 0]).flip(),
        "timestamp.message-digest",
    ),
    (
        "an attribute that is not read",
        |t| t.at(ATTRIBUTES).at(&[1, 1, 0]).flip(),
        "signature.invalid",
    ),
    (
        "attributes under the tag of a SET",
        |t| *t.at(ATTRIBUTES).tag() = 0x31,
        "timestamp.no-signed-attributes",
    ),
    (
        "signature algorithm",
        |t| t.at(SIGNER).at(&[4, 0]).flip(),
        "timestamp.algorithm",
    ),
    (
        "signature algorithm of another key",
        |t| *t.at(SIGNER).at(&[4, 0]).bytes() = vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
        "signature.key-type",
    ),
    (
        "signature",
        |t| t.at(SIGNER).at(&[5]).flip(),
        "signature.invalid",
    ),
    (
        "signature not DER",
        |t| t.at(SIGNER).at(&[5]).bytes().push(0),
        "signature.malformed",
    ),
    (
        "something after the signature",
        |t| t.at(SIGNER).nodes().push(null()),
        "timestamp.der",
    ),
    // CVE-2026-39984 / GHSA-xm5m-wgh2-rrg3: the signer's certificate is the one that the signer
    // names, never the first.
    (
        "a forged certificate prepended",
        |t| t.at(BAG).nodes().insert(0, certificate("forged")),
        "timestamp.signer-ambiguous",
    ),
    (
        "a forged certificate appended",
        |t| t.at(BAG).nodes().push(certificate("forged")),
        "timestamp.signer-ambiguous",
    ),
    (
        "another authority's certificate prepended",
        |t| t.at(BAG).nodes().insert(0, certificate("b")),
        "timestamp.foreign-certificate",
    ),
    (
        "a stranger's authority prepended",
        |t| t.at(BAG).nodes().insert(0, certificate("impostor")),
        "timestamp.foreign-certificate",
    ),
    (
        "eleven certificates",
        |t| {
            for _ in 0..10 {
                t.at(BAG).nodes().push(certificate("root"))
            }
        },
        "timestamp.too-many-certificates",
    ),
    (
        "a certificate that is none",
        |t| t.at(BAG).nodes().push(null()),
        "timestamp.certificate",
    ),
];

#[test]
fn refuses_each_mutation() {
    for (name, alter, expected) in MUTATIONS {
        let token = altered("plain.token", alter);
        for authorities in [
            vec![own("a")],
            vec![above()],
            vec![own("b"), own("a"), above()],
        ] {
            assert_eq!(&code(&token, &authorities), expected, "{name}");
        }
    }
}

/// What depends on who knows the signer's certificate.
#[test]
fn finds_the_signer_where_it_may_be() {
    let alter = |alter: fn(&mut Node)| altered("plain.token", alter);
    let without = alter(|t| drop(t.at(SIGNED_DATA).nodes().remove(3)));
    assert_eq!(
        (
            code(&without, &[own("a")]).as_str(),
            code(&without, &[above()]).as_str()
        ),
        ("ok", "timestamp.signer-missing")
    );
    let other_serial = alter(|t| t.at(SIGNER).at(&[1, 1]).flip());
    // That is B's serial number, which is not in the bag; with the root naming B, B's key did not
    // sign.
    assert_eq!(
        (
            code(&other_serial, &[own("a")]).as_str(),
            code(&other_serial, &[above()]).as_str()
        ),
        ("timestamp.unknown-authority", "timestamp.signer-missing")
    );
    assert_eq!(
        code(&other_serial, &[own("b")]),
        "timestamp.foreign-certificate"
    );
    let altered_copy = alter(|t| t.at(BAG).at(&[0, 2]).flip());
    assert_eq!(
        code(&altered_copy, &[own("a")]),
        "timestamp.signer-ambiguous"
    );
    assert!(code(&altered_copy, &[above()]).starts_with("signature."));
    // The other half of CVE-2026-39984: a stranger signs, the authority's certificate comes first.
    let misled = altered("code-signing.token", |t| {
        t.at(BAG).nodes().insert(0, certificate("a"))
    });
    assert_eq!(
        (
            code(&misled, &[own("a")]).as_str(),
            code(&misled, &[above()]).as_str()
        ),
        ("timestamp.unknown-authority", "x509.ext-key-usage")
    );
    // Authorities above the signer may come along.
    let along = alter(|t| {
        t.at(BAG)
            .nodes()
            .extend([certificate("intermediate"), certificate("root")])
    });
    assert_eq!(
        (
            code(&along, &[own("a")]).as_str(),
            code(&along, &[above()]).as_str(),
            code(&along, &[authority(&["root"], ALWAYS)]).as_str()
        ),
        ("ok", "ok", "ok")
    );
}

/// RFC 5816: openssl ts names the signer's certificate in what it signs.
#[test]
fn the_named_certificate_is_the_signers() {
    let named = [1, 0, 3, 0, 3, 3, 1, 0];
    let alter = |change: fn(&mut Node)| altered("a.token", |t| change(t.at(&named)));
    assert_eq!(
        code(&alter(|name| name.at(&[0, 0, 0]).flip()), &[own("a")]),
        "timestamp.signing-certificate"
    );
    let unknown_hash = |name: &mut Node| {
        name.at(&[0, 0])
            .nodes()
            .insert(0, Node::Inside(0x30, vec![Node::Bytes(6, vec![0x2a, 3])]))
    };
    assert_eq!(code(&alter(unknown_hash), &[own("a")]), "timestamp.hash");
    assert_eq!(
        code(&alter(|name| name.nodes().clear()), &[own("a")]),
        "timestamp.der"
    );
}

#[test]
fn refuses_other_content() {
    let cases: [Mutation; 16] = [
        (
            "version",
            |info| *info.at(&[0]).bytes() = vec![2],
            "timestamp.version",
        ),
        (
            "policy",
            |info| info.at(&[1]).flip(),
            "timestamp.message-digest",
        ),
        (
            "hash of the imprint",
            |info| info.at(&[2, 0, 0]).bytes()[8] = 9,
            "timestamp.message-digest",
        ),
        (
            "imprint",
            |info| info.at(&[2, 1]).flip(),
            "timestamp.message-digest",
        ),
        (
            "something after the imprint",
            |info| info.at(&[2]).nodes().push(null()),
            "timestamp.der",
        ),
        (
            "time",
            |info| *info.at(&[4]).bytes() = b"20300101000001Z".to_vec(),
            "timestamp.message-digest",
        ),
        (
            "no time",
            |info| drop(info.nodes().remove(4)),
            "timestamp.der",
        ),
        (
            "time without zone",
            |info| *info.at(&[4]).bytes() = b"20300101000001".to_vec(),
            "timestamp.time",
        ),
        (
            "UTCTime",
            |info| *info.at(&[4]) = Node::Bytes(0x17, b"300101000000Z".to_vec()),
            "timestamp.der",
        ),
        (
            "serial number empty",
            |info| info.at(&[3]).bytes().clear(),
            "timestamp.der",
        ),
        (
            "ordering written as false",
            |info| info.nodes().push(Node::Bytes(1, vec![0])),
            "timestamp.der",
        ),
        (
            "ordering and nonce",
            |info| {
                info.nodes()
                    .extend([Node::Bytes(1, vec![0xff]), Node::Bytes(2, vec![7])])
            },
            "timestamp.message-digest",
        ),
        (
            "accuracy with something else",
            |info| info.nodes().push(Node::Inside(0x30, vec![null()])),
            "timestamp.der",
        ),
        (
            "name with something after it",
            |info| info.nodes().push(Node::Inside(0xa0, vec![null(), null()])),
            "timestamp.der",
        ),
        (
            "extension that is none",
            |info| info.nodes().push(Node::Inside(0xa1, vec![null()])),
            "timestamp.der",
        ),
        (
            "something after it",
            |info| info.nodes().push(null()),
            "timestamp.der",
        ),
    ];
    for (name, alter, expected) in cases {
        assert_eq!(
            code(&altered_info("plain.token", alter), &[own("a")]),
            expected,
            "{name}"
        );
    }
    let doubled = altered("plain.token", |t| t.at(CONTENT).at(&[1, 0]).bytes().push(0));
    assert_eq!(code(&doubled, &[own("a")]), "timestamp.der");
}

#[test]
fn refuses_other_answers() {
    let cases: [Mutation; 7] = [
        (
            "granted with modifications",
            |t| *t.at(&[0, 0]).bytes() = vec![1],
            "timestamp.status",
        ),
        (
            "rejected, with a token",
            |t| *t.at(&[0, 0]).bytes() = vec![2],
            "timestamp.status",
        ),
        ("no status", |t| t.at(&[0]).nodes().clear(), "timestamp.der"),
        (
            "something in the status",
            |t| t.at(&[0]).nodes().push(null()),
            "timestamp.der",
        ),
        ("no token", |t| drop(t.nodes().pop()), "timestamp.no-token"),
        (
            "something after the token",
            |t| t.nodes().push(null()),
            "timestamp.der",
        ),
        (
            "an answer in an answer",
            |t| *t.at(&[1]) = t.clone(),
            "timestamp.der",
        ),
    ];
    for (name, alter, expected) in cases {
        assert_eq!(
            code(&altered("a.tsr", alter), &[own("a")]),
            expected,
            "{name}"
        );
    }
    let text = altered("a.tsr", |t| {
        t.at(&[0]).nodes().push(Node::Inside(
            0x30,
            vec![Node::Bytes(0x0c, b"granted".to_vec())],
        ))
    });
    assert_eq!(code(&text, &[own("a")]), "ok");
    for name in ["a.tsr", "plain.token"] {
        let bytes = file(name);
        assert_eq!(
            code(&[bytes.as_slice(), &[0]].concat(), &[own("a")]),
            "timestamp.der",
            "trailing byte of {name}"
        );
        assert_eq!(
            code(&bytes[..bytes.len() - 1], &[own("a")]),
            "timestamp.der",
            "last byte of {name}"
        );
    }
    assert_eq!(
        code(&vec![0x30; (64 << 10) + 1], &[]),
        "timestamp.too-large"
    );
    assert_eq!(code(&vec![0x30; 64 << 10], &[]), "timestamp.der");
    // BER: an indefinite length, and a length in more bytes than it needs.
    assert_eq!(code(&[0x30, 0x80, 0, 0], &[]), "timestamp.der");
    assert_eq!(code(&[0x30, 0x81, 0x02, 0x05, 0x00], &[]), "timestamp.der");
}

/// No single bit of a token can change and the token still say something, but for unsigned parts
/// that prove nothing.
#[test]
fn every_bit_counts() {
    let (bytes, authorities, stamped) = (file("a.token"), [own("a")], file("stamped"));
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let found = judge_bytes(&altered, &authorities, &stamped);
        assert!(found.is_err(), "byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Token::parse(&bytes);
    }

    #[test]
    fn never_panics_on_altered_tokens(at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let mut bytes = file("a-certificates.tsr");
        *at.get_mut(&mut bytes) = value;
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(token) = Token::parse(&bytes) {
            let _ = token.claims(&[own("a"), above()], b"a");
        }
    }
}
