//! What is known besides the policy.

use crate::policy::registries_d::RegistriesD;
use crate::reference::Reference;
use crate::time::UnixTime;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Keys and certificates that expire within so many seconds are said.
pub(super) const SOON: i64 = 30 * 86_400;

/// What is known besides the policy. What is absent is not linted about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The files that the policy names, by the names that it writes.
    pub assets: Option<&'a BTreeMap<String, Vec<u8>>>,
    /// Now.
    pub now: Option<UnixTime>,
    /// Images that are pulled under this policy.
    pub images: &'a [KnownImage],
    /// The `registries.d` that is in force.
    pub registries: Option<&'a RegistriesD>,
    /// Whether this is a user's own policy, which stands in place of the system's.
    pub is_user_policy: bool,
}

/// An image that is pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownImage {
    /// Its name.
    pub name: Reference,
    /// Whether the name means an index.
    pub is_index: bool,
}
