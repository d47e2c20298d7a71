//! Credentials that are a bearer token: issued, listed, revoked in one way, whomever they let in.
//! The secret is shown once.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rollcall_contract::keys::AccessKeyBody;
use rollcall_domain::credential::{CredentialCommand, CredentialIssued, Proof, Purpose};
use rollcall_domain::ids::{CredentialId, OrganizationId};
use rollcall_door::{App, Refusal};
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::credentials::CredentialRow;

/// A secret that is about to be issued.
pub struct New {
    /// Names the credential.
    pub credential: CredentialId,
    /// Shown this once.
    pub secret: String,
    /// Lets it in.
    pub command: CredentialCommand,
}

/// Draws a secret for a purpose.
pub fn draw(app: &App, purpose: Purpose, label: String, expires_at: Option<DateTime<Utc>>) -> New {
    let (credential, secret) =
        (app.engine.ids.credential(), app.engine.ids.secret(purpose.token_prefix()));
    let proof = Proof::Token { sha256: sha256_hex(&secret) };
    let command = CredentialCommand::Issue(CredentialIssued {
        credential,
        purpose,
        proof,
        label,
        expires_at,
    });
    New { credential, secret, command }
}

/// All credentials of an organization for a purpose, in the order of issue.
///
/// # Errors
/// If the views cannot be read.
pub async fn list(
    app: &App,
    organization: OrganizationId,
    purpose: Purpose,
) -> Result<Vec<CredentialRow>, Refusal> {
    // The last use comes from the exchanges, which nobody waits for when they only read.
    app.engine.folder.fold(organization).await?;
    Ok(app.credentials.list(organization, purpose).await?)
}

/// How a key is shown after it was issued.
pub fn body(row: CredentialRow, now: DateTime<Utc>) -> AccessKeyBody {
    AccessKeyBody {
        key_id: row.id.0,
        state: row.state(now).as_str().to_owned(),
        label: row.label,
        issued_at: row.issued,
        expires_at: row.expires,
        revoked_at: row.revoked,
        last_used_at: row.last_used,
    }
}

/// Revokes one, at once and on every server.
pub fn revoke(id: uuid::Uuid, purpose: Purpose) -> CredentialCommand {
    CredentialCommand::Revoke { credential: CredentialId(id), purpose }
}

/// What a revocation is answered.
pub const REVOKED: StatusCode = StatusCode::NO_CONTENT;
