//! What reviewers decide about access. A decision is kept as it was made, and changes nobody's
//! access: that is changed in the identity provider.

use crate::ids::ResourceId;
use crate::log::Position;
use crate::personal::Personal;
use serde::{Deserialize, Serialize};

/// Longest remark, in characters.
pub const REMARK_CHARACTERS: usize = 500;

/// What came of looking at somebody's membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is right, and stays.
    Keep,
    /// It is to end.
    Remove,
    /// Neither: something is remarked.
    Note,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 3] = [Verdict::Keep, Verdict::Remove, Verdict::Note];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Keep => "keep",
            Verdict::Remove => "remove",
            Verdict::Note => "note",
        }
    }
}

/// A decision about one time that somebody was in a group. Who made it, and when, is in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessDecided {
    /// The group.
    pub group: ResourceId,
    /// The member: a user, or a group within the group.
    pub member: ResourceId,
    /// Position of the event by which the membership began: another time is another membership.
    pub since: Position,
    /// The position as of which it was looked at.
    pub seen_at: Position,
    /// What was decided.
    pub verdict: Verdict,
    /// Why, in the reviewer's words; they may name people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Personal<String>>,
}
