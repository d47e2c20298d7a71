//! Who is told by mail what needs somebody, and what they were told.

use crate::signing::{Manager, Posted};
use crate::trouble::Trouble;
use crate::view::{Frame, When, shown};
use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::attention::{NotificationsBody, RecipientsChange};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::Deserialize;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    done: Option<String>,
}

struct Told {
    title: &'static str,
    first: When,
    last: When,
    state: &'static str,
}

#[derive(Template)]
#[template(path = "notifications.html")]
struct Page {
    frame: Frame,
    slug: String,
    recipients: Vec<String>,
    can_send: bool,
    told: Vec<Told>,
    /// What was typed, and why it was not taken.
    refused: Option<(String, String)>,
}

/// The page.
pub async fn show(manager: Manager, Query(done): Query<Done>) -> Result<Response, Trouble> {
    page(&manager, None, done.done.as_deref()).await
}

async fn page(
    manager: &Manager,
    refused: Option<(String, String)>,
    done: Option<&str>,
) -> Result<Response, Trouble> {
    let reader = &manager.0;
    let slug = reader.slug();
    let line = route::SHOW_NOTIFICATIONS.line(&OrganizationPath::of(slug.clone()), &Nothing);
    let NotificationsBody { recipients, can_send, told } = reader.asker().ask(line).await?;
    let told = told.into_iter().map(|told| Told {
        title: told.cause.title(),
        first: When(told.first_told_at),
        last: When(told.told_at),
        state: if told.lasts { "lasts" } else { "right again" },
    });
    let told = told.collect();
    let frame = reader.frame("Mail", "access").with_notice(done);
    Ok(shown(&Page { frame, slug, recipients, can_send, told, refused }))
}

/// Tells somebody from now on, or no more; or sends a test.
pub async fn change(posted: Posted<Manager>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let slug = who.0.slug();
    let (path, address) = (OrganizationPath::of(slug.clone()), form.text("address").to_owned());
    let (add, remove) = match form.text("do") {
        "add" => (vec![address.clone()], Vec::new()),
        "remove" => (Vec::new(), vec![address.clone()]),
        "test" => {
            let sent = who.0.asker().act(route::TEST_NOTIFICATIONS.line(&path, &Nothing)).await;
            return answered(&who, sent, "sent", String::new()).await;
        }
        _ => return Err(Trouble::nothing()),
    };
    let done = if add.is_empty() { "removed" } else { "added" };
    let change = RecipientsChange { add, remove };
    let line = route::CHANGE_RECIPIENTS.line(&path, &Nothing);
    let changed = who.0.asker().tell::<NotificationsBody>(line, &change).await.map(drop);
    answered(&who, changed, done, address).await
}

/// On with what was done, or the page again with what was typed and why it was not taken.
async fn answered(
    who: &Manager,
    outcome: Result<(), Trouble>,
    done: &str,
    typed: String,
) -> Result<Response, Trouble> {
    match outcome {
        Ok(()) => {
            let on = format!("/o/{}/notifications?done={done}", who.0.slug());
            Ok(Redirect::to(&on).into_response())
        }
        Err(Trouble::Refused(problem)) => {
            let status = StatusCode::from_u16(problem.status);
            let mut again = page(who, Some((typed, problem.detail)), None).await?;
            *again.status_mut() = status.unwrap_or(StatusCode::BAD_REQUEST);
            Ok(again)
        }
        Err(trouble) => Err(trouble),
    }
}
