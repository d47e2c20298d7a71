//! Whether somebody is signed in through their organization, now. The views are folded before any write is answered, so a
//! session ends, in every process, with the answer to the SCIM request that ends it.

use crate::App;
use axum::http::{HeaderMap, header};
use chrono::TimeDelta;
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::SamlState;
use rollcall_domain::sql::SqlError;
use rollcall_domain::user::{SessionEnd, User, UserCommand};
use rollcall_engine::Order;
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::organizations::OrganizationRow;
use rollcall_projections::sessions::SessionRow;
use serde_json::Value;

/// The session's cookie. `__Host-` makes browsers insist on https, on this host and on no other.
pub const COOKIE: &str = "__Host-rollcall-session";

/// The session's token, from its cookie.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    cookies(headers)
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
        .filter(|v| !v.is_empty() && v.len() <= 512)
}

/// All cookies that a browser sent.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// Whether it counts that a session was asked for: sessions can end by not being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By its holder.
    ToUseIt,
    /// By somebody who wants to know.
    ToLook,
}

/// A session that lets somebody in.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The session.
    pub row: SessionRow,
    /// The organization.
    pub organization: OrganizationRow,
    /// The user's `userName`.
    pub user_name: String,
    /// The user's `displayName`.
    pub display_name: Option<String>,
    /// The user's `externalId`.
    pub external_id: Option<String>,
}

/// Looks a token up. Nothing if it is no session, or one that is over, or one of an organization
/// that is switched off.
///
/// # Errors
/// If the views cannot be read.
pub async fn check(app: &App, token: &str) -> Result<Option<Checked>, SqlError> {
    let Some(row) = app.sessions.by_token(&sha256_hex(token)).await? else { return Ok(None) };
    if !row.is_live(app.engine.clock.now()) {
        if row.was_ended_by_scim() && row.refused_ms.is_none() {
            note_refusal(app, &row).await;
        }
        return Ok(None);
    }
    standing(app, row, Asked::ToUseIt).await
}

/// What a session that has not ended stands for. Nothing if it lets nobody in: single sign-on is
/// another, the organization is switched off, or the user is.
///
/// # Errors
/// If the views cannot be read.
pub async fn standing(
    app: &App,
    row: SessionRow,
    asked: Asked,
) -> Result<Option<Checked>, SqlError> {
    if !row.is_live(app.engine.clock.now()) || !still_holds(app, &row, asked).await? {
        return Ok(None);
    }
    let organization = app
        .organizations
        .by_id(row.organization)
        .await?
        .filter(|o| o.enabled && o.stopped.is_none());
    let user = app.directory.user(row.organization, row.subject).await?;
    let (Some(organization), Some(user)) = (organization, user) else { return Ok(None) };
    let text = |name: &str| user.attributes.get(name).and_then(Value::as_str).map(str::to_owned);
    if user.attributes.get("active").and_then(Value::as_bool) != Some(true) {
        return Ok(None);
    }
    let (user_name, display_name, external_id) =
        (text("userName").unwrap_or_default(), text("displayName"), text("externalId"));
    Ok(Some(Checked { row, organization, user_name, display_name, external_id }))
}

/// Whether single sign-on is still what it was when the session began, and somebody has asked for it
/// lately.
async fn still_holds(app: &App, row: &SessionRow, asked: Asked) -> Result<bool, SqlError> {
    let Some(connection) = app.connections.of(row.organization).await? else { return Ok(false) };
    let settings = connection.settings;
    let issuer = settings.idp.as_ref().map(|idp| &idp.entity_id);
    if settings.state != SamlState::Enabled || row.issuer.as_ref() != issuer {
        return Ok(false);
    }
    let Some(idle) = settings.policy.idle_minutes.map(|n| TimeDelta::minutes(i64::from(n))) else {
        return Ok(true);
    };
    let now = app.engine.clock.now();
    let last = app.session_uses.last(row.organization, row.id).await?.unwrap_or(row.began);
    if asked == Asked::ToLook {
        return Ok(now - last < idle);
    }
    if now - last >= idle {
        end(app, row, SessionEnd::Idle).await;
        return Ok(false);
    }
    // As exact as anybody notices, and one write in a while.
    if now - last >= (idle / 10).min(TimeDelta::minutes(1)) {
        app.session_uses.note(row.organization, row.id, now).await?;
    }
    Ok(true)
}

/// Keeps that a session is over. It lets nobody in whether or not that can be kept.
async fn end(app: &App, row: &SessionRow, end: SessionEnd) {
    let order = Order::<User>::unasked(
        StreamId { organization: row.organization, kind: AggregateKind::User, id: row.subject.0 },
        UserCommand::EndSession { session: row.id, end },
        Context::new(app.engine.clock.now(), Actor::System, None),
    );
    if let Err(error) = app.engine.execute(order).await {
        tracing::warn!(session = %row.id, %error, "the end of a session was not kept");
    } else if let Err(error) = app.session_uses.forget(row.organization, row.id).await {
        tracing::warn!(session = %row.id, %error, "the last use of a session was not forgotten");
    }
}

/// Keeps how long it took from the SCIM request to this refusal. The first one counts, in all
/// processes together: a claim sees to that.
async fn note_refusal(app: &App, row: &SessionRow) {
    let ended_at = match row.end_exchange {
        Some(exchange) => match app.engine.log.exchange(row.organization, exchange).await {
            Ok(found) => found.map(|x| x.exchange.received_at).or(row.ended),
            Err(_) => return,
        },
        None => row.ended,
    };
    let Some(ended_at) = ended_at else { return };
    let now = app.engine.clock.now();
    let took = now.signed_duration_since(ended_at);
    let milliseconds = u64::try_from(took.num_milliseconds()).unwrap_or(0);
    let order = Order::<User>::unasked(
        StreamId { organization: row.organization, kind: AggregateKind::User, id: row.subject.0 },
        UserCommand::NoteSessionRefused {
            session: row.id,
            milliseconds,
            ended_by: row.end_exchange,
        },
        Context::new(now, Actor::System, None),
    );
    // Another request, or another process, may have been first.
    if app.engine.execute(order).await.is_ok() {
        metrics::histogram!("rollcall_session_refused_seconds")
            .record(took.to_std().unwrap_or_default());
    }
}
