//! `/Bulk` (RFC 7644 section 3.7): operations in an order in which their references resolve.
//!
//! Each operation is an exchange of its own that names this one. Every POST is given its id before
//! anything runs, so that a reference can be written down before the resource exists; a member
//! must exist, so what would be a cycle of groups is created without the open members, which are
//! added at the end.

use super::call::{Call, Conditions};
use super::create::create_as;
use super::delete::delete;
use super::dispatch::dispatch;
use super::facts::left_undone;
use super::patch::patch;
use super::query::Query;
use super::reply::Reply;
use super::resource::location;
use super::route::{Operation, route};
use rollcall_domain::group::Group;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::Position;
use rollcall_domain::scim::{ResourceKind, ScimError, decode_resource};
use rollcall_domain::user::User;
use rollcall_door::exchange::{Kept, keep};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// One operation of the request.
struct Part {
    method: String,
    path: String,
    bulk_id: Option<String>,
    version: Option<String>,
    data: Option<Value>,
    /// Bulk ids it refers to, each once.
    needs: Vec<String>,
}

impl Part {
    /// The operation, with the ids of what the request has created.
    fn as_sent(&self, ids: &HashMap<String, ResourceId>) -> Value {
        let mut data = self.data.clone().unwrap_or(Value::Null);
        resolve(&mut data, ids);
        json!({ "method": self.method, "path": resolve_text(&self.path, ids), "data": data })
    }
}

/// What has become of the operations so far.
#[derive(Default)]
struct Progress {
    /// Ids drawn for the POSTs.
    ids: HashMap<String, ResourceId>,
    /// How many of each operation's needs are known to be settled, from the first on: what is
    /// settled stays so, and many operations with many references are looked through once only.
    settled: Vec<usize>,
    done: HashSet<String>,
    failed: HashSet<String>,
    /// Members to add once all is created: group, and bulk id of the member.
    open: Vec<(usize, ResourceId, Vec<String>)>,
    results: Vec<Option<Value>>,
    errors: u64,
    /// The last position that one of them rests on.
    at: Option<Position>,
}

/// Carries out a bulk request.
pub async fn bulk(call: &mut Call) -> Result<Reply, ScimError> {
    let body = call.json()?;
    let (parts, fail_on_errors) = read(&body, call.app.config.max_bulk_operations)?;
    let mut progress = Progress {
        results: vec![None; parts.len()],
        settled: vec![0; parts.len()],
        ..Progress::default()
    };
    for part in &parts {
        if let Some(bulk_id) = part.bulk_id.as_ref().filter(|_| part.method == "POST") {
            progress.ids.insert(bulk_id.clone(), call.app.engine.ids.resource());
        }
    }
    let mut waiting: Vec<usize> = (0..parts.len()).collect();
    while !waiting.is_empty() && fail_on_errors.is_none_or(|limit| progress.errors < limit) {
        let next = choose(&parts, &waiting, &mut progress);
        let index = waiting.remove(next);
        let part = &parts[index];
        let outcome = run(call, part, index, &mut progress).await;
        note(part, index, outcome, &call.app.scim_base, &mut progress);
    }
    for (index, group, members) in std::mem::take(&mut progress.open) {
        match add_open(call, group, &members, &progress).await {
            // The answer says which version the resource has when all is done.
            Ok(reply) => {
                progress.at = progress.at.max(reply.at);
                note_version(&reply, &mut progress.results[index]);
            }
            Err(error) => {
                // Half of what was asked must not stay under an answer that says it failed.
                if let Err(left) = undo(call, group).await {
                    tracing::warn!(exchange = %call.opened.id, error = %left, "a group of a bulk request stays without its members");
                }
                note(&parts[index], index, Err(error), &call.app.scim_base, &mut progress);
            }
        }
    }
    let results: Vec<Value> = progress.results.into_iter().flatten().collect();
    let mut reply = Reply::json(
        200,
        &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": results }),
    );
    reply.at = progress.at;
    if !waiting.is_empty() {
        let undone: Vec<Value> = waiting.iter().map(|i| parts[*i].as_sent(&progress.ids)).collect();
        reply.undone = left_undone(&call.app, call.opened.organization, &undone).await?;
    }
    Ok(reply)
}

/// The next operation: the first whose references are all settled, else the first POST of a group
/// (a cycle is opened there), else the first.
fn choose(parts: &[Part], waiting: &[usize], progress: &mut Progress) -> usize {
    let Progress { ids, settled, done, failed, .. } = progress;
    let is_settled = |bulk_id: &String| {
        done.contains(bulk_id) || failed.contains(bulk_id) || !ids.contains_key(bulk_id)
    };
    let ready = waiting.iter().position(|&i| {
        settled[i] += parts[i].needs[settled[i]..].iter().take_while(|b| is_settled(b)).count();
        settled[i] == parts[i].needs.len()
    });
    ready.or_else(|| waiting.iter().position(|&i| parts[i].method == "POST")).unwrap_or(0)
}

async fn run(
    call: &mut Call,
    part: &Part,
    index: usize,
    progress: &mut Progress,
) -> Result<Reply, ScimError> {
    for needed in &part.needs {
        if progress.failed.contains(needed) || !progress.ids.contains_key(needed) {
            return Err(unresolved(needed));
        }
    }
    let (path, query) = part.path.split_once('?').unwrap_or((&part.path, ""));
    let path = resolve_text(path, &progress.ids);
    let operation = route(&part.method, &path)?;
    let mut data = part.data.clone().unwrap_or(Value::Null);
    let open = open_members(&mut data, &operation, progress);
    resolve(&mut data, &progress.ids);
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let mut child = child(call, part, &target, operation.name(), &data);
    child.query = Query::from_url(query, &mut child.notes)?;
    child.settled = part.bulk_id.as_ref().and_then(|b| progress.ids.get(b)).copied();
    let mut outcome = one(&mut child, operation, &data).await;
    if let Ok(reply) = &outcome
        && let (Some(id), false) = (reply.subject, open.is_empty())
    {
        progress.open.push((index, id, open));
    }
    if let Err(error) = &outcome {
        outcome = Ok(Reply::failure(error.clone(), child.opened.id));
    }
    let mut reply = outcome?;
    let kept = keep(&call.app.engine, &call.app.strangers, reply.kept, || {
        reply.close(&child.opened, &child.notes)
    })
    .await;
    kept.map_err(|e| super::failure::unavailable("bulk operation", &e))?;
    reply.kept = Kept::InAppend;
    Ok(reply)
}

/// The answers of single operations that are not bulk's to give.
pub(super) async fn one(
    child: &mut Call,
    operation: Operation,
    data: &Value,
) -> Result<Reply, ScimError> {
    child.gather(&operation).await?;
    match operation {
        Operation::Create(kind) => {
            let id = child.settled.ok_or_else(|| {
                ScimError::invalid_syntax("a POST operation needs a bulkId".to_owned())
            })?;
            let limits = child.limits.clone();
            let decoded = decode_resource(kind, data, &limits, &mut child.notes)?;
            match kind {
                ResourceKind::User => create_as::<User>(child, id, decoded).await,
                ResourceKind::Group => create_as::<Group>(child, id, decoded).await,
            }
        }
        Operation::Replace(..) | Operation::Patch(..) | Operation::Delete(..) => {
            Box::pin(dispatch(child, operation)).await
        }
        _ => Err(ScimError::invalid_value(
            "a bulk operation must be POST, PUT, PATCH or DELETE on /Users or /Groups".to_owned(),
        )),
    }
}

fn child(call: &Call, part: &Part, target: &str, operation: &'static str, data: &Value) -> Call {
    let body = if data.is_null() { Vec::new() } else { data.to_string().into_bytes() };
    let id = call.app.engine.ids.exchange();
    let mut opened = call.opened.part(id, part.method.clone(), target.to_owned(), operation, body);
    // So that the exchange alone says all that was asked.
    opened
        .headers
        .extend(part.version.iter().map(|version| ("if-match".to_owned(), version.clone())));
    Call {
        app: call.app.clone(),
        limits: call.limits.clone(),
        opened: Arc::new(opened),
        query: Query::default(),
        conditions: part.version.as_deref().map(Conditions::from_version).unwrap_or_default(),
        notes: Default::default(),
        settled: None,
    }
}

/// Takes members out of a new group that are not created yet; they are added at the end.
fn open_members(data: &mut Value, operation: &Operation, progress: &Progress) -> Vec<String> {
    let mut open = Vec::new();
    if !matches!(operation, Operation::Create(ResourceKind::Group)) {
        return open;
    }
    let members = data
        .as_object_mut()
        .and_then(|map| map.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("members")));
    if let Some((_, Value::Array(members))) = members {
        members.retain(|member| {
            let reference = member
                .get("value")
                .or(Some(member))
                .and_then(Value::as_str)
                .and_then(|v| v.strip_prefix("bulkId:"));
            match reference {
                Some(bulk_id)
                    if progress.ids.contains_key(bulk_id) && !progress.done.contains(bulk_id) =>
                {
                    open.push(bulk_id.to_owned());
                    false
                }
                _ => true,
            }
        });
    }
    open
}

async fn add_open(
    call: &mut Call,
    group: ResourceId,
    members: &[String],
    progress: &Progress,
) -> Result<Reply, ScimError> {
    let unsettled = members.iter().find(|m| !progress.done.contains(*m));
    if let Some(bulk_id) = unsettled {
        return Err(unresolved(bulk_id));
    }
    let value: Vec<Value> = members
        .iter()
        .filter_map(|m| progress.ids.get(m))
        .map(|id| json!({ "value": id.to_string() }))
        .collect();
    let data = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "members", "value": value }],
    });
    let part = Part {
        method: "PATCH".into(),
        path: String::new(),
        bulk_id: None,
        version: None,
        data: None,
        needs: Vec::new(),
    };
    let mut child = child(call, &part, &format!("/Groups/{group}"), "groups.patch", &data);
    child.gather(&Operation::Patch(ResourceKind::Group, group)).await?;
    patch::<Group>(&mut child, group).await
}

/// Takes a group away again that this request created.
async fn undo(call: &mut Call, group: ResourceId) -> Result<Reply, ScimError> {
    let part = Part {
        method: "DELETE".into(),
        path: String::new(),
        bulk_id: None,
        version: None,
        data: None,
        needs: Vec::new(),
    };
    let mut child = child(call, &part, &format!("/Groups/{group}"), "groups.delete", &Value::Null);
    child.gather(&Operation::Delete(ResourceKind::Group, group)).await?;
    delete::<Group>(&mut child, group).await
}

fn unresolved(bulk_id: &str) -> ScimError {
    let mut error = ScimError::invalid_value(format!(
        "bulkId {bulk_id:?} does not stand for a resource that this request created"
    ));
    error.status = 409;
    error
}

fn note(
    part: &Part,
    index: usize,
    outcome: Result<Reply, ScimError>,
    base: &str,
    progress: &mut Progress,
) {
    let (status, reply, body) = match outcome {
        Ok(reply) => {
            progress.at = progress.at.max(reply.at);
            let body = reply.error.as_ref().map(ScimError::body);
            (reply.status, Some(reply), body)
        }
        Err(error) => (error.status, None, Some(error.body())),
    };
    let failed = status >= 400;
    let mut result = Map::new();
    result.insert("method".into(), json!(part.method));
    result.insert("status".into(), json!(status.to_string()));
    if let Some(bulk_id) = &part.bulk_id {
        result.insert("bulkId".into(), json!(bulk_id));
        if part.method == "POST" {
            let settled = if failed { &mut progress.failed } else { &mut progress.done };
            settled.insert(bulk_id.clone());
        }
    }
    // RFC 7644 section 3.7: always there but for a POST that failed.
    let path = part.path.split_once('?').map_or(part.path.as_str(), |(path, _)| path);
    let about = match route(&part.method, &resolve_text(path, &progress.ids)) {
        Ok(Operation::Create(kind)) => reply.as_ref().and_then(|r| r.subject).map(|id| (kind, id)),
        Ok(operation) => operation.subject(),
        Err(_) => None,
    };
    if let Some((kind, id)) = about {
        result.insert("location".into(), json!(location(base, kind, id)));
    }
    let mut result = Some(Value::Object(result));
    if let Some(reply) = &reply {
        note_version(reply, &mut result);
    }
    if let (Some(Value::Object(result)), Some(body)) = (&mut result, body.filter(|_| failed)) {
        result.insert("response".into(), body);
    }
    if failed && !matches!(&progress.results[index], Some(before) if before["response"].is_object())
    {
        progress.errors += 1;
    }
    progress.results[index] = result;
}

fn note_version(reply: &Reply, result: &mut Option<Value>) {
    if let (Some(result), Some((_, version))) =
        (result, reply.headers.iter().find(|(name, _)| *name == "etag"))
    {
        result["version"] = json!(version);
    }
}

fn read(body: &Value, max_operations: u64) -> Result<(Vec<Part>, Option<u64>), ScimError> {
    let syntax = |what: &str| ScimError::invalid_syntax(what.to_owned());
    let map = body.as_object().ok_or_else(|| syntax("a bulk request must be a JSON object"))?;
    let field =
        |name: &str| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    let operations = field("Operations")
        .and_then(Value::as_array)
        .ok_or_else(|| syntax("a bulk request needs an Operations array"))?;
    if operations.len() as u64 > max_operations {
        return Err(ScimError::too_large(format!(
            "a bulk request may hold {max_operations} operations, this one has {}",
            operations.len()
        )));
    }
    let fail_on_errors = match field("failOnErrors") {
        None | Some(Value::Null) => None,
        Some(v) => Some(v.as_u64().filter(|n| *n > 0).ok_or_else(|| {
            ScimError::invalid_value("failOnErrors must be a positive integer".to_owned())
        })?),
    };
    let mut seen = HashSet::new();
    let mut parts = Vec::with_capacity(operations.len());
    for (i, operation) in operations.iter().enumerate() {
        let text = |name: &str| operation.get(name).and_then(Value::as_str).map(str::to_owned);
        let method = text("method")
            .ok_or_else(|| syntax(&format!("operation {i} has no method")))?
            .to_ascii_uppercase();
        let path = text("path").ok_or_else(|| syntax(&format!("operation {i} has no path")))?;
        let bulk_id = text("bulkId");
        if method == "POST" && bulk_id.is_none() {
            return Err(syntax(&format!("operation {i} is a POST without a bulkId")));
        }
        if let Some(bulk_id) = &bulk_id
            && !seen.insert(bulk_id.clone())
        {
            return Err(syntax(&format!("bulkId {bulk_id:?} is used twice")));
        }
        let data = operation.get("data").cloned();
        let mut needs = BTreeSet::new();
        collect(data.as_ref().unwrap_or(&Value::Null), &mut needs);
        needs.extend(
            path.split(['/', '?']).filter_map(|s| s.strip_prefix("bulkId:")).map(str::to_owned),
        );
        let needs = needs.into_iter().collect();
        parts.push(Part { method, path, bulk_id, version: text("version"), data, needs });
    }
    Ok((parts, fail_on_errors))
}

fn collect(value: &Value, needs: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => needs.extend(text.strip_prefix("bulkId:").map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, needs)),
        Value::Object(map) => map.iter().for_each(|(name, item)| match item {
            Value::String(path) if name.eq_ignore_ascii_case("path") => {
                needs.extend(quoted_references(path).map(str::to_owned))
            }
            item => collect(item, needs),
        }),
        _ => {}
    }
}

/// The bulk ids in the filters of a PATCH path, such as `members[value eq "bulkId:1"]`.
fn quoted_references(path: &str) -> impl Iterator<Item = &str> {
    path.split("\"bulkId:")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(bulk_id, _)| bulk_id)
}

fn resolve(value: &mut Value, ids: &HashMap<String, ResourceId>) {
    match value {
        Value::String(text) => {
            if let Some(id) = text.strip_prefix("bulkId:").and_then(|b| ids.get(b)) {
                *text = id.to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, ids)),
        Value::Object(map) => map.iter_mut().for_each(|(name, item)| match item {
            Value::String(path) if name.eq_ignore_ascii_case("path") => {
                let named: Vec<(String, ResourceId)> = quoted_references(path)
                    .filter_map(|b| Some((b.to_owned(), *ids.get(b)?)))
                    .collect();
                for (bulk_id, id) in named {
                    *path = path.replace(&format!("\"bulkId:{bulk_id}\""), &format!("\"{id}\""));
                }
            }
            item => resolve(item, ids),
        }),
        _ => {}
    }
}

fn resolve_text(path: &str, ids: &HashMap<String, ResourceId>) -> String {
    let resolve = |segment: &str| match segment.strip_prefix("bulkId:").and_then(|b| ids.get(b)) {
        Some(id) => id.to_string(),
        None => segment.to_owned(),
    };
    path.split('/').map(resolve).collect::<Vec<_>>().join("/")
}
