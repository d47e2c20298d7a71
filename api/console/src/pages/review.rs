//! An access review: who was in which group, since and until when, and by what. It can be printed,
//! and downloaded as it is handed in.

use super::paging::filled;
use crate::signing::Reader;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, When, in_address, shown};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use rollcall_contract::format::Format;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::review::{AccessQuery, AccessRow, ReviewBody};
use rollcall_contract::route;
use serde::Deserialize;

/// So many rows stand on the page; all of them are in the download.
const SHOWN: usize = 2_000;

/// Whose access, and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    group: Option<String>,
    user: Option<String>,
    #[serde(rename = "as-of")]
    as_of: Option<String>,
    from: Option<String>,
    to: Option<String>,
    done: Option<String>,
}

impl Asked {
    /// As the API has it.
    pub fn query(&self, format: Format) -> AccessQuery {
        AccessQuery {
            group: filled(&self.group),
            user: filled(&self.user),
            as_of: filled(&self.as_of),
            from: filled(&self.from),
            to: filled(&self.to),
            format,
        }
    }
}

struct Row {
    group: Name,
    group_href: String,
    member: Name,
    member_href: String,
    active: Option<bool>,
    since: When,
    by: String,
    request: Option<String>,
    run: Option<String>,
    until: Option<When>,
    decision: Option<Decision>,
    decide: String,
}

struct Decision {
    verdict: String,
    remark: Option<Name>,
    by: String,
    at: When,
}

#[derive(Template)]
#[template(path = "review.html")]
struct Page {
    frame: Frame,
    slug: String,
    asked: [String; 5],
    about: String,
    made_at: When,
    made_by: String,
    position: u64,
    version: String,
    rows: Vec<Row>,
    total: usize,
    is_cut: bool,
    download: String,
}

fn decision(row: &AccessRow) -> Option<Decision> {
    Some(Decision {
        verdict: row.verdict.clone()?,
        remark: row.remark.clone().map(Name),
        by: row.decided_by.clone().unwrap_or_default(),
        at: When(row.decided_at?),
    })
}

/// The page.
pub async fn show(reader: Reader, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let query = asked.query(Format::Json);
    let line = route::REVIEW_ACCESS.line(&OrganizationPath::of(slug.clone()), &query);
    let body: ReviewBody = reader.asker().ask(line).await?;
    let said =
        [query.group, query.user, query.as_of, query.from, query.to].map(Option::unwrap_or_default);
    let names = ["group", "user", "as-of", "from", "to"];
    let pairs = names.iter().zip(&said).filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> = pairs.map(|(n, value)| format!("{n}={}", in_address(value))).collect();
    let seen = body.head.to.position;
    let rows = body.rows.iter().take(SHOWN).map(|row| {
        let place = if row.kind == "Group" { "groups" } else { "users" };
        let name = row.display_name.clone().or(row.user_name.clone());
        Row {
            group: Name(row.group.clone()),
            group_href: format!("/o/{slug}/groups/{}", row.group_id),
            member: Name(name.unwrap_or_else(|| row.member_id.to_string())),
            member_href: format!("/o/{slug}/{place}/{}", row.member_id),
            active: row.active,
            since: When(row.since),
            by: row.since_actor.clone(),
            request: row.since_exchange.map(|id| format!("/o/{slug}/requests/{id}")),
            run: row.since_run.map(|id| format!("/o/{slug}/runs/{id}")),
            until: row.until.map(When),
            decision: decision(row),
            decide: format!(
                "/o/{slug}/review/decide?group={}&member={}&since={}&seen={seen}",
                row.group_id, row.member_id, row.since_position
            ),
        }
    });
    let page = Page {
        rows: rows.collect(),
        total: body.rows.len(),
        is_cut: body.rows.len() > SHOWN,
        about: body.head.about,
        made_at: When(body.head.made_at),
        made_by: reader.visitor.session.label.clone(),
        position: body.head.to.position,
        version: body.head.version,
        asked: said,
        download: format!("/o/{slug}/review/download?{}", pairs.join("&")),
        frame: reader.frame("Access review", "review").with_notice(asked.done.as_deref()),
        slug,
    };
    Ok(shown(&page))
}
