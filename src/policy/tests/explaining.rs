//! What people are told of a policy.

use super::*;
use crate::policy::explain::Explanation;
use crate::reference::Grammar;
use crate::reference::Reference;
use alloc::vec::Vec;

fn explain(text: &str, image: &str) -> Explanation {
    Policy::parse(text.as_bytes())
        .unwrap()
        .explain(&Reference::normalize(image, Grammar::Containers).unwrap())
        .unwrap()
}

/// The words of one requirement under the marker.
fn words(requirement: &str, image: &str) -> String {
    let text = format!(r#"{{"sealgate":{{"version":1}},"default":[{requirement}]}}"#);
    explain(&text, image).requirements.remove(0).demands
}

#[test]
fn the_way_to_the_scope() {
    let text = r#"{"default":[{"type":"reject"}],"transports":{"docker":{"*.b.c":[{"type":"insecureAcceptAnything"}],"":[{"type":"reject"}]}}}"#;
    let found = |image: &str| {
        explain(text, image)
            .looked_up
            .into_iter()
            .map(|one| (one.scope, one.is_there))
            .collect::<Vec<_>>()
    };
    let there = |list: &[&str]| {
        let last = list.len() - 1;
        list.iter()
            .enumerate()
            .map(|(at, scope)| ((*scope).into(), at == last))
            .collect::<Vec<(String, bool)>>()
    };
    assert_eq!(
        found("a.b.c:1/d/e"),
        there(&[
            "docker \"a.b.c:1/d/e:latest\"",
            "docker \"a.b.c:1/d/e\"",
            "docker \"a.b.c:1/d\"",
            "docker \"a.b.c:1\"",
            "docker \"*.b.c\""
        ])
    );
    assert_eq!(
        found("localhost/x:1"),
        there(&[
            "docker \"localhost/x:1\"",
            "docker \"localhost/x\"",
            "docker \"localhost\"",
            "docker \"\""
        ])
    );
    let default = explain(r#"{"default":[{"type":"reject"}]}"#, "localhost/x:1");
    assert_eq!(
        default
            .looked_up
            .last()
            .map(|one| (one.scope.as_str(), one.is_there)),
        Some(("default", true))
    );
    assert_eq!(
        (
            default.looked_up.len(),
            default.scope.as_str(),
            default.coverage
        ),
        (5, "default", "instance")
    );
}

#[test]
fn the_text_for_people() {
    let text = r#"{"sealgate":{"version":1,"audit":["a.b"],"exceptions":[{"scope":"a.b/c","digests":["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],"until":"2027-01-31T12:00:00Z","reason":"outage"},{"scope":"x.y/z","digests":["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],"until":"2027-01-31T12:00:00Z","reason":"elsewhere"}]},
        "default":[{"type":"reject"}],"transports":{"docker":{"a.b":[{"type":"sigstoreSigned","keyPath":"cosign.pub","signedIdentity":{"type":"matchDigest"}},{"type":"signedBy","keyType":"GPGKeys","keyPaths":["/1","/2"]}]}}}"#;
    let wanted = "a.b/c:1 is decided by docker \"a.b\"\n\nLooked up, most specific first; the first that \
         is there decides alone:\n  not there: docker \"a.b/c:1\"\n  not there: docker \
         \"a.b/c\"\n  there:     docker \"a.b\"\n\nIt demands, all of it (different signatures \
         may meet different requirements):\n  1. sigstoreSigned: a Cosign signature by the key in \
         cosign.pub, from .sig tags and bundles; it must be about matchDigest: this digest; a \
         signature that names a repository must name a.b/c\n  2. signedBy: a simple signature by \
         one of the OpenPGP keys in /1, /2; it must name matchRepoDigestOrExact: exactly \
         a.b/c:1\n\nAn index that is allowed covers the images that it lists.\n\nNotes\n  - \
         transparency log: not required\n  - matchDigest: any image that this signer ever signed, \
         under any name, of any age, passes as this one\n  - \"a.b\" is under audit: refusals are \
         only written down\n  - until 2027-01-31T12:00:00Z an exception admits \
         sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef: outage\n";
    assert_eq!(explain(text, "a.b/c:1").to_string(), wanted);
}

/// Of all scopes that match, the policy's and the audit list's together, the most specific decides
/// (docs/trust.md section 1).
#[test]
fn audit_is_not_inherited() {
    let under = |audit: &str, image: &str| {
        let text = format!(
            r#"{{"sealgate":{{"version":1,"audit":[{audit}]}},"default":[{{"type":"reject"}}],"transports":{{"docker":{{"a.b":[{{"type":"reject"}}],"a.b/strict":[{{"type":"reject"}}],"a.b/c:1":[{{"type":"reject"}}]}}}}}}"#
        );
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let image = Reference::normalize(image, Grammar::Containers).unwrap();
        let noted = policy
            .explain(&image)
            .unwrap()
            .notes
            .iter()
            .any(|note| note.contains("under audit"));
        assert_eq!(noted, policy.audited(&image).is_some(), "{audit} {image}");
        policy.audited(&image).map(String::from)
    };
    let at = |scope: &str| Some(scope.to_string());
    for (audit, image, expected) in [
        (r#""a.b""#, "a.b/c:2", at("a.b")),
        (r#""a.b""#, "a.b/strict/app:1", None),
        (r#""a.b""#, "a.b/strict:1", None),
        (
            r#""a.b","a.b/strict""#,
            "a.b/strict/app:1",
            at("a.b/strict"),
        ),
        (
            r#""a.b/strict/app""#,
            "a.b/strict/app:1",
            at("a.b/strict/app"),
        ),
        (r#""a.b/strict/app:2""#, "a.b/strict/app:1", None),
        (r#""a.b/c""#, "a.b/c:1", None),
        (r#""a.b/c""#, "a.b/c:2", at("a.b/c")),
        (r#" "" "#, "a.b/c:2", None),
        (r#" "" "#, "x.y/c:2", at("")),
        (r#""*.y""#, "x.y/c:2", at("*.y")),
        ("", "x.y/c:2", None),
    ] {
        assert_eq!(under(audit, image), expected, "{audit} {image}");
    }
}

#[test]
fn each_requirement_in_words() {
    let pins = |others: &str| {
        format!(r#"{{"type":"pinned","pins":{{"a.b/c:1":"sha256:{HEX}"}}{others}}}"#)
    };
    let sigstore = |members: &str| format!(r#"{{"type":"sigstoreSigned",{members}}}"#);
    for (requirement, image, part) in [
        (r#"{"type":"insecureAcceptAnything"}"#.into(), "x", "everything passes"),
        (r#"{"type":"reject"}"#.into(), "x", "everything is refused"),
        (r#"{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}"#.into(), "x", "never implemented"),
        (sigstore(r#""keyDatas":["YQ=="],"rekorPublicKeyPath":"/r""#), "x", "one of the keys in the policy itself, logged under the key of Rekor in /r, from .sig tags; it must name"),
        (sigstore(r#""keyPath":"/k","trustedRoot":"github""#), "x", "by the key in /k, with an entry in a log of GitHub's trusted root, from .sig tags and bundles"),
        (sigstore(r#""fulcio":{"caPath":"/ca","oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyPath":"/r""#), "x", "certificate for \"e\" from the issuer \"i\", under the authority in /ca"),
        (sigstore(r#""pki":{"caRootsPath":"/ca","subjectEmail":"e","subjectHostname":"h"}"#), "x", "certificate for e and h that is valid now, under the authority in /ca"),
        (
            sigstore(r#""trustedRootPath":"/t","identities":[{"issuer":"i","subjectRegexp":"s.*","claims":{"buildTrigger":"push"}},{"issuerRegexp":"j","subject":"t"}]"#),
            "x",
            "under the trusted root in /t for one of: the subject whatever matches \"s.*\" whole from the issuer \"i\" with the claims buildTrigger \"push\"; or the subject \"t\" from the issuer whatever matches \"j\" whole",
        ),
        (
            r#"{"type":"attested","predicateType":"https://p.example","keyPath":"/k","conditions":[{"pointer":"/a","equals":{"b":1}},{"pointer":"","oneOf":[1,"x",null,true,[1]]},{"pointer":"/c","matches":"y+"},{"pointer":"/d","maxAge":60}]}"#.into(),
            "x",
            "one signed statement of the type https://p.example about this image by the key in /k, in which /a is an object of 1 members, and the predicate is one of 1, \"x\", null, true, a list of 1 values, and /c matches \"y+\" whole, and /d is a time of at most 60 seconds ago",
        ),
        (
            r#"{"type":"attested","predicateType":"spdx","keyPath":"/k"}"#.into(),
            "x",
            "one signed statement of the type https://spdx.dev/Document about this image by the key in /k",
        ),
        (r#"{"type":"attested","predicateType":"https://p.example","trustedRoot":"github","identities":[{"issuer":"i","subject":"s"}],"maxAge":60}"#.into(), "x", "not older than 60 seconds by the signer's certificate"),
        (pins(""), "a.b/c:1", &format!("the digest sha256:{HEX} for this tag")),
        (pins(""), "a.b/c:2", "it is refused"),
        (pins(r#","others":"allow""#), "a.b/c:2", "nothing of tags that are not listed"),
        (pins(""), &format!("a.b/c@sha256:{HEX}"), "which this one is"),
        (pins(""), &format!("a.b/d@sha256:{HEX}"), "or an index among them"),
    ] {
        let requirement: String = requirement;
        assert!(words(&requirement, image).contains(part), "{}", words(&requirement, image));
    }
}

#[test]
fn a_reference_that_names_no_one_image_is_not_explained() {
    let policy = Policy::parse(br#"{"default":[{"type":"reject"}]}"#).unwrap();
    let both = Reference::normalize(&format!("a.b/c:1@sha256:{HEX}"), Grammar::Containers).unwrap();
    assert_eq!(
        policy.explain(&both).unwrap_err().code(),
        "reference.tag-and-digest"
    );
}
