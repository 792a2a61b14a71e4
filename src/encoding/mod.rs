//! Encodings, each with one spelling unless the facts say that a peer reads more: base64,
//! hexadecimal, JSON, PEM, and what a JSON number is.

pub mod base64;
pub mod hex;
pub mod json;
pub mod number;
pub mod pem;
