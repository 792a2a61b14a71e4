//! The files that a policy names.

use super::error::VerifyError;
use crate::error::Failure;
use crate::policy::KeySource;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// The content of every file that a policy names, or carries, in one member.
pub(super) fn files<'a>(
    source: &'a KeySource,
    assets: &'a BTreeMap<String, Vec<u8>>,
) -> Result<Vec<&'a [u8]>, Failure> {
    let file = |path: &String| {
        assets
            .get(path)
            .map(Vec::as_slice)
            .ok_or_else(|| Failure::from(VerifyError::KeyMissing { path: path.clone() }))
    };
    match source {
        KeySource::Path(path) => Ok(vec![file(path)?]),
        KeySource::Paths(paths) => paths.iter().map(file).collect(),
        KeySource::Data(data) => Ok(vec![data]),
        KeySource::Datas(list) => Ok(list.iter().map(Vec::as_slice).collect()),
    }
}
