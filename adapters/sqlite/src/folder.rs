//! The data folder and its lock.

use crate::error::OpenError;
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The locks this process holds. Log and views of one folder share a lock, because the system's
/// file locks would take them for strangers.
static HELD: Mutex<Option<HashMap<PathBuf, Weak<Held>>>> = Mutex::new(None);

/// A lock file that is locked; the system lets go when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Held {
    path: PathBuf,
    file: File,
    /// Locked as well: a lock file can be removed, and made again by somebody who does not know.
    folder: Option<File>,
    owned: AtomicBool,
}

/// A data folder that no other process can use while this value lives.
#[derive(Debug)]
pub struct DataFolder(Arc<Held>);

impl Drop for Held {
    fn drop(&mut self) {
        // Said aloud: closing is not enough while a child process that is just being started has a
        // copy of the open file.
        if let Some(folder) = &self.folder {
            let _ = folder.unlock();
        }
        if let Err(e) = self.file.unlock() {
            tracing::warn!(error = %e, path = %self.path.display(), "the data folder could not be unlocked");
        }
    }
}

impl DataFolder {
    /// Locks a folder, which is created if it is not there. Refused with [`OpenError::InUse`] while
    /// another process, or another `DataFolder` of this one, holds it. The log and the views lock
    /// it too, together with this value if it is there.
    pub fn lock(dir: &Path) -> Result<Self, OpenError> {
        let held = share(dir)?;
        if held.owned.swap(true, Ordering::AcqRel) {
            return Err(OpenError::InUse(held.path.clone()));
        }
        Ok(Self(held))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        self.0.owned.store(false, Ordering::Release);
    }
}

/// Locks the folder itself, where its file system can.
fn lock_folder(path: &Path) -> Result<Option<File>, OpenError> {
    let folder = File::open(path).map_err(OpenError::io(path))?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => {
            tracing::debug!(%error, path = %path.display(), "a folder cannot be locked here, its lock file is");
            Ok(None)
        }
    }
}

/// Locks a folder, or joins in the lock this process has on it.
pub(crate) fn share(dir: &Path) -> Result<Arc<Held>, OpenError> {
    std::fs::create_dir_all(dir).map_err(OpenError::io(dir))?;
    let path = dir.canonicalize().map_err(OpenError::io(dir))?;
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.get_or_insert_default();
    held.retain(|_, lock| lock.strong_count() > 0);
    if let Some(lock) = held.get(&path).and_then(Weak::upgrade) {
        return Ok(lock);
    }
    let name = path.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(OpenError::io(&name))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path)),
        Err(TryLockError::Error(e)) => return Err(OpenError::io(&name)(e)),
    }
    let folder = lock_folder(&path)?;
    let lock = Arc::new(Held { path: path.clone(), file, folder, owned: AtomicBool::new(false) });
    held.insert(path, Arc::downgrade(&lock));
    Ok(lock)
}
