//! What was seen, step by step.

use crate::{output, say};
use serde::Serialize;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As Entra needs it.
    Good,
    /// It works, and something is to be said about it.
    Note,
    /// Entra would not get on.
    Failed,
}

/// One step.
#[derive(Debug, Serialize)]
struct Step {
    step: &'static str,
    outcome: Outcome,
    seen: String,
}

/// All steps.
#[derive(Debug, Default)]
pub struct Report(Vec<Step>);

impl Report {
    /// Takes note of a step.
    pub fn note(&mut self, step: &'static str, outcome: Outcome, seen: impl Into<String>) {
        self.0.push(Step { step, outcome, seen: seen.into() });
    }

    /// Takes note of one that is good or not; `otherwise` says what to do then.
    pub fn check(&mut self, step: &'static str, good: bool, seen: String, otherwise: &str) {
        match good {
            true => self.note(step, Outcome::Good, seen),
            false => self.note(step, Outcome::Failed, format!("{seen}: {otherwise}")),
        }
    }

    /// How many steps failed.
    pub fn failures(&self) -> usize {
        self.0.iter().filter(|step| step.outcome == Outcome::Failed).count()
    }

    /// Prints it.
    pub fn show(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::json(&self.0);
        }
        for Step { step, outcome, seen } in &self.0 {
            let mark = match outcome {
                Outcome::Good => "good  ",
                Outcome::Note => "note  ",
                Outcome::Failed => "FAILED",
            };
            say!("{mark}  {step}");
            say!("        {seen}");
        }
        Ok(())
    }
}
