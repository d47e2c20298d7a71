//! What all messages that we write have in common: their ids, and why one cannot be written.

/// Why a message cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// An id that is no xs:ID, or can be guessed: it begins with a letter or underscore and has 20
    /// characters or more.
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

/// An id that other readers accept and nobody guesses.
pub(crate) fn check_id(id: &str) -> Result<(), MessageError> {
    let begins = id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if begins && goes_on && (20..=256).contains(&id.len()) { Ok(()) } else { Err(MessageError::Id) }
}
