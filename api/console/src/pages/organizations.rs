//! The operator's list of organizations.

use crate::signing::{OperatorHere, Posted};
use crate::trouble::Trouble;
use crate::view::{Frame, Name, When, shown};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::organizations::{NewOrganization, OrganizationBody, OrganizationCreated};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_door::App;
use std::collections::HashMap;
use std::sync::Arc;

struct Row {
    slug: String,
    name: Name,
    enabled: bool,
    scim: String,
    created: When,
    /// Whether cycles come, as far as it is folded.
    rhythm: &'static str,
    last: Option<When>,
}

#[derive(Template)]
#[template(path = "organizations.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    typed: (String, String),
    refused: Option<String>,
}

/// The page.
pub async fn list(
    operator: OperatorHere,
    State(app): State<Arc<App>>,
) -> Result<Response, Trouble> {
    page(&operator, &app, Default::default(), None).await
}

async fn page(
    operator: &OperatorHere,
    app: &App,
    typed: (String, String),
    refused: Option<String>,
) -> Result<Response, Trouble> {
    let asker = &operator.0.asker;
    let all: Vec<OrganizationBody> =
        asker.ask(route::LIST_ORGANIZATIONS.line(&Nothing, &Nothing)).await?;
    let rhythms = app.audit.as_far_as_folded().runs.rhythms().await?;
    let rhythms: HashMap<_, _> = rhythms.into_iter().map(|(id, rhythm)| (id.0, rhythm)).collect();
    let now = app.engine.clock.now();
    let rows = all.into_iter().map(|body| {
        let rhythm = rhythms.get(&body.organization_id);
        Row {
            slug: body.domain,
            name: Name(body.name),
            enabled: body.enabled,
            scim: body.scim,
            created: When(body.created_at),
            rhythm: rhythm.map_or("never", |rhythm| rhythm.pulse(now).as_str()),
            last: rhythm.and_then(|rhythm| rhythm.last()).map(When),
        }
    });
    let page = Page {
        frame: operator.0.frame("Organizations", "organizations", None),
        rows: rows.collect(),
        typed,
        refused,
    };
    Ok(shown(&page))
}

/// Creates one.
pub async fn create(
    State(app): State<Arc<App>>,
    posted: Posted<OperatorHere>,
) -> Result<Response, Trouble> {
    let typed = (posted.form.text("name").to_owned(), posted.form.text("slug").to_owned());
    let new = NewOrganization { name: typed.0.clone(), domain: typed.1.clone() };
    let line = route::CREATE_ORGANIZATION.line(&Nothing, &Nothing);
    match posted.who.0.asker.tell::<OrganizationCreated>(line, &new).await {
        Ok(made) => Ok(Redirect::to(&format!("/o/{}", made.domain)).into_response()),
        Err(Trouble::Refused(problem)) if problem.status < 500 => {
            let mut page = page(&posted.who, &app, typed, Some(problem.detail)).await?;
            *page.status_mut() = axum::http::StatusCode::BAD_REQUEST;
            Ok(page)
        }
        Err(trouble) => Err(trouble),
    }
}
