//! Several claims: alternatives, of which one is enough, as one of these keys, or one of two issuers
//! of the same name; and two that both must hold.

use super::check::{Provider, SignatureError};
use super::pending::{Pending, Refused, Step, Verified};
use crate::error::{Failure, HostError};
use alloc::vec::Vec;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

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

/// Settles two claims that both must hold, and of which neither rests on the other, at once. They are
/// told in order: whatever becomes of the second, where the first is refused it is the first that is
/// told, and what waits for nothing is not begun then.
///
/// # Errors
/// [`HostError`] of the first, or of the second where the first holds. Inside, why the first is
/// refused; beside the first that holds, what became of the second.
pub(crate) async fn both<A, B>(
    first: impl Future<Output = Result<Result<A, Refused>, HostError>>,
    second: impl Future<Output = Result<Result<B, Refused>, HostError>>,
) -> Result<Result<(A, Result<B, Refused>), Refused>, HostError> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut held, mut other) = (None, None);
    poll_fn(|context| {
        if held.is_none() {
            match first.as_mut().poll(context) {
                Poll::Ready(Ok(Ok(claim))) => held = Some(claim),
                Poll::Ready(Ok(Err(refused))) => return Poll::Ready(Ok(Err(refused))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        if other.is_none()
            && let Poll::Ready(outcome) = second.as_mut().poll(context)
        {
            other = Some(outcome);
        }
        match (held.take(), other.take()) {
            (Some(claim), Some(outcome)) => {
                Poll::Ready(outcome.map(|outcome| Ok((claim, outcome))))
            }
            (claim, outcome) => {
                (held, other) = (claim, outcome);
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{KeyError, Rule};
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use core::task::{Context, Waker};

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

    type Settled = Result<Result<u8, Refused>, HostError>;

    fn refuses() -> Settled {
        Ok(Err(Refused::new(SignatureError::None)))
    }

    fn breaks() -> Settled {
        let reason = "it broke".into();
        Err(HostError::Provider { reason })
    }

    /// What is given after so many turns of others.
    async fn after(turns: usize, outcome: Settled) -> Settled {
        let mut left = turns;
        poll_fn(|_| match left.checked_sub(1) {
            None => Poll::Ready(()),
            Some(fewer) => {
                left = fewer;
                Poll::Pending
            }
        })
        .await;
        outcome
    }

    fn told_of_both(outcomes: [fn() -> Settled; 2], turns: [usize; 2]) -> String {
        let [first, second] = outcomes;
        let mut both = pin!(both(after(turns[0], first()), after(turns[1], second())));
        let mut context = Context::from_waker(Waker::noop());
        let settled = (0..9).find_map(|_| match both.as_mut().poll(&mut context) {
            Poll::Ready(settled) => Some(settled),
            Poll::Pending => None,
        });
        match settled.unwrap() {
            Err(_) => "nothing is known".into(),
            Ok(Err(refused)) => format!("first {}", refused.failure.code),
            Ok(Ok((first, Err(refused)))) => format!("{first}, then {}", refused.failure.code),
            Ok(Ok((first, Ok(second)))) => format!("{first}, then {second}"),
        }
    }

    /// Whichever of two is done first.
    #[test]
    fn two_are_told_in_order() {
        let one: fn() -> Settled = || Ok(Ok(1));
        let two: fn() -> Settled = || Ok(Ok(2));
        for (outcomes, told) in [
            ([one, two], "1, then 2"),
            ([one, refuses], "1, then signature.none"),
            ([refuses, two], "first signature.none"),
            ([refuses, refuses], "first signature.none"),
            ([refuses, breaks], "first signature.none"),
            ([breaks, refuses], "nothing is known"),
            ([one, breaks], "nothing is known"),
        ] {
            for turns in [[0, 0], [2, 0], [0, 2], [1, 2]] {
                assert_eq!(told_of_both(outcomes, turns), told, "{turns:?}");
            }
        }
    }

    /// In pure Rust the second costs nothing where the first fails.
    #[test]
    fn the_second_of_two_is_not_begun_where_the_first_has_failed() {
        for first in [refuses, breaks] {
            let never = async { panic!("it was begun") };
            let mut both = pin!(both::<u8, u8>(after(0, first()), never));
            let mut context = Context::from_waker(Waker::noop());
            let settled = both.as_mut().poll(&mut context);
            assert!(!matches!(settled, Poll::Ready(Ok(Ok(_))) | Poll::Pending));
        }
    }
}
