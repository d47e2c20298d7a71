//! The lines of a bundle.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use rollcall_contract::ledger::SignedCheckpoint;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Record, RecordedExchange};
use serde::{Deserialize, Serialize};

/// The version of the lines below.
pub const BUNDLE_FORMAT: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundleBegin {
    /// [`BUNDLE_FORMAT`]
    pub format: u32,
    /// The version of Rollcall that wrote it.
    pub rollcall: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Whose log it is a part of.
    pub organization: OrganizationId,
    /// Its slug.
    pub domain: String,
    /// Its name for people.
    pub name: String,
    /// Public address of the SCIM endpoint.
    pub scim_base: String,
    /// Whether names stand for others.
    pub pseudonymised: bool,
    /// The ledger of that log when the bundle was made. Records and exchanges in here have other
    /// numbers, so that it does not verify them: it says which log they are of, and how it stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<SignedCheckpoint>,
}

/// One line of a bundle.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum BundleLine {
    /// The first line.
    Begin(BundleBegin),
    /// A record. Positions and versions are those of the bundle.
    Record {
        /// The record.
        record: Box<Record>,
    },
    /// An exchange. Number and positions are those of the bundle.
    Exchange {
        /// Its number.
        number: u64,
        /// Positions of its events.
        positions: Option<(u64, u64)>,
        /// Where it stands among the records.
        after: u64,
        /// The exchange without bodies.
        exchange: Box<Exchange>,
        /// Request body in base64.
        request: String,
        /// Answer body in base64.
        answer: String,
    },
    /// The last line.
    End {
        /// Records before it.
        records: u64,
        /// Exchanges before it.
        exchanges: u64,
        /// Chosen exchanges that are not in it because they are no SCIM.
        left_out: u64,
        /// SHA-256 of all lines before this one and of [`counts`], in lower-case hex.
        sha256: String,
    },
}

impl BundleLine {
    /// The line of an exchange.
    pub fn exchange(mut recorded: RecordedExchange) -> Self {
        let request = BASE64.encode(std::mem::take(&mut recorded.exchange.request_body));
        let answer = BASE64.encode(std::mem::take(&mut recorded.exchange.answer_body));
        let RecordedExchange { number, positions, after, exchange } = recorded;
        BundleLine::Exchange {
            number,
            positions,
            after,
            exchange: Box::new(exchange),
            request,
            answer,
        }
    }
}

/// The counts of the last line, as they go into its hash.
pub(super) fn counts(records: u64, exchanges: u64, left_out: u64) -> String {
    format!("{records} {exchanges} {left_out}\n")
}

/// Reads a body of a line.
pub(super) fn body(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}
