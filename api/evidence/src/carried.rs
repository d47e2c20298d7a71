//! Checkpoints that went along with answers: found again in the file that an answer became.
//!
//! | file | where |
//! |---|---|
//! | a note | all of it |
//! | JSON of any kind (a review, a page of a feed, a backup, a ledger) | each value called `checkpoint` |
//! | CSV and HTML of a review | behind [`MARK`], in Base64 |
//! | an export of events | a file of its own beside it |

use crate::statement::{Statement, read_note};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::{BufRead, Read as _};

/// What stands before a checkpoint in text that is not JSON.
pub const MARK: &str = "rollcall-checkpoint:";

/// Bytes of a line that are looked at; the head of what is one line stands before them.
const LINE: u64 = 64 * 1024 * 1024;
/// Checkpoints that are taken from one file at most: a backup has one of each organization.
const MOST: usize = 100_000;

/// A checkpoint as text that has no ends of lines: for cells.
pub fn marked(note: &str) -> String {
    format!("{MARK}{}", BASE64.encode(note))
}

/// The checkpoints of a file, in their order. Who has signed them is another question; what only
/// looks like one is none.
///
/// # Errors
/// If it cannot be read.
pub fn statements(mut file: impl BufRead) -> std::io::Result<Vec<Statement>> {
    let mut found = Vec::new();
    let mut whole = String::new();
    let mut is_first = true;
    loop {
        let mut line = Vec::new();
        file.by_ref().take(LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() || found.len() >= MOST {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        // A note is short, and nothing else begins as one.
        if whole.len() < 64 * 1024 && (is_first || !whole.is_empty()) {
            whole.push_str(&text);
        }
        is_first = false;
        found.extend(in_json(&text));
        found.extend(in_text(&text));
    }
    if found.is_empty() {
        found.extend(read_note(&whole).ok());
    }
    Ok(found)
}

/// The values called `checkpoint`.
fn in_json(text: &str) -> impl Iterator<Item = Statement> {
    text.match_indices("\"checkpoint\"").filter_map(|(at, name)| {
        let value = text[at + name.len()..].trim_start().strip_prefix(':')?;
        let mut strings = serde_json::Deserializer::from_str(value).into_iter::<String>();
        read_note(&strings.next()?.ok()?).ok()
    })
}

/// What is marked.
fn in_text(text: &str) -> impl Iterator<Item = Statement> {
    text.match_indices(MARK).filter_map(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        let end = rest.find(|c| !is_base64(c)).unwrap_or(rest.len());
        let note = BASE64.decode(&rest[..end]).ok()?;
        read_note(std::str::from_utf8(&note).ok()?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::log::LedgerHead;
    use uuid::Uuid;

    fn note(n: u128) -> String {
        let organization = rollcall_domain::ids::OrganizationId(Uuid::from_u128(n));
        let signer = crate::signed::signer("https://rollcall.example", &[7; 32], organization);
        let signer = signer.unwrap();
        let said = Statement::of(signer.origin(), &LedgerHead::default(), Uuid::from_u128(9));
        signer.sign(&said).unwrap().to_string()
    }

    #[test]
    fn it_is_found_in_every_kind_of_file() {
        let (one, two) = (note(1), note(2));
        let json =
            serde_json::json!({"head": {"ledger": {"checkpoint": one, "key": "k"}}, "rows": []});
        let lines = format!(
            "{}\n{{\"line\":\"record\"}}\n{}\n",
            serde_json::json!({"line": "section", "ledger": {"checkpoint": one}}),
            serde_json::json!({"line": "section", "ledger": {"checkpoint": two}}),
        );
        // What somebody wrote who is called so is text, not a name.
        let said = serde_json::json!({"displayName": format!("\"checkpoint\":\"{one}\"")});
        for (file, count) in [
            (one.clone(), 1),
            (json.to_string(), 1),
            (serde_json::to_string_pretty(&json).unwrap(), 1),
            (lines, 2),
            (format!("# About,Access\r\n# Checkpoint,{}\r\ngroup\r\n", marked(&one)), 1),
            (format!("<dd>{}</dd><p>x</p>", marked(&two)), 1),
            (said.to_string(), 0),
            (format!("{MARK}AAAA {MARK} \"checkpoint\":7 \"checkpoint\":\"no\""), 0),
            (String::new(), 0),
        ] {
            assert_eq!(statements(file.as_bytes()).unwrap().len(), count, "{file}");
        }
    }
}
