//! Nothing is served by a log that is closed: not the one that was known, or being restored. What
//! is asked meanwhile leaves no exchange, for there is no log to keep it in.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rollcall_contract::route;
use rollcall_domain::log::Closed;
use rollcall_door::{App, Refusal};
use std::sync::Arc;

/// Answers 503 to everything while the log is closed, but what tells how it is and what cures it.
/// An answer that was made while it was noticed does not leave either.
pub async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let door = Door::of(&request);
    if door == Door::AlwaysOpen {
        return next.run(request).await;
    }
    if let Some(why) = app.engine.closed() {
        return door.closed(&app, why);
    }
    let response = next.run(request).await;
    match app.engine.closed() {
        Some(why) => door.closed(&app, why),
        None => response,
    }
}

/// What a request wants, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    AlwaysOpen,
    Scim,
    Administration,
    Other,
}

impl Door {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let cures = [
            route::SHOW_LOG.template,
            route::ACCEPT_LOG.template,
            route::RESTORE.template,
            route::DISCARD_RESTORE.template,
            // Before any of these, the command line asks for it.
            route::PROVE_SERVER.template,
            route::DESCRIPTION,
            "/healthz",
            "/readyz",
            "/metrics",
        ];
        // What tells an operator what became of the log.
        if cures.contains(&path) || is_of_ledger(path) {
            Self::AlwaysOpen
        } else if rollcall_scim::is_scim(request.uri()) {
            Self::Scim
        } else if path.starts_with(route::PREFIX) {
            Self::Administration
        } else {
            Self::Other
        }
    }

    fn closed(self, app: &App, why: Closed) -> Response {
        let told = why.to_strangers();
        match self {
            Self::Scim => rollcall_scim::refused(app, told),
            Self::Administration => {
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, told).into_response()
            }
            Self::AlwaysOpen | Self::Other => {
                let mut response =
                    (StatusCode::SERVICE_UNAVAILABLE, format!("{told}\n")).into_response();
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
                response
            }
        }
    }
}

fn is_of_ledger(path: &str) -> bool {
    let template = route::SHOW_CHECKPOINT.template;
    let Some((before, after)) = template.split_once("{organization}") else { return false };
    let Some((ledger, _)) = after.rsplit_once('/') else { return false };
    let Some((_, rest)) = path.strip_prefix(before).and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    rest.strip_prefix(ledger.trim_start_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn only_what_tells_and_cures_is_open() {
        for (path, door) in [
            ("/healthz", Door::AlwaysOpen),
            ("/readyz", Door::AlwaysOpen),
            ("/metrics", Door::AlwaysOpen),
            ("/api/v1/log", Door::AlwaysOpen),
            ("/api/v1/log/accept", Door::AlwaysOpen),
            ("/api/v1/restore", Door::AlwaysOpen),
            ("/api/v1/restore/discard", Door::AlwaysOpen),
            ("/api/v1/organizations/acme/ledger/checkpoint", Door::AlwaysOpen),
            ("/api/v1/organizations/acme/ledger/audit", Door::AlwaysOpen),
            ("/api/v1/organizations/ledger/users", Door::Administration),
            ("/api/v1/organizations/acme/users/ledger/memberships", Door::Administration),
            ("/api/v1/organizations", Door::Administration),
            ("/api/v1/backup", Door::Administration),
            ("/scim/v2/Users", Door::Scim),
            ("//scim/v2/Users", Door::Scim),
            ("/scim/v2/healthz", Door::Scim),
            ("/saml/acme/acs", Door::Other),
            ("/oauth2/token", Door::Other),
            ("/", Door::Other),
        ] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            assert_eq!(Door::of(&request), door, "{path}");
        }
    }
}
