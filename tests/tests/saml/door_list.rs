//! The example for integrators, as it is documented: doors that open for whom a simulated tenant
//! says so, whatever happens to the processes.

use crate::browser::Browser;
use crate::entra::{ADA_NAME, Tenant, here, location};
use crate::story::APP;
use anyhow::{Context as _, Result, ensure};
use rollcall_entra::play::Plan;
use rollcall_tests::clock::now;
use rollcall_tests::http::{Address, Answer, Http, Request};
use rollcall_tests::scim::add_members;
use rollcall_tests::server::{PUBLIC_URL, binary};
use rollcall_tests::tenant::provision;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const KEY: &str = "a-door-controllers-key";

/// The application, as a process of its own.
struct DoorList {
    child: Option<Child>,
    command: Vec<String>,
    token: String,
    data: PathBuf,
    address: Address,
}

impl DoorList {
    fn begin(rollcall: &str, token: &str, group: &str, data: PathBuf) -> Result<Self> {
        let sign_in = format!("{PUBLIC_URL}/saml/acme/login");
        let door = format!("server-room={group}");
        let file = data.to_str().context("a path")?;
        let command = [
            ["--listen", "127.0.0.1:0"],
            ["--rollcall", rollcall],
            ["--org", "acme"],
            ["--consumer", "doors"],
            ["--door", &door],
            ["--data", file],
            ["--sign-in", &sign_in],
            ["--address", APP],
            ["--trust", "4"],
        ];
        let command = command.concat().iter().map(|&word| word.to_owned()).collect();
        let address = Address::new("127.0.0.1:1");
        let mut it = Self { child: None, command, token: token.to_owned(), data, address };
        it.start()?;
        Ok(it)
    }

    fn start(&mut self) -> Result<()> {
        let program = binary()?.with_file_name("door-list");
        let mut command = Command::new(program);
        command.args(&self.command).env("ROLLCALL_TOKEN", &self.token).env("DOOR_LIST_KEY", KEY);
        let child = self.child.insert(
            command
                .stdout(Stdio::piped())
                .spawn()
                .context("no door-list: cargo build --workspace --all-targets")?,
        );
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("stdout")?).read_line(&mut line)?;
        let authority = line.trim().strip_prefix("http://").context("no address")?;
        self.address = Address::new(authority);
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    async fn may(&self, person: &str) -> Result<Answer> {
        let request = Request::new("GET", format!("/doors/server-room/people/{person}"))
            .header("Authorization", format!("Bearer {KEY}"));
        Http::new(self.address.clone()).send(request).await
    }

    /// Waits until a question is answered so: with a reason, or with a status if there is none.
    async fn until(&self, person: &str, answer: &str) -> Result<()> {
        let mut last = String::new();
        for _ in 0..600 {
            let answered = self.may(person).await?;
            last = match answered.status {
                200 => answered.json()?["because"].as_str().context("a reason")?.to_owned(),
                status => status.to_string(),
            };
            if last == answer {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("not {answer} but {last}")
    }

    /// What a browser that is signed in at Rollcall is shown.
    async fn home(&self, browser: &Browser) -> Result<Answer> {
        let request = Request::new("GET", "/").header("Cookie", browser.cookie_line());
        Http::new(self.address.clone()).send(request).await
    }

    /// Waits until a browser has to sign in.
    async fn until_signed_out(&self, browser: &Browser) -> Result<()> {
        for _ in 0..600 {
            if self.home(browser).await?.status == 303 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("they are signed in all the same")
    }

    fn list(&self) -> Result<Connection> {
        Ok(Connection::open(&self.data)?)
    }
}

impl Drop for DoorList {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A tenant, a group, and an application that follows.
async fn begin(folder: &tempfile::TempDir) -> Result<(Tenant, DoorList, String, String)> {
    let t = Tenant::begin().await?;
    let command = ["consumer", "add", "--org", "acme", "--kind", "pull", "--name", "doors"];
    let added = t.world.server.cli(&command).await?;
    let token = added["token"].as_str().context("a token")?.to_owned();
    let found = t.world.scim.get("/Users").await?.expect_json(200)?;
    let ada = found["Resources"][0]["id"].as_str().context("an id")?.to_owned();
    ensure!(found["Resources"][0]["userName"] == ADA_NAME, "{found}");
    let group = t.world.scim.create_group("Server room").await?;
    let base = t.world.server.address().url();
    let doors = DoorList::begin(&base, &token, &group, folder.path().join("doors.db"))?;
    Ok((t, doors, ada, group))
}

#[tokio::test]
async fn a_door_opens_for_who_may_enter_now_and_for_nobody_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut t, mut doors, ada, group) = begin(&folder).await?;
    doors.until(&ada, "no-member").await?;
    doors.until("nobody", "unknown").await?;
    // Through a group in a group.
    let inner = t.world.scim.create_group("Operations").await?;
    let members = |ids: &[&str]| add_members(ids);
    let to = |group: &str| format!("/Groups/{group}");
    t.world.scim.operations(&to(&group), members(&[&inner])).await?.expect(204)?;
    t.world.scim.operations(&to(&inner), members(&[&ada])).await?.expect(204)?;
    doors.until(&ada, "member").await?;
    // Whoever asks without the key is told nothing.
    let bare = Request::new("GET", format!("/doors/server-room/people/{ada}"));
    ensure!(Http::new(doors.address.clone()).send(bare).await?.status == 401);
    // She comes with no session, signs in at Entra, and is shown her doors.
    let mut browser = t.browser();
    let sent = doors.home(&browser).await?.expect(303)?;
    let login = here(location(&sent)?)?.to_owned();
    let request = browser.begin(&format!("{login}&login_hint=ada%40contoso.example")).await?;
    t.sent_to(&mut browser, &request).await?.expect(303)?;
    let page = doors.home(&browser).await?.expect(200)?.text();
    ensure!(page.contains(ADA_NAME) && page.contains("server-room: open"), "{page}");
    // An operator ends her session: an event ends it here.
    t.world.server.cli(&["sessions", "end", "--org", "acme", "--user", &ada]).await?;
    doors.until_signed_out(&browser).await?;
    doors.until(&ada, "member").await?;
    // Rollcall is away: what was known is believed for a while, and then no more.
    let mut again = t.browser();
    t.sign_in(&mut again).await?.expect(303)?;
    doors.home(&again).await?.expect(200)?;
    t.world.server.kill9()?;
    doors.until(&ada, "503").await?;
    t.world.server.restart().await?;
    let base = t.world.server.address().url();
    doors.kill()?;
    doors.command[3] = base;
    doors.start()?;
    doors.until(&ada, "member").await?;
    doors.home(&again).await?.expect(200)?;
    // Entra switches her off.
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    t.world.scim.operations(&format!("/Users/{ada}"), off).await?.expect(200)?;
    doors.until(&ada, "switched-off").await?;
    doors.until_signed_out(&again).await?;
    // A place that leads nowhere, as after a restore from an older backup: it begins anew.
    doors.kill()?;
    let list = doors.list()?;
    list.execute_batch("UPDATE place SET position = 1000000; UPDATE person SET active = 1")?;
    doors.start()?;
    doors.until(&ada, "switched-off").await
}

/// Whatever a tenant does meanwhile, and wherever the process is killed, the list is the directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_the_directory_wherever_the_process_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (t, mut doors, ..) = begin(&folder).await?;
    let token = t.world.scim.token().context("a token")?.to_owned();
    let url = format!("{}/scim/v2", t.world.server.address().url());
    let plan = Plan::new(20, 80, &token, now(), 40);
    let playing = tokio::spawn(async move { provision(plan, &url).await });
    let mut kills = 0;
    while !playing.is_finished() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        doors.kill()?;
        doors.start()?;
        kills += 1;
    }
    playing.await??;
    let shown = async || t.world.server.cli(&["consumer", "show", "--org", "acme", "doors"]).await;
    let head = shown().await?["head"].as_i64().context("a head")?;
    let list = doors.list()?;
    let place = || list.query_row("SELECT position FROM place", [], |row| row.get::<_, i64>(0));
    for _ in 0..600 {
        if place()? >= head {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut people, mut members) = (BTreeSet::new(), BTreeSet::new());
    let id = |resource: &Value| resource["id"].as_str().unwrap_or_default().to_owned();
    for user in all(&t, "/Users").await? {
        let name = user["userName"].as_str().unwrap_or_default().to_owned();
        people.insert((id(&user), name, user["active"] == true));
    }
    for group in all(&t, "/Groups").await? {
        for member in t.world.scim.members(&id(&group)).await? {
            members.insert((id(&group), member));
        }
    }
    ensure!(people.len() > 60 && members.len() > 60 && kills > 0, "{kills} kills of nothing");
    let mut rows = list.prepare("SELECT id, name, active FROM person")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    ensure!(rows.collect::<rusqlite::Result<BTreeSet<_>>>()? == people);
    let mut rows = list.prepare("SELECT grp, member FROM member")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    ensure!(rows.collect::<rusqlite::Result<BTreeSet<_>>>()? == members);
    println!("{} people, {} memberships, {kills} kills", people.len(), members.len());
    Ok(())
}

async fn all(t: &Tenant, endpoint: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    loop {
        let target = format!("{endpoint}?startIndex={}&count=200", all.len() + 1);
        let page = t.world.scim.get(&target).await?.expect_json(200)?;
        let resources = page["Resources"].as_array().context("Resources")?;
        all.extend(resources.iter().cloned());
        if resources.is_empty() || all.len() as u64 >= page["totalResults"].as_u64().unwrap_or(0) {
            return Ok(all);
        }
    }
}
