//! The recorded requests of Entra ID hold on every store, and each leaves its exchange.

use anyhow::{Result, ensure};
use rollcall_tests::corpus::player::{play_all, play_reports};
use rollcall_tests::world::{World, on_postgres, on_sqlite};

#[tokio::test]
async fn all_requests_hold_on_sqlite() {
    on_sqlite(async |world| {
        ensure!(
            world.server.data().join("log.db").exists(),
            "the log is not where the embedded store keeps it"
        );
        play_and_look_back(world).await
    })
    .await;
}

#[tokio::test]
async fn all_requests_hold_on_postgres() {
    on_postgres(async |world, _cluster| {
        ensure!(!world.server.data().join("log.db").exists(), "the server uses the embedded store");
        play_and_look_back(world).await
    })
    .await;
}

#[tokio::test]
async fn what_was_reported_of_clients_holds_on_sqlite() {
    on_sqlite(async |world| play_reports(&world.scim).await.map(drop)).await;
}

#[tokio::test]
async fn what_was_reported_of_clients_holds_on_postgres() {
    on_postgres(async |world, _cluster| play_reports(&world.scim).await.map(drop)).await;
}

async fn play_and_look_back(world: &mut World) -> Result<()> {
    let played = play_all(&world.scim).await?;
    let kept = world.admin.exchanges(&world.acme.id).await?;
    // A wrong token names no organization: that one exchange is kept apart.
    let known: Vec<_> = played.iter().filter(|p| p.status != 401).collect();
    ensure!(known.len() == played.len() - 1, "exactly one request has a wrong token");
    ensure!(kept.len() == known.len(), "{} exchanges kept of {} requests", kept.len(), known.len());
    for (played, kept) in known.iter().zip(&kept) {
        let same = kept["method"] == played.method.as_str()
            && kept["target"] == played.target.as_str()
            && kept["status"] == played.status;
        ensure!(
            same,
            "{}: sent {} {} answered {}, kept as {kept}",
            played.name,
            played.method,
            played.target,
            played.status
        );
    }
    let unknown = world.admin.exchanges("none").await?;
    ensure!(
        unknown.len() == 1 && unknown[0]["status"] == 401,
        "the refused token left {unknown:?}"
    );
    // Fails, and says where, if a rebuild would give other rows.
    world.server.cli(&["views", "verify"]).await?;
    Ok(())
}
