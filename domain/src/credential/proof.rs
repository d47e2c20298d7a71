//! How the holder of a credential proves to be it.

use serde::{Deserialize, Serialize};

/// How the holder of a credential proves to be it. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Proof {
    /// By a bearer token that is sent with each request (RFC 6750).
    Token {
        /// SHA-256 of the token, in lower-case hex.
        sha256: String,
    },
    /// By a secret that is exchanged for access tokens (RFC 6749 section 4.4); the client id is the
    /// credential's.
    ClientSecret {
        /// SHA-256 of the first secret, in lower-case hex.
        sha256: String,
    },
    /// By assertions that it signs with a key of its own (RFC 7523 section 2.2).
    PrivateKeyJwt {
        /// Where its public keys are.
        keys: KeySource,
    },
    /// By assertions of another issuer about it (workload identity federation). Each must be equal.
    Federated {
        /// `iss`
        issuer: String,
        /// `tid`
        tenant: String,
        /// `sub`
        subject: String,
        /// One of them must be `aud`.
        audiences: Vec<String>,
        /// `azp`; not looked at, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorized_party: Option<String>,
    },
}

impl Proof {
    /// The stable name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Proof::Token { .. } => "token",
            Proof::ClientSecret { .. } => "client-secret",
            Proof::PrivateKeyJwt { .. } => "private-key-jwt",
            Proof::Federated { .. } => "federated",
        }
    }

    /// SHA-256 of the secret it was issued with, if there is one.
    pub fn sha256(&self) -> Option<&str> {
        match self {
            Proof::Token { sha256 } | Proof::ClientSecret { sha256 } => Some(sha256),
            Proof::PrivateKeyJwt { .. } | Proof::Federated { .. } => None,
        }
    }
}

/// Where the public keys of a client are (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// They are fetched.
    Url(String),
    /// They were given as a document.
    Document(String),
}
