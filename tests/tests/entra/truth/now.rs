//! Both sides at a moment: what the tenant wants by now, and what the application has.

use super::asked::{Thing, path};
use super::wire::{Seen, Tenant};
use anyhow::Result;
use rollcall_domain::scim::ResourceKind;
use rollcall_entra::client::{Client, ENTERPRISE, Mapping, Target};
use rollcall_entra::directory::{Delta, Directory, GroupKey, User, UserKey};
use rollcall_entra::transport::Method;
use rollcall_projections::directory::wire;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Who or what a request is about, in the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    User(UserKey),
    Group(GroupKey),
}

/// A tenant and the application at one moment.
pub struct Now {
    tenant: Directory,
    mapping: Mapping,
    /// The tenant's objects by their object id.
    objects: BTreeMap<String, Whose>,
    /// Whom a resource of the application stands for, also one that is gone.
    known: BTreeMap<String, Whose>,
    /// The resource that the tenant's object is linked to.
    linked: BTreeMap<Whose, String>,
    resources: BTreeMap<String, Value>,
    members: BTreeMap<String, BTreeSet<String>>,
    waiting: BTreeSet<Delta>,
    skipped: BTreeSet<Delta>,
    /// Whether the mapping gives values that nobody can read.
    pub broken: bool,
}

impl Now {
    /// As it is.
    pub async fn of(here: &Tenant, client: &Client, directory: &Mutex<Directory>) -> Result<Self> {
        let tenant = directory.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut now = Self {
            mapping: client.settings().mapping.clone(),
            objects: objects(&tenant),
            known: BTreeMap::new(),
            linked: BTreeMap::new(),
            resources: BTreeMap::new(),
            members: BTreeMap::new(),
            waiting: client.waiting().into_iter().collect(),
            skipped: client.skipped().into_iter().collect(),
            broken: client.bad_values() > 0.0,
            tenant,
        };
        now.link(client);
        let ids = now.learn(here);
        now.read(here, ids).await?;
        Ok(now)
    }

    fn link(&mut self, client: &Client) {
        for key in (0..self.tenant.users()).map(UserKey) {
            self.linked.extend(client.user_id(key).map(|id| (Whose::User(key), id)));
        }
        for key in (0_u32..).take(self.tenant.groups().len()).map(GroupKey) {
            self.linked.extend(client.group_id(key).map(|id| (Whose::Group(key), id)));
        }
        self.known = self.linked.iter().map(|(whose, id)| (id.clone(), *whose)).collect();
    }

    /// Whom resources stand for is told by the object id that Entra gives them. Gives all resources
    /// that there ever were.
    fn learn(&mut self, here: &Tenant) -> BTreeSet<(bool, String)> {
        let mut ids = BTreeSet::new();
        for seen in here.seen().iter() {
            let users = seen.target.starts_with("/Users");
            if let (Method::Post, 201, Some(id)) =
                (seen.method, seen.status, seen.answer["id"].as_str())
            {
                ids.insert((users, id.to_owned()));
            }
            for told in [Some(&seen.answer), seen.answer["Resources"].get(0)].into_iter().flatten()
            {
                if let (Some(id), Some(whose)) = (
                    told["id"].as_str(),
                    told["externalId"].as_str().and_then(|o| self.objects.get(o)),
                ) {
                    self.known.entry(id.to_owned()).or_insert(*whose);
                }
            }
            // Matched by name: it is given the object id, and the answer has no body.
            if let (Some(id), Some(whose)) =
                (seen.target.split(['/', '?']).nth(2), self.given(seen))
            {
                self.known.entry(id.to_owned()).or_insert(whose);
            }
        }
        ids
    }

    /// Whose object id a change gives to a resource.
    fn given(&self, change: &Seen) -> Option<Whose> {
        if !matches!(change.method, Method::Patch) || change.status >= 300 {
            return None;
        }
        let operations = change.body.as_ref()?["Operations"].as_array()?;
        operations
            .iter()
            .find(|op| op["path"] == "externalId")
            .and_then(|op| self.objects.get(op["value"].as_str()?).copied())
    }

    async fn read(&mut self, here: &Tenant, ids: BTreeSet<(bool, String)>) -> Result<()> {
        let (directory, organization) = (&here.host().app().directory, here.organization);
        for (users, id) in ids {
            let resource = id.parse()?;
            let kind = if users { ResourceKind::User } else { ResourceKind::Group };
            let row = if users {
                directory.user(organization, resource).await?
            } else {
                directory.group(organization, resource).await?
            };
            let Some(row) = row else { continue };
            if !users {
                let members = directory.members(organization, resource).await?;
                self.members.insert(id.clone(), members.iter().map(|m| m.id.to_string()).collect());
            }
            self.resources.insert(id, wire(kind, &row, "", None, None));
        }
        Ok(())
    }

    /// Whom a request is about.
    pub fn whose(&self, target: &str, body: Option<&Value>) -> Option<Whose> {
        let id = target.split(['/', '?']).nth(2).unwrap_or_default();
        match self.known.get(id) {
            Some(whose) => Some(*whose),
            None => self.objects.get(body?["externalId"].as_str()?).copied(),
        }
    }

    /// The tenant's user whom a member stands for.
    pub fn member(&self, id: &str) -> String {
        match self.known.get(id) {
            Some(whose) => format!("{whose:?}"),
            None => id.to_owned(),
        }
    }

    /// Whether it is tried again by and by.
    pub fn waits(&self, whose: Whose) -> bool {
        self.waiting.contains(&match whose {
            Whose::User(key) => Delta::User(key),
            Whose::Group(key) => Delta::Group(key),
        })
    }

    /// What is tried again.
    pub fn waiting(&self) -> &BTreeSet<Delta> {
        &self.waiting
    }

    fn resource(&self, whose: Whose) -> Option<(&String, &Value)> {
        let linked = self.linked.get(&whose).and_then(|id| self.resources.get_key_value(id));
        linked.or_else(|| self.resources.iter().find(|(id, _)| self.known.get(*id) == Some(&whose)))
    }

    /// Whether the application has of this what the tenant wants by now. What it does not care
    /// about holds.
    pub fn holds(&self, whose: Whose, thing: &Thing) -> bool {
        match whose {
            Whose::User(key) => self.user_holds(key, thing),
            Whose::Group(key) => self.group_holds(key, thing),
        }
    }

    fn user_holds(&self, key: UserKey, thing: &Thing) -> bool {
        let found = self.resource(Whose::User(key));
        let Some(user) = self.tenant.user(key) else { return found.is_none() };
        let active = self.tenant.is_active(key, &user);
        let Some((_, resource)) = found else { return !active };
        match thing {
            Thing::Existence | Thing::Deletion | Thing::Member(_) => true,
            Thing::Attribute(name) if name == "active" => {
                resource["active"].as_bool().unwrap_or(true) == active
            }
            Thing::Attribute(_) if user.deleted_at.is_some() => true,
            Thing::Attribute(name) if *name == path(&format!("{ENTERPRISE}:manager")) => {
                self.manager_holds(key, &user, resource)
            }
            Thing::Attribute(name) => {
                let flow =
                    self.mapping.flows.iter().find(|flow| path(flow.target.as_str()) == *name);
                flow.is_none_or(|flow| match flow.source.value(&user) {
                    Some(value) => {
                        flow.target.read(resource).and_then(Value::as_str) == Some(&value)
                    }
                    None => true,
                })
            }
        }
    }

    fn manager_holds(&self, key: UserKey, user: &User, resource: &Value) -> bool {
        let is = Target::new(&format!("{ENTERPRISE}:manager"))
            .read(resource)
            .and_then(|m| m["value"].as_str());
        let wanted = user.manager.filter(|m| self.tenant.user(*m).is_some());
        match wanted {
            // Leads out of scope, so it is not sent.
            _ if self.skipped.contains(&Delta::Manager(key)) => true,
            None => is.is_none(),
            Some(manager) => self.linked.get(&Whose::User(manager)).map(String::as_str) == is,
        }
    }

    fn group_holds(&self, key: GroupKey, thing: &Thing) -> bool {
        let found = self.resource(Whose::Group(key));
        let Some(group) = self.tenant.group(key) else { return found.is_none() };
        let Some((id, resource)) = found else { return false };
        match thing {
            Thing::Existence | Thing::Deletion => true,
            Thing::Attribute(name) if name == "displayname" => {
                resource["displayName"].as_str() == Some(&group.display_name)
            }
            Thing::Attribute(_) => true,
            Thing::Member(member) => {
                let key = (0..self.tenant.users())
                    .map(UserKey)
                    .find(|key| format!("{:?}", Whose::User(*key)) == *member);
                let Some(user) = key else { return true };
                let is = self
                    .linked
                    .get(&Whose::User(user))
                    .is_some_and(|member| self.members[id].contains(member));
                let wanted = group.members.contains(&user);
                is == wanted || (wanted && !self.linked.contains_key(&Whose::User(user)))
            }
        }
    }
}

fn objects(tenant: &Directory) -> BTreeMap<String, Whose> {
    let groups = (0_u32..)
        .zip(tenant.groups())
        .map(|(n, g)| (g.object_id.to_string(), Whose::Group(GroupKey(n))));
    let users = (0..tenant.users()).map(UserKey);
    // Somebody deleted for good has no object id here any more, and is known by the link.
    let users =
        users.filter_map(|key| Some((tenant.user(key)?.object_id.to_string(), Whose::User(key))));
    groups.chain(users).collect()
}
