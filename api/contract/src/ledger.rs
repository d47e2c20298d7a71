//! The ledger of an organization: checkpoints, proofs, and whether the store is what they say.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The tree over an organization's records and exchanges at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointBody {
    /// The signed note (C2SP tlog-checkpoint), to be kept as it is.
    pub checkpoint: String,
    /// The key that verifies it, as `name+id+key` (C2SP signed-note).
    pub key: String,
    /// Which ledger: `HOST/rollcall/ORGANIZATION`.
    pub origin: String,
    /// How many leaves the tree has.
    pub size: u64,
    /// Root of the tree, in hexadecimal.
    pub root: String,
    /// Position of the last record.
    pub records: u64,
    /// Number of the last exchange.
    pub exchanges: u64,
    /// So many leaves at the beginning came later than what is under them.
    pub uncovered: u64,
    /// Which log it is: another one after a restore.
    pub epoch: Uuid,
    /// Which epoch it had before it was rewritten in the format of today, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewritten_from: Option<Uuid>,
}

/// What is to be proved: one of the two.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// The record at this position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The exchange of this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Uuid>,
}

/// That an entry is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofBody {
    /// A file that proves it without a server (C2SP tlog-proof), with the entry as extra data.
    pub proof: String,
    /// The key that verifies its checkpoint.
    pub key: String,
    /// Place of the leaf, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
}

/// Two sizes of one ledger.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConsistencyQuery {
    /// Leaves of the earlier tree.
    pub old: u64,
    /// Leaves of the later tree.
    pub new: u64,
}

/// That a later tree began with an earlier one (RFC 9162 section 2.1.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyBody {
    /// Leaves of the earlier tree.
    pub old: u64,
    /// Leaves of the later tree.
    pub new: u64,
    /// The hashes, in hexadecimal.
    pub path: Vec<String>,
}

/// The header with the checkpoint of an export: a signed note (C2SP tlog-checkpoint) in Base64.
pub const CHECKPOINT: &str = "rollcall-checkpoint";

/// The header with the key that has signed it.
pub const CHECKPOINT_KEY: &str = "rollcall-checkpoint-key";

/// A checkpoint that goes along with an answer: the ledger of the organization had everything that is
/// in the answer when this was signed. Whoever keeps the answer can hold the log against it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedCheckpoint {
    /// The signed note (C2SP tlog-checkpoint).
    pub checkpoint: String,
    /// The key that has signed it, as the server says: `name+id+key`.
    pub key: String,
}

/// Part of a ledger, to be written to a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    /// Leaves before the first that is wanted; 0 if absent.
    #[serde(default)]
    pub from: u64,
    /// Position of the last record that is wanted: as a checkpoint says.
    pub records: u64,
    /// Number of the last exchange that is wanted: as a checkpoint says.
    pub exchanges: u64,
}

/// What somebody did to a store, as far as it can be told.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// It says something else than its leaf.
    Edited,
    /// It is what it was, but another leaf stands beside it.
    LeafChanged,
    /// It stands where another stood, and that one where it stood.
    Swapped,
    /// There is a hole in the numbers.
    Removed,
    /// It is more than the head knows of.
    Inserted,
    /// What is stored there is not what a version of Rollcall writes.
    Unreadable,
    /// The last are missing.
    TailCut,
    /// The head says something else than what is under it.
    HeadChanged,
    /// All is in order with itself, but not what a checkpoint said; between these two it differs.
    Rewritten,
    /// The log ends before a checkpoint that was made of it.
    Older,
    /// It calls itself another log than the one of which a checkpoint was made.
    AnotherLog,
    /// It says that it was rewritten in another format since a checkpoint was made of it.
    AnotherFormat,
    /// The checkpoint is not signed by the key that is trusted.
    Unsigned,
}

impl FindingKind {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            FindingKind::Edited => "edited",
            FindingKind::LeafChanged => "leaf_changed",
            FindingKind::Swapped => "swapped",
            FindingKind::Removed => "removed",
            FindingKind::Inserted => "inserted",
            FindingKind::Unreadable => "unreadable",
            FindingKind::TailCut => "tail_cut",
            FindingKind::HeadChanged => "head_changed",
            FindingKind::Rewritten => "rewritten",
            FindingKind::Older => "older",
            FindingKind::AnotherLog => "another_log",
            FindingKind::AnotherFormat => "another_format",
            FindingKind::Unsigned => "unsigned",
        }
    }

    /// Whether something is missing, as opposed to something being another than it was.
    pub fn is_about_completeness(self) -> bool {
        matches!(
            self,
            FindingKind::Removed
                | FindingKind::TailCut
                | FindingKind::Older
                | FindingKind::AnotherLog
                | FindingKind::AnotherFormat
                | FindingKind::HeadChanged
        )
    }
}

/// Where something differs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingPart {
    /// A record; the number is its position.
    Record,
    /// An exchange; the number is its own.
    Exchange,
    /// The tree; the number counts leaves.
    Tree,
    /// The head.
    Head,
}

/// Something that is not as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// What was done.
    pub kind: FindingKind,
    /// To what.
    pub part: FindingPart,
    /// Which one: position, number or leaf.
    pub number: u64,
    /// The last of them, or the one it was swapped with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<u64>,
    /// Id of the exchange, or of the aggregate that the record is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
}

/// What an audit found, of a store or of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Nothing that is there was changed.
    pub unchanged: bool,
    /// Nothing is missing, up to the newest checkpoint that is known.
    pub complete: bool,
    /// Leaves that were computed anew.
    pub leaves: u64,
    /// Records among them.
    pub records: u64,
    /// Exchanges among them.
    pub exchanges: u64,
    /// Exchanges of which all is there.
    pub readable: u64,
    /// Exchanges whose bodies were dropped: their hashes are kept.
    pub dropped: u64,
    /// Values that were erased.
    pub erased: u64,
    /// So many leaves at the beginning came later than what is under them.
    pub uncovered: u64,
    /// Earlier checkpoints it was held against.
    pub checkpoints: u64,
    /// What differs, in order; the first of them, if there are many.
    pub findings: Vec<Finding>,
    /// So many more differ.
    pub more: u64,
}

impl Verdict {
    /// Whether nothing differs.
    pub fn holds(&self) -> bool {
        self.unchanged && self.complete
    }
}
