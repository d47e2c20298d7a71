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
    /// That there is something to ask for, and nothing else.
    Poke,
}

impl Payload {
    /// All of them.
    pub const ALL: [Payload; 3] = [Payload::Full, Payload::Notice, Payload::Poke];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Payload::Full => "full",
            Payload::Notice => "notice",
            Payload::Poke => "poke",
        }
    }
}
