//! Where keys and certificates come from (docs/containers-image.md sections 2.1 and 2.2).

use super::error::PolicyError;
use super::field::Members;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// Key or certificate material: inline, or by the path of a file that a resolver reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeySource {
    /// One file.
    Path(String),
    /// Several files.
    Paths(Vec<String>),
    /// The content of a file.
    Data(Vec<u8>),
    /// The contents of several files.
    Datas(Vec<Vec<u8>>),
}

impl KeySource {
    /// The paths that it names.
    pub fn paths(&self) -> &[String] {
        match self {
            Self::Path(path) => core::slice::from_ref(path),
            Self::Paths(paths) => paths,
            Self::Data(_) | Self::Datas(_) => &[],
        }
    }

    /// The contents that it carries.
    pub fn datas(&self) -> &[Vec<u8>] {
        match self {
            Self::Data(data) => core::slice::from_ref(data),
            Self::Datas(datas) => datas,
            Self::Path(_) | Self::Paths(_) => &[],
        }
    }

    /// The sources whose value takes effect, of the four members that `names` gives in the order
    /// path, paths, data, datas. `""` for a path and `null` for data take no effect; `""` for data
    /// does; a list must not be empty.
    pub(super) fn effective(
        members: &Members<'_>,
        names: &[&'static str; 4],
    ) -> Result<Vec<Self>, PolicyError> {
        let [path, paths, data, datas] = *names;
        let mut sources = vec![];
        match members.string(path)? {
            "" => {}
            text => sources.push(Self::Path(text.into())),
        }
        if let Some(field) = members.find(paths) {
            sources.push(Self::Paths(entries(field.strings()?, members, paths)?));
        }
        if let Some(bytes) = members.bytes(data)? {
            sources.push(Self::Data(bytes));
        }
        if let Some(field) = members.find(datas) {
            sources.push(Self::Datas(entries(field.byte_strings()?, members, datas)?));
        }
        Ok(sources)
    }

    /// At most one of a path and of inline data, by effective value; `both` says what is wrong with
    /// two.
    pub(super) fn one(
        members: &Members<'_>,
        path: &str,
        data: &str,
        both: &'static str,
    ) -> Result<Option<Self>, PolicyError> {
        match (members.string(path)?, members.bytes(data)?) {
            ("", None) => Ok(None),
            (text, None) => Ok(Some(Self::Path(text.into()))),
            ("", Some(bytes)) => Ok(Some(Self::Data(bytes))),
            (_, Some(_)) => Err(PolicyError::CaSource {
                place: members.place(),
                rule: both,
            }),
        }
    }
}

fn entries<T>(
    list: Option<Vec<T>>,
    members: &Members<'_>,
    member: &'static str,
) -> Result<Vec<T>, PolicyError> {
    list.filter(|list| !list.is_empty())
        .ok_or_else(|| PolicyError::NoEntries {
            place: members.place(),
            member,
        })
}
