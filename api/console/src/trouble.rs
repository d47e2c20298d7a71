//! What is shown in place of a page.

use crate::tell;
use crate::view::shown;
use askama::Template;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::Problem;
use rollcall_door::Refusal;

/// Why a page is not shown, or a form not done.
#[derive(Debug)]
pub enum Trouble {
    /// As the API has it.
    Refused(Box<Problem>),
    /// Whoever asks is to sign in first; there is the way back.
    SignIn(String),
    /// The page that asked for a part of itself is to be loaded again: its session is over.
    Reload,
    /// Elsewhere is what they want.
    Elsewhere(String),
}

impl Trouble {
    /// A refusal of ours.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Refusal::new(status, detail).into()
    }

    /// A field of a form that is not what it should be.
    pub fn unreadable(why: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// There is no such page, or it is another organization's.
    pub fn nothing() -> Self {
        Self::new(StatusCode::NOT_FOUND, tell::NOTHING_HERE)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.0)
    }
}

macro_rules! unavailable {
    ($($error:ty),+) => {
        $(impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                Refusal::from(error).into()
            }
        })+
    };
}

unavailable!(
    rollcall_domain::sql::SqlError,
    rollcall_domain::log::LogError,
    rollcall_projections::fold::FoldError
);

#[derive(Template)]
#[template(path = "trouble.html")]
struct Page<'a> {
    title: &'a str,
    text: &'a str,
    reference: Option<&'a str>,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let problem = match self {
            Trouble::SignIn(back) => {
                let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
                return Redirect::to(&format!("/sign-in?to={back}")).into_response();
            }
            Trouble::Reload => {
                let again = (HeaderName::from_static("hx-refresh"), "true");
                return (StatusCode::UNAUTHORIZED, [again]).into_response();
            }
            Trouble::Elsewhere(to) => return Redirect::to(&to).into_response(),
            Trouble::Refused(problem) => problem,
        };
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let page = Page {
            title: tell::status(status),
            text: &problem.detail,
            reference: problem.instance.as_deref(),
        };
        let mut response = (status, shown(&page)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let later = header::HeaderValue::from_static("30");
            response.headers_mut().insert(header::RETRY_AFTER, later);
        }
        response
    }
}
