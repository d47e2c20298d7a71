//! Findings of a review as files that an auditor hands in.

use super::cell::text;
use super::moment::{again, moment};
use super::named;
use super::review::head;
use super::stream::{Row, Rows, StreamError, answer_with, not_of_events};
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::Problem;
use rollcall_contract::findings::{FINDS, FindingQuery, FindingRow, FindingsBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::time;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Position;
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_door::audit::Reads;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_projections::history::{EmptyGroup, Leaver, Period, PersonThen};
use serde_json::Value;
use std::sync::Arc;

/// So many rows are in memory at once.
const PAGE: usize = 500;
/// Somebody who did not sign in for so long is idle, if nothing else is said.
const USUAL_DAYS: u32 = 90;
/// More days are no question.
const MOST_DAYS: u32 = 3_650;

impl Row for FindingRow {
    const HEAD: &'static [&'static str] = &[
        "name",
        "mail",
        "display_name",
        "created_at",
        "signed_in_at",
        "left_at",
        "left_by",
        "groups",
        "groups_left",
        "ended_at",
        "seconds_until_ended",
        "left_position",
        "type",
        "id",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            text(self.mail.as_ref()),
            text(self.display_name.as_ref()),
            text(self.created_at.map(time::text)),
            text(self.signed_in_at.map(time::text)),
            text(self.left_at.map(time::text)),
            text(self.left_by.as_ref()),
            text(self.groups),
            text(self.groups_left),
            text(self.ended_at.map(time::text)),
            text(self.seconds_until_ended),
            text(self.left_position),
            self.kind.clone(),
            self.id.to_string(),
        ]
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Find {
    /// Users who are switched on and did not sign in since then, or never did.
    Idle {
        since: DateTime<Utc>,
    },
    /// Users who are switched on and never signed in.
    NeverSignedIn,
    Leavers(Period),
    EmptyGroups,
}

/// What a reviewer looks for, at a moment or during a period: users who never signed in or not for a
/// time, leavers, empty groups. Streamed, however long it is.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/review/findings",
    tag = "audit",
    params(OrganizationPath, FindingQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, content(
            (FindingsBody = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/html"),
        )),
        (status = 400, body = Problem),
    ),
)]
pub async fn findings(
    Auditor { organization, actor, .. }: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<FindingQuery>,
) -> Result<Response, Refusal> {
    not_of_events(query.format)?;
    let [never, idle, leavers, empty] = FINDS;
    let of_a_period = query.find == leavers;
    let misplaced = [
        ("idle_days", query.idle_days.is_some() && query.find != idle),
        ("as_of", query.as_of.is_some() && of_a_period),
        ("from", query.from.is_some() && !of_a_period),
        ("to", query.to.is_some() && !of_a_period),
    ];
    if let Some((parameter, _)) = misplaced.into_iter().find(|(_, wrong)| *wrong) {
        let told = format!("{parameter} says nothing of {:?}: leave it out", query.find);
        return Err(Refusal::parameter(parameter, told));
    }
    let days = query.idle_days.unwrap_or(USUAL_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Refusal::parameter("idle_days", format!("1 to {MOST_DAYS} days")));
    }
    let end = if of_a_period { ("to", &query.to) } else { ("as_of", &query.as_of) };
    let (to, views) = moment(&app, organization, end.0, end.1.as_deref()).await?;
    let from = match (of_a_period, query.from.as_deref()) {
        (true, Some(from)) => moment(&app, organization, "from", Some(from)).await?.0,
        (true, None) => again(&app, organization, 0).await?.0,
        (false, _) => to,
    };
    if from.position > to.position {
        return Err(Refusal::parameter("from", "the period ends before it begins: swap them"));
    }
    // The days count from now, or from the moment that was asked for: nothing may have happened
    // for long.
    let now = app.engine.clock.now();
    let moment = to.recorded_at.filter(|_| query.as_of.is_some()).unwrap_or(now);
    let since = moment - TimeDelta::days(days.into());
    let (find, about) = match query.find.as_str() {
        find if find == never => {
            (Find::NeverSignedIn, "Users who are switched on and never signed in".to_owned())
        }
        find if find == idle => (
            Find::Idle { since },
            format!("Users who are switched on and did not sign in for {days} days"),
        ),
        find if find == leavers => (
            Find::Leavers((from.position, to.position)),
            "Users who were switched off or deleted, and when their memberships ended".to_owned(),
        ),
        find if find == empty => (Find::EmptyGroups, "Groups in which nobody is".to_owned()),
        other => return Err(Refusal::not_among("find", other, FINDS)),
    };
    let at = to.position;
    let head = head(&app, organization, &actor, about, (from, to)).await?;
    let asked = Asked { views, organization, at, find };
    answer_with::<FindingRow, _>(query.format, Some(Box::new(head) as _), move |rows| async move {
        asked.written(rows).await
    })
}

struct Asked {
    views: Reads,
    organization: OrganizationId,
    at: Position,
    find: Find,
}

impl Asked {
    async fn written(&self, mut rows: Rows) -> Result<Rows, StreamError> {
        let (history, of) = (&self.views.history, self.organization);
        let mut after = 0;
        loop {
            let (last, found): (Option<Position>, Vec<FindingRow>) = match self.find {
                Find::NeverSignedIn | Find::Idle { .. } => {
                    let page = history.people(of, self.at, after, PAGE).await;
                    let page = page.map_err(StreamError::broken)?;
                    let last = page.last().map(|person| person.seq);
                    (last, page.into_iter().filter(|p| self.is_found(p)).map(person).collect())
                }
                Find::EmptyGroups => {
                    let page = history.empty_groups(of, self.at, after, PAGE).await;
                    let page = page.map_err(StreamError::broken)?;
                    let last = page.last().map(|group| group.seq);
                    (last, page.into_iter().map(empty).collect())
                }
                Find::Leavers(period) => {
                    let page = history.leavers(of, period, after, PAGE).await;
                    let page = page.map_err(StreamError::broken)?;
                    let last = page.last().map(|leaver| leaver.position);
                    (last, page.into_iter().filter(leaves).map(leaver).collect())
                }
            };
            for row in &found {
                rows.push(row).await?;
            }
            let Some(last) = last else { return Ok(rows) };
            after = last;
        }
    }

    fn is_found(&self, person: &PersonThen) -> bool {
        let quiet = match self.find {
            Find::Idle { since } => person.signed_in_at.unwrap_or(person.created_at) < since,
            _ => person.signed_in_at.is_none(),
        };
        quiet && is_active(&person.then)
    }
}

/// A user of whom nothing is said is switched on.
fn is_active(then: &Attributes) -> bool {
    then.get("active").and_then(Value::as_bool).unwrap_or(true)
}

/// Who was switched off before has left already, unless a group still had them.
fn leaves(leaver: &Leaver) -> bool {
    is_active(&leaver.before) || leaver.groups > 0
}

fn user(id: uuid::Uuid, then: &Attributes) -> FindingRow {
    let text = |name| named::text(then, name).map(str::to_owned);
    FindingRow {
        id,
        kind: ResourceKind::User.name().to_owned(),
        name: text("userName").unwrap_or_default(),
        mail: named::mails(then).next().map(str::to_owned),
        display_name: text("displayName"),
        ..FindingRow::default()
    }
}

fn person(person: PersonThen) -> FindingRow {
    FindingRow {
        created_at: Some(person.created_at),
        signed_in_at: person.signed_in_at,
        ..user(person.id.0, &person.then)
    }
}

fn empty(group: EmptyGroup) -> FindingRow {
    FindingRow {
        id: group.id.0,
        kind: ResourceKind::Group.name().to_owned(),
        name: group.display,
        created_at: Some(group.created_at),
        ended_at: group.emptied_at,
        ..FindingRow::default()
    }
}

fn leaver(leaver: Leaver) -> FindingRow {
    let ended_at = leaver.ended_at.filter(|_| leaver.groups_left == 0);
    let seconds = match leaver.groups {
        0 => Some(0),
        _ => ended_at.map(|at| (at - leaver.left_at).num_seconds()),
    };
    FindingRow {
        left_at: Some(leaver.left_at),
        left_position: Some(leaver.position),
        left_by: Some(leaver.event_type),
        groups: Some(leaver.groups),
        groups_left: Some(leaver.groups_left),
        signed_in_at: leaver.signed_in_at,
        ended_at,
        seconds_until_ended: seconds,
        ..user(leaver.id.0, &leaver.before)
    }
}
