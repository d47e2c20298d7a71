//! Whether a request that changes something comes from a page of ours.

use axum::http::{HeaderMap, header};

/// True if the browser says that it comes from this origin. A browser that says nothing of the
/// site (Fetch Metadata) must name the origin; none at all is not enough.
pub fn is_ours(headers: &HeaderMap, public_url: &str) -> bool {
    let value = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or_default());
    match value("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => value(header::ORIGIN.as_str()).is_some_and(|found| found == origin(public_url)),
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..path]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_from_here_may_change_something() {
        let here = "https://rollcall.example/";
        for (headers, expected) in [
            (&[("sec-fetch-site", "same-origin")] as &[_], true),
            (&[("origin", "https://rollcall.example")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://rollcall.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://rollcall.example.evil.example")], false),
            (&[("origin", "http://rollcall.example")], false),
            (&[("origin", "https://rollcall.example:8443")], false),
            (&[("referer", "https://rollcall.example/")], false),
        ] {
            let mut sent = HeaderMap::new();
            for (name, value) in headers {
                sent.append(*name, value.parse().unwrap());
            }
            assert_eq!(is_ours(&sent, here), expected, "{headers:?}");
        }
        assert_eq!(origin("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(origin("https://x.example/below/"), "https://x.example");
    }
}
