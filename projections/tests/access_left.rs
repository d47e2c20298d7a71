//! A failure leaves somebody access exactly as long as the access stands: random requests, refused,
//! unreadable and served, against a model that knows who has access.

mod support;

use proptest::prelude::*;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::failure::{Cause, Wanted, wanted};
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::AggregateKind;
use rollcall_domain::scim::{Limits, ResourceKind};
use rollcall_domain::user::UserEvent;
use rollcall_projections::failures::{FailureFilter, FailureRow, FailureViews};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::*;

const USERS: u128 = 3;
const GROUPS: u128 = 2;

/// What a client asks for.
#[derive(Clone, Debug)]
enum Asks {
    Disable(u128),
    Enable(u128),
    /// `active` is given no value: nothing is asked for.
    NoValue(u128),
    Title(u128),
    /// A PUT that does not say whether somebody is active.
    Put(u128),
    DeleteUser(u128),
    /// In words that nobody can read.
    UnreadableDisable(u128),
    Add(u128, u128),
    Remove(u128, u128),
    /// An id in upper case with a blank: nobody has it.
    RemoveNobody(u128),
    Replace(u128, BTreeSet<u128>),
    Rename(u128),
    UnreadableRemove(u128, u128),
    /// Nobody can read who.
    UnreadableRemoval(u128),
    DeleteGroup(u128),
    /// To the other endpoint.
    WrongKind(u128),
    DeleteWrongKind(u128),
}

fn asks() -> impl Strategy<Value = Asks> {
    let (user, group) = (|| 1..=USERS, || 1..=GROUPS);
    prop_oneof![
        4 => user().prop_map(Asks::Disable),
        2 => user().prop_map(Asks::Enable),
        1 => user().prop_map(Asks::NoValue),
        1 => user().prop_map(Asks::Title),
        1 => user().prop_map(Asks::Put),
        1 => user().prop_map(Asks::DeleteUser),
        1 => user().prop_map(Asks::UnreadableDisable),
        4 => (group(), user()).prop_map(|(g, u)| Asks::Add(g, u)),
        4 => (group(), user()).prop_map(|(g, u)| Asks::Remove(g, u)),
        1 => group().prop_map(Asks::RemoveNobody),
        2 => (group(), prop::collection::btree_set(user(), 0..3)).prop_map(|(g, us)| Asks::Replace(g, us)),
        1 => group().prop_map(Asks::Rename),
        1 => (group(), user()).prop_map(|(g, u)| Asks::UnreadableRemove(g, u)),
        1 => group().prop_map(Asks::UnreadableRemoval),
        1 => group().prop_map(Asks::DeleteGroup),
        1 => group().prop_map(Asks::WrongKind),
        1 => group().prop_map(Asks::DeleteWrongKind),
    ]
}

/// Access that was to end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Goal {
    Off(u128),
    UserGone(u128),
    GroupGone(u128),
    Out(u128, u128),
    /// Of a group, and nobody knows who.
    Somebody(u128),
}

/// Requests that meet one failure: of this resource, a deletion or not, for this reason.
type Key = (ResourceId, bool, Cause);

#[derive(Debug, Default)]
struct Model {
    active: BTreeMap<u128, bool>,
    members: BTreeMap<u128, BTreeSet<u128>>,
    open: BTreeMap<Key, BTreeSet<Goal>>,
}

impl Model {
    fn has_come(&self, goal: &Goal) -> bool {
        match goal {
            Goal::Off(u) => self.active.get(u) != Some(&true),
            Goal::UserGone(u) => !self.active.contains_key(u),
            Goal::GroupGone(g) => !self.members.contains_key(g),
            Goal::Out(g, u) => !self.members.get(g).is_some_and(|m| m.contains(u)),
            Goal::Somebody(g) => self.members.get(g).is_none_or(BTreeSet::is_empty),
        }
    }

    fn goals(&self, asks: &Asks) -> BTreeSet<Goal> {
        let goals: Vec<Goal> = match asks {
            Asks::Disable(u) | Asks::UnreadableDisable(u) => vec![Goal::Off(*u)],
            Asks::DeleteUser(u) => vec![Goal::UserGone(*u)],
            Asks::DeleteGroup(g) => vec![Goal::GroupGone(*g)],
            Asks::Remove(g, u) | Asks::UnreadableRemove(g, u) => vec![Goal::Out(*g, *u)],
            Asks::UnreadableRemoval(g) => vec![Goal::Somebody(*g)],
            Asks::Replace(g, but) => {
                let now = self.members.get(g).into_iter().flatten();
                now.filter(|u| !but.contains(u)).map(|u| Goal::Out(*g, *u)).collect()
            }
            _ => Vec::new(),
        };
        goals.into_iter().filter(|goal| !self.has_come(goal)).collect()
    }

    /// What a client takes back by what is done for it.
    fn takes_back(asks: &Asks, goal: &Goal) -> bool {
        match (asks, goal) {
            (Asks::Enable(on), Goal::Off(u)) => on == u,
            (Asks::Add(into, who), Goal::Out(g, u)) => (into, who) == (g, u),
            (Asks::Replace(of, who), Goal::Out(g, u)) => of == g && who.contains(u),
            (Asks::Replace(of, _), Goal::Somebody(g)) => of == g,
            _ => false,
        }
    }

    fn settle(&mut self, by: Option<&Asks>) {
        let mut open = std::mem::take(&mut self.open);
        for goals in open.values_mut() {
            goals.retain(|goal| {
                !self.has_come(goal) && !by.is_some_and(|asks| Self::takes_back(asks, goal))
            });
        }
        open.retain(|_, goals| !goals.is_empty());
        self.open = open;
    }
}

struct Story {
    world: World,
    model: Model,
    number: u128,
}

fn keyed(text: &str) -> String {
    format!("{:032x}", text.bytes().fold(7_u128, |sum, b| sum.wrapping_mul(31) + u128::from(b)))
}

fn patch(operation: Value) -> Value {
    json!({ "Operations": [operation] })
}

fn member_values(users: &BTreeSet<u128>) -> Value {
    users.iter().map(|u| json!({ "value": user(*u).to_string() })).collect()
}

/// Whom it is about, which operation it is, what is written, and with which body.
fn request(asks: &Asks) -> (ResourceId, &'static str, Wanted, Value) {
    use ResourceKind::{Group, User};
    let of_user = |u: &u128, op: Value| (user(*u), "users.patch", Wanted::Patch(User), patch(op));
    let of_group =
        |g: &u128, op: Value| (group(*g), "groups.patch", Wanted::Patch(Group), patch(op));
    match asks {
        Asks::Disable(u) => {
            of_user(u, json!({"op": "Replace", "path": "active", "value": "False"}))
        }
        Asks::Enable(u) => of_user(u, json!({"op": "Replace", "path": "active", "value": "True"})),
        Asks::NoValue(u) => of_user(u, json!({"op": "add", "path": "active", "value": null})),
        Asks::Title(u) => of_user(u, json!({"op": "add", "path": "title", "value": "Lead"})),
        Asks::Put(u) => (
            user(*u),
            "users.replace",
            Wanted::Replace(User),
            json!({"userName": format!("u{u}"), "displayName": "D"}),
        ),
        Asks::DeleteUser(u) => (user(*u), "users.delete", Wanted::Delete, Value::Null),
        Asks::UnreadableDisable(u) => {
            of_user(u, json!({"op": "update", "path": "active", "value": false}))
        }
        Asks::Add(g, u) => of_group(
            g,
            json!({"op": "Add", "path": "members", "value": member_values(&[*u].into())}),
        ),
        Asks::Remove(g, u) => of_group(
            g,
            json!({"op": "Remove", "path": format!("members[value eq \"{}\"]", user(*u))}),
        ),
        Asks::RemoveNobody(g) => {
            let nobody = format!("{} ", user(1).to_string().to_uppercase());
            of_group(g, json!({"op": "Remove", "path": "members", "value": [{"value": nobody}]}))
        }
        Asks::Replace(g, us) => (
            group(*g),
            "groups.replace",
            Wanted::Replace(Group),
            json!({"displayName": format!("g{g}"), "members": member_values(us)}),
        ),
        Asks::Rename(g) => {
            of_group(g, json!({"op": "Replace", "path": "displayName", "value": "G"}))
        }
        Asks::UnreadableRemove(g, u) => of_group(
            g,
            json!({"op": "Remove", "path": format!("members[value eq \"{}\"", user(*u))}),
        ),
        Asks::UnreadableRemoval(g) => {
            of_group(g, json!({"op": "Remove", "path": "members", "value": [{"display": "U"}]}))
        }
        Asks::DeleteGroup(g) => (group(*g), "groups.delete", Wanted::Delete, Value::Null),
        Asks::WrongKind(g) => (
            group(*g),
            "users.patch",
            Wanted::Patch(User),
            patch(json!({"op": "add", "path": "title", "value": "Lead"})),
        ),
        Asks::DeleteWrongKind(g) => (group(*g), "users.delete", Wanted::Delete, Value::Null),
    }
}

impl Story {
    async fn new() -> Self {
        let mut story = Self { world: World::new().await, model: Model::default(), number: 0 };
        for n in 1..=USERS {
            story.world.user(n, vec![created(&format!("u{n}"))]).await;
            story.model.active.insert(n, true);
        }
        for n in 1..=GROUPS {
            story.world.group(n, vec![group_created(&format!("g{n}")), added(&[user(1)])]).await;
            story.model.members.insert(n, [1].into());
        }
        story
    }

    /// Whether it can be done, and why not.
    fn answer(&self, asks: &Asks, refused: bool) -> (u16, Option<Cause>) {
        let there = match asks {
            Asks::Disable(u)
            | Asks::Enable(u)
            | Asks::NoValue(u)
            | Asks::Title(u)
            | Asks::Put(u)
            | Asks::DeleteUser(u)
            | Asks::UnreadableDisable(u) => self.model.active.contains_key(u),
            Asks::WrongKind(_) | Asks::DeleteWrongKind(_) => false,
            Asks::Add(g, _)
            | Asks::Remove(g, _)
            | Asks::RemoveNobody(g)
            | Asks::Replace(g, _)
            | Asks::Rename(g)
            | Asks::UnreadableRemove(g, _)
            | Asks::UnreadableRemoval(g)
            | Asks::DeleteGroup(g) => self.model.members.contains_key(g),
        };
        let is_there = |u: &u128| self.model.active.contains_key(u);
        match asks {
            _ if refused => (503, Some(Cause::ServerTrouble)),
            Asks::UnreadableDisable(_)
            | Asks::UnreadableRemove(..)
            | Asks::UnreadableRemoval(_) => (400, Some(Cause::ShapeUnknown)),
            _ if !there => (404, Some(Cause::ResourceUnknown)),
            Asks::Add(_, u) if !is_there(u) => (400, Some(Cause::MemberUnknown)),
            Asks::Replace(_, us) if !us.iter().all(is_there) => (400, Some(Cause::MemberUnknown)),
            _ => (200, None),
        }
    }

    async fn step(&mut self, asks: &Asks, refused: bool) {
        let (status, cause) = self.answer(asks, refused);
        let (subject, operation, write, body) = request(asks);
        self.number += 1;
        let mut x = exchange(ORG, self.number, Actor::ScimToken { token: token(1) }, status);
        x.operation = operation.to_owned();
        x.subject = None;
        let kind = if operation.starts_with("users") { "Users" } else { "Groups" };
        x.target = format!("/scim/v2/{kind}/{subject}");
        x.facts.cause = cause;
        x.facts.wants = wanted(write, Some(&body), &Limits::default(), &keyed);
        let is_deletion = write == Wanted::Delete;
        match cause {
            None => self.served(asks, x).await,
            Some(cause) => {
                // What is not there gives no access, and a deletion has found what it wanted.
                if cause != Cause::ResourceUnknown {
                    let goals = self.model.goals(asks);
                    let open = self.model.open.entry((subject, is_deletion, cause)).or_default();
                    open.extend(goals);
                }
                self.world.exchange(x).await;
                self.model.settle(None);
            }
        }
    }

    async fn served(&mut self, asks: &Asks, x: Exchange) {
        let model = &mut self.model;
        match asks {
            Asks::Disable(u) | Asks::Enable(u) => {
                let active = matches!(asks, Asks::Enable(_));
                let changes = model.active.insert(*u, active) != Some(active);
                let event =
                    if active { UserEvent::Activated {} } else { UserEvent::Deactivated {} };
                self.by_user(*u, changes.then_some(event), x).await;
            }
            Asks::DeleteUser(u) => {
                model.active.remove(u);
                model.members.values_mut().for_each(|members| _ = members.remove(u));
                let gone = UserEvent::Deleted { user_name: format!("u{u}").into() };
                self.by_user(*u, Some(gone), x).await;
            }
            Asks::Add(g, u) => {
                let joins = model.members.entry(*g).or_default().insert(*u);
                let events = joins.then(|| added(&[user(*u)]));
                self.by_group(*g, events.into_iter().collect(), x).await;
            }
            Asks::Remove(g, u) => {
                let leaves = model.members.entry(*g).or_default().remove(u);
                let events = leaves.then(|| removed(&[user(*u)]));
                self.by_group(*g, events.into_iter().collect(), x).await;
            }
            Asks::Replace(g, us) => {
                let before = model.members.insert(*g, us.clone()).unwrap_or_default();
                let ids = |of: &BTreeSet<u128>, but: &BTreeSet<u128>| -> Vec<ResourceId> {
                    of.difference(but).map(|u| user(*u)).collect()
                };
                let (out, into) = (ids(&before, us), ids(us, &before));
                let mut events = Vec::new();
                events.extend((!out.is_empty()).then(|| removed(&out)));
                events.extend((!into.is_empty()).then(|| added(&into)));
                self.by_group(*g, events, x).await;
            }
            Asks::DeleteGroup(g) => {
                model.members.remove(g);
                let gone = GroupEvent::Deleted { display_name: format!("g{g}") };
                self.by_group(*g, vec![gone], x).await;
            }
            _ => _ = self.world.exchange(x).await,
        }
        self.model.settle(Some(asks));
    }

    async fn by_user(&self, n: u128, event: Option<UserEvent>, x: Exchange) {
        let events = event.into_iter().collect();
        self.world.answered(AggregateKind::User, user(n).0, events, x).await;
    }

    async fn by_group(&self, n: u128, events: Vec<GroupEvent>, x: Exchange) {
        self.world.answered(AggregateKind::Group, group(n).0, events, x).await;
    }

    async fn left(&self) -> BTreeSet<Key> {
        let rows = FailureViews::new(self.world.audit.clone())
            .list(ORG, &FailureFilter::default(), 1_000)
            .await
            .unwrap();
        let left = rows.into_iter().filter(|row| row.leaves_access);
        let key =
            |row: FailureRow| (row.subject.unwrap(), row.operation.ends_with(".delete"), row.cause);
        left.map(key).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_failure_leaves_access_as_long_as_the_access_stands(
        steps in prop::collection::vec((asks(), prop::bool::weighted(0.45)), 1..40),
        page in 1..6_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::new().await;
            let folder = story.world.audit_folder().await.with_page(page);
            for (n, (asks, refused)) in steps.iter().enumerate() {
                story.step(asks, *refused).await;
                // Now and then several at once are folded.
                if n % 3 != 1 {
                    folder.fold(ORG).await.unwrap();
                    let known: BTreeSet<Key> = story.model.open.keys().copied().collect();
                    prop_assert_eq!(story.left().await, known, "after step {} of {:?}", n, steps);
                }
            }
            folder.fold(ORG).await.unwrap();
            let differences = story.world.audit_folder().await.verify().await.unwrap();
            prop_assert_eq!(differences.count, 0, "pages of any size give the same rows: {:?}", steps);
            Ok(())
        })?;
    }
}
