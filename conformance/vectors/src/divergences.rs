//! `divergences.json`: what is not in reach yet, or decided otherwise, each with its reason.
//!
//! A rule speaks of a topic, a kind, an input's presence or a parameter, never of one case: other
//! cases will be run.

use crate::case::Case;
use crate::topics;
use serde_json::Map;
use serde_json::Value;

/// The rules, in order.
pub struct Divergences(Vec<(Map<String, Value>, String)>);

const CONDITIONS: [&str; 6] = [
    "topic",
    "kind",
    "has_input",
    "lacks_input",
    "params",
    "evidence",
];

impl Divergences {
    /// Reads the list; every rule has a reason and at least one condition, and all its conditions
    /// are known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rules: Vec<Map<String, Value>> =
            serde_json::from_str(text).map_err(|error| format!("divergences.json: {error}"))?;
        let rule = |mut rule: Map<String, Value>| {
            let reason = rule
                .remove("reason")
                .and_then(|reason| reason.as_str().map(String::from))
                .filter(|reason| !reason.is_empty());
            let known = rule.iter().all(|(key, value)| {
                CONDITIONS.contains(&key.as_str())
                    && match key.as_str() {
                        "params" => value.is_object(),
                        "lacks_input" => value.is_string() || value.is_array(),
                        _ => value.is_string(),
                    }
            });
            match reason {
                Some(reason) if known && !rule.is_empty() => Ok((rule, reason)),
                _ => Err(format!(
                    "divergences.json: not a rule: {}",
                    Value::Object(rule)
                )),
            }
        };
        rules
            .into_iter()
            .map(rule)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The reason of the first rule that names this case.
    pub fn reason(&self, case: &Case) -> Option<&str> {
        let holds = |rule: &Map<String, Value>| {
            rule.iter()
                .all(|(condition, value)| holds(case, condition, value))
        };
        self.0
            .iter()
            .find(|(rule, _)| holds(rule))
            .map(|(_, reason)| reason.as_str())
    }
}

fn holds(case: &Case, condition: &str, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    match condition {
        "topic" => case.topic == text,
        "kind" => case.kind == text,
        "has_input" => case.has_input(text),
        // One, or all of several.
        "lacks_input" if value.is_array() => value
            .as_array()
            .into_iter()
            .flatten()
            .all(|name| !case.has_input(name.as_str().unwrap_or_default())),
        "lacks_input" => !case.has_input(text),
        "evidence" => topics::evidence(case, text),
        // Each named parameter has this value; null stands for any.
        _ => value.as_object().is_some_and(|params| {
            params.iter().all(|(key, wanted)| {
                case.param(key)
                    .is_some_and(|found| wanted.is_null() || found == wanted)
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let case = Case::for_tests(
            r#"{"id": "t/x", "kind": "k", "inputs": {"a": "f"}, "params": {"p": {"q": 1}}, "expect": "ok"}"#,
        );
        for (rule, expected) in [
            (r#""topic": "t""#, true),
            (r#""topic": "u""#, false),
            (r#""kind": "k""#, true),
            (r#""topic": "t", "kind": "l""#, false),
            (r#""has_input": "a""#, true),
            (r#""has_input": "b""#, false),
            (r#""lacks_input": "b""#, true),
            (r#""lacks_input": "a""#, false),
            (r#""params": {"p": {"q": 1}}"#, true),
            (r#""params": {"p": 1}"#, false),
            (r#""params": {"p": null}"#, true),
            (r#""params": {"z": null}"#, false),
        ] {
            let rules =
                Divergences::parse(&format!(r#"[{{{rule}, "reason": "because"}}]"#)).unwrap();
            assert_eq!(rules.reason(&case).is_some(), expected, "{rule}");
        }
    }

    #[test]
    fn what_is_no_rule() {
        for text in [
            r#"[{"topic": "t"}]"#,
            r#"[{"reason": "r"}]"#,
            r#"[{"id": "t/x", "reason": "r"}]"#,
            r#"[{"topic": 1, "reason": "r"}]"#,
            r#"[{"topic": "t", "reason": ""}]"#,
            "{}",
            "[",
        ] {
            assert!(Divergences::parse(text).is_err(), "{text}");
        }
        assert!(Divergences::parse(include_str!("../divergences.json")).is_ok());
    }
}
