//! A program that answers lines with lines, for whichever comparison starts it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Program {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Program {
    pub fn start(program: &str) -> Result<Self, String> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("expected to start {program}, found: {error}"))?;
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

    pub fn ask(&mut self, line: &str) -> Result<(), String> {
        let pipe = self.questions.as_mut().ok_or("the oracle has no input")?;
        writeln!(pipe, "{line}")
            .and_then(|()| pipe.flush())
            .map_err(|error| format!("expected the oracle to listen, found: {error}"))
    }

    pub fn answer<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, String> {
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .map_err(|error| format!("expected an answer of the oracle, found: {error}"))?;
        serde_json::from_str(&answer)
            .map_err(|error| format!("expected an answer of the oracle, found {answer:?}: {error}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It ends with its input; whatever it says by then is of no use.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
