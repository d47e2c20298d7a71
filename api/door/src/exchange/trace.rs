//! The span of a request on its way: whatever is logged meanwhile says which exchange it belongs
//! to. Ids only: no names, and no secrets.

use super::Opened;
use tracing::field::{Empty, display};
use tracing::{Span, info_span};

/// A span for an exchange. What is asked, and of whom, is found out on the way.
pub fn span(opened: &Opened) -> Span {
    let protocol = opened.protocol.as_str();
    info_span!("exchange", id = %opened.id, protocol, operation = Empty, organization = Empty)
}

/// Says in the current span what is asked, and of whom.
pub fn found(opened: &Opened) {
    Span::current()
        .record("operation", opened.operation)
        .record("organization", display(opened.organization));
}
