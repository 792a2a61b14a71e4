//! **sealgate** decides whether a container image may run: digests, signatures and `policy.json`,
//! in a core that has no input or output, no clock and no threads.
//!
//! Bytes become a [`crypto::Pending`] claim (well-formed, says something, lists what must still
//! hold) and then a [`crypto::Verified`] one, made by `settle` alone. Policy sees only verified
//! claims. Everything from outside is reached through [`host::Host`].
//!
//! Modules import only those that stand above them here; `layers.rs` keeps it true.
#![no_std]

extern crate alloc;
// Lends the cdylib an allocator and a panic handler. Nothing but src/wasm names it: the thumbv7em
// build proves that.
#[cfg(not(target_os = "none"))]
extern crate std as _std;

#[macro_use]
pub mod error;
pub mod limits;
pub mod time;

pub mod encoding;

pub mod digest;

pub mod reference;

pub mod crypto;

pub mod host;

pub mod simple_signing;
pub mod tlog;
pub mod x509;

pub mod timestamp;

pub mod oci;
pub mod sigstore;

pub mod cosign;

pub mod policy;

pub mod verify;

#[cfg(feature = "gateway")]
pub mod gateway;

#[cfg(all(feature = "wasm", target_arch = "wasm32", target_os = "unknown"))]
pub mod wasm;

#[cfg(test)]
mod layers;
