//! The trusted roots that this program carries. `make fixtures` takes them from a pinned package
//! (`roots.json` says which), and never from the network: their date is shown in every verdict
//! under them.

/// A root as it was on a day.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// `public-good`, `staging` or `github`.
    pub name: &'static str,
    /// The `trusted_root.json`.
    pub bytes: &'static [u8],
    /// The day, as in 2026-10-21.
    pub date: &'static str,
}

/// The day of all three, from `roots.json`.
pub const DATE: &str = "2026-10-23";

/// `public-good`, `staging` or `github`.
pub fn named(name: &str) -> Option<Embedded> {
    Some(match name {
        "public-good" => Embedded {
            name: "public-good",
            bytes: include_bytes!("public-good.json"),
            date: DATE,
        },
        "staging" => Embedded {
            name: "staging",
            bytes: include_bytes!("staging.json"),
            date: DATE,
        },
        "github" => Embedded {
            name: "github",
            bytes: include_bytes!("github.json"),
            date: DATE,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::json::{self, Dialect, Node};
    use crate::sigstore::trusted_root::TrustedRoot;

    #[test]
    fn each_loads_and_has_the_date_of_its_package() {
        let origins = json::parse(include_bytes!("roots.json"), Dialect::Strict).unwrap();
        for name in ["public-good", "staging", "github"] {
            let root = named(name).unwrap();
            assert_eq!(
                origins
                    .member(name)
                    .and_then(|origin| origin.member("date"))
                    .and_then(Node::as_str),
                Some(root.date),
                "{name}"
            );
            let loaded = TrustedRoot::load(root.bytes).unwrap().unwrap();
            assert!(!loaded.authorities().is_empty(), "{name}");
        }
        assert!(named("other").is_none());
    }
}
