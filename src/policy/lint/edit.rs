//! Suggested changes. Each leaves JSON that parses.

use crate::encoding::json::Member;
use crate::encoding::json::Node;
use crate::encoding::json::quote;
use alloc::format;
use alloc::string::String;
use core::ops::Range;
use serde::Serialize;

/// A suggested change: these bytes of the document become this text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// Bytes from the start of the document; empty for an insertion.
    pub at: Range<usize>,
    /// What stands there then.
    pub text: String,
}

/// A value becomes another.
pub(super) fn replace(node: &Node, text: impl Into<String>) -> Edit {
    Edit {
        at: node.span.clone(),
        text: text.into(),
    }
}

/// A key becomes another.
pub(super) fn rename(member: &Member, key: &str) -> Edit {
    Edit {
        at: member.key_span.clone(),
        text: quote(key),
    }
}

/// A member of an object that has some gets a neighbour at the end.
pub(super) fn append(object: &Node, member: &str) -> Option<Edit> {
    let end = object.as_object()?.last()?.node.span.end;
    Some(Edit {
        at: end..end,
        text: format!(", {member}"),
    })
}

/// Takes an element out of a list that has others.
pub(super) fn without_element(list: &Node, number: usize) -> Option<Edit> {
    let items = list.as_array()?;
    without(
        |number| items.get(number).map(|node| node.span.clone()),
        number,
    )
}

/// Takes a member out of an object that has others.
pub(super) fn without_member(object: &Node, key: &str) -> Option<Edit> {
    let members = object.as_object()?;
    let number = members.iter().position(|member| member.key == key)?;
    without(
        |number| {
            members
                .get(number)
                .map(|member| member.key_span.start..member.node.span.end)
        },
        number,
    )
}

/// With the comma before it, or after it where it is the first.
fn without(span: impl Fn(usize) -> Option<Range<usize>>, number: usize) -> Option<Edit> {
    let one = span(number)?;
    let at = match number.checked_sub(1).and_then(&span) {
        Some(before) => before.end..one.end,
        None => one.start..span(1)?.start,
    };
    Some(Edit {
        at,
        text: String::new(),
    })
}
