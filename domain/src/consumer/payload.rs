//! How much an event tells.

use serde::{Deserialize, Serialize};

/// How much an event tells its consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// Everything, personal data included.
    #[default]
    Full,
    /// What happened to which id, and which attributes changed; no value of anybody.
    Notice,
}

impl Payload {
    /// Both.
    pub const ALL: [Payload; 2] = [Payload::Full, Payload::Notice];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Payload::Full => "full",
            Payload::Notice => "notice",
        }
    }
}
