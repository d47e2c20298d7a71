//! How much is kept of each part of a request without a credential.

/// So many bytes of each: path, query, headers, body.
pub const BYTES: usize = 2 * 1024;

/// Leaves so much of the path and of the query.
pub fn shorten_target(target: &mut String) {
    let (path, query) = target.split_once('?').map_or((&**target, None), |(p, q)| (p, Some(q)));
    *target = match query {
        None => cut(path).to_owned(),
        Some(query) => format!("{}?{}", cut(path), cut(query)),
    };
}

/// Leaves so much of all headers together.
pub fn shorten_headers(headers: &mut Vec<(String, String)>) {
    let mut left = BYTES;
    headers.retain_mut(|(name, value)| {
        let fits = left.saturating_sub(name.len());
        value.truncate(floor(value, fits));
        left = fits.saturating_sub(value.len());
        left > 0
    });
}

/// As much of a text.
pub fn cut(text: &str) -> &str {
    &text[..floor(text, BYTES)]
}

/// The longest length up to `most` that cuts no character in two.
fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}
