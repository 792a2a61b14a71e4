//! What was found.

use super::edit::Edit;
use super::rule::{Rule, Severity};
use crate::limits;
use crate::policy::error::Place;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lint {
    /// Stable, for instance `PL01`.
    pub id: &'static str,
    /// Stable, for instance `default-open`.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where; of a `registries.d` file, its name and the place in it.
    #[serde(flatten)]
    pub place: Place,
    /// What it means, and what to do.
    pub message: String,
    /// What would put it right, where one change does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
}

/// What was found so far; each severity within its bound.
#[derive(Default)]
pub(super) struct Findings {
    lints: Vec<Lint>,
    listed: [usize; 3],
    left_out: usize,
}

impl Findings {
    pub(super) fn add(&mut self, rule: Rule, place: Place, message: String, edit: Option<Edit>) {
        let (id, name, severity) = rule.facts();
        let [notes, warnings, errors] = &mut self.listed;
        let listed = match severity {
            Severity::Note => notes,
            Severity::Warning => warnings,
            Severity::Error => errors,
        };
        *listed = listed.saturating_add(1);
        if *listed > limits::LINTS {
            self.left_out = self.left_out.saturating_add(1);
        } else {
            self.lints.push(Lint {
                id,
                name,
                severity,
                place,
                message,
                edit,
            });
        }
    }

    /// All of them in the order of the document, with a word at `place` about what is not listed.
    pub(super) fn in_order(mut self, place: Place) -> Vec<Lint> {
        let left_out = self.left_out;
        if left_out > 0 {
            self.listed = [0; 3];
            let message = format!(
                "{left_out} more findings are not listed: put right what is listed, and look again"
            );
            self.add(Rule::More, place, message, None);
        }
        self.lints.sort_by_key(|lint| lint.place.at);
        self.lints
    }
}
