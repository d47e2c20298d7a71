//! How the exchanges behind events were read.

use super::exchange_summary::summary;
use rollcall_contract::events::{EventBody, Reading};
use rollcall_contract::exchanges::ExchangeSummary;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_door::App;
use rollcall_door::Refusal;
use std::collections::HashMap;

/// Adds to each event how its exchange was read.
pub async fn add(
    app: &App,
    organization: OrganizationId,
    events: &mut [EventBody],
) -> Result<(), Refusal> {
    let mut known: HashMap<ExchangeId, Vec<Reading>> = HashMap::new();
    for event in events {
        let Some(id) = event.exchange.map(ExchangeId) else { continue };
        event.readings = match known.get(&id) {
            Some(readings) => readings.clone(),
            None => {
                let found = exchange(app, organization, id).await?;
                let readings = found.map(|x| serde_json::from_value(x.interpretations)).transpose();
                let readings: Vec<Reading> =
                    readings.map_err(|e| Refusal::unavailable(&e))?.unwrap_or_default();
                known.insert(id, readings.clone());
                readings
            }
        };
    }
    Ok(())
}

/// The exchange with this id.
pub async fn exchange(
    app: &App,
    organization: OrganizationId,
    id: ExchangeId,
) -> Result<Option<ExchangeSummary>, Refusal> {
    Ok(app.exchanges.get(organization, id).await?.map(summary))
}
