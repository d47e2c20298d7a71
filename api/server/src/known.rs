//! What is known of the log is kept over a restart, beside the log and not in it: a log that is put
//! back while the server is stopped is noticed when it starts.

use anyhow::Context;
use rollcall_domain::log::Known;
use std::path::{Path, PathBuf};

/// More than what is known of a hundred thousand organizations.
const MOST: u64 = 64 * 1024 * 1024;

fn path(data: &Path) -> PathBuf {
    data.join("log.known")
}

/// What was kept. Nothing, if it cannot be read: then only the log itself and its views tell.
pub fn read(data: &Path) -> Known {
    let path = path(data);
    let read = || {
        anyhow::ensure!(std::fs::metadata(&path)?.len() <= MOST, "it is too large");
        Ok(serde_json::from_slice(&std::fs::read(&path)?)?)
    };
    match read() {
        Ok(known) => known,
        Err(_) if !path.exists() => Known::default(),
        Err(error) => {
            let path = path.display();
            tracing::warn!(%path, %error, "what was known of the log cannot be read");
            Known::default()
        }
    }
}

/// Keeps it: all of it, or what was kept before.
///
/// # Errors
/// If it cannot be written.
pub fn keep(data: &Path, known: &Known) -> anyhow::Result<()> {
    // A server within another program has no folder.
    if data.as_os_str().is_empty() {
        return Ok(());
    }
    let (path, part) = (path(data), data.join("log.known.part"));
    let kept = std::fs::write(&part, serde_json::to_vec(known)?)
        .and_then(|()| std::fs::rename(&part, &path));
    kept.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::ids::OrganizationId;
    use rollcall_domain::log::Mark;

    #[test]
    fn what_is_kept_is_read_and_what_cannot_be_read_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Known::default());
        let mark = Mark { position: 3, exchange_number: 9, last_exchange: None };
        let marks = [(OrganizationId::NONE, mark)].into();
        let known = Known { epoch: Some(OrganizationId::NONE.0), marks };
        keep(folder.path(), &known).unwrap();
        keep(folder.path(), &known).unwrap();
        assert_eq!(read(folder.path()), known);
        std::fs::write(path(folder.path()), "{").unwrap();
        assert_eq!(read(folder.path()), Known::default());
    }
}
