//! Reads exchanges that were written before an exchange carried facts: what the error value knew is
//! in the text of its answer only. Nothing that is written today is read here.

use super::by_status::by_status;
use crate::cause::Cause;
use crate::exchange::Exchange;
use crate::ids::ResourceId;

/// What was said of a member that is not there: one with an id, and one named by what is no id.
const MEMBER_UNKNOWN: [&str; 2] =
    ["before it becomes a member", "does not exist: the value of a member"];

/// Why it failed.
pub(super) fn cause(exchange: &Exchange) -> Cause {
    let answer = &exchange.answer;
    let detail = answer.detail.as_deref().unwrap_or_default();
    match (answer.status, answer.scim_type.as_deref()) {
        (503, _) if detail.contains("nothing is lost") => Cause::SwitchedOff,
        (400, Some("invalidValue")) if exchange.unknown_shape => Cause::ShapeUnknown,
        (400, Some("invalidValue"))
            if MEMBER_UNKNOWN.iter().any(|words| detail.contains(words)) =>
        {
            Cause::MemberUnknown
        }
        (400, Some("invalidValue")) if detail.contains("stores no passwords") => {
            Cause::PasswordSent
        }
        (status, scim_type) => {
            by_status(status, scim_type, exchange.unknown_shape, &exchange.operation)
        }
    }
}

/// Whether its body broke off, or came too slowly.
pub(super) fn never_arrived(exchange: &Exchange) -> bool {
    exchange.answer.status == 408 || exchange.answer.detail.as_deref() == Some("the body broke off")
}

/// The member that was not there: the text began with its id.
pub(super) fn needs(exchange: &Exchange) -> Option<ResourceId> {
    let detail =
        exchange.answer.detail.as_deref().filter(|_| cause(exchange) == Cause::MemberUnknown)?;
    detail.split(' ').next()?.parse().ok()
}
