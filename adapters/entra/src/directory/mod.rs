//! The tenant's directory: users, groups, memberships, who is in scope, and what changed since
//! when.

mod change;
mod churn;
mod file;
mod generate;
mod group;
mod names;
mod user;

pub use change::{Change, Happened};
pub use churn::Churn;
pub use file::{FileError, FileGroup, FileTenant, FileUser};
pub use generate::Profile;
pub use group::{Group, GroupKey};
pub use user::{User, UserKey};

use crate::seed::Seed;
use std::collections::{HashMap, HashSet};

/// Who is in scope of provisioning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Everybody, and all groups.
    #[default]
    Everything,
    /// Assigned users and groups, and the members of assigned groups.
    Assigned,
}

/// What a delta query tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delta {
    /// A user was made, changed, deleted, or moved into or out of scope.
    User(UserKey),
    /// A user has another manager, or none.
    Manager(UserKey),
    /// A group was made, renamed or deleted.
    Group(GroupKey),
    /// A user became or ceased to be a member.
    Member(GroupKey, UserKey),
}

/// A place in the stream of deltas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watermark(usize);

/// A tenant's directory. Users nobody touched are made anew whenever they are asked for.
#[derive(Clone, Debug)]
pub struct Directory {
    seed: Seed,
    profile: Profile,
    scope: Scope,
    users: u32,
    touched: HashMap<UserKey, User>,
    purged: HashSet<UserKey>,
    groups: Vec<Group>,
    granted: HashMap<UserKey, u32>,
    deltas: Vec<Delta>,
}

impl Directory {
    /// A tenant made from a seed.
    pub fn generate(seed: Seed, profile: Profile, scope: Scope) -> Self {
        let groups = generate::groups(seed, &profile);
        let users = profile.users;
        Self::with(seed, profile, scope, users, HashMap::new(), groups)
    }

    fn with(
        seed: Seed,
        profile: Profile,
        scope: Scope,
        users: u32,
        touched: HashMap<UserKey, User>,
        groups: Vec<Group>,
    ) -> Self {
        let mut directory = Self {
            seed,
            profile,
            scope,
            users,
            touched,
            purged: HashSet::new(),
            groups,
            granted: HashMap::new(),
            deltas: Vec::new(),
        };
        directory.count_grants();
        directory
    }

    fn count_grants(&mut self) {
        if self.scope == Scope::Assigned {
            for group in self.groups.iter().filter(|g| g.assigned && !g.deleted) {
                for &user in &group.members {
                    *self.granted.entry(user).or_default() += 1;
                }
            }
        }
    }

    /// How many users there ever were; keys are below this.
    pub fn users(&self) -> u32 {
        self.users
    }

    /// A user, also one in the recycle bin; none once deleted for good.
    pub fn user(&self, key: UserKey) -> Option<User> {
        if self.purged.contains(&key) {
            return None;
        }
        match self.touched.get(&key) {
            Some(user) => Some(user.clone()),
            None if key.0 < self.profile.users => {
                Some(generate::user(self.seed, &self.profile, key.0))
            }
            None => None,
        }
    }

    /// All groups there ever were; a key is an index.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A group that is not deleted.
    pub fn group(&self, key: GroupKey) -> Option<&Group> {
        self.groups.get(key.0 as usize).filter(|g| !g.deleted)
    }

    /// Whether a user is in scope of provisioning.
    pub fn in_scope(&self, key: UserKey, user: &User) -> bool {
        match self.scope {
            Scope::Everything => true,
            Scope::Assigned => user.assigned || self.granted.contains_key(&key),
        }
    }

    /// Whether a group is in scope of provisioning.
    pub fn group_in_scope(&self, group: &Group) -> bool {
        !group.deleted && (self.scope == Scope::Everything || group.assigned)
    }

    /// What the mapping calls `IsSoftDeleted`, inverted: in scope, enabled, and not in the recycle
    /// bin. The wire cannot tell the reasons apart.
    pub fn is_active(&self, key: UserKey, user: &User) -> bool {
        user.account_enabled && user.deleted_at.is_none() && self.in_scope(key, user)
    }

    /// Where the stream of deltas ends now.
    pub fn watermark(&self) -> Watermark {
        Watermark(self.deltas.len())
    }

    /// What changed since a watermark, each thing once, in the order of the first change.
    pub fn since(&self, watermark: Watermark) -> Vec<Delta> {
        let mut seen = HashSet::new();
        self.deltas[watermark.0.min(self.deltas.len())..]
            .iter()
            .copied()
            .filter(|d| seen.insert(*d))
            .collect()
    }
}
