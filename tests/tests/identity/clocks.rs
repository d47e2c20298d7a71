//! Clocks that are wrong, by libfaketime: time never goes back, so what has expired stays expired;
//! processes on a database go by its clock; and whoever is apart is told.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use rollcall_tests::admin::Admin;
use rollcall_tests::http::{Http, Request};
use rollcall_tests::operating;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, start_cluster};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The library that lies about the time to a process; what it says stands in a file.
struct Lie {
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Lie {
    fn new(text: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let lie = Self { file: folder.path().join("time"), _folder: folder };
        lie.tell(text)?;
        Ok(lie)
    }

    /// Says another time: `+3600` is an hour ahead.
    fn tell(&self, text: &str) -> Result<()> {
        let beside = self.file.with_extension("new");
        fs::write(&beside, format!("{text}\n"))?;
        Ok(fs::rename(beside, &self.file)?)
    }

    fn environment(&self) -> Result<Vec<(String, String)>> {
        let libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
            .map(|machine| format!("/usr/lib/{machine}/faketime/libfaketimeMT.so.1"));
        let library = libraries.into_iter().find(|path| Path::new(path).exists());
        let library = library.context("libfaketime is not installed (`make deps` installs it)")?;
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Ok(vec![
            set("LD_PRELOAD", &library),
            set("FAKETIME_TIMESTAMP_FILE", &self.file.to_string_lossy()),
            set("FAKETIME_NO_CACHE", "1"),
            // The clock that nobody sets is not set here, neither.
            set("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            set("DONT_FAKE_MONOTONIC", "1"),
        ])
    }
}

/// What `/readyz` says of the clock, once it is or is not alarming.
async fn clock(admin: &Admin, alarming: bool) -> Result<f64> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let told = admin.get_anonymous("/readyz").await?.expect_json(200)?;
        if (told["clock"]["reason"] == "clock-skew") == alarming {
            return told["clock"]["skew_seconds"].as_f64().context("seconds");
        }
        ensure!(Instant::now() < deadline, "{told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The time of the last event.
async fn last_event(w: &World) -> Result<DateTime<Utc>> {
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    let times = events.iter().map(|e| {
        e["recorded_at"].as_str().context("a time")?.parse::<DateTime<Utc>>().map_err(Into::into)
    });
    let times: Vec<DateTime<Utc>> = times.collect::<Result<_>>()?;
    ensure!(times.is_sorted(), "times go back: {times:?}");
    times.last().copied().context("an event")
}

fn off(time: DateTime<Utc>) -> f64 {
    (time - rollcall_tests::clock::now()).as_seconds_f64()
}

#[tokio::test]
async fn processes_go_by_the_clock_of_their_database() -> Result<()> {
    let cluster = start_cluster().await;
    let lie = Lie::new("+600")?;
    let environment = lie.environment()?;
    let server = Server::start_lied_to(Store::Postgres(cluster.url()), &environment).await?;
    let w = World::around(server).await?;
    w.scim.create_user("ada@contoso.example").await?;
    let at = last_event(&w).await?;
    ensure!(off(at).abs() < 60.0, "recorded {} s from the database's time", off(at));
    let skew = clock(&w.admin, true).await?;
    ensure!((590.0..610.0).contains(&skew), "{skew}");
    operating::row("clock-skew")?;
    let told = w.admin.get("/api/v1/organizations/acme/users").await?.expect(200)?;
    let header: f64 = told.header("rollcall-clock-skew").context("a header")?.parse()?;
    ensure!((590.0..610.0).contains(&header), "{header}");
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
        let against = "rollcall_clock_skew_seconds{against=\"database\"} ";
        let log = fs::read_to_string(w.server.log_file())?;
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_told = lines.filter(|line| line["fields"]["reason"] == "clock-skew").count() == 1;
        if is_told
            && metrics.lines().any(|l| {
                l.strip_prefix(against).is_some_and(|n| n.starts_with('6') || n.starts_with("59"))
            })
        {
            break;
        }
        ensure!(Instant::now() < deadline, "neither metric nor log say it");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Another one, whose clock is right, sees the same times, and is not apart.
    let other = Server::start(Store::Postgres(cluster.url())).await?;
    let right = Admin::new(other.address(), &other.operator_key()?);
    clock(&right, false).await?;
    lie.tell("+0")?;
    clock(&w.admin, false).await?;
    let told = w.admin.get("/api/v1/organizations/acme/users").await?.expect(200)?;
    ensure!(told.header("rollcall-clock-skew").is_none(), "{told:?}");
    Ok(())
}

/// Whether a key lets in.
async fn lets_in(w: &World, key: &str) -> Result<bool> {
    let target = "/api/v1/organizations/acme/users";
    let request = Request::new("GET", target).header("Authorization", format!("Bearer {key}"));
    let answer = Http::new(w.server.address()).send(request).await?;
    ensure!([200, 401].contains(&answer.status), "{answer:?}");
    Ok(answer.status == 200)
}

#[tokio::test]
async fn what_has_expired_stays_expired_when_a_clock_goes_back() -> Result<()> {
    let lie = Lie::new("+0")?;
    let server = Server::start_lied_to(Store::Sqlite, &lie.environment()?).await?;
    let mut w = World::around(server).await?;
    let issue = ["auditor", "issue", "--org", "acme", "--label", "Audit", "--expires-in", "1h"];
    let issued = w.server.cli(&issue).await?;
    let key = issued["key"].as_str().or(issued["token"].as_str());
    let key = key.with_context(|| format!("no key in {issued}"))?.to_owned();
    ensure!(lets_in(&w, &key).await?);

    lie.tell("+7200")?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while lets_in(&w, &key).await? {
        ensure!(Instant::now() < deadline, "an hour has passed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    w.scim.create_user("ada@contoso.example").await?;
    lie.tell("+0")?;
    let skew = clock(&w.admin, true).await?;
    ensure!((-7_210.0..-7_180.0).contains(&skew), "{skew}");
    ensure!(!lets_in(&w, &key).await?, "a clock that went back let somebody in");
    w.scim.create_user("bob@contoso.example").await?;
    last_event(&w).await?;

    // A start begins where the log ends.
    w.server.terminate().await?;
    w.server.restart().await?;
    clock(&w.admin, true).await?;
    ensure!(!lets_in(&w, &key).await?, "a start let somebody in");
    w.scim.create_user("carol@contoso.example").await?;
    last_event(&w).await?;
    lie.tell("+7300")?;
    clock(&w.admin, false).await?;
    Ok(())
}

/// How many users there are at a moment.
async fn users_at(w: &World, moment: &str) -> Result<usize> {
    let target = format!("/api/v1/organizations/acme/users?as_of={moment}");
    let users = w.admin.get(&target).await?.expect_json(200)?;
    ensure!(users["next"].is_null(), "not all on one page: {users}");
    Ok(users["resources"].as_array().context("users")?.len())
}

/// An instant that has come by every clock here, but not by one that was told.
async fn soon(admin: &Admin) -> Result<String> {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let now = rollcall_tests::clock::now();
    let ping = admin.get_anonymous("/healthz").await?;
    ensure!(ping.status == 200, "{ping:?}");
    Ok(format_of(now))
}

fn format_of(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A clock that ran ahead for a while, and recorded, is set right by an operator's word: from then on
/// an instant means what it says, in every process and after a start, and the log says why.
#[tokio::test]
async fn a_clock_that_ran_ahead_is_set_right() -> Result<()> {
    let lie = Lie::new("+0")?;
    let server = Server::start_lied_to(Store::Sqlite, &lie.environment()?).await?;
    let mut w = World::around(server).await?;
    w.scim.create_user("ada@contoso.example").await?;
    let correct = ["log", "correct-clock", "--because", "the host woke up in another year"];
    let refused = w.server.command(&correct).await?;
    ensure!(refused.status.code() == Some(3), "nothing is wrong: {refused:?}");

    lie.tell("+86400")?;
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut n = 0;
    while off(last_event(&w).await?) < 86_000.0 {
        ensure!(Instant::now() < deadline, "the clock has jumped");
        n += 1;
        w.scim.create_user(&format!("early{n}@contoso.example")).await?;
        // The clock is looked at once a second, and all of them are to be on one page.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    lie.tell("+0")?;
    clock(&w.admin, true).await?;
    w.scim.create_user("bob@contoso.example").await?;
    let then = soon(&w.admin).await?;
    let all = users_at(&w, "position:1000000").await.is_err();
    ensure!(all, "beyond the end");
    let everybody = w.admin.get("/api/v1/organizations/acme/users").await?.expect_json(200)?;
    let everybody = everybody["resources"].as_array().context("users")?.len();
    let found = users_at(&w, &then).await?;
    ensure!(found < everybody, "an instant is bent while the clock is wrong: {found}, {everybody}");

    // What leaves says so itself: who reads it may not have seen what the command said.
    let users = w.server.cli(&["directory", "users", "--org", "acme", "--as-of", &then]).await?;
    let skew = users["as_of"]["clock_skew_ms"].as_i64().context("a skew")?;
    ensure!((-86_500_000..-86_000_000).contains(&skew) && users["as_of"]["asked_at"] == *then);
    let review = format!("/api/v1/organizations/acme/review?format=html&as_of={then}");
    let review = w.admin.get(&review).await?.expect(200)?.text();
    ensure!(review.contains("<dt>Clocks</dt>") && review.contains(&then), "{review}");
    // By the clock that is right, what those that ran ahead gave out has not come yet.
    let ahead = format_of(rollcall_tests::clock::now() + chrono::TimeDelta::hours(20));
    let future = w.admin.get(&format!("/api/v1/organizations/acme/users?as_of={ahead}")).await?;
    future.expect(400)?;

    let told = w.server.command(&["directory", "users", "--org", "acme"]).await?;
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    ensure!(told.contains("s apart"), "nobody is told that moments are bent: {told}");

    let said = w.server.cli(&correct).await?;
    let was: DateTime<Utc> = said["was"].as_str().context("was")?.parse()?;
    let is: DateTime<Utc> = said["is"].as_str().context("is")?.parse()?;
    ensure!(off(was) > 86_000.0 && off(is).abs() < 60.0, "{said}");
    ensure!(said["organizations"].as_array().is_some_and(|all| all.len() == 1), "{said}");
    clock(&w.admin, false).await?;
    let then = soon(&w.admin).await?;
    assert_eq!(users_at(&w, &then).await?, everybody, "no instant from here on is bent");
    let none =
        w.server.cli(&["events", "list", "--org", "none", "--type", "ClockCorrected"]).await?;
    ensure!(none.to_string().contains("another year"), "{none}");
    let refused = w.server.command(&correct).await?;
    ensure!(refused.status.code() == Some(3), "once is enough: {refused:?}");

    w.server.terminate().await?;
    w.server.restart().await?;
    clock(&w.admin, false).await?;
    w.scim.create_user("carol@contoso.example").await?;
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    let last = events.last().context("an event")?["recorded_at"].as_str().context("a time")?;
    ensure!(off(last.parse()?).abs() < 60.0, "recorded at {last}");
    assert_eq!(users_at(&w, &then).await?, everybody);
    assert_eq!(users_at(&w, &soon(&w.admin).await?).await?, everybody + 1);
    let verified = w.server.cli(&["views", "verify"]).await?;
    ensure!(verified["equal"] != false, "{verified}");
    Ok(())
}

/// Another process on the same database goes back with the one that was told.
#[tokio::test]
async fn all_processes_go_back_with_the_one_that_was_told() -> Result<()> {
    let cluster = start_cluster().await;
    // What the database says that the time is.
    let says = |offset: &str| {
        let sql = format!(
            "SET allow_system_table_mods = on; \
             CREATE OR REPLACE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz \
             LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.true_clock() + interval '{offset}' $$"
        );
        cluster.sql_in("rollcall", &sql)
    };
    cluster.sql_in(
        "rollcall",
        "SET allow_system_table_mods = on; \
         ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO true_clock",
    )?;
    says("0")?;
    let w = World::around(Server::start(Store::Postgres(cluster.url())).await?).await?;
    let other = Server::start(Store::Postgres(cluster.url())).await?;
    let others = Admin::new(other.address(), &other.operator_key()?);
    says("2 hours")?;
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut n = 0;
    for admin in [&w.admin, &others] {
        loop {
            ensure!(Instant::now() < deadline, "the clock has jumped");
            n += 1;
            let body = json!({ "name": "One more", "domain": format!("more{n}") });
            let made = admin.post("/api/v1/organizations", &body).await?.expect_json(201)?;
            let id = made["organization_id"].as_str().context("an id")?;
            let events = admin.events_after(id, 0).await?;
            let at = events[0]["recorded_at"].as_str().context("a time")?.parse()?;
            if off(at) > 7_000.0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    says("0")?;
    clock(&w.admin, true).await?;
    clock(&others, true).await?;
    w.server.cli(&["log", "correct-clock", "--because", "the database's host slept"]).await?;
    clock(&w.admin, false).await?;
    clock(&others, false).await?;
    let body = json!({ "because": "once more" });
    others.post("/api/v1/log/clock", &body).await?.expect(409)?;
    Ok(())
}
