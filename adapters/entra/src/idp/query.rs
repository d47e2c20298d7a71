//! Queries and forms: names and values, and the redirect binding's packing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::fmt::Write;
use std::io::Read;

/// Bytes of a message that are read.
const LIMIT: u64 = 256 * 1024;

/// A value of a query or form, decoded; the first of its name.
pub(super) fn value(query: &str, name: &str) -> Option<String> {
    raw_value(query, name).map(decoded)
}

/// The same as it came.
pub(super) fn raw_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn decoded(value: &str) -> String {
    let mut out = Vec::with_capacity(value.len());
    let bytes = value.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let escape = value
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], escape) {
            (_, Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (other, _) => out.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Text for a query, with lower-case escapes as .NET writes them.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'!'
            | b'*'
            | b'('
            | b')' => out.push(char::from(byte)),
            other => {
                let _ = write!(out, "%{other:02x}");
            }
        }
    }
    out
}

/// A message for the redirect binding: DEFLATE, base64.
pub(super) fn packed(xml: &str) -> String {
    let mut out = Vec::new();
    // Reading from memory cannot fail.
    let _ = DeflateEncoder::new(xml.as_bytes(), Compression::default()).read_to_end(&mut out);
    STANDARD.encode(out)
}

/// A message from the redirect binding (deflated) or the POST binding (not).
pub(super) fn unpacked(field: &str, deflated: bool) -> Option<String> {
    let dense: String = field.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(dense).ok()?;
    if !deflated {
        return String::from_utf8(bytes).ok();
    }
    let mut out = String::new();
    DeflateDecoder::new(bytes.as_slice()).take(LIMIT).read_to_string(&mut out).ok()?;
    Some(out)
}
