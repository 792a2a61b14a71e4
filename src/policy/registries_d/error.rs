//! Why a `registries.d` was refused, and where.

use alloc::string::String;

codes! {
    /// These files are no `registries.d`.
    pub enum RegistriesError {
        TooLarge { limit: usize, found: usize } => "registries-d.too-large",
            "registries.d: expected at most {limit} bytes in all files, found {found}";
        Utf8 { file: String } => "registries-d.utf8",
            "registries.d {file}: expected UTF-8 text, found something else";
        Yaml { file: String, line: usize, expected: &'static str, found: String } => "registries-d.yaml",
            "registries.d {file}, line {line}: expected {expected}, found {found:?}";
        Subset { file: String, line: usize, found: &'static str, instead: &'static str } => "registries-d.subset",
            "registries.d {file}, line {line}: {found} is YAML that is not read here, because \
             readers of YAML differ over it; {instead}";
        DuplicateKey { file: String, line: usize, key: String } => "registries-d.duplicate-key",
            "registries.d {file}, line {line}: {key:?} stands twice: keep one of the two";
        Type { file: String, line: usize, what: String, expected: &'static str } => "registries-d.type",
            "registries.d {file}, line {line}: expected {expected} as {what}, found something else";
        Depth { file: String, line: usize } => "registries-d.depth",
            "registries.d {file}, line {line}: nested deeper than 8 levels";
        Twice { scope: String, first: String, second: String } => "registries-d.twice",
            "registries.d: {scope:?} is defined both in {first:?} and {second:?}: keep one of the \
             two";
        /// Where podman copies simple signatures, one that cannot be read ends that.
        Part => "part.missing",
            "registries.d names a lookaside, whose signatures (OpenPGP) are no part of this build: \
             use one with the feature openpgp";
    }
}
