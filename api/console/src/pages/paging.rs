//! From page to page of a list: the whole state of a view is in its address.

use crate::view::in_address;

/// Where the next page is, with everything else as it was.
pub fn next(path: &str, parameters: &[(&str, &str)], cursor: Option<&str>) -> Option<String> {
    let cursor = cursor?;
    let mut query: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", in_address(value)))
        .collect();
    query.push(format!("cursor={}", in_address(cursor)));
    Some(format!("{path}?{}", query.join("&")))
}

/// An empty field of a form is one that was not filled in.
pub fn filled(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
