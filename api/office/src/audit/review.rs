//! Access reviews as files that an auditor hands in: with what they are about at their head.

use super::cell::text;
use super::members::kind_name;
use super::moment::moment;
use super::named::{self, find};
use super::stream::{Head, Row, Rows, StreamError, answer_with, not_of_events};
use crate::ledgers;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::TimeDelta;
use rollcall_contract::Problem;
use rollcall_contract::moment::Moment;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::review::{AccessQuery, AccessRow, ReviewBody, ReviewHead};
use rollcall_contract::time;
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, RunId};
use rollcall_domain::run::RunKind;
use rollcall_domain::scim::ResourceKind;
use rollcall_door::audit::Reads;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_evidence::carried;
use rollcall_projections::history::{Access, Period, Side};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// So many rows are in memory at once.
const PAGE: usize = 500;

impl Row for AccessRow {
    const HEAD: &'static [&'static str] = &[
        "group",
        "user_name",
        "mail",
        "display_name",
        "display_name_now",
        "active",
        "since",
        "until",
        "since_actor",
        "since_run_kind",
        "since_run",
        "since_exchange",
        "since_position",
        "until_event",
        "until_actor",
        "until_run",
        "until_exchange",
        "until_position",
        "type",
        "group_id",
        "member_id",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.group.clone(),
            text(self.user_name.as_ref()),
            text(self.mail.as_ref()),
            text(self.display_name.as_ref()),
            text(self.display_name_now.as_ref()),
            text(self.active),
            time::text(self.since),
            text(self.until.map(time::text)),
            self.since_actor.clone(),
            text(self.since_run_kind.as_ref()),
            text(self.since_run),
            text(self.since_exchange),
            self.since_position.to_string(),
            text(self.until_event.as_ref()),
            text(self.until_actor.as_ref()),
            text(self.until_run),
            text(self.until_exchange),
            text(self.until_position),
            self.kind.clone(),
            self.group_id.to_string(),
            self.member_id.to_string(),
        ]
    }
}

/// An actor in words: what kind of key, and whose it is.
fn who(actor: &Value) -> String {
    let Some(fields) = actor.as_object() else { return actor.to_string() };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let kind = text("kind").unwrap_or_default();
    let whose = text("name").or_else(|| text(kind)).map(|whose| format!(" {whose}"));
    format!("{kind}{}", whose.unwrap_or_default())
}

impl Head for ReviewHead {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let moment = |m: &rollcall_contract::moment::Moment| {
            let at = m.recorded_at.map(|at| format!(", recorded {}", time::text(at)));
            let asked = m.asked_at.map(|at| format!("{}: ", time::text(at)));
            format!("{}position {}{}", text(asked), m.position, text(at))
        };
        let mut lines = vec![
            (
                "Organization",
                format!("{} ({}, {})", self.name, self.organization, self.organization_id),
            ),
            ("About", self.about.clone()),
            ("From", moment(&self.from)),
            ("To", moment(&self.to)),
            ("Made by", who(&self.made_by)),
            ("Made at", time::text(self.made_at)),
            ("Version", format!("Rollcall {}", self.version)),
            ("Checkpoint", carried::marked(&self.ledger.checkpoint)),
            ("Key", self.ledger.key.clone()),
        ];
        if let Some(skew) = self.to.clock_skew_ms {
            let seconds = TimeDelta::milliseconds(skew).as_seconds_f64();
            lines.push((
                "Clocks",
                format!(
                    "{seconds:.3} s apart when this was made: instants may be wrong by as much, positions are exact"
                ),
            ));
        }
        lines
    }
}

/// An access review: each time that somebody was in a group, at a moment or during a period, of all
/// groups, one group or one person. Streamed, however long it is.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/review",
    tag = "audit",
    params(OrganizationPath, AccessQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, content(
            (ReviewBody = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/html"),
        )),
        (status = 400, body = Problem),
    ),
)]
pub async fn review(
    Auditor { organization, actor, .. }: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<AccessQuery>,
) -> Result<Response, Refusal> {
    not_of_events(query.format)?;
    if query.as_of.is_some() && (query.from.is_some() || query.to.is_some()) {
        return Err(Refusal::parameter("as_of", "say a moment, or a period from one to another"));
    }
    if query.from.is_none() && query.to.is_some() {
        return Err(Refusal::parameter("to", "say also from when: a period has a beginning"));
    }
    let end = query.as_of.as_deref().map_or(("to", query.to.as_deref()), |at| ("as_of", Some(at)));
    let (to, views) = moment(&app, organization, end.0, end.1).await?;
    let from = match query.from.as_deref() {
        Some(from) => moment(&app, organization, "from", Some(from)).await?.0,
        None => to,
    };
    if from.position > to.position {
        return Err(Refusal::parameter("from", "the period ends before it begins: swap them"));
    }
    let named = async |kind, parameter, called: &Option<String>| match called {
        Some(called) => {
            find(&views, organization, kind, parameter, called, to.position).await.map(Some)
        }
        None => Ok(None),
    };
    let group = named(ResourceKind::Group, "group", &query.group).await?;
    let user = named(ResourceKind::User, "user", &query.user).await?;
    let period = (from.position, to.position);
    let head = head(&app, organization, &actor, about(&query), (from, to)).await?;
    let asked = Asked { views, organization, period, group, user };
    let head = Some(Box::new(head) as _);
    answer_with::<AccessRow, _>(
        query.format,
        head,
        move |rows| async move { asked.written(rows).await },
    )
}

/// What stands at the head of a file.
///
/// # Errors
/// 404 if there is no organization to tell of.
pub async fn head(
    app: &App,
    organization: OrganizationId,
    actor: &Actor,
    about: String,
    (from, to): (Moment, Moment),
) -> Result<ReviewHead, Refusal> {
    let row = app.organizations.by_id(organization).await?;
    let row = row.ok_or_else(|| Refusal::not_found("requests that named none have no groups"))?;
    Ok(ReviewHead {
        organization_id: organization.0,
        organization: row.domain,
        name: row.name,
        about,
        from,
        to,
        made_by: serde_json::to_value(actor).map_err(|e| Refusal::unavailable(&e))?,
        made_at: app.engine.clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ledger: ledgers::carried(app, organization).await?,
    })
}

fn about(query: &AccessQuery) -> String {
    let who = query.user.as_ref().map_or("everybody".to_owned(), |user| format!("user {user:?}"));
    let whose = query.group.as_ref().map_or("all groups".to_owned(), |g| format!("group {g:?}"));
    format!("Access of {who} in {whose}")
}

/// What is asked for, as positions and ids.
struct Asked {
    views: Reads,
    organization: OrganizationId,
    period: Period,
    group: Option<ResourceId>,
    user: Option<ResourceId>,
}

impl Asked {
    async fn written(&self, mut rows: Rows) -> Result<Rows, StreamError> {
        if let Some(user) = self.user {
            self.of(Side::Member(user), &mut rows).await?;
            return Ok(rows);
        }
        if let Some(group) = self.group {
            self.of(Side::Group(group), &mut rows).await?;
            return Ok(rows);
        }
        let mut after = 0;
        loop {
            let history = &self.views.history;
            let groups = history.groups_in(self.organization, self.period, after, PAGE).await;
            let groups = groups.map_err(StreamError::broken)?;
            let Some(last) = groups.last() else { return Ok(rows) };
            after = last.seq;
            for group in groups {
                self.of(Side::Group(group.id), &mut rows).await?;
            }
        }
    }

    /// The rows of one group, or of one person.
    async fn of(&self, side: Side, rows: &mut Rows) -> Result<(), StreamError> {
        let mut after = 0;
        loop {
            let history = &self.views.history;
            let page = history.access(self.organization, side, self.period, after, PAGE).await;
            let page = page.map_err(StreamError::broken)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.place;
            let whole = page.len() < PAGE;
            let exchanges: BTreeSet<ExchangeId> =
                page.iter().flat_map(|a| [a.began_by, a.ended_by]).flatten().collect();
            let runs = self.views.runs.of(self.organization, &exchanges).await;
            let runs = runs.map_err(StreamError::broken)?;
            for access in page.into_iter().filter(|a| self.group.is_none_or(|g| g == a.group)) {
                rows.push(&self.row(access, &runs)).await?;
            }
            if whole {
                return Ok(());
            }
        }
    }

    fn row(&self, access: Access, runs: &HashMap<ExchangeId, (RunId, RunKind)>) -> AccessRow {
        let until_position = access.until(self.period.1);
        let ended = until_position.is_some();
        let run = |exchange: Option<ExchangeId>| exchange.and_then(|x| runs.get(&x));
        let began = run(access.began_by);
        let until_exchange = access.ended_by.filter(|_| ended);
        let text = |name| named::text(&access.then, name).map(str::to_owned);
        let now = access.now.as_ref();
        AccessRow {
            group_id: access.group.0,
            group: access.group_display.clone(),
            member_id: access.member.0,
            kind: kind_name(access.kind).to_owned(),
            user_name: text("userName"),
            mail: named::mails(&access.then).next().map(str::to_owned),
            display_name: text("displayName"),
            display_name_now: now
                .and_then(|now| named::text(now, "displayName").map(str::to_owned)),
            active: access.then.get("active").and_then(Value::as_bool),
            since: access.began_at,
            since_position: access.since(),
            since_exchange: access.began_by.map(|x| x.0),
            since_run: began.map(|(run, _)| run.0),
            since_run_kind: began.map(|(_, kind)| kind.as_str().to_owned()),
            since_actor: access.began_actor.clone(),
            until: access.ended_at.filter(|_| ended),
            until_position,
            until_event: access.ended_with.clone().filter(|_| ended),
            until_exchange: until_exchange.map(|x| x.0),
            until_run: run(until_exchange).map(|(run, _)| run.0),
            until_actor: access.ended_actor.clone().filter(|_| ended),
        }
    }
}
