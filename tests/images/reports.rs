//! Reports against `report.schema.json`: what is in them is in the schema, and what is in the
//! schema is in one of them.

use super::*;
use crate::support::judge_at;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Members that no image of the fixtures leads to, and why.
const UNSEEN: &[(&str, &str)] = &[(
    "LogEntry.time",
    "the demo's log is a Rekor v2, which signs no time",
)];

struct Schema {
    root: Value,
    /// Members that were met, as `Candidate.claims`.
    seen: BTreeSet<String>,
}

impl Schema {
    fn load() -> Self {
        Self {
            root: serde_json::from_slice(&read("js/report.schema.json")).unwrap(),
            seen: BTreeSet::new(),
        }
    }

    fn resolve(&self, schema: &Value) -> Value {
        match schema["$ref"].as_str() {
            Some(name) => self.root["$defs"][name.strip_prefix("#/$defs/").unwrap()].clone(),
            None => schema.clone(),
        }
    }

    /// Each keyword that the schema uses but for `pattern`, which the package's tests look at.
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        let schema = self.resolve(schema);
        if let Some(expected) = schema.get("const") {
            assert_eq!(value, expected, "{at}");
        } else if let Some(list) = schema["enum"].as_array() {
            assert!(list.contains(value), "{at}: {value} is none of {list:?}");
        } else {
            match schema["type"].as_str().unwrap() {
                "string" => assert!(value.is_string(), "{at}: {value}"),
                "boolean" => assert!(value.is_boolean(), "{at}: {value}"),
                "integer" => assert!(value.is_i64() || value.is_u64(), "{at}: {value}"),
                "array" => {
                    for (index, item) in value.as_array().unwrap().iter().enumerate() {
                        self.check(&schema["items"], item, &format!("{at}[{index}]"));
                    }
                }
                "object" => self.check_object(&schema, value.as_object().unwrap(), at),
                other => panic!("{at}: no such type: {other}"),
            }
        }
        if let Some(least) = schema["minimum"].as_i64() {
            assert!(value.as_i64().unwrap() >= least, "{at}: {value}");
        }
    }

    fn check_object(&mut self, schema: &Value, object: &Map<String, Value>, at: &str) {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(
                object.contains_key(name.as_str().unwrap()),
                "{at}: no {name}"
            );
        }
        let title = schema["title"].as_str().unwrap_or_default();
        for (name, value) in object {
            let inner = format!("{at}.{name}");
            match schema["properties"].get(name) {
                Some(member) => {
                    self.seen.insert(format!("{title}.{name}"));
                    self.check(member, value, &inner);
                }
                None => {
                    let others = &schema["additionalProperties"];
                    assert!(others.is_object(), "{inner} is not in the schema");
                    self.check(others, value, &inner);
                }
            }
        }
    }

    /// Every member that it describes.
    fn members(&self) -> BTreeSet<String> {
        let objects = self.root["$defs"].as_object().unwrap().values();
        objects
            .chain([&self.root])
            .filter_map(|object| {
                Some((object["title"].as_str()?, object["properties"].as_object()?))
            })
            .flat_map(|(title, members)| members.keys().map(move |name| format!("{title}.{name}")))
            .collect()
    }
}

/// The demo's policy, changed.
fn demo_rules_with(change: impl FnOnce(&mut Value)) -> Rules {
    let mut policy: Value =
        serde_json::from_slice(&read(fixtures().join("demo/policy.json"))).unwrap();
    change(&mut policy);
    let policy = Policy::parse(policy.to_string().as_bytes()).unwrap();
    Rules::policy(policy, demo_assets()).unwrap()
}

/// A keyless image twice: the second time the link above its timestamp authority is remembered.
fn with_remembered_links() -> [Report; 2] {
    use sealgate::internals::crypto::{Links, Remembering, RustCrypto};
    let links = Links::default();
    let provider = Remembering::new(&RustCrypto, &links);
    let (archive, rules) = (demo("keyless"), demo_rules());
    let name = "demo.example/demo/keyless:1.0";
    let now = sealgate::UnixTime(1_800_000_000);
    let request = sealgate::Request::parse(name, None, &rules, now).unwrap();
    [(); 2].map(|()| {
        support::block_on(sealgate::verify_image(
            &archive, &provider, &rules, &request,
        ))
    })
}

/// A signature of fixtures/simple-signing by this keyring of it, with keys that have expired.
fn of_simple_signing(name: &str, keyring: &str, now: i64) -> Report {
    let file = |name: &str| read(fixtures().join("simple-signing").join(name));
    let image = file("manifest.json");
    let mut archive = Memory::default();
    let signatures = vec![file(&format!("{name}.sig"))];
    let digest = Digest::of(&image).to_string();
    archive.simple.insert(digest, signatures);
    let image = (image, support::MANIFEST.into());
    archive.manifests.insert("1".into(), image);
    let text = r#"{"sealgate":{"version":1},"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"k","expiredKeys":{"until":"2030-01-01T00:00:00Z"}}]}"#;
    let assets = [("k".to_owned(), file(keyring))];
    let rules = Rules::policy(Policy::parse(text.as_bytes()).unwrap(), assets.into()).unwrap();
    judge_at(&archive, &rules, "registry.example/team/app:1", now)
}

fn reports() -> Vec<Report> {
    let keyed = key_rules(&fixtures().join("demo/cosign.pub"));
    let each = demo_rules_with(|policy| policy["sealgate"]["coverage"] = "instance".into());
    let excepted = demo_rules_with(|policy| {
        policy["sealgate"]["exceptions"] = serde_json::json!([{
            "scope": "demo.example/demo/unsigned:1.0",
            "digests": [judged(&demo("unsigned"), "unsigned").image.digest],
            "until": "2027-01-31T00:00:00Z",
            "reason": "a test",
        }]);
    });
    let aged = demo_rules_with(|policy| {
        let scopes = policy["transports"]["docker"].as_object_mut().unwrap();
        for requirement in scopes
            .values_mut()
            .flat_map(|list| list.as_array_mut().unwrap())
        {
            if requirement["type"] == "attested" {
                requirement["maxAge"] = 1_000_000_000.into();
            }
        }
    });
    let mut reports = Vec::new();
    for entry in std::fs::read_dir(fixtures().join("demo")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().join("index.json").exists() {
            let repository = entry.file_name().into_string().unwrap();
            let archive = demo(&repository);
            let name = format!("demo.example/demo/{repository}:1.0");
            reports.push(judged(&archive, &repository));
            for rules in [&keyed, &each, &excepted, &aged] {
                reports.push(judge(&archive, rules, &name));
            }
        }
    }
    for entry in std::fs::read_dir(fixtures().join("cosign")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() {
            let id = folder.file_name().unwrap().to_str().unwrap();
            reports.push(judge(
                &Memory::case(&folder),
                &key_rules(&folder.join("key.pub")),
                &format!("demo.example/fixtures/{id}:1"),
            ));
        }
    }
    reports.extend(with_remembered_links());
    for (name, keyring, now) in [
        ("subkey", "subkey.gpg", 1_800_000_000),
        ("expiring", "expiring.gpg", 1_800_000_000),
        ("expires", "one.gpg", 1_767_484_800),
    ] {
        reports.push(of_simple_signing(name, keyring, now));
    }
    reports
}

#[test]
fn reports_and_their_schema_say_the_same() {
    let mut schema = Schema::load();
    let root = schema.root.clone();
    let reports = reports();
    assert!(reports.len() >= 60, "{} reports", reports.len());
    for report in reports {
        let value = serde_json::to_value(&report).unwrap();
        schema.check(&root, &value, &report.image.reference);
    }
    let unseen: BTreeSet<String> = schema.members().difference(&schema.seen).cloned().collect();
    let listed = UNSEEN.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(unseen, listed);
}
