//! What `rollcall --version` says: its own version, and those of the libraries that it stands on and
//! that are not of its lock file.

use std::sync::OnceLock;

/// The version, with those of the C libraries on lines of their own.
pub fn all() -> &'static str {
    static ALL: OnceLock<String> = OnceLock::new();
    ALL.get_or_init(|| {
        format!(
            "{}\nSQLite {}\n{}\nlibxml2 {} (when it was built)\nxmlsec {} (when it was built)",
            env!("CARGO_PKG_VERSION"),
            rollcall_stores::sqlite_version(),
            openssl::version::version(),
            env!("BUILT_WITH_LIBXML2"),
            env!("BUILT_WITH_XMLSEC"),
        )
    })
}
