//! What becomes of an exchange in a replay, and why it may not be replayed at all.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of an exchange in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayResult {
    /// The same events, byte for byte, and the same answer.
    Same,
    /// Other events than recorded.
    EventsDiffer,
    /// The same events and another answer, or another reading.
    AnswerDiffers,
    /// It could not be replayed; what it caused was copied.
    NotReplayed,
    /// It succeeds now (dry run and apply).
    Succeeds,
    /// It fails now (dry run and apply).
    Fails,
    /// It was not submitted again (apply).
    Refused,
}

/// Why an exchange cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotReplayed {
    /// It is no SCIM request.
    OtherProtocol,
    /// A secret was taken out of it before it was kept.
    SecretsRemoved,
    /// Its body was dropped by the retention of bodies.
    BodyDropped,
    /// Its body is no JSON, so that a bundle with pseudonyms had to leave it out.
    NoPseudonyms,
    /// Its body never arrived whole, or was too long to be read.
    BodyNeverKept,
    /// It was answered out of the server's state at the time: overload, a broken store, a rate.
    ServerTrouble,
    /// It is a bulk request whose operations are exchanges of their own.
    ByItsParts,
}

impl NotReplayed {
    /// The same in plain words.
    pub fn words(self) -> &'static str {
        match self {
            NotReplayed::OtherProtocol => "it is no SCIM request",
            NotReplayed::SecretsRemoved => "a secret was taken out of it before it was kept",
            NotReplayed::BodyDropped => "its body was dropped by the retention of bodies",
            NotReplayed::NoPseudonyms => {
                "its body is no JSON: a bundle with pseudonyms had to leave it out"
            }
            NotReplayed::BodyNeverKept => {
                "its body never arrived whole, or was too long to be read"
            }
            NotReplayed::ServerTrouble => {
                "its answer came from the server's state at the time, not from the request"
            }
            NotReplayed::ByItsParts => "its operations are exchanges of their own",
        }
    }
}
