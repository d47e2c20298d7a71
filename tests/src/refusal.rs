//! Checks that a refusal has the form of RFC 7644 section 3.12.

use crate::http::Answer;
use anyhow::{Context as _, Result, ensure};

/// The schema of an error body.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Checks status, `scimType`, the form of the body and that it names its exchange; gives `detail`
/// without that name.
pub fn refused(answer: Answer, status: u16, scim_type: Option<&str>) -> Result<String> {
    let answer = answer.expect(status)?;
    let content_type = answer.header("content-type").unwrap_or_default();
    ensure!(
        content_type.starts_with("application/scim+json"),
        "{}: an error with content type {content_type:?}",
        answer.asked
    );
    let body = answer.json()?;
    ensure!(
        body["schemas"] == serde_json::json!([ERROR_URN]),
        "{}: schemas {}",
        answer.asked,
        body["schemas"]
    );
    ensure!(
        body["status"].as_str() == Some(&status.to_string()),
        "{}: status {} in the body",
        answer.asked,
        body["status"]
    );
    let found = body.get("scimType").and_then(|v| v.as_str());
    ensure!(
        found == scim_type,
        "{}: scimType {found:?} instead of {scim_type:?}: {body}",
        answer.asked
    );
    let detail = body["detail"]
        .as_str()
        .with_context(|| format!("{}: no detail in {body}", answer.asked))?;
    // The admin who reads the detail in Entra can give the operator the exchange's id.
    let exchange = answer
        .header("exchange-id")
        .with_context(|| format!("{}: no exchange-id", answer.asked))?;
    let detail = detail
        .strip_suffix(&format!(" [exchange {exchange}]"))
        .with_context(|| format!("{}: {detail:?} does not name {exchange}", answer.asked))?;
    ensure!(!detail.is_empty(), "{}: an empty detail", answer.asked);
    Ok(detail.to_owned())
}

/// As [`refused`], and `detail` must name each of `words`, so that an admin can act on it.
pub fn refused_naming(
    answer: Answer,
    status: u16,
    scim_type: Option<&str>,
    words: &[&str],
) -> Result<()> {
    let asked = answer.asked.clone();
    let detail = refused(answer, status, scim_type)?;
    for word in words {
        ensure!(detail.contains(word), "{asked}: the detail {detail:?} does not name {word:?}");
    }
    Ok(())
}
