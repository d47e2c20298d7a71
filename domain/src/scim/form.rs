//! `application/x-www-form-urlencoded`, as queries are written.

use super::ScimError;

/// Undoes form encoding: `+` is a blank, `%2B` a plus.
///
/// # Errors
/// `invalidValue` if a byte is not well encoded, or the whole is not UTF-8.
pub fn decode_form(text: &str) -> Result<String, ScimError> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'+' => out.push(b' '),
            b'%' => {
                let hex = bytes
                    .get(i + 1..i + 3)
                    .and_then(|h| std::str::from_utf8(h).ok())
                    .and_then(|h| u8::from_str_radix(h, 16).ok());
                match hex {
                    Some(byte) => {
                        out.push(byte);
                        i += 2;
                    }
                    None => {
                        return Err(ScimError::invalid_value(format!(
                            "the query is not well encoded at byte {i}"
                        )));
                    }
                }
            }
            byte => out.push(byte),
        }
        i += 1;
    }
    String::from_utf8(out)
        .map_err(|_| ScimError::invalid_value("the query is not UTF-8".to_owned()))
}
