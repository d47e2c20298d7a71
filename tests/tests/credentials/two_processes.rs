//! Two processes on one database: what one says holds for the other from the next request on.

use crate::asking::{TOKEN, add, refused};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, start_cluster};

#[tokio::test]
async fn revoked_on_one_refused_by_the_other() -> Result<()> {
    let cluster = start_cluster().await;
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("deployment.key");
    let key = key.to_str().context("a path")?.to_owned();
    let start = async |flags: &[&str]| {
        let store = Store::Postgres(cluster.url());
        Server::start_with(store, &std::env::temp_dir(), flags).await
    };
    let same = ["--rate-limit", "0", "--deployment-key-file", &key];
    let w = World::around(start(&same).await?).await?;
    let second = start(&same).await?;
    let at = |server: &Server, token: &str| Scim::anonymous(server.address()).with_token(token);

    let client = add(&w.server, "acme").await?;
    let token = client.token(w.scim.http()).await?;
    at(&second, &token).get("/Users").await?.expect(200)?;
    let other = client.token(at(&second, "").http()).await?;
    w.scim.with_token(&other).get("/Users").await?.expect(200)?;
    // A process with a key of its own could read nobody, and does not start.
    let store = Store::Postgres(cluster.url());
    let stranger = Server::start_of_its_own(store, &["--rate-limit", "0"]).await;
    let told = format!("{:#}", stranger.err().context("it started")?);
    ensure!(told.contains("--deployment-key-file"), "{told}");

    w.server.cli(&["scim", "credential", "revoke", "--org", "acme", &client.id]).await?;
    at(&second, &token).get("/Users").await?.expect(401)?;
    at(&second, &other).get("/Users").await?.expect(401)?;
    refused(&at(&second, "").http().send(client.basic(TOKEN)).await?, 401, "invalid_client")
}
