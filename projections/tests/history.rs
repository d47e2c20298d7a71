//! The directory as it was equals a directory that knows only the records up to then.

mod support;

use proptest::prelude::*;
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::user::UserEvent;
use rollcall_projections::directory::{Directory, ResourceRow};
use rollcall_projections::history::{Difference, History, Next, Side, What};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use support::watched::WatchedViews;
use support::*;

/// Dice that fall the same way for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
    fn one_of(&mut self, all: &[u128]) -> Option<u128> {
        if all.is_empty() {
            None
        } else {
            Some(all[usize::try_from(self.below(all.len() as u64)).unwrap()])
        }
    }
}

/// What a story needs to know to go on.
#[derive(Default)]
struct Cast {
    users: Vec<u128>,
    groups: BTreeMap<u128, BTreeSet<ResourceId>>,
    next: u128,
}

impl Cast {
    fn pick(&self, dice: &mut Dice) -> Option<u128> {
        dice.one_of(&self.users)
    }
    fn group(&self, dice: &mut Dice) -> Option<u128> {
        dice.one_of(&self.groups.keys().copied().collect::<Vec<_>>())
    }
    fn gone(&mut self, id: ResourceId) {
        self.groups.values_mut().for_each(|members| members.retain(|m| *m != id));
    }

    /// Something happens, as one or several records.
    async fn happens(&mut self, world: &World, dice: &mut Dice) {
        let fell = dice.below(100);
        if fell < 25 || self.users.len() < 3 {
            self.next += 1;
            world.user(self.next, vec![created(&format!("u{}", self.next))]).await;
            self.users.push(self.next);
        } else if fell < 32 {
            self.next += 1;
            world.group(self.next, vec![group_created(&format!("g{}", self.next))]).await;
            self.groups.insert(self.next, BTreeSet::new());
        } else if fell < 62 {
            let (Some(g), size) = (self.group(dice), 1 + dice.below(4)) else { return };
            let mut joins: Vec<ResourceId> =
                (0..size).filter_map(|_| self.pick(dice)).map(user).collect();
            joins.extend(self.group(dice).filter(|other| *other != g).map(group));
            joins.sort();
            joins.dedup();
            joins.retain(|m| self.groups[&g].iter().all(|have| have != m));
            if !joins.is_empty() {
                world.group(g, vec![added(&joins)]).await;
                self.groups.get_mut(&g).unwrap().extend(joins);
            }
        } else if fell < 77 {
            let Some(g) = self.group(dice) else { return };
            let leave: Vec<ResourceId> =
                self.groups[&g].iter().copied().filter(|_| dice.below(5) < 2).collect();
            if !leave.is_empty() {
                world.group(g, vec![removed(&leave)]).await;
                self.groups.get_mut(&g).unwrap().retain(|m| !leave.contains(m));
            }
        } else if fell < 92 {
            let Some(u) = self.pick(dice) else { return };
            let events = match dice.below(4) {
                0 => vec![UserEvent::Deactivated {}],
                1 => {
                    vec![UserEvent::Activated {}, changed("title", Some(json!(format!("t{fell}"))))]
                }
                2 => vec![UserEvent::Renamed {
                    before: String::new().into(),
                    after: format!("r{u}-{fell}").into(),
                }],
                _ => vec![changed("title", None)],
            };
            world.user(u, events).await;
        } else if fell < 95 {
            let Some(g) = self.group(dice) else { return };
            world
                .group(
                    g,
                    vec![GroupEvent::Renamed {
                        before: String::new(),
                        after: format!("rg{g}-{fell}"),
                    }],
                )
                .await;
        } else if fell < 98 {
            let Some(u) = self.pick(dice) else { return };
            world.user(u, vec![UserEvent::Deleted { user_name: String::new().into() }]).await;
            self.users.retain(|other| *other != u);
            self.gone(user(u));
        } else if let Some(g) = self.group(dice) {
            world.group(g, vec![GroupEvent::Deleted { display_name: String::new() }]).await;
            self.groups.remove(&g);
            self.gone(group(g));
        }
    }
}

/// All of a kind, read one by one from the directory as it is.
async fn now(directory: &Directory, kind: ResourceKind, cast: u128) -> Vec<ResourceRow> {
    let mut rows = Vec::new();
    for n in 1..=cast {
        let row = match kind {
            ResourceKind::User => directory.user(ORG, user(n)).await.unwrap(),
            ResourceKind::Group => directory.group(ORG, group(n)).await.unwrap(),
        };
        rows.extend(row);
    }
    rows.sort_by_key(|row| row.seq);
    rows
}

/// Group to members, in order.
async fn members_now(
    directory: &Directory,
    groups: &[ResourceRow],
) -> Vec<(ResourceId, Vec<(ResourceId, String)>)> {
    let mut all = Vec::new();
    for g in groups {
        let members = directory.members(ORG, g.id).await.unwrap();
        all.push((g.id, members.into_iter().map(|m| (m.id, m.display)).collect()));
    }
    all
}

/// Everything that history says of a position, in pages of three.
async fn then(history: &History, kind: ResourceKind, at: u64) -> Vec<ResourceRow> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = history.resources(ORG, kind, at, None, after, 3).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = last.seq;
        all.extend(page);
    }
}

async fn members_then(
    history: &History,
    groups: &[ResourceRow],
    at: u64,
) -> Vec<(ResourceId, Vec<(ResourceId, String)>)> {
    let mut all = Vec::new();
    for g in groups {
        let (mut members, mut after) = (Vec::new(), 0);
        loop {
            let page = history.members(ORG, g.id, at, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.place;
            members.extend(page.into_iter().map(|m| (m.id, m.display)));
        }
        all.push((g.id, members));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_of_equals_a_directory_of_the_records_up_to_then(seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut dice = Dice(seed);
            let world = World::new().await;
            let mut cast = Cast::default();
            for _ in 0..500 {
                cast.happens(&world, &mut dice).await;
            }
            let head = world.log.head(ORG).await.unwrap().position;
            // Pages of any size give the same.
            let audit = world.audit_folder().await.with_page(1 + usize::try_from(dice.below(60)).unwrap());
            audit.fold(ORG).await.unwrap();
            assert_eq!(audit.verify().await.unwrap().count, 0);
            let history = History::new(world.audit.clone());
            let (live, directory) = (world.folder(), world.directory());

            let mut positions: Vec<u64> = (0..200).map(|_| 1 + dice.below(head)).collect();
            positions.sort_unstable();
            let mut before: Option<(u64, Seen)> = None;
            for position in positions {
                live.fold_to(ORG, position).await.unwrap();
                let users = now(&directory, ResourceKind::User, cast.next).await;
                let groups = now(&directory, ResourceKind::Group, cast.next).await;
                assert_eq!(then(&history, ResourceKind::User, position).await, users, "users at {position}");
                assert_eq!(then(&history, ResourceKind::Group, position).await, groups, "groups at {position}");
                let members = members_now(&directory, &groups).await;
                assert_eq!(members_then(&history, &groups, position).await, members, "members at {position}");
                for u in users.iter().take(5) {
                    let in_groups = directory.groups_of(ORG, &[u.id]).await.unwrap().remove(&u.id).unwrap_or_default();
                    let in_groups: Vec<_> = in_groups.into_iter().map(|g| (g.id, g.display)).collect();
                    assert_eq!(history.groups_of(ORG, u.id, position).await.unwrap(), in_groups, "groups of {} at {position}", u.id);
                    assert_eq!(history.resource(ORG, ResourceKind::User, u.id, position).await.unwrap().as_ref(), Some(u));
                    assert_eq!(history.resource(ORG, ResourceKind::Group, u.id, position).await.unwrap(), None);
                }
                let seen = Seen { users, groups, members };
                if let Some((earlier, there)) = before.take().filter(|(earlier, _)| *earlier < position) {
                    check_difference(&history, (earlier, &there), (position, &seen)).await;
                }
                before = Some((position, seen));
            }
        });
    }
}

struct Seen {
    users: Vec<ResourceRow>,
    groups: Vec<ResourceRow>,
    members: Vec<(ResourceId, Vec<(ResourceId, String)>)>,
}

async fn differences(history: &History, from: u64, to: u64) -> Vec<Difference> {
    let (mut all, mut next) = (Vec::new(), Some(Next::Resources(from)));
    while let Some(from_here) = next {
        let (page, then) = history.differences(ORG, (from, to), from_here, 2).await.unwrap();
        all.extend(page);
        next = then;
    }
    all
}

/// The difference that history gives is the one between two directories.
async fn check_difference(
    history: &History,
    (from, before): (u64, &Seen),
    (to, after): (u64, &Seen),
) {
    let found = differences(history, from, to).await;
    assert!(
        found.iter().all(|d| d.position > from && d.position <= to && d.at.is_some()),
        "{found:?}"
    );
    let ids =
        |what: What| found.iter().filter(|d| d.what == what).map(|d| d.id).collect::<BTreeSet<_>>();
    let pairs = |what: What| {
        found
            .iter()
            .filter(|d| d.what == what)
            .map(|d| (d.group.as_ref().unwrap().0, d.id))
            .collect::<BTreeSet<_>>()
    };
    let resources = |seen: &Seen| -> BTreeMap<ResourceId, ResourceRow> {
        seen.users.iter().chain(&seen.groups).map(|row| (row.id, row.clone())).collect()
    };
    let (old, new) = (resources(before), resources(after));
    assert_eq!(
        ids(What::Created),
        new.keys().filter(|id| !old.contains_key(*id)).copied().collect()
    );
    assert_eq!(
        ids(What::Deleted),
        old.keys().filter(|id| !new.contains_key(*id)).copied().collect()
    );
    let differ = |name: &str| -> BTreeSet<ResourceId> {
        let both = new.iter().filter_map(|(id, row)| Some((id, old.get(id)?, row)));
        both.filter(|(_, a, b)| a.attributes.get(name) != b.attributes.get(name))
            .map(|(id, ..)| *id)
            .collect()
    };
    assert_eq!(&ids(What::Enabled) | &ids(What::Disabled), differ("active"));
    assert_eq!(ids(What::Changed), differ("title"));
    let renamed: BTreeSet<_> =
        differ("userName").into_iter().chain(differ("displayName")).collect();
    assert_eq!(ids(What::Renamed), renamed);
    let memberships = |seen: &Seen| -> BTreeSet<(ResourceId, ResourceId)> {
        seen.members.iter().flat_map(|(g, members)| members.iter().map(|(m, _)| (*g, *m))).collect()
    };
    let (old, new) = (memberships(before), memberships(after));
    assert_eq!(pairs(What::Joined), &new - &old, "joined between {from} and {to}");
    assert_eq!(pairs(What::Left), &old - &new, "left between {from} and {to}");
}

#[tokio::test]
async fn memberships_tell_from_when_to_when_and_by_what() {
    let world = World::new().await;
    world.user(1, vec![created("ada")]).await;
    world.group(1, vec![group_created("Door")]).await;
    world.group(1, vec![added(&[user(1)])]).await;
    world.group(1, vec![removed(&[user(1)])]).await;
    world.group(1, vec![added(&[user(1)])]).await;
    world.user(1, vec![UserEvent::Deleted { user_name: "ada".to_owned().into() }]).await;
    // The group's own stream may name her still.
    world.group(1, vec![removed(&[user(1)])]).await;
    let audit = world.audit_folder().await;
    audit.fold(ORG).await.unwrap();
    let history = History::new(world.audit.clone());
    for side in [Side::Group(group(1)), Side::Member(user(1))] {
        let all = history.memberships(ORG, side, 7, 0, 9).await.unwrap();
        let told: Vec<_> = all
            .iter()
            .map(|m| {
                (m.began.position, m.ended.as_ref().map(|e| (e.position, e.event_type.as_str())))
            })
            .collect();
        assert_eq!(told, [(3, Some((4, "GroupMembersRemoved"))), (5, Some((6, "UserDeleted")))]);
        assert_eq!(
            (all[0].group_display.as_str(), all[0].member_display.as_str()),
            ("Door", "Display ada")
        );
        assert_eq!(all[0].began.at, at(3));
        // Seen from position 5 the second time has not ended.
        let then = history.memberships(ORG, side, 5, 0, 9).await.unwrap();
        assert_eq!(then.iter().map(|m| m.ended.is_some()).collect::<Vec<_>>(), [true, false]);
    }
}

/// Statistics are never gathered, so SQLite guesses: the order it is asked for must not lead it
/// along everything that an organization has.
#[tokio::test]
async fn a_question_about_one_goes_by_the_index_of_that_one() {
    let world = World::new().await;
    world.user(1, vec![created("ada")]).await;
    world.group(1, vec![group_created("Door")]).await;
    world.group(1, vec![added(&[user(1)])]).await;
    world.audit_folder().await.fold(ORG).await.unwrap();
    let views = WatchedViews::new(world.audit.clone());
    let history = History::new(views.clone());
    assert!(history.resource(ORG, ResourceKind::User, user(1), 3).await.unwrap().is_some());
    assert!(history.resource(ORG, ResourceKind::Group, group(1), 3).await.unwrap().is_some());
    assert_eq!(
        history.resources(ORG, ResourceKind::User, 3, Some("ada"), 0, 9).await.unwrap().len(),
        1
    );
    assert_eq!(
        history.resources(ORG, ResourceKind::Group, 3, Some("door"), 0, 9).await.unwrap().len(),
        1
    );
    assert_eq!(history.members(ORG, group(1), 3, 0, 9).await.unwrap().len(), 1);
    assert_eq!(history.reviewed(ORG, group(1), 3, 0, 9).await.unwrap().len(), 1);
    assert_eq!(history.groups_of(ORG, user(1), 3).await.unwrap().len(), 1);
    for side in [Side::Group(group(1)), Side::Member(user(1))] {
        assert_eq!(history.memberships(ORG, side, 3, 0, 9).await.unwrap().len(), 1);
    }
    assert!(history.ever(ORG, user(1)).await.unwrap());
    let queries = std::mem::take(&mut *views.queries.lock().unwrap());
    assert_eq!(queries.len(), 10);
    for sql in queries {
        let plan = plan_of(&*world.audit, &sql).await;
        let searches: Vec<&String> =
            plan.iter().filter(|step| step.starts_with("SEARCH ")).collect();
        assert!(!searches.is_empty(), "{sql}");
        for step in searches {
            let one = ["id=?", "name=?", "position=?", "subject=?"]
                .iter()
                .any(|column| step.contains(column));
            assert!(one, "{sql}\n{step}");
        }
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN ") && step != "SCAN state"),
            "{sql}\n{plan:?}"
        );
    }
}

#[tokio::test]
async fn whether_somebody_joined_after_an_instant_is_found_by_the_member() {
    let world = World::new().await;
    world.user(1, vec![created("ada")]).await;
    world.user(2, vec![created("grace")]).await;
    world.group(1, vec![group_created("Door")]).await;
    world.group(2, vec![group_created("Gate")]).await;
    world.group(1, vec![added(&[user(1)])]).await; // 5
    world.group(1, vec![removed(&[user(1)])]).await; // 6
    world.group(2, vec![added(&[user(1)])]).await; // 7
    world.group(1, vec![added(&[user(1)])]).await; // 8
    world.audit_folder().await.fold(ORG).await.unwrap();
    let views = WatchedViews::new(world.audit.clone());
    let history = History::new(views.clone());
    let joined = async |member, n| {
        let found = history.joined_after(ORG, group(1), user(member), at(n)).await.unwrap();
        found.map(|m| (m.began.position, m.ended.map(|end| end.position)))
    };
    assert_eq!(joined(1, 1).await, Some((5, Some(6))), "the first time counts");
    assert_eq!(joined(1, 5).await, Some((5, Some(6))), "and so does the instant itself");
    assert_eq!(joined(1, 6).await, Some((8, None)), "another group does not");
    assert_eq!(joined(1, 9).await, None);
    assert_eq!(joined(2, 1).await, None);
    let sql = views.queries.lock().unwrap().pop().unwrap();
    let plan = plan_of(&*world.audit, &sql).await;
    let by_member =
        "history_memberships_by_member_id_group_id (organization=? AND member_id=? AND group_id=?)";
    assert!(
        plan[0].contains(by_member) && plan.iter().all(|step| !step.starts_with("SCAN")),
        "a large group is not walked along: {plan:?}"
    );
}
