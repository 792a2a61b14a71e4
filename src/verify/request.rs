//! What is to be verified: an image as a person wrote it, and the name to judge it by.

use super::rules::Rules;
#[cfg(feature = "openpgp")]
use super::simple::DIR_TAG;
use crate::digest::Digest;
use crate::error::Failure;
use crate::oci::Platform;
use crate::policy::scope::IdentityError;
use crate::reference::{Grammar, Reference, ReferenceError};
use crate::time::UnixTime;
use alloc::string::{String, ToString};

/// What is to be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    shown: String,
    /// Where to ask; with a tag or a digest.
    at: Reference,
    /// The name to judge by.
    name: Reference,
    platform: Option<Platform>,
    time: UnixTime,
}

codes! {
    /// This cannot be verified under that name.
    pub enum RequestError {
        OtherDigest => "argument",
            "the name to judge by has a digest, and the image was not asked for by this digest: \
             leave it out, or ask for the image by it";
    }
}

impl Request {
    /// An image by its reference as a person writes it, to be judged by `judged_as`, or by its own
    /// name, at the time `time`.
    ///
    /// Without tag and digest, `latest` is meant; a name to judge by takes the tag or the digest
    /// that was asked for. Only policies are bound to the names that containers/image can write,
    /// and to either a tag or a digest (docs/containers-image.md section 1.1).
    ///
    /// # Errors
    /// The codes of [`ReferenceError`]; [`IdentityError::TagAndDigest`], [`RequestError`].
    pub fn parse(
        reference: &str,
        judged_as: Option<&str>,
        rules: &Rules,
        time: UnixTime,
    ) -> Result<Self, Failure> {
        let at = Reference::normalize(reference, Grammar::Distribution)?.with_default_tag();
        let name = match (judged_as, rules) {
            (None, Rules::Direct(_)) => at.clone(),
            _ => Self::name_in_policy(reference, judged_as)?,
        };
        if let (Rules::Policy(_), Some(both)) = (rules, [&at, &name].into_iter().find(has_both)) {
            let reference = both.clone();
            return Err(IdentityError::TagAndDigest { reference }.into());
        }
        if name.digest().is_some() && name.digest() != at.digest() {
            return Err(RequestError::OtherDigest.into());
        }
        Ok(Self {
            shown: reference.into(),
            at,
            name,
            platform: None,
            time,
        })
    }

    /// The name by which a policy judges an image that is asked for by this reference.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn name_in_policy(
        reference: &str,
        judged_as: Option<&str>,
    ) -> Result<Reference, ReferenceError> {
        match judged_as {
            Some(text) => {
                let at = Reference::normalize(reference, Grammar::Distribution)?;
                named(text, &at.with_default_tag())
            }
            None => Ok(Reference::normalize(reference, Grammar::Containers)?.with_default_tag()),
        }
    }

    /// An image that is judged by the very name by which it is asked for.
    pub fn of(name: Reference, time: UnixTime) -> Self {
        let name = name.with_default_tag();
        Self {
            shown: name.to_string(),
            at: name.clone(),
            name,
            platform: None,
            time,
        }
    }

    /// An image of the transport `dir:`. It has no name: what stands for one here is neither shown
    /// nor judged by ([`Rules::of_dir`]).
    ///
    /// # Errors
    /// Never: what stands for a name is one.
    #[cfg(feature = "openpgp")]
    pub fn of_dir(path: &str, time: UnixTime) -> Result<Self, Failure> {
        let stand_in = alloc::format!("localhost/dir:{DIR_TAG}");
        let name = Reference::normalize(&stand_in, Grammar::Containers)?;
        Ok(Self {
            shown: alloc::format!("dir:{path}"),
            ..Self::of(name, time)
        })
    }

    /// Of an index, only what could run on this platform.
    #[must_use]
    pub fn on(self, platform: Platform) -> Self {
        Self {
            platform: Some(platform),
            ..self
        }
    }

    /// As a person wrote it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Where to ask.
    pub fn at(&self) -> &Reference {
        &self.at
    }

    /// The name to judge by.
    pub fn name(&self) -> &Reference {
        &self.name
    }

    /// When.
    pub fn time(&self) -> UnixTime {
        self.time
    }

    pub(super) fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// The digest that the bytes must have, where one was asked for.
    pub(super) fn pinned(&self) -> Option<&Digest> {
        self.at.digest()
    }

    /// The digest or tag to ask the registry for.
    pub(super) fn reference(&self) -> String {
        match self.at.digest() {
            Some(digest) => digest.to_string(),
            None => self.at.tag().unwrap_or("latest").into(),
        }
    }
}

fn has_both(reference: &&Reference) -> bool {
    reference.tag().is_some() && reference.digest().is_some()
}

/// A name without tag and digest takes those that were asked for.
fn named(text: &str, at: &Reference) -> Result<Reference, ReferenceError> {
    let name = Reference::normalize(text, Grammar::Containers)?;
    if !name.is_bare() {
        return Ok(name);
    }
    Ok(
        match (at.digest(), at.tag().and_then(|tag| name.with_tag(tag))) {
            (Some(digest), _) => name.with_digest(digest.clone()),
            (None, Some(tagged)) => tagged,
            (None, None) => name.with_default_tag(),
        },
    )
}
