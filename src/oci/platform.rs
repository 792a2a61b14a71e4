//! Platforms, and which image of an index is meant for one (OCI image specification,
//! image-index.md; the choice as containers/image makes it, `internal/pkg/platform`).

use crate::encoding::json::Node;
use crate::oci::error::OciError;
use crate::oci::fields::Fields;
use crate::oci::fields::shown;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

const MEMBERS: [&str; 6] = [
    "architecture",
    "os",
    "os.version",
    "os.features",
    "variant",
    "features",
];

/// What an image runs on, in Go's words for it (`linux`, `amd64`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Operating system; empty when an index does not say.
    pub os: String,
    /// Architecture; empty when an index does not say.
    pub architecture: String,
    /// Variant of the architecture, for instance `v7`.
    pub variant: Option<String>,
    /// Version of the operating system. As in containers/image it selects nothing.
    pub os_version: Option<String>,
    /// Demanded of the operating system. As in containers/image they select nothing.
    pub os_features: Vec<String>,
}

impl Platform {
    /// Reads `os/architecture` or `os/architecture/variant`.
    ///
    /// # Errors
    /// [`OciError::Platform`].
    pub fn parse(text: &str) -> Result<Self, OciError> {
        let wrong = || OciError::Platform { found: shown(text) };
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        if parts
            .iter()
            .any(|part| part.is_empty() || !part.bytes().all(letter))
        {
            return Err(wrong());
        }
        match parts.as_slice() {
            [os, architecture] => Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(wrong()),
        }
    }

    /// This platform; an empty variant is none.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let variant = variant
            .filter(|variant| !variant.is_empty())
            .map(Into::into);
        Self {
            os: os.into(),
            architecture: architecture.into(),
            variant,
            os_version: None,
            os_features: Vec::new(),
        }
    }

    pub(super) fn read(node: &Node) -> Result<Self, OciError> {
        let fields = Fields::of(node, "platform", &MEMBERS)?;
        Ok(Self {
            os: fields.text("os")?.unwrap_or_default(),
            architecture: fields.text("architecture")?.unwrap_or_default(),
            variant: fields.text("variant")?,
            os_version: fields.text("os.version")?,
            os_features: fields.texts("os.features")?,
        })
    }

    /// How well an image for `image` runs here: 0 is best, `None` not at all.
    pub(super) fn rank(&self, image: &Self) -> Option<usize> {
        let same = image.os == self.os && image.architecture == self.architecture;
        self.acceptable()
            .iter()
            .position(|variant| same && *variant == image.variant.as_deref())
    }

    /// The variants that run here, best first.
    fn acceptable(&self) -> Vec<Option<&str>> {
        let compatible: &[&str] = match self.architecture.as_str() {
            "arm" => &["v8", "v7", "v6", "v5"],
            "arm64" => &["v8"],
            _ => &[],
        };
        let Some(wanted) = self.variant.as_deref() else {
            return core::iter::once(None)
                .chain(compatible.iter().copied().map(Some))
                .collect();
        };
        match compatible.iter().position(|variant| *variant == wanted) {
            // Downwards from the one that was asked for, then images that name none.
            Some(first) => compatible
                .iter()
                .skip(first)
                .copied()
                .map(Some)
                .chain([None])
                .collect(),
            None => vec![Some(wanted), None],
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant
            .iter()
            .try_for_each(|variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;
    use alloc::string::ToString;

    #[test]
    fn text() {
        for text in ["linux/amd64", "linux/arm64/v8", "windows/amd64"] {
            assert_eq!(Platform::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "linux",
            "linux/",
            "/amd64",
            "linux/arm/v7/x",
            "linux/arm/",
            "linux /amd64",
            "linux/amd64\n",
        ] {
            assert_eq!(
                Platform::parse(text).unwrap_err().code(),
                "oci.platform",
                "{text}"
            );
        }
    }

    #[test]
    fn variants() {
        let rank = |wanted: &str, image: &str| {
            Platform::parse(wanted)
                .unwrap()
                .rank(&Platform::parse(image).unwrap())
        };
        for (wanted, image, expected) in [
            ("linux/amd64", "linux/amd64", Some(0)),
            ("linux/amd64", "linux/arm64", None),
            ("linux/amd64", "windows/amd64", None),
            ("linux/amd64", "linux/amd64/v3", None),
            ("linux/arm", "linux/arm", Some(0)),
            ("linux/arm", "linux/arm/v8", Some(1)),
            ("linux/arm", "linux/arm/v5", Some(4)),
            ("linux/arm/v6", "linux/arm/v7", None),
            ("linux/arm/v6", "linux/arm/v6", Some(0)),
            ("linux/arm/v6", "linux/arm/v5", Some(1)),
            ("linux/arm/v6", "linux/arm", Some(2)),
            ("linux/arm64", "linux/arm64/v8", Some(1)),
            ("linux/arm64/v8", "linux/arm64", Some(1)),
            ("linux/arm/odd", "linux/arm/odd", Some(0)),
            ("linux/arm/odd", "linux/arm", Some(1)),
            ("linux/arm/odd", "linux/arm/v5", None),
        ] {
            assert_eq!(rank(wanted, image), expected, "{wanted} {image}");
        }
    }
}
