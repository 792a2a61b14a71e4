//! Encodings, each with one spelling unless a peer reads more (docs/containers-image.md section
//! 1.1): base64, DER, hexadecimal, JSON, PEM, what a JSON number is, and reports as JSON.

pub mod base64;
pub(crate) mod der;
pub mod hex;
pub mod json;
pub mod number;
pub mod pem;
pub mod plain;
