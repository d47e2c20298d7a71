//! What a status means to Entra's engine.

use crate::transport::TransportError;
use serde_json::Value;

/// What Entra calls a target that does not speak SCIM as it should.
pub(super) const INCOMPATIBLE: &str = "SystemForCrossDomainIdentityManagementServiceIncompatible";

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The object is escrowed: tried again after 6 h, 12 h, 24 h, then daily.
    Escrow,
    /// The object is tried again in the next cycle.
    NextCycle,
    /// A manager or member cannot be resolved: escrowed, and not counted as a failed object.
    Reference,
    /// The run is over and the job quarantined.
    Quarantine,
    /// The run is over; the next one comes as usual.
    Abort,
}

/// A request that did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) effect: Effect,
    pub(super) code: &'static str,
    pub(super) reason: String,
}

impl Failure {
    pub(super) fn new(effect: Effect, code: &'static str, reason: impl Into<String>) -> Self {
        Self { effect, code, reason: reason.into() }
    }

    /// The same, as the failure of a reference.
    pub(super) fn of_reference(self) -> Self {
        let effect = if self.effect == Effect::Escrow { Effect::Reference } else { self.effect };
        Self { effect, ..self }
    }
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A lookup for nobody.
    Probe,
    /// A filter.
    Match,
    /// A read by id.
    Read,
    /// Anything that writes.
    Write,
    /// A deletion: what is gone already is fine.
    Delete,
}

/// Whether an answer is what it should be.
pub(super) fn judge(purpose: Purpose, status: u16, body: &[u8]) -> Result<(), Failure> {
    let said = || detail(status, body);
    let failure = |effect, code| Err(Failure::new(effect, code, said()));
    match (purpose, status) {
        (_, 200..=299) | (Purpose::Delete, 404) => Ok(()),
        (_, 401) => failure(Effect::Quarantine, "Unauthorized"),
        (Purpose::Probe, 403 | 405) => {
            failure(Effect::Quarantine, "EncounteredQuarantineException")
        }
        (Purpose::Probe | Purpose::Match, 400 | 404) => {
            failure(Effect::Quarantine, "SystemForCrossDomainIdentityManagementServiceIncompatible")
        }
        (Purpose::Probe, _) => failure(Effect::Abort, "InternalServerError"),
        (_, 403) => failure(Effect::Escrow, "InsufficientRights"),
        (_, 404) => failure(Effect::Escrow, "InvalidAnchor"),
        (_, 405) => failure(Effect::Escrow, "MethodNotAllowed"),
        (_, 409) => failure(Effect::Escrow, "EntryConflict"),
        (_, 429) => failure(Effect::NextCycle, "TooManyRequests"),
        (_, 500..) => failure(Effect::NextCycle, "InternalServerError"),
        _ => failure(Effect::Escrow, "UnprocessableEntity"),
    }
}

/// No answer at all.
pub(super) fn unanswered(purpose: Purpose, error: &TransportError) -> Failure {
    let effect = if purpose == Purpose::Probe { Effect::Abort } else { Effect::NextCycle };
    let code = match error {
        TransportError::TimedOut => "Timeout",
        TransportError::Broken(_) | TransportError::AnswerLost { .. } => {
            "WebExceptionProtocolError"
        }
    };
    Failure::new(effect, code, error.to_string())
}

/// What the target says about it, as Entra shows it to the customer's admin.
fn detail(status: u16, body: &[u8]) -> String {
    let told = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|v| v["detail"].as_str().map(str::to_owned));
    match told {
        Some(detail) => format!("StatusCode: {status}. {detail}"),
        None => format!("StatusCode: {status}"),
    }
}
