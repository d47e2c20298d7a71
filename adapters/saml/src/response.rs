//! Responses: from the form field of a browser to an assertion, or to a refusal.

use crate::provider::ServiceProvider;
use chrono::{DateTime, Utc};
use rollcall_domain::saml::{Assertion, Reason, Refusal};

/// What the caller knows about the message to come.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The time.
    pub now: DateTime<Utc>,
    /// Ids of the requests that this browser has made, that are young enough, and that are not
    /// answered yet. [`Assertion::in_response_to`] says which one was answered.
    pub requests: &'a [&'a str],
}

impl ServiceProvider {
    /// Reads the value of the form field `SAMLResponse`. Blocking: work for the processor.
    ///
    /// It keeps no state. The caller must take the assertion's id as a claim (used once) and
    /// consume the request it answers, in the append that records the login.
    pub fn read_response(&self, saml_response: &str, expected: Expected<'_>) -> Result<Assertion, Refusal> {
        let _ = (saml_response, expected);
        Err(Refusal::new(Reason::Internal, "reading responses is not built yet"))
    }
}
