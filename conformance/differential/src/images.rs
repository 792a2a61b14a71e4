//! An image, and what hangs on it.

use crate::certificates;
use crate::certificates::Shown;
use crate::json::Json;
use crate::json::object;
use crate::json::raw;
use crate::json::text;
use crate::keys::Form;
use crate::keys::Kit;
use crate::logged;
use crate::logged::Entry;
use crate::names;
use crate::policies::Style;
use crate::random::Random;
use sealgate::internals::digest::Algorithm;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use serde::Serialize;
use std::collections::BTreeMap;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// A layer of the manifest under the tag `sha256-<hex>.sig`.
#[derive(Serialize, Debug)]
pub struct Layer {
    #[serde(rename = "mimeType")]
    pub media_type: String,
    #[serde(serialize_with = "as_base64")]
    pub payload: Vec<u8>,
    pub annotations: BTreeMap<String, String>,
    /// Whether the payload has several faults, of which each side may name another.
    #[serde(skip)]
    pub is_doubtful: bool,
}

pub fn as_base64<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64::encode(bytes))
}

/// A manifest and its media type.
pub fn manifest(random: &mut Random) -> (Vec<u8>, &'static str) {
    let (kind, config) = if random.chance(85) {
        (MANIFEST, "application/vnd.oci.image.config.v1+json")
    } else {
        (DOCKER, "application/vnd.docker.container.image.v1+json")
    };
    let number = random.below(1_000_000);
    let digest = Digest::of(number.to_string().as_bytes());
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"mediaType":"{config}","digest":"{digest}","size":2}},"layers":[]}}"#
    );
    let text = if random.chance(2) {
        text.replace(
            "\"layers\"",
            random.pick(&["\"Layers\"", "\"layers\":[],\"layers\"", "\"x\""]),
        )
    } else {
        text
    };
    (text.into_bytes(), kind)
}

/// Signatures of the manifest, by keys that a policy may trust.
pub fn layers(
    random: &mut Random,
    kit: &Kit,
    style: Style,
    manifest: &[u8],
    reference: &str,
) -> Vec<Layer> {
    let count = random.weighted(&[(12, 0), (60, 1), (20, 2), (8, 4)]);
    (0..count)
        .map(|_| layer(random, kit, style, manifest, reference))
        .collect()
}

fn layer(random: &mut Random, kit: &Kit, style: Style, manifest: &[u8], reference: &str) -> Layer {
    let (payload, faults) = payload(random, manifest, reference);
    let key = &kit.keys[if random.chance(70) {
        0
    } else {
        random.below(kit.keys.len())
    }];
    let form = random.weighted(&[(88, Form::Usual), (6, Form::Halves), (6, Form::Other)]);
    let message = if random.chance(3) {
        b"another"
    } else {
        payload.as_slice()
    };
    let signature = key.sign(message, form, random);
    let mut annotations = BTreeMap::new();
    let mut shown = key.pem.clone();
    let certified = matches!(style, Style::Fulcio | Style::Pki);
    if random.chance(if certified { 95 } else { 5 }) {
        let Shown { certificate, chain } =
            certificates::leaf(key, &kit.keys[2], &kit.keys[1], random);
        annotations.insert(
            "dev.sigstore.cosign/certificate".to_owned(),
            certificate.clone(),
        );
        annotations.extend(chain.map(|chain| ("dev.sigstore.cosign/chain".to_owned(), chain)));
        shown = if random.chance(96) {
            certificate
        } else {
            shown
        };
    }
    let logged = matches!(style, Style::Fulcio | Style::LoggedKeys);
    if random.chance(if logged { 95 } else { 5 }) {
        let log = &kit.keys[if random.chance(96) {
            1
        } else {
            random.below(4)
        }];
        annotations.insert(
            "dev.sigstore.cosign/bundle".to_owned(),
            logged::bundle(
                &Entry {
                    content: &payload,
                    signature: &signature,
                    key: &shown,
                },
                log,
                random,
            ),
        );
    } else if random.chance(8) {
        annotations.insert(
            "dev.sigstore.cosign/bundle".into(),
            random.pick(&["garbage", "{}", ""]).into(),
        );
    }
    if !random.chance(2) {
        annotations.insert(SIGNATURE.to_owned(), spelled(random, signature));
    }
    let media_type = random.weighted(&[
        (94, SIMPLE),
        (4, "application/vnd.dsse.envelope.v1+json"),
        (2, "application/octet-stream"),
    ]);
    Layer {
        media_type: media_type.into(),
        payload,
        annotations,
        is_doubtful: faults > 1,
    }
}

fn spelled(random: &mut Random, mut signature: Vec<u8>) -> String {
    if random.chance(4) {
        let at = random.below(signature.len());
        signature[at] ^= 1;
    }
    let encoded = base64::encode(&signature);
    if random.chance(88) {
        return encoded;
    }
    match random.below(9) {
        0 => format!("{}\n{}\n", &encoded[..10], &encoded[10..]),
        1 => format!("{}\r\n{}", &encoded[..10], &encoded[10..]),
        2 => format!("{} {}", &encoded[..10], &encoded[10..]),
        3 => encoded.trim_end_matches('=').into(),
        4 => encoded.replace('+', "-").replace('/', "_"),
        5 => String::new(),
        6 => format!("{encoded}="),
        7 => format!("{encoded}{encoded}"),
        _ => base64::encode(&[signature.as_slice(), &[0]].concat()),
    }
}

/// What is signed, and how many faults it may have.
fn payload(random: &mut Random, manifest: &[u8], reference: &str) -> (Vec<u8>, usize) {
    let digest = Digest::of(manifest).to_string();
    let identity = names::signed(random, reference, &digest);
    let signed = if random.chance(92) {
        digest.clone()
    } else {
        other_digest(random, manifest, &digest)
    };
    let kind = random.weighted(&[
        (97, "cosign container image signature"),
        (2, "atomic container signature"),
        (1, "x"),
    ]);
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(70), "]".repeat(70));
    let optional = random.weighted(&[
        (2, deep.as_str()),
        (50, "null"),
        (12, "{}"),
        (6, r#"{"creator":"c","timestamp":1}"#),
        (2, r#"{"timestamp":1.5}"#),
        (2, r#"{"timestamp":1e3}"#),
        (1, r#"{"timestamp":-1.0}"#),
        (1, r#"{"timestamp":"1"}"#),
        (1, r#"{"timestamp":null,"creator":null}"#),
        (1, r#"{"timestamp":9223372036854775807}"#),
        (1, r#"{"timestamp":9223372036854774784}"#),
        (1, r#"{"timestamp":-9223372036854775808}"#),
        (1, r#"{"timestamp":1e400}"#),
        (1, r#"{"creator":1}"#),
        (1, r#"{"a":{"a":[1,{"b":2}]}}"#),
        (1, r#"{"a":1,"a":2}"#),
        (1, r#"{"a":{"b":1,"b":2}}"#),
        (1, "[]"),
        (1, "\"\""),
        (1, "1"),
        (1, r#"{"Creator":1}"#),
        (1, r#"{"timestamp":1E2}"#),
        (1, r#"{"timestamp":0.1e1}"#),
        (1, r#"{"timestamp":-0}"#),
        (1, r#"{"creator":"\ud800"}"#),
    ]);
    let usual = ["null", "{}", r#"{"creator":"c","timestamp":1}"#];
    let mut faults = usize::from(signed != digest)
        + usize::from(!kind.starts_with("cosign"))
        + usize::from(!usual.contains(&optional));
    let mut members = vec![
        (
            "critical".to_owned(),
            object([
                ("identity", object([("docker-reference", text(&identity))])),
                ("image", object([("docker-manifest-digest", text(&signed))])),
                ("type", text(kind)),
            ]),
        ),
        ("optional".into(), raw(optional)),
    ];
    random.shuffle(&mut members);
    let mut json = Json::Object(members);
    if random.chance(10) {
        let place = random.below(json.size());
        // For containers/image null is an empty text, which it then refuses as such: two faults.
        faults += if spoil(random, json.at(place)) == "null" {
            2
        } else {
            1
        };
    }
    let mut bytes = json.write(random).into_bytes();
    if random.chance(6) {
        bytes.extend_from_slice(random.pick(&["\n", " \t", "{}", "x", "\0"]).as_bytes());
        faults += 1;
    }
    if random.chance(2) {
        let at = random.below(bytes.len());
        bytes[at] = random.next() as u8;
        faults += 1;
    }
    (bytes, faults)
}

fn other_digest(random: &mut Random, manifest: &[u8], digest: &str) -> String {
    match random.below(8) {
        0 => Digest::of(b"another").to_string(),
        1 => Digest::with(Algorithm::Sha512, manifest).to_string(),
        2 => Digest::with(Algorithm::Sha384, manifest).to_string(),
        3 => digest.to_uppercase(),
        4 => digest.replace("sha256:", "sha256:A"),
        5 => digest.chars().take(20).collect(),
        6 => digest.to_uppercase().replace("SHA256", "sha256"),
        _ => String::new(),
    }
}

/// Puts something strange into an object, or in place of anything else.
pub fn put_in(random: &mut Random, value: &mut Json, strange: Json) {
    match value {
        Json::Object(members) if !members.is_empty() => {
            let at = random.below(members.len());
            match random.below(6) {
                0 => members.push(members[at].clone()),
                1 => members[at].0 = members[at].0.to_uppercase(),
                2 => drop(members.remove(at)),
                3 => members.insert(at, ("x".into(), strange)),
                4 => members.push((members[at].0.clone(), strange)),
                _ => members[at].1 = strange,
            }
        }
        _ => *value = strange,
    }
}

/// One fault; says what was put in where something was.
fn spoil(random: &mut Random, value: &mut Json) -> &'static str {
    let text = random.pick(&[
        "null",
        "1",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\"x\"",
        "{\"a\":1}",
    ]);
    put_in(random, value, raw(text));
    text
}
