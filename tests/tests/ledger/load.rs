//! People are erased while others live on, by a server that is killed again and again: afterwards
//! nothing is left of them in any place where they were, and every proof made before holds.

use super::life::{files_with_the_word, lives, somebody};
use anyhow::{Context as _, Result, bail, ensure};
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::{Scim, add_members, filter};
use rollcall_tests::soak;
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many are erased, while the server is killed so often: in a data folder, ...
const IN_A_FOLDER: (usize, usize) = (20, 5);
/// ... and in a database.
const IN_A_DATABASE: (usize, usize) = (4, 1);

/// In everything that tells who somebody of these is.
const WORD: &str = "unforgettable";

fn word(n: usize) -> String {
    // None is a part of another.
    format!("{WORD}{n:03}")
}

/// Others are created, asked for, changed and listed until they are told to stop. What fails while
/// the server is away does not count.
async fn others(scim: Scim, round: usize, stop: Arc<AtomicBool>) -> usize {
    let (mut done, mut tried) = (0, 0);
    while !stop.load(Ordering::SeqCst) {
        tried += 1;
        let name = format!("other{round}-{tried}@contoso.example");
        let Ok(id) = scim.create_user(&name).await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let by_name = filter(&format!("userName eq \"{name}\""));
        let _ = scim.get(&format!("/Users?{by_name}")).await;
        let off = json!([{"op": "replace", "path": "active", "value": "False"}]);
        let _ = scim.operations(&format!("/Users/{id}"), off).await;
        let _ = scim.get("/Users?count=50").await;
        done += 1;
    }
    done
}

/// What was proved before anybody was erased.
struct Proofs {
    folder: tempfile::TempDir,
    files: Vec<String>,
}

impl Proofs {
    async fn of(w: &World, rng: &mut Rng) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut files = Vec::new();
        let end = w.admin.events_after("acme", 0).await?.len() as u64;
        for n in 0..10 {
            let file = folder.path().join(format!("{n}.proof")).to_string_lossy().into_owned();
            let position = (1 + rng.below(end)).to_string();
            let prove = ["ledger", "prove", "--org", "acme", "--position", &position];
            w.server.cli(&[&prove[..], &["--output", &file]].concat()).await?;
            files.push(file);
        }
        let ledger = folder.path().join("ledger").to_string_lossy().into_owned();
        w.server.cli(&["ledger", "export", "--org", "acme", "--output", &ledger]).await?;
        files.push(ledger);
        Ok(Self { folder, files })
    }

    async fn hold(&self, w: &World) -> Result<()> {
        // The ledger of before is older than what was seen since: only that it is unchanged counts.
        for file in &self.files {
            let told = w.server.command(&["ledger", "verify", file]).await?;
            let told: Value = serde_json::from_slice(&told.stdout).context("a verdict")?;
            ensure!(told["holds"] == true || told["unchanged"] == true, "{file}: {told}");
        }
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }
}

/// Erases people while others live and the server is killed.
async fn erase_all(w: &mut World, people: &[String], kills: usize, rng: &mut Rng) -> Result<()> {
    let (mut killed, mut erased) = (0, 0);
    while erased < people.len() {
        let stop = Arc::new(AtomicBool::new(false));
        let scim = Scim::anonymous(w.server.address()).with_token(w.scim.token().context("one")?);
        let living = tokio::spawn(others(scim, erased, stop.clone()));
        // So many in a row until the next kill, which comes in the middle of the one after them.
        let row = (people.len() / (kills + 1)).max(1);
        for id in people[erased..].iter().take(row) {
            erase(w, id).await?;
            erased += 1;
        }
        if killed < kills && erased < people.len() {
            let args = arguments(&people[erased]);
            let mut command = w.server.command_line(&args);
            let erasing = tokio::task::spawn_blocking(move || command.output());
            tokio::time::sleep(rng.millis(0, 600)).await;
            w.server.kill9()?;
            killed += 1;
            erasing.await??;
        }
        stop.store(true, Ordering::SeqCst);
        ensure!(living.await? > 0, "nobody lived meanwhile");
        if w.server.pid().is_none() {
            w.server.restart().await?;
            w.scim =
                Scim::anonymous(w.server.address()).with_token(w.scim.token().context("a token")?);
            w.admin =
                rollcall_tests::admin::Admin::new(w.server.address(), &w.server.operator_key()?);
        }
    }
    ensure!(killed == kills, "{killed} of {kills} kills");
    Ok(())
}

fn arguments(id: &str) -> [&str; 10] {
    ["person", "erase", "--org", "acme", "--user", id, "--reason", "17", "--yes", "--force"]
}

async fn erase(w: &World, id: &str) -> Result<()> {
    let done = w.server.command(&arguments(id)).await?;
    ensure!(done.status.success(), "{done:?}");
    Ok(())
}

async fn story(
    w: &mut World,
    (people, kills): (usize, usize),
    cluster: Option<&PostgresCluster>,
) -> Result<()> {
    let mut rng = Rng::from_env("erased under load", 20_261_202);
    let (count, kills) = (soak::times(people), soak::times(kills));
    let mut people = Vec::new();
    for n in 0..count {
        people.push(lives(&w.scim, &word(n)).await?);
    }
    // Some are named together, and in what is about others.
    let group = w.scim.create_group("Everybody").await?;
    let all: Vec<&str> = people.iter().map(String::as_str).collect();
    w.scim.operations(&format!("/Groups/{group}"), add_members(&all)).await?.expect(204)?;
    let mut bob = somebody("bob");
    bob["nickName"] = json!("friend");
    w.scim.post("/Users", &bob).await?.expect(201)?;
    w.scim.get("/Users").await?.expect(200)?;
    let proofs = Proofs::of(w, &mut rng).await?;
    erase_all(w, &people, kills, &mut rng).await?;

    w.server.cli(&["views", "verify"]).await?;
    w.server.cli(&["replay", "verify", "--org", "acme"]).await?;
    w.server.cli(&["ledger", "audit", "--org", "acme"]).await?;
    proofs.hold(w).await?;
    for id in &people {
        w.scim.get(&format!("/Users/{id}")).await?.expect(404)?;
    }
    let without = proofs.path("without");
    w.server.cli(&["backup", "--output", &without, "--without-keys"]).await?;
    let list = proofs.path("erasures");
    w.server.cli(&["person", "erasures", "--output", &list]).await?;
    let listed = std::fs::read_to_string(&list)?.lines().count();
    ensure!(listed == people.len() + 2, "{listed} lines for {} people", people.len());
    nowhere(Path::new(&without))?;
    nowhere(Path::new(&list))?;
    nowhere(&w.server.log_file())?;
    let left = files_with_the_word(&w.server.data(), WORD)?;
    ensure!(left.is_empty(), "the word is in {left:?} of a server that runs");
    if let Some(cluster) = cluster {
        cluster.sql_in("rollcall", "VACUUM")?;
        let dumped = cluster.dump("rollcall")?.to_lowercase();
        let line = dumped.lines().find(|line| line.contains(WORD));
        ensure!(line.is_none(), "{line:?}");
    }
    w.server.terminate().await?;
    let left = files_with_the_word(&w.server.data(), WORD)?;
    ensure!(left.is_empty(), "the word is in {left:?}");
    w.server.restart().await?;
    w.server.cli(&["views", "verify"]).await.map(drop)
}

fn nowhere(file: &Path) -> Result<()> {
    let bytes = std::fs::read(file)?.to_ascii_lowercase();
    if bytes.windows(WORD.len()).any(|part| part == WORD.as_bytes()) {
        bail!("the word is in {}", file.display());
    }
    Ok(())
}

#[tokio::test]
async fn in_a_data_folder() {
    on_sqlite(async |w| story(w, IN_A_FOLDER, None).await).await;
}

#[tokio::test]
async fn in_a_database() {
    on_postgres(async |w, cluster| story(w, IN_A_DATABASE, Some(cluster)).await).await;
}
