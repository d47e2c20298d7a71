//! Throw-away PostgreSQL servers, started from the server's own binaries.
//!
//! Each cluster has a data directory of its own that goes with it. A small shell process waits on
//! a pipe from this process and ends the server when the pipe closes, so that not even a killed
//! test run leaves a server behind.

use anyhow::{Context as _, bail, ensure};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take that starts, stops or answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The identity a server runs with, if not ours: it refuses to run as root.
#[derive(Clone, Copy, Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

/// A running server with a database of its own. Dropping it kills the server and removes its data.
#[derive(Debug)]
pub struct PostgresCluster {
    bin: PathBuf,
    dir: tempfile::TempDir,
    account: Option<Account>,
    port: u16,
    server: Option<Server>,
    databases: AtomicU32,
}

#[derive(Debug)]
struct Server {
    process: Child,
    watch: Child,
}

impl PostgresCluster {
    /// Makes a cluster and starts it on a free port of 127.0.0.1, with the database `rollcall`.
    pub fn start() -> anyhow::Result<Self> {
        let bin = find_binaries()?;
        let dir = tempfile::Builder::new().prefix("rollcall-postgres-").tempdir()?;
        let account = account()?;
        if let Some(account) = account {
            std::os::unix::fs::chown(dir.path(), Some(account.uid), Some(account.gid))?;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut cluster =
            Self { bin, dir, account, port, server: None, databases: AtomicU32::new(0) };
        let data = cluster.data();
        cluster.run(
            "initdb",
            &["--locale=C", "--encoding=UTF8", "-A", "trust", "-U", "postgres", "-D", &data],
        )?;
        cluster.start_again()?;
        cluster.sql("CREATE DATABASE rollcall")?;
        Ok(cluster)
    }

    /// A copy of the cluster as it is now, which is not started: with `following`, one that follows
    /// this one as a standby once it is; else one that goes on by itself from this moment, as after
    /// a restore from a base backup.
    pub fn copy(&self, following: bool) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("rollcall-postgres-").tempdir()?;
        if let Some(account) = self.account {
            std::os::unix::fs::chown(dir.path(), Some(account.uid), Some(account.gid))?;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (bin, account) = (self.bin.clone(), self.account);
        let copy = Self { bin, dir, account, port, server: None, databases: AtomicU32::new(0) };
        let (data, from) = (copy.data(), self.port.to_string());
        let mut args = vec!["-h", "127.0.0.1", "-p", &from, "-U", "postgres", "-D", &data];
        args.extend(["-c", "fast", "-X", "stream"]);
        if following {
            args.push("-R");
        }
        copy.run("pg_basebackup", &args)?;
        Ok(copy)
    }

    /// Waits until commits wait for a standby.
    pub fn until_synchronous(&self) -> anyhow::Result<()> {
        let asks = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) \
                    THEN RAISE 'not yet'; END IF; END $$";
        until("a synchronous standby", || Ok(self.sql(asks).is_ok()))
    }

    /// Makes a standby a primary.
    pub fn promote(&self) -> anyhow::Result<()> {
        self.run("pg_ctl", &["promote", "-w", "-D", &self.data()])
    }

    /// User and group that it runs as, if not ours.
    pub fn account(&self) -> Option<(u32, u32)> {
        self.account.map(|account| (account.uid, account.gid))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The database `rollcall` by another port, such as that of a proxy in front of it.
    pub fn url_by(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/rollcall")
    }

    /// The database `rollcall`, over TCP.
    pub fn url(&self) -> String {
        self.url_of("rollcall")
    }

    /// Makes another, empty database and gives its URL.
    pub fn create_database(&self) -> anyhow::Result<String> {
        let name = format!("rollcall_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        self.sql(&format!("CREATE DATABASE {name}"))?;
        Ok(self.url_of(&name))
    }

    /// Ends the server and all its processes as a power cut would.
    pub fn kill9(&mut self) -> anyhow::Result<()> {
        let Some(server) = self.server.take() else { return Ok(()) };
        let children = children(server.process.id());
        signal("KILL", &[&[server.process.id()], &children[..]].concat())?;
        server.gone()?;
        // Nobody adopts the children's shared memory before they are gone.
        until("the server's children", || Ok(children.iter().all(|pid| !is_alive(*pid))))
    }

    /// Lets the server hang: connections stay open, and nothing is answered any more.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal_all("STOP")
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal_all("CONT")
    }

    fn signal_all(&self, name: &str) -> anyhow::Result<()> {
        let Some(server) = &self.server else { return Ok(()) };
        let id = server.process.id();
        signal(name, &[&[id], &children(id)[..]].concat())
    }

    /// Stops the server in good order: open connections are cut, what was committed is flushed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let Some(server) = self.server.take() else { return Ok(()) };
        signal("INT", &[server.process.id()])?;
        server.gone()
    }

    /// Starts the server after [`Self::stop`] or [`Self::kill9`], on the same port.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        ensure!(self.server.is_none(), "the server is running");
        let socket = self.dir.path().to_string_lossy().into_owned();
        let log =
            std::fs::File::options().create(true).append(true).open(self.dir.path().join("log"))?;
        let mut process = self
            .command("postgres")
            .args([
                "-D",
                &self.data(),
                "-k",
                &socket,
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
            ])
            .args(["-c", "max_connections=200", "-c", "log_min_messages=fatal"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let watch = watch(process.id(), self.dir.path())?;
        let ready = until("the server", || {
            if let Some(status) = process.try_wait()? {
                bail!(
                    "the server ended with {status}: {}",
                    std::fs::read_to_string(self.dir.path().join("log"))?
                );
            }
            Ok(self
                .run("pg_isready", &["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .is_ok())
        });
        self.server = Some(Server { process, watch });
        ready
    }

    /// Runs one statement as superuser in the database `postgres`.
    pub fn sql(&self, sql: &str) -> anyhow::Result<()> {
        self.sql_in("postgres", sql)
    }

    /// Runs statements as superuser in one database.
    pub fn sql_in(&self, database: &str, sql: &str) -> anyhow::Result<()> {
        let port = self.port.to_string();
        self.run(
            "psql",
            &[
                "-qX",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "postgres",
                "-d",
                database,
                "-c",
                sql,
            ],
        )
    }

    /// A database as text, as `pg_dump` writes it.
    pub fn dump(&self, database: &str) -> anyhow::Result<String> {
        let port = self.port.to_string();
        let mut command = self.command("pg_dump");
        command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", database]);
        let output = command.output()?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> String {
        self.dir.path().join("data").to_string_lossy().into_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(self.dir.path());
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    fn run(&self, program: &str, args: &[&str]) -> anyhow::Result<()> {
        let output = self
            .command(program)
            .args(args)
            .output()
            .with_context(|| format!("{program} cannot be run"))?;
        ensure!(
            output.status.success(),
            "{program}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}

impl Drop for PostgresCluster {
    fn drop(&mut self) {
        if let Err(e) = self.kill9() {
            eprintln!("a PostgreSQL server could not be stopped: {e}");
        }
    }
}

impl Server {
    /// Waits until the process is gone, and lets its watcher go.
    fn gone(mut self) -> anyhow::Result<()> {
        until("the end of the server", || Ok(self.process.try_wait()?.is_some()))?;
        if let Some(mut pipe) = self.watch.stdin.take() {
            pipe.write_all(b"gone\n")?;
        }
        self.watch.wait()?;
        Ok(())
    }
}

/// Waits for a line, which says that the server is gone already, or for the end of this process.
fn watch(pid: u32, dir: &Path) -> anyhow::Result<Child> {
    // A process that is dead but not yet buried has no command line.
    let script = r#"read -r _ || { kill -QUIT "$0"; while grep -q . "/proc/$0/cmdline"; do sleep 0.1; done; rm -rf "$1"; }"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, &pid.to_string()]).arg(dir);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Not reached by the interrupt that a terminal sends to the tests.
    Ok(command.process_group(0).spawn()?)
}

/// The server's binaries: the ones `pg_config` names, the newest the distribution has, or those
/// on the path.
fn find_binaries() -> anyhow::Result<PathBuf> {
    let mut places = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        places.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    let mut versions: Vec<u32> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    places.extend(
        versions.iter().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))),
    );
    places.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    places
        .into_iter()
        .find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists())
        .context("no PostgreSQL server is installed")
}

/// Whose name the server runs in: ours, unless that is root.
fn account() -> anyhow::Result<Option<Account>> {
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    for name in ["postgres", "nobody"] {
        let user = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|user| user[0] == name);
        if let Some([uid, gid]) = user.as_deref().and_then(|user| user.get(2..4)) {
            return Ok(Some(Account { uid: uid.parse()?, gid: gid.parse()? }));
        }
    }
    bail!("the server does not run as root, and there is no other account for it")
}

fn signal(name: &str, pids: &[u32]) -> anyhow::Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", r#"kill -s "$0" "$@""#, name]).args(pids.iter().map(u32::to_string));
    // One that is gone already is what was wanted.
    command.stderr(Stdio::null()).status()?;
    Ok(())
}

/// The processes a process started.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten();
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, of)| of == parent)).collect()
}

fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z')
}

/// State and parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Asks again and again until the answer is yes.
fn until(what: &str, mut done: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !done()? {
        ensure!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
