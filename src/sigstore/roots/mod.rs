//! The trusted roots that this program carries. `make fixtures` takes them from a pinned package (`roots.json` says which),
//! and never from the network: their date is shown in every verdict under them.

/// A root as it was on a day.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// The `trusted_root.json`.
    pub bytes: &'static [u8],
    /// The day, as in 2026-10-21.
    pub date: &'static str,
}

/// `public-good`, `staging` or `github`.
pub fn named(name: &str) -> Option<Embedded> {
    Some(match name {
        "public-good" => Embedded { bytes: include_bytes!("public-good.json"), date: "TBD" },
        "staging" => Embedded { bytes: include_bytes!("staging.json"), date: "TBD" },
        "github" => Embedded { bytes: include_bytes!("github.json"), date: "TBD" },
        _ => return None,
    })
}
