//! What the operator's log says of a request, and administrators read later: one JSON object a line.

use crate::encoding::json::{list, quote};
use crate::error::Failure;
use crate::time::UnixTime;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What was decided on one thing that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// For people who compare an answer with the log: 12 hexadecimal digits.
    pub id: String,
    /// When.
    pub time: UnixTime,
    /// What became of it.
    pub resolution: Resolution,
    /// The image, by the name that policies have for it.
    pub image: String,
    /// Why: a stable code, and words.
    pub reason: Failure,
    /// Whose signatures were accepted, each in one line.
    pub signers: Vec<String>,
}

/// What became of a request that something was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// Served, since it is allowed.
    Allow,
    /// Refused, and served all the same.
    Audit,
    /// Refused.
    Deny,
    /// Nobody can say whether it is allowed: not served.
    Unknown,
}

impl Resolution {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Allow, Self::Audit, Self::Deny, Self::Unknown];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Audit => "audit",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of it, and the code of the reason.
pub(super) type Decided = (Resolution, &'static str);

impl Decision {
    pub(super) fn decided(&self) -> Decided {
        (self.resolution, self.reason.code)
    }

    /// Its members, as they stand in a JSON object.
    fn members(&self) -> String {
        let signers = match self.signers.as_slice() {
            [] => String::new(),
            signers => format!(",\"signers\":{}", list(signers)),
        };
        format!(
            "\"id\":{},\"verdict\":{},\"image\":{},\"code\":{},\"message\":{}{signers}",
            quote(&self.id),
            quote(self.resolution.name()),
            quote(&self.image),
            quote(self.reason.code),
            quote(&self.reason.message)
        )
    }

    /// An object with its time, in seconds since 1970.
    pub fn document(&self) -> String {
        format!("{{\"time\":{},{}}}", self.time.0, self.members())
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.id, &self.image, &self.reason.message];
        let texts = texts.into_iter().chain(&self.signers);
        texts.map(|text| text.len()).sum()
    }
}

/// One line of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogLine {
    /// What was decided, where anything was.
    pub decision: Option<Box<Decision>>,
    /// What went wrong at the registry, its addresses included.
    pub upstream: Vec<String>,
}

impl From<Decision> for LogLine {
    fn from(decision: Decision) -> Self {
        Self {
            decision: Some(Box::new(decision)),
            upstream: Vec::new(),
        }
    }
}

impl LogLine {
    /// The same, saying whose signatures were accepted.
    pub(super) fn signed_by(mut self, signers: Vec<String>) -> Self {
        if let Some(decision) = &mut self.decision {
            decision.signers = signers;
        }
        self
    }

    /// A JSON object, without a line end.
    pub fn line(&self) -> String {
        let mut line = match &self.decision {
            Some(decision) => format!("{{\"event\":\"decision\",{}", decision.members()),
            None => "{\"event\":\"upstream\"".to_string(),
        };
        if !self.upstream.is_empty() {
            line.push_str(&format!(",\"upstream\":{}", list(&self.upstream)));
        }
        line.push('}');
        line
    }
}
