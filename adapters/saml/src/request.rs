//! Authentication requests, on the redirect binding.

use crate::provider::ServiceProvider;
use chrono::{DateTime, Utc};

/// What a caller may ask for with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthnOptions<'a> {
    /// Comes back with the response: an opaque key of the caller's, at most 80 bytes.
    pub relay_state: Option<&'a str>,
    /// Whom the identity provider may suggest; passed on as `login_hint`.
    pub login_hint: Option<&'a str>,
    /// Asks the identity provider to ask the person again.
    pub force_authn: bool,
}

/// Why a message cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// An id that is no xs:ID, or can be guessed: it begins with a letter or underscore and has 20 characters or more.
    #[error("the id of a message begins with a letter or '_' and has at least 20 characters")]
    Id,
    /// RelayState longer than the binding allows.
    #[error("RelayState has at most 80 bytes")]
    RelayState,
    /// Signing was asked for and there is no key.
    #[error("there is no key to sign with")]
    NoKey,
    /// The identity provider takes no part in single logout.
    #[error("the identity provider has no logout address")]
    NoLogoutUrl,
    /// The cryptographic library failed.
    #[error("signing failed: {0}")]
    Signing(String),
}

impl ServiceProvider {
    /// The address to send a browser to for signing in. `id` is the request's id: at least 128
    /// random bits, beginning with a letter or an underscore; the caller binds it to the browser.
    pub fn authn_request(&self, id: &str, now: DateTime<Utc>, options: &AuthnOptions<'_>) -> Result<String, MessageError> {
        let _ = (id, now, options);
        Err(MessageError::Signing("writing requests is not built yet".to_owned()))
    }
}
