//! Single logout, on the redirect binding.

use crate::provider::ServiceProvider;
use crate::request::MessageError;
use chrono::{DateTime, Utc};
use rollcall_domain::saml::{NameId, Reason, Refusal};

/// A verified request of the identity provider to end sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// Its id: our response names it, and it is used once.
    pub id: String,
    /// Whose sessions.
    pub name_id: NameId,
    /// Which sessions; all of them when empty.
    pub session_indexes: Vec<String>,
    /// To be given back with the response.
    pub relay_state: Option<String>,
}

/// A verified answer to our own logout request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutResponse {
    /// The request that it answers: one of those that were expected.
    pub in_response_to: String,
    /// Whether the identity provider signed the person out.
    pub success: bool,
    /// What we gave with the request.
    pub relay_state: Option<String>,
}

/// How a logout went on our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutStatus {
    /// No session is left.
    Success,
    /// The request was not understood or not allowed.
    Requester,
    /// It could not be done.
    Responder,
}

impl ServiceProvider {
    /// The address to send a browser to for signing out at the identity provider too.
    /// `id` as for an authentication request.
    pub fn logout_request(
        &self,
        id: &str,
        now: DateTime<Utc>,
        name_id: &NameId,
        session_index: Option<&str>,
        relay_state: Option<&str>,
    ) -> Result<String, MessageError> {
        let _ = (id, now, name_id, session_index, relay_state);
        Err(MessageError::Signing("writing logout requests is not built yet".to_owned()))
    }

    /// Reads a logout request from the query as it came, undecoded: its signature is over those bytes.
    pub fn read_logout_request(&self, raw_query: &str, now: DateTime<Utc>) -> Result<LogoutRequest, Refusal> {
        let _ = (raw_query, now);
        Err(Refusal::new(Reason::Internal, "reading logout requests is not built yet"))
    }

    /// The address to send a browser to with the answer to a logout request.
    pub fn logout_response(
        &self,
        id: &str,
        now: DateTime<Utc>,
        in_response_to: &str,
        status: LogoutStatus,
        relay_state: Option<&str>,
    ) -> Result<String, MessageError> {
        let _ = (id, now, in_response_to, status, relay_state);
        Err(MessageError::Signing("writing logout responses is not built yet".to_owned()))
    }

    /// Reads the answer to one of our logout requests from the query as it came, undecoded.
    pub fn read_logout_response(&self, raw_query: &str, now: DateTime<Utc>, requests: &[&str]) -> Result<LogoutResponse, Refusal> {
        let _ = (raw_query, now, requests);
        Err(Refusal::new(Reason::Internal, "reading logout responses is not built yet"))
    }
}
