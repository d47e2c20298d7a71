//! What is different between two moments, resource by resource.

use super::paging::filled;
use crate::signing::Reader;
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, Said, When, in_address, shown};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use rollcall_contract::difference::{DifferenceBody, DifferenceQuery};
use rollcall_contract::format::Format;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::route;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// So many differences stand on a page; all of them are in the download.
const SHOWN: usize = 500;

/// Between when and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Between {
    from: Option<String>,
    to: Option<String>,
    run: Option<Uuid>,
}

impl Between {
    /// As the API has it: the last day, if nobody says.
    pub fn query(&self, format: Format) -> DifferenceQuery {
        let from = filled(&self.from).or_else(|| Some("-1d".to_owned()));
        let from = from.filter(|_| self.run.is_none());
        let to = filled(&self.to).filter(|_| self.run.is_none());
        DifferenceQuery { from, to, run: self.run, format }
    }
}

struct Row {
    what: String,
    class: String,
    detail: Option<(Name, String)>,
    sides: Vec<(String, Said, Said)>,
    at: Option<When>,
    request: Option<String>,
}

struct Resource {
    name: Name,
    kind: String,
    href: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct Page {
    frame: Frame,
    slug: String,
    from: String,
    to: String,
    run: Option<String>,
    resources: Vec<Resource>,
    total: usize,
    is_cut: bool,
    download: String,
}

/// The page.
pub async fn show(reader: Reader, Query(between): Query<Between>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let query = between.query(Format::Json);
    let line = route::DIFFERENCE.line(&OrganizationPath::of(slug.clone()), &query);
    let all: Vec<DifferenceBody> = reader.asker().ask(line).await?;
    let (from, to) = (query.from.unwrap_or_default(), filled(&between.to).unwrap_or_default());
    let download = match between.run {
        Some(run) => format!("/o/{slug}/changes/download?run={run}"),
        None => {
            format!("/o/{slug}/changes/download?from={}&to={}", in_address(&from), in_address(&to))
        }
    };
    let page = Page {
        total: all.len(),
        is_cut: all.len() > SHOWN,
        resources: by_resource(&slug, &all[..all.len().min(SHOWN)]),
        run: between.run.map(|run| run.to_string()),
        from,
        to,
        download,
        frame: reader.frame("Changes", "changes"),
        slug,
    };
    Ok(shown(&page))
}

/// The position from which a difference is looked at: what was deleted is seen right before.
pub fn seen_at(body: &DifferenceBody) -> u64 {
    let gone = u64::from(body.what == "deleted");
    body.position.saturating_sub(gone)
}

/// The attribute's own name: what stands before it is its schema.
fn short(attribute: &str) -> String {
    attribute.rsplit(':').next().unwrap_or(attribute).to_owned()
}

/// Differences of one resource stand together, in the order in which the first of each came.
fn by_resource(slug: &str, all: &[DifferenceBody]) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    for body in all {
        let place = if body.kind == "Group" { "groups" } else { "users" };
        let href = format!("/o/{slug}/{place}/{}?as-of=position:{}", body.id, seen_at(body));
        let same = |r: &&mut Resource| r.href.split('?').next() == href.split('?').next();
        let row = row(slug, body);
        match resources.iter_mut().find(same) {
            Some(resource) => resource.rows.push(row),
            None => resources.push(Resource {
                name: Name(body.name.clone()),
                kind: body.kind.clone(),
                href,
                rows: vec![row],
            }),
        }
    }
    resources
}

fn row(slug: &str, body: &DifferenceBody) -> Row {
    let group = body.group.as_ref().zip(body.group_id);
    let detail = group.map(|(name, id)| (Name(name.clone()), format!("/o/{slug}/groups/{id}")));
    let sides = body.changes.iter().map(|change| {
        (short(&change.attribute), Said(said(&change.before)), Said(said(&change.after)))
    });
    Row {
        what: tell::difference(&body.what).to_owned(),
        class: body.what.clone(),
        detail,
        sides: sides.collect(),
        at: body.recorded_at.map(When),
        request: body.exchange.map(|id| format!("/o/{slug}/requests/{id}")),
    }
}

fn said(value: &Option<Value>) -> String {
    match value {
        None | Some(Value::Null) => "—".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
