//! What is sealed in a backup, read with the keys that came with it.

use super::Line;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_contract::backup::{BackupLine, NotABackup, SEALED_FORMAT};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{DataKey, KeyId, Log, Record, Sealed, Wrapped};
use rollcall_door::Refusal;
use std::sync::Arc;

/// What is told of a file that is none.
pub(super) fn refused(why: NotABackup) -> Refusal {
    Refusal::bad_request(format!("this is not a backup that can be restored: {why}"))
}

fn without_keys() -> Refusal {
    Refusal::bad_request(
        "what is sealed cannot be opened: the keys of this backup are missing, or of another log; give the file of `backup --keys-to` with --keys",
    )
}

/// Opens the lines of a backup. Its keys are kept in memory only.
pub(super) struct Opening {
    keys: Option<Arc<dyn Sealed>>,
    format: u32,
}

impl Opening {
    /// As a log would that has none of these keys yet.
    pub fn of(log: &dyn Log) -> Self {
        Self { keys: log.sealed().map(Sealed::apart), format: 0 }
    }

    /// Whether what is in the backup is sealed: before, nothing was.
    pub fn is_sealed(&self) -> bool {
        self.format >= SEALED_FORMAT
    }

    /// Takes what a line says of how those behind it are to be read.
    pub async fn learn(&mut self, line: &Line) -> Result<(), Refusal> {
        match line {
            BackupLine::Begin { format, .. } => self.format = *format,
            BackupLine::OrganizationKey { organization, wrapped, .. } => {
                let (of, key) = (OrganizationId(*organization), Wrapped(wrapped.clone()));
                let keys = self.keys()?;
                keys.check(of, &key).map_err(|e| Refusal::bad_request(e.to_string()))?;
                keys.keys().organization(of, key).await?;
            }
            BackupLine::DataKeys { organization, keys, .. } => {
                let of = OrganizationId(*organization);
                let restored = self.keys()?.keys().restore(of, data_keys(keys)).await;
                restored.map_err(|_| without_keys())?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a line can be read.
    pub async fn check(&mut self, line: Line, number: u64) -> Result<(), Refusal> {
        self.learn(&line).await?;
        match line {
            BackupLine::Record { record } => self.record(&record).await.map(drop),
            BackupLine::Exchange { mut exchange, request, answer, .. } => {
                bodies(&mut exchange, &request, &answer, number)?;
                self.exchange(&mut exchange).await
            }
            _ => Ok(()),
        }
    }

    /// A record as readers see it.
    pub async fn record(&self, record: &Record) -> Result<Record, Refusal> {
        if !self.is_sealed() {
            return Ok(record.clone());
        }
        self.keys()?.open(record.clone()).await.map_err(|_| without_keys())
    }

    /// An exchange as readers see it.
    pub async fn exchange(&self, exchange: &mut Exchange) -> Result<(), Refusal> {
        if !self.is_sealed() {
            return Ok(());
        }
        self.keys()?.open_exchange(exchange).await.map_err(|_| without_keys())
    }

    fn keys(&self) -> Result<&dyn Sealed, Refusal> {
        let none = || Refusal::bad_request("this log seals nothing, and the backup is sealed");
        self.keys.as_deref().ok_or_else(none)
    }
}

/// Keys as a line has them.
pub(super) fn data_keys(keys: &[(u64, Option<String>)]) -> Vec<(KeyId, DataKey)> {
    let state = |key: &Option<String>| {
        key.clone().map_or(DataKey::Erased, |key| DataKey::Living(Wrapped(key)))
    };
    keys.iter().map(|(id, key)| (KeyId(*id), state(key))).collect()
}

/// Gives an exchange the bodies that stand beside it.
pub(super) fn bodies(
    exchange: &mut Exchange,
    request: &str,
    answer: &str,
    number: u64,
) -> Result<(), Refusal> {
    let what = "a body";
    let bad = |_| refused(NotABackup::Damaged { line: number, what });
    exchange.request_body = BASE64.decode(request).map_err(bad)?;
    exchange.answer_body = BASE64.decode(answer).map_err(bad)?;
    Ok(())
}
