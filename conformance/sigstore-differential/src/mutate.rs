//! Alterations, made from a seed.

use crate::edit::{alter, encode, leaves};
use crate::vectors::Vector;
use sealgate::internals::encoding::base64;
use sealgate::internals::timestamp::Token;
use serde_json::{Value, json};

/// SplitMix64: small, and the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, at: usize) -> Self {
        Self(seed.wrapping_mul(0x0100_0000_01b3) ^ (at as u64) << 32)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count.max(1) as u64).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// What is encoded, as far as something is.
fn decode(value: &Value) -> Vec<u8> {
    value.as_str().and_then(base64::decode).unwrap_or_default()
}

/// An altered bundle, and in which way.
pub fn altered(vector: &Vector, all: &[Vector], random: &mut Random) -> (String, Vec<u8>) {
    if random.below(8) == 0 {
        return text(vector, random);
    }
    let mut bundle = vector.bundle.clone();
    let mut what = edit(&mut bundle, all, random);
    if random.below(6) == 0 {
        what = format!("{what}; {}", edit(&mut bundle, all, random));
    }
    (what, serde_json::to_vec(&bundle).expect("JSON"))
}

/// One bit of the JSON text.
fn text(vector: &Vector, random: &mut Random) -> (String, Vec<u8>) {
    let mut bytes = serde_json::to_vec(&vector.bundle).expect("JSON");
    let (at, bit) = (random.below(bytes.len()), random.below(8));
    bytes[at] ^= 1 << bit;
    (format!("byte {at}, bit {bit}"), bytes)
}

fn edit(bundle: &mut Value, all: &[Vector], random: &mut Random) -> String {
    let pointers = leaves(bundle);
    let pointer = random.pick(&pointers).clone();
    match random.below(9) {
        0 => {
            let leaf = bundle.pointer_mut(&pointer).expect("a leaf");
            *leaf = alter(leaf);
            format!("another {pointer}")
        }
        1 => flip(bundle, &pointer, random),
        2 => log_body(bundle, random),
        3 => remove(bundle, &pointer, random),
        4 => double(bundle, &pointer),
        5 | 6 => graft(bundle, &pointer, all, random),
        7 => {
            let other = random
                .pick(&[
                    json!(null),
                    json!(""),
                    json!(0),
                    json!("0"),
                    json!(-1),
                    json!([]),
                    json!({}),
                    json!("AA=="),
                ])
                .clone();
            let what = format!("{pointer} is {other}");
            *bundle.pointer_mut(&pointer).expect("a leaf") = other;
            what
        }
        _ => length(bundle, &pointer, random),
    }
}

/// One bit of what is encoded.
fn flip(bundle: &mut Value, pointer: &str, random: &mut Random) -> String {
    let leaf = bundle.pointer_mut(pointer).expect("a leaf");
    let Some(mut bytes) = leaf
        .as_str()
        .and_then(base64::decode)
        .filter(|bytes| !bytes.is_empty())
    else {
        *leaf = alter(leaf);
        return format!("another {pointer}");
    };
    let at = random.below(bytes.len());
    bytes[at] ^= 1 << random.below(8);
    *leaf = encode(&bytes);
    format!("byte {at} of {pointer}")
}

/// A byte more or less.
fn length(bundle: &mut Value, pointer: &str, random: &mut Random) -> String {
    let leaf = bundle.pointer_mut(pointer).expect("a leaf");
    let Some(mut bytes) = leaf
        .as_str()
        .and_then(base64::decode)
        .filter(|bytes| !bytes.is_empty())
    else {
        *leaf = alter(leaf);
        return format!("another {pointer}");
    };
    let at = random.below(bytes.len());
    if random.below(2) == 0 {
        bytes.remove(at);
    } else {
        bytes.insert(at, 0);
    }
    *leaf = encode(&bytes);
    format!("length of {pointer}")
}

/// A field of a log entry's body.
fn log_body(bundle: &mut Value, random: &mut Random) -> String {
    let Some(place) = bundle.pointer_mut("/verificationMaterial/tlogEntries/0/canonicalizedBody")
    else {
        return "nothing".into();
    };
    let Ok(mut body) = serde_json::from_slice::<Value>(&decode(place)) else {
        return "nothing".into();
    };
    let pointers = leaves(&body);
    let pointer = random.pick(&pointers).clone();
    let leaf = body.pointer_mut(&pointer).expect("a leaf");
    *leaf = alter(leaf);
    *place = encode(body.to_string().as_bytes());
    format!("the log body's {pointer}")
}

/// Takes away a leaf, or something around it.
fn remove(bundle: &mut Value, pointer: &str, random: &mut Random) -> String {
    let parts: Vec<&str> = pointer.split('/').collect();
    let depth = 2 + random.below(parts.len() - 1);
    let path = parts[..depth.min(parts.len())].join("/");
    let (parent, key) = path.rsplit_once('/').expect("a pointer");
    match bundle.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(key)),
        Some(Value::Array(items)) => drop(items.remove(key.parse().expect("an index"))),
        _ => {}
    }
    format!("no {path}")
}

/// The nearest list around a leaf gets its element once more.
fn double(bundle: &mut Value, pointer: &str) -> String {
    let parts: Vec<&str> = pointer.split('/').collect();
    for depth in (1..parts.len()).rev() {
        let path = parts[..depth].join("/");
        if let Some(Value::Array(items)) = bundle.pointer_mut(&path) {
            let at: usize = parts[depth].parse().expect("an index");
            let again = items[at].clone();
            items.push(again);
            return format!("{path}/{at} twice");
        }
    }
    bundle["unknown"] = json!("member");
    "an unknown member".into()
}

/// The value of another bundle at the same place, or somewhat above it.
fn graft(bundle: &mut Value, pointer: &str, all: &[Vector], random: &mut Random) -> String {
    let other = random.pick(all);
    let parts: Vec<&str> = pointer.split('/').collect();
    let path = parts[..(2 + random.below(parts.len() - 1)).min(parts.len())].join("/");
    match (bundle.pointer_mut(&path), other.bundle.pointer(&path)) {
        (Some(place), Some(value)) => {
            *place = value.clone();
            format!("{path} of another bundle")
        }
        _ => "nothing".into(),
    }
}

/// What a difference may ask of the altered bundle.
pub fn holds(when: &str, bundle: &[u8], vector: &Vector) -> bool {
    let Ok(bundle) = serde_json::from_slice::<Value>(bundle) else {
        return false;
    };
    let material = &bundle["verificationMaterial"];
    let each = |list: &Value| list.as_array().cloned().unwrap_or_default();
    match when {
        "key-hint" => [
            &material["publicKey"]["hint"],
            &bundle["dsseEnvelope"]["signatures"][0]["keyid"],
        ]
        .iter()
        .any(|hint| !hint.is_string()),
        "version-0.1" => {
            bundle["mediaType"] == "application/vnd.dev.sigstore.bundle+json;version=0.1"
        }
        "no-entries" => {
            each(&material["tlogEntries"]).is_empty()
                && vector.root["tlogs"].as_array().is_none_or(Vec::is_empty)
        }
        "unlisted-timestamp" => each(&material["timestampVerificationData"]["rfc3161Timestamps"])
            .iter()
            .any(|token| is_unlisted(&token["signedTimestamp"], vector)),
        "unlisted-entry" => each(&material["tlogEntries"])
            .iter()
            .any(|entry| !vector.lists(entry)),
        "untyped-statement" => {
            serde_json::from_slice::<Value>(&decode(&bundle["dsseEnvelope"]["payload"]))
                .is_ok_and(|statement| statement["_type"].is_null())
        }
        other => panic!("differences.json: {other:?} is unknown"),
    }
}

fn is_unlisted(token: &Value, vector: &Vector) -> bool {
    let Ok(token) = Token::parse(&decode(token)) else {
        return false;
    };
    token
        .claims(vector.trusted.timestamp_authorities(), b"")
        .is_err_and(|refused| refused.failure.code == "timestamp.unknown-authority")
}
