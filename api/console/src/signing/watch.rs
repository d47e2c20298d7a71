//! Watching live is asked for once, and is an exchange once.

use super::guard::Reader;
use super::kept::kept;
use crate::Console;
use axum::http::request::Parts;
use axum::response::Response;
use rollcall_domain::exchange::Protocol;
use rollcall_door::exchange::Opened;

/// Opens the exchange of whoever asks to watch.
pub fn opened(console: &Console, parts: &Parts) -> Opened {
    Opened::new(&console.app.engine, Protocol::Audit, "console.watch", parts)
}

/// Keeps it, when they are let in.
pub async fn watched(
    console: &Console,
    mut opened: Opened,
    reader: &Reader,
    response: Response,
) -> Response {
    opened.caller = reader.visitor.signed_in.actor.clone();
    opened.organization = reader.organization.id;
    kept(&console.app, opened, None, response).await
}
