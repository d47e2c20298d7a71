//! Discovery endpoints (RFC 7644 section 4).

use super::call::Call;
use super::reply::Reply;
use rollcall_domain::credential::{Proof, Purpose};
use rollcall_domain::scim::{self, ProviderLimits, ScimError, Ways};
use rollcall_projections::credential::CredentialState;
use serde_json::{Value, json};

/// Seconds for which a cursor is good at least. Ours hold no state and never expire.
const CURSOR_TIMEOUT: u64 = 86_400;

/// `/ServiceProviderConfig`
pub async fn service_provider_config(call: &Call) -> Result<Reply, ScimError> {
    refuse_filter(call)?;
    let ways = ways(call).await?;
    let config = &call.app.config;
    let limits = ProviderLimits {
        max_operations: config.max_bulk_operations,
        max_payload_size: config.max_body_bytes,
        max_results: config.max_page_size,
        default_page_size: config.default_page_size,
        max_page_size: config.max_page_size,
        cursor_timeout: CURSOR_TIMEOUT,
    };
    Ok(Reply::json(
        200,
        &scim::service_provider_config(&call.app.scim_base, &limits, &call.limits.policy, ways),
    ))
}

/// How the clients of this connection can show who they are: by the credentials that are live.
async fn ways(call: &Call) -> Result<Ways, ScimError> {
    let app = &call.app;
    let all = app.credentials.list(call.opened.organization, Purpose::Scim).await;
    let all = all.map_err(|error| app.trouble("credentials", &error))?;
    let now = app.engine.clock.now();
    let live = || all.iter().filter(|row| row.state(now) == CredentialState::Live);
    let is_token = |proof: &Proof| matches!(proof, Proof::Token { .. });
    Ok(Ways {
        token: live().any(|row| is_token(&row.proof)),
        oauth2: live().any(|row| !is_token(&row.proof)),
    })
}

/// `/Schemas` and `/Schemas/{id}`
pub fn schemas(call: &Call, id: Option<&str>) -> Result<Reply, ScimError> {
    answer(call, scim::schemas(&call.app.scim_base), id, "id", "schema")
}

/// `/ResourceTypes` and `/ResourceTypes/{name}`
pub fn resource_types(call: &Call, name: Option<&str>) -> Result<Reply, ScimError> {
    answer(call, scim::resource_types(&call.app.scim_base), name, "name", "resource type")
}

fn answer(
    call: &Call,
    all: Vec<Value>,
    one: Option<&str>,
    key: &str,
    noun: &str,
) -> Result<Reply, ScimError> {
    refuse_filter(call)?;
    let Some(one) = one else {
        let list = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": all.len(),
            "startIndex": 1,
            "itemsPerPage": all.len(),
            "Resources": all,
        });
        return Ok(Reply::json(200, &list));
    };
    let found = all.iter().find(|v| v[key].as_str().is_some_and(|k| k.eq_ignore_ascii_case(one)));
    found
        .map(|v| Reply::json(200, v))
        .ok_or_else(|| ScimError::not_found(format!("there is no {noun} of that {key}")))
}

/// RFC 7644 section 4: a filter on a discovery endpoint is answered 403.
fn refuse_filter(call: &Call) -> Result<(), ScimError> {
    match call.query.filter {
        None => Ok(()),
        Some(_) => Err(ScimError::forbidden("discovery endpoints take no filter")),
    }
}
