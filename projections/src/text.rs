//! The forms in which values go into columns.

use chrono::{DateTime, Utc};
use rollcall_domain::fold_text::{fold_text, fold_user_name};
use rollcall_domain::scim::ResourceKind;

/// Longest key of an index, in bytes; PostgreSQL refuses index rows of more than 2,704 bytes.
const KEY_BYTES: usize = 256;

/// The form under which a text is looked up: case-folded and cut. Equal texts have equal keys;
/// equal keys do not make equal texts, so what a lookup finds is compared again.
pub(crate) fn lookup_key(value: &str) -> String {
    bounded(&fold_text(value), KEY_BYTES)
}

/// The same for a `userName`, of which the ends do not count.
pub(crate) fn user_key(name: &str) -> String {
    bounded(&fold_user_name(name), KEY_BYTES)
}

/// The key of the name of a resource.
pub(crate) fn name_key(kind: ResourceKind, name: &str) -> String {
    match kind {
        ResourceKind::User => user_key(name),
        ResourceKind::Group => lookup_key(name),
    }
}

/// At most `max` bytes of a text, without the NUL that PostgreSQL cannot keep.
pub(crate) fn bounded(value: &str, max: usize) -> String {
    let end = (0..=max.min(value.len())).rev().find(|&i| value.is_char_boundary(i)).unwrap_or(0);
    let cut = &value[..end];
    if cut.contains('\0') { cut.replace('\0', " ") } else { cut.to_owned() }
}

/// Microseconds since 1970.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// FNV-1a: a hash that is the same in every build and on every machine.
pub(crate) fn stable_hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        // The separator keeps ["ab", "c"] and ["a", "bc"] apart.
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_folded_cut_at_a_character_and_free_of_nul() {
        assert_eq!(lookup_key("ADA\0"), "ada ");
        let ascii: String = (0..128_u8).map(char::from).collect();
        assert_eq!(lookup_key(&ascii), bounded(&fold_text(&ascii), KEY_BYTES));
        let long = "ä".repeat(300);
        assert_eq!(lookup_key(&long), "ä".repeat(128));
        assert_eq!(bounded("aä", 2), "a");
        assert_eq!(bounded("", 2), "");
    }

    #[test]
    fn the_hash_knows_where_parts_end() {
        assert_ne!(stable_hash(["ab", "c"]), stable_hash(["a", "bc"]));
    }
}
