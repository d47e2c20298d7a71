//! What an entry begins with: whose it is, and what it stands for.

use super::VERSION;
use crate::ids::OrganizationId;
use crate::record::{ExchangeNumber, Position};
use uuid::Uuid;

/// Bytes of a header: version, organization, kind, number.
const BYTES: usize = 1 + 16 + 1 + 8;

/// What an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// The record at this position.
    Record(Position),
    /// The exchange of this number.
    Exchange(ExchangeNumber),
}

/// The beginning of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose log.
    pub organization: OrganizationId,
    /// What of it.
    pub of: Of,
}

impl Header {
    /// Reads what an entry says that it is, so that whoever has entries without the log can name
    /// the one that differs. `None` if it is not one of this [`VERSION`], or not of its own length.
    pub fn read(entry: &[u8]) -> Option<Self> {
        let (header, rest) = entry.split_first_chunk::<BYTES>()?;
        let (number, organization) = (header.last_chunk()?, header[1..].first_chunk()?);
        let number = u64::from_be_bytes(*number);
        let (of, hashes) = match (header[0], header[BYTES - 9]) {
            (VERSION, 1) => (Of::Record(number), 1),
            (VERSION, 2) => (Of::Exchange(number), 3),
            _ => return None,
        };
        let (metadata, rest) = rest.split_first_chunk()?;
        let metadata = usize::try_from(u32::from_be_bytes(*metadata)).ok()?;
        let whole = rest.len().checked_sub(metadata)? == hashes * 32;
        whole.then_some(Self { organization: OrganizationId(Uuid::from_bytes(*organization)), of })
    }

    pub(super) fn to_bytes(self) -> [u8; BYTES] {
        let (kind, number) = match self.of {
            Of::Record(position) => (1, position),
            Of::Exchange(number) => (2, number),
        };
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..17].copy_from_slice(self.organization.0.as_bytes());
        bytes[17] = kind;
        bytes[18..].copy_from_slice(&number.to_be_bytes());
        bytes
    }
}
