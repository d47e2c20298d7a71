//! What leaves carries the ledger's checkpoint: whoever kept any of it holds the log against it
//! later, and a log that went another way is found.

use super::life::a_life;
use anyhow::{Context as _, Result, ensure};
use rollcall_contract::backup::{BackupLine, Digests};
use rollcall_tests::server::Server;
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::Value;
use std::fs;
use std::process::Output;

/// Everything that leaves, as files.
struct Kept {
    folder: tempfile::TempDir,
    files: Vec<String>,
}

impl Kept {
    async fn of(w: &World) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut it = Self { folder, files: Vec::new() };
        let acme = ["--org", "acme"];
        for format in ["json", "ndjson", "csv", "cloudevents"] {
            let file = it.path(&format!("events.{format}"));
            let export = ["events", "export", "--format", format, "--output", &file];
            it.done(w, &[&export[..], &acme].concat()).await?;
            it.files.push(format!("{file}.checkpoint"));
        }
        for format in ["json", "ndjson", "csv", "html"] {
            for (name, about) in
                [("review", "--all-groups"), ("findings", "--find=never-signed-in")]
            {
                let file = it.path(&format!("{name}.{format}"));
                let review = ["review", about, "--format", format, "--output", &file];
                it.done(w, &[&review[..], &acme].concat()).await?;
                it.files.push(file);
            }
        }
        let bundle = it.path("bundle");
        let failed = ["bundle", "export", "--failed", "--output", &bundle];
        it.done(w, &[&failed[..], &acme].concat()).await?;
        let backup = it.path("backup");
        it.done(w, &["backup", "--output", &backup]).await?;
        let ledger = it.path("ledger");
        it.done(w, &[&["ledger", "export", "--output", &ledger][..], &acme].concat()).await?;
        let add = ["consumer", "add", "--name", "doors", "--kind", "pull"];
        it.done(w, &[&add[..], &acme].concat()).await?;
        let page = "/api/v1/organizations/acme/consumers/doors/feed?after=0";
        let page = w.admin.get(page).await?.expect(200)?.text();
        let feed = it.path("feed");
        fs::write(&feed, page)?;
        it.files.extend([bundle, backup, ledger, feed]);
        Ok(it)
    }

    async fn done(&self, w: &World, args: &[&str]) -> Result<()> {
        let done = w.server.command(args).await?;
        ensure!(done.status.success(), "{args:?}: {done:?}");
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Holds a server's ledger, and a file of it, against each of what was kept.
    async fn against(&self, server: &Server, name: &str) -> Result<Vec<(String, [Output; 3])>> {
        // Nothing but what is named is known of it.
        let heads = self.path(&format!("heads-{name}"));
        let ledger = self.path(&format!("ledger-{name}"));
        let export = ["ledger", "export", "--org", "acme", "--output", &ledger];
        server.cli(&[&export[..], &["--heads", &heads]].concat()).await?;
        let _ = fs::remove_dir_all(&heads);
        let mut all = Vec::new();
        for file in &self.files {
            let elsewhere = ["--checkpoint", file.as_str()];
            let alone = ["--heads", heads.as_str()];
            let verify = [&["ledger", "verify", &ledger], &elsewhere[..], &alone].concat();
            let audit = [&["ledger", "audit", "--org", "acme"], &elsewhere[..], &alone].concat();
            let position = ["ledger", "prove", "--org", "acme", "--position", "3"];
            let prove = [&position[..], &elsewhere].concat();
            let outputs = [
                server.command(&verify).await?,
                server.command(&audit).await?,
                server.command(&prove).await?,
            ];
            let _ = fs::remove_dir_all(&heads);
            all.push((file.clone(), outputs));
        }
        Ok(all)
    }

    async fn hold(&self, server: &Server, name: &str) -> Result<()> {
        for (file, outputs) in self.against(server, name).await? {
            for output in &outputs {
                ensure!(output.status.success(), "{file}: {output:?}");
            }
            let told: Value = serde_json::from_slice(&outputs[0].stdout)?;
            ensure!(told["checkpoints"] == 1, "{file}: {told}");
        }
        Ok(())
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_log_is_held_against_everything_that_left() {
    on_sqlite(async |w| {
        let (id, ..) = a_life(w).await?;
        // As it is now, for somebody who would rather have it otherwise.
        w.server.terminate().await?;
        let mut other = w.server.on_a_copy()?;
        w.server.restart().await?;
        let first = w.scim.create_user("what-was@contoso.example").await?;
        w.scim.delete(&format!("/Users/{first}")).await?.expect(204)?;
        let kept = Kept::of(w).await?;
        kept.hold(&w.server, "at-once").await?;
        // It grows, and somebody is erased: what left still holds.
        w.scim.create_user("later@contoso.example").await?;
        let erase = ["person", "erase", "--org", "acme", "--user", &id, "--reason", "17"];
        w.server.cli(&[&erase[..], &["--yes", "--force"]].concat()).await?;
        kept.hold(&w.server, "later").await?;

        // The copy goes another way, and is longer in the end: with the same keys, under the same
        // address. Each file by itself tells.
        other.restart().await?;
        let scim = rollcall_tests::scim::Scim::anonymous(other.address())
            .with_token(w.scim.token().context("a token")?);
        for n in 0..30 {
            scim.create_user(&format!("what-was-not{n}@contoso.example")).await?;
        }
        for (file, [verify, audit, prove]) in kept.against(&other, "other").await? {
            for output in [verify, audit, prove] {
                ensure!(output.status.code() == Some(1), "{file}: {output:?}");
            }
        }

        // What has none, and one of another ledger.
        let ledger = kept.path("ledger-later");
        let none = kept.path("none");
        fs::write(&none, "{\"checkpoint\":\"none\"}\n")?;
        let told = w.server.command(&["ledger", "verify", &ledger, "--checkpoint", &none]).await?;
        ensure!(said(&told).contains("no checkpoint in it"), "{told:?}");
        w.another("Globex", "globex").await?;
        let foreign = kept.path("foreign");
        let export = ["events", "export", "--org", "globex", "--output", &foreign];
        ensure!(w.server.command(&export).await?.status.success());
        let foreign = format!("{foreign}.checkpoint");
        let told =
            w.server.command(&["ledger", "verify", &ledger, "--checkpoint", &foreign]).await?;
        ensure!(said(&told).contains("of another ledger"), "{told:?}");
        Ok(())
    })
    .await;
}

async fn verified(server: &Server, backup: &str, heads: &str) -> Result<(Output, Value)> {
    let told = server.command(&["ledger", "verify", backup, "--heads", heads]).await?;
    let json = serde_json::from_slice(&told.stdout).unwrap_or_default();
    Ok((told, json))
}

/// A backup with other lines, whose digests were made anew by somebody who knows how.
fn forged(backup: &str, change: impl Fn(usize, &mut Line) -> bool) -> Result<String> {
    let (mut text, mut digests) = (String::new(), Digests::default());
    let (mut records, mut exchanges) = (0, 0);
    for (at, line) in backup.lines().enumerate() {
        let mut line: Line = serde_json::from_str(line)?;
        if !change(at, &mut line) {
            continue;
        }
        match &mut line {
            BackupLine::Section { lines, sha256, .. } => {
                let sum = digests.section();
                (*lines, *sha256) = (sum.lines, sum.sha256);
            }
            BackupLine::End { records: r, exchanges: x, sha256 } => {
                (*r, *x, *sha256) = (records, exchanges, Some(digests.whole()));
            }
            BackupLine::Record { .. } => records += 1,
            BackupLine::Exchange { .. } => exchanges += 1,
            _ => {}
        }
        let written = format!("{}\n", serde_json::to_string(&line)?);
        match &line {
            BackupLine::Begin { .. } | BackupLine::Section { .. } | BackupLine::End { .. } => {
                digests.between(written.as_bytes());
            }
            line if line.is_of_keys() => {}
            _ => digests.line(written.as_bytes()),
        }
        text += &written;
    }
    Ok(text)
}

type Line = BackupLine<Value, Value>;

/// What is done to a line; false if it goes.
type Change = Box<dyn Fn(usize, &mut Line) -> bool>;

fn is_of(organization: &str, line: &Line) -> bool {
    match line {
        BackupLine::Record { record } => record["stream"]["organization"] == *organization,
        BackupLine::Exchange { exchange, .. } => exchange["organization"] == *organization,
        _ => false,
    }
}

async fn a_backup_is_verified_without_a_server(w: &mut World) -> Result<()> {
    a_life(w).await?;
    w.another("Globex", "globex").await?;
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (whole, heads) = (path("whole"), path("heads"));
    w.server.cli(&["backup", "--output", &whole, "--without-keys"]).await?;
    let (told, verdicts) = verified(&w.server, &whole, &heads).await?;
    ensure!(told.status.success(), "{told:?}");
    let all = verdicts.as_array().context("a verdict of each")?;
    let acme = |all: &[Value]| {
        let is_acme = |told: &&Value| {
            told["origin"].as_str().is_some_and(|origin| origin.ends_with(&w.acme.id))
        };
        all.iter().find(is_acme).cloned().context("acme is in it")
    };
    let before = acme(all)?;
    ensure!(before["records"].as_u64() > Some(10) && all.len() >= 2, "{verdicts}");

    // Whoever knows the format changes one thing, and makes all digests anew.
    let text = fs::read_to_string(&whole)?;
    let lines: Vec<Line> =
        text.lines().map(serde_json::from_str).collect::<Result<_, serde_json::Error>>()?;
    let of_acme: Vec<usize> =
        (0..lines.len()).filter(|at| is_of(&w.acme.id, &lines[*at])).collect();
    let last = *of_acme.last().context("an exchange")?;
    let middle = of_acme[of_acme.len() / 3];
    let changes: [(&str, Change); 4] = [
        ("nothing", Box::new(|_, _| true)),
        (
            "a record says another time",
            Box::new(move |at, line| {
                if let (true, BackupLine::Record { record }) = (at == middle, line) {
                    record["recorded_at"] = Value::from("2026-01-01T00:00:00Z");
                }
                true
            }),
        ),
        (
            "an exchange says another outcome",
            Box::new(move |at, line| {
                if let (true, BackupLine::Exchange { exchange, .. }) = (at == last, line) {
                    exchange["answer"]["status"] = Value::from(299);
                }
                true
            }),
        ),
        (
            "the last exchange is gone",
            Box::new(move |at, line| {
                if let BackupLine::Section { exchange_number, organization: Some(_), .. } = line
                    && at == last + 1
                {
                    *exchange_number -= 1;
                }
                at != last
            }),
        ),
    ];
    for (what, change) in changes {
        let bad = path(&what.replace(' ', "-"));
        fs::write(&bad, forged(&text, change)?)?;
        let (told, verdicts) = verified(&w.server, &bad, &heads).await?;
        let acme = acme(verdicts.as_array().with_context(|| format!("{what}: {told:?}"))?)?;
        let holds = what == "nothing";
        let code = if holds { Some(0) } else { Some(1) };
        ensure!(told.status.code() == code, "{what}: {told:?}");
        ensure!((acme["unchanged"] == true && acme["complete"] == true) == holds, "{what}: {acme}");
    }
    Ok(())
}

#[tokio::test]
async fn a_backup_of_a_data_folder() {
    on_sqlite(async |w| a_backup_is_verified_without_a_server(w).await).await;
}

#[tokio::test]
async fn a_backup_of_a_database() {
    on_postgres(async |w, _| a_backup_is_verified_without_a_server(w).await).await;
}
