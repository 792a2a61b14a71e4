//! Why content does not go out.

use crate::error::Failure;
use crate::oci::registry::RegistryError;

/// Why content does not go out.
#[derive(Debug)]
pub(super) enum Stop {
    /// Refused by the rules.
    Denied(Failure),
    /// Could not find out.
    Unknown(Failure),
    /// The upstream's own answer.
    Upstream(RegistryError),
    /// The upstream does not have it.
    Missing,
}

impl Stop {
    /// Refused for this reason.
    pub(super) fn denied(reason: impl Into<Failure>) -> Self {
        Self::Denied(reason.into())
    }

    /// Nothing that is allowed leads here.
    pub(super) fn not_linked() -> Self {
        Self::Denied(Failure::new(
            "gateway.not-linked",
            "no allowed image of this repository lists it: pull the manifest again",
        ))
    }

    /// Itself, if it leaves the question open: what is missing or refused answers it.
    pub(super) fn if_open(self) -> Option<Self> {
        matches!(self, Self::Unknown(_) | Self::Upstream(_)).then_some(self)
    }

    /// Code and message, for the log.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Denied(failure) | Self::Unknown(failure) => failure,
            Self::Upstream(error) => error.into(),
            Self::Missing => {
                Failure::new("image.not-found", "the upstream registry does not have it")
            }
        }
    }
}

impl From<RegistryError> for Stop {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Digest(error) => Self::Denied(error.into()),
            other => Self::Upstream(other),
        }
    }
}
