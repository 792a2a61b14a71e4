//! Keys, checks of signatures, and the one way by which a claim becomes a fact.
//!
//! A verifier first says what must be true ([`SignatureCheck`]s inside a [`Pending`] claim) and
//! then has it checked ([`Pending::settle`]) by a [`Provider`]. Keys and signatures are parsed and
//! normalised here before any provider sees them. This is the only module that names the crates of
//! RustCrypto's signatures.

mod alternatives;
mod check;
mod key;
mod links;
mod pending;
mod private;
#[cfg(feature = "arithmetic")]
mod rust_crypto;

#[cfg(all(test, feature = "arithmetic"))]
mod tests;

pub(crate) use alternatives::both;
pub use alternatives::{Refusals, first_to_settle};
pub use check::{
    EcdsaForm, Hash, Message, Outcome, Provider, Role, Scheme, SignatureCheck, SignatureError,
};
pub use key::{Curve, KeyError, KeyKind, PublicKey};
pub use links::{Links, Remembering};
#[cfg(feature = "arithmetic")]
pub(crate) use pending::at_once;
pub use pending::{Demand, Pending, Refused, Rule, Step, Verified};
pub use private::holds_private_key;
#[cfg(feature = "arithmetic")]
pub use rust_crypto::RustCrypto;
