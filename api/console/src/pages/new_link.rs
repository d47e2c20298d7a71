//! A new link for an admin, an auditor, or a setup: shown this once.

use super::access;
use crate::signing::{Manager, Posted};
use crate::trouble::Trouble;
use axum::http::StatusCode;
use axum::response::Response;
use rollcall_contract::console::{LinkMade, LinkRole, NewLink};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// Makes it.
pub async fn make(posted: Posted<Manager>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let role = match form.text("role") {
        "admin" => LinkRole::Admin,
        "auditor" => LinkRole::Auditor,
        "setup" => LinkRole::Setup,
        _ => return Err(Trouble::nothing()),
    };
    let typed = form.text("label").to_owned();
    let new = NewLink {
        role,
        label: typed.clone(),
        hours: form.get("hours").and_then(|hours| hours.parse().ok()),
        shareable: form.is_ticked("shareable"),
    };
    let line = route::MAKE_LINK.line(&OrganizationPath::of(who.0.slug()), &Nothing);
    match who.0.asker().tell::<LinkMade>(line, &new).await {
        Ok(made) => access::page(&who, Some(made), None, String::new(), None).await,
        Err(Trouble::Refused(problem)) if problem.status < 500 => {
            let mut page = access::page(&who, None, Some(problem.detail), typed, None).await?;
            *page.status_mut() = StatusCode::BAD_REQUEST;
            Ok(page)
        }
        Err(trouble) => Err(trouble),
    }
}
