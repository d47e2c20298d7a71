//! After an initial cycle and twenty more, the server has what the tenant has.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use rollcall_entra::client::Shape;
use rollcall_entra::directory::{Profile, Scope};
use rollcall_entra::log::{RunKind, StepResult};
use rollcall_entra::play::{Plan, Played, Tenant, Until};
use rollcall_entra::transport::Faults;
use rollcall_tests::scim::{BASE, Scim};
use rollcall_tests::tenant::{ensure_equal, provision, runs};
use rollcall_tests::world::{World, on_sqlite};
use std::collections::BTreeMap;

const CYCLES: u32 = 21;

fn plan(w: &World, shape: Shape, seed: u64) -> Result<Plan> {
    let start: DateTime<Utc> = "2026-03-02T07:00:00Z".parse()?;
    let mut plan = Plan::new(seed, 1_000, w.scim.token().context("a token")?, start, CYCLES);
    plan.tenant = Tenant::Generated(
        Profile { groups: 40, memberships: 5_000, ..Profile::sized(1_000) },
        Scope::Everything,
    );
    plan.settings.shape = shape;
    plan.changes_per_day = 400.0;
    Ok(plan)
}

fn url(w: &World) -> String {
    format!("{}{BASE}", w.server.address().url())
}

async fn told(played: &Played, scim: &Scim) -> Result<()> {
    let compared = ensure_equal(played, scim).await?;
    println!(
        "{compared} values are equal after {} changes; {} references led out of scope",
        played.changes,
        played.client.skipped().len()
    );
    ensure!(
        compared > 15_000 && played.changes > 150,
        "{compared} values after {} changes",
        played.changes
    );
    Ok(())
}

async fn without_faults(shape: Shape, seed: u64) {
    on_sqlite(async |w| {
        let (played, log) = provision(plan(w, shape, seed)?, &url(w)).await?;
        ensure!(
            (runs(&log, RunKind::Initial), runs(&log, RunKind::Incremental)) == (1, 20),
            "{:?}",
            log.runs()
        );
        told(&played, &w.scim).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_legacy_shape() {
    without_faults(Shape::Legacy, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_flagged_shape() {
    without_faults(Shape::Flagged, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_fault_after_the_retries() {
    on_sqlite(async |w| {
        let mut plan = plan(w, Shape::Legacy, 3)?;
        plan.faults = Faults::all(0.02);
        plan.until = Until::Settled(CYCLES);
        let expired = rollcall_entra::play::Happening::Token("rollcall_scim_expired".into());
        plan.at(chrono::Duration::minutes(290), expired);
        plan.at(
            chrono::Duration::minutes(370),
            rollcall_entra::play::Happening::Token(w.scim.token().context("a token")?.into()),
        );
        let (played, log) = provision(plan, &url(w)).await?;
        let mut codes: BTreeMap<String, u32> = BTreeMap::new();
        for summary in log.summaries() {
            let info = summary.provisioning_status_info;
            if let (StepResult::Failure, Some(error)) = (info.status, info.error_information) {
                *codes.entry(error.error_code).or_default() += 1;
            }
        }
        println!("{} cycles, {codes:?}", log.runs().len());
        for code in ["EntryConflict", "Timeout", "WebExceptionProtocolError", "UnprocessableEntity"]
        {
            ensure!(codes.contains_key(code), "no {code} among {codes:?}");
        }
        ensure!(
            log.runs().iter().any(|r| r.quarantine == Some("EncounteredQuarantineException")),
            "the token never expired"
        );
        ensure!(played.client.escrows() == 0, "{} escrows are left", played.client.escrows());
        told(&played, &w.scim).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loses_a_change_is_found_out() {
    on_sqlite(async |w| {
        let mut small = plan(w, Shape::Legacy, 4)?;
        small.tenant = Tenant::Generated(Profile::sized(30), Scope::Everything);
        small.until = Until::Cycles(1);
        let (played, _) = provision(small, &url(w)).await?;
        ensure_equal(&played, &w.scim).await?;
        let id = played.client.user_id(rollcall_entra::directory::UserKey(3)).context("linked")?;
        let spoiled = serde_json::json!([{"op": "replace", "path": "title", "value": "Nobody"}]);
        w.scim.operations(&format!("/Users/{id}"), spoiled).await?.expect(200)?;
        let refused = ensure_equal(&played, &w.scim)
            .await
            .err()
            .context("a difference was not seen")?
            .to_string();
        ensure!(refused.contains("title") && refused.starts_with("1 of "), "{refused}");
        Ok(())
    })
    .await;
}
