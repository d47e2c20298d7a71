//! The ledgers of a deployment: who signs them, and where what was signed is kept.

use rollcall_contract::ledger::{SignedCheckpoint, Verdict};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{LogError, stored};
use rollcall_door::{App, Refusal};
use rollcall_evidence::Signer;
use rollcall_evidence::audit::Audit;
use rollcall_evidence::grove::Grove;
use rollcall_evidence::seen::{self, Folder, Seen};
use rollcall_evidence::signed::{self, NotSigned, PURPOSE, Signed};
use rollcall_evidence::statement::StatementError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// What routes of the ledger share.
#[derive(Clone)]
pub struct Ledgers {
    groves: Arc<Mutex<HashMap<OrganizationId, Arc<Mutex<Grove>>>>>,
    /// One permit: an audit reads everything.
    pub auditing: Arc<Semaphore>,
}

impl Default for Ledgers {
    fn default() -> Self {
        Self { groves: Arc::default(), auditing: Arc::new(Semaphore::new(1)) }
    }
}

impl Ledgers {
    /// The nodes of an organization's tree.
    pub async fn grove(&self, organization: OrganizationId) -> Arc<Mutex<Grove>> {
        self.groves.lock().await.entry(organization).or_default().clone()
    }
}

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It cannot be signed.
    #[error("the checkpoint cannot be signed: {0}")]
    Statement(#[from] StatementError),
    /// It cannot be kept.
    #[error("the checkpoint cannot be kept: {0}")]
    Io(#[from] std::io::Error),
}

impl From<NotSigned> for CheckpointError {
    fn from(error: NotSigned) -> Self {
        match error {
            NotSigned::Log(error) => Self::Log(error),
            NotSigned::Statement(error) => Self::Statement(error),
        }
    }
}

impl From<CheckpointError> for Refusal {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Log(error) => error.into(),
            error => Self::unavailable(&error),
        }
    }
}

/// Who signs the ledger of an organization: the deployment, for each under its own origin.
pub fn signer(app: &App, organization: OrganizationId) -> Result<Signer, StatementError> {
    signed::signer(&app.public_url, &app.deployment_key.derived(PURPOSE), organization)
}

/// Signs the tree as it is now.
pub async fn sign(app: &App, organization: OrganizationId) -> Result<Signed, CheckpointError> {
    Ok(signed::sign(&*app.engine.log, &signer(app, organization)?, organization).await?)
}

/// Signs the tree as it is now for an answer that leaves, and keeps what was signed.
pub async fn carried(
    app: &App,
    organization: OrganizationId,
) -> Result<SignedCheckpoint, CheckpointError> {
    let signed = sign(app, organization).await?;
    keep(app, &signed.note, &signed.key)?;
    Ok(signed.carried())
}

/// Where this process keeps what it has signed: beside the log, but not in it. None where it has
/// no data folder.
pub fn folder(app: &App) -> Option<Folder> {
    let data = &app.config.data;
    (!data.as_os_str().is_empty()).then(|| Folder::new(data.join("ledger")))
}

/// Keeps a checkpoint that was signed.
pub fn keep(app: &App, note: &str, key: &str) -> Result<(), CheckpointError> {
    let Some(folder) = folder(app) else { return Ok(()) };
    folder.keep(&Seen { checkpoint: note.to_owned(), key: key.to_owned() })?;
    Ok(())
}

/// Audits the log of an organization against what was signed of it; waits between two steps if
/// others are to come first.
pub async fn audit(
    app: &App,
    organization: OrganizationId,
    pause: Option<Duration>,
) -> Result<Verdict, CheckpointError> {
    let signer = signer(app, organization)?;
    let kept = match folder(app) {
        Some(folder) => folder.of(signer.origin())?,
        None => Vec::new(),
    };
    let (earlier, unsigned) = seen::statements(&kept, &signer.verifier().to_string());
    let log = stored(&app.engine.log);
    let mut audit = Audit::begin(&*log, organization, earlier).await?;
    while audit.step().await? {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
    let verdict = audit.finish(unsigned).await?;
    let findings = verdict.findings.len() as u64 + verdict.more;
    metrics::gauge!("rollcall_ledger_findings", "organization" => organization.to_string())
        .set(findings as f64);
    metrics::gauge!("rollcall_ledger_audited_seconds", "organization" => organization.to_string())
        .set(app.engine.clock.now().timestamp() as f64);
    if let Some(first) = verdict.findings.first() {
        tracing::error!(
            %organization, kind = first.kind.as_str(), number = first.number, findings,
            "the log is not what its ledger says: rollcall ledger audit"
        );
    }
    Ok(verdict)
}
