//! Searching the directory: filter, order, pages (RFC 7644 section 3.4.2, RFC 9865).

use super::cursor::Cursor;
use super::inject::{Need, need};
use super::plan::plan;
use super::query::{Directory, PAGE};
use super::rows::{MemberRow, ResourceRow};
use super::wire::{group_value, member_value, wire};
use crate::text::stable_hash;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::scim::{
    AttributePath, Filter, ResourceKind, ScimError, SortKey, matches, sort_key,
};
use rollcall_domain::sql::{SqlError, SqlValue};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// The order of results; those that are equal in it come in the order of their creation.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// What to sort by.
    pub path: AttributePath,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Which part of the results to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// By number.
    Index {
        /// The first result, counted from 1.
        start: u64,
        /// How many at most; may be 0 to learn the total only.
        count: u64,
    },
    /// By cursor.
    Cursor {
        /// [`SearchResult::next_cursor`] of the page before; `None` for the first.
        after: Option<String>,
        /// How many at most.
        count: u64,
    },
}

/// What to search for.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// Only what matches.
    pub filter: Option<Filter>,
    /// In which order; that of creation if not given.
    pub sort: Option<Sort>,
    /// Which part of it.
    pub page: Page,
    /// Whether groups come with their members. Without, no member is read.
    pub with_members: bool,
    /// Whether users come with their groups.
    pub with_groups: bool,
    /// What locations begin with, without a slash at the end.
    pub base_url: String,
}

/// One page of results.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// How many match in all.
    pub total: u64,
    /// The resources of this page, complete, as on the wire.
    pub items: Vec<Value>,
    /// Where the next page begins; only if pages go by cursor and there is one.
    pub next_cursor: Option<String>,
}

/// Why a search has no result.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The views cannot be read.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The request cannot be answered.
    #[error(transparent)]
    Scim(#[from] ScimError),
}

/// So many members go into one answer about several groups: all of it is in memory at once.
const MOST_MEMBERS: u64 = 200_000;

/// The part asked for, whatever the way of paging.
struct Window {
    cursor: Option<Cursor>,
    skip: u64,
    count: u64,
}

/// The part found.
#[derive(Default)]
struct Found {
    total: u64,
    rows: Vec<ResourceRow>,
    more: bool,
}

/// Where candidates come from.
enum Source {
    Rows(Option<Vec<ResourceRow>>),
    Scan { after: u64, done: bool },
}

impl Directory {
    /// Searches users or groups. Results are checked one by one against the filter; indexes only
    /// make for fewer of them.
    pub async fn search(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        request: &SearchRequest,
    ) -> Result<SearchResult, SearchError> {
        let query = fingerprint(organization, kind, request);
        let window = match &request.page {
            Page::Index { start, count } => {
                Window { cursor: None, skip: start.saturating_sub(1), count: *count }
            }
            Page::Cursor { after, count } => {
                let cursor =
                    after.as_deref().map(|text| Cursor::decode(text, query)).transpose()?;
                Window { cursor, skip: 0, count: *count }
            }
        };
        let found = match (&request.filter, &request.sort) {
            (None, None) => self.plain(organization, kind, &window).await?,
            (Some(filter), None) => {
                self.filtered(organization, kind, filter, &request.base_url, &window).await?
            }
            (filter, Some(sort)) => {
                self.sorted(organization, kind, filter.as_ref(), sort, &request.base_url, &window)
                    .await?
            }
        };
        let with_references = match kind {
            ResourceKind::User => request.with_groups,
            ResourceKind::Group => request.with_members,
        };
        let given = window.cursor.map_or(0, |c| c.given).saturating_add(found.rows.len() as u64);
        let next_cursor = match (&request.page, found.rows.last()) {
            (Page::Cursor { .. }, Some(last)) if found.more => {
                Some(Cursor { query, seq: last.seq, given, total: found.total }.encode())
            }
            _ => None,
        };
        if kind == ResourceKind::Group && with_references && found.rows.len() > 1 {
            let members = self.count_members(organization, &found.rows).await?;
            if members > MOST_MEMBERS {
                return Err(ScimError::too_many(format!(
                    "the groups of this page have {members} members, more than the {MOST_MEMBERS} that fit into one answer: \
                     ask with excludedAttributes=members, or for a smaller count"
                ))
                .into());
            }
        }
        let items = self
            .render(organization, kind, &found.rows, &request.base_url, with_references)
            .await?;
        Ok(SearchResult { total: found.total, items, next_cursor })
    }

    async fn plain(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        window: &Window,
    ) -> Result<Found, SqlError> {
        let total = self.total(organization, kind).await?;
        // One more than asked for tells whether there is a next page.
        let limit = window.count.saturating_add(1);
        let mut rows = match window.cursor {
            _ if window.count == 0 => Vec::new(),
            Some(cursor) => self.after(organization, kind, cursor.seq, limit).await?,
            None if window.skip == 0 => self.after(organization, kind, 0, limit).await?,
            None => self.skip(organization, kind, window.skip, limit).await?,
        };
        let more = rows.len() as u64 > window.count;
        rows.truncate(usize::try_from(window.count).unwrap_or(usize::MAX));
        Ok(Found { total, rows, more })
    }

    async fn filtered(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        filter: &Filter,
        base_url: &str,
        window: &Window,
    ) -> Result<Found, SqlError> {
        let mut source = self.source(organization, kind, Some(filter)).await?;
        // Looking at every resource to count them is done for the first page only.
        let counted = match (&mut source, window.cursor) {
            (Source::Scan { after, .. }, Some(cursor)) => {
                *after = cursor.seq;
                Some(cursor.total)
            }
            _ => None,
        };
        let begin = window.cursor.map_or(0, |c| c.seq);
        let mut found = Found::default();
        let mut skipped = 0;
        while let Some(batch) = self.next(organization, kind, &mut source).await? {
            for (row, _) in self.matching(organization, kind, Some(filter), base_url, batch).await?
            {
                found.total += 1;
                if row.seq <= begin {
                    continue;
                }
                if skipped < window.skip {
                    skipped += 1;
                } else if (found.rows.len() as u64) < window.count {
                    found.rows.push(row);
                } else {
                    found.more = true;
                }
            }
            if found.more && counted.is_some() {
                break;
            }
        }
        found.total = counted.unwrap_or(found.total);
        Ok(found)
    }

    async fn sorted(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        filter: Option<&Filter>,
        sort: &Sort,
        base_url: &str,
        window: &Window,
    ) -> Result<Found, SqlError> {
        let mut source = self.source(organization, kind, filter).await?;
        // Only keys are kept, so that sorting a large directory does not hold it in memory.
        let mut keys: Vec<(SortKey, u64)> = Vec::new();
        while let Some(batch) = self.next(organization, kind, &mut source).await? {
            let matching = self.matching(organization, kind, filter, base_url, batch).await?;
            keys.extend(
                matching
                    .into_iter()
                    .map(|(row, resource)| (sort_key(kind, &sort.path, &resource), row.seq)),
            );
        }
        keys.sort_unstable_by(|(a, a_seq), (b, b_seq)| {
            let by_key = if sort.descending { b.cmp(a) } else { a.cmp(b) };
            by_key.then_with(|| if a_seq < b_seq { Ordering::Less } else { Ordering::Greater })
        });
        let begin = match window.cursor {
            None => usize::try_from(window.skip).unwrap_or(usize::MAX),
            Some(cursor) => {
                let last = keys.iter().position(|(_, seq)| *seq == cursor.seq);
                last.map_or(usize::try_from(cursor.given).unwrap_or(usize::MAX), |i| i + 1)
            }
        };
        let count = usize::try_from(window.count).unwrap_or(usize::MAX);
        let places: Vec<u64> = keys.iter().skip(begin).take(count).map(|(_, seq)| *seq).collect();
        let mut rows = self.at(organization, kind, &places).await?;
        let more = begin.saturating_add(places.len()) < keys.len();
        // One that was deleted between the two queries is not there any more, which is the truth.
        let rows = places.iter().filter_map(|seq| rows.remove(seq)).collect();
        Ok(Found { total: keys.len() as u64, rows, more })
    }

    async fn source(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        filter: Option<&Filter>,
    ) -> Result<Source, SqlError> {
        if let Some(plan) = filter.and_then(|f| plan(kind, f))
            && let Some(rows) = self.look_up(organization, kind, plan).await?
        {
            return Ok(Source::Rows(Some(rows)));
        }
        Ok(Source::Scan { after: 0, done: false })
    }

    async fn next(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        source: &mut Source,
    ) -> Result<Option<Vec<ResourceRow>>, SqlError> {
        match source {
            Source::Rows(rows) => Ok(rows.take()),
            Source::Scan { done: true, .. } => Ok(None),
            Source::Scan { after, done } => {
                let rows = self.after(organization, kind, *after, PAGE as u64).await?;
                *after = rows.last().map_or(*after, |row| row.seq);
                *done = rows.len() < PAGE;
                Ok(Some(rows))
            }
        }
    }

    /// Those that match, with what they look like on the wire as far as the filter needs it.
    async fn matching(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        filter: Option<&Filter>,
        base_url: &str,
        rows: Vec<ResourceRow>,
    ) -> Result<Vec<(ResourceRow, Value)>, SqlError> {
        let attribute = match kind {
            ResourceKind::User => "groups",
            ResourceKind::Group => "members",
        };
        let need = filter.map_or(Need::Nothing, |f| need(f, attribute));
        let named = match &need {
            Need::Named(ids) => {
                let ids: Vec<SqlValue> = ids.iter().map(|id| id.as_str().into()).collect();
                self.named(organization, kind, &rows, &ids).await?
            }
            Need::Nothing | Need::All => Default::default(),
        };
        let groups = match (kind, &need) {
            (ResourceKind::User, Need::All) => {
                self.groups_of(organization, &rows.iter().map(|r| r.id).collect::<Vec<_>>()).await?
            }
            _ => Default::default(),
        };
        let mut out = Vec::new();
        for row in rows {
            let references: Option<Vec<Value>> = match (&need, kind) {
                (Need::Nothing, _) => None,
                (Need::Named(_), _) => Some(
                    named
                        .get(&row.id)
                        .into_iter()
                        .flatten()
                        .map(|id| json!({ "value": id }))
                        .collect(),
                ),
                (Need::All, ResourceKind::User) => Some(
                    groups
                        .get(&row.id)
                        .into_iter()
                        .flatten()
                        .map(|g| group_value(g, base_url))
                        .collect(),
                ),
                // One group at a time: all members of a page of groups would be too many.
                (Need::All, ResourceKind::Group) => {
                    let of = |m: MemberRow| member_value(&m, base_url);
                    Some(self.members_as(organization, row.id, of).await?)
                }
            };
            let (groups, members) = match kind {
                ResourceKind::User => (references, None),
                ResourceKind::Group => (None, references),
            };
            let resource = wire(kind, &row, base_url, groups, members);
            if filter.is_none_or(|f| matches(kind, f, &resource)) {
                out.push((row, resource));
            }
        }
        Ok(out)
    }
}

/// Names a query: a cursor is good for one only.
fn fingerprint(organization: OrganizationId, kind: ResourceKind, request: &SearchRequest) -> u64 {
    let filter = request.filter.as_ref().map(ToString::to_string).unwrap_or_default();
    let sort =
        request.sort.as_ref().map(|s| format!("{} {}", s.path, s.descending)).unwrap_or_default();
    stable_hash([organization.to_string().as_str(), kind.name(), &filter, &sort])
}
