//! The ledger's tree, held against the Python package `pymerkle`: a root or a proof that somebody
//! checks elsewhere must not need Rollcall's own code.

use anyhow::{Context as _, Result, ensure};
use rollcall_domain::ledger::{NodeHash, Tree, leaf};
use rollcall_tests::python;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SIZES: u64 = 130;

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn path(hashes: Vec<NodeHash>) -> Vec<String> {
    hashes.iter().map(NodeHash::to_string).collect()
}

/// Python with pymerkle; none, and a word of it, where it is not installed.
pub fn python(test: &str) -> Result<Option<PathBuf>> {
    let tool = python::tool("python")?;
    let mut asked = Command::new(&tool);
    asked.args(["-c", "import pymerkle"]).stderr(Stdio::null());
    if asked.status()?.success() {
        return Ok(Some(tool));
    }
    // Past the harness, which shows what a passed test prints to nobody.
    let _ =
        writeln!(std::io::stderr(), "SKIPPED {test}: pymerkle is missing, `make deps` installs it");
    Ok(None)
}

#[test]
fn pymerkle_agrees_on_roots_and_proofs() -> Result<()> {
    let Some(tool) = python("pymerkle_agrees_on_roots_and_proofs")? else { return Ok(()) };
    let tree: Tree = (0..SIZES).map(|n| leaf(&entry(n))).collect();
    let root = |size| tree.root_of(size).map(|root| root.to_string());
    let (mut inclusion, mut consistency) = (Vec::new(), Vec::new());
    for size in 1..=SIZES {
        for at in 0..size {
            inclusion.push(json!([at, size, path(tree.inclusion(at, size)?)]));
        }
        for old in 1..size {
            consistency.push([old, size]);
        }
    }
    let roots: Vec<_> = (0..=SIZES).map(|size| json!([size, root(size)])).collect();
    let looked_at = format!("{} {} {}\n", roots.len(), inclusion.len(), consistency.len());
    let entries: Vec<String> = (0..SIZES).map(|n| hex(&entry(n))).collect();
    let said = json!({ "entries": entries, "roots": roots, "inclusion": inclusion, "consistency": consistency });

    ensure!(ask(&tool, &said)? == looked_at, "it did not look at everything");
    Ok(())
}

/// What the script says that it looked at: roots and proofs that pymerkle accepts.
pub fn ask(python: &Path, said: &Value) -> Result<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ledger/pymerkle_says.py");
    let mut python = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    python.stdin.take().context("a pipe")?.write_all(said.to_string().as_bytes())?;
    let output = python.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
