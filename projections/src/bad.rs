//! Why something cannot be folded.

/// Why an event cannot be folded. Never holds a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad(pub String);

impl Bad {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}
