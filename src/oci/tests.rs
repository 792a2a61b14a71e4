//! Tables of what is read and what is refused.

use crate::digest::Digest;
use crate::error::Coded;
use crate::limits;
use crate::oci::Document;
use crate::oci::Layout;
use crate::oci::OciError;
use crate::oci::Platform;
use crate::oci::index::Compression;
use crate::oci::layout;
use crate::oci::media_type::*;
use crate::oci::schema1;
use crate::oci::schema1::Schema1;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const SHA: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn descriptor(media_type: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{SHA}","size":0}}"#)
}

/// A document with this media type (none when empty) and these further members.
fn document(media_type: &str, members: &str) -> String {
    let named = if media_type.is_empty() {
        String::new()
    } else {
        format!(r#""mediaType":"{media_type}","#)
    };
    format!(r#"{{"schemaVersion":2,{named}{members}}}"#)
}

fn manifest(media_type: &str) -> String {
    document(
        media_type,
        &format!(
            r#""config":{},"layers":[{}]"#,
            descriptor(OCI_CONFIG),
            descriptor("x/layer")
        ),
    )
}

fn index(media_type: &str) -> String {
    document(
        media_type,
        &format!(r#""manifests":[{}]"#, descriptor(OCI_MANIFEST)),
    )
}

fn code(text: &str, content_type: Option<&str>) -> &'static str {
    Document::parse(text.as_bytes(), content_type).map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn everything_is_read() {
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","artifactType":"a/b","config":{config},"layers":[{{"mediaType":"l","digest":"{SHA}","size":9223372036854775807,
        "urls":["https://x"],"annotations":{{"k":"v"}},"artifactType":"t","platform":{{"os":"linux","architecture":"arm","variant":"v7","os.version":"1","os.features":["f"]}},
        "unknown":[1]}}],"subject":{config},"annotations":{{"b":"1","a":"2"}},"unknown":{{}}}}"#,
        config = descriptor(OCI_CONFIG)
    );
    let document = Document::parse(text.as_bytes(), None).unwrap();
    assert_eq!(
        (document.media_type(), document.subject().unwrap().size),
        (OCI_MANIFEST, 0)
    );
    let Document::Manifest(manifest) = document else {
        panic!()
    };
    assert_eq!(
        (
            manifest.annotation("a"),
            manifest.annotation("c"),
            manifest.referrer_type()
        ),
        (Some("2"), None, "a/b")
    );
    assert_eq!(manifest.annotations[0].0, "b");
    let layer = &manifest.layers[0];
    assert_eq!(
        (
            layer.size,
            layer.annotation("k"),
            layer.artifact_type.as_deref(),
            layer.urls.len()
        ),
        (i64::MAX.cast_unsigned(), Some("v"), Some("t"), 1)
    );
    let platform = layer.platform.as_ref().unwrap();
    assert_eq!(
        (
            platform.to_string().as_str(),
            platform.os_version.as_deref(),
            platform.os_features.len()
        ),
        ("linux/arm/v7", Some("1"), 1)
    );
}

#[test]
fn the_type_is_what_document_and_header_agree_on() {
    for (text, header, expected) in [
        (manifest(OCI_MANIFEST), None, OCI_MANIFEST),
        (manifest(OCI_MANIFEST), Some(OCI_MANIFEST), OCI_MANIFEST),
        (
            manifest(DOCKER_MANIFEST),
            Some("application/json"),
            DOCKER_MANIFEST,
        ),
        (
            index(OCI_INDEX),
            Some("application/octet-stream"),
            OCI_INDEX,
        ),
        (index(DOCKER_LIST), Some(""), DOCKER_LIST),
        (
            index(OCI_INDEX),
            Some("application/vnd.oci.image.index.v1+json; charset=utf-8"),
            OCI_INDEX,
        ),
        // Without mediaType: the header, else the members.
        (manifest(""), Some(DOCKER_MANIFEST), DOCKER_MANIFEST),
        (manifest(""), None, OCI_MANIFEST),
        (
            manifest("").replace(OCI_CONFIG, DOCKER_CONFIG),
            None,
            DOCKER_MANIFEST,
        ),
        (index(""), Some(DOCKER_LIST), DOCKER_LIST),
        (index(""), None, OCI_INDEX),
        (
            document(
                "",
                &format!(r#""mediaType":"","manifests":null,"annotations":{{"x":"{SHA}"}}"#),
            ),
            None,
            OCI_INDEX,
        ),
    ] {
        assert_eq!(
            Document::parse(text.as_bytes(), header)
                .unwrap()
                .media_type(),
            expected,
            "{text} {header:?}"
        );
    }
}

#[test]
fn disagreement_is_refused() {
    let all = [
        OCI_MANIFEST,
        OCI_INDEX,
        DOCKER_MANIFEST,
        DOCKER_LIST,
        DOCKER_V1,
        DOCKER_V1_SIGNED,
        "text/plain",
        "x",
    ];
    for named in [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST] {
        let text = if Kind::of(named) == Some(Kind::Index) {
            index(named)
        } else {
            manifest(named)
        };
        for header in all {
            assert_eq!(
                code(&text, Some(header)),
                if header == named {
                    "ok"
                } else {
                    "oci.media-type-mismatch"
                },
                "{named} {header}"
            );
        }
    }
    // The members decide nothing against the name.
    for (text, header, expected) in [
        (manifest(OCI_INDEX), None, "oci.ambiguous"),
        (index(OCI_MANIFEST), None, "oci.ambiguous"),
        (manifest(""), Some(OCI_INDEX), "oci.ambiguous"),
        (index(""), Some(DOCKER_MANIFEST), "oci.ambiguous"),
        (manifest("x"), None, "oci.unknown-document"),
        (manifest(""), Some("text/plain"), "oci.unknown-document"),
        (manifest(""), Some(DOCKER_V1), "oci.schema1"),
        (manifest(DOCKER_V1_SIGNED), None, "oci.schema1"),
    ] {
        assert_eq!(code(&text, header), expected, "{text} {header:?}");
    }
}

/// CVE-2021-41190, in each combination, whatever the value of the foreign member.
#[test]
fn ambiguous_documents_are_refused() {
    let foreign = [
        (
            OCI_MANIFEST,
            vec!["manifests", "fsLayers", "history", "signatures"],
        ),
        (
            DOCKER_MANIFEST,
            vec!["manifests", "fsLayers", "history", "signatures"],
        ),
        ("", vec!["fsLayers", "history", "signatures"]),
        (
            OCI_INDEX,
            vec!["config", "layers", "fsLayers", "history", "signatures"],
        ),
        (
            DOCKER_LIST,
            vec!["config", "layers", "fsLayers", "history", "signatures"],
        ),
    ];
    for (media_type, members) in foreign {
        let good = if Kind::of(media_type) == Some(Kind::Index) {
            index(media_type)
        } else {
            manifest(media_type)
        };
        assert_eq!(code(&good, None), "ok");
        for member in members {
            for value in ["[]", "{}", "null", "0", &descriptor("x")] {
                let text = good.replacen('{', &format!(r#"{{"{member}":{value},"#), 1);
                assert_eq!(code(&text, None), "oci.ambiguous", "{text}");
            }
        }
        for member in [
            "Layers",
            "MANIFESTS",
            "Config",
            "mediatype",
            "SchemaVersion",
            "manife\u{17f}ts",
            "Subject",
        ] {
            assert_eq!(
                code(
                    &good.replacen('{', &format!(r#"{{"{member}":[],"#), 1),
                    None
                ),
                "oci.member-spelling",
                "{member}"
            );
        }
    }
    // Both and no name: an index by its members, so the config is foreign.
    let both = manifest("").replacen('{', r#"{"manifests":[],"#, 1);
    assert_eq!(code(&both, None), "oci.ambiguous");
    assert_eq!(
        code(r#"{"schemaVersion":2,"layers":[]}"#, None),
        "oci.unknown-document"
    );
}

#[test]
fn what_is_no_document() {
    for (text, expected) in [
        ("", "oci.json"),
        ("x", "oci.json"),
        ("[]", "oci.unknown-document"),
        ("null", "oci.unknown-document"),
        ("{}", "oci.unknown-document"),
        (r#"{"schemaVersion":2}"#, "oci.unknown-document"),
        (r#"{"schemaVersion":1}"#, "oci.schema1"),
        (
            &manifest(OCI_MANIFEST).replace(r#"n":2"#, r#"n":1"#),
            "oci.schema1",
        ),
        (
            r#"{"schemaVersion":1,"fsLayers":[],"history":[],"signatures":[]}"#,
            "oci.schema1",
        ),
        (
            &manifest(OCI_MANIFEST).replace(r#"n":2"#, r#"n":3"#),
            "oci.unknown-document",
        ),
        (
            &manifest(OCI_MANIFEST).replace(r#"n":2"#, r#"n":2.0"#),
            "oci.unknown-document",
        ),
        (
            &manifest(OCI_MANIFEST).replace(r#"n":2"#, r#"n":"2""#),
            "oci.unknown-document",
        ),
        (
            &manifest(OCI_MANIFEST).replace(r#""schemaVersion":2,"#, ""),
            "oci.unknown-document",
        ),
        (
            &manifest(OCI_MANIFEST).replacen('{', r#"{"layers":[],"#, 1),
            "oci.json",
        ),
        (&document(OCI_MANIFEST, r#""mediaType":7"#), "oci.json"),
        (r#"{"schemaVersion":2,"mediaType":7}"#, "oci.member"),
        (&document(OCI_MANIFEST, r#""layers":[]"#), "oci.member"),
        (
            &document(OCI_MANIFEST, &format!(r#""config":{}"#, descriptor("x"))),
            "oci.member",
        ),
        (
            &document(OCI_MANIFEST, r#""layers":[],"config":null"#),
            "oci.member",
        ),
        (
            &document(
                OCI_MANIFEST,
                &format!(r#""layers":{{}},"config":{}"#, descriptor("x")),
            ),
            "oci.member",
        ),
        (&document(OCI_INDEX, r#""annotations":{}"#), "oci.member"),
        (&document(OCI_INDEX, r#""manifests":[1]"#), "oci.member"),
        (&document(OCI_INDEX, r#""manifests":"x""#), "oci.member"),
        (
            &document(OCI_INDEX, r#""manifests":[],"annotations":{"a":1}"#),
            "oci.member",
        ),
        (
            &document(OCI_INDEX, r#""manifests":[],"annotations":[]"#),
            "oci.member",
        ),
        (
            &document(OCI_INDEX, r#""manifests":[],"subject":[]"#),
            "oci.member",
        ),
        (
            &document(OCI_INDEX, r#""manifests":[],"artifactType":{}"#),
            "oci.member",
        ),
    ] {
        assert_eq!(code(text, None), expected, "{text}");
    }
}

/// CVE-2024-3727 and sizes, wherever a descriptor stands.
#[test]
fn bad_descriptors() {
    let good = descriptor("x");
    let upper = SHA.to_uppercase().replace("SHA256", "sha256");
    let mut table = vec![
        (good.replace(r#""digest""#, r#""other""#), "oci.member"),
        (good.replace(r#""x""#, r#""""#), "oci.member"),
        (good.replace(r#""mediaType""#, r#""other""#), "oci.member"),
    ];
    table.extend(
        [
            "../x",
            "sha256:../../etc/passwd",
            "sha256:e3b0",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            &upper,
            "sha256",
            "sha256:",
            &format!("{SHA} "),
        ]
        .map(|bad| (good.replace(SHA, bad), "oci.digest")),
    );
    table.extend(
        [r#""""#, "7", "null"].map(|bad| (good.replace(&format!("\"{SHA}\""), bad), "oci.member")),
    );
    table.extend(
        [
            "-1",
            "0.5",
            "1e3",
            "9223372036854775808",
            "18446744073709551616",
            "\"0\"",
            "null",
            "[]",
        ]
        .map(|bad| (good.replace(":0}", &format!(":{bad}}}")), "oci.size")),
    );
    table.push((good.replace(r#","size":0"#, ""), "oci.member"));
    for more in [
        r#""urls":[1]"#,
        r#""urls":"x""#,
        r#""annotations":{"a":null}"#,
        r#""platform":[]"#,
        r#""platform":{"os":1}"#,
        r#""artifactType":1"#,
    ] {
        table.push((good.replacen('{', &format!("{{{more},"), 1), "oci.member"));
    }
    for more in [
        r#""Digest":"x""#,
        r#""SIZE":1"#,
        r#""URLs":[]"#,
        r#""platform":{"OS":"linux"}"#,
    ] {
        table.push((
            good.replacen('{', &format!("{{{more},"), 1),
            "oci.member-spelling",
        ));
    }
    for (bad, expected) in table {
        assert_eq!(
            code(
                &document(OCI_MANIFEST, &format!(r#""config":{bad},"layers":[]"#)),
                None
            ),
            expected,
            "{bad}"
        );
        assert_eq!(
            code(
                &document(
                    OCI_MANIFEST,
                    &format!(r#""config":{good},"layers":[{good},{bad}]"#)
                ),
                None
            ),
            expected,
            "{bad}"
        );
        assert_eq!(
            code(
                &document(
                    OCI_MANIFEST,
                    &format!(r#""config":{good},"layers":[],"subject":{bad}"#)
                ),
                None
            ),
            expected,
            "{bad}"
        );
        assert_eq!(
            code(
                &document(OCI_INDEX, &format!(r#""manifests":[{good},{bad}]"#)),
                None
            ),
            expected,
            "{bad}"
        );
    }
}

#[test]
fn bounds() {
    let fill = |n: usize| vec![descriptor("x"); n].join(",");
    let listing = |n: usize| document(OCI_INDEX, &format!(r#""manifests":[{}]"#, fill(n)));
    assert_eq!(code(&listing(limits::DESCRIPTORS), None), "ok");
    assert_eq!(
        code(&listing(limits::DESCRIPTORS + 1), None),
        "limit.descriptors"
    );
    let layers = document(
        OCI_MANIFEST,
        &format!(
            r#""config":{},"layers":[{}]"#,
            descriptor("x"),
            fill(limits::DESCRIPTORS + 1)
        ),
    );
    assert_eq!(code(&layers, None), "limit.descriptors");
    let mut long = manifest(OCI_MANIFEST);
    long.push_str(&" ".repeat(limits::MANIFEST - long.len()));
    assert_eq!(code(&long, None), "ok");
    long.push(' ');
    assert_eq!(code(&long, None), "limit.manifest");
    assert_eq!(schema1::recognise(long.as_bytes()), None);
    assert_eq!(
        Schema1::parse(long.as_bytes()).unwrap_err().code(),
        "limit.manifest"
    );
}

#[test]
fn selection() {
    let entry = |n: u8, more: &str| {
        format!(
            r#"{{"mediaType":"m","digest":"{}","size":{n}{more}}}"#,
            Digest::of(&[n])
        )
    };
    let linux = r#","platform":{"os":"linux","architecture":"arm64"}"#;
    let v8 = r#","platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#;
    let zstd = r#","annotations":{"io.github.containers.compression.zstd":"true"}"#;
    let choose = |media_type: &str, entries: &[String], by| {
        let text = document(
            media_type,
            &format!(r#""manifests":[{}]"#, entries.join(",")),
        );
        let Document::Index(index) = Document::parse(text.as_bytes(), None).unwrap() else {
            panic!()
        };
        index
            .select_by(&Platform::parse("linux/arm64").unwrap(), by)
            .map(|entry| entry.size)
    };
    let entries = [
        entry(1, ""),
        entry(2, v8),
        entry(3, linux),
        entry(4, &format!("{linux}{zstd}")),
        entry(5, linux),
    ];
    assert_eq!(
        choose(OCI_INDEX, &entries, Compression::PreferZstd),
        Some(4)
    );
    assert_eq!(
        choose(OCI_INDEX, &entries, Compression::PreferGzip),
        Some(3)
    );
    assert_eq!(
        choose(DOCKER_LIST, &entries, Compression::PreferZstd),
        Some(3)
    );
    assert_eq!(
        choose(OCI_INDEX, &entries[..2], Compression::PreferZstd),
        Some(2)
    );
    assert_eq!(
        choose(OCI_INDEX, &entries[..1], Compression::PreferZstd),
        Some(1)
    );
    assert_eq!(
        choose(DOCKER_LIST, &entries[..1], Compression::PreferZstd),
        None
    );
    assert_eq!(choose(OCI_INDEX, &[], Compression::PreferZstd), None);
}

const SCHEMA1: &str = r#"{"schemaVersion":1,"name":"n","tag":"t","fsLayers":[{"blobSum":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}],"history":[{}]"#;

/// A schema 1 manifest signed as Docker does it, by these protected headers.
fn signed(headers: &[String]) -> String {
    let url = |text: &str| {
        crate::encoding::base64::encode(text.as_bytes())
            .replace('=', "")
            .replace('+', "-")
            .replace('/', "_")
    };
    let signatures: Vec<String> = headers
        .iter()
        .map(|header| format!(r#"{{"protected":"{}"}}"#, url(header)))
        .collect();
    format!(r#"{SCHEMA1},"signatures":[{}]}}"#, signatures.join(","))
}

fn header(length: usize, tail: &str) -> String {
    format!(r#"{{"formatLength":{length},"formatTail":"{tail}"}}"#)
}

#[test]
fn schema1_is_hashed_over_its_payload() {
    let payload = format!("{SCHEMA1}\n}}");
    let good = header(SCHEMA1.len(), "Cn0");
    for headers in [vec![good.clone()], vec![good.clone(), good.clone()]] {
        let text = signed(&headers);
        assert_eq!(schema1::recognise(text.as_bytes()), Some(DOCKER_V1_SIGNED));
        assert_eq!(
            schema1::digest(text.as_bytes()).unwrap(),
            Digest::of(payload.as_bytes())
        );
        let parsed = Schema1::parse(text.as_bytes()).unwrap();
        assert_eq!((parsed.signed, parsed.layers.len()), (true, 1));
        assert!(
            !Schema1::parse(&schema1::payload(text.as_bytes()).unwrap())
                .unwrap()
                .signed
        );
        assert_eq!(code(&text, None), "oci.schema1");
    }
    for unsigned in [payload.clone(), format!(r#"{SCHEMA1},"signatures":null}}"#)] {
        assert_eq!(schema1::recognise(unsigned.as_bytes()), Some(DOCKER_V1));
        assert_eq!(
            schema1::digest(unsigned.as_bytes()).unwrap(),
            Digest::of(unsigned.as_bytes())
        );
        assert!(!Schema1::parse(unsigned.as_bytes()).unwrap().signed);
    }
    assert_eq!(schema1::digest(b"no JSON").unwrap(), Digest::of(b"no JSON"));
}

#[test]
fn schema1_signatures_that_cannot_be_taken_off() {
    let good = header(SCHEMA1.len(), "Cn0");
    for headers in [
        vec![],
        vec![header(1 << 20, "Cn0")],
        vec![header(usize::MAX, "Cn0")],
        vec![good.clone(), header(SCHEMA1.len() - 1, "Cn0")],
        vec![good.clone(), header(SCHEMA1.len(), "fQ")],
        vec!["{}".into()],
        vec!["x".into()],
        vec![good.replace("Cn0", "Cn0=")],
        vec![good.replace("Cn0", "C")],
        vec![good.replace("\"formatLength\":", "\"formatLength\":-")],
        vec![good.replace("formatTail", "x")],
    ] {
        let text = signed(&headers);
        assert_eq!(
            schema1::digest(text.as_bytes()).unwrap_err().code(),
            "oci.schema1-signatures",
            "{headers:?}"
        );
        assert_eq!(code(&text, None), "oci.schema1");
    }
    for wrong in [
        "1",
        "{}",
        r#""x""#,
        "[1]",
        r#"[{"protected":1}]"#,
        r#"[{"protected":"*"}]"#,
    ] {
        assert_eq!(
            schema1::digest(format!(r#"{SCHEMA1},"signatures":{wrong}}}"#).as_bytes())
                .unwrap_err()
                .code(),
            "oci.schema1-signatures",
            "{wrong}"
        );
    }
}

#[test]
fn schema1_documents_that_are_something_else() {
    let plain = format!("{SCHEMA1}}}");
    for (text, expected) in [
        (plain.replacen('{', r#"{"layers":[],"#, 1), "oci.ambiguous"),
        (plain.replacen('{', r#"{"config":{},"#, 1), "oci.ambiguous"),
        (
            plain.replacen('{', r#"{"manifests":[],"#, 1),
            "oci.ambiguous",
        ),
        (
            plain.replacen('{', r#"{"FSLayers":[],"#, 1),
            "oci.member-spelling",
        ),
        (manifest(DOCKER_MANIFEST), "oci.ambiguous"),
        (index(OCI_INDEX), "oci.ambiguous"),
        ("{}".into(), "oci.unknown-document"),
        (
            plain.replacen('{', &format!(r#"{{"mediaType":"{OCI_MANIFEST}","#), 1),
            "oci.unknown-document",
        ),
        (
            plain.replace(r#""history":[{}]"#, r#""history":[]"#),
            "oci.schema1-layers",
        ),
        (plain.replace(SHA, "sha256:../x"), "oci.digest"),
        (plain.replace("[{}]", "7"), "oci.member"),
    ] {
        assert_eq!(
            Schema1::parse(text.as_bytes()).map_or_else(|error| error.code(), |_| "ok"),
            expected,
            "{text}"
        );
    }
}

#[test]
fn recognition() {
    for (text, expected) in [
        (manifest(OCI_MANIFEST), Some(OCI_MANIFEST)),
        (manifest(DOCKER_MANIFEST), Some(DOCKER_MANIFEST)),
        (index(DOCKER_LIST), Some(DOCKER_LIST)),
        (index(""), Some(OCI_INDEX)),
        (manifest(""), Some(OCI_MANIFEST)),
        (r#"{"schemaVersion":99}"#.into(), None),
        ("x".into(), None),
        ("[]".into(), None),
        (r#"{"schemaVersion":2}"#.into(), None),
        (manifest("x"), Some(OCI_MANIFEST)),
    ] {
        assert_eq!(schema1::recognise(text.as_bytes()), expected, "{text}");
    }
}

type Store = Vec<(Digest, Vec<u8>)>;

fn stored(store: &Store) -> impl Fn(&Digest) -> Option<Vec<u8>> + '_ {
    |digest| {
        store
            .iter()
            .find(|(name, _)| name == digest)
            .map(|(_, bytes)| bytes.clone())
    }
}

fn put(store: &mut Store, media_type: &str, bytes: &str, more: &str) -> String {
    let digest = Digest::of(bytes.as_bytes());
    store.push((digest.clone(), bytes.into()));
    format!(
        r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}{more}}}"#,
        bytes.len()
    )
}

/// An image named `one`, an artifact that is attached to it, something else named `other`.
fn a_layout() -> (Store, String, Digest) {
    let mut store = Store::new();
    let config = put(&mut store, OCI_CONFIG, "{}", "");
    let layer = put(&mut store, "x/layer", "layer", "");
    let image = document(
        OCI_MANIFEST,
        &format!(r#""config":{config},"layers":[{layer},{layer}]"#),
    );
    let subject = Digest::of(image.as_bytes());
    let image = put(
        &mut store,
        OCI_MANIFEST,
        &image,
        &format!(r#","annotations":{{"{}":"one"}}"#, layout::REF_NAME),
    );
    let attached = put(
        &mut store,
        OCI_MANIFEST,
        &document(
            OCI_MANIFEST,
            &format!(
                r#""config":{config},"layers":[],"subject":{image},"annotations":{{"a":"b"}}"#
            ),
        ),
        "",
    );
    let inner = put(
        &mut store,
        OCI_INDEX,
        &document(OCI_INDEX, &format!(r#""manifests":[{image},{attached}]"#)),
        "",
    );
    let other = put(
        &mut store,
        "x/other",
        "other",
        &format!(r#","annotations":{{"{}":"other"}}"#, layout::REF_NAME),
    );
    (
        store,
        document("", &format!(r#""manifests":[{inner},{image},{other}]"#)),
        subject,
    )
}

#[test]
fn layouts() {
    let (store, text, subject) = a_layout();
    let layout = Layout::parse(text.as_bytes()).unwrap();
    let walk = layout.walk(&stored(&store)).unwrap();
    assert_eq!(
        (
            walk.documents.len(),
            walk.checked,
            walk.missing.len(),
            walk.missized.len()
        ),
        (3, 6, 0, 0)
    );
    let referrers = walk.referrers(&subject);
    assert_eq!(
        (
            referrers.len(),
            referrers[0].artifact_type.as_deref(),
            referrers[0].annotation("a")
        ),
        (1, Some(OCI_CONFIG), Some("b"))
    );
    assert!(walk.referrers(&Digest::of(b"nothing")).is_empty());

    assert_eq!(layout.find(Some("one")).unwrap().digest, subject);
    let refused = |name| layout.find(name).unwrap_err().code();
    assert_eq!(
        (refused(Some("two")), refused(Some("other")), refused(None)),
        (
            "oci.layout-name",
            "oci.layout-media-type",
            "oci.layout-choice"
        )
    );
    let only = document(
        "",
        &format!(r#""manifests":[{}]"#, descriptor(OCI_MANIFEST)),
    );
    assert!(Layout::parse(only.as_bytes()).unwrap().find(None).is_ok());
    assert_eq!(
        Layout::parse(manifest("").as_bytes()).unwrap_err().code(),
        "oci.ambiguous"
    );
}

/// The digest holds and the size does not: an error for documents, reported for the rest.
#[test]
fn sizes_of_configs_and_layers_are_reported() {
    let mut store = Store::new();
    let config = put(&mut store, OCI_CONFIG, "{}", "").replace("size\":2", "size\":3");
    let layer = put(&mut store, "x/layer", "layer", "");
    let image = document(
        OCI_MANIFEST,
        &format!(
            r#""config":{config},"layers":[{layer},{}]"#,
            layer.replace("size\":5", "size\":4")
        ),
    );
    let image = put(&mut store, OCI_MANIFEST, &image, "");
    let walk = Layout::parse(document("", &format!(r#""manifests":[{image}]"#)).as_bytes())
        .unwrap()
        .walk(&stored(&store))
        .unwrap();
    assert_eq!(
        walk.missized
            .iter()
            .map(|entry| entry.size)
            .collect::<Vec<_>>(),
        [3, 4]
    );
}

/// Each blob altered, cut and taken away.
#[test]
fn layouts_are_checked() {
    let (store, text, _) = a_layout();
    let layout = Layout::parse(text.as_bytes()).unwrap();
    for at in 0..store.len() {
        let mut altered = store.clone();
        altered[at].1[0] ^= 1;
        assert_eq!(
            layout.walk(&stored(&altered)).unwrap_err().code(),
            "oci.blob-digest",
            "{at}"
        );
        let mut cut = store.clone();
        cut[at].1.pop();
        let expected = if store[at].1 == b"{}" || store[at].1 == b"layer" {
            "oci.blob-digest"
        } else {
            "oci.blob-size"
        };
        assert_eq!(
            layout.walk(&stored(&cut)).unwrap_err().code(),
            expected,
            "{at}"
        );
        let mut gone = store.clone();
        gone.remove(at);
        assert_eq!(
            layout.walk(&stored(&gone)).unwrap().missing.len(),
            1,
            "{at}"
        );
    }
    // A second mention with another size, and as another type.
    for (from, to, expected) in [
        (r#""size":5"#, r#""size":6"#, "oci.blob-size"),
        ("x/other", OCI_INDEX, "oci.json"),
    ] {
        let text = text.replace(from, to);
        assert_eq!(
            Layout::parse(text.as_bytes())
                .unwrap()
                .walk(&stored(&store))
                .unwrap_err()
                .code(),
            expected
        );
    }
    let once = put(&mut store.clone(), "x/other", "other", "");
    let again = text
        .replacen('[', &format!("[{once},"), 1)
        .replace(r#""size":5,"annotations""#, r#""size":6,"annotations""#);
    assert_eq!(
        Layout::parse(again.as_bytes())
            .unwrap()
            .walk(&stored(&store))
            .unwrap_err()
            .code(),
        "oci.blob-size"
    );
    let both = text.replace(
        "]}",
        &format!(",{}]}}", put(&mut store.clone(), OCI_INDEX, "layer", "")),
    );
    assert_eq!(
        Layout::parse(both.as_bytes())
            .unwrap()
            .walk(&stored(&store))
            .unwrap_err()
            .code(),
        "oci.json"
    );
}

#[test]
fn layout_versions() {
    assert!(layout::check_version(br#"{"imageLayoutVersion": "1.0.0"}"#).is_ok());
    for (text, expected) in [
        ("", "oci.json"),
        ("[]", "oci.member"),
        ("{}", "oci.member"),
        (r#"{"imageLayoutVersion":"2.0.0"}"#, "oci.layout-version"),
        (r#"{"imageLayoutVersion":1}"#, "oci.member"),
    ] {
        assert_eq!(
            layout::check_version(text.as_bytes()).unwrap_err().code(),
            expected
        );
    }
}

#[test]
fn codes_are_distinct_and_messages_say_something() {
    let mut codes = OciError::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), OciError::CODES.len());
    let error = Document::parse(manifest(OCI_INDEX).as_bytes(), None).unwrap_err();
    assert!(error.to_string().contains("\"config\""), "{error}");
}

fn touch(bytes: &[u8]) {
    for content_type in [None, Some(OCI_INDEX), Some(DOCKER_MANIFEST)] {
        let _ = Document::parse(bytes, content_type);
    }
    let _ = (
        schema1::recognise(bytes),
        schema1::digest(bytes),
        Schema1::parse(bytes),
        layout::check_version(bytes),
    );
    if let Ok(layout) = Layout::parse(bytes) {
        let _ = layout.walk(&|_: &Digest| Some(bytes.to_vec()));
    }
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, text: String) {
        touch(&bytes);
        let _ = Platform::parse(&text);
    }

    /// Documents that are nearly right: a stretch replaced.
    #[test]
    fn never_panics_on_altered_documents(which in 0..4usize, at in 0..600usize, length in 0..8usize, with in r#"[{}\[\]",:0-9a-z-]{0,8}"#) {
        let text = [manifest(OCI_MANIFEST), index(""), signed(&[header(SCHEMA1.len(), "Cn0")]), a_layout().1][which].clone().into_bytes();
        let start = at.min(text.len());
        let end = (start + length).min(text.len());
        touch(&[&text[..start], with.as_bytes(), &text[end..]].concat());
    }
}
