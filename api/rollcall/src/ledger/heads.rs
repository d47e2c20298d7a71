//! What the verifier brings along: a key or a policy, and the checkpoints that were seen before.

use super::{Heads, Trust};
use anyhow::{Context, anyhow, bail};
use rollcall_cli::{Failure, usage};
use rollcall_evidence::seen::{Folder, Seen};
use rollcall_evidence::verify;
use std::path::PathBuf;

impl Trust {
    /// Reads the key or the policy.
    pub fn read(&self) -> Result<verify::Trust, Failure> {
        self.trust().map_err(usage)
    }

    fn trust(&self) -> anyhow::Result<verify::Trust> {
        if let Some(key) = &self.key {
            let text = match std::fs::read_to_string(key) {
                Ok(text) => text,
                Err(_) => key.clone(),
            };
            let key = text.trim().parse().with_context(|| format!("--key {key}"))?;
            return Ok(verify::Trust::Key(key));
        }
        let Some(policy) = &self.policy else { return Ok(verify::Trust::File) };
        let bytes =
            std::fs::read(policy).with_context(|| format!("--policy {}", policy.display()))?;
        let read = rollcall_evidence::policy(&bytes);
        let read = read.with_context(|| format!("--policy {}", policy.display()))?;
        Ok(verify::Trust::Policy(Box::new(read)))
    }
}

impl Heads {
    /// The folder.
    pub fn folder(&self) -> Result<Folder, Failure> {
        let folder = self.heads.clone().or_else(default);
        let missing =
            || anyhow!("there is no home folder to remember checkpoints in: name one with --heads");
        folder.map(Folder::new).ok_or_else(|| usage(missing()))
    }
}

/// Where programs keep their state (XDG Base Directory Specification).
fn default() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("rollcall").join("heads"))
}

/// The key that is trusted for what a server or a file says: the one that was named, or else the
/// one under which this ledger was seen first. True if nobody but the other side has named it.
pub fn trusted(
    trust: &verify::Trust,
    seen: &[Seen],
    named: &str,
) -> anyhow::Result<(verify::Trust, bool)> {
    if !matches!(trust, verify::Trust::File) {
        return Ok((trust.clone(), false));
    }
    match seen.first() {
        Some(first) => Ok((verify::Trust::Key(first.key.parse()?), false)),
        None if named.is_empty() => bail!("the key is missing"),
        None => Ok((verify::Trust::Key(named.parse()?), true)),
    }
}
