//! The members that `policy.schema.json` describes are those that the parser understands.

use super::*;
use crate::cosign;
use crate::policy::PolicyError;
use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use serde_json::Value;

extern crate std;

/// A name that nothing has.
const NOBODYS: &str = "zz";

/// What an object is, by its `type` where it has one, and the members that it may have.
type Kind = (String, BTreeSet<String>);

/// All objects of a schema that take no others than their own members.
fn described(schema: &Value, into: &mut BTreeSet<Kind>) {
    if let (Some(members), Some(false)) = (
        schema["properties"].as_object(),
        schema["additionalProperties"].as_bool(),
    ) {
        let kind = members.get("type").and_then(|kind| kind["const"].as_str());
        let names = members.keys().cloned().collect();
        into.insert((kind.unwrap_or_default().to_owned(), names));
    }
    match schema {
        Value::Object(inner) => inner.values().for_each(|one| described(one, into)),
        Value::Array(inner) => inner.iter().for_each(|one| described(one, into)),
        _ => {}
    }
}

/// Pointers (RFC 6901) to all objects.
fn objects(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            into.push(at.to_owned());
            for (name, inner) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                objects(inner, &format!("{at}/{name}"), into);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                objects(inner, &format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
}

/// Why the policy is refused once the object at `at` has this member, too.
fn refusal(policy: &Value, at: &str, name: &str) -> Option<PolicyError> {
    let mut changed = policy.clone();
    let object = changed.pointer_mut(at).unwrap().as_object_mut().unwrap();
    object.insert(name.to_owned(), Value::Null);
    Policy::parse(changed.to_string().as_bytes()).err()
}

/// What the parser says that it understands here, in its own advice and of our extensions; nothing
/// for an object whose names are anybody's.
fn understood(policy: &Value, at: &str, candidates: &BTreeSet<String>) -> Option<Kind> {
    let Some(PolicyError::UnknownKey { advice, .. }) = refusal(policy, at, NOBODYS) else {
        return None;
    };
    let listed = advice
        .strip_prefix("expected ")?
        .strip_suffix("; case matters")?;
    let mut names: BTreeSet<String> = listed.split(", ").map(String::from).collect();
    let object = policy.pointer(at)?;
    for name in candidates {
        let is_there = object.get(name).is_some();
        let unknown = || {
            matches!(
                refusal(policy, at, name),
                Some(PolicyError::UnknownKey { .. })
            )
        };
        if is_there || !unknown() {
            names.insert(name.clone());
        }
    }
    let kind = object["type"].as_str().unwrap_or_default();
    Some((kind.to_owned(), names))
}

#[test]
fn the_schema_has_the_members_of_the_parser() {
    let read =
        |path: &str| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let mut schema = BTreeSet::new();
    described(&read("js/policy.schema.json"), &mut schema);
    let candidates: BTreeSet<String> = schema.iter().flat_map(|(_, names)| names.clone()).collect();
    let mut parser = BTreeSet::new();
    let table = read("fixtures/policy/policies.json");
    for case in table.as_array().unwrap() {
        // Without the marker our own members are not understood, whatever the schema lists.
        let mut policy = case["policy"].clone();
        if let Some(members) = policy.as_object_mut() {
            let marker = serde_json::json!({"version": 1});
            members.entry("sealgate").or_insert(marker);
        }
        if Policy::parse(policy.to_string().as_bytes()).is_err() {
            continue;
        }
        let mut places = Vec::new();
        objects(&policy, "", &mut places);
        parser.extend(
            places
                .iter()
                .filter_map(|at| understood(&policy, at, &candidates)),
        );
    }
    let missing: Vec<&Kind> = schema.difference(&parser).collect();
    let more: Vec<&Kind> = parser.difference(&schema).collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "only in the schema: {missing:#?}\nonly in the parser: {more:#?}"
    );
}

/// The short names of predicate types in the schema are those that the parser lists in its message,
/// and each stands for a URI.
#[test]
fn the_schema_has_the_short_names_of_predicate_types() {
    let text = std::fs::read("js/policy.schema.json").unwrap();
    let schema: Value = serde_json::from_slice(&text).unwrap();
    let names = &schema["$defs"]["attested"]["properties"]["predicateType"]["anyOf"][0]["enum"];
    let names: BTreeSet<&str> = names
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for name in &names {
        assert!(cosign::predicate_type(name).unwrap().contains("://"));
    }
    let message = cosign::predicate_type("none").unwrap_err().to_string();
    let (_, rest) = message.split_once("one of ").unwrap();
    let (listed, _) = rest.split_once(", found").unwrap();
    let listed: BTreeSet<&str> = listed
        .split(", ")
        .flat_map(|part| part.split(" and "))
        .collect();
    assert_eq!(names, listed);
}
