//! Who signed in, and who was refused.

use super::paging::{filled, next};
use crate::signing::Reader;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, Said, When, shown};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use rollcall_contract::logins::{LoginBody, LoginQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::route;
use serde::Deserialize;

/// Which logins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    outcome: Option<String>,
    drifted: Option<String>,
    cursor: Option<String>,
}

struct Row {
    at: When,
    name: Name,
    user: Option<String>,
    accepted: bool,
    reason: Said,
    source: String,
    drift: Vec<(String, Said, Said)>,
    request: Option<String>,
}

#[derive(Template)]
#[template(path = "logins.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    outcome: String,
    drifted: bool,
    next: Option<String>,
}

/// The list.
pub async fn list(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let outcome = filled(&wanted.outcome).unwrap_or_default();
    let drifted = wanted.drifted.is_some();
    let query = LoginQuery {
        accepted: match outcome.as_str() {
            "accepted" => Some(true),
            "refused" => Some(false),
            _ => None,
        },
        drifted,
        limit: Some(50),
        cursor: filled(&wanted.cursor),
        ..LoginQuery::default()
    };
    let line = route::LIST_LOGINS.line(&OrganizationPath::of(slug.clone()), &query);
    let (rows, cursor) = reader.asker().page::<Vec<LoginBody>>(line).await?;
    let rows = rows.into_iter().map(|body| Row {
        at: When(body.at),
        name: Name(body.name_id.unwrap_or_else(|| "—".to_owned())),
        user: body.user_id.map(|id| format!("/o/{slug}/users/{id}")),
        accepted: body.outcome == "accepted",
        reason: Said(body.detail.or(body.reason).unwrap_or_default()),
        source: body.source.unwrap_or_default(),
        drift: body
            .drift
            .into_iter()
            .map(|d| (d.attribute, Said(d.scim), Said(d.asserted)))
            .collect(),
        request: body.exchange.map(|id| format!("/o/{slug}/requests/{id}")),
    });
    let kept = [("outcome", outcome.as_str()), ("drifted", if drifted { "on" } else { "" })];
    let page = Page {
        rows: rows.collect(),
        next: next(&format!("/o/{slug}/logins"), &kept, cursor.as_deref()),
        outcome,
        drifted,
        frame: reader.frame("Sign-ins", "logins"),
    };
    Ok(shown(&page))
}
