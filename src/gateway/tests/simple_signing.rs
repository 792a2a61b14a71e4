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
        let gateway = Gateway::new(configured());
        let (status, body) = seen(&gateway, &world, "/api/evidence/team/app?ref=1");
        assert_eq!(status, 200);
        let document = EvidenceDocument::parse(&body).unwrap();
        let policy = document.policy.clone().unwrap();
        for text in [
            &body,
            &policy.text,
            &policy.registries_d.clone().unwrap()["excerpt.yaml"],
        ] {
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains("10.0.0.7") && !text.contains("ring.asc"));
        }
        let parsed = crate::policy::Policy::parse(&policy.text).unwrap();
        let rules = verify::Rules::policy(parsed, BTreeMap::new()).unwrap();
        let rules = rules
            .with_registries_d(&policy.registries_d.unwrap())
            .unwrap();
        let name = verify::Request::parse("r.example/team/app:1", None, &rules, UnixTime(THEN));
        let report = run(verify::verify_image(
            &document,
            &crate::crypto::RustCrypto,
            &rules,
            &name.unwrap(),
        ));
        assert_eq!(report.finding.code, expected, "{}", report.finding.message);
    }
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
