//! After a month nothing on the disk, and nothing that the log tells, holds what lets a client in.

use super::secrets::Secrets;
use super::tenant::{Inside, Month, begin, plan, trust};
use crate::asking::IDS;
use anyhow::{Context as _, Result, ensure};
use chrono::Duration;
use rollcall_contract::credentials::NewProof;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, Log};
use rollcall_entra::credential::{Authenticated, Grant, Signer};
use rollcall_entra::log::ProvisioningLog;
use rollcall_entra::play::{Scene, play};
use rollcall_entra::time::{Simulated, Time as _};
use rollcall_stores::{DeploymentWrap, Stores};
use std::sync::Arc;

const PAGE: usize = 500;

#[tokio::test]
async fn a_month_leaves_no_secret_on_the_disk() -> Result<()> {
    for federated in [false, true] {
        let folder = tempfile::tempdir()?;
        let stores = Stores::in_folder_unflushed(folder.path(), &DeploymentWrap::for_once()?)?;
        let log = stores.log.clone();
        let here = Month::on(stores).await?;
        let inside = Inside::new(&here.host);
        let grant = if federated {
            let authority = here.keys.authority();
            let signer = Arc::new(Signer::new(&authority, IDS, "rollcall.example")?);
            here.keys.publish(signer.clone());
            let client = here.add("Entra", trust(&authority)).await?.client_id.to_string();
            Grant::Federated { client, signer }
        } else {
            let added = here.add("Entra", NewProof::ClientSecret {}).await?;
            let secret = added.client_secret.context("a secret")?;
            inside.secrets().add("a client secret", &secret);
            Grant::Secret { client: added.client_id.to_string(), secret }
        };
        let scene = Scene {
            transport: Arc::new(Authenticated::new(inside.clone(), grant)),
            time: Arc::new(Simulated::new(begin())),
            recorder: Arc::new(ProvisioningLog::new()),
            application: None,
        };
        play(plan(begin(), Duration::days(30), ""), scene).await;

        let secrets = inside.secrets();
        ensure!(secrets.count() > 500, "{} secrets in a month", secrets.count());
        let organization = here.host.app().organizations.by_domain("acme").await?;
        let organization = organization.context("acme")?.id;
        for id in [organization, OrganizationId::NONE] {
            told_by_the_log(&*log, id, secrets).await?;
        }
        // What is not in the files yet is written as the stores are closed.
        drop((here, log, inside.clone()));
        let files = secrets.search(folder.path())?;
        ensure!(files >= 4, "{files} files");
        // It would have been found.
        std::fs::write(folder.path().join("leak"), leaked(secrets))?;
        ensure!(secrets.search(folder.path()).is_err(), "the search finds nothing at all");
    }
    Ok(())
}

fn leaked(secrets: &Secrets) -> Vec<u8> {
    [b"before ".to_vec(), secrets.any().unwrap_or_default(), b" behind".to_vec()].concat()
}

/// What is kept in other forms, compressed or sealed, is looked at as it is read.
async fn told_by_the_log(log: &dyn Log, of: OrganizationId, secrets: &Secrets) -> Result<()> {
    let mut after = 0;
    loop {
        let page = log.exchanges(of, after, PAGE, Bodies::Read).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.number;
        for kept in &page {
            let exchange = &kept.exchange;
            let mut bytes = serde_json::to_vec(exchange)?;
            bytes.extend_from_slice(&exchange.request_body);
            bytes.extend_from_slice(&exchange.answer_body);
            let found = secrets.found_in(&bytes);
            ensure!(found.is_none(), "{} stands in {exchange:?}", found.unwrap_or_default());
        }
    }
}

/// A job that was made by Graph begins with a token that somebody got before: it is used until
/// shortly before its end, and then one is got.
#[tokio::test]
async fn a_job_begins_with_a_token_that_somebody_got() -> Result<()> {
    let here = Month::new().await?;
    let added = here.add("Graph", NewProof::ClientSecret {}).await?;
    let client = added.client_id.to_string();
    let secret = added.client_secret.context("a secret")?;
    let seed = here.token(begin(), &client, &secret).await?;
    let inside = Inside::new(&here.host);
    let grant = Grant::Secret { client, secret };
    let log = Arc::new(ProvisioningLog::new());
    let time = Arc::new(Simulated::new(begin()));
    let way = Arc::new(Authenticated::seeded(inside.clone(), grant, &seed, begin()));
    let mut asked = Vec::new();
    for _ in 0..2 {
        let scene = Scene {
            transport: way.clone(),
            time: time.clone(),
            recorder: log.clone(),
            application: None,
        };
        play(plan(time.now(), Duration::minutes(50), ""), scene).await;
        asked.push(inside.tokens());
    }
    ensure!(asked == [0, 1], "tokens were asked for {asked:?} times after 50 and 100 minutes");
    let sent = log.requests();
    ensure!(sent.len() > 20, "{} requests", sent.len());
    ensure!(sent.iter().all(|sent| sent.status.is_some_and(|s| s != 401 && s < 500)));
    Ok(())
}
