//! The service in that Debian, run as its unit says by a test in the place of a service manager.

use super::super::tools::run;
use super::place::Debian;
use super::unit::{one, unit};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Address, Http};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;
use tokio::net::UnixDatagram;

/// The service in there, which ends with its test.
pub struct Running<'a> {
    debian: &'a Debian,
    child: Child,
    socket: UnixDatagram,
}

impl<'a> Running<'a> {
    pub async fn start(debian: &'a Debian) -> Result<Running<'a>> {
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

    pub async fn ready(&mut self) -> Result<()> {
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

    pub fn http(&self) -> Result<Http> {
        let address = self.debian.read("var/lib/rollcall/address")?;
        Ok(Http::new(Address::new(address.trim().trim_start_matches("http://"))))
    }

    /// Ends it as a stop does; gives the system calls that it has made.
    pub fn stop(mut self) -> Result<BTreeSet<String>> {
        // What was started has become strace, and has one child: the service.
        let traced = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{traced}/task/{traced}/children"))?;
        run("kill", &[children.split_whitespace().next().context("the service")?])?;
        let status = self.child.wait()?;
        ensure!(status.success(), "{status}: {}", self.debian.read("tmp/log")?);
        let calls = self.debian.read("tmp/calls/calls")?;
        let is_call = |word: &&str| !word.starts_with('-') && !matches!(*word, "syscall" | "total");
        Ok(calls.split_whitespace().filter(is_call).map(str::to_owned).collect())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
