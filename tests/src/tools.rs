//! Where `.ci/deps` puts programs that the tests run and cargo does not build.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};

/// The folder of one of them, below cargo's target folder.
pub fn folder(name: &str) -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(workspace.join(target).join(name))
}
