//! The bytes of a leaf: what of a record or an exchange the ledger vouches for. **Frozen**: a leaf
//! that was hashed once must come out the same for ever. `snapshots/ledger` holds examples.
//!
//! An entry is, one after another:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version of this form, [`VERSION`] |
//! | 16 | the organization's id |
//! | 1 | 1 for a record, 2 for an exchange |
//! | 8 | the record's position or the exchange's number |
//! | 4 and so many | the metadata: fields in fixed order |
//! | 32 each | hashes of what is stored beside: a record's payload; an exchange's [`ExchangeHashes`] |
//!
//! A field is its length in 4 bytes and its bytes; whole numbers have 8 bytes (instants are
//! microseconds since 1970, in two's complement), ids 16, and yes or no is one byte. A list is the
//! number of its items in 4 bytes, then those; what may be absent is a list of none or one. All
//! numbers are big-endian.
//!
//! Metadata is what we said ourselves: ids, instants, counts, stable words. Whatever somebody else
//! chose the words of is in the entry as SHA-256 only. So a body can be dropped and a person erased
//! without a change of any leaf, entries can be handed to whoever may not see the people in them,
//! and each is far below the 65,535 bytes that an entry bundle allows (C2SP tlog-tiles).
//!
//! A field that records or exchanges get later is written after those of today, and only where it
//! has a value, so that entries of before stay what they were.

mod exchange;
mod header;
mod particulars;
mod record;
mod writer;

pub use exchange::{ExchangeHashes, erase_exchange, exchange_entry};
pub use header::{Header, Of};
pub use record::record_entry;

use writer::Writer;

/// The version of the form of entries.
pub const VERSION: u8 = 1;

/// Puts an entry together.
fn entry(header: Header, metadata: Writer, hashes: &[[u8; 32]]) -> Vec<u8> {
    let mut to = Writer::default();
    to.bytes(&metadata.into_bytes());
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(to.into_bytes());
    bytes.extend(hashes.iter().flatten());
    bytes
}
