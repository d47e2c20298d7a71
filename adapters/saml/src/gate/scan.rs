//! First step: over the bytes, before any parser.

use super::limits::{MAX_DEPTH, MAX_TAG};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall_domain::saml::{Reason, Refusal};

/// Bytes of a base64 field of at most `limit` bytes. Line breaks and blanks are allowed in it, as
/// MIME writes them; nothing else is.
pub(crate) fn decode(field: &str, limit: usize) -> Result<Vec<u8>, Refusal> {
    // Four characters for three bytes, and a generous share of line breaks.
    if field.len() > limit / 2 * 3 + 16 {
        return Err(too_large(limit));
    }
    let dense: Vec<u8> = field.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let bytes =
        STANDARD.decode(dense).map_err(|e| Refusal::new(Reason::NotBase64, e.to_string()))?;
    if bytes.len() > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(Reason::TooLarge, format!("more than {limit} bytes"))
}

/// The message as text: UTF-8 without a byte order mark, and free of what two readers could read
/// differently.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Refusal> {
    let text =
        std::str::from_utf8(bytes).map_err(|e| Refusal::new(Reason::NotUtf8, e.to_string()))?;
    if text.starts_with('\u{feff}') {
        return Err(Refusal::new(Reason::NotUtf8, "begins with a byte order mark"));
    }
    let forbidden = |c: char| {
        (c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r'))
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    if text.contains(forbidden) {
        return Err(Refusal::new(Reason::NotUtf8, "holds a character that XML forbids"));
    }
    tags(without_declaration(text)?)?;
    Ok(text)
}

/// What follows the XML declaration, which may say UTF-8 and nothing else.
fn without_declaration(text: &str) -> Result<&str, Refusal> {
    let Some(rest) = text.strip_prefix("<?xml ") else { return Ok(text) };
    let (declaration, rest) =
        rest.split_once("?>").ok_or_else(|| not_well_formed("the XML declaration does not end"))?;
    let declaration = declaration.to_ascii_lowercase().replace('\'', "\"");
    let encoding =
        declaration.split_once("encoding").and_then(|(_, value)| value.split('"').nth(1));
    match encoding {
        None | Some("utf-8" | "us-ascii") => Ok(rest),
        Some(other) => Err(Refusal::new(Reason::NotUtf8, format!("declares the encoding {other}"))),
    }
}

fn not_well_formed(why: &str) -> Refusal {
    Refusal::new(Reason::NotWellFormed, why)
}

/// Every `<` opens a tag: there are no comments, no CDATA, no instructions, no declarations.
/// Depth and the length of tags are bounded.
fn tags(text: &str) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(found) = bytes[at..].iter().position(|b| *b == b'<') {
        let start = at + found;
        let rest = &bytes[start + 1..];
        match rest {
            [b'!', after @ ..] if after.starts_with(b"--") => return Err(hidden("a comment")),
            [b'!', after @ ..] if after.starts_with(b"[CDATA[") => {
                return Err(hidden("a CDATA section"));
            }
            [b'!', ..] => {
                return Err(Refusal::new(Reason::Doctype, "a document type or entity declaration"));
            }
            [b'?', ..] => return Err(hidden("a processing instruction")),
            _ => {}
        }
        let closing = rest.first() == Some(&b'/');
        let length = end_of_tag(rest).ok_or_else(|| not_well_formed("a tag does not end"))?;
        if length > MAX_TAG {
            return Err(Refusal::new(
                Reason::TooComplex,
                format!("a tag of more than {MAX_TAG} bytes"),
            ));
        }
        let empty = length > 0 && rest[length - 1] == b'/';
        match (closing, empty) {
            (true, _) => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| not_well_formed("more ends than beginnings"))?
            }
            (false, true) => {}
            (false, false) => depth += 1,
        }
        if depth > MAX_DEPTH {
            return Err(Refusal::new(Reason::TooComplex, format!("more than {MAX_DEPTH} levels")));
        }
        at = start + 1 + length;
    }
    Ok(())
}

fn hidden(what: &str) -> Refusal {
    Refusal::new(Reason::HiddenText, what)
}

/// Where the tag ends that begins here: at `>` outside of quotes.
fn end_of_tag(tag: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), close) if open == *close => quote = None,
            _ => {}
        }
        // The caller refuses a tag of this length; its end does not matter.
        if at > MAX_TAG {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<Reason>) {
        assert_eq!(utf8(text.as_bytes()).err().map(|r| r.reason), expected, "{text}");
    }

    #[test]
    fn only_tags_and_text_pass() {
        check("<a b='>'><c/>t</a>", None);
        check("<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>", None);
        check("<?xml version='1.0' encoding='UTF-16'?><a/>", Some(Reason::NotUtf8));
        check("<a><!-- x --></a>", Some(Reason::HiddenText));
        check("<a><![CDATA[x]]></a>", Some(Reason::HiddenText));
        check("<a><?x y?></a>", Some(Reason::HiddenText));
        check("<!DOCTYPE a><a/>", Some(Reason::Doctype));
        check("<a></a></a>", Some(Reason::NotWellFormed));
        check("<a b='", Some(Reason::NotWellFormed));
        check("\u{feff}<a/>", Some(Reason::NotUtf8));
        check("<a>\u{1}</a>", Some(Reason::NotUtf8));
        check(&format!("<a b='{}'/>", "x".repeat(MAX_TAG)), Some(Reason::TooComplex));
        check(&"<a>".repeat(MAX_DEPTH + 1), Some(Reason::TooComplex));
    }
}
