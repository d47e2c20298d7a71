//! Folding live, in pieces of any size, gives the same rows as rebuilding; and both give what a
//! plain model of the directory says.

mod support;

use proptest::prelude::*;
use rollcall_domain::actor::Actor;
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::Log;
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::Family;
use rollcall_domain::user::UserEvent;
use rollcall_projections::checkpoint::Checkpoint;
use rollcall_projections::fold::Folder;
use rollcall_projections::rebuild::rebuild;
use rollcall_projections::verify::verify;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use support::watched::WatchedLog;
use support::*;

/// Something that may happen; what makes no sense at the moment does not.
#[derive(Clone, Debug)]
enum Step {
    CreateUser(u128),
    RenameUser(u128, u8),
    ChangeMails(u128, Vec<u8>),
    ChangeManager(u128, Option<u128>),
    Deactivate(u128),
    DeleteUser(u128),
    CreateGroup(u128),
    RenameGroup(u128, u8),
    Add(u128, Vec<u128>),
    Remove(u128, Vec<u128>),
    DeleteGroup(u128),
    Issue(u128),
    Revoke(u128),
    Exchange(Option<u128>, bool),
    Fold(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0..6_u128;
    prop_oneof![
        4 => n().prop_map(Step::CreateUser),
        1 => (n(), any::<u8>()).prop_map(|(u, x)| Step::RenameUser(u, x)),
        2 => (n(), prop::collection::vec(0..4_u8, 0..4)).prop_map(|(u, mails)| Step::ChangeMails(u, mails)),
        1 => (n(), prop::option::of(n())).prop_map(|(u, m)| Step::ChangeManager(u, m)),
        1 => n().prop_map(Step::Deactivate),
        1 => n().prop_map(Step::DeleteUser),
        3 => n().prop_map(Step::CreateGroup),
        1 => (n(), any::<u8>()).prop_map(|(g, x)| Step::RenameGroup(g, x)),
        6 => (n(), prop::collection::vec(0..12_u128, 1..5)).prop_map(|(g, m)| Step::Add(g, m)),
        3 => (n(), prop::collection::vec(0..12_u128, 1..5)).prop_map(|(g, m)| Step::Remove(g, m)),
        1 => n().prop_map(Step::DeleteGroup),
        1 => n().prop_map(Step::Issue),
        1 => n().prop_map(Step::Revoke),
        3 => (prop::option::of(n()), any::<bool>()).prop_map(|(t, bad)| Step::Exchange(t, bad)),
        4 => (1..8_usize).prop_map(Step::Fold),
    ]
}

/// The directory as a person would keep it. Ids are never used twice: each creation is a new one.
#[derive(Default)]
struct Model {
    /// Slot to id and attributes.
    users: BTreeMap<u128, (u128, Value)>,
    /// Slot to id, name and members in order.
    groups: BTreeMap<u128, (u128, String, Vec<ResourceId>)>,
    /// Slot to whether it is revoked.
    tokens: BTreeMap<u128, bool>,
    fresh: u128,
    exchanges: u128,
}

impl Model {
    fn fresh(&mut self) -> u128 {
        self.fresh += 1;
        self.fresh
    }

    /// Slots 0 to 5 are users, 6 to 11 groups.
    fn resources(&self, slots: &[u128]) -> Vec<ResourceId> {
        let find = |slot: &u128| match slot {
            0..6 => self.users.get(slot).map(|(id, _)| user(*id)),
            _ => self.groups.get(&(slot - 6)).map(|(id, ..)| group(*id)),
        };
        let mut found = Vec::new();
        for id in slots.iter().filter_map(find) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found
    }

    fn forget(&mut self, gone: ResourceId) {
        self.groups.values_mut().for_each(|(_, _, members)| members.retain(|m| *m != gone));
    }

    async fn happen(&mut self, world: &World, step: Step) {
        match step {
            Step::CreateUser(slot) if !self.users.contains_key(&slot) => {
                let id = self.fresh();
                let attributes = json!({ "userName": format!("U{id}"), "active": true, "emails": [{ "value": format!("U{id}@x") }] });
                world.user(id, vec![created_with(attributes.clone())]).await;
                self.users.insert(slot, (id, attributes));
            }
            Step::CreateGroup(slot) if !self.groups.contains_key(&slot) => {
                let id = self.fresh();
                world.group(id, vec![group_created(&format!("G{id}"))]).await;
                self.groups.insert(slot, (id, format!("G{id}"), Vec::new()));
            }
            Step::RenameUser(slot, x) => {
                let Some((id, attributes)) = self.users.get_mut(&slot) else { return };
                attributes["userName"] = json!(format!("Name{x}-{id}"));
                let after = format!("Name{x}-{id}").into();
                world
                    .user(*id, vec![UserEvent::Renamed { before: String::new().into(), after }])
                    .await;
            }
            Step::ChangeMails(slot, mails) => {
                let Some((id, attributes)) = self.users.get_mut(&slot) else { return };
                let mails: Vec<_> =
                    mails.iter().map(|m| json!({ "value": format!("Mail{m}@x") })).collect();
                let after = (!mails.is_empty()).then(|| json!(mails));
                match &after {
                    Some(after) => attributes["emails"] = after.clone(),
                    None => drop(attributes.as_object_mut().unwrap().remove("emails")),
                }
                world.user(*id, vec![changed("emails", after)]).await;
            }
            Step::ChangeManager(slot, manager) => {
                let Some((id, attributes)) = self.users.get_mut(&slot) else { return };
                let after = manager.map(|m| json!({ "value": user(m) }));
                match &after {
                    Some(after) => attributes[ENTERPRISE] = json!({ "manager": after }),
                    None => drop(attributes.as_object_mut().unwrap().remove(ENTERPRISE)),
                }
                world.user(*id, vec![changed(&format!("{ENTERPRISE}:manager"), after)]).await;
            }
            Step::Deactivate(slot) => {
                let Some((id, attributes)) = self.users.get_mut(&slot) else { return };
                attributes["active"] = json!(false);
                world.user(*id, vec![UserEvent::Deactivated {}]).await;
            }
            Step::DeleteUser(slot) => {
                let Some((id, _)) = self.users.remove(&slot) else { return };
                self.forget(user(id));
                world.user(id, vec![UserEvent::Deleted { user_name: String::new().into() }]).await;
            }
            Step::RenameGroup(slot, x) => {
                let Some((id, name, _)) = self.groups.get_mut(&slot) else { return };
                *name = format!("Group{x}-{id}");
                world
                    .group(
                        *id,
                        vec![GroupEvent::Renamed { before: String::new(), after: name.clone() }],
                    )
                    .await;
            }
            Step::DeleteGroup(slot) => {
                let Some((id, name, _)) = self.groups.remove(&slot) else { return };
                self.forget(group(id));
                world.group(id, vec![GroupEvent::Deleted { display_name: name }]).await;
            }
            Step::Add(slot, members) => {
                let members = self.resources(&members);
                let Some((id, _, present)) = self.groups.get_mut(&slot) else { return };
                let new: Vec<_> = members
                    .into_iter()
                    .filter(|m| !present.contains(m) && *m != group(*id))
                    .collect();
                if !new.is_empty() {
                    present.extend(&new);
                    world.group(*id, vec![added(&new)]).await;
                }
            }
            Step::Remove(slot, members) => {
                let members = self.resources(&members);
                let Some((id, _, present)) = self.groups.get_mut(&slot) else { return };
                let old: Vec<_> = members.into_iter().filter(|m| present.contains(m)).collect();
                if !old.is_empty() {
                    present.retain(|m| !old.contains(m));
                    world.group(*id, vec![removed(&old)]).await;
                }
            }
            Step::Issue(slot) if !self.tokens.contains_key(&slot) => {
                self.tokens.insert(slot, false);
                world.organization(ORG, vec![issued(slot)]).await;
            }
            Step::Revoke(slot) if self.tokens.get(&slot) == Some(&false) => {
                self.tokens.insert(slot, true);
                world
                    .organization(
                        ORG,
                        vec![OrganizationEvent::ScimTokenRevoked { token: token(slot) }],
                    )
                    .await;
            }
            Step::Exchange(slot, bad) => {
                self.exchanges += 1;
                let known = slot.filter(|s| self.tokens.contains_key(s));
                let caller =
                    known.map_or(Actor::Unauthenticated, |s| Actor::ScimToken { token: token(s) });
                world
                    .exchange(exchange(ORG, self.exchanges, caller, if bad { 400 } else { 200 }))
                    .await;
            }
            Step::Fold(page) => drop(world.folder().with_page(page).fold(ORG).await.unwrap()),
            Step::CreateUser(_) | Step::CreateGroup(_) | Step::Issue(_) | Step::Revoke(_) => {}
        }
    }

    async fn agrees(&self, world: &World) {
        let directory = world.directory();
        let total = async |kind| {
            directory.search(ORG, kind, &request(kind, None, None, all())).await.unwrap().total
        };
        assert_eq!(total(ResourceKind::User).await, self.users.len() as u64);
        assert_eq!(total(ResourceKind::Group).await, self.groups.len() as u64);
        for (id, attributes) in self.users.values() {
            let row = directory.user(ORG, user(*id)).await.unwrap().unwrap();
            assert_eq!(Value::Object(row.attributes), *attributes);
            let text = format!("userName eq {}", attributes["userName"]);
            let found = directory
                .search(
                    ORG,
                    ResourceKind::User,
                    &request(ResourceKind::User, Some(&text), None, all()),
                )
                .await
                .unwrap();
            assert_eq!(
                found.items.iter().map(|i| &i["id"]).collect::<Vec<_>>(),
                [&json!(user(*id))]
            );
        }
        for mail in 0..4_u8 {
            let value = json!({ "value": format!("Mail{mail}@x") });
            let expected = self
                .users
                .values()
                .filter(|(_, a)| a["emails"].as_array().is_some_and(|m| m.contains(&value)))
                .count();
            let text = format!(r#"emails eq "mail{mail}@X""#);
            let found = directory
                .search(
                    ORG,
                    ResourceKind::User,
                    &request(ResourceKind::User, Some(&text), None, all()),
                )
                .await
                .unwrap();
            assert_eq!(found.total, expected as u64);
        }
        for (id, name, members) in self.groups.values() {
            assert_eq!(
                directory.group(ORG, group(*id)).await.unwrap().unwrap().attributes["displayName"],
                json!(name)
            );
            let found = directory.members(ORG, group(*id)).await.unwrap();
            assert_eq!(found.iter().map(|m| m.id).collect::<Vec<_>>(), *members);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn live_folding_equals_the_model_and_a_rebuild(steps in prop::collection::vec(step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            world.organization(ORG, vec![OrganizationEvent::Created { name: "Contoso".into(), domain: "contoso".into() }]).await;
            let mut model = Model::default();
            for step in steps {
                model.happen(&world, step).await;
            }
            world.folder().with_page(7).fold(ORG).await.unwrap();
            model.agrees(&world).await;
            let found = verify(Family::Live, world.log.clone(), world.views.clone()).await.unwrap();
            assert_eq!(found.count, 0, "{:?}", found.shown);
            assert!(found.rows > 0);
            rebuild(Family::Live, world.log.clone(), world.views.clone()).await.unwrap();
            model.agrees(&world).await;
        });
    }
}

/// Some of everything.
async fn world() -> World {
    let world = World::new().await;
    world
        .organization(
            ORG,
            vec![
                OrganizationEvent::Created { name: "Contoso".into(), domain: "contoso".into() },
                issued(1),
            ],
        )
        .await;
    for n in 1..=1_200 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    world
        .group(1, vec![group_created("All"), added(&(1..=1_200).map(user).collect::<Vec<_>>())])
        .await;
    for n in 1..=3 {
        world.exchange(exchange(ORG, n, Actor::ScimToken { token: token(1) }, 200)).await;
    }
    world.folder().fold(ORG).await.unwrap();
    world
}

#[tokio::test]
async fn planted_differences_are_found() {
    let world = world().await;
    let clean = verify(Family::Live, world.log.clone(), world.views.clone()).await.unwrap();
    assert_eq!(
        (clean.count, clean.rows),
        (0, 1_200 * 4 + 1 + 1 + 1),
        "users, two mails and a membership each; group, organization, token"
    );
    let org = "0000000a";
    for (table, sql, live, rebuilt) in [
        (
            "directory_users",
            "UPDATE directory_users SET version = 9 WHERE seq = 1203 - 1",
            true,
            true,
        ),
        ("directory_emails", "DELETE FROM directory_emails WHERE value = 'home.u7'", false, true),
        ("directory_groups", "UPDATE directory_groups SET display = 'Nobody'", true, true),
        (
            "directory_members",
            "INSERT INTO directory_members (organization, group_id, member_id, since) VALUES ('00000000-0000-0000-0000-00000000000c', 'g', 'm', 1)",
            true,
            false,
        ),
        ("organizations", "UPDATE organizations SET enabled = 0", true, true),
        ("credentials", "UPDATE credentials SET last_used = 5", true, true),
    ] {
        let mut tx = world.views.begin_exclusive().await.unwrap();
        assert_eq!(tx.execute(sql, Vec::new()).await.unwrap(), 1, "{sql}");
        tx.commit().await.unwrap();
        let found = verify(Family::Live, world.log.clone(), world.views.clone()).await.unwrap();
        assert_eq!(found.count, 1, "{sql}: {:?}", found.shown);
        let shown = &found.shown[0];
        assert_eq!(
            (shown.table, shown.live.is_some(), shown.rebuilt.is_some()),
            (table, live, rebuilt),
            "{sql}"
        );
        assert!(
            !shown.key.is_empty() && (shown.key[0].contains(org) || shown.key[0].ends_with("0c")),
            "{:?}",
            shown.key
        );
        rebuild(Family::Live, world.log.clone(), world.views.clone()).await.unwrap();
        assert_eq!(
            verify(Family::Live, world.log.clone(), world.views.clone()).await.unwrap().count,
            0,
            "a rebuild mends it"
        );
    }
    assert_eq!(
        world
            .views
            .query("SELECT seq FROM directory_users WHERE version > $1", vec![1_i64.into()])
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn a_rebuild_stops_where_folding_does_and_goes_on_elsewhere() {
    let inner = World::new().await;
    let log = WatchedLog::new(inner.log.clone());
    let world = World::over(log.clone(), inner.views.clone());
    for n in 1..=3 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    world
        .organization(
            OTHER,
            vec![OrganizationEvent::Created { name: "b".into(), domain: "b".into() }],
        )
        .await;
    log.unknown.store(2, std::sync::atomic::Ordering::SeqCst);
    let folder = world.folder();
    let rebuilt = folder.rebuild().await.unwrap();
    assert_eq!(
        (rebuilt.organizations, rebuilt.stopped[&ORG].position, rebuilt.stopped.len()),
        (2, 2, 1)
    );
    let kept = Checkpoint::all(&*world.views).await.unwrap();
    assert_eq!(
        kept.iter()
            .map(|(_, c)| (c.at.position, c.stopped.is_some()))
            .collect::<std::collections::BTreeSet<_>>(),
        [(1, false), (1, true)].into()
    );
    assert_eq!(
        verify(Family::Live, world.log.clone(), world.views.clone()).await.unwrap().count,
        0,
        "compared as far as it goes"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifying_and_rebuilding_while_records_come_in() {
    let world = Arc::new(world().await);
    let writer = {
        let world = world.clone();
        tokio::spawn(async move {
            let folder = Folder::new(Family::Live, world.log.clone(), world.views.clone());
            for n in 2_000..2_150 {
                let position =
                    world.user(n, vec![created(&format!("u{n}"))]).await.positions.unwrap().1;
                folder.fold_to(ORG, position).await.unwrap();
                assert!(
                    world.directory().user(ORG, user(n)).await.unwrap().is_some(),
                    "a write is read at once"
                );
            }
        })
    };
    let mut rounds = 0;
    while !writer.is_finished() {
        let found = verify(Family::Live, world.log.clone(), world.views.clone()).await.unwrap();
        assert_eq!(found.count, 0, "{:?}", found.shown);
        rebuild(Family::Live, world.log.clone(), world.views.clone()).await.unwrap();
        rounds += 1;
    }
    writer.await.unwrap();
    assert!(rounds > 0);
    let log: &dyn Log = &*world.log;
    assert_eq!(log.head(ORG).await.unwrap().position, 2 + 1_200 + 2 + 150);
    let total = world
        .directory()
        .search(ORG, ResourceKind::User, &request(ResourceKind::User, None, None, all()))
        .await
        .unwrap()
        .total;
    assert_eq!(total, 1_350);
}
