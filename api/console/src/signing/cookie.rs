//! The console's cookie.

use axum::http::{HeaderMap, HeaderValue, header};

/// `__Host-` makes browsers insist on https, on this host and on no other.
const NAME: &str = "__Host-rollcall-console";

/// Longer than any cookie of ours.
const BYTES: usize = 200;

/// What the cookie holds, if there is exactly one.
pub fn found(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut ours = sent
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == NAME)
        .map(|(_, value)| value);
    let (Some(value), None) = (ours.next(), ours.next()) else { return None };
    (!value.is_empty() && value.len() <= BYTES).then_some(value)
}

/// Sets it, for so many seconds; until the browser is closed, if none.
pub fn set(value: &str, seconds: Option<i64>) -> Option<HeaderValue> {
    let kept = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    written(&format!("{NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{kept}"))
}

/// Takes it away.
pub fn removed() -> Option<HeaderValue> {
    written(&format!("{NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn written(cookie: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(cookie).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn one_cookie_of_ours_is_found_and_two_are_none() {
        let ours = "__Host-rollcall-console=abc";
        assert_eq!(found(&headers(&[&format!("a=b; {ours}; c=d")])), Some("abc"));
        assert_eq!(found(&headers(&[ours, "x=y"])), Some("abc"));
        assert_eq!(found(&headers(&[ours, ours])), None);
        assert_eq!(found(&headers(&["__Host-rollcall-console="])), None);
        assert_eq!(found(&headers(&["rollcall-console=abc"])), None);
        assert_eq!(found(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn any_cookie_is_read_or_not(line in "[ -~]{0,300}") {
            let _ = found(&headers(&[&line]));
        }
    }
}
