//! The console: links that let people in, and who is signed in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Where a link to the console leads; its secret follows as a fragment.
pub const OPEN_PATH: &str = "/open";

/// Where a setup link leads; its secret follows as a fragment.
pub const SETUP_PATH: &str = "/setup";

/// Where somebody comes in who signs in through their organization; its slug follows.
pub const SIGN_IN_PATH: &str = "/sign-in/organization";

/// That place for one organization, below the public URL.
pub fn sign_in_address(public_url: &str, slug: &str) -> String {
    format!("{}{SIGN_IN_PATH}/{slug}", public_url.trim_end_matches('/'))
}

/// Hours that a link lives if nobody says.
pub const USUAL_HOURS: u32 = 72;

/// Hours that a link lives at most: 30 days.
pub const MOST_HOURS: u32 = 720;

/// As whom a link lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkRole {
    /// May change the organization.
    Admin,
    /// Reads everything of the organization, and changes nothing.
    Auditor,
    /// Sets up single sign-on and provisioning of the organization, and nothing else.
    Setup,
}

/// A new link.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// As whom it lets in.
    pub role: LinkRole,
    /// Whom it is for: history says so of everything that is done with it.
    pub label: String,
    /// It lets in for so many hours: 72 if absent, 720 at most.
    #[serde(default)]
    pub hours: Option<u32>,
    /// Whether it lets in more than once.
    #[serde(default)]
    pub shareable: bool,
}

/// A link, shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkMade {
    /// Names the link; absent of an operator's own, which lives for a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_id: Option<Uuid>,
    /// To be opened in a browser; not shown again. What follows `#` never reaches a server's logs.
    pub url: String,
    /// From when on it lets nobody in.
    #[serde(serialize_with = "crate::time::serialize")]
    pub ends_at: DateTime<Utc>,
}

/// A link as it can be seen later.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkBody {
    /// Names the link.
    pub link_id: Uuid,
    /// `admin`, `auditor` or `setup`.
    pub role: String,
    /// Whom it is for.
    pub label: String,
    /// `live`, `used`, `ended` or `revoked`.
    pub state: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    #[serde(serialize_with = "crate::time::serialize")]
    pub made_at: DateTime<Utc>,
    /// From when on it lets nobody in.
    #[serde(serialize_with = "crate::time::serialize")]
    pub ends_at: DateTime<Utc>,
    /// Whether it lets in more than once.
    pub shareable: bool,
    /// How often it let somebody in.
    pub uses: u64,
    /// When it last did.
    #[serde(serialize_with = "crate::time::optional")]
    pub last_use_at: Option<DateTime<Utc>>,
    /// From which address that was.
    pub last_use_from: Option<String>,
    /// The credential that its holder acts by.
    pub key_id: Option<Uuid>,
}

/// The link in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LinkPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Names the link.
    pub link: Uuid,
}

/// Somebody who is, or was, signed in to the console.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsoleSessionBody {
    /// Names the session.
    pub session_id: Uuid,
    /// `operator`, `admin`, `auditor` or `setup`.
    pub role: String,
    /// Who.
    pub label: String,
    /// Whether it lets in now.
    pub live: bool,
    /// When it began.
    #[serde(serialize_with = "crate::time::serialize")]
    pub began_at: DateTime<Utc>,
    /// When something was last asked in it, to the minute.
    #[serde(serialize_with = "crate::time::serialize")]
    pub seen_at: DateTime<Utc>,
    /// When it is over at the latest.
    #[serde(serialize_with = "crate::time::serialize")]
    pub ends_at: DateTime<Utc>,
    /// The address from which it began.
    pub source: Option<String>,
}

/// The session in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConsoleSessionPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Names the session.
    pub session: Uuid,
}

/// As whom the members of a group use the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConsoleGroupRole {
    /// May change the organization.
    Admin,
    /// Reads everything of the organization, and changes nothing.
    Auditor,
}

/// What the members of a group are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsoleGroup {
    /// As whom they use the console.
    pub role: ConsoleGroupRole,
}

/// A group whose members use the console, by signing in through their organization.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsoleGroupBody {
    /// The group. One that is made anew under the same name is another group.
    pub group_id: Uuid,
    /// What it is called; absent if it is gone, and lets nobody in.
    pub group: Option<String>,
    /// As whom its members use the console.
    pub role: ConsoleGroupRole,
    /// How many users are members of it: themselves, not by a group within it.
    pub members: u64,
    /// When they were let in.
    #[serde(serialize_with = "crate::time::serialize")]
    pub set_at: DateTime<Utc>,
}

/// The group in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConsoleGroupPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// The group's id, its `displayName` now, or its external id.
    pub group: String,
}
