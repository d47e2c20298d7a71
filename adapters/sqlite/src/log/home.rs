//! The file of a log, as the system knows it. A copy of it is another file, and so is what somebody
//! puts in its place.

use std::fs::{Metadata, metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The file of a log.
pub(super) struct Home {
    path: PathBuf,
    inode: u64,
    name: String,
}

impl Home {
    /// The note that says in which file the log is open. None while it is closed: a log that was
    /// closed in good order may be moved and copied as anybody likes.
    pub const NOTE: &'static str = "open-in";

    /// That of a log at this path.
    pub fn of(path: &Path) -> io::Result<Self> {
        let found = metadata(path)?;
        Ok(Self { path: path.to_owned(), inode: found.ino(), name: name(&found) })
    }

    /// What is noted while it is open.
    pub fn opened(&self) -> String {
        self.name.clone()
    }

    /// Whether what is noted says that the log is open in another file, or was when it ended
    /// without being closed: then this one is a copy.
    pub fn was_copied(&self, noted: Option<&str>) -> bool {
        noted.is_some_and(|noted| noted != self.name)
    }

    /// Whether the file is still the one at the path. If that cannot be told, it is.
    pub fn is_there(&self) -> bool {
        match metadata(&self.path) {
            Ok(found) => found.ino() == self.inode,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

/// The number of a file and when it was made: the number alone is given again on another disk. The
/// device is left out, for its number is another after a restart of some systems.
fn name(found: &Metadata) -> String {
    let made = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    format!("{}/{}", found.ino(), made.map_or(0, |made| made.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_copy_is_another_file_and_a_renamed_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, three] = ["one", "two", "three"].map(|name| folder.path().join(name));
        fs::write(&one, "log").unwrap();
        fs::copy(&one, &two).unwrap();
        let home = Home::of(&one).unwrap();
        let noted = home.opened();
        assert!(!home.was_copied(Some(&noted)) && !home.was_copied(None) && home.is_there());
        assert!(Home::of(&two).unwrap().was_copied(Some(&noted)));
        fs::rename(&one, &three).unwrap();
        assert!(!home.is_there());
        assert!(!Home::of(&three).unwrap().was_copied(Some(&noted)));
        fs::rename(&two, &one).unwrap();
        assert!(!home.is_there(), "another file is at its place");
    }
}
