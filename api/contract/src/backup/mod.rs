//! The whole log as lines of JSON. What a record and an exchange are, only the server knows: a line
//! leaves both to whoever reads it.

mod digests;
pub mod erasure_list;
mod reading;

pub use digests::{Digests, Sum, digest_of_keys, digest_of_text};
pub use reading::{NotABackup, Reading};

use crate::ledger::SignedCheckpoint;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The version of the lines below that is written. Version 1 has no sections and no digests, and in
/// neither it nor version 2 is anything sealed; both are read as well.
pub const BACKUP_FORMAT: u32 = 3;

/// The version since which what is personal is sealed.
pub const SEALED_FORMAT: u32 = 3;

/// The oldest version that is read.
pub const OLDEST_FORMAT: u32 = 1;

/// One line of a backup: records are `R`, exchanges `X`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum BackupLine<R, X> {
    /// The first line.
    Begin {
        /// [`BACKUP_FORMAT`]
        format: u32,
        /// When it was made.
        created_at: DateTime<Utc>,
        /// The log it is of. Absent in version 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<Uuid>,
    },
    /// A scope's claim key, in base64.
    ClaimKey {
        /// The organization whose claims it is for; the nil id for what all of them share.
        scope: Uuid,
        /// The key.
        key: String,
    },
    /// What the data keys of an organization are wrapped with, itself wrapped by the deployment's
    /// key. Keys stand behind the first line and are in no digest of the whole: they may be kept
    /// apart. Each line has one of its own.
    OrganizationKey {
        /// Whose.
        organization: Uuid,
        /// The key.
        wrapped: String,
        /// SHA-256 over it, in lower-case hex.
        sha256: String,
    },
    /// Data keys of an organization, wrapped by its own.
    DataKeys {
        /// Whose.
        organization: Uuid,
        /// Each with its id; without one where it was erased.
        keys: Vec<(u64, Option<String>)>,
        /// SHA-256 over them ([`digest_of_keys`]).
        sha256: String,
    },
    /// The first line of a list of who was erased, which stands in no backup that is written:
    /// whoever restores one puts a list behind its first line, as it does keys.
    ErasureList {
        /// [`ERASURES_FORMAT`](erasure_list::ERASURES_FORMAT)
        format: u32,
        /// When the list was written.
        created_at: DateTime<Utc>,
        /// The organizations that there were.
        organizations: Vec<Uuid>,
    },
    /// Somebody who was erased.
    ErasedPerson {
        /// Whose log.
        organization: Uuid,
        /// The user.
        user: Uuid,
        /// The position at which it is said.
        position: u64,
        /// When that was.
        at: DateTime<Utc>,
        /// Why.
        because: String,
    },
    /// An organization that was erased.
    ErasedOrganization {
        /// Which.
        organization: Uuid,
        /// The position at which it is said.
        position: u64,
        /// When that was.
        at: DateTime<Utc>,
        /// Why.
        because: String,
    },
    /// The last line of such a list.
    ErasureListEnd {
        /// So many people and organizations are on it.
        erased: u64,
        /// SHA-256 over its lines before this one, in lower-case hex.
        sha256: String,
    },
    /// A record, as it is stored.
    Record {
        /// The record.
        record: Box<R>,
    },
    /// An exchange, as it is stored.
    Exchange {
        /// Its number.
        number: u64,
        /// Positions of its events.
        positions: Option<(u64, u64)>,
        /// The organization's position when it was appended.
        after: u64,
        /// The exchange without bodies.
        exchange: Box<X>,
        /// Request body in base64.
        request: String,
        /// Answer body in base64.
        answer: String,
    },
    /// The end of a section: the claim keys, or an organization's records and exchanges. Since
    /// version 2.
    Section {
        /// Whose records and exchanges; absent after the claim keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organization: Option<Uuid>,
        /// The last position in it.
        #[serde(default)]
        position: u64,
        /// The number of the last exchange in it.
        #[serde(default)]
        exchange_number: u64,
        /// Lines since the section before.
        lines: u64,
        /// SHA-256 over those lines, ends of lines included, in lower-case hex.
        sha256: String,
        /// The organization's ledger, signed: exactly what is in the section. `ledger verify` holds
        /// the section against it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ledger: Option<SignedCheckpoint>,
    },
    /// The last line.
    End {
        /// Records written.
        records: u64,
        /// Exchanges written.
        exchanges: u64,
        /// SHA-256 over all lines before this one. Absent in version 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
}

impl<R, X> BackupLine<R, X> {
    /// Whether it is of the keys, which may be kept apart from the rest.
    pub fn is_of_keys(&self) -> bool {
        matches!(self, Self::OrganizationKey { .. } | Self::DataKeys { .. })
    }

    /// Whether it is of a list of who was erased.
    pub fn is_of_list(&self) -> bool {
        matches!(
            self,
            Self::ErasureList { .. }
                | Self::ErasedPerson { .. }
                | Self::ErasedOrganization { .. }
                | Self::ErasureListEnd { .. }
        )
    }
}

/// What a restore put in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestoredBody {
    /// Records restored.
    pub records: u64,
    /// Exchanges restored.
    pub exchanges: u64,
    /// Whether digests say that the backup is as it was written: those of before had none.
    pub verified: bool,
    /// People and organizations of the list of erasures, or of the backup's own, that could be read in
    /// it and cannot any more.
    #[serde(default)]
    pub erased: u64,
    /// Those of the list of whom the backup knows nothing: they came later.
    #[serde(default)]
    pub not_in_backup: u64,
}

/// How a backup is put in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RestoreQuery {
    /// Go on with a restore of the same file that was broken off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resume: bool,
    /// Drop the keys of operators that were issued on this server, for those of the backup.
    #[serde(default, skip_serializing_if = "is_false")]
    pub drop_operators: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
