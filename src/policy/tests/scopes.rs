//! Which scopes an image is looked up under, and which transports can have.

use super::*;
use crate::policy::IdentityError;
use crate::policy::Requirement;
use crate::policy::scope;
use crate::reference::Grammar;
use crate::reference::Reference;

/// A policy that rejects, with these docker scopes.
fn with(scopes: &[&str]) -> Policy {
    let list = scopes
        .iter()
        .map(|scope| format!(r#""{scope}":[{{"type":"insecureAcceptAnything"}}]"#))
        .collect::<alloc::vec::Vec<_>>()
        .join(",");
    Policy::parse(
        format!(r#"{{"default":[{{"type":"reject"}}],"transports":{{"docker":{{{list}}}}}}}"#)
            .as_bytes(),
    )
    .unwrap()
}

#[test]
fn the_first_hit_decides_alone() {
    let policy = with(&["a.b"]);
    let image = Reference::normalize("a.b/c:1", Grammar::Containers).unwrap();
    let selection = policy.select(&image).unwrap();
    assert_eq!(
        (selection.key, selection.requirements),
        (Some("a.b"), &[Requirement::InsecureAcceptAnything][..])
    );
    let other = policy.select_for("oci", "/a", &[]);
    assert_eq!(
        (other.key, other.requirements),
        (None, &[Requirement::Reject][..])
    );
    assert_eq!(
        policy
            .scopes()
            .map(|selection| selection.scope)
            .collect::<alloc::vec::Vec<_>>(),
        ["default", "docker \"a.b\""]
    );
}

#[test]
fn identities() {
    let parse = |text: &str| Reference::normalize(text, Grammar::Containers).unwrap();
    let both = parse(&format!("a.b/c:1@sha256:{HEX}"));
    assert_eq!(
        scope::docker_identity(&parse("a.b/c")).unwrap_err().code(),
        "policy.bare-reference"
    );
    assert_eq!(
        with(&["a.b"]).select(&both),
        Err(IdentityError::TagAndDigest {
            reference: both.clone()
        })
    );
    assert_eq!(
        scope::docker_namespaces(&parse("a.b.c:1/d/e:t")),
        ["a.b.c:1/d/e", "a.b.c:1/d", "a.b.c:1", "*.b.c", "*.c"]
    );
    assert_eq!(
        scope::docker_namespaces(&parse("localhost/x")),
        ["localhost/x", "localhost"]
    );
}

#[test]
fn what_a_scope_can_be() {
    let id = HEX;
    for (transport, good, bad) in [
        ("docker", &["", "anything at all", "*."][..], &[][..]),
        (
            "atomic",
            &["", "h", "h:1/n", "h/n/s", "h/n/s:t", "//"],
            &["h/n:t", "h/n/s:t:u", "h/n/s/x"],
        ),
        (
            "docker-daemon",
            &["", "a.b/c:d", "x"],
            &[&format!("sha256:{id}")],
        ),
        ("docker-archive", &[""], &["/x", "x"]),
        ("tarball", &[""], &["/x"]),
        (
            "oci",
            &["", "/a", "/a/b.c"],
            &["/", "a", "/a/", "/a//b", "/a/./b", "/a/..", "//"],
        ),
        ("oci-archive", &["/a"], &["/"]),
        ("dir", &["/a"], &["./a"]),
        ("sif", &["/a"], &["/a/"]),
        (
            "containers-storage",
            &[
                "",
                "[/root]",
                "[overlay@/root]",
                "[/root]a.b/c:d",
                &format!("[/root]@{id}"),
                &format!("[/r]n@sha256:{id}"),
                &format!("[/r]n@sha256:{id}@{id}"),
            ],
            &[
                "/root",
                "[root]",
                "[@/root]",
                "[overlay@root]",
                "[/root",
                "[]",
                "[/r]n@x",
                &format!("[/r]n@{id}@{id}"),
            ],
        ),
        ("ostree", &["", "x"], &[]),
        ("unheard-of", &["x"], &[]),
    ] {
        for text in good {
            assert_eq!(scope::expected(transport, text), None, "{transport} {text}");
        }
        for text in bad {
            assert!(
                scope::expected(transport, text).is_some(),
                "{transport} {text}"
            );
        }
    }
}

/// Section 1.4: paths and the folders above them, but for `/`; archives of docker have one scope
/// only.
#[test]
fn images_in_files() {
    use crate::policy::FileTransport::{Dir, DockerArchive, Oci, OciArchive};
    let reject = r#"[{"type":"reject"}]"#;
    let text = format!(
        r#"{{"default":{reject},"transports":{{"oci":{{"/a/b":{reject},"/a":{reject},"":{reject}}},"oci-archive":{{"/a/b.tar":{reject}}},"dir":{{"/a":{reject}}},"docker-archive":{{"":{reject}}},"docker":{{"":{reject}}}}}}}"#
    );
    let policy = Policy::parse(text.as_bytes()).unwrap();
    for (transport, path, scope) in [
        (Oci, "/a/b", r#"oci "/a/b""#),
        (Oci, "/a/b/c/d", r#"oci "/a/b""#),
        (Oci, "/a/bc", r#"oci "/a""#),
        (Oci, "/x", r#"oci """#),
        (OciArchive, "/a/b.tar", r#"oci-archive "/a/b.tar""#),
        (OciArchive, "/a/c.tar", "default"),
        (Dir, "/a/x/y", r#"dir "/a""#),
        (Dir, "/b", "default"),
        (
            DockerArchive,
            "anything, relative or not",
            r#"docker-archive """#,
        ),
    ] {
        assert_eq!(
            policy.select_file(transport, path).unwrap().scope,
            scope,
            "{transport:?} {path}"
        );
    }
    assert_eq!(
        crate::policy::scope::file_scopes(Oci, "/a/b/c").unwrap(),
        ["/a/b/c", "/a/b", "/a"]
    );
    for path in ["", "/", "a/b", "/a/", "/a//b", "/a/./b", "/a/../b"] {
        assert!(
            matches!(
                policy.select_file(Oci, path),
                Err(IdentityError::Path { .. })
            ),
            "{path}"
        );
    }
}
