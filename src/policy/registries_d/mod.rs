//! `registries.d`: where simple signatures are kept, and whether `.sig` tags are looked at
//! (containers-registries.d(5); docs/containers-image.md section 7).
//!
//! In scope: several files as one, and what holds for an image. The code of containers/image
//! decides, not its manual: a setting that a section leaves open is looked for in the less specific
//! ones, each by itself. Out of scope: finding the folder, and fetching.
//!
//! Files are read by `yaml`, which knows a part of YAML and refuses the rest.

mod error;
mod yaml;

#[cfg(test)]
mod tests;

pub use error::RegistriesError;

#[cfg(not(feature = "openpgp"))]
use super::Policy;
use super::scope;
use super::scope::IdentityError;
use crate::keyed::Keyed;
use crate::limits;
use crate::reference::Reference;
use alloc::string::String;
use alloc::vec::Vec;
use yaml::Yaml;

/// All files of a folder, merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistriesD {
    pub(super) default: Option<Section>,
    pub(super) docker: Keyed<Section>,
    /// Files whose names do not end in `.yaml`: they are not read.
    pub(super) ignored: Vec<String>,
}

/// What one scope says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub file: String,
    pub lookaside: Option<Setting>,
    pub lookaside_staging: Option<Setting>,
    /// The older names.
    pub sigstore: Option<Setting>,
    pub sigstore_staging: Option<Setting>,
    pub use_sigstore_attachments: Option<bool>,
}

/// A text, and the byte of its file at which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub text: String,
    pub at: usize,
}

/// Where the signatures of an image are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Whether `.sig` tags are looked at.
    pub use_sigstore_attachments: bool,
    /// The base of simple signatures; `None` is the built-in folder of containers/image.
    pub lookaside: Option<String>,
}

/// Where the signatures of an image of `docker:` are. Without any `registries.d`, `.sig` tags are
/// looked at everywhere (docs/trust.md section 1); containers/image would not.
///
/// # Errors
/// [`IdentityError::TagAndDigest`].
pub fn storage(
    registries: Option<&RegistriesD>,
    image: &Reference,
) -> Result<Storage, IdentityError> {
    let Some(registries) = registries else {
        return Ok(Storage {
            use_sigstore_attachments: true,
            lookaside: None,
        });
    };
    let image = image.clone().with_default_tag();
    let identity = scope::docker_identity(&image)?;
    let namespaces = scope::docker_namespaces(&image);
    Ok(registries
        .lookup(core::iter::once(identity.as_str()).chain(namespaces.iter().map(String::as_str))))
}

impl RegistriesD {
    /// Reads the files of a folder, by their names. Only those that end in `.yaml` count.
    ///
    /// # Errors
    /// [`RegistriesError`]: a file that cannot be understood, or the same scope in two of them.
    pub fn parse<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, RegistriesError> {
        let mut merged = Self::default();
        let mut total = 0_usize;
        for (file, bytes) in files {
            if !file.ends_with(".yaml") {
                merged.ignored.push(file.into());
                continue;
            }
            total = total.saturating_add(bytes.len());
            if total > limits::REGISTRIES_D {
                return Err(RegistriesError::TooLarge {
                    limit: limits::REGISTRIES_D,
                    found: total,
                });
            }
            merged.add(file, &yaml::parse(file, bytes)?)?;
        }
        Ok(merged)
    }

    fn add(&mut self, file: &str, document: &Yaml<'_>) -> Result<(), RegistriesError> {
        // Unknown keys are ignored, at every level.
        let twice = |scope: &str, first: &str| RegistriesError::Twice {
            scope: scope.into(),
            first: first.into(),
            second: file.into(),
        };
        for member in document.members(file, "the document")? {
            match member.key.as_str() {
                // `null` is as if the key were absent.
                "default-docker" if !member.value.is_null() => {
                    let section = Section::read(file, &member.value)?;
                    if let Some(first) = self.default.replace(section) {
                        return Err(twice("default-docker", &first.file));
                    }
                }
                "docker" => {
                    for scope in member.value.members(file, "docker")? {
                        let section = Section::read(file, &scope.value)?;
                        if let Some(first) = self.docker.insert(scope.key.as_str(), section) {
                            return Err(twice(&scope.key, &first.file));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether signatures may have to be fetched from a lookaside, one that is no folder: of a
    /// plain policy whatever it demands, as podman does.
    #[cfg(not(feature = "openpgp"))]
    pub(crate) fn needs_openpgp(&self, policy: &Policy) -> bool {
        if policy.is_extended() {
            return false;
        }
        let mut sections = self.docker.values().chain(&self.default);
        sections.any(|section| {
            let names = [&section.lookaside, &section.sigstore];
            let mut names = names.into_iter().flatten();
            names.any(|setting| !setting.text.starts_with("file:"))
        })
    }

    /// By scopes, most specific first; then `default-docker`.
    pub(super) fn lookup<'a>(&self, scopes: impl Iterator<Item = &'a str>) -> Storage {
        let mut storage = (None, None);
        for section in scopes
            .filter_map(|scope| self.docker.get(scope))
            .chain(&self.default)
        {
            storage.0 = storage.0.or(section.use_sigstore_attachments);
            storage.1 = storage
                .1
                .or(section.lookaside.as_ref().or(section.sigstore.as_ref()));
        }
        Storage {
            use_sigstore_attachments: storage.0.unwrap_or(false),
            lookaside: storage.1.map(|setting| setting.text.clone()),
        }
    }
}

impl Section {
    fn read(file: &str, value: &Yaml<'_>) -> Result<Self, RegistriesError> {
        let mut section = Self {
            file: file.into(),
            ..Self::default()
        };
        for member in value.members(file, "a section")? {
            let text = || {
                member.value.text(file, &member.key).map(|found| {
                    found.map(|(text, at)| Setting {
                        text: text.into(),
                        at,
                    })
                })
            };
            match member.key.as_str() {
                "lookaside" => section.lookaside = text()?,
                "lookaside-staging" => section.lookaside_staging = text()?,
                "sigstore" => section.sigstore = text()?,
                "sigstore-staging" => section.sigstore_staging = text()?,
                "use-sigstore-attachments" => {
                    section.use_sigstore_attachments = member.value.boolean(file, &member.key)?
                }
                _ => {}
            }
        }
        Ok(section)
    }
}
