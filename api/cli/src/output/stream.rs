//! Standard output, whoever reads it.

use super::visible::line;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why nothing more is written.
static ENDED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Nobody reads standard output any more.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads any more")]
pub struct Closed;

/// Writes to standard output. Once nobody reads it any more, nothing is written.
pub fn print(text: &str) {
    let mut ended = ended();
    if ended.is_none() {
        *ended = io::stdout().write_all(text.as_bytes()).err();
    }
}

/// Whether nobody reads any more, or nothing can be written: whoever goes on for ever ends then.
pub fn closed() -> bool {
    ended().is_some()
}

/// Tells whether all that was printed was written, or nobody wanted more of it.
///
/// # Errors
/// If it could not be written.
pub fn finish() -> io::Result<()> {
    let mut ended = ended();
    let why = ended.take().or_else(|| io::stdout().flush().err());
    why.filter(|why| why.kind() != ErrorKind::BrokenPipe).map_or(Ok(()), Err)
}

/// Writes a line to standard error: what a script that reads the result does not want in it.
pub fn note(text: &str) {
    // If nobody reads that either, nobody can be told.
    let _ = writeln!(io::stderr(), "{}", line(text));
}

fn ended() -> MutexGuard<'static, Option<io::Error>> {
    ENDED.lock().unwrap_or_else(PoisonError::into_inner)
}
