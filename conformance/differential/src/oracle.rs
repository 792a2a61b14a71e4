//! The program `policy-oracle`, which asks containers/image.

use crate::images::Layer;
use crate::images::as_base64;
use crate::keys::said;
use serde::Deserialize;
use serde::Serialize;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

/// One question, for both sides.
#[derive(Serialize)]
pub struct Question {
    #[serde(serialize_with = "as_base64")]
    pub policy: Vec<u8>,
    pub reference: String,
    #[serde(serialize_with = "as_base64")]
    pub manifest: Vec<u8>,
    #[serde(skip)]
    pub media_type: &'static str,
    pub signatures: Vec<Layer>,
    /// Whether the policy has several faults, of which each side may name another.
    #[serde(skip)]
    pub policy_is_doubtful: bool,
}

/// What containers/image says.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    pub policy_error: Option<String>,
    pub reference_error: Option<String>,
    pub identity: String,
    pub scope: Option<String>,
    pub allowed: bool,
    pub error: Option<String>,
}

pub struct Oracle {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    pub fn start(program: &str) -> Result<Self, String> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let (questions, answers) = (
            child.stdin.take(),
            child.stdout.take().ok_or("the oracle has no output")?,
        );
        Ok(Self {
            child,
            questions,
            answers: BufReader::new(answers),
        })
    }

    pub fn ask(&mut self, question: &Question) -> Result<Answer, String> {
        let mut line = serde_json::to_vec(question).map_err(said)?;
        line.push(b'\n');
        let pipe = self.questions.as_mut().ok_or("the oracle has no input")?;
        pipe.write_all(&line)
            .and_then(|()| pipe.flush())
            .map_err(|error| format!("the oracle does not listen: {error}"))?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(said)?;
        serde_json::from_str(&answer)
            .map_err(|error| format!("the oracle answers {answer:?}: {error}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It ends with its input; whatever it says by then is of no use.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
