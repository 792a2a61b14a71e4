//! The program `policy-oracle`, which asks containers/image.

use crate::images::Layer;
use crate::images::as_base64;
use crate::keys::said;
use crate::program::Program;
use serde::Deserialize;
use serde::Serialize;

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

pub struct Oracle(Program);

impl Oracle {
    pub fn start(program: &str) -> Result<Self, String> {
        Program::start(program).map(Self)
    }

    pub fn ask(&mut self, question: &Question) -> Result<Answer, String> {
        self.0
            .ask(&serde_json::to_string(question).map_err(said)?)?;
        self.0.answer()
    }
}
