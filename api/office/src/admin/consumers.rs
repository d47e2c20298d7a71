//! Consumers: add, list, show, pause, resume, rotate, remove. A key is shown once.

use super::token_consumers;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::TimeDelta;
use rollcall_contract::consumers::{
    ConsumerAdded, ConsumerBody, ConsumerKind, ConsumerPath, ConsumerRotated, NewConsumer,
    PayloadMode, Rotation,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::{Nothing, RequestLine, RouteError};
use rollcall_contract::{Problem, route};
use rollcall_domain::consumer::{
    self, Consumer, ConsumerCommand, ConsumerError, ConsumerState, GroupFilter, NewWay, Payload,
    Renewal, Way,
};
use rollcall_domain::credential::{CredentialIssued, Proof, Purpose};
use rollcall_domain::ids::{ConsumerId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::organization::SealedKey;
use rollcall_domain::public_type::{PublicType, TypeFilter};
use rollcall_door::callers::{Admin, consumer as consumer_of, of_credential};
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::secrets::sha256_hex;
use rollcall_engine::{ExecuteError, Judgement};
use rollcall_feed::{Feed, security, webhook};
use rollcall_projections::consumers::ConsumerRow;
use std::sync::Arc;
use uuid::Uuid;

/// How long the key of now holds beside a new one, in seconds: at least, usually, at most.
const OVERLAP: (u32, u32, u32) = (1, 24 * 3_600, 7 * 24 * 3_600);

/// Longest address to post to.
const URL_BYTES: usize = 2_000;

/// Lets somebody follow the organization's log.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers",
    tag = "consumers",
    params(OrganizationPath),
    request_body = NewConsumer,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 201, body = ConsumerAdded),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn add(
    admin: Admin,
    State(app): State<Arc<App>>,
    State(feed): State<Arc<Feed>>,
    Given(new): Given<NewConsumer>,
) -> Result<(StatusCode, Json<ConsumerAdded>), Refusal> {
    let NewConsumer { name, kind, url, start, audience, types, payload, groups } = new;
    let known = || PublicType::ALL.iter().map(|public| public.as_str());
    let types =
        TypeFilter::new(types).map_err(|e| Refusal::not_among("types", &e.unknown, known()))?;
    let payload = match payload {
        PayloadMode::Full => Payload::Full,
        PayloadMode::Notice => Payload::Notice,
        PayloadMode::Poke if kind == ConsumerKind::Webhook => Payload::Poke,
        PayloadMode::Poke => {
            return Err(Refusal::parameter("payload", "poke is for webhooks only"));
        }
    };
    let groups = followed(&app, &admin, groups).await?;
    let id = app.engine.ids.consumer();
    let gets_tokens = matches!(kind, ConsumerKind::SetPoll | ConsumerKind::SetPush);
    if audience.is_some() && !gets_tokens {
        return Err(Refusal::bad_request("audience is for set-poll and set-push only"));
    }
    let types = if gets_tokens { token_consumers::types(&types)? } else { types };
    let (way, token, secret) = match (kind, url) {
        (ConsumerKind::Pull, None) if start.is_none() => {
            let (issued, token) = key(&app, &name);
            (NewWay::Pull(issued), Some(token), None)
        }
        (ConsumerKind::Pull, _) => {
            return Err(Refusal::bad_request(
                "url and start are for webhooks: one that asks says after which position",
            ));
        }
        (ConsumerKind::Webhook, None) => {
            return Err(Refusal::bad_request("a webhook needs the url to post to"));
        }
        (ConsumerKind::Webhook, Some(url)) => {
            let (way, secret) = webhook(&app, &feed, &admin, id, url, start).await?;
            (way, None, Some(secret))
        }
        (ConsumerKind::SetPoll, None) => {
            let (audience, start) =
                (token_consumers::audience(audience)?, beginning(&app, &admin, start).await?);
            let (issued, token) = key(&app, &name);
            (token_consumers::poll(&app, id, audience, start, issued).await?, Some(token), None)
        }
        (ConsumerKind::SetPoll, Some(_)) => {
            return Err(Refusal::bad_request("nothing is posted to one that polls: leave out url"));
        }
        (ConsumerKind::SetPush, None) => {
            return Err(Refusal::bad_request("set-push needs the url to post to"));
        }
        (ConsumerKind::SetPush, Some(url)) => {
            let audience = token_consumers::audience(audience)?;
            can_be_posted_to(&app, &url)?;
            let (whose, start) =
                ((admin.organization.id, id), beginning(&app, &admin, start).await?);
            (token_consumers::push(&app, &feed, whose, audience, start, url).await?, None, None)
        }
    };
    let new = consumer::NewConsumer { name: name.clone(), types, payload, groups, way };
    let command = ConsumerCommand::Create(new);
    admin.on_new::<Consumer>(&app, id.0, command, StatusCode::CREATED).await.map_err(refusal)?;
    let (feed_url, snapshot_url) = addresses(&app, &admin, id)?;
    let issuer = gets_tokens.then(|| issuer(&app, &admin, id)).transpose()?;
    let poll_url = match kind {
        ConsumerKind::SetPoll => Some(poll_address(&app, &admin, id)?),
        _ => None,
    };
    let added = ConsumerAdded {
        consumer: id.0,
        name,
        token,
        secret,
        feed_url,
        snapshot_url,
        issuer,
        poll_url,
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// A receiver that answered a signed ping, and the secret.
async fn webhook(
    app: &App,
    feed: &Feed,
    admin: &Admin,
    id: ConsumerId,
    url: String,
    start: Option<Position>,
) -> Result<(NewWay, String), Refusal> {
    can_be_posted_to(app, &url)?;
    let organization = admin.organization.id;
    let start = beginning(app, admin, start).await?;
    let (sealed, secret) = sealed(app, id, 1)?;
    let (ping, now) = (app.engine.ids.exchange().0, app.engine.clock.now());
    let source = webhook::source(app, organization).map_err(|e| Refusal::unavailable(&e))?;
    webhook::ping(feed.post(), &source, &url, &secret, ping, now)
        .await
        .map_err(|refused| Refusal::bad_request(refused.to_string()))?;
    Ok((NewWay::Webhook { url, start, secret: sealed }, webhook::shown(&secret)))
}

/// Groups that are there.
async fn followed(app: &App, admin: &Admin, groups: Vec<Uuid>) -> Result<GroupFilter, Refusal> {
    let groups = GroupFilter::new(groups.into_iter().map(ResourceId));
    let groups = groups.map_err(|e| Refusal::parameter("groups", e.to_string()))?;
    for group in groups.groups() {
        if app.directory.group(admin.organization.id, *group).await?.is_none() {
            return Err(Refusal::parameter("groups", format!("there is no group {group}")));
        }
    }
    Ok(groups)
}

/// Whoever posts keeps its place where all processes see it.
fn can_be_posted_to(app: &App, url: &str) -> Result<(), Refusal> {
    if app.config.kurrent_url.is_some() && app.config.database_url.is_none() {
        return Err(Refusal::conflict(
            "webhooks need a store that all processes share: give --database-url beside --kurrent-url",
        ));
    }
    if url.len() > URL_BYTES {
        return Err(Refusal::bad_request(format!("the url is longer than {URL_BYTES} bytes")));
    }
    Ok(())
}

/// Only what stands after this position: the one that was given, or the end of the log.
async fn beginning(app: &App, admin: &Admin, start: Option<Position>) -> Result<Position, Refusal> {
    let head = app.engine.log.head(admin.organization.id).await?.position;
    let start = start.unwrap_or(head);
    if start > head {
        return Err(Refusal::conflict(format!(
            "position {start} is beyond the end of the log, which is {head}"
        )));
    }
    Ok(start)
}

/// A new secret, sealed and as it is.
fn sealed(app: &App, id: ConsumerId, number: u64) -> Result<(SealedKey, [u8; 32]), Refusal> {
    let secret = app.engine.ids.key();
    let about = webhook::about(id, number);
    let sealed = app.deployment_key.seal(&secret, &about, app.engine.ids.nonce())?;
    Ok((sealed, secret))
}

/// All consumers of an organization.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/consumers",
    tag = "consumers",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<ConsumerBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ConsumerBody>>, Refusal> {
    let head = app.engine.log.head(admin.organization.id).await?.position;
    let mut all = Vec::new();
    for row in app.consumers.list(admin.organization.id).await? {
        all.push(shown(&app, &admin, row, head).await?);
    }
    Ok(Json(all))
}

/// A consumer, and how far it has come.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}",
    tag = "consumers",
    params(ConsumerPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = ConsumerBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
) -> Result<Json<ConsumerBody>, Refusal> {
    let head = app.engine.log.head(admin.organization.id).await?.position;
    let row = found(&app, &admin, &path).await?;
    Ok(Json(shown(&app, &admin, row, head).await?))
}

/// Gives a consumer nothing until it is resumed. It loses nothing by that.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/pause",
    tag = "consumers",
    params(ConsumerPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn pause(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
) -> Result<StatusCode, Refusal> {
    let row = found(&app, &admin, &path).await?;
    change(&app, &admin, &row, ConsumerCommand::Pause).await
}

/// Gives a consumer its events again.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/resume",
    tag = "consumers",
    params(ConsumerPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn resume(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
) -> Result<StatusCode, Refusal> {
    let row = found(&app, &admin, &path).await?;
    app.places.try_now(row.organization, row.id).await?;
    change(&app, &admin, &row, ConsumerCommand::Resume).await
}

/// Gives a consumer a new key, beside which the one of now holds for a while. Older ones are
/// refused at once.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/rotate",
    tag = "consumers",
    params(ConsumerPath),
    request_body = Rotation,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = ConsumerRotated),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn rotate(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
    Given(Rotation { overlap_seconds }): Given<Rotation>,
) -> Result<Json<ConsumerRotated>, Refusal> {
    let (least, usual, most) = OVERLAP;
    let overlap = overlap_seconds.unwrap_or(usual);
    if !(least..=most).contains(&overlap) {
        return Err(Refusal::bad_request(format!(
            "overlap_seconds={overlap} cannot be: give {least} to {most}"
        )));
    }
    let row = found(&app, &admin, &path).await?;
    let old_until = app.engine.clock.now() + TimeDelta::seconds(i64::from(overlap));
    let (renewal, token, secret) = match row.way {
        Way::Pull => {
            let (issued, token) = key(&app, &row.name);
            (Renewal::Key(issued, old_until), Some(token), None)
        }
        Way::Webhook { .. } => {
            let known = app.consumers.secrets(row.organization, row.id).await?;
            let number = known.first().map_or(0, |current| current.number) + 1;
            let (sealed, secret) = sealed(&app, row.id, number)?;
            (Renewal::Secret(sealed, old_until), None, Some(webhook::shown(&secret)))
        }
        Way::SetPoll { .. } | Way::SetPush { .. } => {
            let known = app.consumers.secrets(row.organization, row.id).await?;
            let number = known.first().map_or(0, |current| current.number) + 1;
            let (sealed, _) = token_consumers::signing_key(&app, row.id, number).await?;
            match row.way {
                Way::SetPoll { .. } => {
                    let (issued, token) = key(&app, &row.name);
                    (Renewal::Both(issued, sealed, old_until), Some(token), None)
                }
                _ => (Renewal::Secret(sealed, old_until), None, None),
            }
        }
    };
    let command = ConsumerCommand::Rotate(renewal);
    admin.on::<Consumer>(&app, row.id.0, command, StatusCode::OK).await.map_err(refusal)?;
    Ok(Json(ConsumerRotated { consumer: row.id.0, token, secret, old_until }))
}

/// Lets a consumer follow no more, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}",
    tag = "consumers",
    params(ConsumerPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn remove(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
) -> Result<StatusCode, Refusal> {
    let row = found(&app, &admin, &path).await?;
    let done = change(&app, &admin, &row, ConsumerCommand::Remove).await?;
    app.places.forget(row.organization, row.id).await?;
    Ok(done)
}

async fn change(
    app: &App,
    admin: &Admin,
    row: &ConsumerRow,
    command: ConsumerCommand,
) -> Result<StatusCode, Refusal> {
    let status = StatusCode::NO_CONTENT;
    admin.on::<Consumer>(app, row.id.0, command, status).await.map_err(refusal)?;
    Ok(status)
}

pub(super) async fn found(
    app: &App,
    admin: &Admin,
    path: &ConsumerPath,
) -> Result<ConsumerRow, Refusal> {
    consumer_of(app, admin.organization.id, &path.consumer).await
}

/// A key that is about to be issued, and its secret.
fn key(app: &App, name: &str) -> (CredentialIssued, String) {
    let purpose = Purpose::Feed;
    let secret = app.engine.ids.secret(purpose.token_prefix());
    let issued = CredentialIssued {
        credential: app.engine.ids.credential(),
        purpose,
        proof: Proof::Token { sha256: sha256_hex(&secret) },
        label: name.to_owned(),
        expires_at: None,
    };
    (issued, secret)
}

fn addresses(app: &App, admin: &Admin, id: ConsumerId) -> Result<(String, String), Refusal> {
    let path = ConsumerPath {
        organization: admin.organization.domain.clone(),
        consumer: id.0.to_string(),
    };
    let base = app.public_url.trim_end_matches('/');
    let feed = route::READ_FEED.line(&path, &Default::default());
    let snapshot = route::READ_SNAPSHOT.line(&path, &Default::default());
    let target = |line: Result<RequestLine, RouteError>| {
        let line = line.map_err(|e| Refusal::unavailable(&e))?;
        Ok::<_, Refusal>(format!("{base}{}", line.target))
    };
    Ok((target(feed)?, target(snapshot)?))
}

fn issuer(app: &App, admin: &Admin, id: ConsumerId) -> Result<String, Refusal> {
    security::issuer(app, admin.organization.id, id).map_err(|e| Refusal::unavailable(&e))
}

fn poll_address(app: &App, admin: &Admin, id: ConsumerId) -> Result<String, Refusal> {
    let path = security::path(admin.organization.id, id);
    let line = route::POLL_TOKENS.line(&path, &Nothing).map_err(|e| Refusal::unavailable(&e))?;
    Ok(format!("{}{}", app.public_url.trim_end_matches('/'), line.target))
}

async fn shown(
    app: &App,
    admin: &Admin,
    row: ConsumerRow,
    head: Position,
) -> Result<ConsumerBody, Refusal> {
    let place = app.places.of(row.organization, row.id).await?;
    let start = row.way.start();
    let (feed_url, snapshot_url) = addresses(app, admin, row.id)?;
    let issuer = row.way.audience().map(|_| issuer(app, admin, row.id)).transpose()?;
    Ok(ConsumerBody {
        consumer: row.id.0,
        name: row.name,
        kind: row.way.kind().to_owned(),
        url: row.way.url().map(str::to_owned),
        audience: row.way.audience().map(str::to_owned),
        issuer,
        types: row.types.names().to_vec(),
        payload: row.payload.as_str().to_owned(),
        groups: row.groups.groups().iter().map(|group| group.0).collect(),
        state: row.state.as_str().to_owned(),
        stopped: match row.state {
            ConsumerState::Stopped(reason) => Some(reason.as_str().to_owned()),
            ConsumerState::Active | ConsumerState::Paused => None,
        },
        failed_attempts: place.attempts,
        next_attempt_at: place.next_attempt,
        parked: app.places.parked_count(row.organization, row.id).await?,
        failing_since: place.failing_since,
        created_at: row.created,
        changed_at: row.changed,
        feed_url,
        snapshot_url,
        position: place.position,
        asked_after: place.asked,
        heard_at: place.heard,
        head,
        lag_records: head.saturating_sub(place.reached().max(start)),
    })
}

pub(super) fn refusal(error: ExecuteError<ConsumerError>) -> Refusal {
    let refused = match error.into_judgement() {
        Ok(Judgement::Refused(refused)) => refused,
        Ok(Judgement::Taken { holder, .. }) => {
            let taken = format!("another consumer ({}) has this name", holder.id);
            return Refusal::conflict(taken);
        }
        Ok(judgement) => return Refusal::unavailable(&judgement),
        Err(trouble) => return Refusal::unavailable(&trouble),
    };
    match refused {
        ConsumerError::Credential(refused) => of_credential(refused),
        ConsumerError::NotFound => Refusal::not_found(refused.to_string()),
        ConsumerError::AlreadyExists
        | ConsumerError::OtherWay(_)
        | ConsumerError::NothingToHandle
        | ConsumerError::NothingToStop => Refusal::conflict(refused.to_string()),
        ConsumerError::InvalidName | ConsumerError::OverlapPassed => {
            Refusal::bad_request(refused.to_string())
        }
    }
}
