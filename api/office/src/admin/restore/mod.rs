//! Putting a backup in place. The file is taken and checked as a whole before anything is written;
//! then the log says that it is being restored, and nobody is served by it before all of it is
//! there. What is broken off can be gone on with, or given up.

mod opening;
mod place;
mod spool;

use super::backup::Line;
use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use futures::StreamExt as _;
use opening::Opening;
use place::Placing;
use rollcall_contract::Problem;
use rollcall_contract::backup::{RestoreQuery, RestoredBody};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Closed, Head, Known, RESTORING};
use rollcall_door::callers::Operator;
use rollcall_door::{App, Refusal};
use rollcall_engine::{Erasure, Listed};
use serde::{Deserialize, Serialize};
use spool::Spooled;
use std::sync::Arc;

/// What is noted beside a log while it is being restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UnderWay {
    /// SHA-256 of the file.
    sha256: String,
}

/// So much is read of a body that is refused before it came in whole: who sends it hears the answer
/// only once all is sent.
const STRANGER_BYTES: usize = 1 << 20;

/// Puts a backup in place. Only a server without organizations takes one.
#[utoipa::path(
    post,
    path = "/api/v1/restore",
    tag = "operation",
    params(RestoreQuery),
    security(("operator" = [])),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, body = RestoredBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn restore(
    operator: Result<Operator, Refusal>,
    State(app): State<Arc<App>>,
    Query(query): Query<RestoreQuery>,
    body: Body,
) -> Result<Json<RestoredBody>, Refusal> {
    let operator = match operator {
        Ok(operator) => operator,
        Err(refusal) => {
            drain(body, STRANGER_BYTES).await;
            return Err(refusal);
        }
    };
    if let Err(refusal) = may_begin(&app, query, None).await {
        drain(body, usize::MAX).await;
        return Err(refusal);
    }
    let spooled = Spooled::take(&app.config.data, body, Opening::of(&*app.engine.log)).await?;
    // Also if whoever asked goes away: what is half restored serves nobody.
    let doing = app.clone();
    let done =
        tokio::spawn(async move { put_in_place(&doing, query, spooled, &operator.actor).await });
    Ok(Json(done.await??))
}

/// Gives up a restore that was broken off: the log is empty afterwards, and another one.
#[utoipa::path(
    post,
    path = "/api/v1/restore/discard",
    tag = "operation",
    security(("operator" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn discard(
    operator: Operator,
    State(app): State<Arc<App>>,
) -> Result<axum::http::StatusCode, Refusal> {
    if app.engine.log.note(RESTORING).await?.is_none() {
        return Err(Refusal::conflict("no restore was broken off: there is nothing to discard"));
    }
    let doing = app.clone();
    let done = tokio::spawn(async move {
        let known = app_begins(&doing).await?;
        let done = async {
            empty(&doing).await?;
            settle(&doing, &[], &operator.actor).await.map(drop)
        };
        ends(&doing, known, done.await)
    });
    done.await??;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

async fn drain(body: Body, most: usize) {
    let (mut chunks, mut bytes) = (body.into_data_stream(), 0_usize);
    while let Some(Ok(chunk)) = chunks.next().await {
        bytes = bytes.saturating_add(chunk.len());
        if bytes > most {
            return;
        }
    }
}

/// Whether a restore may begin, or go on, of a file with this digest if it is known already. Gives
/// whether it goes on.
async fn may_begin(app: &App, query: RestoreQuery, sha256: Option<&str>) -> Result<bool, Refusal> {
    let log = &*app.engine.log;
    match app.engine.closed() {
        None | Some(Closed::Restoring) => {}
        Some(why) => return Err(Refusal::conflict(why.to_string())),
    }
    if let Some(noted) = log.note(RESTORING).await? {
        let noted: Option<UnderWay> = serde_json::from_str(&noted).ok();
        if !query.resume {
            return Err(Refusal::conflict(
                "a restore into this server was broken off: go on with the same file by --resume, or give it up by `rollcall restore --discard`",
            ));
        }
        if sha256.is_some_and(|sha256| noted.is_none_or(|noted| noted.sha256 != sha256)) {
            return Err(Refusal::conflict(
                "the restore that was broken off was of another file: give it up by `rollcall restore --discard`",
            ));
        }
        return Ok(true);
    }
    if query.resume {
        return Err(Refusal::conflict("no restore was broken off: there is nothing to resume"));
    }
    let heads = log.heads().await?;
    let is_organization = |(id, head): &(OrganizationId, Head)| {
        *id != OrganizationId::NONE && *head != Head::default()
    };
    if heads.iter().any(is_organization) {
        return Err(Refusal::conflict(
            "there are organizations already: restore into a server with a fresh data folder or database",
        ));
    }
    // Strangers may have called already; what was recorded of them stays. Operators with keys of
    // their own would be in the way of those of the backup.
    if heads.iter().any(|(_, head)| head.position > 0) && !query.drop_operators {
        return Err(Refusal::conflict(
            "operators have keys of their own here, which would be in the way of those of the backup: say --drop-operators if they may go",
        ));
    }
    Ok(false)
}

async fn put_in_place(
    app: &App,
    query: RestoreQuery,
    spooled: Spooled,
    by: &Actor,
) -> Result<RestoredBody, Refusal> {
    // Once more: others may have come between.
    let resumes = may_begin(app, query, Some(&spooled.sha256)).await?;
    let log = &*app.engine.log;
    if !spooled.erasures.is_empty() {
        app.engine.may_erase().await.map_err(|error| Refusal::conflict(error.to_string()))?;
    }
    let note = serde_json::to_string(&UnderWay { sha256: spooled.sha256.clone() })
        .map_err(|e| Refusal::unavailable(&e))?;
    if !log.keep_note(RESTORING, Some(&note)).await? {
        tracing::warn!(
            "this store cannot say that it is being restored: let nobody use it meanwhile"
        );
    }
    let known = app_begins(app).await?;
    let done = async {
        if !resumes && query.drop_operators {
            empty(app).await?;
        }
        let placing = Placing::into(app.engine.log.clone()).await?;
        let (mut restored, erasures) = spooled.put_down(placing).await?;
        let listed = settle(app, &erasures, by).await?;
        (restored.erased, restored.not_in_backup) = (listed.erased, listed.unknown);
        Ok(restored)
    };
    ends(app, known, done.await)
}

/// Closes the log to everybody else.
async fn app_begins(app: &App) -> Result<Known, Refusal> {
    app.engine.begin_restore().ok_or_else(|| Refusal::conflict("a restore is under way already"))
}

async fn empty(app: &App) -> Result<(), Refusal> {
    if app.engine.log.clear(app.engine.ids.epoch()).await? {
        Ok(())
    } else {
        Err(Refusal::conflict(
            "this store cannot be emptied from here: begin with a fresh database",
        ))
    }
}

/// All is there, or nothing: the views are made of it, who was erased is, and the log says so.
async fn settle(app: &App, erasures: &[Erasure], by: &Actor) -> Result<Listed, Refusal> {
    let settled = app.engine.settle_restored(erasures, by).await;
    settled.map_err(|error| Refusal::unavailable(&error))
}

fn ends<T>(app: &App, known: Known, done: Result<T, Refusal>) -> Result<T, Refusal> {
    app.engine.end_restore(done.is_err().then_some(known));
    done
}
