//! Where a list that can be read both ways begins.

use super::there;
use rollcall_door::Refusal;
use rollcall_projections::exchanges::Start;

/// Upwards after a number, else downwards before one, else downwards from the end of the list; from
/// the last row of the page before, in the same direction.
///
/// # Errors
/// 400 if both directions are asked for.
pub fn start(
    after: Option<u64>,
    before: Option<u64>,
    place: Option<u64>,
    end: u64,
) -> Result<Start, Refusal> {
    match (after, before, place) {
        (Some(_), Some(_), _) => {
            Err(Refusal::parameter("before", "say after, oldest first, or before, newest first"))
        }
        (Some(after), None, place) => {
            there::within("after", "number", after, end)?;
            Ok(Start::After(place.unwrap_or(after)))
        }
        (None, _, Some(place)) => Ok(Start::Before(place)),
        (None, Some(before), None) => Ok(Start::Before(before)),
        // What comes in behind the end while this is read must not take up room on the page.
        (None, None, None) => Ok(Start::Before(end + 1)),
    }
}
