//! A restore is whole or serves nobody, whatever happens in its middle.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::Admin;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak;
use rollcall_tests::world::{World, start_cluster};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// So many users are in the backup: enough that a restore takes a while.
const USERS: usize = 120;

/// A backup of a server with users, and one of them.
struct Backup {
    folder: tempfile::TempDir,
    world: World,
    user: String,
    /// What is in it of the organization.
    events: Vec<Value>,
}

impl Backup {
    async fn new() -> Result<Self> {
        let world = World::new(Store::Sqlite).await?;
        let mut user = String::new();
        for n in 0..USERS {
            user = world.scim.create_user(&format!("user{n}@contoso.example")).await?;
        }
        world.server.cli(&["operator", "add", "--label", "Grace Hopper"]).await?;
        let folder = tempfile::tempdir()?;
        let mut it = Self { folder, world, user, events: Vec::new() };
        it.events = it.world.admin.events_after(&it.world.acme.id, 0).await?;
        let said = it.world.server.cli(&["backup", "--output", &it.path()]).await?;
        ensure!(said["verified"] == true, "{said}");
        Ok(it)
    }

    fn path(&self) -> String {
        self.folder.path().join("backup.jsonl").to_string_lossy().into_owned()
    }

    fn token(&self) -> Result<&str> {
        self.world.scim.token().context("a token")
    }

    /// All is there, as it was.
    async fn is_in(&self, server: &Server) -> Result<()> {
        let scim = Scim::anonymous(server.address()).with_token(self.token()?);
        scim.get(&format!("/Users/{}", self.user)).await?.expect(200)?;
        let admin = Admin::new(server.address(), &server.operator_key()?);
        let there = admin.events_after(&self.world.acme.id, 0).await?;
        let (as_it_was, since) = there.split_at(there.len().min(self.events.len()));
        ensure!(as_it_was == self.events, "{} events of {}", there.len(), self.events.len());
        // By then a server may have noticed something by itself, such as that cycles are late.
        let mut of_others = since.iter().filter(|event| event["actor"]["kind"] != "system");
        ensure!(of_others.next().is_none(), "{since:?}");
        server.cli(&["views", "verify"]).await?;
        server.cli(&["ledger", "audit", "--org", "acme"]).await?;
        // The claims are there: a name is taken once.
        let taken = rollcall_tests::scim::user("user1@contoso.example");
        scim.post("/Users", &taken).await?.expect(409).map(drop)
    }
}

fn sentence(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn refuses(server: &Server, args: &[&str], because: &str) -> Result<()> {
    let output = server.command(&[&["restore"], args].concat()).await?;
    let said = sentence(&output);
    ensure!(!output.status.success() && said.contains(because), "{args:?}: {output:?}");
    Ok(())
}

async fn is_empty(server: &Server) -> Result<()> {
    let all = server.cli(&["org", "list"]).await?;
    ensure!(all.as_array().is_some_and(Vec::is_empty), "{all}");
    Ok(())
}

/// A byte that is another, at any place, is refused by whoever reads it, and leaves nothing.
#[tokio::test]
async fn a_flipped_byte_is_refused_and_leaves_nothing() -> Result<()> {
    let backup = Backup::new().await?;
    let whole = fs::read(backup.path())?;
    let server = Server::start(Store::Sqlite).await?;
    let key = server.operator_key()?;
    let bad = backup.folder.path().join("bad.jsonl");
    let path = bad.to_str().context("a path")?;
    let mut rng = Rng::from_env("flipped bytes", 7);
    for _ in 0..soak::times(12) {
        let mut bytes = whole.clone();
        let at = usize::try_from(rng.below(bytes.len() as u64))?;
        let bit = 1 << rng.below(8);
        bytes[at] ^= bit;
        fs::write(&bad, &bytes)?;
        // By the command line, before anything is sent; and by the server.
        refuses(&server, &["--input", path], "not a backup that can be restored").await?;
        let answer = rollcall_tests::http::Http::new(server.address())
            .send(
                rollcall_tests::http::Request::new("POST", "/api/v1/restore")
                    .header("authorization", format!("Bearer {key}"))
                    .header("content-type", "application/x-ndjson")
                    .body(bytes),
            )
            .await?;
        ensure!(answer.status == 400, "byte {at}, bit {bit}: {}", answer.text());
    }
    for half in [whole.len() / 2, whole.len() - 2] {
        fs::write(&bad, &whole[..half])?;
        refuses(&server, &["--input", path], "restored").await?;
    }
    is_empty(&server).await?;
    server.cli(&["restore", "--input", &backup.path()]).await?;
    backup.is_in(&server).await
}

/// Every refusal comes to the command line as its sentence, however much was to be sent.
#[tokio::test]
async fn refusals_are_told() -> Result<()> {
    let backup = Backup::new().await?;
    let path = backup.path();
    let input = ["--input", path.as_str()];
    let full = &backup.world.server;
    refuses(full, &input, "there are organizations already").await?;
    let server = Server::start(Store::Sqlite).await?;
    refuses(&server, &[&input[..], &["--resume"]].concat(), "no restore was broken off").await?;
    refuses(&server, &["--discard"], "no restore was broken off").await?;
    // With keys of operators: only if they may go.
    let key = server.cli(&["operator", "add", "--label", "Ada"]).await?;
    refuses(&server, &input, "--drop-operators").await?;
    let file = backup.folder.path().join("key");
    fs::write(&file, "rollcall_operator_none")?;
    let stranger = [&input[..], &["--key-file", file.to_str().context("a path")?]].concat();
    refuses(&server, &stranger, "send a live key").await?;
    let done = server.cli(&["restore", "--input", &path, "--drop-operators"]).await?;
    ensure!(done["verified"] == true, "{done}");
    backup.is_in(&server).await?;
    fs::write(&file, key["key"].as_str().context("a key")?)?;
    let gone = ["org", "list", "--key-file", file.to_str().context("a path")?];
    ensure!(!server.command(&gone).await?.status.success(), "a key that was dropped opens");
    Ok(())
}

/// Waits until a restore is under way.
async fn under_way(admin: &Admin) -> Result<bool> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        let told: Value = admin.get_anonymous("/readyz").await?.json()?;
        if told["closed"]["reason"] == "restoring" {
            return Ok(true);
        }
        if told["ready"] == true && !admin.get("/api/v1/organizations").await?.text().eq("[]") {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(false)
}

/// A restore is killed in its middle: nobody is served, until it is gone on with or given up.
async fn killed(store: Store, other: Option<Store>) -> Result<()> {
    let backup = Backup::new().await?;
    let mut server = Server::start(store).await?;
    let mut beside = match other {
        Some(store) => Some(Server::start(store).await?),
        None => None,
    };
    let path = backup.path();
    let mut met = 0;
    for round in 0..soak::times(2) {
        let admin = Admin::new(server.address(), &server.operator_key()?);
        let scim = Scim::anonymous(server.address()).with_token(backup.token()?);
        let resume: &[&str] = if met > 0 { &["--resume"] } else { &[] };
        let args = [&["restore", "--input", &path], resume].concat();
        let restoring = async { server.command(&args).await };
        let cut = async {
            if !under_way(&admin).await? {
                return Ok::<bool, anyhow::Error>(false);
            }
            // Whoever knows the token of the backup is not let in before all is there.
            scim.get("/Users").await?.expect(503)?;
            if let Some(beside) = &beside {
                let scim = Scim::anonymous(beside.address()).with_token(backup.token()?);
                let answer = scim.get("/Users").await?;
                ensure!([401, 503].contains(&answer.status), "{}", answer.text());
            }
            Ok(true)
        };
        let pid = server.pid().context("it runs")?.to_string();
        let (_, was_met) = tokio::join!(restoring, async {
            let met = cut.await;
            if matches!(met, Ok(true)) {
                std::process::Command::new("sh").args(["-c", "kill -9 $0", &pid]).status()?;
            }
            met
        });
        if !was_met? {
            // It was too fast to be met. What was not broken off is whole.
            server.ready().await?;
            backup.is_in(&server).await?;
            println!("round {round}: the restore was over before it was killed");
            return Ok(());
        }
        met += 1;
        server.restart_unready().await?;
        let admin = Admin::new(server.address(), &server.operator_key()?);
        let told = admin.get_anonymous("/readyz").await?.expect_json(503)?;
        ensure!(told["closed"]["reason"] == "restoring", "{told}");
        refuses(&server, &["--input", &path], "--resume").await?;
        let another = backup.folder.path().join("another.jsonl");
        another_backup(&another).await?;
        let another = another.to_str().context("a path")?;
        refuses(&server, &["--input", another, "--resume"], "another file").await?;
        if round % 2 == 1 {
            server.cli(&["restore", "--discard"]).await?;
            server.ready().await?;
            is_empty(&server).await?;
            met = 0;
        }
    }
    let resume: &[&str] = if met > 0 { &["--resume"] } else { &[] };
    server.cli(&[&["restore", "--input", &path], resume].concat()).await?;
    backup.is_in(&server).await?;
    if let Some(beside) = &mut beside {
        beside.ready().await?;
        let scim = Scim::anonymous(beside.address()).with_token(backup.token()?);
        scim.get(&format!("/Users/{}", backup.user)).await?.expect(200)?;
        scim.create_user("zoe@contoso.example").await?;
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        let user = format!("/Users/{}", backup.user);
        Scim::anonymous(server.address())
            .with_token(backup.token()?)
            .operations(&user, off)
            .await?
            .expect(200)?;
        let shown = scim.get(&user).await?.expect_json(200)?;
        ensure!(shown["active"] == false, "{shown}");
    }
    Ok(())
}

async fn another_backup(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let server = Server::start(Store::Sqlite).await?;
    server.cli(&["org", "create", "Other", "--domain", "other"]).await?;
    server.cli(&["backup", "--output", &path.to_string_lossy()]).await?;
    Ok(())
}

#[tokio::test]
async fn a_restore_into_a_folder_is_killed() -> Result<()> {
    killed(Store::Sqlite, None).await
}

#[tokio::test]
async fn a_restore_into_a_database_is_killed_beside_another_server() -> Result<()> {
    let cluster = start_cluster().await;
    let store = Store::Postgres(cluster.url());
    killed(store.clone(), Some(store)).await
}
