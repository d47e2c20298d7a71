//! A user of the tenant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A user's number in its directory; never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserKey(pub u32);

/// A user as Microsoft Graph shows one, as far as provisioning reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Object id: the one identifier that never changes.
    #[serde(rename = "id")]
    pub object_id: Uuid,
    /// Sign-in name; a guest's holds `#EXT#`.
    pub user_principal_name: String,
    /// The part of it before the `@`, as a rule.
    #[serde(default)]
    pub mail_nickname: String,
    /// As shown to others.
    pub display_name: String,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Employee number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    /// Mobile phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<String>,
    /// Where the desk is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office_location: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Country, two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Language, such as `en-GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    /// Whether the user is a guest.
    #[serde(default)]
    pub guest: bool,
    /// Custom extension attributes by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extension: BTreeMap<String, String>,
    /// Manager.
    #[serde(skip)]
    pub manager: Option<UserKey>,
    /// False if sign-in is blocked.
    #[serde(default = "yes")]
    pub account_enabled: bool,
    /// When the user went into the recycle bin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
    /// Whether the user is assigned to the application by name.
    #[serde(default = "yes")]
    pub assigned: bool,
}

/// What a file that leaves it out means.
pub(super) fn yes() -> bool {
    true
}
