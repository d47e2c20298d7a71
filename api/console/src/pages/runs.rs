//! Runs: the list, and one with its timeline.

use super::changes::seen_at;
use super::paging::{filled, next};
use crate::picture::timeline::{self, DRAWN, Mark, Timeline};
use crate::signing::Reader;
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, Said, When, count, in_address, shown, span};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use rollcall_contract::difference::{DifferenceBody, DifferenceQuery};
use rollcall_contract::exchanges::{ExchangeQuery, ExchangeSummary};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::runs::{RunBody, RunPath, RunQuery};
use serde::Deserialize;

/// Differences of a run that its page lists; the page of changes has them all.
const LISTED: usize = 100;

/// Which runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    kind: Option<String>,
    failed: Option<String>,
    changed: Option<String>,
    cursor: Option<String>,
}

/// A run in a list.
pub struct RunLine {
    /// Where it is.
    pub href: String,
    /// What it was.
    pub kind: String,
    /// When it began.
    pub began: When,
    /// How long it took.
    pub took: String,
    /// Requests.
    pub requests: String,
    /// Those that changed something.
    pub changes: u64,
    /// Those that were refused.
    pub failures: u64,
    /// Whether it may still go on.
    pub is_open: bool,
    /// How sure the kind is.
    pub confidence: String,
}

/// A run in a list.
pub fn line(slug: &str, run: &RunBody) -> RunLine {
    RunLine {
        href: format!("/o/{slug}/runs/{}", run.run),
        kind: tell::run_kind(&run.kind).to_owned(),
        began: When(run.began_at),
        took: took(run.seconds),
        requests: count(run.exchanges),
        changes: run.changes,
        failures: run.failures,
        is_open: run.state == "open",
        confidence: run.confidence.clone(),
    }
}

fn took(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.1} s") } else { span(seconds as i64) }
}

#[derive(Template)]
#[template(path = "runs.html")]
struct List {
    frame: Frame,
    rows: Vec<RunLine>,
    kinds: [(&'static str, &'static str); 7],
    kind: String,
    failed: bool,
    changed: bool,
    next: Option<String>,
}

const KINDS: [(&str, &str); 7] = [
    ("initial", "Initial cycle"),
    ("incremental", "Cycle"),
    ("restart", "Restarted cycle"),
    ("on-demand", "On demand"),
    ("connection-test", "Connection test"),
    ("account-discovery", "Account discovery"),
    ("other-client", "Another client"),
];

/// The list.
pub async fn list(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let (kind, failed, changed) =
        (filled(&wanted.kind), wanted.failed.is_some(), wanted.changed.is_some());
    let query = RunQuery {
        kind: kind.clone(),
        failed,
        changed,
        limit: Some(50),
        cursor: filled(&wanted.cursor),
        ..RunQuery::default()
    };
    let line_of = route::LIST_RUNS.line(&OrganizationPath::of(slug.clone()), &query);
    let (rows, cursor) = reader.asker().page::<Vec<RunBody>>(line_of).await?;
    let on = |is: bool| if is { "on" } else { "" };
    let kept = [
        ("kind", kind.as_deref().unwrap_or_default()),
        ("failed", on(failed)),
        ("changed", on(changed)),
    ];
    let page = List {
        rows: rows.iter().map(|run| line(&slug, run)).collect(),
        kinds: KINDS,
        next: next(&format!("/o/{slug}/runs"), &kept, cursor.as_deref()),
        kind: kind.unwrap_or_default(),
        failed,
        changed,
        frame: reader.frame("Runs", "runs"),
    };
    Ok(shown(&page))
}

struct Change {
    what: &'static str,
    class: String,
    name: Name,
    href: String,
    detail: Said,
}

struct Refused {
    at: When,
    operation: String,
    status: u16,
    detail: Said,
    href: String,
}

#[derive(Template)]
#[template(path = "run.html")]
struct Show {
    frame: Frame,
    slug: String,
    id: String,
    kind: String,
    run: RunLine,
    ended: When,
    confidence: String,
    evidence: Vec<String>,
    operations: Vec<(String, String)>,
    users: String,
    groups: String,
    token: String,
    sources: String,
    rhythm: Option<String>,
    picture: Timeline,
    drawn: usize,
    is_cut: bool,
    total: u64,
    changes: Vec<Change>,
    more_changes: bool,
    refused: Vec<Refused>,
}

/// One run.
pub async fn show(reader: Reader, Path(path): Path<RunPath>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let path = RunPath { organization: slug.clone(), ..path };
    let of = OrganizationPath::of(slug.clone());
    let asker = reader.asker();
    let run: RunBody = asker.ask(route::SHOW_RUN.line(&path, &Nothing)).await?;
    let difference = DifferenceQuery { run: Some(path.run), ..DifferenceQuery::default() };
    let (requests, changes) = tokio::try_join!(
        requests(&reader, &path),
        asker.ask::<Vec<DifferenceBody>>(route::DIFFERENCE.line(&of, &difference)),
    )?;
    let marks: Vec<Mark> = requests
        .iter()
        .map(|r| Mark {
            at: r.received_at,
            operation: r.operation.clone(),
            failed: r.status >= 400 && r.status != 404,
        })
        .collect();
    let refused = requests.iter().filter(|r| r.status >= 400 && r.status != 404).take(LISTED);
    let refused = refused.map(|r| Refused {
        at: When(r.received_at),
        operation: r.operation.clone(),
        status: r.status,
        detail: Said(r.detail.clone().unwrap_or_default()),
        href: format!("/o/{slug}/requests/{}", r.id),
    });
    let rhythm = run.since_previous_seconds.map(|since| {
        let usual = run.usual_seconds.map(span).unwrap_or_default();
        match run.missed.unwrap_or(0) {
            0 => format!("{} after the one before; {usual} is usual", span(since)),
            n => format!("{} after the one before; {usual} is usual, {n} missing", span(since)),
        }
    });
    let kind = tell::run_kind(&run.kind).to_owned();
    let page = Show {
        id: run.run.to_string(),
        ended: When(run.ended_at),
        confidence: run.confidence.clone(),
        operations: run.operations.iter().map(|(o, n)| (o.clone(), count(*n))).collect(),
        users: count(run.users),
        groups: count(run.groups),
        token: run.token.to_string(),
        sources: run.sources.join(", "),
        rhythm,
        picture: timeline::draw(&marks, run.began_at, run.ended_at),
        drawn: marks.len(),
        is_cut: marks.len() as u64 != run.exchanges,
        total: run.exchanges,
        more_changes: changes.len() > LISTED,
        changes: changes.iter().take(LISTED).map(|change| changed(&slug, change)).collect(),
        refused: refused.collect(),
        run: line(&slug, &run),
        evidence: run.evidence,
        frame: reader.frame(kind.clone(), "runs"),
        kind,
        slug,
    };
    Ok(shown(&page))
}

/// The first requests of a run, as many as are drawn.
async fn requests(reader: &Reader, path: &RunPath) -> Result<Vec<ExchangeSummary>, Trouble> {
    let of = OrganizationPath::of(reader.slug());
    let mut query = ExchangeQuery {
        run: Some(path.run),
        after: Some(0),
        limit: Some(1_000),
        ..ExchangeQuery::default()
    };
    let mut all = Vec::new();
    loop {
        let line = route::LIST_EXCHANGES.line(&of, &query);
        let (page, next) = reader.asker().page::<Vec<ExchangeSummary>>(line).await?;
        all.extend(page);
        if next.is_none() || all.len() >= DRAWN {
            return Ok(all);
        }
        query.cursor = next;
    }
}

fn changed(slug: &str, body: &DifferenceBody) -> Change {
    let place = if body.kind == "Group" { "groups" } else { "users" };
    let what = tell::difference(&body.what);
    let detail = match &body.group {
        Some(group) => group.clone(),
        None => body.changes_line(),
    };
    Change {
        what: known(what),
        class: body.what.clone(),
        name: Name(body.name.clone()),
        href: format!(
            "/o/{slug}/{place}/{}?as-of=position:{}",
            in_address(&body.id.to_string()),
            seen_at(body)
        ),
        detail: Said(detail),
    }
}

/// The words of a difference that is known.
fn known(what: &str) -> &'static str {
    KNOWN.into_iter().find(|known| *known == what).unwrap_or("Changed")
}

const KNOWN: [&str; 8] =
    ["Created", "Deleted", "Enabled", "Disabled", "Renamed", "Changed", "Joined", "Left"];
