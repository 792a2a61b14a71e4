//! Alternatives: several claims of which one is enough, as one of these keys, or one of two issuers
//! of the same name.

use super::check::{Provider, SignatureError};
use super::pending::{Pending, Refused, Step, Verified};
use crate::error::{Failure, HostError};
use alloc::vec::Vec;

/// What was refused of several alternatives: the failure that says most, and the steps of all.
#[derive(Debug, Default)]
pub struct Refusals {
    /// The failure that says most, and how much it says.
    foremost: Option<(Failure, (u8, usize))>,
    steps: Vec<Step>,
}

impl Refusals {
    /// One more. A failure says more the further its verification came: by its kind's rank, then by
    /// its steps; of equals the first is kept.
    pub fn add(&mut self, refused: Refused) {
        let reach = (refused.failure.kind.rank(), refused.steps.len());
        if self
            .foremost
            .as_ref()
            .is_none_or(|(_, foremost)| reach > *foremost)
        {
            self.foremost = Some((refused.failure, reach));
        }
        self.steps.extend(refused.steps);
    }

    /// All of them as one; `none` where there was no alternative.
    pub fn into_refused(self, none: impl Into<Failure>) -> Refused {
        Refused {
            failure: self
                .foremost
                .map_or_else(|| none.into(), |(failure, _)| failure),
            steps: self.steps,
        }
    }
}

/// Settles alternatives one by one, each in turn ([`Pending::settle_in_turn`]): the first that holds
/// wins, and what comes after it is not looked at. Whoever makes the alternatives bounds them.
///
/// # Errors
/// [`HostError`] when the provider gave no answer: nothing is known then. Inside, the failure that
/// says most with the steps of all, or [`SignatureError::None`].
pub async fn first_to_settle<T, P: Provider>(
    alternatives: Vec<Result<Pending<T>, Refused>>,
    provider: &P,
) -> Result<Result<Verified<T>, Refused>, HostError> {
    let mut refusals = Refusals::default();
    for alternative in alternatives {
        let outcome = match alternative {
            Ok(pending) => pending.settle_in_turn(provider).await?,
            Err(refused) => Err(refused),
        };
        match outcome {
            Ok(verified) => return Ok(Ok(verified)),
            Err(refused) => refusals.add(refused),
        }
    }
    Ok(Err(refusals.into_refused(SignatureError::None)))
}
