//! The requirement `attested` (docs/trust.md section 6): a signed statement about the image, and
//! what it must say. Ours.
//!
//! In scope: its shape, and what a predicate must say. Out of scope: finding statements and
//! believing them.

use super::error::PolicyError;
use super::field::Field;
use super::trust;
use super::trust::Trust;
use super::trusted_root;
use crate::cosign;
use crate::encoding::json::Node;
use crate::encoding::json::Value;
use crate::limits;
use crate::sigstore::identity::Pattern;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// `attested`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attested {
    /// The exact type of the predicate, as a URI.
    pub predicate_type: String,
    /// Whom the statement must come from; nothing is inherited.
    pub trust: Trust,
    /// What one statement must say, all of it.
    pub conditions: Vec<Condition>,
    /// The greatest age in seconds, from the first second of the signer's certificate on: whoever
    /// holds an old signature can have it logged and stamped again.
    pub max_age: Option<u64>,
}

/// One condition on the predicate. A missing value makes it false.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// RFC 6901, from `predicate`.
    pub pointer: String,
    /// What is asked of the value there.
    pub(crate) test: Test,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// This JSON type and value.
    Equals(Node),
    /// One of these.
    OneOf(Vec<Node>),
    /// A string that the expression matches whole.
    Matches(Pattern),
    /// A time (RFC 3339), at most so many seconds ago. We reject times that are still to come,
    /// which would be young for long.
    MaxAge(u64),
}

impl Condition {
    /// Whether the predicate says so, now.
    pub(crate) fn holds(&self, predicate: Option<&Node>, now: UnixTime) -> bool {
        let Some(found) = predicate.and_then(|predicate| pointed(predicate, &self.pointer)) else {
            return false;
        };
        match &self.test {
            Test::Equals(wanted) => same(found, wanted),
            Test::OneOf(wanted) => wanted.iter().any(|wanted| same(found, wanted)),
            Test::Matches(pattern) => found.as_str().is_some_and(|text| pattern.matches(text)),
            Test::MaxAge(limit) => found
                .as_str()
                .and_then(UnixTime::parse_offset)
                .and_then(|time| u64::try_from(now.0.checked_sub(time.0)?).ok())
                .is_some_and(|age| age <= *limit),
        }
    }

    /// The first second at which time alone makes it false, where it does.
    pub(crate) fn ends(&self, predicate: Option<&Node>) -> Option<i64> {
        let Test::MaxAge(limit) = self.test else {
            return None;
        };
        let time = UnixTime::parse_offset(pointed(predicate?, &self.pointer)?.as_str()?)?;
        Some(
            time.0
                .saturating_add(i64::try_from(limit).unwrap_or(i64::MAX))
                .saturating_add(1),
        )
    }

    /// For people: `/buildType equals "x"`.
    pub fn describe(&self) -> String {
        match &self.test {
            Test::Equals(_) => format!("{} equals the value that the policy gives", self.pointer),
            Test::OneOf(values) => format!(
                "{} equals one of the {} values that the policy gives",
                self.pointer,
                values.len()
            ),
            Test::Matches(pattern) => format!("{} is {pattern}", self.pointer),
            Test::MaxAge(limit) => {
                format!("{} is a time of at most {limit} seconds ago", self.pointer)
            }
        }
    }
}

/// RFC 6901 section 4.
fn pointed<'a>(mut node: &'a Node, pointer: &str) -> Option<&'a Node> {
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        node = match &node.value {
            Value::Object(_) => node.member(&token)?,
            Value::Array(items) => items.get(index(&token)?)?,
            _ => return None,
        };
    }
    Some(node)
}

/// Digits without leading zeros.
fn index(token: &str) -> Option<usize> {
    let plain =
        token == "0" || !token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| token.parse().ok()).flatten()
}

/// Equal by JSON type and value: members in any order, numbers by what they are worth.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || decimal(a).is_some_and(|a| Some(a) == decimal(b))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(ours), Value::Object(_)) => {
            ours.len() == b.as_object().map_or(0, <[_]>::len)
                && ours.iter().all(|member| {
                    b.member(&member.key)
                        .is_some_and(|other| same(&member.node, other))
                })
        }
        (a, b) => a == b,
    }
}

/// Sign, digits without zeros at either end, and the power of ten of the last digit. `None`: an
/// exponent beyond reason.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, mantissa) = mantissa
        .strip_prefix('-')
        .map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len().saturating_sub(significant.len())).ok()?;
    let power = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(dropped)?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        Some((false, String::new(), 0))
    } else {
        Some((negative, significant.into(), power))
    }
}

const MEMBERS: &[&str] = &[
    "type",
    "predicateType",
    "keyPath",
    "keyPaths",
    "keyData",
    "keyDatas",
    "conditions",
    "maxAge",
];

impl Attested {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(MEMBERS, &trust::EXTENDED)?;
        let trust = Trust::read(&members)?;
        let max_age = members.find("maxAge");
        if let (Some(field), Trust::Keys(_) | Trust::LoggedKeys { .. }) = (&max_age, &trust) {
            return Err(PolicyError::MaxAge {
                place: field.place(),
            });
        }
        Ok(Self {
            predicate_type: predicate_type(&members.need("predicateType")?)?,
            trust,
            conditions: members
                .find("conditions")
                .map_or(Ok(Vec::new()), |field| conditions(&field))?,
            max_age: max_age.map(|field| field.count()).transpose()?,
        })
    }
}

/// A URI, or what one of cosign's short names stands for.
fn predicate_type(field: &Field<'_>) -> Result<String, PolicyError> {
    match cosign::predicate_type(field.text()?) {
        Ok(uri) => Ok(uri.into()),
        Err(error) => Err(PolicyError::PredicateType {
            place: field.place(),
            error,
        }),
    }
}

fn conditions(field: &Field<'_>) -> Result<Vec<Condition>, PolicyError> {
    let found = field.node.as_array().map_or(0, <[_]>::len);
    if found > limits::CONDITIONS {
        return Err(PolicyError::TooMany {
            place: field.place(),
            limit: limits::CONDITIONS,
            found,
        });
    }
    let conditions = field.list(condition)?;
    if conditions.is_empty() {
        return Err(PolicyError::NoEntries {
            place: field.place(),
            member: "conditions",
        });
    }
    Ok(conditions)
}

fn condition(field: &Field<'_>) -> Result<Condition, PolicyError> {
    let members = field.members(&["pointer", "equals", "oneOf", "matches", "maxAge"], &[])?;
    let pointer = members.need("pointer")?;
    let Some(text) = pointer.node.as_str().filter(|text| is_pointer(text)) else {
        return pointer.value("a JSON pointer (RFC 6901) such as /buildDefinition/buildType");
    };
    let test = match (
        members.find("equals"),
        members.find("oneOf"),
        members.find("matches"),
        members.find("maxAge"),
    ) {
        (Some(value), None, None, None) => Test::Equals(constant(&value)?),
        (None, Some(values), None, None) => Test::OneOf(values.list(constant)?),
        (None, None, Some(expression), None) => Test::Matches(trusted_root::regexp(&expression)?),
        (None, None, None, Some(age)) => Test::MaxAge(age.count()?),
        _ => {
            return Err(PolicyError::Condition {
                place: field.place(),
                rule: "exactly one of equals, oneOf, matches and maxAge must be specified",
            });
        }
    };
    if matches!(&test, Test::OneOf(values) if values.is_empty()) {
        return Err(PolicyError::NoEntries {
            place: field.place(),
            member: "oneOf",
        });
    }
    Ok(Condition {
        pointer: text.into(),
        test,
    })
}

/// Any JSON value in which no key stands twice.
fn constant(field: &Field<'_>) -> Result<Node, PolicyError> {
    unambiguous(field)?;
    Ok(field.node.clone())
}

/// As deep as the document is nested, which is bounded.
fn unambiguous(field: &Field<'_>) -> Result<(), PolicyError> {
    match &field.node.value {
        Value::Object(_) => field
            .open()?
            .iter()
            .try_for_each(|member| unambiguous(&field.member(member))),
        Value::Array(_) => field
            .elements()
            .into_iter()
            .flatten()
            .try_for_each(|element| unambiguous(&element)),
        _ => Ok(()),
    }
}

/// RFC 6901 section 3: empty, or reference tokens each after a slash, `~` only as `~0` and `~1`.
fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/'))
        && text
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::json;
    use crate::encoding::json::Dialect;

    fn node(text: &str) -> Node {
        json::parse(text.as_bytes(), Dialect::Strict).unwrap()
    }

    #[test]
    fn equality_is_by_type_and_value() {
        for (a, b, equal) in [
            ("1", "1", true),
            ("1", "1.0", true),
            ("100", "1e2", true),
            ("0.5", "5E-1", true),
            ("-0", "0", true),
            ("1", "-1", false),
            ("1", "10", false),
            ("1", "\"1\"", false),
            ("1e999999999999", "1e999999999999", true),
            ("1e99999999999999999999", "1e99999999999999999998", false),
            ("9007199254740993", "9007199254740992", false),
            ("true", "true", true),
            ("true", "1", false),
            ("null", "null", true),
            ("null", "false", false),
            ("[1,2]", "[1,2]", true),
            ("[1,2]", "[2,1]", false),
            ("[1]", "[1,1]", false),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#, false),
            (r#"{"a":1,"b":1}"#, r#"{"a":1}"#, false),
        ] {
            assert_eq!(same(&node(a), &node(b)), equal, "{a} {b}");
        }
    }

    #[test]
    fn pointers_lead_to_one_value() {
        let document = node(r#"{"a":{"b/c":[10,{"~":"x"}]},"":1,"m":{"01":2}}"#);
        for (pointer, found) in [
            ("", true),
            ("/a", true),
            ("/a/b~1c/0", true),
            ("/a/b~1c/1/~0", true),
            ("/", true),
            ("/m/01", true),
            ("/a/b~1c/01", false),
            ("/a/b~1c/-", false),
            ("/a/b~1c/2", false),
            ("/a/b", false),
            ("/a/b~1c/0/x", false),
            ("/a/b~1c/+0", false),
            ("/a/b~1c/99999999999999999999", false),
        ] {
            assert_eq!(pointed(&document, pointer).is_some(), found, "{pointer}");
        }
    }

    const NOW: UnixTime = UnixTime(1_800_000_000);

    /// 2027-01-15T08:00:00Z is now.
    #[test]
    fn a_signed_time_has_an_age() {
        let condition = Condition {
            pointer: "/x".into(),
            test: Test::MaxAge(60),
        };
        for (time, holds) in [
            (r#""2027-01-15T08:00:00Z""#, true),
            (r#""2027-01-15T07:59:00Z""#, true),
            (r#""2027-01-15T07:58:59Z""#, false),
            (r#""2027-01-15T08:00:01Z""#, false),
            (r#""2027-01-15T09:00:00.123456789+01:00""#, true),
            (r#""2027-01-15T01:59:30-06:00""#, true),
            (r#""2027-01-15T08:00:00+01:00""#, false),
            (r#""2027-01-15T08:00:00""#, false),
            (r#""2027-01-15T09:00:00+1:00""#, false),
            (r#""2027-01-15T09:00:00+01:60""#, false),
            (r#""2027-01-15T09:00:00++1:00""#, false),
            (r#""9999-12-31T23:59:59Z""#, false),
            (r#""""#, false),
            ("1800000000", false),
            ("null", false),
        ] {
            assert_eq!(
                condition.holds(Some(&node(&format!(r#"{{"x":{time}}}"#))), NOW),
                holds,
                "{time}"
            );
        }
        assert_eq!(
            condition.ends(Some(&node(r#"{"x":"2027-01-15T08:00:00Z"}"#))),
            Some(NOW.0 + 61)
        );
    }

    #[test]
    fn a_missing_value_makes_any_condition_false() {
        let condition = |test| Condition {
            pointer: "/x".into(),
            test,
        };
        let predicate = node(r#"{"y":null}"#);
        for test in [
            Test::Equals(node("null")),
            Test::OneOf(alloc::vec![node("null")]),
            Test::Matches(Pattern::whole(".*").unwrap()),
        ] {
            assert!(!condition(test.clone()).holds(Some(&predicate), NOW));
            assert!(!condition(test).holds(None, NOW));
        }
        assert!(
            !condition(Test::Matches(Pattern::whole(".*").unwrap()))
                .holds(Some(&node(r#"{"x":1}"#)), NOW),
            "matches takes strings"
        );
        assert!(
            condition(Test::Matches(Pattern::whole("a+").unwrap()))
                .holds(Some(&node(r#"{"x":"aa"}"#)), NOW)
        );
        assert!(
            !condition(Test::Matches(Pattern::whole("a+").unwrap()))
                .holds(Some(&node(r#"{"x":"aab"}"#)), NOW)
        );
    }
}
