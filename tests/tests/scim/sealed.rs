//! Nobody is in the log in the clear: not in payloads, paths, headers or bodies, on either store;
//! and a backup is worth nothing without its keys.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::person::{WORDS, assert_nowhere, live, nowhere_in_schemas, read, shown};
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{on_postgres, on_sqlite};
use std::path::Path;

#[tokio::test]
async fn nobody_is_in_the_clear_in_the_log_of_a_data_folder() {
    on_sqlite(async |w| {
        let id = live(w).await?;
        shown(w, &id).await?;
        // As it lies there while it is used, what was not yet written back among it.
        let mut searched = 0;
        for name in ["log.db", "log.db-wal", "side.db", "side.db-wal"] {
            let Ok(bytes) = std::fs::read(w.server.data().join(name)) else { continue };
            searched += bytes.len();
            assert_nowhere(name, &bytes)?;
        }
        ensure!(searched > 100_000, "{searched} bytes were searched");
        ensure!(w.server.terminate().await?.success());
        w.server.restart().await?;
        shown(w, &id).await?;
        assert_nowhere("log.db", &std::fs::read(w.server.data().join("log.db"))?)?;
        assert_nowhere("what the server prints", &std::fs::read(w.server.log_file())?)
    })
    .await;
}

#[tokio::test]
async fn nobody_is_in_the_clear_in_the_log_of_a_database() {
    on_postgres(async |w, cluster| {
        let id = live(w).await?;
        shown(w, &id).await?;
        let searched = nowhere_in_schemas(&cluster.url(), &["rollcall", "rollcall_side"]).await?;
        ensure!(searched > 50, "{searched} rows were searched");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_backup_is_restored_with_its_keys_and_not_without() {
    on_sqlite(async |w| {
        let id = live(w).await?;
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (whole, apart, keys, without) =
            (path("whole"), path("apart"), path("keys"), path("without"));
        w.server.cli(&["backup", "--output", &whole]).await?;
        w.server.cli(&["backup", "--output", &apart, "--keys-to", &keys]).await?;
        w.server.cli(&["backup", "--output", &without, "--without-keys"]).await?;
        for file in [&whole, &apart, &keys, &without] {
            assert_nowhere(file, &std::fs::read(file)?)?;
        }
        let lines = |file: &str| -> Result<(usize, usize)> {
            let text = std::fs::read_to_string(file)?;
            let of_keys = ["{\"line\":\"organization_key\"", "{\"line\":\"data_keys\""];
            let is_key = |line: &&str| of_keys.iter().any(|begin| line.starts_with(begin));
            Ok((text.lines().filter(is_key).count(), text.lines().count()))
        };
        let ((all, _), (left, _), (kept, only)) = (lines(&whole)?, lines(&apart)?, lines(&keys)?);
        ensure!(all >= 2 && left == 0 && kept == only && kept >= 2, "{all} {left} {kept} {only}");
        ensure!(lines(&without)?.0 == 0);
        let names: Vec<_> = std::fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
        ensure!(names.len() == 4, "{names:?}");

        for missing in [&apart, &without] {
            let other = Server::start(Store::Sqlite).await?;
            let told = other.command(&["restore", "--input", missing]).await?;
            let told = String::from_utf8_lossy(&told.stderr).into_owned();
            ensure!(told.contains("the keys of this backup are missing"), "{told}");
        }
        let stranger = Server::start_of_its_own(Store::Sqlite, &["--rate-limit", "0"]).await?;
        let told = stranger.command(&["restore", "--input", &whole]).await?;
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        ensure!(told.contains("--deployment-key-file"), "{told}");

        for arguments in [vec!["--input", &whole], vec!["--input", &apart, "--keys", &keys]] {
            let other = Server::start(Store::Sqlite).await?;
            // Somebody calls before, and is not forgotten.
            let before = Scim::anonymous(other.address()).get("/Users?from=there").await?;
            before.expect(401)?;
            other.cli(&[&["restore"], &arguments[..]].concat()).await?;
            let there =
                Scim::anonymous(other.address()).with_token(w.scim.token().context("a token")?);
            let read = there.get(&format!("/Users/{id}")).await?.expect_json(200)?;
            ensure!(read["userName"] == WORDS[0], "{read}");
            there.create_user("another@sealed.example").await?;
            other.cli(&["views", "verify"]).await?;
            other.cli(&["replay", "verify", "--org", "acme"]).await?;
            let strangers = other.cli(&["exchanges", "list", "--org", "none"]).await?.to_string();
            ensure!(strangers.contains("from=there"), "{strangers}");
            log_is_sealed(&other.data())?;
        }
        Ok(())
    })
    .await;
}

fn log_is_sealed(data: &Path) -> Result<()> {
    for name in ["log.db", "log.db-wal"] {
        let Ok(bytes) = std::fs::read(data.join(name)) else { continue };
        assert_nowhere(name, &bytes)?;
    }
    Ok(())
}

/// A side store that is missing, or of before, would give out keys again under the same ids.
#[tokio::test]
async fn a_log_whose_keys_are_missing_or_older_is_not_served() {
    on_sqlite(async |w| {
        let id = live(w).await?;
        let side = w.server.data().join("side.db");
        let kept = w.server.data().join("kept");
        ensure!(w.server.terminate().await?.success());
        std::fs::copy(&side, &kept)?;
        w.server.restart().await?;
        // More than are made at once.
        for n in 0..70 {
            w.scim.create_user(&format!("nobody{n}@x.example")).await?;
        }
        ensure!(w.server.terminate().await?.success());
        let newest = std::fs::read(&side)?;
        // What a server leaves that was refused must not be read into another file.
        let alone = || {
            for beside in ["side.db-wal", "side.db-shm"] {
                let _ = std::fs::remove_file(side.with_file_name(beside));
            }
        };
        for of_before in [None, Some(std::fs::read(&kept)?)] {
            alone();
            match of_before {
                None => std::fs::remove_file(&side)?,
                Some(bytes) => std::fs::write(&side, bytes)?,
            }
            let refused = w.server.restart().await;
            let told = format!("{:#}", refused.err().context("it started")?);
            ensure!(told.contains("put back the side store"), "{told}");
            ensure!(!told.contains("panicked"), "{told}");
        }
        alone();
        std::fs::write(&side, newest)?;
        w.server.restart().await?;
        shown(w, &id).await
    })
    .await;
}

/// The deployment gets another key: with the former one at hand nothing is lost, and then it may go.
#[tokio::test]
async fn the_deployment_gets_another_key() {
    on_sqlite(async |w| {
        let id = live(w).await?;
        let data = w.server.data();
        let (key, former) = (data.join("deployment.key"), data.join("former.key"));
        let path = former.to_string_lossy().into_owned();
        let backup = data.join("backup").to_string_lossy().into_owned();
        w.server.cli(&["backup", "--output", &backup]).await?;
        ensure!(w.server.terminate().await?.success());
        std::fs::rename(&key, &former)?;
        // One of its own is made, and opens nothing of this.
        let told = w.server.restart().await.err().context("it started")?;
        ensure!(format!("{told:#}").contains("--deployment-key-file"), "{told:#}");
        w.server.flags_are_now(&["--former-deployment-key-file", &path], "");
        w.server.restart().await?;
        read(w, &id).await?;
        ensure!(w.server.log_tail(1_000).contains("wrapped with the new deployment key"));
        // A backup of before is restored beside the former key.
        let flags = ["--rate-limit", "0", "--former-deployment-key-file", &path];
        let elsewhere = Server::start_of_its_own(Store::Sqlite, &flags).await?;
        elsewhere.cli(&["restore", "--input", &backup]).await?;
        let token = w.scim.token().context("a token")?;
        let there = Scim::anonymous(elsewhere.address()).with_token(token);
        ensure!(
            there.get(&format!("/Users/{id}")).await?.expect_json(200)?["userName"] == WORDS[0]
        );
        drop(elsewhere);
        ensure!(w.server.terminate().await?.success());
        std::fs::remove_file(&former)?;
        w.server.flags_are_now(&[], "--former-deployment-key-file");
        w.server.restart().await?;
        w.server.cli(&["views", "rebuild"]).await?;
        read(w, &id).await
    })
    .await;
}
