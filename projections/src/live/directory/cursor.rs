//! Cursors (RFC 9865): where the next page begins. Opaque to clients, and good in a URL.

use rollcall_domain::scim::ScimError;

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Names the query; a cursor of another one is refused.
    pub query: u64,
    /// `seq` of the last resource given.
    pub seq: u64,
    /// How many were given so far; tells where to go on if the last one is gone meanwhile.
    pub given: u64,
    /// How many there were in all when the first page was made.
    pub total: u64,
}

impl Cursor {
    pub fn encode(self) -> String {
        format!("{:016x}-{:x}-{:x}-{:x}", self.query, self.seq, self.given, self.total)
    }

    pub fn decode(text: &str, query: u64) -> Result<Self, ScimError> {
        let numbers: Option<Vec<u64>> =
            text.split('-').map(|part| u64::from_str_radix(part, 16).ok()).collect();
        match numbers.as_deref() {
            Some(&[found, seq, given, total]) if found == query && i64::try_from(seq).is_ok() => {
                Ok(Self { query, seq, given, total })
            }
            Some(&[_, _, _, _]) => Err(ScimError::invalid_cursor(
                "this cursor belongs to another query: use it with the filter and order it was given for, or begin without a cursor",
            )),
            _ => Err(ScimError::invalid_cursor(
                "this is no cursor of this service: begin without a cursor",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::scim::ScimType;

    #[test]
    fn a_cursor_is_of_one_query() {
        let cursor = Cursor { query: 7, seq: 1_000, given: 20, total: 99 };
        let text = cursor.encode();
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{text}");
        assert_eq!(Cursor::decode(&text, 7), Ok(cursor));
        for (text, query) in
            [(text.as_str(), 8), ("", 7), ("1-2-3", 7), ("x", 7), ("7-ffffffffffffffff-1-1", 7)]
        {
            assert_eq!(
                Cursor::decode(text, query).map_err(|e| e.scim_type),
                Err(Some(ScimType::InvalidCursor)),
                "{text}"
            );
        }
    }
}
