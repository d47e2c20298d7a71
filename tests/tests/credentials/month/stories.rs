//! A month of a simulated tenant on each kind of credential: no cycle fails, and runs are found as
//! well as with a static token, although the tokens last an hour.

use super::found::{Found, found};
use super::tenant::{Inside, Month, begin, plan, trust};
use crate::asking::IDS;
use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Duration, Utc};
use rollcall_contract::credentials::{CredentialAdded, CredentialPath, NewAudience, NewProof};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_entra::credential::{Audience, Authenticated, Grant, Signer};
use rollcall_entra::log::ProvisioningLog;
use rollcall_entra::play::{Scene, play};
use rollcall_entra::time::{Simulated, Time as _};
use rollcall_entra::transport::Transport;
use rollcall_server::host::HostRequest;
use serde_json::{Value, json};
use std::sync::Arc;

const DAYS: i64 = 30;

/// A month on a grant, or on a static token.
async fn month(month: &Month, token: &str, grant: Option<Grant>) -> Result<Found> {
    let inside = Inside::new(&month.host);
    let transport: Arc<dyn Transport> = match grant {
        Some(grant) => Arc::new(Authenticated::new(inside.clone(), grant)),
        None => inside.clone(),
    };
    let log = Arc::new(ProvisioningLog::new());
    let scene = Scene {
        transport,
        time: Arc::new(Simulated::new(begin())),
        recorder: log.clone(),
        application: None,
    };
    play(plan(begin(), Duration::days(DAYS), token), scene).await;
    found(&month.host, &log, inside.tokens()).await
}

#[tokio::test]
async fn hourly_tokens_are_one_client() -> Result<()> {
    let with_token = Month::new().await?;
    let token = with_token.host.issue_token(begin(), "acme", "entra").await?.token;
    let by_token = month(&with_token, &token, None).await?;
    by_token.told("token");

    let with_secret = Month::new().await?;
    let added = with_secret.add("Entra", NewProof::ClientSecret {}).await?;
    let secret = added.client_secret.context("a secret")?;
    let grant = Grant::Secret { client: added.client_id.to_string(), secret };
    let by_secret = month(&with_secret, "", Some(grant)).await?;
    by_secret.told("client-secret");

    let federated = Month::new().await?;
    let authority = federated.keys.authority();
    let signer = Arc::new(Signer::new(&authority, IDS, "rollcall.example")?);
    federated.keys.publish(signer.clone());
    let added = federated.add("Entra", trust(&authority)).await?;
    let grant = Grant::Federated { client: added.client_id.to_string(), signer };
    let by_tenant = month(&federated, "", Some(grant)).await?;
    by_tenant.told("federated");

    for found in [&by_secret, &by_tenant] {
        ensure!(found.tokens > 500, "a token lasts for two cycles: {found:?}");
        ensure!(
            (found.exchanges, found.placed, found.runs, found.right, found.cycles, &found.rhythm)
                == (
                    by_token.exchanges,
                    by_token.placed,
                    by_token.runs,
                    by_token.right,
                    by_token.cycles,
                    &by_token.rhythm
                ),
            "not as with a token: {found:?}, {by_token:?}"
        );
    }
    for found in [&by_token, &by_secret, &by_tenant] {
        ensure!(found.cycles > 900 && found.failed == 0, "{found:?}");
        ensure!(found.placed * 100 >= found.exchanges * 98, "{found:?}");
    }
    Ok(())
}

/// Keys roll over, and the audience is written in a way that nobody trusted: cycles fail, one
/// command mends it, and the next cycle is good. Then the job is moved to a client secret, with the
/// tenant's trust beside it until it is not needed any more.
#[tokio::test]
async fn an_audience_changes_and_a_job_moves() -> Result<()> {
    let here = Month::new().await?;
    let authority = here.keys.authority();
    let signer = Arc::new(Signer::new(&authority, IDS, "rollcall.example")?);
    here.keys.publish(signer.clone());
    let added = here.add("tenant", trust(&authority)).await?;
    let id = added.client_id;
    let grant = Grant::Federated { client: id.to_string(), signer: signer.clone() };
    let inside = Inside::new(&here.host);
    let way: Arc<dyn Transport> = Arc::new(Authenticated::new(inside.clone(), grant));
    let log = Arc::new(ProvisioningLog::new());
    let time = Arc::new(Simulated::new(begin()));
    let go_on = async |way: &Arc<dyn Transport>, hours: i64| {
        let scene = Scene {
            transport: way.clone(),
            time: time.clone(),
            recorder: log.clone(),
            application: None,
        };
        play(plan(time.now(), Duration::hours(hours), ""), scene).await;
        time.now()
    };
    let statuses = |from: DateTime<Utc>| -> Vec<u16> {
        let sent = log.requests().into_iter().filter(|sent| sent.at >= from);
        sent.filter_map(|sent| sent.status).collect()
    };
    for audience in [Audience::Bare, Audience::ApiWithHost, Audience::Api] {
        signer.write_audience(audience);
        signer.roll_over()?;
        let from = time.now();
        go_on(&way, 3).await;
        let seen = statuses(from);
        ensure!(
            !seen.is_empty() && seen.iter().all(|s| *s != 401 && *s < 500),
            "{audience:?}: {seen:?}"
        );
    }
    // Nobody told anybody of this one.
    signer.name_application("api://rollcall-gallery");
    let from = time.now();
    let after = go_on(&way, 3).await;
    ensure!(statuses(from).contains(&401), "{:?}", statuses(from));
    let list = here.list(after).await?;
    let refused = &list[0].refused_audiences;
    ensure!(refused.len() == 1 && refused[0].audience == "api://rollcall-gallery", "{list:?}");
    let path = CredentialPath { organization: "acme".to_owned(), credential: id };
    let line = route::TRUST_AUDIENCE.line(&path, &Nothing)?;
    let new = NewAudience { audience: refused[0].audience.clone() };
    let _: Value = here.host.administer(after, &line, &serde_json::to_value(new)?).await?;
    let from = time.now();
    go_on(&way, 3).await;
    let seen = statuses(from);
    ensure!(!seen.is_empty() && seen.iter().all(|s| *s != 401 && *s < 500), "{seen:?}");

    let secret = here.add("secret", NewProof::ClientSecret {}).await?;
    let client = secret.client_id.to_string();
    let grant = Grant::Secret { client, secret: secret.client_secret.context("a secret")? };
    let moved: Arc<dyn Transport> = Arc::new(Authenticated::new(inside, grant));
    let from = time.now();
    let after = go_on(&moved, 4).await;
    ensure!(statuses(from).iter().all(|s| *s != 401 && *s < 500), "{:?}", statuses(from));
    let list = here.list(after).await?;
    let of = |id| list.iter().find(|c| c.client_id == id).context("a credential");
    let (old, new) = (of(id)?, of(secret.client_id)?);
    ensure!(new.used_by_last_cycle && !new.can_be_revoked, "{new:?}");
    ensure!(old.can_be_revoked && !old.used_by_last_cycle, "{old:?}");
    Ok(())
}

/// A secret that ended a second ago gets nothing, and what it got before ends with it.
#[tokio::test]
async fn a_secret_ends_on_the_second() -> Result<()> {
    let here = Month::new().await?;
    let end = begin() + Duration::days(1);
    let line = route::ADD_CREDENTIAL.line(&OrganizationPath::of("acme"), &Nothing)?;
    let new = json!({ "label": "a day", "expires_at": end, "proof": { "kind": "client-secret" } });
    let added: CredentialAdded = here.host.administer(begin(), &line, &new).await?;
    let client = added.client_id.to_string();
    let secret = added.client_secret.context("a secret")?;
    let ask = async |at: DateTime<Utc>| here.ask(at, &client, &secret).await;
    let (_, before) = ask(end - Duration::minutes(30)).await?;
    ensure!(before["expires_in"] == 1_800, "{before}");
    let token = before["access_token"].as_str().context("a token")?;
    let users = async |at: DateTime<Utc>| {
        here.host.handle(HostRequest::new(at, "GET", "/scim/v2/Users", token)).await
    };
    ensure!(users(end - Duration::seconds(1)).await?.status == 200);
    ensure!(users(end).await?.status == 401);
    for late in [-30, 0, 1] {
        let (status, told) = ask(end + Duration::seconds(late)).await?;
        ensure!(status == 401 && told["error"] == "invalid_client", "{late}: {told}");
    }
    Ok(())
}
