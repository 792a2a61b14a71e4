//! What this program cannot do itself is asked of whoever started it: WebCrypto's checks and the
//! calls of the package.
//!
//! They answer later, and this program does not wait. It therefore runs in rounds: a question
//! without an answer is written down, and when a round has such questions its verdicts are thrown
//! away. Whoever started it answers them and runs it again, with all answers so far, until a round
//! has none. `EXCHANGE` is the folder for both; rounds.js is the other side.

use sealgate::internals::digest::Digest;
use serde_json::Map;
use serde_json::Value;
use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

/// Questions and answers.
pub struct Exchange {
    folder: PathBuf,
    /// By the question's id.
    answers: Map<String, Value>,
    open: RefCell<Map<String, Value>>,
}

impl Exchange {
    /// By `EXCHANGE`; `None` where nobody answers.
    pub fn from_environment() -> Result<Option<Self>, String> {
        let Some(folder) = std::env::var_os("EXCHANGE").map(PathBuf::from) else {
            return Ok(None);
        };
        let answers = match fs::read(folder.join("answers.json")) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| format!("answers.json: {error}"))?
            }
            Err(_) => Map::new(),
        };
        Ok(Some(Self {
            folder,
            answers,
            open: RefCell::default(),
        }))
    }

    /// The answer; without one, the question is written down, and what the caller makes of it
    /// counts for nothing.
    pub fn ask(&self, question: Value) -> Option<&Value> {
        let id = Digest::of(question.to_string().as_bytes()).hex();
        let answer = self.answers.get(&id);
        if answer.is_none() {
            self.open.borrow_mut().insert(id, question);
        }
        answer
    }

    /// Hands the open questions out; whether there were any, so that this round says nothing.
    pub fn hand_out(&self) -> Result<bool, String> {
        let open = self.open.take();
        if open.is_empty() {
            return Ok(false);
        }
        fs::write(
            self.folder.join("questions.json"),
            Value::Object(open).to_string(),
        )
        .map_err(|error| format!("questions.json: {error}"))?;
        Ok(true)
    }
}
