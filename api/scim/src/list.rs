//! Queries: GET on an endpoint and POST to `.search` (RFC 7644 section 3.4.2 and 3.4.3, RFC 9865).

use super::call::Call;
use super::failure;
use super::query::Query;
use super::reply::Reply;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::scim::{
    Limits, ResourceKind, ScimError, ScimType, parse_filter, parse_path, project,
};
use rollcall_projections::directory::{Page, SearchError, SearchRequest, SearchResult, Sort};
use serde_json::{Map, Value, json};

/// POST to `.search`.
pub async fn search(call: &mut Call, kind: Option<ResourceKind>) -> Result<Reply, ScimError> {
    let body = call.json()?;
    call.query = Query::from_search(&body, &mut call.notes)?;
    list(call, kind).await
}

/// GET on an endpoint, or on the root for resources of every kind.
pub async fn list(call: &mut Call, kind: Option<ResourceKind>) -> Result<Reply, ScimError> {
    let count = call
        .query
        .count
        .unwrap_or(call.app.config.default_page_size)
        .min(call.app.config.max_page_size);
    let start = call.query.start_index.unwrap_or(1);
    match kind {
        Some(kind) => {
            let page = match &call.query.cursor {
                Some(cursor) => {
                    Page::Cursor { after: Some(cursor.clone()).filter(|c| !c.is_empty()), count }
                }
                None => Page::Index { start, count },
            };
            let found = one_kind(call, kind, page).await?;
            answer(call, found.total, start, found.items, found.next_cursor).await
        }
        None => every_kind(call, start, count).await,
    }
}

async fn every_kind(call: &mut Call, start: u64, count: u64) -> Result<Reply, ScimError> {
    if call.query.cursor.is_some() {
        return Err(ScimError::invalid_value(
            "a query over all resource types takes no cursor: use startIndex and count".to_owned(),
        ));
    }
    // An attribute that only one kind has matches nothing of the other; known to neither is an
    // error.
    let query = call.query.clone();
    call.query = concerning(&query, ResourceKind::User, &call.limits.clone());
    let users = one_kind(call, ResourceKind::User, Page::Index { start, count }).await;
    if let Err(error) = &users
        && !is_about_the_query(error)
    {
        return users.map(|_| Reply::default());
    }
    let (total, mut items) =
        users.as_ref().map_or((0, vec![]), |found| (found.total, found.items.clone()));
    let rest = count.saturating_sub(items.len() as u64);
    call.query = concerning(&query, ResourceKind::Group, &call.limits.clone());
    let groups = one_kind(
        call,
        ResourceKind::Group,
        Page::Index { start: start.saturating_sub(total).max(1), count: rest },
    )
    .await;
    let total = match (users, groups) {
        (_, Ok(found)) => {
            items.extend(found.items);
            total + found.total
        }
        (Ok(_), Err(error)) if is_about_the_query(&error) => total,
        (_, Err(error)) => return Err(error),
    };
    answer(call, total, start, items, None).await
}

/// A query over all kinds as far as it concerns one: what it says about attributes that only the
/// other has neither selects nor orders anything here.
fn concerning(query: &Query, kind: ResourceKind, limits: &Limits) -> Query {
    let known = |kind, name: &str| parse_path(kind, name, limits, &mut Notes::default()).is_ok();
    let concerns = |name: &str| {
        known(kind, name) || !ResourceKind::ALL.into_iter().any(|other| known(other, name))
    };
    let mut query = query.clone();
    if !query.attributes.is_empty() {
        query.attributes.retain(|name| concerns(name));
        // An empty list would mean all.
        query.attributes.push("id".to_owned());
    }
    query.excluded.retain(|name| concerns(name));
    query.sort_by = query.sort_by.filter(|name| concerns(name));
    query
}

fn is_about_the_query(error: &ScimError) -> bool {
    matches!(error.scim_type, Some(ScimType::InvalidFilter | ScimType::InvalidPath))
}

async fn one_kind(
    call: &mut Call,
    kind: ResourceKind,
    page: Page,
) -> Result<SearchResult, ScimError> {
    let limits = call.limits.clone();
    let query = call.query.clone();
    let filter = query
        .filter
        .as_deref()
        .map(|f| parse_filter(kind, f, &limits, &mut call.notes))
        .transpose()?;
    let sort = query
        .sort_by
        .as_deref()
        .map(|p| parse_path(kind, p, &limits, &mut call.notes))
        .transpose()?;
    let selection = query.selection(kind, &limits, &mut call.notes)?;
    limits.permit(&call.notes)?;
    let request = SearchRequest {
        filter,
        sort: sort.map(|path| Sort { path, descending: query.descending }),
        page,
        with_members: selection.shows("members"),
        with_groups: selection.shows("groups"),
        base_url: call.app.scim_base.to_string(),
    };
    let found = call.app.directory.search(call.opened.organization, kind, &request).await;
    let mut found = found.map_err(|e| match e {
        SearchError::Scim(error) => error,
        SearchError::Sql(error) => failure::unavailable("search", &error),
    })?;
    for item in &mut found.items {
        project(kind, item, &selection.attributes, &selection.excluded);
    }
    Ok(found)
}

async fn answer(
    call: &Call,
    total: u64,
    start: u64,
    items: Vec<Value>,
    next: Option<String>,
) -> Result<Reply, ScimError> {
    let mut body = Map::new();
    body.insert("schemas".into(), json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
    body.insert("totalResults".into(), json!(total));
    if call.query.cursor.is_none() {
        body.insert("startIndex".into(), json!(start));
    }
    body.insert("itemsPerPage".into(), json!(items.len()));
    if let Some(next) = next {
        body.insert("nextCursor".into(), json!(next));
    }
    // A match that found its one resource is about that resource: Entra asks so before it changes
    // it.
    let subject = match items.as_slice() {
        [only] if total == 1 => {
            only.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok())
        }
        _ => None,
    };
    body.insert("Resources".into(), Value::Array(items));
    let reply = Reply::of_any_length(200, Value::Object(body)).await?;
    Ok(Reply { found: Some(total), subject, ..reply })
}
