//! Ten seconds, within which nothing changes by time alone: what a gateway said in them need not be
//! made again.

use super::log::Decided;
use crate::keyed::Keyed;
use crate::limits;
use crate::time::UnixTime;
use alloc::string::String;
use alloc::vec::Vec;

const SECONDS: i64 = 10;

/// By what a gateway's memory counts time. What is remembered ends with the last moment before the
/// one in which its time is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub i64);

impl Moment {
    pub(super) fn of(time: UnixTime) -> Self {
        Self(time.0.div_euclid(SECONDS))
    }

    /// Whether what ends at that time still holds, now and until this moment is over.
    pub(super) fn is_before(self, end: UnixTime) -> bool {
        self < Self::of(end)
    }
}

/// What both steps ([`super::lines`]) said in this moment: the same question, with the same digest of
/// the upstream, has the same answer until the next one begins, the log's line included. Who asks is
/// no part of a question: the upstream lets each request in by itself.
#[derive(Debug, Default)]
pub(super) struct SaidNow {
    moment: Moment,
    said: Keyed<Said>,
    bytes: usize,
}

#[derive(Debug)]
struct Said {
    /// Lines: the address, then a name and a value for each header but the authorization.
    head: String,
    /// The digest, the answer, and what was decided.
    answer: Option<(String, Vec<u8>, Decided)>,
}

impl SaidNow {
    /// What was said in this moment.
    pub(super) fn within(&mut self, moment: Moment) -> &mut Self {
        if moment != self.moment {
            *self = Self {
                moment,
                ..Self::default()
            };
        }
        self
    }

    /// What is asked of the upstream first, but for the authorization.
    pub(super) fn head(&self, question: &str) -> Option<&str> {
        self.said.get(question).map(|said| said.head.as_str())
    }

    /// Keeps it, where there is room.
    pub(super) fn keep_head(&mut self, question: &str, head: &str) {
        if self.has_room(question.len().saturating_add(head.len())) {
            let said = Said {
                head: head.into(),
                answer: None,
            };
            self.said.insert(question, said);
        }
    }

    /// The answer, where this address was asked and had this digest.
    pub(super) fn answer(
        &self,
        question: &str,
        asked: &str,
        digest: &str,
    ) -> Option<(&[u8], Decided)> {
        let said = self.said.get(question)?;
        let is_asked = said.head.split('\n').next() == Some(asked);
        let (known, answer, decided) = said.answer.as_ref().filter(|_| is_asked)?;
        (known == digest).then_some((answer, *decided))
    }

    /// Keeps it, where there is room.
    pub(super) fn keep_answer(
        &mut self,
        question: &str,
        digest: String,
        answer: &[u8],
        decided: Decided,
    ) {
        if self.has_room(answer.len())
            && let Some(said) = self.said.get_mut(question)
        {
            said.answer = Some((digest, answer.into(), decided));
        }
    }

    /// Whether there is room for so many bytes more, which are counted then.
    fn has_room(&mut self, bytes: usize) -> bool {
        let all = self.bytes.saturating_add(bytes);
        let fits = all <= limits::KEPT_MOMENT;
        if fits {
            self.bytes = all;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::log::Resolution;
    use alloc::format;

    /// Whoever asks for much fills one moment, up to its bound, and takes nothing from the next.
    #[test]
    fn a_moment_has_a_bound_and_ends() {
        let mut now = SaidNow::default();
        let head = "h".repeat(1 << 10);
        let mut ask = |moment: i64, number: usize| {
            let question = format!("{number}");
            let said = now.within(Moment(moment));
            if said.head(&question).is_none() {
                said.keep_head(&question, &head);
            }
            let digest = "sha256:0".into();
            said.keep_answer(
                &question,
                digest,
                head.as_bytes(),
                (Resolution::Allow, "evidence"),
            );
            (said.said.len(), said.bytes)
        };
        let (full, bytes) = (0..8_000).map(|number| ask(1, number)).last().unwrap();
        assert!(bytes <= limits::KEPT_MOMENT && bytes > limits::KEPT_MOMENT - (4 << 10));
        assert_eq!(ask(1, 8_000), (full, bytes));
        let (said, bytes) = ask(2, 0);
        assert!(said == 1 && bytes < 4 << 10);
        assert_eq!(ask(1, 1).0, 1);
    }

    /// What holds at any time of a moment holds until its end, and nothing holds at its own.
    #[test]
    fn what_ends_within_a_moment_ends_before_it() {
        for end in 95..125 {
            let holds = |now: i64| Moment::of(UnixTime(now)).is_before(UnixTime(end));
            for now in 80..140 {
                assert!(!holds(now) || now < end, "{now} {end}");
                assert_eq!(holds(now), holds(now - now % 10), "{now} {end}");
            }
        }
        assert_eq!(Moment::of(UnixTime(-1)), Moment(-1));
    }
}
