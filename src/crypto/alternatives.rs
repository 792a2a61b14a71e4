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
    foremost: Option<(Failure, (usize, u8))>,
    steps: Vec<Step>,
}

impl Refusals {
    /// One more. A failure says more the further its verification came: by its steps, then by its
    /// kind's rank; of equals the first is kept.
    pub fn add(&mut self, refused: Refused) {
        let reach = (refused.steps.len(), refused.failure.kind.rank());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{KeyError, Rule};
    use alloc::vec;

    fn refused(failure: impl Into<Failure>, steps: usize) -> Refused {
        let rule = || Step::Rule(Rule::new("digest.equals", "a step"));
        Refused {
            steps: (0..steps).map(|_| rule()).collect(),
            ..Refused::new(failure)
        }
    }

    fn told(all: Vec<Refused>) -> (&'static str, usize) {
        let mut refusals = Refusals::default();
        all.into_iter().for_each(|one| refusals.add(one));
        let refused = refusals.into_refused(KeyError::None);
        (refused.failure.code, refused.steps.len())
    }

    #[test]
    fn what_came_furthest_is_told_and_the_steps_of_all_are_kept() {
        let invalid = |key: &str, steps| {
            let (scheme, key) = (crate::crypto::Scheme::Ed25519, key.into());
            refused(SignatureError::Invalid { scheme, key }, steps)
        };
        let other = |steps| refused(KeyError::Der, steps);
        assert_eq!(told(Vec::new()), ("key.none", 0));
        // By steps, whichever comes first and whatever its kind.
        assert_eq!(told(vec![other(3), invalid("a", 1)]), ("key.der", 4));
        assert_eq!(told(vec![invalid("a", 1), other(3)]), ("key.der", 4));
        // Then by kind.
        assert_eq!(
            told(vec![other(1), invalid("a", 1)]),
            ("signature.invalid", 2)
        );
        // Then the first.
        let mut refusals = Refusals::default();
        refusals.add(invalid("the first", 1));
        refusals.add(invalid("the second", 1));
        let message = refusals.into_refused(KeyError::None).failure.message;
        assert!(message.contains("the first"), "{message}");
    }
}
