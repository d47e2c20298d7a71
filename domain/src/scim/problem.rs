//! Why a filter or a path was not understood, as people are told.

use super::error::{Rule, ScimError, quoted};
use super::secret::names_secret;

/// Why a text was not understood, and where.
#[derive(Debug)]
pub(super) struct Problem {
    /// In bytes from the beginning of the text.
    pub position: usize,
    /// What was expected, or is wrong.
    pub message: String,
    /// Whether it stands in the filter of a value path.
    pub inside_brackets: bool,
    /// Whether a filter compares with a password: then nothing of its text is told.
    pub asks_for_password: bool,
    /// The attribute that does not exist, if that is the trouble.
    pub unknown: Option<String>,
    /// The rule that it breaks, if that has a name.
    pub rule: Option<Rule>,
}

impl Problem {
    fn describe(&self, what: &str, text: &str) -> String {
        let (at, message) = (self.character(text), &self.message);
        if self.asks_for_password {
            return format!("the {what} cannot be read at character {at}: {message}");
        }
        // What was found there may be what a secret is compared with.
        if names_secret(text) && text.contains(['[', ' ']) {
            return format!("the {what} {} cannot be read at character {at}", quoted(text));
        }
        format!("the {what} {} cannot be read at character {at}: {message}", quoted(text))
    }

    /// Positions are counted in characters, from one, as people do.
    fn character(&self, text: &str) -> usize {
        text.char_indices().take_while(|(i, _)| *i < self.position).count() + 1
    }

    /// As the error of a filter.
    pub fn in_filter(self, text: &str) -> ScimError {
        ScimError { rule: self.rule, ..ScimError::invalid_filter(self.describe("filter", text)) }
    }

    /// As the error of a path.
    pub fn in_path(self, text: &str) -> ScimError {
        let detail = self.describe("path", text);
        let error = if self.inside_brackets {
            ScimError::invalid_filter(detail)
        } else {
            ScimError::invalid_path(detail)
        };
        ScimError { rule: self.rule, ..error }
    }
}
