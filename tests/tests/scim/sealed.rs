//! Nobody is in the log in the clear: not in payloads, paths, headers or bodies, on either store;
//! and a backup is worth nothing without its keys.

use anyhow::{Context as _, Result, ensure};
use rollcall_domain::sql::{Family, SqlStore as _, SqlValue};
use rollcall_postgres::PostgresViews;
use rollcall_tests::scim::{Scim, add_members, filter, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::json;
use std::path::Path;

/// What says who somebody is. None of it is a word of ours.
const WORDS: [&str; 6] = [
    "grace.hopper@sealed.example",
    "Hopper-of-the-navy",
    "grace.the.first@sealed.example",
    "grace.the.stranger@sealed.example",
    "198.51.100.77",
    "grace-in-a-subject@sealed.example",
];

/// Everything that a person comes by: created, looked for, changed, refused, grouped, listed.
async fn live(w: &World) -> Result<String> {
    let [name, display, mail, stranger, address, subject] = WORDS;
    let mut grace = user(name);
    grace["displayName"] = json!(display);
    grace["emails"] = json!([{"value": mail, "type": "work", "primary": true}]);
    let made = w.scim.post("/Users", &grace).await?.expect_json(201)?;
    let id = made["id"].as_str().context("an id")?.to_owned();
    w.scim.post("/Users", &grace).await?.expect(409)?;
    for wanted in [name, stranger] {
        let found = filter(&format!("userName eq \"{wanted}\""));
        w.scim.get(&format!("/Users?{found}")).await?.expect(200)?;
    }
    w.scim
        .operations(
            &format!("/Users/{id}"),
            json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": stranger},
                   {"op": "replace", "path": "active", "value": "False"}]),
        )
        .await?
        .expect(200)?;
    let forwarded = w.scim.request("GET", "/Users").header("X-Forwarded-For", address);
    w.scim.send(forwarded).await?.expect(200)?;
    w.scim.get(&format!("/Users/{subject}")).await?.expect(404)?;
    w.scim.get(&format!("/Groups?{}", filter(&format!("displayName eq \"{name}\"")))).await?;
    let door = w.scim.create_group("Door A").await?;
    w.scim.operations(&format!("/Groups/{door}"), add_members(&[&id])).await?.expect(204)?;
    w.scim.get("/Users").await?.expect(200)?;
    // Nobody's, and yet somebody's name.
    let nobody = filter(&format!("userName eq \"{name}\""));
    Scim::anonymous(w.server.address()).get(&format!("/Users?{nobody}")).await?.expect(401)?;
    Ok(id)
}

fn assert_nowhere(what: &str, bytes: &[u8]) -> Result<()> {
    for word in WORDS {
        for word in [word.to_owned(), word.replace('@', "%40")] {
            let is_there = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            ensure!(!is_there, "{word} stands in {what}");
        }
    }
    Ok(())
}

/// Those who may read still do.
async fn shown(w: &World, id: &str) -> Result<()> {
    let exchanges = w.admin.exchanges(&w.acme.id).await?;
    let text = exchanges.iter().map(ToString::to_string).collect::<String>();
    ensure!(text.contains("grace.hopper%40sealed.example") && text.contains(WORDS[5]), "{text}");
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    let text = events.iter().map(ToString::to_string).collect::<String>();
    ensure!(text.contains(WORDS[0]) && text.contains(WORDS[1]), "{text}");
    let about =
        w.server.cli(&["exchanges", "list", "--org", "acme", "--subject", WORDS[5]]).await?;
    ensure!(about.to_string().contains(WORDS[5]), "{about}");
    ensure!(w.scim.get(&format!("/Users/{id}")).await?.expect_json(200)?["userName"] == WORDS[0]);
    w.server.cli(&["views", "verify"]).await?;
    w.server.cli(&["replay", "verify", "--org", "acme"]).await?;
    let audit = w.server.cli(&["ledger", "audit", "--org", "acme"]).await?;
    ensure!(audit["findings"].as_array().is_some_and(Vec::is_empty), "{audit}");
    Ok(())
}

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
        let views = PostgresViews::connect(&cluster.url(), Family::Live).await?;
        let tables = "SELECT table_schema || '.' || table_name FROM information_schema.tables \
                      WHERE table_schema IN ('rollcall', 'rollcall_side') ORDER BY 1";
        let mut searched = 0;
        for table in views.query(tables, vec![]).await? {
            let [SqlValue::Text(Some(table))] = &table.0[..] else { continue };
            // A row as text has bytes in hexadecimal: both ways of writing are looked for.
            for row in views.query(&format!("SELECT t::text FROM {table} t"), vec![]).await? {
                let [SqlValue::Text(Some(row))] = &row.0[..] else { continue };
                searched += 1;
                assert_nowhere(table, row.as_bytes())?;
                for word in WORDS {
                    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
                    ensure!(!row.contains(&hex), "{word} stands in {table} as bytes");
                }
            }
        }
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
