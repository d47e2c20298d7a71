//! The binary as a service manager runs it: with a socket to tell it what goes on.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::binary;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixDatagram;

/// Long enough for whatever is bound to come.
const PATIENCE: Duration = Duration::from_secs(40);

/// A service, ended with its test.
pub struct Service {
    child: Child,
    folder: TempDir,
    socket: UnixDatagram,
}

impl Service {
    /// Starts it; with a watchdog, as `WatchdogSec=` would.
    pub fn start(flags: &[&str], watchdog: Option<Duration>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("rollcall-test-").tempdir()?;
        let socket = UnixDatagram::bind(folder.path().join("notify"))?;
        let mut command = Command::new(binary()?);
        command.arg("serve").arg("--data").arg(folder.path().join("data"));
        command.args(["--listen", "127.0.0.1:0", "--log-format", "json"]).args(flags);
        command.env_clear().env("NOTIFY_SOCKET", folder.path().join("notify"));
        if let Some(patience) = watchdog {
            command.env("WATCHDOG_USEC", patience.as_micros().to_string());
        }
        let log = std::fs::File::create(folder.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("the binary")?;
        Ok(Self { child, folder, socket })
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where the command line finds it.
    pub fn address(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.data().join("address"))?.trim().to_owned())
    }

    /// Everything it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What the service manager is told next.
    pub async fn told(&self) -> Result<String> {
        let mut message = [0; 4096];
        let received = tokio::time::timeout(PATIENCE, self.socket.recv(&mut message)).await;
        let length = received.with_context(|| format!("nothing was told:\n{}", self.log()))??;
        Ok(String::from_utf8_lossy(&message[..length]).into_owned())
    }

    /// What is told until something is, that included.
    pub async fn told_until(&self, line: &str) -> Result<Vec<String>> {
        let mut all = Vec::new();
        loop {
            all.push(self.told().await?);
            if all.last().is_some_and(|told| told.lines().any(|l| l == line)) {
                return Ok(all);
            }
        }
    }

    /// Whether anything is told within a time.
    pub async fn is_told_within(&self, time: Duration) -> bool {
        let mut message = [0; 4096];
        tokio::time::timeout(time, self.socket.recv(&mut message)).await.is_ok()
    }

    /// Forgets what was told.
    pub fn forget(&self) {
        let mut message = [0; 4096];
        while self.socket.try_recv(&mut message).is_ok() {}
    }

    /// Sends a signal, by the name that `kill` knows.
    pub fn signal(&self, name: &str) -> Result<()> {
        let sent =
            Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status()?;
        ensure!(sent.success(), "kill -s {name}");
        Ok(())
    }

    /// Waits for its end; gives whether it ended well.
    pub async fn ended(&mut self) -> Result<bool> {
        for _ in 0..4_000 {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("it does not end:\n{}", self.log())
    }

    /// Waits until a line of its log has a text in it.
    pub async fn logs(&self, text: &str) -> Result<()> {
        for _ in 0..4_000 {
            if self.log().contains(text) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("{text:?} is not in its log:\n{}", self.log())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
