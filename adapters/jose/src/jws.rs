//! Reads an assertion in compact form (RFC 7515 section 7.1).

use crate::object::object;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_domain::credential::assertion::{Claims, Header, Presented};
use serde_json::{Map, Value};

/// The longest assertion, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// Names of a header that bring a key along, or change what is signed: nothing of that is taken.
const FORBIDDEN: [&str; 7] = ["b64", "crit", "jku", "jwk", "x5c", "x5u", "zip"];
/// Seconds since 1970 beyond which nothing is a time.
const LAST_SECOND: f64 = 253_402_300_800.0;

/// Why an assertion cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is too long.
    #[error("longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It has not three parts.
    #[error("not three parts with dots between them")]
    Parts,
    /// A part is not base64url without padding.
    #[error("a part is not base64url")]
    Encoding,
    /// The header or the claims are no JSON object, or have a name twice.
    #[error("header or claims are no JSON object, or have a name twice")]
    Json,
}

/// An assertion that could be read.
#[derive(Debug)]
pub struct Assertion<'a> {
    /// What it says.
    pub presented: Presented,
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Assertion<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > MAX_BYTES {
            return Err(Malformed::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Malformed::Parts)?;
        let (header, claims) = signed.split_once('.').ok_or(Malformed::Parts)?;
        if claims.contains('.') {
            return Err(Malformed::Parts);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed::Encoding);
        let (header, claims) = (decode(header)?, decode(claims)?);
        let presented = Presented {
            header: read_header(&object(&header).ok_or(Malformed::Json)?),
            claims: read_claims(&object(&claims).ok_or(Malformed::Json)?),
        };
        Ok(Self { presented, signed, signature: decode(signature)? })
    }
}

fn text(map: &Map<String, Value>, name: &str) -> Option<String> {
    map.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn read_header(map: &Map<String, Value>) -> Header {
    let forbidden = FORBIDDEN.iter().filter(|name| map.contains_key(**name));
    Header {
        algorithm: text(map, "alg"),
        key: text(map, "kid"),
        forbidden: forbidden.map(|name| (*name).to_owned()).collect(),
    }
}

fn read_claims(map: &Map<String, Value>) -> Claims {
    Claims {
        issuer: text(map, "iss"),
        tenant: text(map, "tid"),
        subject: text(map, "sub"),
        audiences: match map.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            // What is no text among them is as if it were another audience.
            Some(Value::Array(all)) => {
                all.iter().map(|a| a.as_str().unwrap_or_default().to_owned()).collect()
            }
            _ => Vec::new(),
        },
        authorized_party: text(map, "azp"),
        expires: map.get("exp").and_then(second),
        not_before: map.get("nbf").map(second),
        issued: map.get("iat").map(second),
    }
}

/// A `NumericDate` in whole seconds; it may have a fraction (RFC 7519 section 2).
fn second(value: &Value) -> Option<i64> {
    let number = value.as_f64().filter(|n| n.is_finite() && n.abs() < LAST_SECOND)?;
    #[expect(clippy::cast_possible_truncation, reason = "far below what an i64 holds")]
    Some(number.floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compact(header: &str, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", encode(header), encode(claims))
    }

    #[test]
    fn what_is_said_twice_is_not_read() {
        fn read(header: &str, claims: &str) -> Result<Presented, Malformed> {
            Assertion::read(&compact(header, claims)).map(|assertion| assertion.presented)
        }
        let said = read(r#"{"alg":"RS256","kid":"k"}"#, r#"{"aud":["a"],"exp":1.9,"nbf":"x"}"#);
        let said = said.unwrap();
        assert_eq!(said.claims.audiences, ["a"]);
        assert_eq!((said.claims.expires, said.claims.not_before), (Some(1), Some(None)));
        for (header, claims) in [
            (r#"{"alg":"none","alg":"RS256"}"#, "{}"),
            (r#"{"alg":"RS256","\u0061lg":"none"}"#, "{}"),
            ("{}", r#"{"sub":"a","sub":"b"}"#),
            ("{}", r#"{"x":{"y":1,"y":2}}"#),
            ("[]", "{}"),
            ("{}", "{} {}"),
        ] {
            assert_eq!(read(header, claims), Err(Malformed::Json), "{header} {claims}");
        }
        for name in FORBIDDEN {
            let said = read(&format!(r#"{{"{name}":null}}"#), "{}").unwrap();
            assert_eq!(said.header.forbidden, [name]);
        }
        assert_eq!(Assertion::read("a.b").unwrap_err(), Malformed::Parts);
        assert_eq!(Assertion::read("e30.e30.e30.e30").unwrap_err(), Malformed::Parts);
        assert_eq!(Assertion::read("e30=.e30.e30").unwrap_err(), Malformed::Encoding);
        let long = "a".repeat(MAX_BYTES + 1);
        assert_eq!(Assertion::read(&long).unwrap_err(), Malformed::TooLong);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".{0,200}", header in ".{0,80}", claims in ".{0,80}") {
            let _ = Assertion::read(&text);
            let _ = Assertion::read(&compact(&header, &claims));
        }
    }
}
