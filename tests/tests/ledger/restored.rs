//! Yesterday's backup is restored, and brings back nobody who was erased since.

use super::life::{WORD, a_life, files_with_the_word, lives};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::Admin;
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::{Scim, filter};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak;
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// What is left of yesterday, and the list of today.
struct Yesterday {
    folder: tempfile::TempDir,
    ada: String,
    token: String,
}

impl Yesterday {
    /// Ada lives, is held and is backed up; then she is released and erased, and so is somebody who
    /// came later.
    async fn of(w: &World) -> Result<Self> {
        let (ada, _, _) = a_life(w).await?;
        let folder = tempfile::tempdir()?;
        let token = w.scim.token().context("a token")?.to_owned();
        let it = Self { folder, ada, token };
        let of_ada = ["--org", "acme", "--user", &it.ada];
        let hold = [&["person", "hold"], &of_ada[..], &["--because", "a court"]].concat();
        w.server.cli(&hold).await?;
        w.server.cli(&["backup", "--output", &it.path("whole")]).await?;
        let apart = ["--output", &it.path("apart"), "--keys-to", &it.path("keys")];
        w.server.cli(&[&["backup"], &apart[..]].concat()).await?;
        let early = it.path("early");
        w.server.cli(&["person", "erasures", "--output", &early]).await?;
        let release = [&["person", "release"], &of_ada[..], &["--because", "it ended"]].concat();
        w.server.cli(&release).await?;
        let erase = async |user: &str| {
            let erase = ["person", "erase", "--org", "acme", "--user", user, "--reason", "17"];
            w.server.cli(&[&erase[..], &["--yes", "--force"]].concat()).await
        };
        erase(&it.ada).await?;
        let after = ["--output", &it.path("after"), "--keys-to", &it.path("keys-after")];
        w.server.cli(&[&["backup"], &after[..]].concat()).await?;
        erase(&lives(&w.scim, "erasable-later").await?).await?;
        w.server.cli(&["person", "erasures", "--output", &it.path("list")]).await?;
        let list = fs::read_to_string(it.path("list"))?;
        ensure!(list.lines().count() == 4, "{list}");
        ensure!(!list.to_lowercase().contains(WORD), "{list}");
        Ok(it)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Others are there as they were, and of Ada nothing is but that she was.
    async fn is_without_her(&self, server: &Server) -> Result<()> {
        let scim = Scim::anonymous(server.address()).with_token(&self.token);
        scim.get(&format!("/Users/{}", self.ada)).await?.expect(404)?;
        let bob = filter("userName eq \"bob@contoso.example\"");
        let found = scim.get(&format!("/Users?{bob}")).await?.expect_json(200)?;
        ensure!(found["totalResults"] == 1, "{found}");
        let admin = Admin::new(server.address(), &server.operator_key()?);
        let events = Value::from(admin.events_after("acme", 0).await?).to_string();
        ensure!(!events.to_lowercase().contains(WORD), "{events}");
        ensure!(events.contains("UserErased"), "{events}");
        let holds = server.cli(&["person", "holds", "--org", "acme"]).await?;
        ensure!(holds.as_array().is_some_and(Vec::is_empty), "{holds}");
        server.cli(&["views", "verify"]).await?;
        server.cli(&["replay", "verify", "--org", "acme"]).await?;
        // Whoever saw one of the copies would not take the next for the same log, and rightly so.
        let heads = server.data().join("heads").to_string_lossy().into_owned();
        server.cli(&["ledger", "audit", "--org", "acme", "--heads", &heads]).await.map(drop)
    }
}

fn refused(output: &std::process::Output, because: &str) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && said.contains(because), "{because}: {output:?}");
    Ok(())
}

#[tokio::test]
async fn into_a_data_folder() {
    on_sqlite(async |w| {
        let it = Yesterday::of(w).await?;
        let (whole, apart, keys) = (it.path("whole"), it.path("apart"), it.path("keys"));
        let list = it.path("list");
        // Today's records with a key of yesterday: the log says who was erased, list or none.
        let (after, mixed) = (it.path("after"), it.path("mixed"));
        let (old, new) = (fs::read_to_string(&keys)?, fs::read_to_string(it.path("keys-after"))?);
        fs::write(&mixed, with_keys_of_before(&new, &old)?)?;
        for (args, listed) in [
            (vec!["--input", &whole, "--erasures", &list], 1),
            (vec!["--input", &apart, "--keys", &keys, "--erasures", &list], 1),
            (vec!["--input", &after, "--keys", &mixed], 0),
        ] {
            let mut server = Server::start(Store::Sqlite).await?;
            let done = server.command(&[&["restore"], &args[..]].concat()).await?;
            ensure!(done.status.success(), "{args:?}: {done:?}");
            let told: Value = serde_json::from_slice(&done.stdout).context("an answer")?;
            ensure!(told["erased"] == 1 && told["not_in_backup"] == listed, "{told}");
            it.is_without_her(&server).await?;
            let left = files_with_the_word(&server.data(), WORD)?;
            ensure!(left.is_empty(), "{args:?}: the word is in {left:?} of a server that runs");
            server.terminate().await?;
            let left = files_with_the_word(&server.data(), WORD)?;
            ensure!(left.is_empty(), "{args:?}: the word is in {left:?}");
            // Her name is free again, for another one.
            server.restart().await?;
            let scim = Scim::anonymous(server.address()).with_token(&it.token);
            lives(&scim, "erasable").await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn into_a_database() {
    on_postgres(async |w, cluster: &mut PostgresCluster| {
        let it = Yesterday::of(w).await?;
        let url = cluster.create_database()?;
        let server = Server::start(Store::Postgres(url.clone())).await?;
        let args = ["restore", "--input", &it.path("whole"), "--erasures", &it.path("list")];
        let told = server.cli(&args).await?;
        ensure!(told["erased"] == 1 && told["not_in_backup"] == 1, "{told}");
        it.is_without_her(&server).await?;
        let name = url.rsplit('/').next().and_then(|n| n.split('?').next()).context("a name")?;
        cluster.sql_in(name, "VACUUM")?;
        let dumped = cluster.dump(name)?.to_lowercase();
        let line = dumped.lines().find(|line| line.contains(WORD));
        ensure!(line.is_none(), "{line:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_list_that_cannot_help_is_refused() {
    on_sqlite(async |w| {
        let it = Yesterday::of(w).await?;
        let stranger = World::new(Store::Sqlite).await?;
        let foreign = it.path("foreign");
        stranger.server.cli(&["person", "erasures", "--output", &foreign]).await?;
        let server = Server::start(Store::Sqlite).await?;
        let restore = async |list: &str| {
            let args = ["restore", "--input", &it.path("whole"), "--erasures", list];
            server.command(&args).await
        };
        // Foreign, and too early by a moment: written while the backup was not yet.
        refused(&restore(&foreign).await?, "another deployment")?;
        let (whole, list) = (fs::read_to_string(it.path("whole"))?, it.path("list"));
        let begin: Value = serde_json::from_str(whole.lines().next().context("a line")?)?;
        let text = fs::read_to_string(&list)?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut head: Value = serde_json::from_str(&lines[0])?;
        ensure!(head["created_at"].as_str() > begin["created_at"].as_str(), "{head} {begin}");
        refused(&restore(&it.path("whole")).await?, "is not a list of erasures")?;
        refused(&restore(&it.path("nowhere")).await?, "cannot read")?;
        // Cut off, and changed.
        let bad = it.path("bad");
        let mut rng = Rng::from_env("lists of erasures changed", 86);
        for round in 0..soak::times(10) {
            let mut bytes = text.clone().into_bytes();
            let at = usize::try_from(rng.below(bytes.len() as u64 - 1))?;
            if round % 2 == 0 {
                bytes.truncate(at)
            } else {
                bytes[at] ^= 1 << rng.below(7)
            }
            fs::write(&bad, &bytes)?;
            refused(&restore(&bad).await?, "")?;
        }
        // One that is older than the backup names nobody who was erased since.
        head["created_at"] = json!("2001-01-01T00:00:00Z");
        lines[0] = head.to_string();
        let without_end = lines[..lines.len() - 1].iter().map(|l| format!("{l}\n"));
        let body: String = without_end.collect();
        let end = json!({"line": "erasure_list_end", "erased": 2, "sha256": sha256(&body)});
        fs::write(&bad, format!("{body}{end}\n"))?;
        refused(&restore(&bad).await?, "before the backup was made")?;
        let all = server.cli(&["org", "list"]).await?;
        ensure!(all.as_array().is_some_and(Vec::is_empty), "{all}");
        let args = ["restore", "--input", &it.path("whole"), "--erasures", &list];
        server.cli(&args).await?;
        it.is_without_her(&server).await
    })
    .await;
}

/// Files of keys in which those that were erased since live as before.
fn with_keys_of_before(new: &str, old: &str) -> Result<String> {
    let mut living = BTreeMap::new();
    for line in old.lines() {
        let line: Value = serde_json::from_str(line)?;
        for key in line["keys"].as_array().into_iter().flatten().filter(|key| key[1].is_string()) {
            living.insert((line["organization"].to_string(), key[0].to_string()), key[1].clone());
        }
    }
    let (mut text, mut changed) = (String::new(), 0);
    for line in new.lines() {
        let mut line: Value = serde_json::from_str(line)?;
        let of = line["organization"].clone();
        let mut digested = String::new();
        for key in line["keys"].as_array_mut().into_iter().flatten() {
            if key[1].is_null()
                && let Some(before) = living.get(&(of.to_string(), key[0].to_string()))
            {
                key[1] = before.clone();
                changed += 1;
            }
            digested += &format!("{} {}\n", key[0], key[1].as_str().unwrap_or("erased"));
        }
        if line["keys"].is_array() {
            let of = of.as_str().context("an organization")?;
            line["sha256"] = json!(sha256(&format!("{of} {}", sha256(&digested))));
        }
        text += &format!("{line}\n");
    }
    ensure!(changed > 0, "no key was erased since");
    Ok(text)
}

fn sha256(text: &str) -> String {
    openssl::sha::sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whoever is killed in the middle is served by nobody until the same is gone on with.
#[tokio::test]
async fn a_restore_that_is_killed_brings_nobody_back() {
    on_sqlite(async |w| {
        let it = Yesterday::of(w).await?;
        let mut rng = Rng::from_env("restores with erasures killed", 87);
        let (whole, list) = (it.path("whole"), it.path("list"));
        for round in 0..soak::times(4) {
            let mut server = Server::start(Store::Sqlite).await?;
            let args = ["restore", "--input", &whole, "--erasures", &list];
            let mut command = server.command_line(&args);
            let restoring = tokio::task::spawn_blocking(move || command.output());
            tokio::time::sleep(rng.millis(10, 600)).await;
            server.kill9()?;
            let done = restoring.await??.status.success();
            server.restart_unready().await?;
            if !done {
                let resumed = server.command(&[&args[..], &["--resume"]].concat()).await?;
                if !resumed.status.success() {
                    // It had not begun.
                    refused(&resumed, "nothing to resume")?;
                    server.cli(&args).await?;
                }
            }
            it.is_without_her(&server).await.with_context(|| format!("round {round}, {done}"))?;
            let left = files_with_the_word(&server.data(), WORD)?;
            ensure!(left.is_empty(), "round {round}, {done}: the word is in {left:?}");
        }
        Ok(())
    })
    .await;
}
