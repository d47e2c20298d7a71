//! Whether a request comes from a page of another site. Browsers say so (Fetch Metadata); where one
//! does not, the page that it comes from tells.

use axum::http::{HeaderMap, header};
use url::Url;

/// Whether another site made the browser ask.
pub fn is_elsewhere(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "cross-site";
    }
    let from = text(header::ORIGIN.as_str()).or_else(|| text(header::REFERER.as_str()));
    let origin = |address: &str| Url::parse(address).ok().map(|url| url.origin());
    from.is_some_and(|from| origin(from) != origin(public_url))
}

#[cfg(test)]
mod tests {
    use super::is_elsewhere;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn another_site_is_told_by_the_browser_or_by_the_page() {
        let asked = |lines: &[(&'static str, &'static str)]| {
            let lines = lines.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            is_elsewhere(&lines.collect::<HeaderMap>(), "https://here.example/base")
        };
        assert!(asked(&[("sec-fetch-site", "cross-site")]));
        assert!(asked(&[("referer", "https://app.example/page")]));
        assert!(asked(&[("origin", "null"), ("referer", "https://here.example/")]));
        assert!(!asked(&[("sec-fetch-site", "same-origin"), ("referer", "https://app.example/")]));
        assert!(!asked(&[("sec-fetch-site", "none")]));
        assert!(!asked(&[("referer", "https://here.example/saml/acme/signed-in")]));
        assert!(!asked(&[]));
    }
}
