//! The key that opens the administration or the audit, read from its file.

use anyhow::{Context, bail};
use std::fs;
use std::path::Path;

/// The operator's key, which the server made in its data folder.
pub fn operator(data: &Path) -> anyhow::Result<String> {
    let path = data.join("operator.key");
    let key = fs::read_to_string(&path).with_context(|| {
        format!(
            "cannot read the operator key {}: name the server's data folder with --data",
            path.display()
        )
    })?;
    match key.trim() {
        "" => bail!("{} is empty: remove it and start the server again", path.display()),
        key => of_one_line(key, &path),
    }
}

/// A key in a file of the caller's.
pub fn read(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the key in {}", file.display()))?;
    of_one_line(text.trim(), file)
}

/// What can stand in a header.
fn of_one_line(key: &str, file: &Path) -> anyhow::Result<String> {
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
        bail!("{} holds no key: a key is one line of letters, digits, - and _", file.display());
    }
    Ok(key.to_owned())
}
