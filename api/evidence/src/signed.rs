//! The ledger of an organization as it is now, signed: what goes along with answers that leave.

use crate::statement::{self, Signer, Statement, StatementError};
use rollcall_contract::ledger::SignedCheckpoint;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Log, LogError};

/// What the key that signs is derived for: another purpose, another key.
pub const PURPOSE: &str = "signing checkpoints of ledgers";

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It cannot be signed.
    #[error("the checkpoint cannot be signed: {0}")]
    Statement(#[from] StatementError),
}

/// A checkpoint that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The note.
    pub note: String,
    /// What it says.
    pub statement: Statement,
    /// The key that verifies it.
    pub key: String,
}

impl Signed {
    /// As it goes along with an answer.
    pub fn carried(self) -> SignedCheckpoint {
        SignedCheckpoint { checkpoint: self.note, key: self.key }
    }
}

/// Who signs the ledger of an organization: the deployment, with a key from 32 secret bytes that
/// were derived for [`PURPOSE`], for each under its own origin.
///
/// # Errors
/// If the address makes no origin.
pub fn signer(
    public_url: &str,
    seed: &[u8; 32],
    organization: OrganizationId,
) -> Result<Signer, StatementError> {
    Signer::new(statement::origin(public_url, organization), seed)
}

/// Signs the tree as it is now.
///
/// # Errors
/// If the log cannot be read, or its head cannot be signed.
pub async fn sign(
    log: &dyn Log,
    signer: &Signer,
    organization: OrganizationId,
) -> Result<Signed, NotSigned> {
    let epoch = log.epoch().await?;
    let ledger = log.ledger_head(organization).await?;
    let statement = Statement::of(signer.origin(), &ledger, epoch);
    let note = signer.sign(&statement)?.to_string();
    Ok(Signed { note, statement, key: signer.verifier().to_string() })
}
