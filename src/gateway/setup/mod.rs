//! `/setup` (docs/gateway.md "A plain mirror is advisory"): how clients are told to use this gateway,
//! so that they cannot fall back to the registry itself. By their own names for images, which
//! signatures and policies keep.

mod buildkit;
mod containerd;
mod containers;
mod docker;
mod guide;
mod hosts;
mod openshift;
mod overview;
mod place;
mod serve;

pub(super) use guide::{Guide, guide};
pub(super) use serve::serve;
