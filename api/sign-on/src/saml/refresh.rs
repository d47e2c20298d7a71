//! Follows an identity provider's metadata: when asked, on a schedule, and once when a signature
//! names a key that is not known.

use super::SignOn;
use super::addresses::Addresses;
use super::call::Call;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{
    Organization, OrganizationCommand, OrganizationError, SamlCommand,
};
use rollcall_door::App;
use rollcall_engine::{ExecuteError, Judgement, Order, Visible};
use rollcall_outbound::{Bounds, FetchError, fetch};
use rollcall_saml::metadata::{IdpMetadata, MAX_BYTES, parse};
use rollcall_saml::{MetadataError, ServiceProvider};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How much metadata is fetched, and for how long.
const BOUNDS: Bounds = Bounds { bytes: MAX_BYTES, patience: Duration::from_secs(15) };

/// Why metadata was not followed. The old settings stay.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// A document was given, or nothing at all: there is nothing to fetch.
    #[error("there is no metadata URL: the metadata was given as a document, or not at all")]
    NoUrl,
    /// It could not be fetched.
    #[error("the metadata URL: {0}")]
    Fetch(#[from] FetchError),
    /// It cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// It is not what may be followed.
    #[error(transparent)]
    Refused(#[from] OrganizationError),
    /// Our own trouble.
    #[error("{0}")]
    Unavailable(String),
}

impl From<ExecuteError<OrganizationError>> for RefreshError {
    fn from(error: ExecuteError<OrganizationError>) -> Self {
        match error {
            ExecuteError::Judged(Visible { what: Judgement::Refused(refusal), .. }) => {
                refusal.into()
            }
            error => Self::Unavailable(error.to_string()),
        }
    }
}

/// What the last refresh of each organization failed of. Of this process only: a failure that
/// repeats itself is no event, and one that does not is no matter.
#[derive(Debug, Default)]
pub struct Failures(Mutex<HashMap<OrganizationId, (DateTime<Utc>, String)>>);

impl Failures {
    fn note(
        &self,
        organization: OrganizationId,
        at: DateTime<Utc>,
        outcome: &Result<bool, RefreshError>,
    ) {
        let mut known = self.0.lock().unwrap_or_else(|e| e.into_inner());
        match outcome {
            Ok(_) => known.remove(&organization),
            Err(error) => known.insert(organization, (at, error.to_string())),
        };
    }

    /// When and why the last refresh failed; nothing if it went well.
    pub fn of(&self, organization: OrganizationId) -> Option<(DateTime<Utc>, String)> {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).get(&organization).cloned()
    }

    /// The settings were given anew.
    pub fn forget(&self, organization: OrganizationId) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).remove(&organization);
    }
}

/// Fetches and checks a metadata document.
pub async fn load(door: &SignOn, url: &str) -> Result<IdpMetadata, RefreshError> {
    let document = fetch(url, &door.guard, BOUNDS).await?;
    check(&door.app, document).await
}

/// Checks a metadata document: work for the processor.
pub async fn check(app: &App, document: Vec<u8>) -> Result<IdpMetadata, RefreshError> {
    let now = app.engine.clock.now();
    let read = tokio::task::spawn_blocking(move || parse(&document, now)).await;
    Ok(read.map_err(|e| RefreshError::Unavailable(e.to_string()))??)
}

/// Follows the metadata of an organization's identity provider: what it says now is handed to
/// `tell`, which says whether it led to anything.
///
/// # Errors
/// If it could not be followed. The failure is noted.
pub async fn follow(
    door: &SignOn,
    organization: OrganizationId,
    tell: impl AsyncFnOnce(SamlCommand) -> Result<bool, RefreshError>,
) -> Result<bool, RefreshError> {
    let app = &door.app;
    let connection = app
        .connections
        .of(organization)
        .await
        .map_err(|e| RefreshError::Unavailable(e.to_string()))?;
    let url = connection.and_then(|c| c.settings.metadata_url).ok_or(RefreshError::NoUrl)?;
    let outcome = match load(door, &url).await {
        Ok(metadata) => tell(SamlCommand::Refresh { idp: metadata.settings }).await,
        Err(error) => Err(error),
    };
    door.failures.note(organization, app.engine.clock.now(), &outcome);
    let label = if outcome.is_ok() { "ok" } else { "failed" };
    metrics::counter!("rollcall_saml_refreshes_total", "organization" => organization.to_string(), "outcome" => label).increment(1);
    outcome
}

/// The same of our own accord.
///
/// # Errors
/// As [`follow`].
pub async fn refresh(door: &SignOn, organization: OrganizationId) -> Result<bool, RefreshError> {
    follow(door, organization, async |command| tell(&door.app, organization, command).await).await
}

/// Runs a command of ours on a connection. True if it led to anything.
pub async fn tell(
    app: &App,
    organization: OrganizationId,
    command: SamlCommand,
) -> Result<bool, RefreshError> {
    let order = Order::<Organization>::unasked(
        StreamId { organization, kind: AggregateKind::Organization, id: organization.0 },
        OrganizationCommand::Saml(command),
        Context::new(app.engine.clock.now(), Actor::System, None),
    );
    Ok(app.engine.execute(order).await?.appended.positions.is_some())
}

/// A signature names a key that is not known: perhaps it is new. At most once a minute for each
/// organization, because anybody can send such a message. Gives the new service provider if the
/// metadata changed.
pub async fn after_unknown_key(call: &Call) -> Option<Arc<ServiceProvider>> {
    let (app, door, organization) = (&call.app, &call.door, call.organization.id);
    if !door.refetches.admits(organization) {
        return None;
    }
    match refresh(door, organization).await {
        Ok(true) => {}
        Ok(false) => return None,
        Err(error) => {
            tracing::warn!(%organization, %error, "metadata was not refreshed after an unknown key");
            return None;
        }
    }
    let connection = app.connections.of(organization).await.ok()??;
    let policy = &connection.settings.policy;
    let addresses = Addresses::of(&app.public_url, &call.organization.domain, policy);
    door.providers.of(&connection, &addresses, &app.deployment_key).ok()
}
