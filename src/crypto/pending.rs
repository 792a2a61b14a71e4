//! Claims and facts.
//!
//! Leaving out a proof does not compile when a claim has a field for it, and nothing but
//! [`Pending::settle`] makes a [`Verified`]:
//!
//! ```compile_fail,E0451
//! let forged = sealgate::internals::crypto::Verified { claim: "the image may run", steps: Vec::new() };
//! ```
//!
//! ```compile_fail,E0616
//! fn peek(pending: sealgate::internals::crypto::Pending<u8>) -> u8 { pending.claim }
//! ```
//!
//! ```compile_fail,E0308
//! use sealgate::internals::crypto::Pending;
//! fn both(a: Pending<u8>, _b: Pending<u8>) -> Pending<(u8, u8)> { a }
//! ```

use super::check::{Message, Outcome, Provider, SignatureCheck, SignatureError};
use crate::error::{Failure, HostError};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::Poll;
#[cfg(feature = "arithmetic")]
use core::task::{Context, Waker};

/// A structural rule: its stable name, and what it demands in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Stable, for instance `digest.equals`.
    pub name: &'static str,
    /// For people.
    pub text: String,
}

impl Rule {
    /// A rule.
    pub fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            text: text.into(),
        }
    }
}

/// One step of a verification, in the order in which it was demanded. The list is the explanation.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A rule that held.
    Rule(Rule),
    /// A rule that did not.
    Broken(Rule),
    /// A proof that was not demanded, and why.
    Waived(Rule),
    /// A signature that is still to be checked.
    Open(Box<SignatureCheck>),
    /// A signature that was checked.
    Settled(Box<SignatureCheck>, Outcome),
    /// A link of a chain that was seen to hold before, and is remembered.
    Remembered(Box<SignatureCheck>),
}

/// Why a claim is none, and how far it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The code and message.
    pub failure: Failure,
    /// The steps up to there.
    pub steps: Vec<Step>,
}

impl Refused {
    /// Before any step.
    pub fn new(failure: impl Into<Failure>) -> Self {
        Self {
            failure: failure.into(),
            steps: Vec::new(),
        }
    }

    /// Puts what was verified before into the steps.
    pub(crate) fn after(mut self, mut steps: Vec<Step>) -> Self {
        steps.append(&mut self.steps);
        Self { steps, ..self }
    }
}

/// Well-formed, says something, and lists what must still hold. It cannot be looked into.
#[must_use]
#[derive(Debug)]
pub struct Pending<T> {
    claim: T,
    steps: Vec<Step>,
}

/// A claim whose every demand held. Made by [`Pending::settle`] alone.
#[derive(Debug)]
pub struct Verified<T> {
    claim: T,
    steps: Vec<Step>,
}

/// What a trust root may demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand<T> {
    /// It was demanded, and shown.
    Shown(T),
    /// It was not demanded.
    NotDemanded,
}

impl<T> Verified<T> {
    /// What was claimed.
    pub fn claim(&self) -> &T {
        &self.claim
    }

    /// Each step that led here.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Both hold: what had to be verified one after the other, because the second depends on what
    /// the first says.
    pub fn and<U>(mut self, other: Verified<U>) -> Verified<(T, U)> {
        self.steps.extend(other.steps);
        Verified {
            claim: (self.claim, other.claim),
            steps: self.steps,
        }
    }

    /// Says that a proof was not demanded, and why.
    pub(crate) fn note_waived(mut self, rule: Rule) -> Self {
        self.steps.push(Step::Waived(rule));
        self
    }

    /// Puts what was verified meanwhile into the steps.
    pub(crate) fn meanwhile(mut self, steps: &[Step]) -> Self {
        self.steps.extend_from_slice(steps);
        self
    }

    /// Tests a verified claim against what the caller wants of it. The rule enters the steps;
    /// failing it refuses.
    ///
    /// # Errors
    /// [`Refused`] with `f`'s failure.
    pub fn check<U>(
        mut self,
        rule: Rule,
        f: impl FnOnce(T) -> Result<U, Failure>,
    ) -> Result<Verified<U>, Refused> {
        match f(self.claim) {
            Ok(claim) => {
                self.steps.push(Step::Rule(rule));
                Ok(Verified {
                    claim,
                    steps: self.steps,
                })
            }
            Err(failure) => {
                self.steps.push(Step::Broken(rule));
                Err(Refused {
                    failure,
                    steps: self.steps,
                })
            }
        }
    }
}

impl<T> Pending<T> {
    /// A claim parsed from the very message whose signature is to be checked.
    ///
    /// # Errors
    /// [`Refused`] when the message does not say anything.
    pub fn read(
        check: SignatureCheck,
        parse: impl FnOnce(&Message) -> Result<T, Failure>,
    ) -> Result<Self, Refused> {
        let claim = parse(check.message());
        let steps = vec![Step::Open(Box::new(check))];
        match claim {
            Ok(claim) => Ok(Self { claim, steps }),
            Err(failure) => Err(Refused { failure, steps }),
        }
    }

    /// Both must hold.
    pub fn and<U>(mut self, other: Pending<U>) -> Pending<(T, U)> {
        self.steps.extend(other.steps);
        Pending {
            claim: (self.claim, other.claim),
            steps: self.steps,
        }
    }

    /// A structural rule on the claim; its name enters the report.
    ///
    /// # Errors
    /// [`Refused`] with `f`'s failure.
    pub fn check<U>(
        mut self,
        rule: Rule,
        f: impl FnOnce(T) -> Result<U, Failure>,
    ) -> Result<Pending<U>, Refused> {
        match f(self.claim) {
            Ok(claim) => {
                self.steps.push(Step::Rule(rule));
                Ok(Pending {
                    claim,
                    steps: self.steps,
                })
            }
            Err(failure) => {
                self.steps.push(Step::Broken(rule));
                Err(Refused {
                    failure,
                    steps: self.steps,
                })
            }
        }
    }

    /// Says that a proof was not demanded, and why.
    pub fn note_waived(mut self, rule: Rule) -> Self {
        self.steps.push(Step::Waived(rule));
        self
    }

    /// Has every open signature checked, all in flight at once.
    ///
    /// # Errors
    /// [`HostError`] when the provider gave no answer: nothing is known then. Inside, [`Refused`]
    /// when one fails, or when there was none to check.
    pub async fn settle<P: Provider>(
        self,
        provider: &P,
    ) -> Result<Result<Verified<T>, Refused>, HostError> {
        let steps = all(self
            .steps
            .into_iter()
            .map(|step| settle_step(step, provider)))
        .await;
        Ok(concluded(
            self.claim,
            steps.into_iter().collect::<Result<Vec<_>, HostError>>()?,
        ))
    }

    /// As [`Self::settle`], one after the other in the order in which they were demanded, up to the
    /// first that fails: where a later signature means nothing without the earlier one, it costs
    /// nothing either (docs/trust.md section 7).
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub async fn settle_in_turn<P: Provider>(
        self,
        provider: &P,
    ) -> Result<Result<Verified<T>, Refused>, HostError> {
        let (mut steps, mut holds) = (Vec::with_capacity(self.steps.len()), true);
        for step in self.steps {
            let step = if holds {
                settle_step(step, provider).await?
            } else {
                step
            };
            holds = holds && !matches!(step, Step::Settled(_, Outcome::Fails));
            steps.push(step);
        }
        Ok(concluded(self.claim, steps))
    }
}

/// A fact, if there was something to check and all of it held.
fn concluded<T>(claim: T, steps: Vec<Step>) -> Result<Verified<T>, Refused> {
    let failed = steps.iter().find_map(|step| match step {
        Step::Settled(check, Outcome::Fails) => Some(Failure::from(check.invalid())),
        Step::Broken(rule) => Some(Failure::new("internal", rule.text.clone())),
        Step::Open(check) => Some(Failure::from(check.invalid())),
        _ => None,
    });
    if let Some(failure) = failed {
        return Err(Refused { failure, steps });
    }
    if !steps
        .iter()
        .any(|step| matches!(step, Step::Settled(_, Outcome::Holds) | Step::Remembered(_)))
    {
        return Err(Refused {
            failure: SignatureError::None.into(),
            steps,
        });
    }
    Ok(Verified { claim, steps })
}

async fn settle_step<P: Provider>(step: Step, provider: &P) -> Result<Step, HostError> {
    Ok(match step {
        Step::Open(check) if provider.remembers(&check) => Step::Remembered(check),
        Step::Open(check) => {
            let outcome = provider.verify(&check).await?;
            Step::Settled(check, outcome)
        }
        other => other,
    })
}

/// What a future gives that waits for nothing, as with [`super::RustCrypto`].
///
/// # Errors
/// [`HostError::Provider`] when it waits.
#[cfg(feature = "arithmetic")]
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Result<T, HostError> {
    match core::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(HostError::Provider {
            reason: "it did not answer at once".into(),
        }),
    }
}

/// A future while it runs, then its output.
type Slot<F> = (Option<Pin<Box<F>>>, Option<<F as Future>::Output>);

/// Drives all futures at once; results in order.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut slots: Vec<Slot<F>> = futures
        .map(|future| (Some(Box::pin(future)), None))
        .collect();
    poll_fn(|context| {
        for (future, output) in &mut slots {
            if let Some(Poll::Ready(value)) =
                future.as_mut().map(|future| future.as_mut().poll(context))
            {
                *output = Some(value);
                *future = None;
            }
        }
        if slots.iter().all(|(future, _)| future.is_none()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    slots.into_iter().filter_map(|(_, output)| output).collect()
}
