//! How often a test repeats what only shows now and then: a tenth in CI, all of it in a soak.

/// `often` in CI; ten times as often where `ROLLCALL_SOAK` is set (`make soak`).
pub fn times(often: usize) -> usize {
    if std::env::var_os("ROLLCALL_SOAK").is_some() { often * 10 } else { often }
}
