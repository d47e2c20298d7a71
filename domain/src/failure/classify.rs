//! Why a request failed: of an error that is at hand, and of an exchange that was kept.

use super::before_facts;
use super::by_status::by_status;
use crate::cause::Cause;
use crate::exchange::Exchange;
use crate::scim::ScimError;

/// Why a request failed, from the error itself. The operation tells whose absence a 404 is.
pub fn cause_of(error: &ScimError, operation: &str) -> Cause {
    let scim_type = error.scim_type.map(|t| t.as_str());
    error
        .cause
        .unwrap_or_else(|| by_status(error.status, scim_type, error.unknown_shape, operation))
}

/// Why an exchange failed; only for those that did.
pub fn classify(exchange: &Exchange) -> Cause {
    exchange.facts.cause.unwrap_or_else(|| before_facts::cause(exchange))
}

/// Whether the body of a request never arrived whole; what did arrive is not kept.
pub fn never_arrived(exchange: &Exchange) -> bool {
    exchange.facts.cause == Some(Cause::BodyCutOff) || before_facts::never_arrived(exchange)
}
