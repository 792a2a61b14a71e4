//! What a gateway said in this second, and need not make again.

use crate::limits;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// What both steps ([`super::lines`]) said in this second. Time is counted in seconds: the same
/// question, with the same digest of the upstream, has the same answer until the next one begins,
/// the log's line included. Who asks is no part of a question: the upstream lets each request in by
/// itself.
#[derive(Debug, Default)]
pub(super) struct Second {
    /// As requests write it.
    time: String,
    said: BTreeMap<String, Said>,
    bytes: usize,
}

#[derive(Debug)]
struct Said {
    /// Lines: the address, then a name and a value for each header but the authorization.
    head: String,
    /// The digest, and the answer.
    answer: Option<(String, Vec<u8>)>,
}

impl Second {
    /// What is asked of the upstream first, but for the authorization.
    pub(super) fn head(&mut self, question: &str) -> Option<&str> {
        self.said(question).map(|said| said.head.as_str())
    }

    /// Keeps it, where there is room.
    pub(super) fn keep_head(&mut self, question: &str, head: &str) {
        if self.has_room(question.len().saturating_add(head.len())) {
            let said = Said {
                head: head.into(),
                answer: None,
            };
            self.said.insert(question.into(), said);
        }
    }

    /// The answer, where this address was asked and had this digest.
    pub(super) fn answer(&mut self, question: &str, asked: &str, digest: &str) -> Option<&[u8]> {
        let said = self.said(question)?;
        let is_asked = said.head.split('\n').next() == Some(asked);
        let (known, answer) = said.answer.as_ref().filter(|_| is_asked)?;
        (known == digest).then_some(answer)
    }

    /// Keeps it, where there is room.
    pub(super) fn keep_answer(&mut self, question: &str, digest: String, answer: &[u8]) {
        if self.has_room(answer.len())
            && let Some(said) = self.said(question)
        {
            said.answer = Some((digest, answer.into()));
        }
    }

    fn said(&mut self, question: &str) -> Option<&mut Said> {
        let time = question.split('\n').next().unwrap_or_default();
        if time != self.time {
            *self = Self::default();
            self.time = time.into();
        }
        self.said.get_mut(question)
    }

    /// Whether there is room for so many bytes more, which are counted then.
    fn has_room(&mut self, bytes: usize) -> bool {
        let all = self.bytes.saturating_add(bytes);
        let fits = all <= limits::KEPT_SECOND;
        if fits {
            self.bytes = all;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    /// Whoever asks for much fills one second, up to its bound, and takes nothing from the next.
    #[test]
    fn a_second_has_a_bound_and_ends() {
        let mut second = Second::default();
        let head = "h".repeat(1 << 10);
        let mut ask = |time: i64, number: usize| {
            let question = format!("{time}\n{number}");
            if second.head(&question).is_none() {
                second.keep_head(&question, &head);
            }
            second.keep_answer(&question, "sha256:0".into(), head.as_bytes());
            (second.said.len(), second.bytes)
        };
        let (full, bytes) = (0..8_000).map(|number| ask(1, number)).last().unwrap();
        assert!(bytes <= limits::KEPT_SECOND && bytes > limits::KEPT_SECOND - (4 << 10));
        assert_eq!(ask(1, 8_000), (full, bytes));
        let (said, bytes) = ask(2, 0);
        assert!(said == 1 && bytes < 4 << 10);
        assert_eq!(ask(1, 1).0, 1);
    }
}
