//! What happens in a company, and what becomes of the directory.

use super::generate::next_group;
use super::{Delta, Directory, Group, GroupKey, Scope, User, UserKey};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// One change. What is not possible (somebody is gone, or a member already) changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Somebody joins.
    Join(Box<User>),
    /// Somebody leaves: into the recycle bin.
    Leave(UserKey),
    /// Somebody is taken out of the recycle bin.
    Restore(UserKey),
    /// The recycle bin is emptied of somebody.
    Purge(UserKey),
    /// Sign-in is blocked.
    Disable(UserKey),
    /// Sign-in is allowed again.
    Enable(UserKey),
    /// Somebody has another family name, and with it another address.
    Rename(UserKey, String),
    /// Somebody has another sign-in name and nothing else.
    SignIn(UserKey, String),
    /// Somebody works elsewhere, as something else.
    Move(UserKey, String, String),
    /// Somebody has another phone.
    Phone(UserKey, String),
    /// Somebody has another manager, or none.
    Manager(UserKey, Option<UserKey>),
    /// Somebody is assigned to the application by name.
    Assign(UserKey),
    /// Somebody no longer is.
    Unassign(UserKey),
    /// There is a new group.
    Found(String),
    /// A group has another name.
    RenameGroup(GroupKey, String),
    /// A group is deleted.
    Dissolve(GroupKey),
    /// Somebody becomes a member.
    Enter(GroupKey, UserKey),
    /// Somebody is no longer a member.
    Exit(GroupKey, UserKey),
}

/// A change and when it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub change: Change,
}

impl Directory {
    /// Applies a change.
    pub fn apply(&mut self, change: &Change, at: DateTime<Utc>) {
        match change {
            Change::Join(user) => self.join(user),
            Change::Leave(key) => self.edit(*key, |u| u.deleted_at = u.deleted_at.or(Some(at))),
            Change::Restore(key) => self.edit(*key, |u| u.deleted_at = None),
            Change::Purge(key) => self.purge(*key),
            Change::Disable(key) => self.edit(*key, |u| u.account_enabled = false),
            Change::Enable(key) => self.edit(*key, |u| u.account_enabled = true),
            Change::Rename(key, family) => self.edit(*key, |u| rename(u, family)),
            Change::SignIn(key, name) => {
                self.edit(*key, |u| u.user_principal_name.clone_from(name))
            }
            Change::Move(key, department, title) => self.edit(*key, |u| {
                u.department = Some(department.clone());
                u.job_title = Some(title.clone());
            }),
            Change::Phone(key, number) => {
                self.edit(*key, |u| u.mobile_phone = Some(number.clone()))
            }
            Change::Manager(key, manager) => self.edit(*key, |u| u.manager = *manager),
            Change::Assign(key) => self.edit(*key, |u| u.assigned = true),
            Change::Unassign(key) => self.edit(*key, |u| u.assigned = false),
            Change::Found(name) => self.found(name),
            Change::RenameGroup(key, name) => {
                self.edit_group(*key, |g| g.display_name.clone_from(name))
            }
            Change::Dissolve(key) => self.dissolve(*key),
            Change::Enter(group, user) => self.enter(*group, *user),
            Change::Exit(group, user) => self.exit(*group, *user),
        }
    }

    fn join(&mut self, user: &User) {
        let key = UserKey(self.users);
        self.users += 1;
        self.touched.insert(key, user.clone());
        self.deltas.push(Delta::User(key));
        if user.manager.is_some() {
            self.deltas.push(Delta::Manager(key));
        }
    }

    fn edit(&mut self, key: UserKey, edit: impl FnOnce(&mut User)) {
        let Some(before) = self.user(key) else { return };
        let mut after = before.clone();
        edit(&mut after);
        if after == before {
            return;
        }
        if after.manager != before.manager {
            self.deltas.push(Delta::Manager(key));
        }
        // A manager is a reference: the user as such is told of only if something else changed.
        if (User { manager: before.manager, ..after.clone() }) != before {
            self.deltas.push(Delta::User(key));
        }
        self.touched.insert(key, after);
    }

    /// Memberships end with the user, and nobody tells of them: the user is gone.
    fn purge(&mut self, key: UserKey) {
        if self.user(key).is_none() {
            return;
        }
        for group in &mut self.groups {
            group.members.remove(&key);
        }
        self.granted.remove(&key);
        self.touched.remove(&key);
        self.purged.insert(key);
        self.deltas.push(Delta::User(key));
    }

    fn found(&mut self, name: &str) {
        let key = next_group(&self.groups);
        let object_id = self.seed.uuid("group", u64::from(key.0));
        self.groups.push(Group {
            object_id,
            display_name: name.to_owned(),
            members: BTreeSet::new(),
            assigned: true,
            deleted: false,
        });
        self.deltas.push(Delta::Group(key));
    }

    fn edit_group(&mut self, key: GroupKey, edit: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.get_mut(key.0 as usize).filter(|g| !g.deleted) {
            edit(group);
            self.deltas.push(Delta::Group(key));
        }
    }

    fn dissolve(&mut self, key: GroupKey) {
        let Some(group) = self.group(key) else { return };
        let (members, assigned) = (group.members.clone(), group.assigned);
        self.edit_group(key, |g| {
            g.deleted = true;
            g.members.clear();
        });
        if assigned {
            members.into_iter().for_each(|user| self.revoke(user));
        }
    }

    fn enter(&mut self, group: GroupKey, user: UserKey) {
        if self.user(user).is_none() {
            return;
        }
        let Some(entry) = self.groups.get_mut(group.0 as usize).filter(|g| !g.deleted) else {
            return;
        };
        if entry.members.insert(user) {
            let assigned = entry.assigned;
            self.deltas.push(Delta::Member(group, user));
            if assigned && self.scope == Scope::Assigned {
                let grants = self.granted.entry(user).or_default();
                *grants += 1;
                if *grants == 1 {
                    self.deltas.push(Delta::User(user));
                }
            }
        }
    }

    fn exit(&mut self, group: GroupKey, user: UserKey) {
        let Some(entry) = self.groups.get_mut(group.0 as usize).filter(|g| !g.deleted) else {
            return;
        };
        if entry.members.remove(&user) {
            let assigned = entry.assigned;
            self.deltas.push(Delta::Member(group, user));
            if assigned {
                self.revoke(user);
            }
        }
    }

    /// A group that granted assignment no longer does.
    fn revoke(&mut self, user: UserKey) {
        if let Some(grants) = self.granted.get_mut(&user) {
            *grants -= 1;
            if *grants == 0 {
                self.granted.remove(&user);
                self.deltas.push(Delta::User(user));
            }
        }
    }
}

/// The old local part stays in front: it is what keeps sign-in names unique.
fn rename(user: &mut User, family: &str) {
    let double = match &user.surname {
        Some(old) => format!("{old}-{family}"),
        None => family.to_owned(),
    };
    let tail = super::names::plain(family);
    let local = |address: &str| match address.split_once('@') {
        Some((local, domain)) => format!("{local}-{tail}@{domain}"),
        None => format!("{address}-{tail}"),
    };
    user.display_name =
        format!("{} {double}", user.given_name.as_deref().unwrap_or_default()).trim().to_owned();
    user.surname = Some(double);
    if !user.guest {
        user.user_principal_name = local(&user.user_principal_name);
        user.mail = user.mail.as_deref().map(local);
    }
}
