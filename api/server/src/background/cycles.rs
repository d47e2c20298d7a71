//! Keeps that the sync cycles of an organization fell silent, came further and
//! further apart, or came back. The metrics tell it too, but only to whoever asks in time.

use super::job::{Incomplete, Job};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{Organization, OrganizationCommand, OrganizationError};
use rollcall_domain::run::{Noticed, Pulse};
use rollcall_domain::sql::SqlError;
use rollcall_door::App;
use rollcall_engine::{ExecuteError, Order};
use rollcall_projections::fold::FoldError;
use std::collections::HashMap;
use std::time::Duration;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Why it could not be kept.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error(transparent)]
    Views(#[from] SqlError),
    #[error(transparent)]
    Execute(#[from] ExecuteError<OrganizationError>),
}

/// Looks at the rhythms of all organizations.
#[derive(Debug, Default)]
pub struct Cycles {
    /// How the cycles of each come, as far as this process has seen to it that it is kept.
    known: HashMap<OrganizationId, Pulse>,
}

impl Job for Cycles {
    const NAME: &'static str = "cycles";

    fn pause(&self) -> Duration {
        LOOK
    }

    /// What was on its way while no server ran comes first.
    fn first(&self) -> Duration {
        LOOK
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        if app.audit.folder().is_outdated() {
            return Ok(());
        }
        let now = app.engine.clock.now();
        let mut failed = 0;
        for (organization, rhythm) in
            app.audit.as_far_as_folded().runs.rhythms().await.map_err(Incomplete::all)?
        {
            if rhythm
                .noticed(now)
                .is_none_or(|noticed| self.known.get(&organization) == Some(&noticed.state))
            {
                continue;
            }
            match keep(app, organization).await {
                Ok(kept) => self.known.extend(kept.map(|state| (organization, state))),
                Err(error) => {
                    tracing::warn!(%organization, %error, "how the cycles come could not be kept");
                    failed += 1;
                }
            }
        }
        Incomplete::unless_none(failed)
    }
}

/// Looks again, with everything folded that came until now, and keeps what is news. Gives what is
/// known then.
async fn keep(app: &App, organization: OrganizationId) -> Result<Option<Pulse>, KeepError> {
    let rhythm = app.audit.of(organization).await?.runs.rhythm(organization).await?;
    let Some(noticed) = rhythm.and_then(|rhythm| rhythm.noticed(app.engine.clock.now())) else {
        return Ok(None);
    };
    if note(app, organization, noticed.clone()).await? {
        let (state, last) = (noticed.state.as_str(), noticed.last_cycle_at);
        match noticed.state {
            Pulse::Regular => {
                tracing::info!(%organization, state, %last, "the sync cycles come regularly again")
            }
            _ => {
                tracing::warn!(%organization, state, %last, "the sync cycles do not come as usual: rollcall runs rhythm")
            }
        }
    }
    Ok(Some(noticed.state))
}

/// True if it was news.
async fn note(
    app: &App,
    organization: OrganizationId,
    noticed: Noticed,
) -> Result<bool, ExecuteError<OrganizationError>> {
    let order = Order::<Organization>::unasked(
        StreamId { organization, kind: AggregateKind::Organization, id: organization.0 },
        OrganizationCommand::NoteRhythm(noticed),
        Context::new(app.engine.clock.now(), Actor::System, None),
    );
    Ok(app.engine.execute(order).await?.appended.positions.is_some())
}
