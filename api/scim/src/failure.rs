//! What the client is told of our own trouble (RFC 7644 section 3.12).

use rollcall_domain::scim::ScimError;

/// What the client is told when something of ours is broken: never a 4xx, for Entra must retry.
pub fn damaged(what: &str) -> ScimError {
    tracing::error!(what, "cannot answer");
    ScimError::unavailable(
        "the server cannot answer this now; nothing was changed, try again later".to_owned(),
    )
}

/// Our own trouble with a store.
pub fn unavailable(doing: &str, error: &dyn std::fmt::Display) -> ScimError {
    tracing::warn!(doing, %error, "store is away");
    ScimError::unavailable("the store cannot be reached at the moment; try again later".to_owned())
}
