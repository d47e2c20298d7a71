//! Deliveries that were set aside: list, show, try again, see to.

use super::because::because;
use super::consumers::{found, refusal};
use crate::audit::paging::{Listed, Page};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::parked::{
    Handled, HandledBody, ParkedBody, ParkedPath, ParkedQuery, TriedBody, TryParked,
};
use rollcall_domain::consumer::{Consumer, ConsumerCommand};
use rollcall_door::callers::Admin;
use rollcall_door::{App, Given, Refusal};
use rollcall_projections::consumer_places::{Delivery, ParkedRow};
use std::sync::Arc;

/// No record has so many events: a place in the list is a position, and a part below this.
const PARTS: u64 = 10_000_000;

fn body(row: ParkedRow) -> ParkedBody {
    ParkedBody {
        delivery: format!("{}.{}", row.position, row.part),
        position: row.position,
        part: row.part,
        event: row.event,
        event_type: row.event_type,
        subject: row.subject,
        parked_at: row.parked,
        attempts: row.attempts,
        tried_at: row.tried,
        outcome: row.outcome,
        next_attempt_at: row.next_attempt,
    }
}

fn delivery(text: &str) -> Result<Delivery, Refusal> {
    let read = text.split_once('.').and_then(|(position, part)| {
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let is_plain = plain(position) && plain(part);
        is_plain.then(|| Some((position.parse().ok()?, part.parse().ok()?))).flatten()
    });
    read.ok_or_else(|| {
        Refusal::bad_request("a delivery is named by its position and part, such as 17.1")
    })
}

fn none() -> Refusal {
    Refusal::not_found(
        "no such delivery to this consumer is set aside: it may have been made since",
    )
}

/// The deliveries to a consumer that were set aside, in the order of the log.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/parked",
    tag = "consumers",
    params(ConsumerPath, ParkedQuery),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<ParkedBody>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
    Query(query): Query<ParkedQuery>,
) -> Result<Listed<Vec<ParkedBody>>, Refusal> {
    let about = format!("{} {} parked", admin.organization.id, path.consumer);
    let page = Page::of(&query, &about)?;
    let row = found(&app, &admin, &path).await?;
    let after = page.place().map_or((0, 0), |place| (place / PARTS, place % PARTS));
    let mut rows = app.places.parked(row.organization, row.id, after, page.fetch()).await?;
    let next = page.cut(&mut rows, |row| row.position.saturating_mul(PARTS) + row.part);
    Ok(page.listed(rows.into_iter().map(body).collect(), next, 0))
}

/// A delivery that was set aside.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/parked/{delivery}",
    tag = "consumers",
    params(ParkedPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = ParkedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ParkedPath>,
) -> Result<Json<ParkedBody>, Refusal> {
    let (path, delivery) = split(path)?;
    let row = found(&app, &admin, &path).await?;
    let parked = app.places.parked_one(row.organization, row.id, delivery).await?;
    parked.map(|row| Json(body(row))).ok_or_else(none)
}

/// Has deliveries that were set aside tried again within a few seconds: each after those of its
/// subject that are before it.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/parked/redeliver",
    tag = "consumers",
    params(ConsumerPath),
    request_body = TryParked,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = TriedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem, description = "There is no such consumer, or none is set aside between the positions"),
    ),
)]
pub async fn redeliver(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
    Given(TryParked { from, to }): Given<TryParked>,
) -> Result<Json<TriedBody>, Refusal> {
    let row = found(&app, &admin, &path).await?;
    let (from, to) = (from.unwrap_or(0), to.unwrap_or(u64::MAX));
    if from > to {
        return Err(Refusal::bad_request("from must not be beyond to"));
    }
    let again = app.places.try_parked(row.organization, row.id, (from, to)).await?;
    if again.now + again.behind == 0 {
        return Err(none());
    }
    Ok(Json(TriedBody { now: again.now, behind: again.behind }))
}

/// Notes that somebody has seen to a delivery: it is not made, and what waits behind it is.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/parked/{delivery}/handled",
    tag = "consumers",
    params(ParkedPath),
    request_body = Handled,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = HandledBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn handle(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ParkedPath>,
    Given(handled): Given<Handled>,
) -> Result<Json<HandledBody>, Refusal> {
    let (path, delivery) = split(path)?;
    let because = because(&handled.because)?;
    let row = found(&app, &admin, &path).await?;
    // The log first: what is not delivered must be known to have been seen to.
    app.places.parked_one(row.organization, row.id, delivery).await?.ok_or_else(none)?;
    let (position, part) = delivery;
    let command = ConsumerCommand::Handle { position, part, because };
    admin.on::<Consumer>(&app, row.id.0, command, StatusCode::OK).await.map_err(refusal)?;
    app.places.forget_parked(row.organization, row.id, delivery).await?;
    Ok(Json(HandledBody { consumer: row.id.0, position, part }))
}

fn split(path: ParkedPath) -> Result<(ConsumerPath, Delivery), Refusal> {
    let ParkedPath { organization, consumer, delivery: named } = path;
    Ok((ConsumerPath { organization, consumer }, delivery(&named)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_delivery_is_named_by_its_place_and_nothing_else_is_one(
            position: u64, part: u64, text: String,
        ) {
            let named = delivery(&format!("{position}.{part}"));
            prop_assert_eq!(named.ok(), Some((position, part)));
            if let Ok((position, part)) = delivery(&text) {
                let digits = text.trim_start_matches('0');
                prop_assert!(digits.ends_with(&format!("{part}")) || part == 0, "{position}");
            }
        }
    }
}
