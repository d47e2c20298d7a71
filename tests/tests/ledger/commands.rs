//! What an auditor does: with a key of theirs, with checkpoints that they keep, and with files that
//! they take away.

use crate::copies::days;
use crate::pymerkle;
use anyhow::{Context as _, Result, ensure};
use rollcall_domain::ids::OrganizationId;
use rollcall_tests::on_both;
use rollcall_tests::server::{Store, run};
use rollcall_tests::world::World;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// An auditor's own folder: a key, and what was seen.
struct Desk {
    folder: TempDir,
    key: String,
    heads: String,
}

fn text(path: &Path) -> Result<String> {
    Ok(path.to_str().context("a path in UTF-8")?.to_owned())
}

impl Desk {
    async fn new(w: &World) -> Result<Self> {
        let issued = w.server.cli(&["auditor", "issue", "--org", "acme", "--label", "Ada"]).await?;
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("key");
        std::fs::write(&key, issued["key"].as_str().context("a key")?)?;
        let heads = text(&folder.path().join("heads"))?;
        Ok(Self { key: text(&key)?, heads, folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Asks the server, as the auditor.
    async fn ask(&self, w: &World, args: &[&str]) -> Result<(Option<i32>, Value)> {
        let mut all = vec!["ledger"];
        all.extend(args);
        all.extend(["--org", "acme", "--key-file", &self.key]);
        if !args.contains(&"prove") {
            all.extend(["--heads", &self.heads]);
        }
        answer(w.server.command(&all).await?)
    }

    /// Verifies a file with no server at hand.
    fn verify(&self, name: &str, more: &[&str]) -> Result<(Option<i32>, Value)> {
        let file = text(&self.file(name))?;
        let mut all = vec!["ledger", "verify", &file, "--json", "--heads", &self.heads];
        all.extend(more);
        answer(run(&all)?)
    }
}

fn answer(output: Output) -> Result<(Option<i32>, Value)> {
    let out = String::from_utf8_lossy(&output.stdout);
    let said = serde_json::from_str(&out)
        .unwrap_or_else(|_| json!(String::from_utf8_lossy(&output.stderr)));
    Ok((output.status.code(), said))
}

fn first(said: &Value) -> (String, String, u64) {
    let found = &said["findings"][0];
    let word = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (word("kind"), word("part"), found["number"].as_u64().unwrap_or(0))
}

/// Runs one statement past the server, which does not run.
async fn past(w: &World, sqlite: &str, postgres: &str, store: &Store) -> Result<()> {
    match store {
        Store::Sqlite => {
            rusqlite::Connection::open(w.server.data().join("log.db"))?.execute_batch(sqlite)?;
        }
        Store::Postgres(url) => {
            use sqlx::{Connection as _, Executor as _};
            sqlx::PgConnection::connect(url).await?.execute(postgres).await?;
        }
    }
    Ok(())
}

async fn an_auditor_holds_the_log_to_its_word(w: &mut World) -> Result<()> {
    days(w, 0, 3).await?;
    let desk = Desk::new(w).await?;
    // Nothing is known of the key yet, and it is said.
    let (code, audited) = desk.ask(w, &["audit"]).await?;
    ensure!(code == Some(0) && audited["key_is_unknown"] == true, "{code:?} {audited}");
    let origin = format!("rollcall.example/rollcall/{}", w.acme.id);
    ensure!(audited["origin"] == origin, "{audited}");
    days(w, 3, 5).await?;
    let (code, checkpoint) = desk.ask(w, &["checkpoint"]).await?;
    ensure!(code == Some(0) && checkpoint["uncovered"] == 0, "{code:?} {checkpoint}");
    let key = checkpoint["key"].as_str().context("a key")?.to_owned();
    // From now on the key is the one that was seen first.
    days(w, 5, 7).await?;
    let output = text(&desk.file("acme.ledger"))?;
    let (code, exported) = desk.ask(w, &["export", "--output", &output]).await?;
    ensure!(code == Some(0) && exported["key_is_unknown"] == false, "{code:?} {exported}");
    ensure!(exported["checkpoints"] == 2 && exported["dropped"] == 0, "{exported}");
    // Without a server, and without anything but the file.
    for more in [&["--key", &key][..], &[]] {
        let (code, verified) = desk.verify("acme.ledger", more)?;
        ensure!(code == Some(0), "{code:?} {verified}");
        ensure!(verified["leaves"] == exported["size"] && verified["complete"] == true);
    }
    let nobody = tempfile::tempdir()?;
    let heads = text(nobody.path())?;
    let bare = answer(run(&["ledger", "verify", &output, "--json", "--heads", &heads])?)?;
    ensure!(bare.0 == Some(0) && bare.1["key_is_unknown"] == true, "{bare:?}");
    proofs(w, &desk, &key).await?;
    in_other_words(&desk.file("acme.ledger"))?;
    Ok(())
}
on_both!(an_auditor_holds_the_log_to_its_word);

async fn proofs(w: &World, desk: &Desk, key: &str) -> Result<()> {
    let exchange = w.admin.all_exchanges(&w.acme.id).await?[3].clone();
    let id = exchange["id"].as_str().context("an id")?.to_owned();
    for (name, what) in [("record", ["--position", "2"]), ("exchange", ["--exchange", &id])] {
        let output = text(&desk.file(name))?;
        let (code, proven) = desk.ask(w, &["prove", what[0], what[1], "--output", &output]).await?;
        ensure!(code == Some(0), "{code:?} {proven}");
        let (code, verified) = desk.verify(name, &["--key", key])?;
        ensure!(code == Some(0) && verified["part"] == name, "{code:?} {verified}");
        ensure!(verified["holds"] == true && verified["index"] == proven["index"]);
        let (code, verified) = desk.verify(name, &[])?;
        ensure!(code == Some(0) && verified["key_is_unknown"] == true, "{code:?} {verified}");
        // Another leaf, another path, another root: not proven, or no proof.
        let proof = std::fs::read(desk.file(name))?;
        for at in (0..proof.len()).step_by(7) {
            let mut other = proof.clone();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            std::fs::write(desk.file("other"), &other)?;
            let (code, said) = desk.verify("other", &["--key", key])?;
            ensure!(matches!(code, Some(1 | 2)), "byte {at}: {code:?} {said}");
        }
    }
    let (code, said) = desk.ask(w, &["prove", "--position", "100000"]).await?;
    ensure!(code != Some(0) && said.as_str().is_some_and(|said| said.contains("100000")), "{said}");
    Ok(())
}

/// pymerkle comes to the same roots from the entries' bytes, and accepts the same proofs.
fn in_other_words(file: &Path) -> Result<()> {
    let Some(python) = pymerkle::python("an exported ledger")? else { return Ok(()) };
    let text = std::fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut entries = Vec::new();
    let mut tree = rollcall_domain::ledger::Tree::default();
    for line in &lines[1..lines.len() - 1] {
        let item = rollcall_evidence::file::Line::read(line.as_bytes())?.item()?;
        let content = item.context("an entry")?.content;
        use rollcall_domain::ledger::entry::{ExchangeHashes, exchange_entry, record_entry};
        let entry = match &content {
            rollcall_evidence::findings::Content::Record(record) => record_entry(record),
            rollcall_evidence::findings::Content::Exchange(x) => {
                exchange_entry(x, &ExchangeHashes::of(&x.exchange))
            }
        };
        tree.append(rollcall_domain::ledger::leaf(&entry));
        entries.push(pymerkle::hex(&entry));
    }
    let size = tree.size();
    let signed: Value = serde_json::from_str(lines[0])?;
    let statement = rollcall_evidence::read_note(signed["checkpoint"].as_str().context("a note")?)?;
    ensure!((statement.size, statement.root) == (size, tree.root()));
    let path = |at| -> Result<Vec<String>> {
        Ok(tree.inclusion(at, size)?.iter().map(ToString::to_string).collect())
    };
    let inclusion =
        (0..size).map(|at| Ok(json!([at, size, path(at)?]))).collect::<Result<Vec<_>>>()?;
    let roots: Vec<_> = (0..=size)
        .map(|size| json!([size, tree.root_of(size).map(|root| root.to_string())]))
        .collect();
    let consistency: Vec<_> = (1..size).map(|old| [old, size]).collect();
    let looked_at = format!("{} {} {}\n", roots.len(), inclusion.len(), consistency.len());
    let said = json!({ "entries": entries, "roots": roots, "inclusion": inclusion, "consistency": consistency });
    ensure!(pymerkle::ask(&python, &said)? == looked_at);
    Ok(())
}

/// An edited record is named while the server runs on it; a rewritten log is found by the auditor's
/// own checkpoints, also if the server has none left.
async fn who_changes_the_database_is_found(w: &mut World, store: Store) -> Result<()> {
    days(w, 0, 4).await?;
    let desk = Desk::new(w).await?;
    ensure!(desk.ask(w, &["audit"]).await?.0 == Some(0));
    w.server.terminate().await?;
    let organization = OrganizationId(w.acme.id.parse()?);
    let sqlite = format!(
        "UPDATE event SET payload = payload || ' ' WHERE position = 5 AND organization = x'{}'",
        organization.0.simple()
    );
    let postgres = format!(
        "UPDATE rollcall.events SET payload = (payload::text || ' ')::json WHERE position = 5 AND organization = '{organization}'"
    );
    past(w, &sqlite, &postgres, &store).await?;
    w.server.restart().await?;
    let (code, audited) = desk.ask(w, &["audit"]).await?;
    ensure!(code == Some(1), "{code:?} {audited}");
    ensure!(first(&audited) == ("edited".into(), "record".into(), 5), "{audited}");
    ensure!(audited["unchanged"] == false && audited["complete"] == true, "{audited}");
    // Nobody remembers a checkpoint of a ledger that does not hold, and the file names it too.
    let output = text(&desk.file("acme.ledger"))?;
    let (code, exported) = desk.ask(w, &["export", "--output", &output]).await?;
    ensure!(code == Some(1) && first(&exported).2 == 5, "{code:?} {exported}");
    w.server.terminate().await?;
    // The forger computes the leaves and the tree anew, and takes the server's memory.
    let copy = match &store {
        Store::Sqlite => crate::copies::Copy::at(w.server.data()),
        Store::Postgres(url) => crate::copies::Copy::Postgres(url.clone()),
    };
    crate::tampering::forger::regrow(&copy, organization).await?;
    std::fs::remove_dir_all(w.server.data().join("ledger"))?;
    w.server.restart().await?;
    // Whoever has kept nothing is told that all is well.
    let ignorant = Desk::new(w).await?;
    let (code, audited) = ignorant.ask(w, &["audit"]).await?;
    ensure!(code == Some(0), "as docs/evidence.md says: {code:?} {audited}");
    for command in ["audit", "checkpoint"] {
        let (code, said) = desk.ask(w, &[command]).await?;
        ensure!(code == Some(1) && first(&said).0 == "rewritten", "{command}: {code:?} {said}");
    }
    Ok(())
}

#[tokio::test]
async fn who_changes_the_data_folder_is_found() {
    rollcall_tests::world::on_sqlite(async |w| {
        who_changes_the_database_is_found(w, Store::Sqlite).await
    })
    .await;
}

#[tokio::test]
async fn who_changes_a_shared_database_is_found() {
    rollcall_tests::world::on_postgres(async |w, cluster| {
        who_changes_the_database_is_found(w, Store::Postgres(cluster.url())).await
    })
    .await;
}

/// Tiles of a tree make up the tree (C2SP tlog-tiles), for whoever has a key.
async fn tiles_make_up_the_tree(w: &World) -> Result<()> {
    days(w, 0, 2).await?;
    let desk = Desk::new(w).await?;
    let key = std::fs::read_to_string(&desk.key)?;
    let auditor = rollcall_tests::admin::Admin::new(w.server.address(), key.trim());
    let get = async |path: &str| auditor.get(&format!("/ledger/acme/{path}")).await;
    let note = get("checkpoint").await?;
    let statement = rollcall_evidence::read_note(std::str::from_utf8(&note.body)?)?;
    ensure!(statement.size > 8 && statement.size < 256, "{statement:?}");
    let nodes = get(&format!("tile/0/000.p/{}", statement.size)).await?;
    ensure!(nodes.status == 200 && nodes.body.len() as u64 == statement.size * 32);
    let leaf =
        |bytes: &[u8]| -> Result<_> { Ok(rollcall_domain::ledger::LeafHash(bytes.try_into()?)) };
    let leaves = nodes.body.chunks(32).map(leaf).collect::<Result<Vec<_>>>()?;
    let tree: rollcall_domain::ledger::Tree = leaves.iter().copied().collect();
    ensure!(tree.root() == statement.root);
    let bundle = get(&format!("tile/entries/000.p/{}", statement.size)).await?;
    let mut rest = &bundle.body[..];
    for expected in &leaves {
        let (length, behind) = rest.split_first_chunk::<2>().context("a length")?;
        let (entry, behind) = behind.split_at(usize::from(u16::from_be_bytes(*length)));
        ensure!(rollcall_domain::ledger::leaf(entry) == *expected);
        rest = behind;
    }
    ensure!(rest.is_empty());
    for none in ["tile/0/001", "tile/1/000", "tile/0/000.p/255", "tile/x", "tile/entries/001.p/1"] {
        ensure!(get(none).await?.status == 404, "{none}");
    }
    ensure!(auditor.get_anonymous("/ledger/acme/checkpoint").await?.status == 401);
    Ok(())
}
on_both!(tiles_make_up_the_tree);
