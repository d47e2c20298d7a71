//! Follows metadata, and warns before certificates end.

use super::job::{Incomplete, Job};
use rollcall_domain::organization::SamlCommand;
use rollcall_door::App;
use rollcall_projections::saml::SamlConnection;
use rollcall_sign_on::SignOn;
use rollcall_sign_on::saml::refresh::{RefreshError, refresh, tell};
use std::sync::Arc;
use std::time::Duration;

/// How often the ends of certificates are looked at.
const LOOK: Duration = Duration::from_secs(3_600);

/// Follows metadata when it is due, and looks at the ends of certificates at each pass.
pub struct Certificates {
    sign_on: Arc<SignOn>,
    /// How often metadata is fetched; none if never.
    every: Option<Duration>,
    since_refresh: Duration,
}

impl Certificates {
    /// As configured.
    pub fn new(sign_on: Arc<SignOn>) -> Self {
        let every = Some(Duration::from_secs(sign_on.app.config.saml_refresh_secs))
            .filter(|every| !every.is_zero());
        Self { sign_on, every, since_refresh: Duration::ZERO }
    }
}

impl Job for Certificates {
    const NAME: &'static str = "certificates";

    fn pause(&self) -> Duration {
        self.every.map_or(LOOK, |every| every.min(LOOK))
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let due = self.every.is_some_and(|every| self.since_refresh >= every);
        self.since_refresh = if due { Duration::ZERO } else { self.since_refresh } + self.pause();
        let mut failed = 0;
        for connection in app.connections.enabled().await.map_err(Incomplete::all)? {
            failed += usize::from(!look(&self.sign_on, &connection, due).await);
        }
        Incomplete::unless_none(failed)
    }
}

/// Looks at one connection. False if something of it could not be done.
async fn look(door: &SignOn, connection: &SamlConnection, due: bool) -> bool {
    let mut done = true;
    let organization = connection.organization;
    if due && connection.settings.metadata_url.is_some() {
        match refresh(door, organization).await {
            Ok(changed) => tracing::debug!(%organization, changed, "metadata refreshed"),
            Err(error) => {
                tracing::warn!(%organization, %error, "metadata was not refreshed; the old settings stay");
                done = false;
            }
        }
    }
    match tell(&door.app, organization, SamlCommand::WarnOfCertificates).await {
        Ok(true) => {
            tracing::warn!(%organization, "a certificate of single sign-on comes to its end: rollcall saml show")
        }
        Ok(false) | Err(RefreshError::Refused(_)) => {}
        Err(error) => {
            tracing::warn!(%organization, %error, "the ends of certificates could not be looked at");
            done = false;
        }
    }
    let idp = connection
        .settings
        .certificates
        .values()
        .map(|c| c.not_after)
        .max()
        .map(|end| ("identity-provider", end));
    let own =
        connection.settings.current_key().map(|k| ("service-provider", k.certificate.not_after));
    for (owner, end) in idp.into_iter().chain(own) {
        metrics::gauge!("rollcall_saml_certificate_end_seconds", "organization" => organization.to_string(), "owner" => owner)
            .set(end.timestamp() as f64);
    }
    done
}
