//! What registries store and how it is named: manifests, indexes, layouts, tags (OCI image
//! specification 1.1, Docker image manifest 2.2).
//!
//! Nothing here verifies a signature. A [`Document`] says what its bytes say; who calls knows the
//! digest of those bytes.

pub mod error;
mod fields;
pub mod media_type;

pub mod descriptor;
pub mod platform;

pub mod index;
pub mod manifest;

pub mod document;
pub mod schema1;

pub mod layout;
pub mod tag;

pub mod url;

pub mod auth;

pub mod registry;

pub use descriptor::Descriptor;
pub use document::Document;
pub use error::OciError;
pub(crate) use fields::folded;
pub use index::Index;
pub use layout::Layout;
pub use manifest::Manifest;
pub use platform::Platform;

#[cfg(test)]
mod tests;
