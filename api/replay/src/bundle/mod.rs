//! Bundles: one file with exchanges and the state they need, which replays on another machine.
//!
//! A bundle is a small log of its own: the chosen exchanges, and the records of every stream that
//! they touch or name, numbered anew from 1. It is JSON by lines, gzip around it; the last line
//! counts the others and holds their SHA-256, so that a cut or altered file is refused. Logins,
//! SAML settings and the hashes of tokens are never in it.

mod credentials;
mod export;
mod import;
mod line;
mod pseudonyms;
mod read;
mod touched;

pub use export::{ExportOptions, export};
pub use import::{ImportAs, ImportError, import};
pub use line::{BUNDLE_FORMAT, BundleBegin, BundleLine};
pub use pseudonyms::Pseudonyms;
pub use read::{BundleError, Whole, check, load, read};
