//! The requirement `attested` (TRUST.md section 6): a signed statement about the image, and what it must say. Ours.
//!
//! In scope: its shape. Out of scope: its meaning.

use super::error::PolicyError;
use super::field::Field;
use super::trust;
use super::trust::Trust;
use super::trusted_root::Pattern;
use crate::encoding::json::Node;
use crate::encoding::json::Value;
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;

/// `attested`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attested {
    /// The exact type of the predicate.
    pub predicate_type: String,
    /// Whom the statement must come from; nothing is inherited.
    pub trust: Trust,
    /// What one statement must say, all of it.
    pub conditions: Vec<Condition>,
    /// The greatest age in seconds, by a verified time of the signature.
    pub max_age: Option<u64>,
}

/// One condition on the predicate. A missing value makes it false.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// RFC 6901, from `predicate`.
    pub pointer: String,
    /// What is asked of the value there.
    pub test: Test,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// This JSON type and value.
    Equals(Node),
    /// One of these.
    OneOf(Vec<Node>),
    /// A string that the expression matches whole.
    Matches(Pattern),
}

const MEMBERS: &[&str] = &["type", "predicateType", "keyPath", "keyPaths", "keyData", "keyDatas", "conditions", "maxAge"];

impl Attested {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(MEMBERS, &trust::EXTENDED)?;
        Ok(Self {
            predicate_type: members.need("predicateType")?.text()?.into(),
            trust: Trust::read(&members)?,
            conditions: members.find("conditions").map_or(Ok(Vec::new()), |field| conditions(&field))?,
            max_age: members.find("maxAge").map(|field| field.count()).transpose()?,
        })
    }
}

fn conditions(field: &Field<'_>) -> Result<Vec<Condition>, PolicyError> {
    let found = field.node.as_array().map_or(0, <[_]>::len);
    if found > limits::CONDITIONS {
        return Err(PolicyError::TooMany { place: field.place(), limit: limits::CONDITIONS, found });
    }
    let conditions = field.list(condition)?;
    if conditions.is_empty() {
        return Err(PolicyError::NoEntries { place: field.place(), member: "conditions" });
    }
    Ok(conditions)
}

fn condition(field: &Field<'_>) -> Result<Condition, PolicyError> {
    let members = field.members(&["pointer", "equals", "oneOf", "matches"], &[])?;
    let pointer = members.need("pointer")?;
    let Some(text) = pointer.node.as_str().filter(|text| is_pointer(text)) else {
        return pointer.value("a JSON pointer (RFC 6901) such as /buildDefinition/buildType");
    };
    let test = match (members.find("equals"), members.find("oneOf"), members.find("matches")) {
        (Some(value), None, None) => Test::Equals(constant(&value)?),
        (None, Some(values), None) => Test::OneOf(values.list(constant)?),
        (None, None, Some(expression)) => Test::Matches(Pattern::regexp(&expression)?),
        _ => return Err(PolicyError::Condition { place: field.place(), rule: "exactly one of equals, oneOf and matches must be specified" }),
    };
    if matches!(&test, Test::OneOf(values) if values.is_empty()) {
        return Err(PolicyError::NoEntries { place: field.place(), member: "oneOf" });
    }
    Ok(Condition { pointer: text.into(), test })
}

/// Any JSON value in which no key stands twice.
fn constant(field: &Field<'_>) -> Result<Node, PolicyError> {
    unambiguous(field)?;
    Ok(field.node.clone())
}

/// As deep as the document is nested, which is bounded.
fn unambiguous(field: &Field<'_>) -> Result<(), PolicyError> {
    match &field.node.value {
        Value::Object(_) => field.open()?.iter().try_for_each(|member| unambiguous(&field.member(member))),
        Value::Array(_) => field.elements().into_iter().flatten().try_for_each(|element| unambiguous(&element)),
        _ => Ok(()),
    }
}

/// RFC 6901 section 3: empty, or reference tokens each after a slash, `~` only as `~0` and `~1`.
fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}
