//! The program `signature-oracle`, which asks containers/image.

use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use serde::Deserialize;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

/// One question, for all sides.
pub struct Question {
    pub policy: Vec<u8>,
    pub reference: String,
    pub manifest: Vec<u8>,
    pub signatures: Vec<Vec<u8>>,
    /// What the policy names, by its path.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What containers/image says.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Answer {
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

    pub fn ask(&mut self, question: &Question) -> Result<(), String> {
        let signatures: Vec<String> = (question.signatures.iter())
            .map(|bytes| base64::encode(bytes))
            .collect();
        let line = serde_json::json!({
            "policy": base64::encode(&question.policy),
            "reference": question.reference,
            "manifest": base64::encode(&question.manifest),
            "signatures": signatures,
        });
        let pipe = self.questions.as_mut().ok_or("the oracle has no input")?;
        writeln!(pipe, "{line}")
            .and_then(|()| pipe.flush())
            .map_err(|error| format!("expected the oracle to listen, found: {error}"))
    }

    pub fn answer(&mut self) -> Result<Answer, String> {
        let mut answer = String::new();
        (self.answers.read_line(&mut answer))
            .map_err(|error| format!("expected an answer of the oracle, found: {error}"))?;
        serde_json::from_str(&answer)
            .map_err(|error| format!("expected an answer of the oracle, found {answer:?}: {error}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It ends with its input; whatever it says by then is of no use.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// Debian's skopeo, which copies an image of the transport `dir:` where a policy allows it. Such an
/// image has no name, so that only policies that give one can be asked about.
pub struct Skopeo {
    pub program: String,
    pub folder: PathBuf,
}

impl Skopeo {
    pub fn ask(&self, question: &Question) -> Result<Answer, String> {
        let (image, copy) = (self.folder.join("image"), self.folder.join("copy"));
        let policy = self.folder.join("policy.json");
        let mut files = vec![
            (policy.clone(), &question.policy[..]),
            (image.join("manifest.json"), &question.manifest),
            (image.join("version"), b"Directory Transport Version: 1.1\n"),
            (image.join(Digest::of(b"{}").hex()), b"{}"),
        ];
        for (place, signature) in question.signatures.iter().enumerate() {
            files.push((image.join(format!("signature-{}", place + 1)), signature));
        }
        let failed = |error| format!("expected to write an image for skopeo, found: {error}");
        std::fs::create_dir_all(&image).map_err(failed)?;
        for (path, content) in files {
            std::fs::write(path, content).map_err(failed)?;
        }
        let output = Command::new(&self.program)
            .arg("--policy")
            .arg(policy)
            .args(["copy", "--quiet"])
            .args([image.as_path(), &copy].map(|path| format!("dir:{}", path.display())))
            .output()
            .map_err(|error| format!("expected to start {}, found: {error}", self.program))?;
        std::fs::remove_dir_all(&image).map_err(failed)?;
        // Left out where nothing was copied.
        let _ = std::fs::remove_dir_all(&copy);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Answer {
            allowed: output.status.success(),
            error: (!output.status.success()).then_some(error),
        })
    }
}
