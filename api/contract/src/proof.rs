//! How a server shows that it knows the operator key, before anybody sends it one.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is put before the nonce, so that a proof of this is a proof of nothing else.
pub const ABOUT: &str = "rollcall: this server knows the operator key\n";

/// What is to be proved.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ProofOfServerQuery {
    /// 32 random bytes in hex, drawn by whoever asks.
    pub nonce: String,
}

/// The proof.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProofOfServer {
    /// HMAC-SHA256 of what it is about and the nonce, in lower-case hex, under the SHA-256 of the
    /// operator key in lower-case hex.
    pub proof: String,
}
