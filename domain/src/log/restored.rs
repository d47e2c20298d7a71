//! Where the exchanges of a backup go.

use super::port::*;
use crate::ids::OrganizationId;

/// The number under which an exchange of a backup is put down; none if it is there already.
///
/// An organization's exchanges keep their numbers, without a hole. Strangers call at any time, also
/// before and during a restore: what they said in the backup comes after what is there.
pub fn restored_number(
    recorded: &RecordedExchange,
    head: Head,
    is_known: bool,
) -> Result<Option<ExchangeNumber>, LogError> {
    let next = head.exchange_number + 1;
    if recorded.exchange.organization == OrganizationId::NONE {
        return Ok((!is_known).then_some(next));
    }
    if recorded.number != next {
        return Err(LogError::Damaged(format!(
            "exchange {} cannot follow exchange {}",
            recorded.number, head.exchange_number
        )));
    }
    Ok(Some(next))
}
