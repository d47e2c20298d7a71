//! `/healthz`, `/readyz`, `/metrics`.

use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The log can be reached, the views have caught up, and nothing has stopped.
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let log = app.engine.log.ping().await;
    let views = app.engine.folder.status().await;
    let (mut ready, mut body) = (log.is_ok(), json!({ "log": log.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned()) }));
    match views {
        Ok(views) => {
            let lag: u64 = views.iter().map(|v| v.head.saturating_sub(v.position)).sum();
            let stopped: Vec<_> = views.iter().filter(|v| v.stopped.is_some()).map(|v| v.organization.to_string()).collect();
            ready &= stopped.is_empty() && lag < 10_000;
            body["lag"] = json!(lag);
            body["stopped"] = json!(stopped);
        }
        Err(error) => {
            ready = false;
            body["views"] = json!(error.to_string());
        }
    }
    body["ready"] = json!(ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// Prometheus' text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}
