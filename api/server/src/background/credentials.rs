//! Keeps that credentials of SCIM clients were used for the first time, come to their end, or have;
//! and shows when each ends.

use super::job::{Incomplete, Job};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::credential::{CredentialCommand, Purpose};
use rollcall_domain::ids::{CredentialId, ExchangeId, OrganizationId};
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{Organization, OrganizationCommand, OrganizationError};
use rollcall_door::App;
use rollcall_engine::{ExecuteError, Order};
use rollcall_projections::credentials::CredentialRow;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often they are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Looks at all credentials at each pass.
#[derive(Debug, Default)]
pub struct Credentials {
    /// Those whose first use is kept, as far as this process has seen to it.
    noted: BTreeSet<CredentialId>,
}

impl Job for Credentials {
    const NAME: &'static str = "credentials";

    fn pause(&self) -> Duration {
        LOOK
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let rows = app.credentials.not_revoked(Purpose::Scim).await.map_err(Incomplete::all)?;
        let now = app.engine.clock.now();
        let mut failed = 0;
        let mut ending = BTreeSet::new();
        for row in &rows {
            if let Some(end) = row.expires {
                show(row, end.timestamp());
                // What is far from its end is not asked about.
                if end - now <= chrono::Duration::days(61) {
                    ending.insert(row.organization);
                }
            }
            if let Some(exchange) = row.first_used_exchange
                && !self.noted.contains(&row.id)
            {
                let used = CredentialCommand::NoteUse { credential: row.id };
                match told(app, row.organization, used, Some(exchange)).await {
                    true => _ = self.noted.insert(row.id),
                    false => failed += 1,
                }
            }
        }
        for organization in ending {
            let ends = CredentialCommand::NoteEnds;
            failed += usize::from(!told(app, organization, ends, None).await);
        }
        Incomplete::unless_none(failed)
    }
}

fn show(row: &CredentialRow, end: i64) {
    metrics::gauge!("rollcall_credential_end_seconds", "organization" => row.organization.to_string(), "credential" => row.id.to_string(), "kind" => row.proof.kind())
        .set(end as f64);
}

/// False if it could not be kept. What is no news is no event.
async fn told(
    app: &App,
    organization: OrganizationId,
    command: CredentialCommand,
    exchange: Option<ExchangeId>,
) -> bool {
    let ends = matches!(command, CredentialCommand::NoteEnds);
    match note(app, organization, command, exchange).await {
        Ok(news) => {
            if news && ends {
                tracing::warn!(%organization, "a credential of the SCIM connection comes to its end, or has: rollcall scim credential list");
            }
            true
        }
        Err(error) => {
            tracing::warn!(%organization, %error, "what became of a credential could not be kept");
            false
        }
    }
}

async fn note(
    app: &App,
    organization: OrganizationId,
    command: CredentialCommand,
    exchange: Option<ExchangeId>,
) -> Result<bool, ExecuteError<OrganizationError>> {
    let order = Order::<Organization>::unasked(
        StreamId { organization, kind: AggregateKind::Organization, id: organization.0 },
        OrganizationCommand::Credential(command),
        Context::new(app.engine.clock.now(), Actor::System, exchange),
    );
    Ok(app.engine.execute(order).await?.appended.positions.is_some())
}
