//! The whole log as lines of JSON. What a record and an exchange are, only the server knows: a line
//! leaves both to whoever reads it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The version of the lines below.
pub const BACKUP_FORMAT: u32 = 2;

/// The oldest version that is still read: it had no keys, because nothing was sealed.
pub const OLDEST_BACKUP_FORMAT: u32 = 1;

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
    },
    /// A scope's claim key, in base64.
    ClaimKey {
        /// The organization whose claims it is for; the nil id for what all of them share.
        scope: Uuid,
        /// The key.
        key: String,
    },
    /// What the data keys of an organization are wrapped with, itself wrapped by the deployment's
    /// key.
    OrganizationKey {
        /// Whose.
        organization: Uuid,
        /// The key.
        wrapped: String,
    },
    /// Data keys of an organization, wrapped by its own: before the records that they open.
    DataKeys {
        /// Whose.
        organization: Uuid,
        /// Each with its id; without one where it was erased.
        keys: Vec<(u64, Option<String>)>,
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
    /// The last line.
    End {
        /// Records written.
        records: u64,
        /// Exchanges written.
        exchanges: u64,
    },
}

impl<R, X> BackupLine<R, X> {
    /// Whether it is of the keys, which may be kept apart from the rest.
    pub fn is_of_keys(&self) -> bool {
        matches!(self, Self::OrganizationKey { .. } | Self::DataKeys { .. })
    }
}

/// What a restore put in place.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RestoredBody {
    /// Records restored.
    pub records: u64,
    /// Exchanges restored.
    pub exchanges: u64,
}
