//! The real `rollcall` binary as a child process, on a throw-away data folder.

use crate::http::{Address, Http, Request};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A server that is not ready by then never will be.
const START_PATIENCE: Duration = Duration::from_secs(30);
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// How often a state is looked at that nobody announces.
const GLANCE: Duration = Duration::from_millis(10);

/// All servers of the tests are of one deployment: what one sealed opens at another.
const DEPLOYMENT_KEY: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

/// Where a server keeps its log.
#[derive(Clone, Debug)]
pub enum Store {
    /// Embedded, in the data folder.
    Sqlite,
    /// In the PostgreSQL database with this URL.
    Postgres(String),
}

/// A running server, or one that was killed and may be started again.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    folder: tempfile::TempDir,
    store: Store,
    flags: Vec<String>,
    /// What its environment has besides.
    environment: Vec<(String, String)>,
    /// Whether a limit on the size of files is an error of each write to it, not the end.
    limited: bool,
    child: Option<Child>,
    watch: Option<Child>,
    address: Address,
}

impl Server {
    /// Starts the binary on an empty data folder and waits until it is ready.
    pub async fn start(store: Store) -> Result<Self> {
        Self::start_in(store, &std::env::temp_dir()).await
    }

    /// As [`Self::start`], with the data folder inside `parent` (a benchmark cares for the disk).
    pub async fn start_in(store: Store, parent: &Path) -> Result<Self> {
        // The limit per token is for one tenant's storm; a test or benchmark is such a storm.
        Self::start_with(store, parent, &["--rate-limit", "0"]).await
    }

    /// As [`Self::start_in`], with more flags and the rate limit of a fresh installation.
    pub async fn start_with(store: Store, parent: &Path, flags: &[&str]) -> Result<Self> {
        let mut server = Self::unstarted(store, parent, flags)?;
        server.restart().await?;
        Ok(server)
    }

    /// As [`Self::start`], with more in the environment of the server, and of nobody else: such as a
    /// library that lies to it about the time.
    pub async fn start_lied_to(store: Store, environment: &[(String, String)]) -> Result<Self> {
        let mut server = Self::unstarted(store, &std::env::temp_dir(), &["--rate-limit", "0"])?;
        server.environment = environment.to_vec();
        server.restart().await?;
        Ok(server)
    }

    /// As [`Self::start`], on a disk that can be full ([`Self::fill_disk`]).
    pub async fn start_on_small_disk(store: Store) -> Result<Self> {
        let mut server = Self::unstarted(store, &std::env::temp_dir(), &["--rate-limit", "0"])?;
        server.limited = true;
        server.restart().await?;
        Ok(server)
    }

    /// Starts the binary on the data folder that a command of the command line makes; gives what
    /// the command said, too.
    pub async fn start_on(command: &[&str]) -> Result<(Self, Value)> {
        let mut server =
            Self::unstarted(Store::Sqlite, &std::env::temp_dir(), &["--rate-limit", "0"])?;
        let said = server.cli(command).await?;
        server.restart().await?;
        Ok((server, said))
    }

    /// As [`Self::start_with`], of a deployment of its own.
    pub async fn start_of_its_own(store: Store, flags: &[&str]) -> Result<Self> {
        let mut server = Self::unstarted(store, &std::env::temp_dir(), flags)?;
        fs::remove_file(server.data().join("deployment.key"))?;
        server.restart().await?;
        Ok(server)
    }

    /// Starts it with these flags from now on, or without one and its value.
    pub fn flags_are_now(&mut self, with: &[&str], without: &str) {
        if let Some(at) = self.flags.iter().position(|told| told == without) {
            self.flags.drain(at..at + 2);
        }
        self.flags.extend(with.iter().map(|&flag| flag.to_owned()));
    }

    fn unstarted(store: Store, parent: &Path, flags: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("rollcall-test-").tempdir_in(parent)?;
        let data = folder.path().join("data");
        fs::create_dir_all(&data)?;
        let key = data.join("deployment.key");
        let file = File::options().write(true).create_new(true).mode(0o600).open(key);
        writeln!(file?, "{DEPLOYMENT_KEY}")?;
        let flags = flags.iter().map(|&f| f.to_owned()).collect();
        Ok(Self {
            binary: binary()?,
            folder,
            store,
            flags,
            environment: Vec::new(),
            limited: false,
            child: None,
            watch: None,
            address: Address::default(),
        })
    }

    /// Where it keeps its log.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps its log elsewhere from its next start on.
    pub fn use_store(&mut self, store: Store) {
        self.store = store;
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything the server printed, over all its starts.
    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// Where it listens; stays valid over restarts.
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The operator's key.
    pub fn operator_key(&self) -> Result<String> {
        Ok(fs::read_to_string(self.data().join("operator.key"))
            .context("operator.key")?
            .trim()
            .to_owned())
    }

    /// Kills the process as a power cut would: no signal handler runs.
    pub fn kill9(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        self.unwatch()
    }

    /// Tells the watcher that the server is gone: its process id may be another's soon.
    fn unwatch(&mut self) -> Result<()> {
        if let Some(mut watch) = self.watch.take() {
            if let Some(mut pipe) = watch.stdin.take() {
                pipe.write_all(b"gone\n")?;
            }
            watch.wait()?;
        }
        Ok(())
    }

    /// Asks the process to end (SIGTERM) and waits; gives how it ended.
    pub async fn terminate(&mut self) -> Result<std::process::ExitStatus> {
        let mut child = self.child.take().context("the server does not run")?;
        let sent =
            Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status()?;
        ensure!(sent.success(), "kill -TERM failed");
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                self.unwatch()?;
                return Ok(status);
            }
            tokio::time::sleep(GLANCE).await;
        }
        child.kill()?;
        child.wait()?;
        self.unwatch()?;
        bail!("the server did not end within {STOP_PATIENCE:?} of SIGTERM")
    }

    /// Starts the binary (again) on the same data folder and waits until it is ready.
    pub async fn restart(&mut self) -> Result<()> {
        self.spawn()?;
        self.ready().await
    }

    /// Starts the binary without waiting.
    pub fn spawn(&mut self) -> Result<()> {
        self.kill9()?;
        // An address of an earlier start must not be taken for this one's.
        let address_file = self.data().join("address");
        match fs::remove_file(&address_file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).context("cannot remove the old address file");
            }
            _ => {}
        }
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut command =
            if self.limited { unsignalled(&self.binary) } else { Command::new(&self.binary) };
        command.arg("serve").arg("--data").arg(self.data()).args(["--log-format", "json"]);
        for (flag, value) in [("--listen", "127.0.0.1:0"), ("--public-url", PUBLIC_URL)] {
            if !self.flags.iter().any(|told| told == flag) {
                command.args([flag, value]);
            }
        }
        command.args(&self.flags);
        if let Store::Postgres(url) = &self.store {
            command.args(["--database-url", url]);
        }
        clean_environment(&mut command);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child =
            command.spawn().with_context(|| format!("cannot start {}", self.binary.display()))?;
        let pid = child.id();
        self.child = Some(child);
        self.watch = Some(watch(pid)?);
        Ok(())
    }

    /// From now on nothing can be written to any file: what a full disk does, without one.
    pub fn fill_disk(&self) -> Result<()> {
        self.limit_files("0")
    }

    /// Takes it back.
    pub fn free_disk(&self) -> Result<()> {
        self.limit_files("unlimited")
    }

    fn limit_files(&self, bytes: &str) -> Result<()> {
        ensure!(self.limited, "the server would be killed by a signal");
        let pid = self.pid().context("the server does not run")?.to_string();
        // Only the soft limit, which whoever owns the process may raise again.
        let set =
            Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status()?;
        ensure!(set.success(), "prlimit failed");
        Ok(())
    }

    /// Waits until the server says it is ready to serve.
    pub async fn ready(&mut self) -> Result<()> {
        self.answers("/readyz").await
    }

    /// Starts the binary (again) and waits until it answers, ready or not.
    pub async fn restart_unready(&mut self) -> Result<()> {
        self.spawn()?;
        self.answers("/healthz").await
    }

    /// A server on a copy of this one's data folder as it is now, which is not started.
    pub fn on_a_copy(&self) -> Result<Self> {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        let copy = Self::unstarted(self.store.clone(), &std::env::temp_dir(), &flags)?;
        let copied = Command::new("cp").arg("-aT").arg(self.data()).arg(copy.data()).status()?;
        ensure!(copied.success(), "the data folder could not be copied");
        Ok(copy)
    }

    async fn answers(&mut self, target: &str) -> Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        let http = Http::new(self.address.clone());
        loop {
            self.still_running()?;
            if let Ok(text) = fs::read_to_string(self.data().join("address"))
                && let Some(authority) = text.trim().strip_prefix("http://")
                && text.ends_with('\n')
            {
                self.address.set(authority);
                if http.send(Request::new("GET", target)).await.is_ok_and(|a| a.status == 200) {
                    return Ok(());
                }
            }
            ensure!(
                Instant::now() < deadline,
                "no {target} within {START_PATIENCE:?}:\n{}",
                self.log_tail(30)
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// An error, with what it printed last, if the process has ended by itself.
    pub fn still_running(&mut self) -> Result<()> {
        match self.child.as_mut().map(Child::try_wait) {
            Some(Ok(None)) => Ok(()),
            Some(Ok(Some(status))) => {
                bail!("the server ended by itself ({status}):\n{}", self.log_tail(30))
            }
            Some(Err(e)) => Err(e.into()),
            None => bail!("the server does not run"),
        }
    }

    /// The last lines the server printed.
    pub fn log_tail(&self, lines: usize) -> String {
        let text = fs::read_to_string(self.log_file()).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Runs a command of the command line against this server; gives all of how it ended.
    pub async fn command(&self, args: &[&str]) -> Result<Output> {
        let mut command = self.command_line(args);
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        output.context("cannot run the command line")
    }

    /// A command against this server, to be run by whoever asked.
    pub fn command_line(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .arg("--data")
            .arg(self.data())
            .arg("--url")
            .arg(self.address.url())
            .arg("--json")
            .stdin(Stdio::null());
        clean_environment(&mut command);
        command
    }

    /// Runs a command that must succeed; gives the JSON it printed.
    pub async fn cli(&self, args: &[&str]) -> Result<Value> {
        let output = self.command(args).await?;
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(
            output.status.success(),
            "rollcall {}: {}\n{out}\n{err}",
            args.join(" "),
            output.status
        );
        if out.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&out)
            .with_context(|| format!("rollcall {} --json printed no JSON: {out:?}", args.join(" ")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to be done about a failure here: the process is gone or going.
        let _ = self.kill9();
        if std::thread::panicking() {
            eprintln!("--- the server printed last ---\n{}\n---", self.log_tail(40));
        }
    }
}

/// A binary to which a write beyond the limit on the size of files is an error, and no signal.
fn unsignalled(binary: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary);
    command
}

/// Runs a command of the command line by itself, without a server to go with it.
pub fn run(args: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary()?);
    clean_environment(&mut command);
    command.args(args).stdin(Stdio::null()).output().context("cannot run the command line")
}

/// Ends the server when the pipe from this process closes without a word, so that not even a killed
/// test run leaves one behind.
fn watch(pid: u32) -> Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", "read -r _ || kill -9 \"$0\"", &pid.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Not reached by the interrupt that a terminal sends to the tests.
    Ok(command.process_group(0).spawn()?)
}

/// The public URL every server under test is given; it shows in `meta.location`.
pub const PUBLIC_URL: &str = "https://rollcall.example";

/// A developer's own settings must not reach the server under test, nor a proxy the loopback.
fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_lowercase();
        if text.starts_with("rollcall_") || text == "database_url" || text.ends_with("_proxy") {
            command.env_remove(&name);
        }
    }
}

/// The binary under test: `ROLLCALL_BIN`, or the one next to this test's own executable.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ROLLCALL_BIN") {
        return Ok(PathBuf::from(path));
    }
    let own = std::env::current_exe()?;
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("rollcall"))
        .find(|path| path.is_file());
    found.with_context(|| {
        format!("no `rollcall` near {}: build it first (cargo build -p rollcall --bin rollcall) or set ROLLCALL_BIN", own.display())
    })
}
