//! The Debian package, in a Debian of its own: it is installed, started as its unit says, upgraded,
//! removed and purged. There is no service manager in there, so the test takes its part: it runs what
//! the unit says as whom it says, and holds what the process asks of the kernel against the unit.

mod place;
mod running;
mod unit;

use super::tools::{may_change_root, root, run, stripped, tried};
use anyhow::{Context as _, Result, ensure};
use place::Debian;
use rollcall_tests::http::Request;
use running::Running;
use rusqlite::Connection;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use unit::{allowed, one, unit};

/// The same package with another version, as a release after it.
fn of_version(package: &Path, version: &str, folder: &Path) -> Result<PathBuf> {
    let (tree, made) = (folder.join(version), folder.join(format!("rollcall-{version}.deb")));
    let path = |p: &Path| p.to_str().map(str::to_owned).context("a path");
    run("dpkg-deb", &["-R", &path(package)?, &path(&tree)?])?;
    let control = tree.join("DEBIAN/control");
    let text = std::fs::read_to_string(&control)?;
    let line = text.lines().find(|l| l.starts_with("Version: ")).context("a version")?;
    std::fs::write(&control, text.replace(line, &format!("Version: {version}")))?;
    run("dpkg-deb", &["-b", "-Znone", &path(&tree)?, &path(&made)?])?;
    Ok(made)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_installed_started_upgraded_removed_and_purged() -> Result<()> {
    if !may_change_root("the package in a Debian of its own")? {
        return Ok(());
    }
    let work = tempfile::tempdir()?;
    let path = |p: &Path| p.to_str().map(str::to_owned).context("a path");
    let (binary, out) = (stripped(work.path())?, work.path().join("out"));
    let mut make = Command::new(root().join("packaging/deb"));
    let (good, said) = tried(make.arg(&binary).arg(&out).env("DEB_COMPRESSION", "-Zxz -z0"))?;
    ensure!(good, "{said}");
    let package = std::fs::read_dir(&out)?.next().context("a package")??.path();
    ensure!(package.extension().is_some_and(|end| end == "deb"), "{}", package.display());

    // Debian's own critic has nothing to say that would be an error or a warning.
    let said = run(
        "lintian",
        &["--allow-root", "--pedantic", "--fail-on", "error,warning", &path(&package)?],
    )?;
    ensure!(!said.lines().any(|l| l.starts_with("E:") || l.starts_with("W:")), "{said}");

    let debian = Debian::unpacked()?;
    let (good, said) = debian.install(&package)?;
    ensure!(good, "{said}");
    ensure!(said.contains("/var/lib/rollcall/operator.key"), "where the key will be: {said}");
    assert_eq!(debian.mode("etc/rollcall/rollcall.toml")?, (0o640, "root".into()));
    assert_eq!(debian.mode("var/lib/rollcall")?, (0o700, "rollcall".into()));
    let conffiles = debian.run("dpkg-query -W -f '${Conffiles}' rollcall")?;
    ensure!(conffiles.contains("/etc/rollcall/rollcall.toml"), "{conffiles}");
    debian.run("bash -n /usr/share/bash-completion/completions/rollcall")?;
    for part in ["serve", "backup", "config-example", "scim-token-issue"] {
        let page = format!("usr/share/man/man1/rollcall-{part}.1.gz");
        ensure!(debian.path(&page).is_file(), "{page}");
    }
    // What it says of itself can be used as it is, and is what is in force.
    let from_file =
        debian.run("rollcall config print --data /d --config /etc/rollcall/rollcall.toml")?;
    assert_eq!(from_file, debian.run("rollcall config print --data /d")?);

    let running = Running::start(&debian).await?;
    let answer = running.http()?.send(Request::new("GET", "/readyz")).await?;
    ensure!(answer.status == 200, "ready when it said so");
    let cli = |what: &str| {
        debian.run(&format!(
            "setpriv --reuid rollcall --regid rollcall --clear-groups rollcall --data /var/lib/rollcall --json {what}"
        ))
    };
    cli("org create 'Example Ltd' --domain example")?;
    let issued: serde_json::Value = serde_json::from_str(&cli("scim token issue --org example")?)?;
    let token = issued["token"].as_str().context("a token")?;
    let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example" });
    let create = Request::new("POST", "/scim/v2/Users")
        .header("authorization", format!("Bearer {token}"))
        .json("application/scim+json", &user);
    running.http()?.send(create).await?.expect(201)?;
    cli("views verify")?;
    for file in ["operator.key", "deployment.key", "log.db"] {
        let (mode, owner) = debian.mode(&format!("var/lib/rollcall/{file}"))?;
        ensure!(mode & 0o077 == 0 && owner == "rollcall", "{file}: {mode:o} {owner}");
    }
    // What the backup's timer runs, as the unit runs it.
    debian.run("install -d -m 0700 -o rollcall /var/lib/rollcall-backup")?;
    let script =
        one(&unit(&debian.read("lib/systemd/system/rollcall-backup.service")?), "ExecStart")?
            .to_owned();
    debian.run(&format!("setpriv --reuid rollcall --regid rollcall --clear-groups {script}"))?;
    ensure!(std::fs::read_dir(debian.path("var/lib/rollcall-backup"))?.count() == 1, "a backup");

    // Nothing was asked of the kernel that the unit does not let it ask.
    let service = unit(&debian.read("lib/systemd/system/rollcall.service")?);
    let (asked, allowed) = (running.stop()?, allowed(&service)?);
    ensure!(asked.contains("fsync") && asked.contains("accept4"), "{asked:?}");
    let refused: Vec<&String> = asked.difference(&allowed).collect();
    ensure!(refused.is_empty(), "the unit's SystemCallFilter refuses {refused:?}");

    // A release after it: what an operator wrote stays, and so does the log.
    let settings = format!("{}\nrate_limit = 7\n", debian.read("etc/rollcall/rollcall.toml")?);
    std::fs::write(debian.path("etc/rollcall/rollcall.toml"), &settings)?;
    let after = of_version(&package, "9.0.0", work.path())?;
    let (good, said) = debian.install(&after)?;
    ensure!(good && debian.read("etc/rollcall/rollcall.toml")? == settings, "{said}");
    let running = Running::start(&debian).await?;
    let users = cli("directory users --org example")?;
    ensure!(users.contains("ada@example"), "{users}");
    drop(running.stop()?);

    // Back again only while the log is one that the older version reads.
    let log = Connection::open(debian.path("var/lib/rollcall/log.db"))?;
    let format: i64 = log.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    log.execute_batch(&format!(
        "PRAGMA user_version = {}; PRAGMA wal_checkpoint(TRUNCATE)",
        format + 1
    ))?;
    let (good, said) = debian.install(&package)?;
    ensure!(!good && said.contains("nothing was changed"), "{said}");
    ensure!(debian.run("dpkg-query -W -f '${Version}' rollcall")?.contains("9.0.0"), "changed");
    log.execute_batch(&format!("PRAGMA user_version = {format}; PRAGMA wal_checkpoint(TRUNCATE)"))?;
    drop(log);
    let (good, said) = debian.install(&package)?;
    ensure!(good, "{said}");

    // Removed, it leaves everything; purged, the log still, and says so; then what was said.
    debian.run("dpkg -r rollcall")?;
    ensure!(debian.path("var/lib/rollcall/log.db").is_file(), "remove took the log");
    ensure!(debian.path("etc/rollcall/rollcall.toml").is_file(), "remove took the settings");
    let said = debian.run("dpkg -P rollcall")?;
    ensure!(said.contains("/var/lib/rollcall is kept") && said.contains(".purge-ok"), "{said}");
    ensure!(debian.path("var/lib/rollcall/log.db").is_file(), "purge took the log");
    ensure!(!debian.path("etc/rollcall/rollcall.toml").exists(), "purge left the settings");
    ensure!(debian.install(&package)?.0, "it is not installed again");
    std::fs::write(debian.path("var/lib/rollcall/.purge-ok"), "")?;
    debian.run("dpkg -P rollcall")?;
    for folder in ["var/lib/rollcall", "var/lib/rollcall-backup"] {
        ensure!(!debian.path(folder).exists(), "{folder} is left, although it was said");
    }
    Ok(())
}

/// systemd's own judgement of the units, without a running systemd.
#[test]
fn the_units_are_closed() -> Result<()> {
    let unit_file = |name: &str| root().join("packaging/debian").join(name);
    for (name, most) in [("rollcall.service", "15"), ("rollcall-backup.service", "20")] {
        let threshold = format!("--threshold={most}");
        let file = unit_file(name);
        let file = file.to_str().context("a path")?;
        run("systemd-analyze", &["--no-pager", "security", "--offline=true", &threshold, file])?;
    }
    let service = unit(&std::fs::read_to_string(unit_file("rollcall.service"))?);
    for (name, value) in [("Type", "notify"), ("WatchdogSec", "30"), ("TimeoutStopSec", "45")] {
        assert_eq!(one(&service, name)?, value, "{name}");
    }
    Ok(())
}
