//! Secrets are taken out of a request before it is kept.

use super::query::decode;
use axum::http::HeaderMap;
use serde_json::Value;

/// Stands where a secret was.
const REMOVED: &str = "[removed]";
/// A target longer than this is cut: the filter limit is shorter.
const TARGET_BYTES: usize = 16 * 1024;

/// A header with one of these in its name is never kept: proxies pass credentials on under many names.
const SECRET_HEADERS: [&str; 10] =
    ["authorization", "cookie", "token", "secret", "password", "credential", "assertion", "api-key", "apikey", "client-cert"];
/// Names of parameters and attributes whose values are never kept.
const SECRET_NAMES: [&str; 8] =
    ["password", "access_token", "token", "client_secret", "client_assertion", "secret", "authorization", "bearer"];

/// One of these stands in each of the names.
const SECRET_WORDS: [&str; 6] = ["password", "token", "secret", "assertion", "authorization", "bearer"];

/// What stands among the redactions for a password: whatever it was, it had no effect.
pub const PASSWORD: &str = "password";

fn names_password(name: &str) -> bool {
    name.rsplit([':', '.']).next().unwrap_or(name).eq_ignore_ascii_case(PASSWORD)
}

fn is_secret(name: &str) -> bool {
    let last = name.rsplit([':', '.']).next().unwrap_or(name);
    SECRET_NAMES.iter().any(|s| last.eq_ignore_ascii_case(s))
}

/// Headers in order, secrets removed.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let keep = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        let secret = SECRET_HEADERS.iter().any(|word| name.as_str().contains(word));
        let value = if secret { REMOVED.to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
        (name.as_str().to_owned(), value)
    };
    headers.iter().map(keep).collect()
}

/// At most so many bytes of a text.
pub fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    &text[..end]
}

/// Path and query, secrets removed.
pub fn target(target: &str) -> String {
    let target = cut(target, TARGET_BYTES);
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            // A name that cannot be decoded is not trusted to be harmless.
            Some((name, _)) if decode(name).map_or(true, |name| is_secret(&name)) => format!("{name}={REMOVED}"),
            // A filter may compare with one.
            Some((name, value)) if decode(value).map_or(true, |value| value.to_ascii_lowercase().contains("password")) => {
                format!("{name}={REMOVED}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// The body, secrets removed, and what was removed. A body without secrets is kept byte for byte.
pub fn body(body: &[u8]) -> (Vec<u8>, Vec<String>) {
    if !mentions_secret(body) {
        return (body.to_vec(), vec![]);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            let mut removed = Vec::new();
            scrub(&mut value, &mut removed);
            if removed.is_empty() { (body.to_vec(), removed) } else { (value.to_string().into_bytes(), removed) }
        }
        // What cannot be parsed cannot be scrubbed with certainty.
        Err(_) => (Vec::new(), vec![format!("the whole body ({} bytes): not JSON, and it mentions a secret", body.len())]),
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
            let path = map.get("path").and_then(Value::as_str);
            let (path_is_secret, path_names_password) = (path.is_some_and(is_secret), path.is_some_and(names_password));
            for (name, value) in map.iter_mut() {
                if is_secret(name) && !value.is_null() || path_is_secret && name.eq_ignore_ascii_case("value") {
                    *value = Value::String(REMOVED.to_owned());
                    let is_password = path_names_password || names_password(name);
                    removed.push(if is_password { PASSWORD.to_owned() } else { format!("the value of {name}") });
                } else {
                    scrub(value, removed);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| scrub(item, removed)),
        // Entra sends JSON inside strings (legacy roles).
        Value::String(text) if text.starts_with('{') && mentions_secret(text.as_bytes()) => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_kept() {
        for text in [
            r#"{"userName":"a","password":"hunter2"}"#,
            r#"{"Operations":[{"op":"replace","path":"password","value":"hunter2"}]}"#,
            r#"{"Operations":[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User:password":"hunter2"}}]}"#,
            r#"{"roles":[{"value":"{\"password\":\"hunter2\"}"}]}"#,
            r#"{"\u0070assword":"hunter2"}"#,
            r#"{"password":"hunter2", broken"#,
        ] {
            let (kept, removed) = body(text.as_bytes());
            assert!(!String::from_utf8_lossy(&kept).contains("hunter2"), "{text}");
            assert!(!removed.is_empty(), "{text}");
        }
        assert_eq!(target("/Users?token=hunter2&filter=x"), "/Users?token=[removed]&filter=x");
        assert_eq!(target("/Users?access%5Ftoken=hunter2&x"), "/Users?access%5Ftoken=[removed]&x");
        assert_eq!(target("/Users?count=1&filter=pass%77ord+eq+%22hunter2%22"), "/Users?count=1&filter=[removed]");
        let sent = HeaderMap::from_iter(
            ["x-forwarded-access-token", "x-original-authorization", "cookie"].map(|n| (n.parse().unwrap(), "hunter2".parse().unwrap())),
        );
        assert!(headers(&sent).iter().all(|(_, value)| value == REMOVED));
    }

    #[test]
    fn every_secret_name_is_noticed() {
        assert!(SECRET_NAMES.iter().all(|name| SECRET_WORDS.iter().any(|word| name.contains(word))));
    }

    #[test]
    fn a_body_without_secrets_is_kept_byte_for_byte() {
        for text in [r#"{ "userName" : "tokenia" }"#, r#"{"x":"\u00e4"}"#, "not json at all", ""] {
            assert_eq!(body(text.as_bytes()), (text.as_bytes().to_vec(), vec![]));
        }
    }
}
