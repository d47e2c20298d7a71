//! A role that serves and owns nothing of the log: everything that clients and operators do every
//! day works, and no record can be changed or removed by it.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::scim::add_members;
use rollcall_tests::server::{Server, Store, binary};
use rollcall_tests::world::{World, start_cluster};
use serde_json::json;
use std::process::Output;

fn url(cluster: &PostgresCluster, role: &str) -> String {
    cluster.url().replacen("postgres@", &format!("{role}@"), 1)
}

/// A cluster whose database belongs to a role that is no superuser, and has another one.
async fn with_roles() -> Result<PostgresCluster> {
    let cluster = start_cluster().await;
    cluster.sql("CREATE ROLE owner LOGIN")?;
    cluster.sql("CREATE ROLE door LOGIN")?;
    cluster.sql("ALTER DATABASE rollcall OWNER TO owner")?;
    Ok(cluster)
}

fn prepare(cluster: &PostgresCluster, role: &str) -> Result<Output> {
    let mut command = std::process::Command::new(binary()?);
    command.args(["database", "prepare", "--json", "--serving-role", role]);
    Ok(command.env("ROLLCALL_DATABASE_URL", url(cluster, "owner")).output()?)
}

fn refused(output: &Output, because: &str) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2) && said.contains(because), "{output:?}");
    Ok(())
}

/// What every day asks of a server.
async fn a_day(w: &mut World) -> Result<()> {
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let bob = w.scim.create_user("bob@contoso.example").await?;
    let group = w.scim.create_group("Server room").await?;
    let (members, off) = (
        add_members(&[&ada, &bob]),
        json!([{ "op": "replace", "path": "active", "value": false }]),
    );
    w.scim.operations(&format!("/Groups/{group}"), members).await?.expect(204)?;
    w.scim.operations(&format!("/Users/{bob}"), off).await?.expect(200)?;
    w.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
    w.server.cli(&["auditor", "issue", "--org", "acme", "--label", "Audit"]).await?;
    w.server.cli(&["views", "rebuild"]).await?;
    w.server.cli(&["views", "verify"]).await?;
    w.server.cli(&["ledger", "audit", "--org", "acme"]).await?;
    w.server.terminate().await?;
    w.server.restart().await?;
    w.scim.get(&format!("/Users/{bob}")).await?.expect(200)?;
    w.scim.get(&format!("/Users/{ada}")).await?.expect(404).map(drop)
}

/// Every way to change or remove what is in the ledger.
fn cannot_change_the_log(cluster: &PostgresCluster) -> Result<()> {
    for statement in [
        "UPDATE rollcall.events SET payload = '{}'",
        "DELETE FROM rollcall.events",
        "TRUNCATE rollcall.events",
        "DROP TABLE rollcall.events",
        "ALTER TABLE rollcall.events DISABLE TRIGGER ALL",
        "UPDATE rollcall.exchanges SET leaf = ''",
        "UPDATE rollcall.exchanges SET number = number + 1",
        "DELETE FROM rollcall.exchanges",
        "TRUNCATE rollcall.exchanges",
        "DELETE FROM rollcall.heads",
        "UPDATE rollcall.claim_keys SET key = ''",
        "DELETE FROM rollcall.claim_keys",
        "UPDATE rollcall.format SET version = 0",
        "CREATE TABLE rollcall.mine ()",
        "DROP SCHEMA rollcall CASCADE",
    ] {
        let done = cluster.sql_in("rollcall", &format!("SET ROLE door; {statement}"));
        let error = done.err().with_context(|| format!("{statement}: it may"))?;
        let said = format!("{error:#}");
        ensure!(
            said.contains("permission denied") || said.contains("must be owner"),
            "{statement}: {said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_role_that_owns_nothing_serves_and_changes_no_record() -> Result<()> {
    let cluster = with_roles().await?;
    refused(&prepare(&cluster, "nobody")?, "CREATE ROLE nobody")?;
    refused(&prepare(&cluster, "owner")?, "the log is its own")?;
    refused(&prepare(&cluster, "postgres")?, "superuser")?;
    let prepared = prepare(&cluster, "door")?;
    ensure!(prepared.status.success(), "{prepared:?}");
    let server = Server::start(Store::Postgres(url(&cluster, "door"))).await?;
    let mut w = World::around(server).await?;
    a_day(&mut w).await?;
    cannot_change_the_log(&cluster)?;
    // What retention does once bodies are old.
    let dropped = "SET ROLE door; UPDATE rollcall.exchanges \
                   SET document = document, request_body = '', answer_body = ''; \
                   DELETE FROM rollcall.exchange_facets WHERE false";
    cluster.sql_in("rollcall", dropped)?;
    refused(&prepare(&cluster, "door")?, "connections of servers are open")
}

/// A database that its owner has served until now.
#[tokio::test]
async fn another_role_takes_over_from_the_owner() -> Result<()> {
    let cluster = with_roles().await?;
    let server = Server::start(Store::Postgres(url(&cluster, "owner"))).await?;
    let mut w = World::around(server).await?;
    a_day(&mut w).await?;
    let before = w.admin.events_after(&w.acme.id, 0).await?;
    w.server.terminate().await?;
    // What is beside the log changes hands: only who is a member of both may do that.
    refused(&prepare(&cluster, "door")?, "must be")?;
    cluster.sql("GRANT door TO owner")?;
    let prepared = prepare(&cluster, "door")?;
    ensure!(prepared.status.success(), "{prepared:?}");
    w.server.use_store(Store::Postgres(url(&cluster, "door")));
    w.server.restart().await?;
    let after = w.admin.events_after(&w.acme.id, 0).await?;
    ensure!(after.starts_with(&before), "{} of {} events", after.len(), before.len());
    w.server.cli(&["views", "verify"]).await?;
    w.scim.create_user("carol@contoso.example").await?;
    cannot_change_the_log(&cluster)
}
