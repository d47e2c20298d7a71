//! A Debian in a folder: packages are installed into it, and commands run in it.

use super::super::tools::{run, tried};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::tools::folder;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A Debian in a folder.
pub struct Debian(TempDir);

impl Debian {
    pub fn unpacked() -> Result<Self> {
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

    pub fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside.trim_start_matches('/'))
    }

    pub fn read(&self, inside: &str) -> Result<String> {
        std::fs::read_to_string(self.path(inside)).with_context(|| inside.to_owned())
    }

    /// A command in there. Its mounts are its own, and go with it.
    pub fn command(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        let inside = "mount -t proc proc \"$0/proc\" && mount --bind /dev/null \"$0/dev/null\" && \
             mount --bind /dev/urandom \"$0/dev/urandom\" && exec chroot \"$0\" /bin/sh -c \"$1\"";
        command.args(["--mount", "sh", "-c", inside]).arg(self.0.path()).arg(script);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    pub fn tried(&self, script: &str) -> Result<(bool, String)> {
        tried(&mut self.command(script))
    }

    pub fn run(&self, script: &str) -> Result<String> {
        let (good, said) = self.tried(script)?;
        ensure!(good, "{script}:\n{said}");
        Ok(said)
    }

    pub fn install(&self, package: &Path) -> Result<(bool, String)> {
        std::fs::copy(package, self.path("tmp/package.deb"))?;
        self.tried("dpkg -i /tmp/package.deb")
    }

    pub fn mode(&self, inside: &str) -> Result<(u32, String)> {
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
