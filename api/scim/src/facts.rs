//! The facts of a write, gathered before it is decided, so that a refusal has them as well.

use super::failure;
use super::route::Operation;
use rollcall_domain::failure::{Wanted, Wants, left_undone as wants_left_undone, wanted};
use rollcall_domain::fold_text::fold_text;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::scim::{ResourceKind, ScimError, read_json};
use rollcall_door::App;
use rollcall_door::exchange::Opened;
use rollcall_engine::claims::keyed as hashed;
use serde_json::Value;

/// Keeps with an exchange what it wants and, of a new resource, how its client names it; both as
/// keyed hashes. What is no write has none.
pub async fn gather(
    app: &App,
    opened: &mut Opened,
    operation: &Operation,
) -> Result<(), ScimError> {
    let write = match operation {
        Operation::Create(kind) => Wanted::Create(*kind),
        Operation::Replace(kind, _) => Wanted::Replace(*kind),
        Operation::Patch(kind, _) => Wanted::Patch(*kind),
        Operation::Delete(..) => Wanted::Delete,
        // Of one that is served, its operations tell; of one that is refused, nothing else does.
        Operation::Bulk => Wanted::Bulk,
        _ => return Ok(()),
    };
    keep(app, opened, write).await
}

/// The access that operations of a bulk request were to end which were not carried out.
pub async fn left_undone(
    app: &App,
    organization: OrganizationId,
    operations: &[Value],
) -> Result<Wants, ScimError> {
    let key = app.engine.claim_key(organization).await;
    let key = key.map_err(|e| failure::unavailable("key of an organization", &e))?;
    Ok(wants_left_undone(operations, &app.limits, &|text| hashed(&key, text)))
}

async fn keep(app: &App, opened: &mut Opened, write: Wanted) -> Result<(), ScimError> {
    let key = app.engine.claim_key(opened.organization).await;
    let key = key.map_err(|e| failure::unavailable("key of an organization", &e))?;
    let keyed = |text: &str| hashed(&key, text);
    let body = read_json(&opened.body, &app.limits).ok();
    if let (Wanted::Create(kind), Some(body)) = (write, &body) {
        opened.subject_key = name(kind, body).map(|text| keyed(&text));
    }
    opened.wants = wanted(write, body.as_ref(), &app.limits, &keyed);
    Ok(())
}

/// How a client names the resource that it creates: by what never changes in its directory first.
fn name(kind: ResourceKind, body: &Value) -> Option<String> {
    let field = |name: &str| {
        let found = body.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let own = if kind == ResourceKind::User { "userName" } else { "displayName" };
    let (name, value) =
        ["externalId", own].into_iter().find_map(|name| field(name).map(|value| (name, value)))?;
    Some(format!("{} {name} {}", kind.name(), fold_text(value)))
}
