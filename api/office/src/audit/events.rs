//! Events of an organization: found by an index, read from the log.

use super::moment;
use super::paging::{Listed, Page};
use super::readings;
use super::resources::resource;
use super::stream::{Row, Rows, StreamError, answer};
use super::subjects;
use super::there;
use crate::ledgers;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Duration, Utc};
use rollcall_contract::Problem;
use rollcall_contract::events::{EventBody, EventDetail, EventPath, EventQuery};
use rollcall_contract::format::Format;
use rollcall_contract::ledger::{CHECKPOINT, CHECKPOINT_KEY};
use rollcall_contract::moment::Written;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::{route, time};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, RunId};
use rollcall_domain::log::{AggregateKind, Damage, Position, Record, sound};
use rollcall_domain::scim::ResourceKind;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::audit::Reads;
use rollcall_door::callers::Auditor;
use rollcall_projections::checkpoint::StopReason;
use rollcall_projections::events::EventFilter;
use rollcall_projections::ranges::Ranges;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The event of a record.
pub(super) fn body(record: Record) -> Result<EventBody, serde_json::Error> {
    let payload: Value = serde_json::from_str(&record.payload)?;
    // The payload is tagged with the event's name, which stands in the envelope already.
    let payload = payload.get(&record.event_type).cloned().unwrap_or(payload);
    Ok(EventBody {
        position: record.position,
        event_type: record.event_type,
        payload_version: record.event_version,
        aggregate: record.stream.kind.as_str().to_owned(),
        subject: record.stream.id,
        subject_name: None,
        version: record.version,
        recorded_at: record.recorded_at,
        exchange: record.exchange.map(|id| id.0),
        actor: serde_json::to_value(&record.actor)?,
        payload,
        readings: Vec::new(),
    })
}

/// Events of an organization in the order in which they were committed.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/events",
    tag = "audit",
    params(OrganizationPath, EventQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<EventBody>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<EventQuery>,
) -> Result<Listed<Vec<EventBody>>, Refusal> {
    let organization = auditor.organization;
    if query.format != Format::Json {
        return Err(Refusal::parameter("format", "a page is JSON: an export has other formats"));
    }
    let asked = Page::of(&query, &format!("{organization} events"))?;
    let (mut filter, views) = filter(&app, organization, &query).await?;
    let head = app.engine.log.head(organization).await?.position;
    let end = asked.end(filter.until.map_or(head, |until| until.min(head)));
    // Without a filter there is one event at each position.
    let total = views.is_none().then(|| end.saturating_sub(filter.after));
    filter.after = asked.place().unwrap_or(filter.after);
    filter.until = Some(end);
    let mut events = page(&app, views.as_ref(), organization, &filter, asked.fetch()).await?;
    let next = asked.cut(&mut events, |event| event.position);
    readings::add(&app, organization, &mut events).await?;
    Ok(asked.listed(events, next, end).of_all(total))
}

/// One event: what the user or group was before and after it, and the exchange that led to it.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/events/{position}",
    tag = "audit",
    params(EventPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = EventDetail),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn show(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<EventPath>,
) -> Result<Json<EventDetail>, Refusal> {
    let (organization, position) = (auditor.organization, path.position);
    let before =
        position.checked_sub(1).ok_or_else(|| Refusal::not_found("positions begin with 1"))?;
    let found = app.engine.log.records(organization, before, 1).await?.pop();
    let record = found
        .ok_or_else(|| Refusal::not_found(format!("there is no event at position {position}")))?;
    let views = app.audit.of(organization).await?;
    let kind = match record.stream.kind {
        AggregateKind::User => Some(ResourceKind::User),
        AggregateKind::Group => Some(ResourceKind::Group),
        AggregateKind::Organization | AggregateKind::Deployment | AggregateKind::Consumer => None,
    };
    let id = ResourceId(record.stream.id);
    let (before, after) = match kind {
        Some(kind) => {
            let at =
                async |position| resource(&app, &views, organization, kind, id, position).await;
            (at(before).await?, at(position).await?)
        }
        None => (None, None),
    };
    let record_exchange = record.exchange;
    let exchange = match record.exchange {
        Some(id) => readings::exchange(&app, organization, id).await?,
        None => None,
    };
    let mut events = vec![body(record).map_err(|e| Refusal::unavailable(&e))?];
    readings::add(&app, organization, &mut events).await?;
    subjects::add(&app, organization, &mut events).await?;
    let event = events.remove(0);
    let run = match record_exchange {
        Some(id) => views.runs.of(organization, &BTreeSet::from([id])).await?.remove(&id),
        None => None,
    };
    let run = run.map(|(run, _)| run.0);
    Ok(Json(EventDetail { event, before, after, exchange, run }))
}

/// All events that match, in a format of your choice. Streamed, however many there are.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/events/export",
    tag = "audit",
    params(OrganizationPath, EventQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, content(
            (Vec<EventBody> = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
        ), headers(
            ("rollcall-checkpoint" = String, description = "The ledger of the organization, which has everything in the answer: a signed note (C2SP tlog-checkpoint) in Base64"),
            ("rollcall-checkpoint-key" = String, description = "The key that has signed it"),
        )),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn export(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<EventQuery>,
) -> Result<Response, Refusal> {
    let organization = auditor.organization;
    for (name, given) in [("limit", query.limit.is_some()), ("cursor", query.cursor.is_some())] {
        if given {
            return Err(Refusal::parameter(name, "an export has no pages: it is whole"));
        }
    }
    let (mut filter, views) = filter(&app, organization, &query).await?;
    // What comes in while this is read is not part of it, and all that is, is in this ledger.
    let signed = ledgers::sign(&app, organization).await?;
    ledgers::keep(&app, &signed.note, &signed.key)?;
    let head = signed.statement.head.position;
    let until = filter.until.map_or(head, |until| until.min(head));
    filter.until = Some(until);
    // What is known to be lost is said before anything is told; the rest breaks the answer off.
    if let Some((position, damage)) = app.engine.first_loss(organization, until).await? {
        return Err(ReadError::Lost(position, damage).into());
    }
    let itself =
        route::SHOW_ORGANIZATION.line(&OrganizationPath::of(organization.to_string()), &Nothing);
    let itself = itself.map_err(|e| Refusal::unavailable(&e))?.target;
    let source = format!("{}{itself}", app.scim_base.trim_end_matches(rollcall_door::SCIM_PREFIX));
    let format = query.format;
    if format == Format::Html {
        let formats = ["json", "ndjson", "csv", "cloudevents"];
        return Err(Refusal::not_among("format", "html", formats));
    }
    let mut response = answer::<Exported, _>(format, move |mut rows: Rows| async move {
        loop {
            let events = page(&app, views.as_ref(), organization, &filter, EXPORT_PAGE).await;
            if let Err(ReadError::Lost(position, damage)) = events {
                app.engine.lost(organization, position, damage);
            }
            let events = events.map_err(StreamError::broken)?;
            let Some(last) = events.last() else { return Ok(rows) };
            filter.after = last.position;
            for event in events {
                let row = match format {
                    Format::CloudEvents => {
                        Exported::Cloud(CloudEvent::new(&source, organization, event))
                    }
                    Format::Json | Format::Ndjson | Format::Csv | Format::Html => {
                        Exported::Plain(event)
                    }
                };
                rows.push(&row).await?;
            }
        }
    })?;
    let headers = response.headers_mut();
    for (name, value) in [(CHECKPOINT, BASE64.encode(&signed.note)), (CHECKPOINT_KEY, signed.key)] {
        let value = HeaderValue::from_str(&value).map_err(|e| Refusal::unavailable(&e))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}

/// So many events are in memory at once.
const EXPORT_PAGE: usize = 500;

/// Turns a run and instants into positions; gives the views, up to the log, if the filter needs
/// them.
async fn filter(
    app: &App,
    organization: OrganizationId,
    query: &EventQuery,
) -> Result<(EventFilter, Option<Reads>), Refusal> {
    let head = app.engine.log.head(organization).await?.position;
    there::within("after", "position", query.after, head)?;
    let mut filter = EventFilter {
        subject: query.subject,
        event_type: query.event_type.clone(),
        actor: query.actor.clone(),
        exchange: query.exchange.map(ExchangeId),
        among: None,
        after: query.after,
        until: query.until,
    };
    if filter.is_plain() && query.run.is_none() && query.from.is_none() && query.to.is_none() {
        return Ok((filter, None));
    }
    there::filters(app, organization, query).await?;
    let views = app.audit.of(organization).await?;
    if let Some(run) = query.run {
        filter.among = Some(of_run(&views, organization, RunId(run)).await?);
    }
    let mut begins = None;
    if let Some(from) = &query.from {
        let before = match moment::read("from", from)? {
            Written::Position(position) => {
                there::within("from", "position", position, head)?;
                position.saturating_sub(1)
            }
            Written::Run(run) => moment::end_of(app, &views, organization, RunId(run)).await?,
            written => {
                let at = moment::instant("from", written, app.engine.right_now())?;
                let before = at - Duration::microseconds(1);
                views.history.position_at(organization, before).await?
            }
        };
        begins = Some(before);
        filter.after = filter.after.max(before);
    }
    if let Some(to) = &query.to {
        let (to, _) = moment::moment(app, organization, "to", Some(to)).await?;
        if begins.is_some_and(|before| before > to.position) {
            return Err(Refusal::parameter("from", "the period ends before it begins: swap them"));
        }
        filter.until = Some(filter.until.map_or(to.position, |until| until.min(to.position)));
    }
    Ok((filter, Some(views)))
}

/// The positions of a run's events, or 404.
pub(super) async fn of_run(
    views: &Reads,
    organization: OrganizationId,
    run: RunId,
) -> Result<Ranges, Refusal> {
    let found = views.runs.positions(organization, run).await?;
    found.ok_or_else(|| Refusal::not_found(format!("there is no run {run} here")))
}

/// Why events cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Log(#[from] rollcall_domain::log::LogError),
    #[error(transparent)]
    Sql(#[from] rollcall_domain::sql::SqlError),
    #[error("an event cannot be read: {:?}", .0.classify())]
    Payload(#[from] serde_json::Error),
    /// An event that was committed and is not to be had: nothing is told as if it had not been.
    #[error(
        "the log has no event at position {0} that can be read: {1}; see `rollcall log repair --plan`"
    )]
    Lost(Position, Damage),
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        let mut refusal = Self::unavailable(&error);
        if let ReadError::Lost(_, damage) = error {
            refusal.0.reason = Some(StopReason::Damaged(damage).as_str().to_owned());
        }
        refusal
    }
}

/// The first events that match.
pub(super) async fn page(
    app: &App,
    views: Option<&Reads>,
    organization: OrganizationId,
    filter: &EventFilter,
    limit: usize,
) -> Result<Vec<EventBody>, ReadError> {
    let ranges = match views {
        Some(views) if !filter.is_plain() => {
            let found = views.events.positions(organization, filter, limit).await?;
            found.into_iter().map(|position| (position, position)).collect()
        }
        _ => filter.ranges(),
    };
    let mut found = Vec::new();
    // Neighbours are one read.
    for (first, last) in ranges.iter() {
        let room = limit - found.len();
        if room == 0 {
            break;
        }
        let wanted =
            usize::try_from(last - first).map_or(room, |more| room.min(more.saturating_add(1)));
        // All of them were committed: the end of what is asked for is no later than the log's.
        let mut after = first - 1;
        let through = after + wanted as u64;
        while after < through {
            let left = usize::try_from(through - after).unwrap_or(wanted);
            let records = sound(&*app.engine.log, organization, after, left).await?;
            for record in records.map_err(|damage| ReadError::Lost(after + 1, damage))? {
                after = record.position;
                found.push(body(record)?);
            }
        }
    }
    Ok(found)
}

/// A row of an export.
#[derive(Serialize)]
#[serde(untagged)]
enum Exported {
    Plain(EventBody),
    Cloud(CloudEvent),
}

impl Row for Exported {
    const HEAD: &'static [&'static str] = &[
        "position",
        "recorded_at",
        "type",
        "payload_version",
        "aggregate",
        "subject",
        "version",
        "actor",
        "exchange",
        "payload",
    ];

    fn cells(&self) -> Vec<String> {
        let Exported::Plain(e) = self else { return Vec::new() };
        vec![
            e.position.to_string(),
            time::text(e.recorded_at),
            e.event_type.clone(),
            e.payload_version.clone(),
            e.aggregate.clone(),
            e.subject.to_string(),
            e.version.to_string(),
            e.actor.to_string(),
            e.exchange.map(|x| x.to_string()).unwrap_or_default(),
            e.payload.to_string(),
        ]
    }
}

/// An event as CloudEvents 1.0 has it (JSON format). `sequence` is the extension of that name.
#[derive(Serialize)]
struct CloudEvent {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    event_type: String,
    subject: String,
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    sequence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    data: Value,
}

impl CloudEvent {
    fn new(source: &str, organization: OrganizationId, event: EventBody) -> Self {
        Self {
            specversion: "1.0",
            id: format!("{organization}/{}", event.position),
            source: source.to_owned(),
            event_type: format!("rollcall.{}.v{}", event.event_type, event.payload_version),
            subject: format!("{}/{}", event.aggregate, event.subject),
            time: event.recorded_at,
            datacontenttype: "application/json",
            sequence: format!("{:020}", event.position),
            exchange: event.exchange.map(|x| x.to_string()),
            data: json!({ "actor": event.actor, "version": event.version, "payload": event.payload }),
        }
    }
}
