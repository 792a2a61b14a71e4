//! Forms of JSON documents: which members may stand where. Whoever reads a format says what must be
//! there; a form says what may.

use crate::digest::Digest;
use crate::encoding::base64;
use crate::encoding::json::{Member, Node, Value, quote};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What may stand somewhere in a document. `null` may stand anywhere: it says nothing.
pub(super) enum Form {
    Text,
    Number,
    /// A number, or a text: JSON of protocol buffers writes 64 bits as text.
    Integer,
    Base64,
    Digest,
    /// Anything: a part that the format leaves to its writer.
    Free,
    /// Texts by free names.
    Texts,
    List(&'static Form),
    /// These members and no other; none of them has to be there, which is for the reader of the
    /// format to say.
    Members(&'static [(&'static str, Form)]),
}

impl Form {
    /// Whether a value has this form.
    pub(super) fn fits(&self, node: &Node) -> bool {
        match (self, &node.value) {
            (_, Value::Null)
            | (Self::Free, _)
            | (Self::Text | Self::Integer, Value::String(_))
            | (Self::Number | Self::Integer, Value::Number(_)) => true,
            // What it holds is opaque here; the reader of the format decodes it.
            (Self::Base64, Value::String(text)) => base64::has_form(text),
            (Self::Digest, Value::String(text)) => Digest::parse(text).is_ok(),
            (Self::Texts, Value::Object(members)) => {
                members.iter().all(|member| member.node.as_str().is_some())
            }
            (Self::List(form), Value::Array(items)) => items.iter().all(|item| form.fits(item)),
            (Self::Members(known), Value::Object(members)) => {
                let fits = |member: &Member| {
                    known
                        .iter()
                        .any(|(name, form)| *name == member.key && form.fits(&member.node))
                };
                members.iter().all(fits)
            }
            _ => false,
        }
    }

    /// A value written anew, with the members of the form and no others; `None` where it has
    /// another form.
    pub(super) fn written(&self, node: &Node) -> Option<String> {
        match (self, &node.value) {
            (Self::List(form), Value::Array(items)) => {
                let items = items
                    .iter()
                    .map(|item| form.written(item))
                    .collect::<Option<Vec<_>>>()?;
                Some(format!("[{}]", items.join(",")))
            }
            (Self::Members(known), Value::Object(members)) => {
                let one = |member: &Member| {
                    let (_, form) = known.iter().find(|(name, _)| *name == member.key)?;
                    Some(
                        form.written(&member.node)
                            .map(|value| format!("{}:{value}", quote(&member.key))),
                    )
                };
                let members = members.iter().filter_map(one).collect::<Option<Vec<_>>>()?;
                Some(format!("{{{}}}", members.join(",")))
            }
            (_, Value::Null) => Some("null".into()),
            (_, Value::String(text)) if self.fits(node) => Some(quote(text)),
            (_, Value::Number(text)) if self.fits(node) => Some(text.clone()),
            _ => None,
        }
    }
}
