//! What proves the log, and who was taken out of it: the ledger's checkpoint, its verdicts, who is
//! held and who was erased.

use super::paging::{filled, next};
use crate::signing::Reader;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, When, shown};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use rollcall_contract::events::{EventBody, EventQuery};
use rollcall_contract::ledger::{CheckpointBody, Verdict};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::people::HoldBody;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_domain::user::UserEventKind;
use serde::Deserialize;

/// What is wanted besides the checkpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    audit: Option<String>,
    cursor: Option<String>,
}

/// Somebody who is held, or was erased.
struct Row {
    user: String,
    at: When,
    position: u64,
    because: Name,
}

/// What an audit came to, in words of the API.
struct Audited {
    verdict: Verdict,
    findings: Vec<String>,
}

#[derive(Template)]
#[template(path = "evidence.html")]
struct Page {
    frame: Frame,
    slug: String,
    ledger: CheckpointBody,
    audited: Option<Audited>,
    held: Vec<Row>,
    erased: Vec<Row>,
    next: Option<String>,
}

/// The page. An audit reads everything, so it is made only if somebody asks for it.
pub async fn show(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let path = OrganizationPath::of(slug.clone());
    let asker = reader.asker();
    let ledger = asker.ask(route::SHOW_CHECKPOINT.line(&path, &Nothing)).await?;
    let audited = match wanted.audit {
        Some(_) => Some(audited(asker.ask(route::AUDIT_LEDGER.line(&path, &Nothing)).await?)),
        None => None,
    };
    let held: Vec<HoldBody> = asker.ask(route::LIST_HOLDS.line(&path, &Nothing)).await?;
    let query = EventQuery {
        event_type: Some(UserEventKind::Erased.as_str().to_owned()),
        limit: Some(50),
        cursor: filled(&wanted.cursor),
        ..EventQuery::default()
    };
    let line = route::LIST_EVENTS.line(&path, &query);
    let (erased, cursor) = asker.page::<Vec<EventBody>>(line).await?;
    let held = held.into_iter().map(|hold| {
        let user = hold.user_id.to_string();
        let (at, because) = (When(hold.since), Name(hold.because));
        Row { user, at, position: hold.position, because }
    });
    let erased = erased.into_iter().map(|event| {
        let user = event.subject.to_string();
        let because = Name(event.payload["because"].as_str().unwrap_or_default().to_owned());
        Row { user, at: When(event.recorded_at), position: event.position, because }
    });
    let page = Page {
        ledger,
        audited,
        held: held.collect(),
        erased: erased.collect(),
        next: next(&format!("/o/{slug}/evidence"), &[], cursor.as_deref()),
        frame: reader.frame("Evidence", "evidence"),
        slug,
    };
    Ok(shown(&page))
}

fn audited(verdict: Verdict) -> Audited {
    let findings = verdict.findings.iter().map(|found| {
        let through = found.through.map(|through| format!(" to {through}")).unwrap_or_default();
        let part = format!("{:?}", found.part).to_lowercase();
        format!("{part} {}{through}: {}", found.number, found.kind.as_str())
    });
    Audited { findings: findings.collect(), verdict }
}
