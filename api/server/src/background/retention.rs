//! Retention: the bodies of exchanges go after a while, if the configuration says so. Records and
//! everything else of an exchange stay for ever.

use super::job::{Incomplete, Job};
use chrono::TimeDelta;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{ExchangeNumber, LogError};
use rollcall_door::App;
use std::collections::HashMap;
use std::time::Duration;

/// Exchanges looked at in one transaction.
const STEP: u64 = 500;
/// How long to wait between two passes.
const PAUSE: Duration = Duration::from_secs(60);

/// Why the bodies of an organization could not be dropped.
#[derive(Debug, thiserror::Error)]
enum DropError {
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Drops bodies that were kept long enough.
pub struct Retention {
    keep: TimeDelta,
    /// How far earlier passes came.
    passed: HashMap<OrganizationId, ExchangeNumber>,
}

impl Retention {
    /// Bodies are kept for so many seconds.
    pub fn new(keep: u64) -> Self {
        // Longer than time is counted is for ever.
        let keep =
            i64::try_from(keep).ok().and_then(TimeDelta::try_seconds).unwrap_or(TimeDelta::MAX);
        Self { keep, passed: HashMap::new() }
    }
}

impl Job for Retention {
    const NAME: &'static str = "retention";

    fn pause(&self) -> Duration {
        PAUSE
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let mut failed = 0;
        for (organization, _) in app.engine.log.heads().await.map_err(Incomplete::all)? {
            let from = self.passed.entry(organization).or_default();
            if let Err(error) = drop_bodies(app, organization, self.keep, from).await {
                tracing::warn!(%organization, %error, "bodies cannot be dropped now");
                failed += 1;
            }
        }
        Incomplete::unless_none(failed)
    }
}

async fn drop_bodies(
    app: &App,
    organization: OrganizationId,
    keep: TimeDelta,
    from: &mut ExchangeNumber,
) -> Result<(), DropError> {
    let Some(before) = app.engine.clock.now().checked_sub_signed(keep) else { return Ok(()) };
    let last = app.exchanges.last_before(organization, before).await?;
    while *from < last {
        let through = last.min(*from + STEP);
        let dropped = app.engine.log.drop_bodies(organization, *from, through).await?;
        metrics::counter!("rollcall_dropped_bodies_total").increment(dropped);
        *from = through;
    }
    Ok(())
}
