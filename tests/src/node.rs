//! Programs of npm's that the tests run, from the folders that `make` fills.

use crate::python::Said;
use anyhow::{Context as _, Result, ensure};
use std::path::Path;
use std::process::Command;

/// The folder of the packages that `tests/TOOL/package.json` names; an error that says how to
/// install them.
pub fn modules(tool: &str) -> Result<std::path::PathBuf> {
    let modules = crate::tools::folder(tool)?.join("node_modules");
    ensure!(modules.is_dir(), "{} is missing: `make deps` installs it", modules.display());
    Ok(modules)
}

/// Runs a script in a folder.
pub async fn run(script: &Path, args: &[&str], folder: &Path) -> Result<Said> {
    let mut command = Command::new("node");
    command.arg(script).args(args).current_dir(folder).env("NO_COLOR", "1");
    let output =
        tokio::task::spawn_blocking(move || command.output()).await?.context("cannot run node")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    Ok(Said { out, err, success: output.status.success() })
}
