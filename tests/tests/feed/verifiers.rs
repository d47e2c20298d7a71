//! Verifiers of webhooks that nobody here wrote.

use super::receiver::Receiver;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::{node, python};
use serde_json::{Value, json};
use std::path::Path;

/// Everything that receivers got is accepted with each of their secrets, and refused if one bit is
/// another, or the verifier's clock six minutes off.
pub async fn verified(receivers: &[(&Receiver, &[&str])]) -> Result<()> {
    let mut all = Vec::new();
    for (receiver, secrets) in receivers {
        for letter in receiver.got() {
            all.push(json!({ "secrets": secrets, "headers": letter.headers, "body": letter.body }));
        }
    }
    says(&json!(all)).await
}

/// The same of these letters.
pub async fn says(letters: &Value) -> Result<()> {
    all_say(letters, "accept").await
}

/// All of them are refused with each of the secrets.
pub async fn refuse(letters: &Value) -> Result<()> {
    all_say(letters, "refuse").await
}

async fn all_say(letters: &Value, verdict: &str) -> Result<()> {
    ensure!(letters.as_array().is_some_and(|all| !all.is_empty()), "no letters");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("letters.json");
    std::fs::write(&file, letters.to_string())?;
    let file = file.to_str().context("a path")?;
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = tests.join("tests/feed/webhooks_say.py");
    let script = script.to_str().context("a path")?;
    let said = python::run("python", &[script, file, verdict], &[]).await?;
    ensure!(said.success, "{}{}", said.out, said.err);
    print!("{}", said.out);
    let modules = node::modules("webhooks")?;
    let modules = modules.to_str().context("a path")?;
    let script = tests.join("webhooks/verify.js");
    let said = node::run(&script, &[modules, file, verdict], folder.path()).await?;
    ensure!(said.success, "{}{}", said.out, said.err);
    print!("{}", said.out);
    Ok(())
}
