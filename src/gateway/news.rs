//! What this isolate knows of a repository and may not stand in the record of everything yet
//! (`recall.rs`), and how hints are written.

use super::parents::DigestPrefixes;
use crate::digest::Digest;
use crate::limits;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What is older than this is gathered with the next news, so that what is in use does not end.
const GATHERED_SECONDS: i64 = 15 * 24 * 3_600;

/// Of one repository.
#[derive(Debug, Default)]
pub(super) struct News {
    pub recalled: Option<UnixTime>,
    /// When everything was gathered that this isolate has read or written last; 0: never.
    pub gathered: i64,
    /// What came since, the last at the end.
    pub lines: Vec<String>,
}

impl News {
    pub(super) fn size(&self) -> usize {
        let sizes = self.lines.iter().map(|line| line.len().saturating_add(1));
        sizes.fold(0, usize::saturating_add)
    }

    pub(super) fn add(&mut self, line: String) {
        if line.len() < limits::HINTS_RECORD && !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// Whether they are too many, or everything else is old.
    pub(super) fn are_due(&self, now: UnixTime) -> bool {
        let age = now.0.saturating_sub(self.gathered);
        self.size() > limits::HINTS_NEWS || self.gathered > 0 && age > GATHERED_SECONDS
    }

    pub(super) fn to_record(&self) -> String {
        record(self.gathered, &self.lines.join("\n"))
    }
}

/// When everything was gathered, and lines.
pub(super) fn record(gathered: i64, lines: &str) -> String {
    format!("{gathered}\n{lines}")
}

/// The same of a record.
pub(super) fn parts(record: &str) -> Option<(i64, &str)> {
    let (gathered, lines) = record.split_once('\n')?;
    Some((gathered.parse().ok()?, lines))
}

pub(super) fn lists_line(parent: &str, listed: &DigestPrefixes) -> String {
    let words: Vec<String> = listed.iter().map(|one| format!("{one:x}")).collect();
    format!("lists {parent} {}", words.join(" "))
}

pub(super) fn tag_line(digest: &str, tag: &str, at: UnixTime) -> String {
    format!("tag {digest} {} {tag}", at.0)
}

pub(super) fn good_line(digest: &str, evidence: &[Digest]) -> String {
    let words: Vec<String> = evidence.iter().map(ToString::to_string).collect();
    format!("good {digest} {}", words.join(" "))
}
