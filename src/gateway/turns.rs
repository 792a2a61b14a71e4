//! How much of what stands beside `/v2/` is done or waits at once: pulls keep the rest
//! (docs/gateway.md "Beside /v2/").

use super::action::Respond;
use super::answer;
use super::route::Wanted;
use crate::limits;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::ToString;
use core::cell::Cell;

/// What is under way, of each sort.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Reports, and what is like them: each is a verification.
    reports: Cell<usize>,
    evidence: Cell<usize>,
    relayed: Cell<usize>,
    /// In this minute since 1970, so many were relayed.
    minute: Cell<(i64, usize)>,
}

/// One of as many as may be; it ends with whoever holds it.
pub(super) struct Turn<'a>(&'a Cell<usize>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Turns {
    /// A turn where one is needed; else why there is none now.
    pub(super) fn take(&self, wanted: &Wanted, now: UnixTime) -> Result<Option<Turn<'_>>, Respond> {
        let (of, most) = match wanted {
            Wanted::Report { .. } | Wanted::Badge { .. } => (&self.reports, limits::REPORTS),
            Wanted::Evidence { .. } => (&self.evidence, limits::EVIDENCE_WAITING),
            Wanted::Relay { .. } => {
                self.count_relayed(now)?;
                (&self.relayed, limits::RELAYED)
            }
            Wanted::Ping | Wanted::Manifest { .. } | Wanted::Blob { .. } | Wanted::List(_) => {
                return Ok(None);
            }
        };
        let more = of.get().saturating_add(1);
        if more > most {
            return Err(later(
                503,
                "UNAVAILABLE",
                5,
                "too many others ask for this now: ask again",
            ));
        }
        of.set(more);
        Ok(Some(Turn(of)))
    }

    /// Registries count what this gateway asks them, whoever made it ask.
    fn count_relayed(&self, now: UnixTime) -> Result<(), Respond> {
        let (minute, second) = (now.0.div_euclid(60), now.0.rem_euclid(60));
        let before = match self.minute.get() {
            (counted, number) if counted == minute => number,
            _ => 0,
        };
        if before >= limits::RELAYED_A_MINUTE {
            let message = format!(
                "this gateway carries evidence of other registries {} times a minute: ask again",
                limits::RELAYED_A_MINUTE
            );
            return Err(later(429, "TOOMANYREQUESTS", 60 - second, &message));
        }
        self.minute.set((minute, before.saturating_add(1)));
        Ok(())
    }
}

fn later(status: u16, code: &str, seconds: i64, message: &str) -> Respond {
    let mut respond = answer::error(status, code, &format!("sealgate: {message}"));
    let seconds = seconds.to_string();
    respond.headers.push(("retry-after".into(), seconds));
    respond
}
