//! Nobody is in the log in the clear: not in payloads, paths, headers or bodies, on either store;
//! and a backup is worth nothing without its keys.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::person::{WORDS, assert_nowhere, live, nowhere_in_schemas, shown};
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
        ensure!(all >= 4 && left == 0 && kept == only && kept == all, "{all} {left} {kept} {only}");
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
            ensure!(strangers.contains("grace.hopper%40"), "{strangers}");
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
