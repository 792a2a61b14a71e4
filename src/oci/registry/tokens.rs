//! What token services gave, from one dialogue to the next: each for the repository and the
//! credentials that it was given for, until shortly before it ends.

use crate::keyed::Keyed;
use crate::limits;
use crate::shared::Shared;
use crate::time::UnixTime;
use alloc::string::String;
use core::fmt;

/// Seconds before its end from which on a token is not used: one request takes a while.
const MARGIN: i64 = 15;
/// Seconds that a token holds where its service says nothing (distribution, docs/spec/auth/token.md).
const USUAL: u64 = 60;
/// Seconds after which a service is asked again, whatever it said.
const LONGEST: u64 = 3_600;

/// What a registry was seen to take.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// The credentials themselves, which are not kept here.
    Basic,
    /// A token.
    Bearer(String),
}

/// Tokens of many repositories.
#[derive(Default)]
pub(crate) struct Tokens(Shared<Keyed<(Taken, UnixTime)>>);

/// How many, and never what they are.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.with(|kept| kept.len()))
    }
}

impl Tokens {
    pub(super) fn get(&self, whose: &str, now: UnixTime) -> Option<Taken> {
        self.0.with(|kept| match kept.get(whose) {
            Some((taken, until)) if now < *until => Some(taken.clone()),
            Some(_) => {
                kept.remove(whose);
                None
            }
            None => None,
        })
    }

    /// `seconds`: for which its service says that it holds.
    pub(super) fn keep(&self, whose: &str, taken: Taken, seconds: Option<u64>, now: UnixTime) {
        let seconds = seconds.unwrap_or(USUAL).min(LONGEST);
        let seconds = i64::try_from(seconds).unwrap_or(0).saturating_sub(MARGIN);
        let length = match &taken {
            Taken::Basic => 0,
            Taken::Bearer(token) => token.len(),
        };
        if seconds <= 0 || length > limits::KEPT_TOKEN {
            return;
        }
        let until = UnixTime(now.0.saturating_add(seconds));
        self.0.with(|kept| {
            if kept.len() >= limits::KEPT_TOKENS && !kept.contains(whose) {
                let first = kept.iter().min_by_key(|(_, (_, until))| *until);
                let first = first.map(|(whose, _)| String::from(whose));
                first.and_then(|whose| kept.remove(&whose));
            }
            kept.insert(whose, (taken, until));
        });
    }

    pub(super) fn forget(&self, whose: &str) {
        self.0.with(|kept| kept.remove(whose));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn bearer(text: &str) -> Taken {
        Taken::Bearer(text.into())
    }

    #[test]
    fn a_token_ends_before_its_service_says() {
        let tokens = Tokens::default();
        for (seconds, last) in [
            (Some(300), Some(284)),
            (None, Some(44)),
            (Some(u64::MAX), Some(3_584)),
            (Some(15), None),
            (Some(0), None),
        ] {
            tokens.forget("a");
            tokens.keep("a", bearer("t"), seconds, UnixTime(1_000));
            let at = |after: i64| tokens.get("a", UnixTime(1_000 + after)).is_some();
            assert_eq!(at(0), last.is_some(), "{seconds:?}");
            if let Some(last) = last {
                assert!(at(last) && !at(last + 1), "{seconds:?}");
            }
        }
        assert!(tokens.get("b", UnixTime(1_000)).is_none());
    }

    #[test]
    fn they_are_bounded_and_those_that_end_first_go() {
        let tokens = Tokens::default();
        for number in 0..limits::KEPT_TOKENS + 10 {
            let seconds = Some(100 + u64::try_from(number).unwrap());
            tokens.keep(&format!("{number}"), bearer("t"), seconds, UnixTime(0));
        }
        assert_eq!(
            format!("{tokens:?}"),
            format!("Tokens({})", limits::KEPT_TOKENS)
        );
        assert!(tokens.get("9", UnixTime(0)).is_none());
        assert!(tokens.get("10", UnixTime(0)).is_some());
        let long = "t".repeat(limits::KEPT_TOKEN + 1);
        tokens.keep("long", bearer(&long), None, UnixTime(0));
        assert!(tokens.get("long", UnixTime(0)).is_none());
    }
}
