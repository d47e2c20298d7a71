//! In the background: follows metadata, and warns before certificates end.

use super::refresh::{RefreshError, refresh, tell};
use crate::state::App;
use rollcall_domain::actor::Actor;
use rollcall_domain::organization::SamlCommand;
use rollcall_projections::saml::SamlConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the ends of certificates are looked at.
const LOOK: Duration = Duration::from_secs(3_600);

/// Runs until the server stops. Several servers may do the same: what changes nothing is no event.
pub async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    tokio::select! {
        () = forever(&app) => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}

async fn forever(app: &App) {
    let every = Duration::from_secs(app.config.saml_refresh_secs);
    let pause = if every.is_zero() { LOOK } else { every.min(LOOK) };
    let mut since_refresh = Duration::ZERO;
    loop {
        let due = !every.is_zero() && since_refresh >= every;
        since_refresh = if due { Duration::ZERO } else { since_refresh };
        match app.saml.connections.enabled().await {
            Ok(connections) => {
                for connection in connections {
                    look(app, &connection, due).await;
                }
            }
            Err(error) => tracing::warn!(%error, "SAML connections cannot be read"),
        }
        tokio::time::sleep(pause).await;
        since_refresh += pause;
    }
}

async fn look(app: &App, connection: &SamlConnection, due: bool) {
    let organization = connection.organization;
    if due && connection.settings.metadata_url.is_some() {
        match refresh(app, organization, Actor::System).await {
            Ok(changed) => tracing::debug!(%organization, changed, "metadata refreshed"),
            Err(error) => tracing::warn!(%organization, %error, "metadata was not refreshed; the old settings stay"),
        }
    }
    match tell(app, organization, Actor::System, SamlCommand::WarnOfCertificates).await {
        Ok(true) => tracing::warn!(%organization, "a certificate of single sign-on comes to its end: rollcall saml show"),
        Ok(false) | Err(RefreshError::Refused(_)) => {}
        Err(error) => tracing::warn!(%organization, %error, "the ends of certificates could not be looked at"),
    }
    let idp = connection.settings.certificates.values().map(|c| c.not_after).max().map(|end| ("identity-provider", end));
    let own = connection.settings.current_key().map(|k| ("service-provider", k.certificate.not_after));
    for (owner, end) in idp.into_iter().chain(own) {
        metrics::gauge!("rollcall_saml_certificate_end_seconds", "organization" => organization.to_string(), "owner" => owner)
            .set(end.timestamp() as f64);
    }
}
