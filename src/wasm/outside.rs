//! What a job asks. In modules with the gateway that is the same as there, without a bound: what
//! verifies is compiled once, and not for two kinds of hosts (26 KB on the wire).

use crate::host::Remote;

#[cfg(feature = "gateway")]
use crate::gateway::{Budget, Counters};

#[cfg(feature = "gateway")]
pub(super) type Outside<'a> = Budget<'a, Remote>;
#[cfg(not(feature = "gateway"))]
pub(super) type Outside<'a> = Remote;

/// What `work` gives, which asks through `remote`.
#[cfg(feature = "gateway")]
pub(super) async fn ask<T>(remote: &Remote, work: impl AsyncFnOnce(&Outside<'_>) -> T) -> T {
    work(&Budget::unbounded(remote, &Counters::default())).await
}

/// What `work` gives, which asks through `remote`.
#[cfg(not(feature = "gateway"))]
pub(super) async fn ask<T>(remote: &Remote, work: impl AsyncFnOnce(&Outside<'_>) -> T) -> T {
    work(remote).await
}
