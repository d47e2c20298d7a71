//! The application in process, and what is built on it: replays, bundles, failures.

mod access_left;
mod apply;
mod bundle;
mod dry_run;
mod entra;
mod failures;
mod host;
#[path = "../upgrade/in_the_clear.rs"]
mod in_the_clear;
mod retention;
mod rules;
mod verify;
mod week;

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::world::World;
use serde_json::{Value, json};

/// Runs `rollcall replay`, whose exit code may be 1; gives the exit code and what it printed. What is
/// applied was rehearsed before: both must come to the same.
async fn replay(world: &World, args: &[&str]) -> Result<(i32, Value)> {
    let Some((&"apply", chosen)) = args.split_first() else { return carry_out(world, args).await };
    let (_, plan) = carry_out(world, &[&["dry-run"], chosen].concat()).await?;
    let (code, done) = carry_out(world, args).await?;
    ensure!(outcomes(&plan) == outcomes(&done), "a dry run said {plan}, and apply did {done}");
    Ok((code, done))
}

/// What became of each exchange: whether it was submitted, the answer, the types of its events, and
/// whether anything spoke against it.
fn outcomes(printed: &Value) -> Vec<Value> {
    let lines = printed["exchanges"].as_array().into_iter().flatten();
    let outcome = |line: &Value| {
        let events = line["events"].as_array().into_iter().flatten();
        let events: Vec<&Value> = events.map(|event| &event["type"]).collect();
        let status = &line["now"]["status"];
        json!([line["number"], line["result"], status, events, line["reason"].is_null()])
    };
    lines.map(outcome).collect()
}

async fn carry_out(world: &World, args: &[&str]) -> Result<(i32, Value)> {
    let yes: &[&str] = if args.first() == Some(&"apply") { &["--yes"] } else { &[] };
    let args: Vec<&str> = [&["replay"], args, yes, &["--org", "acme"]].concat();
    let output = world.server.command(&args).await?;
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let printed = serde_json::from_str(&out)
        .with_context(|| format!("rollcall {}: {out}\n{err}", args.join(" ")))?;
    Ok((output.status.code().context("no exit code")?, printed))
}
