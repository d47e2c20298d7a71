//! The overview of an organization: what state it is in, whether cycles come, and what needs
//! attention, each with where it is put right.

use super::runs::{self, RunLine};
use crate::picture::strip::{self, Cycle, Slot, Strip};
use crate::signing::Reader;
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, When, shown};
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use rollcall_contract::attention::{Cause, NeedBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::runs::{RhythmBody, RunBody, RunQuery};
use rollcall_domain::run::RunKind;
use rollcall_door::App;
use rollcall_projections::organizations::ScimState;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Days that can be shown.
const DAYS: [i64; 4] = [1, 7, 30, 90];

/// More runs than 90 days of cycles of a few tokens have. The page says where it ends.
const MOST_RUNS: usize = 12_000;

/// Which part of time.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Span {
    days: Option<i64>,
}

/// Something that needs somebody.
struct Attention {
    title: String,
    detail: String,
    page: String,
    action: &'static str,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    slug: String,
    sso: &'static str,
    scim: &'static str,
    rhythm: &'static str,
    rhythm_state: String,
    last: Option<When>,
    age: Option<String>,
    attention: Vec<Attention>,
    strips: Vec<Strip>,
    legend: [Slot; 7],
    days: i64,
    choices: [i64; 4],
    cut_at: Option<When>,
    latest: Vec<RunLine>,
}

/// The page.
pub async fn show(
    reader: Reader,
    State(app): State<Arc<App>>,
    Query(span): Query<Span>,
) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let path = OrganizationPath::of(slug.clone());
    let now = app.engine.clock.now();
    let days = span.days.filter(|days| DAYS.contains(days)).unwrap_or(7);
    let asker = reader.asker();
    let (rhythm, attention, (runs, cut_at)) = tokio::try_join!(
        asker.ask::<RhythmBody>(route::SHOW_RHYTHM.line(&path, &Nothing)),
        asker.ask::<Vec<NeedBody>>(route::LIST_NEEDS.line(&path, &Nothing)),
        since(&reader, now - Duration::days(days + 1)),
    )?;
    let settings = app.connections.of(reader.organization.id).await?.map(|c| c.settings);
    let sso = match settings.as_ref().map(|s| (s.is_ready(), s.idp.is_some())) {
        Some((true, _)) => "ready",
        Some((false, true)) => "unfinished",
        _ => "never",
    };
    let scim = match reader.organization.scim {
        ScimState::Enabled => "enabled",
        ScimState::Disabled => "disabled",
        ScimState::Never => "never",
    };
    let page = Page {
        sso,
        scim,
        rhythm: tell::rhythm(&rhythm.state),
        last: rhythm.last_cycle_at.map(When),
        age: rhythm.age_seconds.map(crate::view::span),
        rhythm_state: rhythm.state,
        attention: attention.into_iter().map(needed).collect(),
        strips: strips(&slug, &runs, days, now),
        legend: Slot::ALL,
        days,
        choices: DAYS,
        cut_at,
        latest: runs.iter().take(8).map(|run| runs::line(&slug, run)).collect(),
        frame: reader.frame("Overview", "overview"),
        slug,
    };
    Ok(shown(&page))
}

/// Runs since a moment, newest first, and where they end if that are not all.
async fn since(
    reader: &Reader,
    from: DateTime<Utc>,
) -> Result<(Vec<RunBody>, Option<When>), Trouble> {
    let path = OrganizationPath::of(reader.slug());
    let mut all: Vec<RunBody> = Vec::new();
    let mut query = RunQuery { limit: Some(1_000), ..RunQuery::default() };
    loop {
        let line = route::LIST_RUNS.line(&path, &query);
        let (page, next) = reader.asker().page::<Vec<RunBody>>(line).await?;
        all.extend(page);
        let reached = all.last().is_none_or(|run| run.began_at < from);
        if reached || next.is_none() {
            return Ok((all, None));
        }
        if all.len() >= MOST_RUNS {
            let end = all.last().map(|run| When(run.began_at));
            return Ok((all, end));
        }
        query.cursor = next;
    }
}

fn is_cycle(run: &RunBody) -> bool {
    RunKind::parse(&run.kind).is_some_and(RunKind::is_cycle)
}

/// A strip for each token that cycles came with.
fn strips(slug: &str, runs: &[RunBody], days: i64, now: DateTime<Utc>) -> Vec<Strip> {
    let mut by_token: BTreeMap<Uuid, Vec<Cycle>> = BTreeMap::new();
    for run in runs.iter().rev().filter(|run| is_cycle(run)) {
        by_token.entry(run.token).or_default().push(Cycle {
            began: run.began_at,
            href: format!("/o/{slug}/runs/{}", run.run),
            is_initial: RunKind::parse(&run.kind) != Some(RunKind::Incremental),
            failures: run.failures,
            missed: run.missed.unwrap_or(0),
            is_late: run
                .since_previous_seconds
                .zip(run.usual_seconds)
                .is_some_and(|(since, usual)| since > usual * 5 / 4),
        });
    }
    let strips = by_token.into_iter().map(|(token, cycles)| {
        strip::draw(format!("Token {}", &token.to_string()[..8]), &cycles, days, now)
    });
    strips.collect()
}

fn needed(need: NeedBody) -> Attention {
    let NeedBody { cause, title, detail, page, .. } = need;
    let action = match cause {
        Cause::OrganizationDisabled
        | Cause::ScimDisabled
        | Cause::CertificateEnds
        | Cause::CredentialEnds => "Connection",
        Cause::ConnectionUnfinished => "Set up",
        Cause::CyclesLate | Cause::CyclesStretched | Cause::CyclesSilent => "Runs",
        Cause::AccessLeft | Cause::FailuresOpen => "Failures",
        Cause::ConsumerStopped | Cause::DeliveriesParked => "Consumers",
        Cause::ViewStopped | Cause::UnknownShapes => "Requests",
    };
    Attention { title, detail, page, action }
}
