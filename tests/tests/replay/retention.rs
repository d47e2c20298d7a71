//! Bodies go after a while; everything else stays, and what is gone is said.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::exchanges::ExchangePath;
use rollcall_contract::replay::ReplayLine;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_domain::ids::OrganizationId;
use rollcall_engine::ids::Random;
use rollcall_replay::{ScratchSettings, Selection, verify};
use rollcall_server::background::Job;
use rollcall_server::background::retention::Retention;
use rollcall_server::host::{Host, HostRequest, HostSetup};
use rollcall_stores::Stores;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DAY: u64 = 86_400;

fn day(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + n)
}

#[tokio::test]
async fn bodies_are_dropped_after_their_time_and_replays_say_so() -> Result<()> {
    let setup = HostSetup {
        stores: Stores::in_memory()?,
        random: Random::seeded(1),
        start: day(0),
        public_url: "https://rollcall.example.com".to_owned(),
        operator_key: None,
        config: HostSetup::config(),
    };
    let host = Host::open(setup).await?;
    let organization =
        OrganizationId(host.create_organization(day(0), "Acme", "acme").await?.organization_id);
    let token = host.issue_token(day(0), "acme", "entra").await?.token;
    let mut ids = Vec::new();
    for n in [1, 50, 99] {
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("user{n}@contoso.example")});
        let create = HostRequest::new(day(n), "POST", "/scim/v2/Users", &token)
            .with_body("application/scim+json", user.to_string());
        ids.push(host.handle(create).await?.exchange.context("exchange")?);
    }
    let log = host.app().engine.log.clone();
    let before = log.records(organization, 0, 100).await?;
    // Nothing is as old as that.
    Retention::new(100 * DAY).pass(host.app()).await?;
    ensure!(log.exchange(organization, ids[0]).await?.is_some_and(|x| !x.exchange.bodies_dropped));
    // The clock stands at day 99: the first two are older than 40 days.
    Retention::new(40 * DAY).pass(host.app()).await?;
    for (id, dropped) in ids.iter().zip([true, true, false]) {
        let kept = log.exchange(organization, *id).await?.context("the exchange is gone")?.exchange;
        ensure!(
            kept.bodies_dropped == dropped && kept.request_body.is_empty() == dropped,
            "{kept:?}"
        );
        ensure!(
            kept.answer.status == 201 && kept.answer.body_bytes > 0,
            "what the answer was is still known: {kept:?}"
        );
        let show = route::SHOW_EXCHANGE
            .line(&ExchangePath { organization: "acme".to_owned(), exchange: id.0 }, &Nothing)?;
        let shown: Value = host.administer(day(99), &show, &Value::Null).await?;
        ensure!(
            (shown["exchange"]["bodies_dropped"] == true) == dropped
                && shown["request_body"].is_null() == dropped,
            "{shown}"
        );
    }
    ensure!(log.records(organization, 0, 100).await? == before, "records are never touched");
    let settings = ScratchSettings::of(host.app(), BTreeSet::new());
    let mut lines = verify(
        log,
        organization,
        Selection::default(),
        settings,
        host.app().engine.clock.clone(),
        false,
    )
    .await?;
    let (mut told, mut summary) = (0, None);
    while let Some(line) = lines.recv().await {
        match line {
            ReplayLine::Exchange(x) => {
                told += usize::from(x.reason.is_some_and(|r| r.contains("retention")))
            }
            ReplayLine::Summary(s) => summary = Some(s),
            ReplayLine::Broken { detail } => anyhow::bail!(detail),
        }
    }
    let summary = summary.context("no summary")?;
    ensure!(
        told == 2 && summary.records_of_others == 5 && summary.records_same == 1,
        "{summary:?}"
    );
    Ok(())
}
