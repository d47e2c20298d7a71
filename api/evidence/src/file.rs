//! A ledger in one file: lines of JSON, one for each entry in the order of commit.
//!
//! The first line has the checkpoint; each further line a record or an exchange as it is stored,
//! with its leaf; the last line says how many there were. Every line is in the one form in which it
//! is written: a file in which a single byte is another is not verified.

use crate::findings::{Content, Item};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_domain::body_hashes::Sha256Hash;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::{Record, RecordedExchange};
use serde::{Deserialize, Serialize};

/// The version of the lines.
pub const FORMAT: u32 = 1;

/// Bytes of a line at most: two bodies of 16 MiB in Base64 fit.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

/// Why a line cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No JSON, or not of a line.
    #[error("it is no line of a ledger: {0}")]
    Json(String),
    /// Read and written again, it is another.
    #[error("it is not written as Rollcall writes it")]
    Form,
    /// A body that is no Base64.
    #[error("a body cannot be read")]
    Body,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// The first.
    Ledger {
        /// [`FORMAT`]
        format: u32,
        /// The signed checkpoint of the tree that the entries make up.
        checkpoint: String,
        /// The key that the server says has signed it: `name+id+key`.
        key: String,
    },
    /// A record.
    Record {
        /// Its leaf, as it was kept.
        leaf: Sha256Hash,
        /// The record.
        record: Box<Record>,
    },
    /// An exchange.
    Exchange {
        /// Its leaf, as it was kept.
        leaf: Sha256Hash,
        /// Its number.
        number: u64,
        /// Positions of the first and the last record it caused.
        positions: Option<(u64, u64)>,
        /// The position after which it stands.
        after: u64,
        /// The exchange without bodies.
        exchange: Box<Exchange>,
        /// Request body in Base64.
        request: String,
        /// Answer body in Base64.
        answer: String,
    },
    /// The last.
    End {
        /// Records in the file.
        records: u64,
        /// Exchanges in the file.
        exchanges: u64,
    },
}

impl Line {
    /// The line of an item; of one whose kept leaf is no hash, a leaf of zeros, which nothing has.
    pub fn of(item: Item) -> Self {
        let leaf = Sha256Hash(item.kept.map_or([0; 32], |leaf| leaf.0));
        match item.content {
            Content::Record(record) => Line::Record { leaf, record: Box::new(record) },
            Content::Exchange(recorded) => {
                let RecordedExchange { number, positions, after, mut exchange } = *recorded;
                let request = BASE64.encode(std::mem::take(&mut exchange.request_body));
                let answer = BASE64.encode(std::mem::take(&mut exchange.answer_body));
                let exchange = Box::new(exchange);
                Line::Exchange { leaf, number, positions, after, exchange, request, answer }
            }
        }
    }

    /// Reads a line without its end.
    pub fn read(bytes: &[u8]) -> Result<Self, LineError> {
        let line: Self =
            serde_json::from_slice(bytes).map_err(|e| LineError::Json(e.to_string()))?;
        let written = serde_json::to_vec(&line).map_err(|e| LineError::Json(e.to_string()))?;
        if written == bytes { Ok(line) } else { Err(LineError::Form) }
    }

    /// Writes a line with its end.
    pub fn write(&self) -> Result<Vec<u8>, LineError> {
        let mut bytes = serde_json::to_vec(self).map_err(|e| LineError::Json(e.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The entry that a line is; none if it is the first or the last.
    pub fn item(self) -> Result<Option<Item>, LineError> {
        let (leaf, content) = match self {
            Line::Ledger { .. } | Line::End { .. } => return Ok(None),
            Line::Record { leaf, record } => (leaf, Content::Record(*record)),
            Line::Exchange { leaf, number, positions, after, mut exchange, request, answer } => {
                let body = |text: &str| BASE64.decode(text).map_err(|_| LineError::Body);
                exchange.request_body = body(&request)?;
                exchange.answer_body = body(&answer)?;
                let exchange = *exchange;
                let recorded = RecordedExchange { number, positions, after, exchange };
                (leaf, Content::Exchange(Box::new(recorded)))
            }
        };
        Ok(Some(Item { content, kept: Some(LeafHash(leaf.0)) }))
    }
}
