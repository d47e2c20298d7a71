//! A recorded request on its way through today's code: the caller is known from the record, so
//! there is no token, and the body is there, so nothing is read from a socket.

use super::authenticate::standing;
use super::bulk;
use super::call::{Call, Conditions};
use super::entry::below_prefix;
use super::facts;
use super::failure;
use super::path;
use super::perform::perform;
use super::query::Query;
use super::reply::Reply;
use super::route::{Operation, route};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::scim::ScimError;
use rollcall_door::App;
use rollcall_door::exchange::{Kept, Opened, guarded};
use serde_json::Value;
use std::sync::Arc;

/// A request to run again.
pub struct Rerun<'a> {
    /// The exchange it will be: the recorded one, or a new one with the old one's request.
    pub exchange: &'a Exchange,
    /// The id a new resource is to have; drawn, if absent.
    pub settled: Option<ResourceId>,
}

/// Carries a recorded request out again. Gives the exchange as it came out now; it is in the log
/// of `app` when this returns, with what it caused.
pub async fn rerun(app: &Arc<App>, rerun: Rerun<'_>) -> Exchange {
    let mut opened = Opened::again(rerun.exchange);
    let mut notes = Notes::default();
    let outcome = guarded(carry_out(app, &rerun, &mut opened, &mut notes)).await;
    let outcome = outcome.unwrap_or_else(|| Err(failure::damaged("a request handler panicked")));
    let mut reply = outcome.unwrap_or_else(|error| Reply::failure(error, opened.id));
    // A replay leaves nobody access, and so is not counted as one that does.
    if reply.kept == Kept::Record
        && let Err(error) = app.engine.record(reply.close(&opened, &notes)).await
    {
        reply = Reply::failure(failure::unavailable("recording an exchange", &error), opened.id);
    }
    reply.close(&opened, &notes)
}

async fn carry_out(
    app: &Arc<App>,
    rerun: &Rerun<'_>,
    opened: &mut Opened,
    notes: &mut Notes,
) -> Result<Reply, ScimError> {
    let target = opened.target.clone();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    // What is below the SCIM base; an operation of a bulk request names nothing else.
    let below = if opened.parent.is_some() { path } else { below_prefix(path).unwrap_or_default() };
    if opened.parent.is_none() {
        path::note(path, below, notes);
    }
    let operation = route(&opened.method, below);
    opened.operation = operation.as_ref().map_or("unknown", |o| o.name());
    let organization = app.organizations.by_id(opened.organization).await;
    let organization = organization.map_err(|e| app.trouble("organization lookup", &e))?;
    let organization = organization
        .ok_or_else(|| failure::damaged("the organization of an exchange is not there"))?;
    if let Ok(operation) = &operation {
        facts::gather(app, opened, operation).await?;
    }
    if let Some(refusal) = standing(&organization) {
        return Err(refusal);
    }
    let headers = headers(&opened.headers);
    let mut call = Call {
        app: app.clone(),
        limits: app.limits_of(&organization.policy),
        query: Query::from_url(query, notes)?,
        opened: Arc::new(opened.clone()),
        conditions: Conditions::from_headers(&headers),
        notes: std::mem::take(notes),
        settled: rerun.settled,
    };
    let outcome = run(&mut call, operation?).await;
    *notes = call.notes;
    outcome
}

async fn run(call: &mut Call, operation: Operation) -> Result<Reply, ScimError> {
    if call.opened.parent.is_none() {
        return perform(call, operation).await;
    }
    let data: Value = serde_json::from_slice(&call.opened.body).unwrap_or_default();
    call.settled = Some(call.new_resource());
    bulk::one(call, operation, &data).await
}

fn headers(recorded: &[(String, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in recorded {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    headers
}
