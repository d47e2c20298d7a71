//! The conformance tools, which are Python programs in a folder of their own that `make` fills.

use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// What one of the tools said.
#[derive(Clone, Debug)]
pub struct Said {
    /// What it printed as its result.
    pub out: String,
    /// What it printed besides.
    pub err: String,
    /// Whether it ended with success.
    pub success: bool,
}

/// The path of a tool in `target/python`; an error that says how to install it.
pub fn tool(name: &str) -> Result<PathBuf> {
    let path = crate::tools::folder("python")?.join("bin").join(name);
    ensure!(
        path.is_file(),
        "{} is missing: `make deps` installs the conformance tools (tests/requirements.txt)",
        path.display()
    );
    Ok(path)
}

/// Runs a tool with plain, uncoloured output.
pub async fn run(name: &str, args: &[&str], environment: &[(&str, &str)]) -> Result<Said> {
    let mut command = Command::new(tool(name)?);
    command.args(args).env("NO_COLOR", "1").env("COLUMNS", "200").env("PYTHONUTF8", "1");
    command.envs(environment.iter().copied());
    // Loopback must be asked directly, whatever the machine's proxy.
    for proxy in
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
    {
        command.env_remove(proxy);
    }
    // What they leave behind, such as caches, goes with their folder.
    let folder = tempfile::tempdir()?;
    command.current_dir(folder.path());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await?
        .with_context(|| format!("cannot run {name}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said {
        out: text(&output.stdout),
        err: text(&output.stderr),
        success: output.status.success(),
    })
}
