//! The requirement `pinned` (docs/trust.md section 6): which digest a tag must have. It verifies no
//! signature. Ours.
//!
//! In scope: its shape. Out of scope: its meaning.

use super::error::PolicyError;
use super::field::Field;
use crate::digest::Digest;
use crate::encoding::json::Member;
use crate::reference::Grammar;
use crate::reference::Reference;
use alloc::string::ToString;
use alloc::vec::Vec;

/// `pinned`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Repository with tag, and the digest that the tag must have.
    pub pins: Vec<(Reference, Digest)>,
    /// What happens to tags that are not listed.
    pub others: Others,
}

/// What happens to tags that are not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They are refused; so it is, too, when the member is absent.
    Deny,
    /// They pass.
    Allow,
}

impl Pinned {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, PolicyError> {
        let members = field.members(&["type", "pins", "others"], &[])?;
        let pins = members.need("pins")?;
        let list: Vec<_> = pins
            .open()?
            .iter()
            .map(|member| pin(&pins, member))
            .collect::<Result<_, _>>()?;
        if list.is_empty() {
            return Err(PolicyError::NoEntries {
                place: pins.place(),
                member: "pins",
            });
        }
        Ok(Self {
            pins: list,
            others: members
                .find("others")
                .map_or(Ok(Others::Deny), |field| others(&field))?,
        })
    }
}

fn others(field: &Field<'_>) -> Result<Others, PolicyError> {
    match field.node.as_str() {
        Some("deny") => Ok(Others::Deny),
        Some("allow") => Ok(Others::Allow),
        _ => field.value("\"deny\" or \"allow\""),
    }
}

/// Each image in its one full spelling, so that no two entries speak of the same tag.
fn pin(pins: &Field<'_>, member: &Member) -> Result<(Reference, Digest), PolicyError> {
    let field = pins.scope(member);
    let image = Reference::normalize(&member.key, Grammar::Containers).map_err(|error| {
        PolicyError::Reference {
            place: field.place(),
            error,
        }
    })?;
    if image.tag().is_none() || image.digest().is_some() || image.to_string() != member.key {
        return field.value(
            "as key a full name with a tag and no digest, such as \
             registry.example.com/team/app:1.0",
        );
    }
    match field
        .node
        .as_str()
        .and_then(|text| Digest::parse(text).ok())
    {
        Some(digest) => Ok((image, digest)),
        None => field.value("a digest such as sha256:<64 hexadecimal digits>"),
    }
}
