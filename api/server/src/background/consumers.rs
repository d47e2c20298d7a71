//! How far behind consumers are, for whoever is to be told when one does not come any more.

use super::job::{Incomplete, Job};
use rollcall_domain::consumer::{ConsumerState, Stopped};
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::{LogError, Position};
use rollcall_door::App;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often it is measured.
const LOOK: Duration = Duration::from_secs(10);

/// The states that are counted.
const STATES: [ConsumerState; 3] =
    [ConsumerState::Active, ConsumerState::Paused, ConsumerState::Stopped(Stopped::Gone)];

/// Measures how far all consumers have come.
#[derive(Debug, Default)]
pub struct Followers {
    /// Those that were measured at the last pass.
    known: BTreeSet<(OrganizationId, ConsumerId)>,
}

impl Job for Followers {
    const NAME: &'static str = "consumers";

    fn pause(&self) -> Duration {
        LOOK
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let rows = app.consumers.everybody().await.map_err(Incomplete::all)?;
        let places = app.places.all().await.map_err(Incomplete::all)?;
        let places: BTreeMap<_, _> =
            places.iter().map(|place| ((place.organization, place.consumer), place)).collect();
        let mut counts: BTreeMap<(OrganizationId, &str), u32> = BTreeMap::new();
        let mut failed = BTreeSet::new();
        let now: BTreeSet<_> = rows.iter().map(|row| (row.organization, row.id)).collect();
        for row in &rows {
            for state in STATES {
                let is_it = u32::from(state.as_str() == row.state.as_str());
                *counts.entry((row.organization, state.as_str())).or_default() += is_it;
            }
            let place = places.get(&(row.organization, row.id));
            let reached = place.map_or(0, |place| place.reached()).max(row.way.start());
            match lag(app, row.organization, reached).await {
                Ok(lag) => show(row.organization, row.id, lag),
                Err(error) => {
                    tracing::warn!(organization = %row.organization, %error, "how far a consumer is behind cannot be told");
                    failed.insert(row.organization);
                }
            }
        }
        for ((organization, state), count) in counts {
            let organization = organization.to_string();
            metrics::gauge!("rollcall_consumers", "organization" => organization, "state" => state)
                .set(f64::from(count));
        }
        let parked = app.places.parked_counts().await.map_err(Incomplete::all)?;
        let parked: BTreeMap<_, _> =
            parked.iter().map(|row| ((row.organization, row.consumer), row.count)).collect();
        for (of, consumer) in &now {
            show_parked(*of, *consumer, parked.get(&(*of, *consumer)).copied().unwrap_or(0));
        }
        // Whoever was removed is not behind.
        for (of, consumer) in self.known.difference(&now) {
            show(*of, *consumer, (0, 0.0));
            show_parked(*of, *consumer, 0);
        }
        self.known = now;
        Incomplete::unless_none(failed.len())
    }
}

/// Records after a position, and how many seconds ago the first of them was recorded.
async fn lag(
    app: &App,
    organization: OrganizationId,
    reached: Position,
) -> Result<(u64, f64), LogError> {
    let head = app.engine.log.head(organization).await?.position;
    let first = app.engine.log.records(organization, reached, 1).await?.pop();
    let age = first.map(|first| app.engine.clock.now() - first.recorded_at);
    let seconds = age.map_or(0.0, |age| age.as_seconds_f64().max(0.0));
    Ok((head.saturating_sub(reached), seconds))
}

fn show(organization: OrganizationId, consumer: ConsumerId, (records, seconds): (u64, f64)) {
    let (organization, consumer) = (organization.to_string(), consumer.to_string());
    metrics::gauge!("rollcall_consumer_lag_records", "organization" => organization.clone(), "consumer" => consumer.clone())
        .set(records as f64);
    metrics::gauge!("rollcall_consumer_lag_seconds", "organization" => organization, "consumer" => consumer)
        .set(seconds);
}

fn show_parked(organization: OrganizationId, consumer: ConsumerId, count: u64) {
    let (organization, consumer) = (organization.to_string(), consumer.to_string());
    metrics::gauge!("rollcall_parked_deliveries", "organization" => organization, "consumer" => consumer)
        .set(count as f64);
}
