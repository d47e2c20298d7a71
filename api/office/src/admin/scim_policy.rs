//! What an organization's SCIM connection asks of its client.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::scim::{MembersReplace, ScimPolicyBody, ScimPolicyChange, StrictRuleBody};
use rollcall_domain::organization::OrganizationCommand;
use rollcall_domain::scim::{Policy, StrictRule};
use rollcall_door::App;
use rollcall_door::callers::{Admin, find};
use rollcall_door::{Given, Refusal};
use std::sync::Arc;

fn body(policy: &Policy) -> ScimPolicyBody {
    let rule = |rule: &StrictRule| StrictRuleBody {
        name: rule.as_str().to_owned(),
        description: rule.sentence().to_owned(),
    };
    ScimPolicyBody {
        strict: policy.strict,
        members_replace: if policy.members_replace_adds {
            MembersReplace::Add
        } else {
            MembersReplace::Replace
        },
        strict_rules: StrictRule::ALL.iter().map(rule).collect(),
    }
}

/// What the SCIM connection asks of its client.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/scim/policy",
    tag = "scim",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = ScimPolicyBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(admin: Admin) -> Result<Json<ScimPolicyBody>, Refusal> {
    Ok(Json(body(&admin.organization.policy)))
}

/// Changes what the SCIM connection asks of its client.
#[utoipa::path(
    patch,
    path = "/api/v1/organizations/{organization}/scim/policy",
    tag = "scim",
    params(OrganizationPath),
    request_body = ScimPolicyChange,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = ScimPolicyBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn change(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(change): Given<ScimPolicyChange>,
) -> Result<Json<ScimPolicyBody>, Refusal> {
    let members_replace_adds = change.members_replace.map(|meaning| meaning == MembersReplace::Add);
    let set = OrganizationCommand::SetScimPolicy { strict: change.strict, members_replace_adds };
    admin.execute(&app, set, StatusCode::OK).await?;
    let now = find(&app, &admin.organization.id.to_string()).await?;
    Ok(Json(body(&now.policy)))
}
