//! The path of a request below the SCIM base, in segments (RFC 3986 sections 2.1 and 3.3).

use rollcall_domain::interpretation::{Notes, Reading};
use rollcall_domain::scim::ScimError;

/// The segments, each decoded once. Doubled and trailing slashes mean nothing; a slash that was
/// encoded separates nothing.
pub fn segments(path: &str) -> Result<Vec<String>, ScimError> {
    path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect()
}

/// Notes what is odd about a path that can be read all the same.
/// `path` is what lies below the base in `whole`.
pub fn note(whole: &str, path: &str, notes: &mut Notes) {
    if whole.contains("//") {
        notes.note(Reading::DoubledSlash, "");
    }
    if path.contains('%') {
        notes.note(Reading::PathDecoded, "");
    }
    let first = path.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    if ENDPOINTS.iter().any(|name| first != *name && first.eq_ignore_ascii_case(name)) {
        notes.note(Reading::EndpointCase, "");
    }
}

/// The endpoints (RFC 7644 section 3.2).
const ENDPOINTS: [&str; 8] = [
    "Users",
    "Groups",
    "Me",
    "ServiceProviderConfig",
    "ResourceTypes",
    "Schemas",
    "Bulk",
    ".search",
];

fn decoded(segment: &str) -> Result<String, ScimError> {
    if !segment.contains('%') {
        return Ok(segment.to_owned());
    }
    let broken = || {
        ScimError::invalid_syntax(
            "the path is not well encoded: a % is followed by two hexadecimal digits",
        )
    };
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).ok_or_else(broken);
        bytes.push(u8::try_from(digit()? * 16 + digit()?).map_err(|_| broken())?);
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text),
        _ => Err(ScimError::invalid_syntax("the path holds what is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_is_decoded_once() {
        for (path, expected) in [
            ("/Schemas/urn%3Aietf%3Ax", vec!["Schemas", "urn:ietf:x"]),
            ("//Users///a%2Db/", vec!["Users", "a-b"]),
            ("/Users/a%2Fb", vec!["Users", "a/b"]),
            ("/Users/a%252Db", vec!["Users", "a%2Db"]),
            ("/%55sers", vec!["Users"]),
            ("/Users/%C3%A9", vec!["Users", "é"]),
            ("/", vec![]),
        ] {
            assert_eq!(
                segments(path).ok(),
                Some(expected.into_iter().map(str::to_owned).collect()),
                "{path}"
            );
        }
        for path in [
            "/Users/%",
            "/Users/%4",
            "/Users/%zz",
            "/Users/%+1",
            "/Users/%00",
            "/Users/%0a",
            "/Users/%ff",
        ] {
            assert_eq!(segments(path).map_err(|e| e.status), Err(400), "{path}");
        }
    }
}
