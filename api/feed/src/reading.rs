//! Pages of events, read from the log by position.

use crate::crowd::{Crowd, CrowdError};
use rollcall_domain::consumer::Payload;
use rollcall_domain::event::DecodeError;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Log, LogError, Position};
use rollcall_domain::outbound::{PublicEvent, tell};
use rollcall_domain::public_type::TypeFilter;

/// Records read from the log at once.
const BATCH: usize = 500;
/// Records that one page looks at: a filter may leave out almost everything.
const LOOKED_AT: u64 = 20_000;

/// For whom a page is read.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Whose log.
    pub organization: OrganizationId,
    /// Which types are wanted.
    pub types: &'a TypeFilter,
    /// How much events tell.
    pub payload: Payload,
    /// Whom it is about; everybody, if none is given.
    pub crowd: Option<&'a Crowd>,
}

/// Some events in the order of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Each with the position of the one before.
    pub events: Vec<(Position, PublicEvent)>,
    /// Everything up to here was looked at.
    pub next: Position,
    /// The position of the last event up to `next`.
    pub last: Position,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A record cannot be understood. It is never passed over.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Whom it is about cannot be told.
    #[error(transparent)]
    Crowd(#[from] CrowdError),
    /// A record is missing. It is never passed over.
    #[error("the log has no record at position {0}")]
    Missing(Position),
}

/// Reads what stands after a position, up to the head at most; `previous` is the position of the
/// last event up to there. A record's events come together, so that a page may be longer by those
/// of its last record.
///
/// # Errors
/// If a record is missing or cannot be understood, or the log cannot be read.
pub async fn read(
    log: &dyn Log,
    reader: Reader<'_>,
    after: Position,
    previous: Position,
    head: Position,
    limit: usize,
) -> Result<Page, ReadError> {
    let mut page = Page { events: Vec::new(), next: after, last: previous };
    let end = head.min(after.saturating_add(LOOKED_AT));
    while page.next < end {
        let wanted = usize::try_from(end - page.next).map_or(BATCH, |left| left.min(BATCH));
        let records = log.records(reader.organization, page.next, wanted).await?;
        if records.is_empty() {
            return Err(ReadError::Missing(page.next + 1));
        }
        for record in records {
            if record.position != page.next + 1 {
                return Err(ReadError::Missing(page.next + 1));
            }
            let told = match reader.crowd {
                None => tell(&record, reader.types, reader.payload)?,
                Some(crowd) => crowd.tell(&record, reader.types, reader.payload).await?,
            };
            if let Some(told) = told {
                if !page.events.is_empty() && page.events.len() + told.0.len() > limit {
                    return Ok(page);
                }
                for event in told.0 {
                    page.events.push((page.last, event));
                    page.last = record.position;
                }
            }
            page.next = record.position;
            if page.events.len() >= limit {
                return Ok(page);
            }
        }
    }
    Ok(page)
}
