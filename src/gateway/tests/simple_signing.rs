//! Simple signatures, real ones, in a lookaside beside the registry.

use super::world::LOOKASIDE;
use super::*;
use crate::verify;
use crate::verify::EvidenceDocument;

const IMAGE: &[u8] = include_bytes!("../../../fixtures/simple-signing/manifest.json");
const SIGNATURE: &[u8] = include_bytes!("../../../fixtures/simple-signing/one.sig");
const OTHERS: &[u8] = include_bytes!("../../../fixtures/simple-signing/two.sig");
const KEYRING: &[u8] = include_bytes!("../../../fixtures/simple-signing/one.asc");
const PATH: &str = "/v2/team/app/manifests/1";
/// A day after it was signed.
const THEN: i64 = 1_767_484_800;
const POLICY: &str = r#"{"default": [{"type": "signedBy", "keyType": "GPGKeys",
  "keyPaths": ["ring.asc"], "signedIdentity":
    {"type": "exactReference", "dockerReference": "registry.example/team/app:1"}}]}"#;

/// A registry with the image, and a lookaside with these signatures of it.
fn world(signatures: &[&[u8]]) -> World {
    let world = World::default();
    world.real.set(true);
    let digest = world.put("team/app", "1", MANIFEST, IMAGE);
    let mut content = world.content.borrow_mut();
    content.insert(String::new(), (b"{}".to_vec(), "application/json".into()));
    for (number, signature) in (1..).zip(signatures) {
        let path = format!("team/app@sha256={}/signature-{number}", digest.hex());
        content.insert(path, (signature.to_vec(), String::new()));
    }
    drop(content);
    world
}

fn configured() -> Config {
    let lookaside = LOOKASIDE.trim_end_matches('/');
    let files = format!("docker:\n  r.example:\n    lookaside: {lookaside}\n");
    Config {
        registries_d: Some([("a.yaml".to_string(), files.into_bytes())].into()),
        assets: [("ring.asc".to_string(), KEYRING.to_vec())].into(),
        ..config(POLICY)
    }
}

fn seen(gateway: &Gateway, world: &World, path: &str) -> (u16, Vec<u8>) {
    let headers = [("authorization", TOKEN)];
    match act(gateway, world, &request("GET", path, &headers, THEN)) {
        Action::Respond(respond) => (respond.status, respond.body.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

/// The status, and what is said.
fn said(gateway: &Gateway, world: &World) -> (u16, String) {
    let (status, body) = seen(gateway, world, PATH);
    (status, String::from_utf8(body).unwrap())
}

fn evidence(gateway: &Gateway, world: &World) -> (EvidenceDocument, String) {
    let (status, body) = seen(gateway, world, "/api/evidence/team/app?ref=1");
    assert_eq!(status, 200);
    let document = EvidenceDocument::parse(&body).unwrap();
    (document, String::from_utf8(body).unwrap())
}

/// By what is published alone.
fn judged(document: &EvidenceDocument) -> verify::Report {
    let policy = document.policy.clone().unwrap();
    let parsed = crate::policy::Policy::parse(&policy.text).unwrap();
    let rules = verify::Rules::policy(parsed, BTreeMap::new()).unwrap();
    let rules = rules
        .with_registries_d(&policy.registries_d.unwrap())
        .unwrap();
    let name = verify::Request::parse("r.example/team/app:1", None, &rules, UnixTime(THEN));
    run(verify::verify_image(
        document,
        &crate::crypto::RustCrypto,
        &rules,
        &name.unwrap(),
    ))
}

fn asked_there(world: &World) -> usize {
    let asked = world.asked.borrow();
    asked.iter().filter(|line| line.contains(LOOKASIDE)).count()
}

#[test]
fn a_signed_image_goes_out_and_is_remembered() {
    let (world, gateway) = (world(&[OTHERS, SIGNATURE]), Gateway::new(configured()));
    assert_eq!(gateway.misconfigured(), None);
    world.private.set(true);
    assert_eq!(seen(&gateway, &world, PATH), (200, IMAGE.to_vec()));
    assert_eq!(asked_there(&world), 3);
    assert_eq!(seen(&gateway, &world, PATH).0, 200);
    assert_eq!(asked_there(&world), 3);
}

#[test]
fn refusals_and_what_could_not_be_found_out() {
    let (status, text) = said(&Gateway::new(configured()), &world(&[]));
    assert_eq!(status, 403);
    assert!(text.contains("[signature.missing]"), "{text}");
    let (status, text) = said(&Gateway::new(configured()), &world(&[OTHERS]));
    assert_eq!(status, 403);
    assert!(text.contains("[openpgp.unknown-key]"), "{text}");
    // The lookaside's address is nobody's business.
    let unwell = world(&[SIGNATURE]);
    unwell.fail("signature-2", 9, Ok(response(500, &[], b"")));
    let (status, text) = said(&Gateway::new(configured()), &unwell);
    assert_eq!(status, 503);
    assert!(text.contains("[lookaside.status]"), "{text}");
    assert!(!text.contains("10.0.0.7"), "{text}");
    let path = "/api/verify?image=r.example/team/app:1";
    for world in [&unwell, &world(&[OTHERS, SIGNATURE])] {
        let (status, report) = seen(&Gateway::new(configured()), world, path);
        let report = String::from_utf8(report).unwrap();
        assert_eq!(status, 200);
        assert!(
            report.contains("signature-") || report.contains("lookaside"),
            "{report}"
        );
        assert!(!report.contains("10.0.0.7"), "{report}");
    }
    let files = b"default-docker:\n  lookaside: file:///var/lib/x\n".to_vec();
    let local = Config {
        registries_d: Some([("a.yaml".to_string(), files)].into()),
        ..configured()
    };
    let world = world(&[SIGNATURE]);
    let reason = "no files here".into();
    let refused = HostError::Refused {
        url: String::new(),
        reason,
    };
    world.fail("file:///", 9, Err(refused));
    let (status, text) = said(&Gateway::new(local), &world);
    assert_eq!(status, 503);
    assert!(!text.contains("/var/lib/x"), "{text}");
}

/// docs/gateway.md "One request, one budget".
#[test]
fn what_is_asked_of_it_counts() {
    let many = vec![OTHERS; 100];
    let few = Config {
        requests: 20,
        ..configured()
    };
    let world = world(&many);
    let (status, text) = said(&Gateway::new(few), &world);
    assert_eq!(status, 503);
    assert!(text.contains("[limit.request]"), "{text}");
    assert!(world.asked.borrow().len() <= 20);
    let endless = Gateway::new(configured());
    let endless_world = self::world(&vec![OTHERS; 200]);
    let (status, text) = said(&endless, &endless_world);
    assert_eq!(status, 503);
    assert!(text.contains("[limit.lookaside]"), "{text}");
    assert_eq!(asked_there(&endless_world), 128);
}

/// By the evidence and the part of the policy that are published the verdict is the same, and
/// neither says where the lookaside is.
#[test]
fn the_evidence_has_them() {
    for (signatures, expected) in [
        (&[SIGNATURE][..], "signature.accepted"),
        (&[], "signature.missing"),
        (&[OTHERS, OTHERS], "openpgp.unknown-key"),
    ] {
        let world = world(signatures);
        let (document, body) = evidence(&Gateway::new(configured()), &world);
        let policy = document.policy.clone().unwrap();
        for text in [
            body.as_bytes(),
            &policy.text,
            &policy.registries_d.unwrap()["excerpt.yaml"],
        ] {
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains("10.0.0.7") && !text.contains("ring.asc"));
        }
        let report = judged(&document);
        assert_eq!(report.finding.code, expected, "{}", report.finding.message);
    }
}

/// Without the marker a signature that cannot be read refuses whatever is demanded, as podman has it
/// (case A12). Where the lookaside is left out of what is published, its signatures are not.
#[test]
fn what_cannot_be_read_refuses_by_the_evidence_too() {
    let anything = r#"{MARKER"default": [{"type": "insecureAcceptAnything"}]}"#;
    let (unmarked, marked) = ("", r#""sealgate": {"version": 1}, "#);
    let armoured = b"-----BEGIN PGP MESSAGE-----";
    for (marker, signatures, expected) in [
        (unmarked, &[SIGNATURE, armoured][..], false),
        (unmarked, &[SIGNATURE], true),
        (unmarked, &[], true),
        (marked, &[SIGNATURE, armoured], true),
    ] {
        let gateway = Gateway::new(Config {
            policy: anything.replace("MARKER", marker).into_bytes(),
            ..configured()
        });
        let world = world(signatures);
        let (status, text) = said(&gateway, &world);
        assert_eq!(status == 200, expected, "{text}");
        let (document, body) = evidence(&gateway, &world);
        assert!(!body.contains("10.0.0.7"));
        let report = judged(&document);
        assert_eq!(report.finding.is_allowed(), expected);
        assert!(!report.verified);
        // Of a document that lacks them nothing is known.
        let none = body.replace("\"path\":\"signatures/", "\"path\":\"x/");
        let none = judged(&EvidenceDocument::parse(none.as_bytes()).unwrap());
        assert_eq!(none.finding.is_allowed(), marker == marked);
    }
}

/// A message goes out if it is one and nothing else; of others only that they are there, which the
/// reader refuses too.
#[test]
fn only_exact_messages_go_out() {
    let junk = [SIGNATURE, b"\x1f\x8b an archive"].concat();
    let named = [b"\0simple-signing\n", &junk[..]].concat();
    let other = b"\0sigstore-json\n{\"mimeType\":\"a/b\",\"x\":\"an archive\"}";
    for (signatures, expected) in [
        (&[&junk[..]][..], "openpgp.empty"),
        (&[&named, &junk], "openpgp.empty"),
        (&[other], "signature.missing"),
        (&[&junk, other, SIGNATURE], "signature.accepted"),
    ] {
        let (gateway, world) = (Gateway::new(configured()), world(signatures));
        let (document, text) = evidence(&gateway, &world);
        let report = judged(&document);
        assert_eq!(report.finding.code, expected, "{}", report.finding.message);
        let allows = seen(&gateway, &world, PATH).0 == 200;
        assert_eq!(allows, expected == "signature.accepted");
        for bytes in [&junk[..], &named, other] {
            assert!(!text.contains(&base64::encode(bytes)));
        }
        assert!(!text.contains("YXJjaGl2"), "any part of it");
    }
}

/// The registry's own list goes out as it was understood.
#[test]
fn the_list_of_the_extension_is_written_anew() {
    let world = world(&[]);
    let entry = |content: &[u8]| {
        let content = base64::encode(content);
        format!(r#"{{"schemaVersion":2,"type":"atomic","name":"secret","content":"{content}"}}"#)
    };
    let list = format!(
        r#"{{"secret":1,"signatures":[{},{}]}}"#,
        entry(b"\x1f\x8b an archive"),
        entry(SIGNATURE)
    );
    let has = response(200, &[("x-registry-supports-signatures", "1")], b"{}");
    let image = response(200, &[("content-type", MANIFEST)], IMAGE);
    let list = response(200, &[], list.as_bytes());
    world.fail("/manifests/1", 1, Ok(image));
    world.fail("/extensions/v2/", 1, Ok(list));
    world.fail("http://up.test/v2/", 1, Ok(has));
    let (document, text) = evidence(&Gateway::new(configured()), &world);
    assert_eq!(judged(&document).finding.code, "signature.accepted");
    let body = text.split(r#""path":"signatures/"#).nth(1).unwrap();
    let body = body.split(r#""body":""#).nth(1).unwrap();
    let body = base64::decode(body.split('"').next().unwrap()).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains(&base64::encode(SIGNATURE)));
    assert!(!body.contains("secret") && !body.contains(&base64::encode(b"\x1f\x8b an archive")));
}

/// What is no signature by its first byte does not go out.
#[test]
fn what_is_no_signature_is_withheld() {
    let secret = b"\x1f\x8b an archive";
    let (status, body) = seen(
        &Gateway::new(configured()),
        &world(&[secret]),
        "/api/evidence/team/app?ref=1",
    );
    let text = String::from_utf8(body).unwrap();
    assert_eq!(status, 200);
    assert!(text.contains("evidence.withheld"));
    assert!(!text.contains(&base64::encode(secret)));
}
