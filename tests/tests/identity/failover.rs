//! What can happen to a database under running servers.

use super::{accept, is_closed, takes};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::Admin;
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{Scim, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::switch::Switch;
use rollcall_tests::world::{World, start_cluster};
use serde_json::json;
use std::time::Duration;

/// Two servers on one database behind a switch.
struct Two {
    primary: PostgresCluster,
    switch: Switch,
    one: World,
    other: World,
}

async fn two() -> Result<Two> {
    let primary = start_cluster().await;
    let switch = Switch::to(primary.port()).await?;
    let store = Store::Postgres(primary.url_by(switch.port()));
    let one = World::new(store.clone()).await?;
    let server = Server::start(store).await?;
    let other = World {
        scim: Scim::anonymous(server.address()).with_token(one.scim.token().context("a token")?),
        admin: Admin::new(server.address(), &server.operator_key()?),
        acme: one.acme.clone(),
        server,
    };
    Ok(Two { primary, switch, one, other })
}

impl Two {
    /// Fails over to another cluster.
    async fn fail_over(&mut self, to: &PostgresCluster) -> Result<()> {
        self.primary.kill9()?;
        self.switch.turn(to.port());
        Ok(())
    }
}

/// A standby that follows without the primary's waiting for it lost the end of the log. Both
/// servers notice with the first request that reaches it; one acceptance is enough for both.
#[tokio::test]
async fn a_standby_that_lost_the_end_is_noticed_within_one_request() -> Result<()> {
    let mut two = two().await?;
    let ada = two.one.scim.create_user("ada@contoso.example").await?;
    let mut standby = two.primary.copy(true)?;
    // It lags: it is not running while this is answered.
    let bob = two.one.scim.create_user("bob@contoso.example").await?;
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    two.other.scim.operations(&format!("/Users/{ada}"), off).await?.expect(200)?;
    two.primary.kill9()?;
    standby.start_again()?;
    standby.promote()?;
    two.fail_over(&standby).await?;

    // A write by one, a read by the other: neither is answered by the log that lost it.
    let write = user("carol@contoso.example");
    refused(two.one.scim.fresh().post("/Users", &write).await?, 503, None)?;
    refused(two.other.scim.fresh().get(&format!("/Users/{ada}")).await?, 503, None)?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for w in [&two.one, &two.other] {
        is_closed(w, "went-back").await?;
    }

    let said = accept(&two.one.server, &two.one.admin, "went-back").await?;
    let lost = &said["lost"][0];
    ensure!(lost["organization"] == two.one.acme.id, "{said}");
    let positions = [&lost["known_position"], &lost["position"]].map(|at| at.as_u64());
    // Whoever accepts knows what it appended itself, and what it heard of the other in time.
    let lost = |known: u64, there: u64| (there + 1..=there + 2).contains(&known);
    ensure!(matches!(positions, [Some(known), Some(there)] if lost(known, there)), "{said}");
    refused(two.one.scim.get(&format!("/Users/{bob}")).await?, 404, None)?;
    // The other one learns of it.
    two.other.server.ready().await?;
    for w in [&two.one, &two.other] {
        let shown = w.scim.get(&format!("/Users/{ada}")).await?.expect_json(200)?;
        ensure!(shown["active"] == true, "{shown}");
    }
    takes(&two.one, "dan@contoso.example").await?;
    takes(&two.other, "eve@contoso.example").await
}

/// A standby for which the primary waits has everything that was answered.
#[tokio::test]
async fn a_standby_that_lost_nothing_goes_on() -> Result<()> {
    let mut two = two().await?;
    let mut standby = two.primary.copy(true)?;
    standby.start_again()?;
    two.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")?;
    two.primary.sql("SELECT pg_reload_conf()")?;
    two.primary.until_synchronous()?;
    let mut users = Vec::new();
    for n in 0..10 {
        let w = if n % 2 == 0 { &two.one } else { &two.other };
        users.push(w.scim.create_user(&format!("user{n}@contoso.example")).await?);
    }
    two.primary.kill9()?;
    standby.promote()?;
    standby.sql("ALTER SYSTEM SET synchronous_standby_names = ''")?;
    standby.sql("SELECT pg_reload_conf()")?;
    two.fail_over(&standby).await?;
    for w in [&mut two.one, &mut two.other] {
        w.server.ready().await?;
    }
    for user in &users {
        two.other.scim.get(&format!("/Users/{user}")).await?.expect(200)?;
    }
    takes(&two.one, "dan@contoso.example").await?;
    takes(&two.other, "eve@contoso.example").await
}

/// A restore to a point in time is noticed by servers that run, by ones that were stopped, and also
/// if others have appended to it meanwhile.
#[tokio::test]
async fn a_restore_to_a_point_in_time_is_noticed() -> Result<()> {
    for appended_meanwhile in [false, true] {
        let mut two = two().await?;
        two.one.scim.create_user("ada@contoso.example").await?;
        let mut restored = two.primary.copy(false)?;
        two.one.scim.create_user("bob@contoso.example").await?;
        two.other.scim.get("/Users").await?.expect(200)?;
        // What is known is kept once a second.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        two.one.server.terminate().await?;
        restored.start_again()?;
        if appended_meanwhile {
            // By somebody who knows nothing of the one before: more than what was lost.
            let mut stranger = Server::start(Store::Postgres(restored.url())).await?;
            let scim = Scim::anonymous(stranger.address())
                .with_token(two.one.scim.token().context("a token")?);
            for name in ["mia@contoso.example", "noa@contoso.example", "oda@contoso.example"] {
                scim.create_user(name).await?;
            }
            stranger.terminate().await?;
        }
        two.fail_over(&restored).await?;
        refused(two.other.scim.fresh().get("/Users").await?, 503, None)?;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let reason = if appended_meanwhile { "another-history" } else { "went-back" };
        is_closed(&two.other, reason).await?;
        two.one.server.restart_unready().await?;
        is_closed(&two.one, reason).await?;
        accept(&two.one.server, &two.one.admin, reason).await?;
        two.other.server.ready().await?;
        takes(&two.one, "dan@contoso.example").await?;
        takes(&two.other, "eve@contoso.example").await?;
    }
    Ok(())
}
