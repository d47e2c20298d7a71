//! A client that shows a secret (RFC 6749 section 2.3.1).

use crate::refusal::Refusal;
use chrono::{DateTime, Utc};
use rollcall_domain::credential::Proof;
use rollcall_engine::secrets::{same, sha256_hex};
use rollcall_projections::credentials::CredentialRow;

/// Which of its secrets it was, and when that ends.
#[derive(Debug)]
pub struct Shown {
    /// The beginning of its SHA-256.
    pub name: String,
    /// From when on it is refused.
    pub expires: Option<DateTime<Utc>>,
}

/// Checks a secret against each that the client has, in a time that tells nothing of them: they
/// are hashes of 256 random bits.
///
/// # Errors
/// If it is none of them, or its time is over.
pub fn check(client: &CredentialRow, secret: &str, now: DateTime<Utc>) -> Result<Shown, Refusal> {
    let Proof::ClientSecret { .. } = client.proof else {
        return Err(Refusal::invalid_client("this client shows who it is otherwise"));
    };
    let sha256 = sha256_hex(secret);
    let mut shown = None;
    for known in &client.secrets.0 {
        if same(&sha256, &known.sha256) {
            shown = Some(known);
        }
    }
    let known = shown.ok_or_else(|| Refusal::invalid_client("the secret is wrong, or retired"))?;
    if !known.is_live(now) {
        return Err(Refusal::invalid_client("the secret has come to its end"));
    }
    let name = CredentialRow::secret_name(&known.sha256).to_owned();
    Ok(Shown { name, expires: known.expires_at })
}
