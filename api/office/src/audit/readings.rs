//! How the exchanges behind events were read.

use super::events::EventBody;
use super::exchanges::ExchangeSummary;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_door::App;
use rollcall_door::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// A liberty taken to read a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// Its name, such as `string-boolean`.
    pub reading: String,
    /// Where in the request.
    pub at: String,
}

/// Adds to each event how its exchange was read.
pub async fn add(app: &App, organization: OrganizationId, events: &mut [EventBody]) -> Result<(), Refusal> {
    let mut known: HashMap<ExchangeId, Vec<Reading>> = HashMap::new();
    for event in events {
        let Some(id) = event.exchange.map(ExchangeId) else { continue };
        event.readings = match known.get(&id) {
            Some(readings) => readings.clone(),
            None => {
                let found = exchange(app, organization, id).await?;
                let readings = found.map(|x| serde_json::from_value(x.interpretations)).transpose();
                let readings: Vec<Reading> = readings.map_err(|e| Refusal::unavailable(&e))?.unwrap_or_default();
                known.insert(id, readings.clone());
                readings
            }
        };
    }
    Ok(())
}

/// The exchange with this id, folded first if it is not there yet.
pub async fn exchange(app: &App, organization: OrganizationId, id: ExchangeId) -> Result<Option<ExchangeSummary>, Refusal> {
    let get = async || app.exchanges.get(organization, id).await.map_err(Refusal::from);
    if let Some(row) = get().await? {
        return Ok(Some(row.into()));
    }
    // Nobody waits for exchanges to be folded but who looks at them.
    app.engine.folder.fold(organization).await?;
    Ok(get().await?.map(ExchangeSummary::from))
}
