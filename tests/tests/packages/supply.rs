//! What the binary is made of: every crate of the lock file is in the bill of materials, and each has
//! a licence that may be shipped.

use super::tools::{root, run};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::python;
use serde_json::Value;
use std::collections::BTreeSet;

/// Crates of the lock file with their versions.
fn locked() -> Result<BTreeSet<(String, String)>> {
    let text = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let packages = text.split("[[package]]").skip(1);
    let field = |package: &str, name: &str| {
        let line = package.lines().find_map(|l| l.strip_prefix(&format!("{name} = \"")))?;
        line.strip_suffix('"').map(str::to_owned)
    };
    packages
        .map(|p| Some((field(p, "name")?, field(p, "version")?)))
        .collect::<Option<_>>()
        .context("a lock file")
}

#[test]
fn the_bill_of_materials_lists_every_crate_of_the_lock_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("sbom.json");
    python::tool("syft")?;
    run(root().join("packaging/sbom"), &[file.to_str().context("a path")?])?;
    let bill: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    ensure!(bill["bomFormat"] == "CycloneDX", "{}", bill["bomFormat"]);
    let listed: BTreeSet<(String, String)> = bill["components"]
        .as_array()
        .context("components")?
        .iter()
        .filter_map(|c| Some((c["name"].as_str()?.to_owned(), c["version"].as_str()?.to_owned())))
        .collect();
    let missing: Vec<_> = locked()?.difference(&listed).cloned().collect();
    ensure!(missing.is_empty(), "not in the bill: {missing:?}");
    Ok(())
}

#[test]
fn every_crate_that_is_compiled_in_has_a_licence_and_stands_in_the_list() -> Result<()> {
    let listed = run(root().join("packaging/licences"), &[])?;
    ensure!(listed.lines().count() > 100, "{listed}");
    for line in listed.lines() {
        ensure!(line.split_whitespace().count() >= 3, "{line} has no licence");
    }
    for known in ["axum ", "rusqlite ", "openssl ", "samael "] {
        ensure!(listed.lines().any(|line| line.starts_with(known)), "{known}is not listed");
    }
    Ok(())
}
