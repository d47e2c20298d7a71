//! Why something cannot be folded.

use rollcall_domain::sql::SqlError;

/// Why an event cannot be folded. Never holds a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad(pub String);

impl Bad {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Of a row that is written by itself, and not folded.
impl From<Bad> for SqlError {
    fn from(Bad(why): Bad) -> Self {
        SqlError::Shape(why)
    }
}
