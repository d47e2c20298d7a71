//! Everything that is known of one person, for whoever asks on their behalf (GDPR articles 15 and
//! 20). What is found is what an erasure would find.

use super::events::{ReadError, page};
use super::exchange_summary::summary;
use super::{exchanges, holds, logins, memberships, moment, resources, session_summary};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use rollcall_contract::Problem;
use rollcall_contract::events::EventBody;
use rollcall_contract::people::{PersonBody, PersonHead, RecipientBody, RetentionBody};
use rollcall_contract::repin::PersonPath;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{Bodies, ExchangeNumber, Position};
use rollcall_domain::scim::ResourceKind;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_engine::{NotErased, Traces};
use rollcall_projections::events::EventFilter;
use rollcall_projections::exchanges::{ExchangeFilter, Start};
use rollcall_projections::history::Side;
use rollcall_projections::logins::LoginFilter;
use rollcall_projections::sessions::SessionFilter;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Rows read at once.
const PAGE: usize = 500;

/// Exchanges with bodies in memory at once.
const WITH_BODIES: usize = 20;

/// Everything about one person: their resource, history, memberships, logins, sessions, the requests
/// that are about them or name them, who was told, and how long it is kept. As of now.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/people/{user}",
    tag = "audit",
    params(PersonPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = PersonBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn export(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<PersonPath>,
) -> Result<Response, Refusal> {
    let (organization, user) = (auditor.organization, ResourceId(path.user));
    let traces = app.engine.traces(organization, user).await.map_err(refused)?;
    let head = head(&app, organization, user, &traces).await?;
    let mut begun = serde_json::to_vec(&head).map_err(|e| Refusal::unavailable(&e))?;
    // The two lists that may be long are written while they are read.
    begun.pop();
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut writing = Writing { sender, buffer: begun };
        if let Err(error) = writing.exchanges(&app, organization, user, &traces.exchanges).await {
            tracing::error!(error = %error.0.detail, "the export of a person broke off");
            let _ = writing.sender.send(Err(std::io::Error::other("broken off"))).await;
        }
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let mut response = Response::new(Body::from_stream(stream));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

async fn head(
    app: &App,
    organization: OrganizationId,
    user: ResourceId,
    traces: &Traces,
) -> Result<PersonHead, Refusal> {
    let (as_of, views) = moment::moment(app, organization, "as_of", None).await?;
    let at = as_of.position;
    let mut filter =
        EventFilter { subject: Some(user.0), until: Some(at), ..EventFilter::default() };
    let mut events: Vec<EventBody> = Vec::new();
    loop {
        let found = page(app, Some(&views), organization, &filter, PAGE).await?;
        let Some(last) = found.last() else { break };
        filter.after = last.position;
        events.extend(found);
    }
    let mut sources: Vec<Value> = Vec::new();
    for event in &events {
        if !sources.contains(&event.actor) {
            sources.push(event.actor.clone());
        }
    }
    let (mut of_groups, mut after) = (Vec::new(), 0);
    loop {
        let side = Side::Member(user);
        let found = views.history.memberships(organization, side, at, after, PAGE).await?;
        let Some(last) = found.last() else { break };
        after = last.place;
        of_groups.extend(found.into_iter().map(memberships::body));
    }
    let (mut of_logins, mut before) = (Vec::new(), None);
    loop {
        let filter = LoginFilter { subject: Some(user), before, ..LoginFilter::default() };
        let found = app.logins.list(organization, &filter, PAGE).await?;
        let Some(last) = found.last() else { break };
        before = Some(last.seq);
        of_logins.extend(found.into_iter().map(logins::body));
    }
    let (mut of_sessions, mut before) = (Vec::new(), None);
    let now = app.engine.clock.now();
    loop {
        let filter = SessionFilter { subject: Some(user), before, ..SessionFilter::default() };
        let found = app.sessions.list(organization, &filter, PAGE).await?;
        let Some(last) = found.last() else { break };
        before = Some(last.seq);
        of_sessions.extend(found.into_iter().map(|row| session_summary::summary(row, now)));
    }
    let resource =
        resources::resource(app, &views, organization, ResourceKind::User, user, at).await?;
    let hold = holds::in_force(events.iter().filter(|e| holds::is_turn(e)).cloned().collect());
    Ok(PersonHead {
        organization_id: organization.0,
        user_id: user.0,
        as_of,
        sources,
        resource,
        hold: hold.last(),
        erased_at: traces.erased_at,
        memberships: of_groups,
        logins: of_logins,
        logins_of_nobody: at_positions(app, organization, &traces.logins).await?,
        sessions: of_sessions,
        recipients: recipients(app, organization).await?,
        retention: retention(app),
        events,
    })
}

async fn at_positions(
    app: &App,
    organization: OrganizationId,
    positions: &[Position],
) -> Result<Vec<EventBody>, ReadError> {
    let mut found = Vec::new();
    for position in positions {
        let filter = EventFilter {
            after: position.saturating_sub(1),
            until: Some(*position),
            ..EventFilter::default()
        };
        found.extend(page(app, None, organization, &filter, 1).await?);
    }
    Ok(found)
}

/// Whoever is told; whoever was removed has what they were told.
async fn recipients(
    app: &App,
    organization: OrganizationId,
) -> Result<Vec<RecipientBody>, Refusal> {
    let all = app.consumers.ever(organization).await?;
    Ok(all
        .into_iter()
        .map(|row| RecipientBody {
            consumer: row.id.0,
            name: row.name,
            payload: row.payload.as_str().to_owned(),
            removed: row.removed.is_some(),
        })
        .collect())
}

/// What Rollcall drops by itself, and after how long.
fn retention(app: &App) -> Vec<RetentionBody> {
    let bodies = app.config.keep_bodies_for.map(|kept| kept / 86_400);
    [("events", None), ("exchanges", None), ("exchange-bodies", bodies)]
        .map(|(what, days)| RetentionBody { what: what.to_owned(), days })
        .into()
}

struct Writing {
    sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    buffer: Vec<u8>,
}

impl Writing {
    async fn exchanges(
        &mut self,
        app: &App,
        organization: OrganizationId,
        user: ResourceId,
        numbers: &[ExchangeNumber],
    ) -> Result<(), Refusal> {
        let about = user.to_string();
        self.begin("exchanges");
        let (mut others, mut written) = (Vec::new(), 0_usize);
        for chunk in numbers.chunks(WITH_BODIES) {
            for number in chunk {
                let before = number.saturating_sub(1);
                let mut found =
                    app.engine.log.exchanges(organization, before, 1, Bodies::Read).await?;
                let found = found.pop().filter(|recorded| recorded.number == *number);
                let found = found.ok_or_else(|| {
                    Refusal::unavailable(&format!("exchange {number} cannot be read"))
                })?;
                if found.exchange.subject.as_deref() != Some(&about) {
                    others.push(*number);
                    continue;
                }
                self.row(&exchanges::body(found)?, written == 0)?;
                written += 1;
            }
            self.send().await?;
        }
        self.buffer.push(b']');
        self.begin("named_in");
        written = 0;
        for chunk in others.chunks(PAGE) {
            let numbers = Some(chunk.to_vec());
            let filter =
                ExchangeFilter { numbers, from: Start::After(0), ..ExchangeFilter::default() };
            for row in app.exchanges.list(organization, &filter, chunk.len()).await? {
                self.row(&summary(row), written == 0)?;
                written += 1;
            }
            self.send().await?;
        }
        self.buffer.extend_from_slice(b"]}\n");
        self.send().await
    }

    fn begin(&mut self, name: &str) {
        self.buffer.extend_from_slice(format!(",\"{name}\":[").as_bytes());
    }

    fn row(&mut self, row: &impl Serialize, is_first: bool) -> Result<(), Refusal> {
        if !is_first {
            self.buffer.extend_from_slice(b",\n");
        }
        serde_json::to_writer(&mut self.buffer, row).map_err(|e| Refusal::unavailable(&e))
    }

    async fn send(&mut self) -> Result<(), Refusal> {
        let chunk = std::mem::take(&mut self.buffer).into();
        self.sender
            .send(Ok(chunk))
            .await
            .map_err(|_| Refusal::unavailable(&"nobody reads any more"))
    }
}

fn refused(error: NotErased) -> Refusal {
    match error {
        NotErased::Unknown(_) => Refusal::not_found(error.to_string()),
        NotErased::Unreadable | NotErased::InTheClear => Refusal::conflict(error.to_string()),
        error => Refusal::unavailable(&error),
    }
}
