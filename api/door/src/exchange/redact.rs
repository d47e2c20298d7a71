//! Secrets are taken out of a request before it is kept.

use axum::http::HeaderMap;
use rollcall_domain::credential::{ACCESS_TOKEN_PREFIX, CLIENT_SECRET_PREFIX, Purpose};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::scim::{decode_form as decode, names_password, names_secret};
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashSet;

/// Stands where a secret was.
const REMOVED: &str = "[removed]";
/// A target longer than this is cut: the filter limit is shorter.
const TARGET_BYTES: usize = 16 * 1024;

/// A header with one of these in its name is never kept: proxies pass credentials on under many
/// names.
const SECRET_HEADERS: [&str; 10] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "credential",
    "assertion",
    "api-key",
    "apikey",
    "client-cert",
];
/// One of these stands in each name of a secret.
const SECRET_WORDS: [&str; 7] =
    ["password", "token", "secret", "assertion", "authorization", "bearer", "private_key"];

/// What stands among the redactions for what [`text`] finds.
const KEY: &str = "a key of Rollcall's, or the password of an address";

/// What stands among the redactions for a password: whatever it was, it had no effect.
pub const PASSWORD: &str = "password";

/// A text without keys of ours, wherever they stand in it, and without the password of an address.
pub fn text(text: &str) -> String {
    let mut out = without_passwords(text);
    let keys = Purpose::ALL.map(|purpose| (purpose.token_prefix(), 1));
    // The short one stands in names of people as well, but not before so many characters.
    let others = [(CLIENT_SECRET_PREFIX, 1), (ACCESS_TOKEN_PREFIX, 43)];
    for (prefix, shortest) in keys.into_iter().chain(others) {
        let mut from = 0;
        while let Some((at, begin)) = find(&out, from, prefix) {
            let is_key =
                |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=' | '%' | '\\');
            let end = out[begin..].find(|c| !is_key(c)).map_or(out.len(), |length| begin + length);
            if end >= begin + shortest {
                out.replace_range(begin..end, REMOVED);
            }
            from = begin.max(at + 1);
        }
    }
    out
}

/// Where a prefix of keys stands, and where the key goes on: its lines may be written as an address
/// (RFC 3986 section 2.1) or JSON (RFC 8259 section 7) escapes them.
fn find(text: &str, from: usize, prefix: &str) -> Option<(usize, usize)> {
    let first = &prefix[..prefix.find('_').unwrap_or(prefix.len())];
    let mut from = from;
    loop {
        let at = from + text.get(from..)?.find(first)?;
        if let Some(end) = follow(text, at, prefix) {
            return Some((at, end));
        }
        from = at + first.len();
    }
}

/// The end of a prefix that stands here, escaped or not.
fn follow(text: &str, at: usize, prefix: &str) -> Option<usize> {
    let mut at = at;
    for wanted in prefix.chars() {
        let rest = text.get(at..)?;
        let escapes = ["_", "%5F", "%5f", "\\u005f", "\\u005F"];
        let found = match wanted {
            '_' => escapes.into_iter().find(|escape| rest.starts_with(escape))?.len(),
            other => rest.starts_with(other).then(|| other.len_utf8())?,
        };
        at += found;
    }
    Some(at)
}

/// `https://user:password@host` without user and password (RFC 3986 section 3.2.1).
fn without_passwords(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let ends =
            |c: char| matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace();
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        rest = after;
        if let Some(at) = authority.rfind('@').filter(|at| authority[..*at].contains(':')) {
            out.push_str(REMOVED);
            rest = &after[at..];
        }
    }
    out + rest
}

/// Headers in order, secrets removed.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let keep = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        let secret = SECRET_HEADERS.iter().any(|word| name.as_str().contains(word));
        let value = if secret {
            REMOVED.to_owned()
        } else {
            text(&String::from_utf8_lossy(value.as_bytes()))
        };
        (name.as_str().to_owned(), value)
    };
    headers.iter().map(keep).collect()
}

/// At most so many bytes of a text.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    &text[..end]
}

/// Path and query, secrets removed.
pub fn target(target: &str) -> String {
    let target = cut(target, TARGET_BYTES);
    let target = text(target);
    let Some((path, query)) = target.split_once('?') else { return target };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            // A name that cannot be decoded is not trusted to be harmless.
            Some((name, _)) if decode(name).map_or(true, |name| names_secret(&name)) => {
                format!("{name}={REMOVED}")
            }
            // A filter may compare with one.
            Some((name, value))
                if decode(value)
                    .map_or(true, |value| value.to_ascii_lowercase().contains("password")) =>
            {
                format!("{name}={REMOVED}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// The body, secrets removed, and what was removed. A body without secrets is kept byte for byte.
pub fn body(body: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (kept, mut removed) = by_name(body);
    // What is no UTF-8 is looked at as far as it can be read, also with a zero behind each byte.
    let with = String::from_utf8_lossy(&kept);
    let without = text(&with);
    if without != with {
        removed.push(KEY.to_owned());
        return (without.into_bytes(), removed);
    }
    let is_wide = std::str::from_utf8(&kept).is_err() || kept.contains(&0);
    let narrow = || with.chars().filter(|c| *c != '\0').collect::<String>();
    if is_wide && text(&narrow()) != narrow() {
        removed.push(format!("the whole body ({} bytes): {KEY} in it", kept.len()));
        return (Vec::new(), removed);
    }
    (kept, removed)
}

/// What we say ourselves repeats what was sent, now and then.
pub fn repeated(exchange: &mut Exchange) {
    if let Some(detail) = &mut exchange.answer.detail {
        *detail = text(detail);
    }
    let said = String::from_utf8_lossy(&exchange.answer_body);
    let without = text(&said);
    if without != said {
        exchange.answer_body = without.into_bytes();
    }
    let facts = serde_json::to_string(&exchange.facts).unwrap_or_default();
    let without = text(&facts);
    if without != facts {
        // A name that was sent is in it: without it the facts say the same of the rest.
        exchange.facts = serde_json::from_str(&without).unwrap_or_default();
    }
}

/// Without what stands under the name of a secret.
fn by_name(body: &[u8]) -> (Vec<u8>, Vec<String>) {
    if !mentions_secret(body) {
        return (body.to_vec(), vec![]);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            let mut removed = Vec::new();
            scrub(&mut value, &mut removed);
            // Of a name that stands twice, only the last value has been looked at.
            if names_twice(body) {
                removed.push("values under a name that stands twice".to_owned());
            }
            if removed.is_empty() {
                (body.to_vec(), removed)
            } else {
                (value.to_string().into_bytes(), removed)
            }
        }
        // What cannot be parsed cannot be scrubbed with certainty.
        Err(_) => (
            Vec::new(),
            vec![format!(
                "the whole body ({} bytes): not JSON, and it mentions a secret",
                body.len()
            )],
        ),
    }
}

fn mentions_secret(body: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(body).to_ascii_lowercase();
    // An escaped character could spell a name; then the JSON is looked at.
    lower.contains("\\u") || SECRET_WORDS.iter().any(|word| lower.contains(word))
}

fn scrub(value: &mut Value, removed: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let paths = || {
                map.iter()
                    .filter(|(name, _)| is_named(name, "path"))
                    .filter_map(|(_, v)| v.as_str())
            };
            let (path_is_secret, path_names_password) =
                (paths().any(names_secret), paths().any(names_password));
            for (name, value) in map.iter_mut() {
                if names_secret(name) && !value.is_null()
                    || path_is_secret && is_named(name, "value")
                {
                    *value = Value::String(REMOVED.to_owned());
                    let is_password = path_names_password || names_password(name);
                    removed.push(if is_password {
                        PASSWORD.to_owned()
                    } else {
                        format!("the value of {name}")
                    });
                } else if path_is_secret
                    && is_named(name, "path")
                    && value.as_str().is_some_and(names_more)
                {
                    // A filter compares with one.
                    *value = Value::String(REMOVED.to_owned());
                    removed.push("a path that compares with a secret".to_owned());
                } else {
                    scrub(value, removed);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| scrub(item, removed)),
        // Entra sends JSON inside strings (legacy roles).
        Value::String(text)
            if text.trim_start().starts_with(['{', '[']) && mentions_secret(text.as_bytes()) =>
        {
            if let Ok(mut inner) = serde_json::from_str::<Value>(text) {
                let before = removed.len();
                scrub(&mut inner, removed);
                if removed.len() > before {
                    *text = inner.to_string();
                }
            }
        }
        _ => {}
    }
}

/// Whether a path is more than names: it may compare with something.
fn names_more(path: &str) -> bool {
    path.trim()
        .contains(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | ':' | '.')))
}

fn is_named(key: &str, name: &str) -> bool {
    key.trim().eq_ignore_ascii_case(name)
}

/// True if an object of a JSON document has a name twice: a parser keeps one of the values only.
fn names_twice(body: &[u8]) -> bool {
    let mut found = false;
    let mut document = serde_json::Deserializer::from_slice(body);
    Names { twice: &mut found }.deserialize(&mut document).is_err() || found
}

/// Reads a document for its names alone.
struct Names<'a> {
    twice: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            *self.twice |= !seen.insert(name);
            map.next_value_seed(Names { twice: self.twice })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Names { twice: self.twice })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However it is written, a key is not kept.
    #[test]
    fn no_key_is_kept() {
        let key = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCdE";
        for purpose in Purpose::ALL {
            let prefix = purpose.token_prefix();
            let whole = format!("{prefix}{key}");
            for written in [whole.clone(), whole.replace('_', "%5F"), whole.replace('_', "\\u005f")]
            {
                for text in [format!("/Users/{written}"), format!("\"{written}\":1"), written] {
                    let kept = super::text(&text);
                    assert!(!kept.contains("AbCdEfGh"), "{text}: {kept}");
                    let mut bytes = b"\xff".to_vec();
                    bytes.extend_from_slice(text.as_bytes());
                    let (kept, removed) = body(&bytes);
                    assert!(!String::from_utf8_lossy(&kept).contains("AbCdEfGh"), "{text}");
                    assert_eq!(removed.len(), 1, "{text}");
                    let wide: Vec<u8> = text.bytes().flat_map(|b| [b, 0]).collect();
                    let (kept, removed) = body(&wide);
                    assert!(kept.is_empty() && removed.len() == 1, "{text}");
                }
            }
        }
        for name in ["rollcall", "rollcall_", "a rollcall scim token", "100%5F"] {
            assert_eq!(super::text(name), name);
        }
    }

    #[test]
    fn no_secret_is_kept() {
        for text in [
            r#"{"userName":"a","password":"hunter2"}"#,
            r#"{"Operations":[{"op":"replace","path":"password","value":"hunter2"}]}"#,
            r#"{"Operations":[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User:password":"hunter2"}}]}"#,
            r#"{"roles":[{"value":"{\"password\":\"hunter2\"}"}]}"#,
            r#"{"roles":[{"value":" {\"password\":\"hunter2\"}"}]}"#,
            r#"{"roles":[{"value":"[{\"password\":\"hunter2\"}]"}]}"#,
            r#"{"\u0070assword":"hunter2"}"#,
            r#"{"PassWord":"hunter2"}"#,
            r#"{" password ":"hunter2"}"#,
            r#"{"password.value":"hunter2"}"#,
            r#"{"urn:x:y:2.0:User":{"vault":{"password":["hunter2"]}}}"#,
            r#"{"password":"hunter2","password":null}"#,
            r#"{"Operations":[{"OP":"replace","PATH":" Password ","VALUE":"hunter2"}]}"#,
            r#"{"Operations":[{"path":"password","path":"title","value":"hunter2","value":"x"}]}"#,
            r#"{"Operations":[{"path":"urn:x:y:2.0:User:vault.password","value":"hunter2"}]}"#,
            r#"{"Operations":[{"path":"password eq hunter2"}]}"#,
            r#"{"Operations":[{"path":"emails[password eq \"hunter2\"].value","value":"a"}]}"#,
            r#"{"password":"hunter2", broken"#,
        ] {
            let (kept, removed) = body(text.as_bytes());
            assert!(!String::from_utf8_lossy(&kept).contains("hunter2"), "{text}");
            assert!(!removed.is_empty(), "{text}");
        }
        assert_eq!(target("/Users?token=hunter2&filter=x"), "/Users?token=[removed]&filter=x");
        assert_eq!(target("/Users?access%5Ftoken=hunter2&x"), "/Users?access%5Ftoken=[removed]&x");
        assert_eq!(
            target("/Users?count=1&filter=pass%77ord+eq+%22hunter2%22"),
            "/Users?count=1&filter=[removed]"
        );
        let sent = HeaderMap::from_iter(
            ["x-forwarded-access-token", "x-original-authorization", "cookie"]
                .map(|n| (n.parse().unwrap(), "hunter2".parse().unwrap())),
        );
        assert!(headers(&sent).iter().all(|(_, value)| value == REMOVED));
    }

    #[test]
    fn every_secret_name_is_noticed() {
        assert!(
            rollcall_domain::scim::SECRET_NAMES
                .iter()
                .all(|name| SECRET_WORDS.iter().any(|word| name.contains(word)))
        );
    }

    #[test]
    fn a_body_without_secrets_is_kept_byte_for_byte() {
        for text in [r#"{ "userName" : "tokenia" }"#, r#"{"x":"\u00e4"}"#, "not json at all", ""] {
            assert_eq!(body(text.as_bytes()), (text.as_bytes().to_vec(), vec![]));
        }
    }
}
