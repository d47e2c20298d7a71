//! Signs the ledgers: what was signed and seen by others cannot be taken back.

use super::job::{Incomplete, Job};
use rollcall_domain::ids::OrganizationId;
use rollcall_door::App;
use rollcall_office::ledgers;
use std::collections::HashMap;
use std::time::Duration;

/// How long to wait between two passes.
const PAUSE: Duration = Duration::from_secs(60);

/// Signs each ledger that has grown, and keeps what was signed.
#[derive(Default)]
pub struct Checkpoints {
    /// Leaves of the last one.
    signed: HashMap<OrganizationId, u64>,
}

impl Job for Checkpoints {
    const NAME: &'static str = "checkpoints";

    fn pause(&self) -> Duration {
        PAUSE
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let mut failed = 0;
        for (organization, head) in app.engine.log.heads().await.map_err(Incomplete::all)? {
            let size = head.position + head.exchange_number;
            if self.signed.get(&organization) == Some(&size) {
                continue;
            }
            let signed = ledgers::sign(app, organization).await.and_then(|signed| {
                ledgers::keep(app, &signed.note, &signed.key)?;
                Ok(signed.statement.size)
            });
            match signed {
                Ok(size) => drop(self.signed.insert(organization, size)),
                Err(error) => {
                    tracing::warn!(%organization, %error, "no checkpoint could be signed");
                    failed += 1;
                }
            }
        }
        if failed == 0 {
            metrics::gauge!("rollcall_ledger_checkpoint_seconds")
                .set(app.engine.clock.now().timestamp() as f64);
        }
        Incomplete::unless_none(failed)
    }
}
