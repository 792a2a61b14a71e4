//! The bindings: the only code that knows JavaScript. Nothing here is async and nothing decides.
//!
//! Options are read by hand, so that a wrong one gets a code; reports leave as plain objects. By
//! `wasm` a module has everything but the parts that other features add; by `wasm-arithmetic` it
//! checks signatures for modules that cannot.

#[cfg(feature = "wasm")]
mod answers;
#[cfg(feature = "wasm-arithmetic")]
mod arithmetic;
#[cfg(feature = "wasm")]
mod asks;
#[cfg(feature = "wasm")]
mod exports;
#[cfg(all(feature = "wasm", feature = "gateway"))]
mod gateway;
#[cfg(feature = "wasm")]
mod keys;
#[cfg(feature = "wasm")]
mod links;
#[cfg(feature = "wasm")]
mod options;
#[cfg(feature = "wasm")]
mod outside;
#[cfg(all(feature = "wasm", feature = "lint"))]
mod policy;
#[cfg(feature = "wasm")]
mod roots;
#[cfg(feature = "wasm")]
mod shapes;
#[cfg(feature = "wasm")]
mod tasks;
#[cfg(feature = "wasm")]
mod values;

#[cfg(feature = "wasm-arithmetic")]
pub use arithmetic::check_signature;
#[cfg(feature = "wasm")]
pub use exports::*;
#[cfg(all(feature = "wasm", feature = "gateway"))]
pub use gateway::{Gateway, start_gateway};
#[cfg(all(feature = "wasm", feature = "lint"))]
pub use policy::{policy_explain, policy_lint, start_policy_init};
#[cfg(feature = "wasm")]
pub use tasks::Task;
