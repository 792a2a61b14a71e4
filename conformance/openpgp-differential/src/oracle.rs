//! The program `signature-oracle`, which asks containers/image.

use crate::program::Program;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Command;

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

pub struct Oracle(Program);

impl Oracle {
    pub fn start(program: &str) -> Result<Self, String> {
        Program::start(program).map(Self)
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
        self.0.ask(&line.to_string())
    }

    pub fn answer(&mut self) -> Result<Answer, String> {
        self.0.answer()
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
