//! How a credential is shown, with what its use tells: which one the last cycle came with, and
//! which audiences were refused.

use chrono::{DateTime, Utc};
use rollcall_contract::credentials::{CredentialBody, RefusedAudience, SecretBody, TrustBody};
use rollcall_domain::credential::{KeySource, Proof};
use rollcall_domain::ids::{CredentialId, OrganizationId, TokenId};
use rollcall_door::{App, Refusal};
use rollcall_projections::credential::CredentialState;
use rollcall_projections::credentials::CredentialRow;
use rollcall_projections::exchanges::ExchangeFilter;
use rollcall_projections::runs::{RunFilter, RunRow};
use std::collections::BTreeMap;

/// So many refused token requests are looked at for audiences; an hour of Entra makes a few.
const REFUSED: usize = 100;
/// So many runs are looked at for the last cycles.
const RUNS: usize = 50;
/// After so many good cycles with another credential one is not needed any more.
const GOOD_CYCLES: usize = 2;

/// What is known of the use of an organization's credentials.
pub struct Seen {
    now: DateTime<Utc>,
    token_url: String,
    last_cycle: Option<CredentialId>,
    settled: Option<CredentialId>,
    refused: BTreeMap<CredentialId, BTreeMap<String, RefusedAudience>>,
}

impl Seen {
    /// As of now.
    pub async fn of(app: &App, organization: OrganizationId) -> Result<Self, Refusal> {
        let runs = app.audit.of(organization).await?.runs;
        let runs = runs.list(organization, &RunFilter::default(), RUNS).await?;
        let cycles: Vec<&RunRow> =
            runs.iter().filter(|run| run.kind.is_cycle()).take(GOOD_CYCLES).collect();
        let last_cycle = cycles.first().map(|run| with(run.token));
        let all_good = cycles.len() == GOOD_CYCLES
            && cycles.iter().all(|run| run.failures == 0 && Some(with(run.token)) == last_cycle);
        Ok(Self {
            now: app.engine.clock.now(),
            token_url: app.token_url(),
            last_cycle,
            settled: last_cycle.filter(|_| all_good),
            refused: refused(app, organization).await?,
        })
    }

    /// One credential.
    pub fn body(&self, row: CredentialRow) -> CredentialBody {
        let state = row.state(self.now);
        let is_live = state == CredentialState::Live;
        let mut trusted = Vec::new();
        let mut jwks_url = None;
        let kind = row.proof.kind().to_owned();
        let trust = match row.proof {
            Proof::Federated { issuer, tenant, subject, audiences, authorized_party } => {
                trusted.clone_from(&audiences);
                Some(TrustBody { issuer, tenant, subject, audiences, authorized_party })
            }
            Proof::PrivateKeyJwt { keys: KeySource::Url(url) } => {
                jwks_url = Some(url);
                None
            }
            Proof::PrivateKeyJwt { .. } | Proof::Token { .. } | Proof::ClientSecret { .. } => None,
        };
        let refused = self.refused.get(&row.id).into_iter().flat_map(BTreeMap::values);
        let last = row.last_secret.as_deref();
        let secrets = row.secrets.0.into_iter().map(|secret| {
            let sha256 = CredentialRow::secret_name(&secret.sha256).to_owned();
            let last_used = last == Some(sha256.as_str());
            SecretBody { sha256, expires_at: secret.expires_at, last_used }
        });
        CredentialBody {
            client_id: row.id.0,
            kind,
            label: row.label,
            state: state.as_str().to_owned(),
            made_by: row.made_by.called().to_owned(),
            issued_at: row.issued,
            expires_at: row.expires,
            revoked_at: row.revoked,
            first_used_at: row.first_used,
            last_used_at: row.last_used,
            token_url: self.token_url.clone(),
            used_by_last_cycle: self.last_cycle == Some(row.id),
            can_be_revoked: is_live && self.settled.is_some_and(|settled| settled != row.id),
            secrets: secrets.collect(),
            trust,
            jwks_url,
            refused_audiences: refused
                .filter(|refused| !trusted.contains(&refused.audience))
                .cloned()
                .collect(),
        }
    }
}

/// The id of a credential is that of the token before there were others.
fn with(token: TokenId) -> CredentialId {
    token.into()
}

/// Assertions that were as they must be but for their audience.
async fn refused(
    app: &App,
    organization: OrganizationId,
) -> Result<BTreeMap<CredentialId, BTreeMap<String, RefusedAudience>>, Refusal> {
    let filter = ExchangeFilter {
        operation: Some("oauth.token".to_owned()),
        failed: true,
        ..ExchangeFilter::default()
    };
    let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for row in app.exchanges.list(organization, &filter, REFUSED).await? {
        let Some(recorded) = app.engine.log.exchange(organization, row.id).await? else { continue };
        let Some(asked) = &recorded.exchange.facts.token_request else { continue };
        let audience = asked.assertion.as_ref().and_then(|seen| seen.only_audience());
        let (Some(client), Some(audience)) = (asked.client, audience) else { continue };
        // The newest come first.
        all.entry(client).or_default().entry(audience.to_owned()).or_insert(RefusedAudience {
            audience: audience.to_owned(),
            seen_at: row.received_at,
            exchange: row.id.0,
        });
    }
    Ok(all)
}
