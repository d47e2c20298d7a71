//! How many files and connections this process may have open.

/// What the stores, the log and requests of our own need.
const OURS: usize = 128;

/// As many connections of strangers as leave room for everything else, and at most this many.
pub fn room_for_strangers(most: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let allowed = soft_limit(&limits).map_or(most, |limit| limit.saturating_sub(OURS) / 2);
    most.min(allowed).max(8)
}

/// The soft limit on open files; none if there is none, or it cannot be read.
fn soft_limit(limits: &str) -> Option<usize> {
    let mut rows = limits.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.starts_with(&["Max", "open", "files"]))?;
    row.get(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::soft_limit;

    #[test]
    fn the_soft_limit_is_the_first_number() {
        let line = "Max open files            256                  1048576              files";
        assert_eq!(soft_limit(&format!("Limit  Soft\nMax processes 1 2 p\n{line}\n")), Some(256));
        assert_eq!(soft_limit("Max open files            unlimited            unlimited"), None);
        assert_eq!(soft_limit(""), None);
    }
}
