//! Where a browser ends up that has signed in and was asked to go nowhere else.

use super::call::{Call, unavailable};
use super::page::Page;
use super::reply::Reply;
use rollcall_door::exchange::Kept;
use rollcall_door::session::{self, check};

/// GET `/saml/{organization}/signed-in`. A page like any other: not an exchange.
pub async fn signed_in(call: &Call) -> Reply {
    let checked = match session::token(&call.visit.headers) {
        Some(token) => check(&call.app, token).await,
        None => Ok(None),
    };
    let page = match checked {
        Ok(Some(session)) if session.row.organization == call.organization.id => {
            let text = format!(
                "You are signed in to {} as {}. You can close this page.",
                call.organization.name, session.user_name
            );
            Reply::page(
                200,
                &Page { title: "Signed in", text: &text, code: None, asks: None },
                &call.visit,
            )
        }
        Ok(_) => {
            let text = "You are not signed in, or not any more. Please start from the application's sign-in page.";
            Reply::page(
                401,
                &Page { title: "Not signed in", text, code: Some("no-session"), asks: None },
                &call.visit,
            )
        }
        Err(error) => unavailable(&call.visit).told(error.to_string()),
    };
    Reply { kept: Kept::CountOnly, ..page }
}
