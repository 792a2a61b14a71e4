//! Cosign's short names of predicate types (sigstore/cosign `cmd/cosign/cli/options/predicate.go`).

use alloc::string::String;

codes! {
    /// This is no predicate type.
    pub enum PredicateError {
        Unknown { found: String } => "predicate.unknown",
            "expected a predicate type as a URI, or one of slsaprovenance, slsaprovenance02, \
             slsaprovenance1, link, spdx, spdxjson, cyclonedx, vuln, openvex and custom, found \
             {found:?}";
    }
}

const NAMES: [(&str, &str); 10] = [
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
];

/// The type that a name stands for, or the URI itself.
///
/// # Errors
/// [`PredicateError`].
pub fn predicate_type(name: &str) -> Result<&str, PredicateError> {
    if let Some((_, uri)) = NAMES.iter().find(|(short, _)| *short == name) {
        return Ok(uri);
    }
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    match name.split_once(':') {
        Some((scheme, rest))
            if is_scheme(scheme) && !rest.is_empty() && !name.contains(char::is_whitespace) =>
        {
            Ok(name)
        }
        _ => Err(PredicateError::Unknown {
            found: name.chars().take(100).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_uris() {
        assert_eq!(
            predicate_type("slsaprovenance1").unwrap(),
            "https://slsa.dev/provenance/v1"
        );
        assert_eq!(
            predicate_type("https://example.com/x").unwrap(),
            "https://example.com/x"
        );
        for wrong in [
            "",
            "Custom",
            "slsa",
            "example.com/x",
            "https:",
            ":x",
            "1:x",
            "a b:c",
            "https://a b",
        ] {
            assert!(predicate_type(wrong).is_err(), "{wrong}");
        }
    }
}
