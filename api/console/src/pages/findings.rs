//! What a reviewer looks for: people who never sign in or not for long, people who left, groups that
//! nobody is in.

use super::paging::filled;
use crate::signing::Reader;
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Name, in_address, shown};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use rollcall_contract::findings::{FINDS, FindingQuery, FindingRow, FindingsBody};
use rollcall_contract::format::Format;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::route;
use serde::Deserialize;

/// So many rows stand on the page; all of them are in the download.
const SHOWN: usize = 2_000;

/// What to look for, and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    find: Option<String>,
    #[serde(rename = "idle-days")]
    idle_days: Option<String>,
    #[serde(rename = "as-of")]
    as_of: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

impl Wanted {
    fn find(&self) -> String {
        filled(&self.find).unwrap_or_else(|| FINDS[0].to_owned())
    }

    /// As the API has it; what does not belong to what is looked for is left out.
    ///
    /// # Errors
    /// If a number is none.
    pub fn query(&self, format: Format) -> Result<FindingQuery, Trouble> {
        let find = self.find();
        let (is_idle, is_period) = (find == "idle", find == "leavers");
        let days = filled(&self.idle_days).filter(|_| is_idle).map(|days| days.parse());
        let days = days.transpose().map_err(|_| Trouble::unreadable(tell::NOT_DAYS))?;
        Ok(FindingQuery {
            idle_days: days,
            as_of: filled(&self.as_of).filter(|_| !is_period),
            from: filled(&self.from).filter(|_| is_period),
            to: filled(&self.to).filter(|_| is_period),
            find,
            format,
        })
    }
}

struct Row {
    name: Name,
    href: String,
    created: Maybe,
    signed_in: Maybe,
    left: Maybe,
    groups_left: Option<u64>,
    ended: Maybe,
}

struct Choice {
    value: &'static str,
    words: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "findings.html")]
struct Page {
    frame: Frame,
    choices: Vec<Choice>,
    asked: [String; 4],
    about: String,
    position: u64,
    is_leavers: bool,
    is_of_groups: bool,
    rows: Vec<Row>,
    total: usize,
    is_cut: bool,
    download: String,
}

fn row(slug: &str, body: &FindingRow) -> Row {
    let place = if body.kind == "Group" { "groups" } else { "users" };
    Row {
        name: Name(body.display_name.clone().unwrap_or_else(|| body.name.clone())),
        href: format!("/o/{slug}/{place}/{}", body.id),
        created: Maybe(body.created_at),
        signed_in: Maybe(body.signed_in_at),
        left: Maybe(body.left_at),
        groups_left: body.groups_left,
        ended: Maybe(body.ended_at),
    }
}

/// The page.
pub async fn show(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let query = wanted.query(Format::Json)?;
    let body: FindingsBody = ask(&reader, &query).await?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let days = query.idle_days.map(|days| days.to_string()).unwrap_or_default();
    let asked = [days, text(&query.as_of), text(&query.from), text(&query.to)];
    let names = ["idle-days", "as-of", "from", "to"];
    let pairs = names.iter().zip(&asked).filter(|(_, value)| !value.is_empty());
    let mut pairs: Vec<_> = pairs.map(|(n, value)| format!("{n}={}", in_address(value))).collect();
    pairs.push(format!("find={}", in_address(&query.find)));
    let choice = |value: &'static str| Choice {
        value,
        words: tell::finding(value),
        is_chosen: query.find == value,
    };
    let page = Page {
        choices: FINDS.into_iter().map(choice).collect(),
        asked,
        about: body.head.about,
        position: body.head.to.position,
        is_leavers: query.find == "leavers",
        is_of_groups: query.find == "empty-groups",
        rows: body.rows.iter().take(SHOWN).map(|body| row(&slug, body)).collect(),
        total: body.rows.len(),
        is_cut: body.rows.len() > SHOWN,
        download: format!("/o/{slug}/review/findings/download?{}", pairs.join("&")),
        frame: reader.frame("Findings", "review"),
    };
    Ok(shown(&page))
}

async fn ask(reader: &Reader, query: &FindingQuery) -> Result<FindingsBody, Trouble> {
    let line = route::REVIEW_FINDINGS.line(&OrganizationPath::of(reader.slug()), query);
    reader.asker().ask(line).await
}
