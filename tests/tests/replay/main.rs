//! The application in process, and what is built on it: replays, bundles, failures.

mod apply;
mod bundle;
mod dry_run;
mod entra;
mod failures;
mod host;
mod retention;
mod rules;
mod verify;
mod week;

use anyhow::{Context as _, Result};
use rollcall_tests::world::World;
use serde_json::Value;

/// Runs `rollcall replay`, whose exit code may be 1; gives the exit code and what it printed.
async fn replay(world: &World, args: &[&str]) -> Result<(i32, Value)> {
    let args: Vec<&str> = [&["replay"], args, &["--org", "acme"]].concat();
    let output = world.server.command(&args).await?;
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let printed = serde_json::from_str(&out)
        .with_context(|| format!("rollcall {}: {out}\n{err}", args.join(" ")))?;
    Ok((output.status.code().context("no exit code")?, printed))
}
