//! The Debian package, in a Debian of its own: it is installed, started as its unit says, upgraded,
//! removed and purged. There is no service manager in there, so the test takes its part: it runs what
//! the unit says as whom it says, and holds what the process asks of the kernel against the unit.

use super::tools::{may_change_root, root, run, stripped, tried};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Address, Http, Request};
use rollcall_tests::tools::folder;
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixDatagram;

/// A Debian in a folder.
struct Debian(TempDir);

impl Debian {
    fn unpacked() -> Result<Self> {
        let base = folder("packages")?.join("debian.tar");
        ensure!(base.is_file(), "{} is missing: `make deps` makes it", base.display());
        let place = tempfile::Builder::new().prefix("rollcall-debian-").tempdir()?;
        let to = place.path().to_str().context("a path")?;
        // Without its devices, which only some may make.
        let from = base.to_str().context("a path")?;
        run("tar", &["-C", to, "--exclude=./dev/*", "-xf", from])?;
        for device in ["null", "urandom"] {
            std::fs::write(place.path().join("dev").join(device), "")?;
        }
        Ok(Self(place))
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside.trim_start_matches('/'))
    }

    fn read(&self, inside: &str) -> Result<String> {
        std::fs::read_to_string(self.path(inside)).with_context(|| inside.to_owned())
    }

    /// A command in there. Its mounts are its own, and go with it.
    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        let inside = format!(
            "mount -t proc proc \"$0/proc\" && mount --bind /dev/null \"$0/dev/null\" && \
             mount --bind /dev/urandom \"$0/dev/urandom\" && exec chroot \"$0\" /bin/sh -c \"$1\""
        );
        command.args(["--mount", "sh", "-c", &inside]).arg(self.0.path()).arg(script);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn tried(&self, script: &str) -> Result<(bool, String)> {
        tried(&mut self.command(script))
    }

    fn run(&self, script: &str) -> Result<String> {
        let (good, said) = self.tried(script)?;
        ensure!(good, "{script}:\n{said}");
        Ok(said)
    }

    fn install(&self, package: &Path) -> Result<(bool, String)> {
        std::fs::copy(package, self.path("tmp/package.deb"))?;
        self.tried("dpkg -i /tmp/package.deb")
    }

    fn mode(&self, inside: &str) -> Result<(u32, String)> {
        let found = std::fs::metadata(self.path(inside))?;
        let passwd = self.read("etc/passwd")?;
        let owner = passwd
            .lines()
            .find(|line| line.split(':').nth(2) == Some(&found.uid().to_string()))
            .and_then(|line| line.split(':').next())
            .unwrap_or("nobody");
        Ok((found.permissions().mode() & 0o7777, owner.to_owned()))
    }
}

/// The settings of a unit, in order.
fn unit(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn one<'a>(unit: &'a [(String, String)], name: &str) -> Result<&'a str> {
    let found = unit.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    found.with_context(|| format!("{name} in the unit"))
}

/// The service in there, which ends with its test.
struct Running<'a> {
    debian: &'a Debian,
    child: Child,
    socket: UnixDatagram,
}

impl<'a> Running<'a> {
    async fn start(debian: &'a Debian) -> Result<Running<'a>> {
        let unit = unit(&debian.read("lib/systemd/system/rollcall.service")?);
        let (user, exec) = (one(&unit, "User")?, one(&unit, "ExecStart")?);
        let socket_path = debian.path("run/notify");
        let _ = std::fs::remove_file(&socket_path);
        let socket = UnixDatagram::bind(&socket_path)?;
        std::fs::set_permissions(&socket_path, std::fs::Permissions::from_mode(0o666))?;
        let script = format!(
            "umask {umask}; exec setpriv --reuid {user} --regid {user} --clear-groups \
             env -i NOTIFY_SOCKET=/run/notify HOME=/nonexistent \
             strace -f -c -U name -o /tmp/calls/calls {exec} --listen 127.0.0.1:0",
            umask = one(&unit, "UMask")?,
        );
        debian.run(&format!("install -d -m 0777 -o {user} /tmp/calls"))?;
        let log = std::fs::File::create(debian.path("tmp/log"))?;
        let mut command = debian.command(&script);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut running = Self { debian, child: command.spawn()?, socket };
        running.ready().await?;
        Ok(running)
    }

    async fn ready(&mut self) -> Result<()> {
        let mut message = [0; 4096];
        loop {
            let told =
                tokio::time::timeout(Duration::from_secs(60), self.socket.recv(&mut message));
            let length =
                told.await.with_context(|| self.debian.read("tmp/log").unwrap_or_default())??;
            if String::from_utf8_lossy(&message[..length]).lines().any(|l| l == "READY=1") {
                return Ok(());
            }
        }
    }

    fn http(&self) -> Result<Http> {
        let address = self.debian.read("var/lib/rollcall/address")?;
        Ok(Http::new(Address::new(address.trim().trim_start_matches("http://"))))
    }

    /// Ends it as a stop does; gives the system calls that it has made.
    fn stop(mut self) -> Result<BTreeSet<String>> {
        self.debian.run("for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" = rollcall ] && \
             [ \"$(readlink $p/root)\" = \"$(readlink /proc/self/root)\" ] && kill ${p#/proc/}; done; true")?;
        let status = self.child.wait()?;
        ensure!(status.success(), "{status}: {}", self.debian.read("tmp/log")?);
        let calls = self.debian.read("tmp/calls/calls")?;
        Ok(calls.split_whitespace().map(str::to_owned).collect())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The system calls that a set of systemd's stands for.
fn calls_of(set: &str) -> Result<BTreeSet<String>> {
    let said = run("systemd-analyze", &["--no-pager", "syscall-filter", set])?;
    let mut all = BTreeSet::new();
    for name in said.lines().skip(1).map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        match name.starts_with('@') {
            true => all.extend(calls_of(name)?),
            false => drop(all.insert(name.to_owned())),
        }
    }
    Ok(all)
}

/// What the unit lets the process ask of the kernel.
fn allowed(unit: &[(String, String)]) -> Result<BTreeSet<String>> {
    let mut allowed = BTreeSet::new();
    for (_, value) in unit.iter().filter(|(key, _)| key == "SystemCallFilter") {
        let (forbids, names) = match value.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, value.as_str()),
        };
        for name in names.split_whitespace() {
            let calls = match name.starts_with('@') {
                true => calls_of(name)?,
                false => BTreeSet::from([name.to_owned()]),
            };
            match forbids {
                true => allowed.retain(|call| !calls.contains(call)),
                false => allowed.extend(calls),
            }
        }
    }
    Ok(allowed)
}

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
    let (good, said) = tried(make.arg(&binary).arg(&out).env("DEB_COMPRESSION", "-Znone"))?;
    ensure!(good, "{said}");
    let package = out.join(said.lines().last().context("a package")?.trim());

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
    ensure!(asked.contains("fdatasync") && asked.contains("accept4"), "{asked:?}");
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
