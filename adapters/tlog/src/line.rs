//! What stands in the lines of all formats: numbers, hashes, Base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall_domain::ledger::NodeHash;

/// A whole number in decimal, without leading zeroes, signs or anything else.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = text == "0" || !text.starts_with('0');
    if digits && shortest { text.parse().ok() } else { None }
}

/// Base64 as RFC 4648 section 4 has it: padded, and no other spelling of the same bytes.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn to_base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// A hash in Base64.
pub(crate) fn hash(text: &str) -> Option<NodeHash> {
    Some(NodeHash(base64(text)?.try_into().ok()?))
}

/// The line that a text begins with, and what comes after its newline.
pub(crate) fn first_line(text: &str) -> Option<(&str, &str)> {
    text.split_once('\n')
}

/// Lines of hashes up to an empty line, and what comes after it; none if there are more than
/// `limit`.
pub(crate) fn hashes(mut text: &str, limit: usize) -> Option<(Vec<NodeHash>, &str)> {
    let mut found = Vec::new();
    loop {
        let (line, rest) = first_line(text)?;
        if line.is_empty() {
            return Some((found, rest));
        }
        if found.len() == limit {
            return None;
        }
        found.push(hash(line)?);
        text = rest;
    }
}
