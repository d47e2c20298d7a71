//! Personal data has one type inside event payloads.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value that says something about a person. It serializes as the value itself, and is never
/// printed: `Debug` shows a placeholder, so that traces and panics cannot leak it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for those who may see it.
    pub fn value(&self) -> &T {
        &self.0
    }

    /// The value, for those who may see it.
    pub fn into_value(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}
