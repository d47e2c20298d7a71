//! An organization's SCIM connection: how it is enabled, and what it asks of its client.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How SCIM is enabled.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct EnableQuery {
    /// Enable it although single sign-on is not set up.
    pub allow_without_sso: bool,
}

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
