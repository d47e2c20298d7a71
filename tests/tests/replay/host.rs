//! The whole application in process: at times and with ids of the caller's choosing.

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, Record, RecordedExchange};
use rollcall_engine::ids::Random;
use rollcall_kurrent_standin::{Faults, Settings, serve};
use rollcall_server::host::{Host, HostRequest, HostSetup};
use rollcall_stores::{DeploymentWrap, Places, Stores};
use rollcall_tests::world::start_cluster;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

fn begin() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

async fn host(stores: Stores) -> Result<Host> {
    let setup = HostSetup {
        stores,
        random: Random::seeded(1),
        start: begin(),
        public_url: "https://rollcall.example.com".to_owned(),
        operator_key: None,
        config: HostSetup::config(),
    };
    Host::open(setup).await
}

/// An organization, a user, a change an hour later, and a request with a wrong token.
async fn story(host: &Host) -> Result<(Vec<Record>, Vec<RecordedExchange>)> {
    let made = host.create_organization(begin(), "Acme", "acme").await?;
    let token = host.issue_token(begin(), "acme", "entra").await?.token;
    let at = begin() + TimeDelta::minutes(40);
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@contoso.example", "active": true});
    let create = HostRequest::new(at, "POST", "/scim/v2/Users", &token)
        .with_body("application/scim+json", user.to_string());
    let answer = host.handle(create).await?;
    ensure!(answer.status == 201 && answer.exchange.is_some(), "{answer:?}");
    let shown: Value = serde_json::from_slice(&answer.body)?;
    ensure!(
        shown["meta"]["created"] == "2024-10-04T00:40:00.000Z",
        "the time of arrival counts: {shown}"
    );
    let id = shown["id"].as_str().context("id")?;
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
    let later = at + TimeDelta::hours(1);
    let change = HostRequest::new(later, "PATCH", &format!("/scim/v2/Users/{id}"), &token)
        .with_body("application/scim+json", patch.to_string());
    ensure!(host.handle(change).await?.status == 200);
    ensure!(
        host.handle(HostRequest::new(later, "GET", "/scim/v2/Users", "wrong")).await?.status == 401
    );
    let log = &host.app().engine.log;
    let organization = OrganizationId(made.organization_id);
    let exchanges = log.exchanges(organization, 0, 100, Bodies::Read).await?;
    Ok((
        log.records(organization, 0, 100).await?,
        exchanges.into_iter().map(without_duration).collect(),
    ))
}

/// How long it took is the one thing that is measured.
fn without_duration(mut recorded: RecordedExchange) -> RecordedExchange {
    recorded.exchange.duration_us = 0;
    recorded
}

#[tokio::test]
async fn the_same_requests_at_the_same_times_give_the_same_log_on_every_store() -> Result<()> {
    let cluster = start_cluster().await;
    let (folder, unflushed) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let expected = story(&host(Stores::in_memory()?).await?).await?;
    ensure!(expected.0.len() == 5 && expected.1.len() == 4, "{expected:?}");
    ensure!(expected.0[4].recorded_at == begin() + TimeDelta::minutes(100), "{:?}", expected.0[4]);
    for stores in [
        Stores::in_folder(folder.path(), &wrap())?,
        Stores::in_folder_unflushed(unflushed.path(), &wrap())?,
        Stores::in_postgres(&cluster.url(), 2, &wrap()).await?,
    ] {
        let name = stores.name;
        ensure!(story(&host(stores).await?).await? == expected, "{name} has another log");
    }
    Ok(())
}

/// What wraps the keys of every store here.
fn wrap() -> DeploymentWrap {
    DeploymentWrap::new([7; 32])
}

/// A KurrentDB server, of which a stand-in is all there is here.
async fn kurrent(file: &std::path::Path) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("esdb://{}?tls=false", listener.local_addr()?);
    tokio::spawn(serve(listener, Settings::new(file), Faults::default()));
    Ok(url)
}

/// With the views in the folder, in a database, and in another folder that begins with nothing.
#[tokio::test]
async fn the_same_requests_give_the_same_log_on_kurrent() -> Result<()> {
    let cluster = start_cluster().await;
    let expected = story(&host(Stores::in_memory()?).await?).await?;
    for database in [None, Some(cluster.url())] {
        let folder = tempfile::tempdir()?;
        let url = kurrent(&folder.path().join("events")).await?;
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let open = async |folder: &Path, writer| {
            Stores::in_kurrent(folder, &url, [writer; 16], database.as_deref(), &wrap()).await
        };
        let first = host(open(&one, 1).await?).await?;
        ensure!(story(&first).await? == expected, "views in {database:?}: another log");
        if database.is_none() {
            // The keys lie in the other folder. Who has none serves nobody, and says why.
            let wrap = wrap();
            let kurrent = Some((&*url, [2; 16]));
            let (data, epoch) = (&*two, Uuid::from_u128(1));
            let places = Places { data, database: None, kurrent, wrap: &wrap, epoch };
            let Err(without) = rollcall_stores::open(places).await else { bail!("without keys") };
            ensure!(format!("{without:#}").contains("put back the side store"), "{without:#}");
            drop(first);
            std::fs::create_dir_all(&two)?;
            std::fs::copy(one.join("side.db"), two.join("side.db"))?;
        }
        let second = host(open(&two, 2).await?).await?;
        let found = second.app().organizations.by_domain("acme").await?;
        ensure!(
            found.is_some_and(|o| o.enabled),
            "views in {database:?}: the second process does not know the organization"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_the_administration_refuses_is_told() -> Result<()> {
    let host = host(Stores::in_memory()?).await?;
    host.create_organization(begin(), "Acme", "acme").await?;
    let again = host.create_organization(begin(), "Acme", "acme").await;
    ensure!(again.is_err_and(|e| e.to_string().starts_with("409: another organization")));
    ensure!(
        host.issue_token(begin(), "nobody", "x")
            .await
            .is_err_and(|e| e.to_string().starts_with("404"))
    );
    let broken = HostRequest {
        method: "NOT A METHOD".to_owned(),
        target: "/".to_owned(),
        ..HostRequest::default()
    };
    ensure!(host.handle(broken).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_folder_made_in_process_is_a_folder_of_the_server() -> Result<()> {
    let folder = tempfile::tempdir()?;
    story(&host(Stores::in_folder_unflushed(folder.path(), &wrap())?).await?).await?;
    let unfinished = Stores::in_folder(folder.path(), &wrap()).err().context("not whole")?;
    ensure!(unfinished.to_string().contains("interrupted"), "{unfinished}");
    rollcall_stores::finished(folder.path())?;
    let reopened = host(Stores::in_folder(folder.path(), &wrap())?).await?;
    let found = reopened.app().organizations.by_domain("acme").await?;
    ensure!(found.is_some_and(|o| o.enabled));
    Ok(())
}
