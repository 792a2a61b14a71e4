//! Trusted roots that were read before. Reading one verifies every chain in it, which takes longer
//! than all else about a bundle (measured: ten times); what is kept is the verified root, by the
//! very bytes that were given.

use super::outside::Outside;
use crate::digest::Digest;
use crate::verify::{NamedRoot, RulesError};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

/// A program asks under one or two.
const KEPT: usize = 4;

/// Which root, and what came of it.
type Known = (String, NamedRoot);

_std::thread_local! {
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// One of those that this program carries.
///
/// # Errors
/// [`RulesError::Root`].
pub(super) async fn embedded(name: &str, remote: &Outside<'_>) -> Result<NamedRoot, RulesError> {
    known(name, NamedRoot::embedded_by(name, remote)).await
}

/// One that was given.
///
/// # Errors
/// [`RulesError::Root`].
pub(super) async fn given(bytes: &[u8], remote: &Outside<'_>) -> Result<NamedRoot, RulesError> {
    let key = alloc::format!("{}", Digest::of(bytes));
    known(&key, NamedRoot::read_by("that was given", bytes, remote)).await
}

async fn known(
    key: &str,
    read: impl Future<Output = Result<NamedRoot, RulesError>>,
) -> Result<NamedRoot, RulesError> {
    if let Some(root) = KNOWN.with_borrow(|known| {
        known
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, root)| root.clone())
    }) {
        return Ok(root);
    }
    let root = read.await?;
    KNOWN.with_borrow_mut(|known| {
        known.truncate(KEPT - 1);
        known.insert(0, (key.into(), root.clone()));
    });
    Ok(root)
}
