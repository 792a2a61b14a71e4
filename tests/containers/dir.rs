//! Images of the transport `dir:`: their scopes are paths, they have no name, and their signatures
//! are files beside the manifest. Keys and signatures are those of fixtures/simple-signing.

use crate::NAME;
use crate::simple_signing::{THEN, by, code, file, image, says};
use crate::support::{block_on, fixtures, key_rules};
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::digest::Digest;
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::{DirImage, Report, Request, Rules, verify_image};
use sealgate::policy::Policy;
use std::collections::BTreeMap;

const PATH: &str = "/srv/images/app";
const ANY: &str = r#"{"type":"insecureAcceptAnything"}"#;

fn rules(policy: &str) -> Rules {
    Rules::policy(Policy::parse(policy.as_bytes()).unwrap(), BTreeMap::new()).unwrap()
}

/// Under `transports.dir`, with this scope; by default refused.
fn scoped(scope: &str, requirement: &str) -> String {
    format!(
        r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{"":[{ANY}]}},"dir":{{"{scope}":[{requirement}]}}}}}}"#
    )
}

/// `signedBy` that names the image itself.
fn signed(more: &str) -> String {
    by(
        "one.gpg",
        &format!(r#","signedIdentity":{{"type":{more}}}"#),
    )
}

fn exactly() -> String {
    signed(&format!(r#""exactReference","dockerReference":"{NAME}""#))
}

/// The image with these further files.
fn folder(files: &[(&str, Vec<u8>)]) -> DirImage {
    let manifest = ("manifest.json".into(), image());
    let others = files
        .iter()
        .map(|(name, bytes)| ((*name).into(), bytes.clone()));
    DirImage::of(others.chain([manifest]).collect())
}

fn judged(image: &DirImage, policy: &str) -> Report {
    let rules = rules(policy).of_dir(PATH).unwrap();
    let request = Request::of_dir(PATH, UnixTime(THEN)).unwrap();
    block_on(verify_image(image, &RustCrypto, &rules, &request))
}

#[test]
fn scopes_are_paths() {
    let image = folder(&[("signature-1", file("one.sig"))]);
    for (scope, expected) in [
        (PATH, "ok"),
        ("/srv/images", "ok"),
        ("/srv", "ok"),
        ("", "ok"),
        ("/srv/images/ap", "policy.reject"),
        ("/srv/images/app/x", "policy.reject"),
        ("/images/app", "policy.reject"),
    ] {
        let report = judged(&image, &scoped(scope, &exactly()));
        assert_eq!(code(&report), expected, "{scope}");
    }
    let report = judged(&image, &scoped("/srv", &exactly()));
    assert_eq!(report.rule.scope.as_deref(), Some(r#"dir "/srv""#));
    assert!(report.verified);
    assert_eq!(report.image.reference, "dir:/srv/images/app");
    assert_eq!(report.image.name, "dir:/srv/images/app");
    assert_eq!((report.image.told_by, report.equivalent), (None, None));
    let source = &report.requirements[0].candidates[0].source;
    assert_eq!(source, "dir, signature-1");
    let refused = judged(&image, &scoped("/other", &exactly()));
    says(
        &refused,
        "Running image dir:/srv/images/app is rejected by policy.",
    );
    for path in ["srv/app", "/srv/../app", "/srv/app/", ""] {
        let error = rules(&scoped("", ANY)).of_dir(path).unwrap_err();
        assert_eq!(error.code, "policy.path", "{path}");
    }
}

/// It has no name: what is compared with one accepts nothing.
#[test]
fn it_has_no_name() {
    let image = folder(&[("signature-1", file("one.sig"))]);
    for (identity, expected) in [
        (r#""matchExact""#, "identity.not-accepted"),
        (r#""matchRepoDigestOrExact""#, "identity.not-accepted"),
        (r#""matchRepository""#, "identity.not-accepted"),
        (
            r#""remapIdentity","prefix":"localhost","signedPrefix":"registry.example""#,
            "identity.not-accepted",
        ),
        (
            r#""exactReference","dockerReference":"localhost/dir:latest""#,
            "identity.not-accepted",
        ),
    ] {
        let report = judged(&image, &scoped("", &signed(identity)));
        assert_eq!(code(&report), expected, "{identity}");
        assert!(report.mirror_question.is_none());
    }
    // What we add goes by names, too: nothing of it lets such an image in.
    let digest = Digest::of(&self::image());
    let pinned = format!(
        r#"{{"type":"pinned","pins":{{"localhost/dir:latest":"{digest}"}},"others":"allow"}}"#
    );
    let list = format!(
        r#""exceptions":[{{"scope":"localhost/dir","digests":["{digest}"],"until":"2099-01-01T00:00:00Z","reason":"x"}}]"#
    );
    for (requirement, expected) in [
        (pinned.as_str(), "pinned.unlisted-digest"),
        (r#"{"type":"reject"}"#, "policy.reject"),
    ] {
        let policy = format!(
            r#"{{"sealgate":{{"version":1,{list}}},"default":[{{"type":"reject"}}],"transports":{{"dir":{{"":[{requirement}]}}}}}}"#
        );
        assert_eq!(code(&judged(&image, &policy)), expected);
    }
}

#[test]
fn signatures_are_files() {
    let (one, other) = (file("one.sig"), file("two.sig"));
    for (files, expected) in [
        (&[][..], "signature.missing"),
        (&[("signature-2", one.clone())], "signature.missing"),
        (&[("signature-1", other.clone())], "openpgp.unknown-key"),
        (
            &[("signature-1", other), ("signature-2", one.clone())],
            "ok",
        ),
        (
            &[
                ("signature-1", one.clone()),
                ("signature-2", b"none".to_vec()),
            ],
            "signature.format",
        ),
        (
            &[("signature-1", vec![0xc4; (4 << 20) + 1])],
            "host.too-large",
        ),
    ] {
        let report = judged(&folder(files), &scoped("", &exactly()));
        assert_eq!(code(&report), expected, "{}", files.len());
    }
    // containers/image copies them, whatever is demanded.
    let broken = folder(&[("signature-1", b"none".to_vec())]);
    let report = judged(&broken, &scoped("", ANY));
    assert_eq!(code(&report), "signature.format");
    says(&report, "reading signatures: ");
    let report = judged(&folder(&[("signature-1", one)]), &scoped("", ANY));
    assert_eq!((code(&report), report.verified), ("ok", false));
}

/// Each image of an index by its own files.
#[test]
fn images_of_an_index() {
    let digest = Digest::of(&image());
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{},"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#,
        image().len()
    );
    let hex = digest.hex();
    let judged = |signature: &str| {
        let files = [
            ("manifest.json".into(), index.clone().into_bytes()),
            (format!("{hex}.manifest.json"), image()),
            (signature.into(), file("one.sig")),
        ];
        self::judged(&DirImage::of(files.into()), &scoped("", &exactly()))
    };
    assert_eq!(code(&judged(&format!("{hex}.signature-1"))), "ok");
    assert_eq!(code(&judged("signature-1")), "signature.missing");
}

/// Without a policy there is nothing that could say where it may come from.
#[test]
fn by_a_policy_alone() {
    let rules = key_rules(&fixtures().join("demo/cosign.pub"));
    assert_eq!(rules.of_dir(PATH).unwrap_err().code, "rule.dir");
    let rules = self::rules(&scoped("", ANY));
    let rules = rules.with_registries_d(&BTreeMap::new()).unwrap();
    assert_eq!(rules.of_dir(PATH).unwrap_err().code, "rule.dir");
}
