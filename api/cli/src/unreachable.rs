//! That nobody answers.

/// Nobody answers where the command looked for the server.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach the server at {0}: is it running? Name it with --url")]
pub struct Unreachable(String);

impl Unreachable {
    /// Nobody answers there.
    pub fn at(base: impl Into<String>) -> Self {
        Self(base.into())
    }
}
