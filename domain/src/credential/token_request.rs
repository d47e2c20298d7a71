//! What is kept of a request for an access token, beside the exchange: never what it proved itself
//! with.

use super::assertion::Seen;
use crate::ids::CredentialId;
use serde::{Deserialize, Serialize};

/// How a client showed who it is (RFC 8414 section 2, `token_endpoint_auth_methods_supported`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// With id and secret in `Authorization: Basic` (RFC 6749 section 2.3.1).
    ClientSecretBasic,
    /// With id and secret in the body.
    ClientSecretPost,
    /// With an assertion of its own, or of an issuer that is trusted (RFC 7523 section 2.2).
    PrivateKeyJwt,
}

impl ClientAuthentication {
    /// All of them.
    pub const ALL: [Self; 3] =
        [Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt];

    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// What a request for an access token was about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRequest {
    /// The client it named, if there is such a one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<CredentialId>,
    /// How it showed to be that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<ClientAuthentication>,
    /// Which secret it had, if it was a right one: the beginning of its SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The assertion that it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Seen>,
}
