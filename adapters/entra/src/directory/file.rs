//! A tenant read from a JSON file.

use super::user::yes;
use super::{Directory, Group, Profile, Scope, User, UserKey};
use crate::seed::Seed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A tenant as a file describes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTenant {
    /// Users, with Microsoft Graph's names for their properties.
    pub users: Vec<FileUser>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<FileGroup>,
}

/// A user and who its manager is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FileUser {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// Object id or sign-in name of the manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
}

/// A group and its members.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileGroup {
    /// Object id.
    pub id: Uuid,
    /// Name.
    pub display_name: String,
    /// Object ids or sign-in names of the members.
    #[serde(default)]
    pub members: Vec<String>,
    /// Whether the group is assigned to the application.
    #[serde(default = "yes")]
    pub assigned: bool,
}

/// Why a file is no tenant.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not JSON of the right shape.
    #[error("the tenant file cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Two users have the same id or sign-in name.
    #[error("two users have the name or id {0}")]
    Twice(String),
    /// A reference leads nowhere.
    #[error(
        "{referrer} names {name}, which is neither the id nor the sign-in name of a user in the file"
    )]
    Unknown {
        /// Who names it.
        referrer: String,
        /// What is named.
        name: String,
    },
    /// More than can be counted.
    #[error("the tenant file has too many users")]
    TooMany,
}

impl FileTenant {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it is not JSON of the right shape.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The directory it describes.
    ///
    /// # Errors
    /// If ids or names are not unique, or a reference leads nowhere.
    pub fn into_directory(self, seed: Seed, scope: Scope) -> Result<Directory, FileError> {
        let mut by_name = HashMap::new();
        for (n, entry) in self.users.iter().enumerate() {
            let key = UserKey(u32::try_from(n).map_err(|_| FileError::TooMany)?);
            for name in
                [entry.user.object_id.to_string(), entry.user.user_principal_name.to_lowercase()]
            {
                if by_name.insert(name.clone(), key).is_some() {
                    return Err(FileError::Twice(name));
                }
            }
        }
        let find = |referrer: &str, name: &str| {
            by_name.get(&name.to_lowercase()).copied().ok_or_else(|| FileError::Unknown {
                referrer: referrer.to_owned(),
                name: name.to_owned(),
            })
        };
        let mut groups = Vec::new();
        for group in self.groups {
            let members = group
                .members
                .iter()
                .map(|m| find(&group.display_name, m))
                .collect::<Result<BTreeSet<_>, _>>()?;
            let FileGroup { id, display_name, assigned, .. } = group;
            groups.push(Group { object_id: id, display_name, members, assigned, deleted: false });
        }
        let mut users = HashMap::new();
        for (n, entry) in (0_u32..).zip(self.users) {
            let manager = entry
                .manager
                .as_deref()
                .map(|m| find(&entry.user.user_principal_name, m))
                .transpose()?;
            users.insert(UserKey(n), User { manager, ..entry.user });
        }
        let count = u32::try_from(users.len()).map_err(|_| FileError::TooMany)?;
        let profile = Profile { users: 0, groups: 0, memberships: 0, ..Profile::sized(0) };
        Ok(Directory::with(seed, profile, scope, count, users, groups))
    }
}

impl Directory {
    /// The tenant as a file: everybody who is not deleted for good, and all groups.
    pub fn to_file(&self) -> FileTenant {
        let id_of = |key: UserKey| self.user(key).map(|u| u.object_id.to_string());
        let users = (0..self.users()).filter_map(|n| self.user(UserKey(n)));
        FileTenant {
            users: users
                .map(|user| FileUser { manager: user.manager.and_then(id_of), user })
                .collect(),
            groups: self
                .groups()
                .iter()
                .filter(|g| !g.deleted)
                .map(|g| FileGroup {
                    id: g.object_id,
                    display_name: g.display_name.clone(),
                    members: g.members.iter().filter_map(|m| id_of(*m)).collect(),
                    assigned: g.assigned,
                })
                .collect(),
        }
    }
}
