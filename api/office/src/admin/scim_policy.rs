//! What an organization's SCIM connection asks of its client.

use super::guard::{Admin, OrganizationPath, command};
use axum::Json;
use axum::extract::{Path, State};
use rollcall_contract::Problem;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_domain::scim::{Policy, StrictRule};
use rollcall_door::App;
use rollcall_door::Refusal;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What a `replace` of some members of a group means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MembersReplace {
    /// These, and no others, are members (RFC 7644 section 3.5.2.3).
    Replace,
    /// These become members as well.
    Add,
}

/// The choices to change; what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScimPolicyChange {
    /// Keep the rules of the interoperability profile that Entra's habits break.
    pub strict: Option<bool>,
    /// What a `replace` of some members means.
    pub members_replace: Option<MembersReplace>,
}

/// The choices of a connection.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimPolicyBody {
    /// Whether what breaks a strict rule is refused.
    pub strict: bool,
    /// What a `replace` of some members means.
    pub members_replace: MembersReplace,
    /// The rules that a strict connection keeps.
    pub strict_rules: Vec<StrictRuleBody>,
}

/// One rule.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StrictRuleBody {
    /// Its stable name.
    pub name: String,
    /// What it asks.
    pub description: String,
}

impl From<&Policy> for ScimPolicyBody {
    fn from(policy: &Policy) -> Self {
        let rule = |rule: &StrictRule| StrictRuleBody { name: rule.as_str().to_owned(), description: rule.sentence().to_owned() };
        Self {
            strict: policy.strict,
            members_replace: if policy.members_replace_adds { MembersReplace::Add } else { MembersReplace::Replace },
            strict_rules: StrictRule::ALL.iter().map(rule).collect(),
        }
    }
}

/// What the SCIM connection asks of its client.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/scim/policy", tag = "scim", params(OrganizationPath),
    security(("operator" = [])), responses((status = 200, body = ScimPolicyBody), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn show(_: Admin, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<Json<ScimPolicyBody>, Refusal> {
    Ok(Json(ScimPolicyBody::from(&path.find(&app).await?.policy)))
}

/// Changes what the SCIM connection asks of its client.
#[utoipa::path(patch, path = "/api/v1/organizations/{organization}/scim/policy", tag = "scim", params(OrganizationPath),
    request_body = ScimPolicyChange, security(("operator" = [])),
    responses((status = 200, body = ScimPolicyBody), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn change(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Json(change): Json<ScimPolicyChange>,
) -> Result<Json<ScimPolicyBody>, Refusal> {
    let organization = path.find(&app).await?;
    let members_replace_adds = change.members_replace.map(|meaning| meaning == MembersReplace::Add);
    let set = OrganizationCommand::SetScimPolicy { strict: change.strict, members_replace_adds };
    command(&app, &admin, organization.id, false, set).await?;
    Ok(Json(ScimPolicyBody::from(&path.find(&app).await?.policy)))
}
