//! What an operator does to a server that holds data: back it up, move it, stop it, start it twice.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::{Admin, gapless};
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{Scim, add_members, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, issue, on_postgres, on_sqlite, start_cluster};
use serde_json::{Value, json};
use std::path::Path;

/// A little of everything: users, a group, a change, a refusal.
async fn live(w: &World) -> Result<(String, String)> {
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let door = w.scim.create_group("Door A").await?;
    w.scim.operations(&format!("/Groups/{door}"), add_members(&[&ada])).await?.expect(204)?;
    w.scim
        .operations(
            &format!("/Users/{ada}"),
            json!([{"op": "Replace", "path": "active", "value": "False"}]),
        )
        .await?
        .expect(200)?;
    w.scim.post("/Users", &user("ADA@contoso.example")).await?.expect(409)?;
    let gone = w.scim.create_user("gone@contoso.example").await?;
    w.scim.delete(&format!("/Users/{gone}")).await?.expect(204)?;
    Ok((ada, door))
}

/// Everything the audit tells about an organization.
async fn told(admin: &Admin, organization: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    Ok((admin.events_after(organization, 0).await?, admin.exchanges(organization).await?))
}

#[tokio::test]
async fn a_backup_of_one_store_is_restored_into_the_other() {
    let cluster = start_cluster().await;
    on_sqlite(async |w| {
        let (ada, door) = live(w).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("backup.jsonl");
        let path = file.to_str().context("a path")?;
        refused(Scim::anonymous(w.server.address()).get("/Users?from=here").await?, 401, None)?;
        w.server.cli(&["backup", "--to", path]).await?;
        let before = told(&w.admin, &w.acme.id).await?;

        let other = Server::start(Store::Postgres(cluster.url())).await?;
        // Whoever scans the network finds a new server before its operator does.
        refused(Scim::anonymous(other.address()).get("/Users?from=there").await?, 401, None)?;
        refuse_half(&other, &file).await?;
        other.cli(&["restore", "--from", path]).await?;
        let admin = Admin::new(other.address(), &other.operator_key()?);
        let after = told(&admin, &w.acme.id).await?;
        ensure!(before == after, "the audit differs after a restore");
        gapless(&after.0, 0)?;
        let strangers = admin.exchanges("none").await?;
        // What strangers send lies beside the log, and so is in no backup of it.
        let targets: Vec<&Value> = strangers.iter().map(|x| &x["target"]).collect();
        ensure!(targets == ["/scim/v2/Users?from=there"], "{strangers:?}");

        // The token works, names are still taken or still free, and the log goes on where it ended.
        let scim = Scim::anonymous(other.address()).with_token(w.scim.token().context("token")?);
        let (here, there) = (
            w.scim.get(&format!("/Users/{ada}")).await?.json()?,
            scim.get(&format!("/Users/{ada}")).await?.expect_json(200)?,
        );
        ensure!(here == there, "the user differs after a restore: {here} {there}");
        ensure!(scim.members(&door).await? == [ada.clone()], "the members differ after a restore");
        refused(scim.post("/Users", &user("Ada@contoso.example")).await?, 409, Some("uniqueness"))?;
        scim.create_user("gone@contoso.example").await?;
        gapless(&admin.events_after(&w.acme.id, 0).await?, 0)?;
        other.cli(&["views", "verify"]).await?;
        ensure!(
            !other.command(&["restore", "--from", path]).await?.status.success(),
            "a restore over data was not refused"
        );
        Ok(())
    })
    .await;
}

/// A file that broke off is refused as a whole, and the server stays empty.
async fn refuse_half(server: &Server, file: &Path) -> Result<()> {
    let whole = std::fs::read(file)?;
    let half = file.with_extension("half");
    std::fs::write(&half, &whole[..whole.len() / 2])?;
    let said = server.command(&["restore", "--from", half.to_str().context("a path")?]).await?;
    ensure!(!said.status.success(), "half a backup was restored");
    ensure!(
        server.cli(&["org", "list"]).await?.as_array().is_some_and(Vec::is_empty),
        "half a backup left something"
    );
    Ok(())
}

#[tokio::test]
async fn a_stop_and_a_start_change_nothing() {
    on_sqlite(async |w| {
        let (ada, _) = live(w).await?;
        let before = told(&w.admin, &w.acme.id).await?;
        let user_before = w.scim.get(&format!("/Users/{ada}")).await?.expect_json(200)?;
        let key = w.server.operator_key()?;
        ensure!(w.server.terminate().await?.success(), "the server did not end well");
        w.server.restart().await?;
        ensure!(w.server.operator_key()? == key, "the operator key changed");
        let (events, exchanges) = told(&w.admin, &w.acme.id).await?;
        let (same, new) = events.split_at(before.0.len());
        ensure!(
            same == before.0 && exchanges[..before.1.len()] == before.1[..],
            "the audit differs after a start"
        );
        // A start looks which credentials came into use.
        ensure!(new.iter().all(|event| event["type"] == "CredentialFirstUsed"), "{new:?}");
        ensure!(
            w.scim.get(&format!("/Users/{ada}")).await?.expect_json(200)? == user_before,
            "the user differs after a start"
        );
        issue(&w.server, "acme").await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_folder_serves_one_process() {
    on_sqlite(async |w| {
        let second = w.server.command(&["serve", "--listen", "127.0.0.1:0"]).await?;
        ensure!(!second.status.success(), "a second server runs on the folder");
        let said = String::from_utf8_lossy(&second.stderr);
        ensure!(
            said.contains(&*w.server.data().to_string_lossy()),
            "the folder is not named: {said}"
        );
        w.scim.get("/Users").await?.expect(200)?;
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_answered_503() {
    on_postgres(async |w, cluster| {
        let path = format!("/Users/{}", w.scim.create_user("ada@contoso.example").await?);
        let title = json!([{"op": "add", "path": "title", "value": "Chief"}]);
        cluster.freeze()?;
        let (reader, writer) = (w.scim.fresh(), w.scim.fresh());
        // The client's own patience is longer than the server's may be.
        let (read, write) =
            tokio::join!(reader.get(&path), writer.operations(&path, title.clone()));
        cluster.thaw()?;
        for answer in [read?, write?] {
            ensure!(answer.header("retry-after").is_some(), "{answer:?}");
            refused(answer, 503, None)?;
        }
        for _ in 0..100 {
            if w.scim.fresh().operations(&path, title.clone()).await?.status == 200 {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        anyhow::bail!("the server does not recover")
    })
    .await;
}

#[tokio::test]
async fn the_data_of_the_embedded_store_is_its_owner_s_alone() {
    on_sqlite(async |w| {
        use std::os::unix::fs::PermissionsExt as _;
        live(w).await?;
        let mut seen = 0;
        for entry in std::fs::read_dir(w.server.data())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.contains(".db") || name == "operator.key" {
                let mode = entry.metadata()?.permissions().mode() & 0o777;
                ensure!(mode == 0o600, "{name} has mode {mode:o}");
                seen += 1;
            }
        }
        ensure!(seen >= 5, "{seen} files");
        Ok(())
    })
    .await;
}
