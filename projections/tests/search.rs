//! Searching: what matches, how many, in which order, page by page, and by which index.

mod support;

use rollcall_domain::scim::{ResourceKind, ScimType};
use rollcall_projections::directory::{Page, SearchError, SearchRequest};
use serde_json::{Value, json};
use support::watched::WatchedViews;
use support::*;

use ResourceKind::{Group, User};

/// Users 1 to n; even ones are active, and have a manager; groups 1 (with users 1 to 9) and 2
/// (with group 1 and user 1).
async fn world(n: u128) -> World {
    let world = World::new().await;
    for i in 1..=n {
        let mut attributes = json!({
            "userName": format!("User{i}@X"), "active": i % 2 == 0, "externalId": format!("E{i}"),
            "displayName": format!("Person {}", i % 10),
            "emails": [{ "type": "work", "value": format!("Work{i}@X") }, { "type": "home", "value": format!("home{i}@x") }],
        });
        if i % 2 == 0 {
            attributes[ENTERPRISE] = json!({ "manager": { "value": user(1) } });
        }
        world.user(i, vec![created_with(attributes)]).await;
    }
    world
        .group(
            1,
            vec![group_created("Building A"), added(&(1..=9.min(n)).map(user).collect::<Vec<_>>())],
        )
        .await;
    world.group(2, vec![group_created("Floor"), added(&[group(1), user(1)])]).await;
    world.folder().fold(ORG).await.unwrap();
    world
}

async fn search(
    world: &World,
    kind: ResourceKind,
    request: &SearchRequest,
) -> (u64, Vec<Value>, Option<String>) {
    let found = world.directory().search(ORG, kind, request).await.unwrap();
    (found.total, found.items, found.next_cursor)
}

/// The numbers of the resources found.
fn numbers(items: &[Value]) -> Vec<u64> {
    items
        .iter()
        .map(|i| u64::from_str_radix(&i["id"].as_str().unwrap()[28..], 16).unwrap() & 0xff_ffff)
        .collect()
}

const USER_FILTERS: &[(&str, &[u64])] = &[
    (r#"userName eq "uSER7@x""#, &[7]),
    (r#"userName eq "nobody""#, &[]),
    (r#"externalId eq "E3""#, &[3]),
    (r#"externalId eq "e3""#, &[]),
    (r#"id eq "00000000-0000-0000-0000-000010000004""#, &[4]),
    (r#"id eq "no id""#, &[]),
    (r#"emails eq "WORK5@x""#, &[5]),
    (r#"emails.value eq "home5@x" or emails.value eq "work6@x""#, &[5, 6]),
    (r#"emails[type eq "work"].value eq "work5@x""#, &[5]),
    (r#"emails[type eq "work"].value eq "home5@x""#, &[]),
    (r#"emails[type eq "work" and value eq "work5@x"]"#, &[5]),
    (r#"displayName eq "person 3""#, &[3, 13]),
    (r#"displayName eq "Person 3" and active eq true"#, &[]),
    (
        r#"manager eq "00000000-0000-0000-0000-000010000001" and displayName eq "person 4""#,
        &[4, 14],
    ),
    (
        r#"id eq "00000000-0000-0000-0000-000010000004" and manager eq "00000000-0000-0000-0000-000010000001""#,
        &[4],
    ),
    (
        r#"id eq "00000000-0000-0000-0000-000010000005" and manager eq "00000000-0000-0000-0000-000010000001""#,
        &[],
    ),
    (
        r#"userName eq "user1@x" or externalId eq "E2" or id eq "00000000-0000-0000-0000-000010000003""#,
        &[1, 2, 3],
    ),
    (r#"groups.value eq "00000000-0000-0000-0000-000020000002""#, &[1]),
];
const GROUP_FILTERS: &[(&str, &[u64])] = &[
    (r#"displayName eq "building a""#, &[1]),
    (r#"externalId eq "ext-Floor""#, &[2]),
    (r#"members eq "00000000-0000-0000-0000-000010000001""#, &[1, 2]),
    (r#"members.value eq "00000000-0000-0000-0000-000010000009""#, &[1]),
    (r#"members[value eq "00000000-0000-0000-0000-000020000001"]"#, &[2]),
    (
        r#"id eq "00000000-0000-0000-0000-000020000002" and members eq "00000000-0000-0000-0000-000010000001""#,
        &[2],
    ),
    (
        r#"id eq "00000000-0000-0000-0000-000020000002" and members eq "00000000-0000-0000-0000-000010000002""#,
        &[],
    ),
];
/// These look at every resource.
const SCANS: &[(ResourceKind, &str, &[u64])] = &[
    (
        User,
        r#"userName sw "user1" and not (userName eq "USER1@X")"#,
        &[10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    ),
    (User, r#"userName co "r2@""#, &[2]),
    (User, r#"not (active eq true) and displayName ew "9""#, &[9, 19]),
    (User, "groups pr", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (User, r#"groups.display eq "FLOOR""#, &[1]),
    (Group, r#"members.type eq "Group""#, &[2]),
    (Group, r#"not (members eq "00000000-0000-0000-0000-000010000009")"#, &[2]),
    (Group, r#"members ne "00000000-0000-0000-0000-000010000001""#, &[]),
    (Group, r#"members[not (value eq "00000000-0000-0000-0000-000010000001")]"#, &[1, 2]),
];

#[tokio::test]
async fn filters_find_what_matches() {
    let world = world(20).await;
    let users = USER_FILTERS.iter().map(|(text, expected)| (User, *text, *expected));
    let groups = GROUP_FILTERS.iter().map(|(text, expected)| (Group, *text, *expected));
    for (kind, text, expected) in users.chain(groups).chain(SCANS.iter().copied()) {
        let (total, items, next) =
            search(&world, kind, &request(kind, Some(text), None, all())).await;
        assert_eq!(
            (numbers(&items).as_slice(), total, next),
            (expected, expected.len() as u64, None),
            "{text}"
        );
    }
}

#[tokio::test]
async fn every_lookup_goes_by_index() {
    let world = world(20).await;
    let views = WatchedViews::new(world.views.clone());
    let world = World::over(world.log.clone(), views.clone());
    for (kind, filters) in [(User, USER_FILTERS), (Group, GROUP_FILTERS)] {
        for (text, _) in filters {
            search(&world, kind, &request(kind, Some(text), None, all())).await;
        }
        search(&world, kind, &request(kind, None, None, all())).await;
        search(&world, kind, &request(kind, None, None, Page::Index { start: 2, count: 5 })).await;
    }
    world.directory().user(ORG, user(1)).await.unwrap();
    let queries = std::mem::take(&mut *views.queries.lock().unwrap());
    assert!(queries.len() > 60, "{}", queries.len());
    // What these filters must not need is a walk along all resources.
    let walks = queries.iter().filter(|q| q.contains("seq > $2")).count();
    assert_eq!(walks, 2, "only the two lists without a filter");
    for sql in queries {
        for step in plan_of(&*world.views, &sql).await {
            assert!(!step.starts_with("SCAN "), "{sql}\n{step}");
        }
    }
}

#[tokio::test]
async fn statements_of_folding_go_by_index() {
    let world = world(3).await;
    let statements = [
        "DELETE FROM directory_members WHERE organization = $1 AND member_id IN ($2)",
        "DELETE FROM directory_members WHERE organization = $1 AND group_id IN ($2)",
        "DELETE FROM directory_emails WHERE organization = $1 AND seq IN ($2)",
        "UPDATE credentials SET last_used = $1, last_used_exchange = $2 WHERE organization = $3 AND id = $4",
        "SELECT sha256 FROM credentials WHERE sha256 = $1",
    ];
    for sql in statements {
        for step in plan_of(&*world.views, sql).await {
            assert!(step.starts_with("SEARCH"), "{sql}\n{step}");
        }
    }
    assert!(
        plan_of(&*world.views, "SELECT id FROM directory_users WHERE resource = $1").await[0]
            .starts_with("SCAN"),
        "the check can fail"
    );
}

#[tokio::test]
async fn more_than_a_page_of_candidates_is_found_by_walking() {
    let world = World::new().await;
    for i in 1..=1_050 {
        world.user(i, vec![created_with(json!({ "userName": format!("u{i}"), "displayName": "Same", "active": i % 2 == 0 }))]).await;
    }
    world.folder().fold(ORG).await.unwrap();
    let request = request(
        User,
        Some(r#"displayName eq "same" and active eq true"#),
        None,
        Page::Index { start: 521, count: 3 },
    );
    let (total, items, _) = search(&world, User, &request).await;
    assert_eq!((total, numbers(&items)), (525, vec![1_042, 1_044, 1_046]));
}

#[tokio::test]
async fn pages_by_index() {
    let world = world(12).await;
    let check =
        async |filter: Option<&str>, sort: Option<&str>, start, count, expected: (u64, &[u64])| {
            let (total, items, next) =
                search(&world, User, &request(User, filter, sort, Page::Index { start, count }))
                    .await;
            assert_eq!(
                (total, numbers(&items).as_slice(), next),
                (expected.0, expected.1, None),
                "{filter:?} {sort:?} {start} {count}"
            );
        };
    check(None, None, 1, 3, (12, &[1, 2, 3])).await;
    check(None, None, 11, 5, (12, &[11, 12])).await;
    check(None, None, 13, 5, (12, &[])).await;
    check(None, None, 1, 0, (12, &[])).await;
    check(Some("active eq true"), None, 2, 2, (6, &[4, 6])).await;
    check(Some("active eq true"), None, 1, 0, (6, &[])).await;
    check(None, Some("userName"), 1, 4, (12, &[10, 11, 12, 1])).await;
    check(None, Some("-userName"), 1, 3, (12, &[9, 8, 7])).await;
    check(Some("active eq true"), Some("displayName"), 1, 4, (6, &[10, 2, 12, 4])).await;
    check(Some("active eq true"), Some("-displayName"), 1, 9, (6, &[8, 6, 4, 2, 12, 10])).await;
    check(None, Some("title"), 3, 2, (12, &[3, 4])).await;
}

#[tokio::test]
async fn pages_by_cursor() {
    let world = world(12).await;
    for (filter, sort, expected) in [
        (None, None, (1..=12).collect::<Vec<u64>>()),
        (Some("active eq true"), None, vec![2, 4, 6, 8, 10, 12]),
        (
            Some(r#"displayName eq "person 1" or displayName eq "person 2""#),
            None,
            vec![1, 2, 11, 12],
        ),
        (Some("active eq true"), Some("-displayName"), vec![8, 6, 4, 2, 12, 10]),
    ] {
        for count in [1, 3, 5, 6, 20] {
            let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
            loop {
                let (total, items, next) = search(
                    &world,
                    User,
                    &request(User, filter, sort, Page::Cursor { after, count }),
                )
                .await;
                assert_eq!(total, expected.len() as u64, "{filter:?}");
                found.extend(numbers(&items));
                pages += 1;
                after = next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{filter:?} {sort:?} by {count}");
            assert_eq!(
                pages,
                (expected.len() as u64).div_ceil(count),
                "{filter:?} {sort:?} by {count}: no empty page at the end"
            );
        }
    }
}

#[tokio::test]
async fn a_cursor_goes_on_after_what_was_deleted_and_is_refused_elsewhere() {
    let world = world(6).await;
    let page = |after, sort| request(User, None, sort, Page::Cursor { after, count: 2 });
    let first = search(&world, User, &page(None, None)).await.2;
    let sorted = search(&world, User, &page(None, Some("userName"))).await.2;
    world
        .user(
            2,
            vec![rollcall_domain::user::UserEvent::Deleted {
                user_name: "User2@X".to_owned().into(),
            }],
        )
        .await;
    world.folder().fold(ORG).await.unwrap();
    assert_eq!(numbers(&search(&world, User, &page(first.clone(), None)).await.1), [3, 4]);
    assert_eq!(
        numbers(&search(&world, User, &page(sorted, Some("userName"))).await.1),
        [4, 5],
        "its place is gone, so by number"
    );
    for (kind, request) in [
        (User, page(first.clone(), Some("userName"))),
        (
            User,
            request(
                User,
                Some("active eq true"),
                None,
                Page::Cursor { after: first.clone(), count: 2 },
            ),
        ),
        (Group, request(Group, None, None, Page::Cursor { after: first, count: 2 })),
        (User, page(Some("nonsense".into()), None)),
    ] {
        match world.directory().search(ORG, kind, &request).await {
            Err(SearchError::Scim(e)) => {
                assert_eq!((e.status, e.scim_type), (400, Some(ScimType::InvalidCursor)))
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn resources_come_complete_and_members_only_when_asked_for() {
    let world = world(2).await;
    let views = WatchedViews::new(world.views.clone());
    let world = World::over(world.log.clone(), views.clone());
    let by_name = |kind, text| request(kind, Some(text), None, all());
    let user1 = search(&world, User, &by_name(User, r#"userName eq "user1@x""#)).await.1.remove(0);
    assert_eq!(user1["meta"]["location"], json!(format!("{BASE}/Users/{}", user(1))));
    assert_eq!(user1["meta"]["version"], json!("W/\"1\""));
    let reference = json!({ "value": group(1), "$ref": format!("{BASE}/Groups/{}", group(1)), "display": "Building A", "type": "direct" });
    assert_eq!(user1["groups"][0], reference);
    assert_eq!(user1["groups"].as_array().unwrap().len(), 2);

    let floor =
        search(&world, Group, &by_name(Group, r#"displayName eq "floor""#)).await.1.remove(0);
    let member = json!({ "value": group(1), "$ref": format!("{BASE}/Groups/{}", group(1)), "type": "Group" });
    assert_eq!(floor["members"][0], member);
    assert_eq!(
        (&floor["members"][1]["type"], &floor["meta"]["version"]),
        (&json!("User"), &json!("W/\"2\""))
    );

    views.queries.lock().unwrap().clear();
    let plain =
        SearchRequest { with_members: false, ..by_name(Group, r#"displayName eq "floor""#) };
    let plain = search(&world, Group, &plain).await.1.remove(0);
    assert_eq!(plain.get("members"), None);
    let asked = views.queries.lock().unwrap().clone();
    assert!(asked.len() == 1 && !asked[0].contains("directory_members"), "{asked:?}");
}

#[tokio::test]
async fn unreadable_rows_are_errors() {
    let world = world(2).await;
    let mut tx = world.views.begin(ORG).await.unwrap();
    tx.execute(
        "UPDATE directory_users SET resource = $1 WHERE id = $2",
        vec!["{".into(), user(2).to_string().into()],
    )
    .await
    .unwrap();
    tx.execute("DELETE FROM directory_users WHERE id = $1", vec![user(1).to_string().into()])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let directory = world.directory();
    assert!(directory.user(ORG, user(2)).await.is_err());
    assert!(directory.search(ORG, User, &request(User, None, None, all())).await.is_err());
    assert!(directory.members(ORG, group(1)).await.is_err(), "a member that is nobody");
    // A fold does not build on such a row either.
    world.user(2, vec![changed("title", Some(json!("x")))]).await;
    assert!(world.folder().fold(ORG).await.is_err());
}

#[tokio::test]
async fn an_answer_about_several_groups_holds_so_many_members() {
    let world = World::new().await;
    let all_users: Vec<_> = (1..=1_000).map(user).collect();
    for n in 1..=1_000 {
        world.user(n, vec![created_with(json!({ "userName": format!("u{n}") }))]).await;
    }
    for n in 1..=200 {
        world.group(n, vec![group_created(&format!("G{n}")), added(&all_users)]).await;
    }
    world.group(201, vec![group_created("One more"), added(&[user(1)])]).await;
    let folder = world.folder();
    folder.fold(ORG).await.unwrap();
    let ask = async |request: SearchRequest| world.directory().search(ORG, Group, &request).await;
    let refused = ask(request(Group, None, None, all())).await;
    let Err(SearchError::Scim(error)) = refused else { panic!("{refused:?}") };
    assert_eq!((error.status, error.scim_type), (400, Some(ScimType::TooMany)));
    assert!(
        error.detail.contains("200001 members")
            && error.detail.contains("excludedAttributes=members"),
        "{}",
        error.detail
    );

    // What the error says to do: without members, or fewer groups at a time.
    let members = |items: &[Value]| {
        items.iter().map(|i| i["members"].as_array().map_or(0, Vec::len)).sum::<usize>()
    };
    let without = ask(SearchRequest { with_members: false, ..request(Group, None, None, all()) })
        .await
        .unwrap();
    assert_eq!((without.total, without.items.len(), members(&without.items)), (201, 201, 0));
    let fewer =
        ask(request(Group, None, None, Page::Index { start: 200, count: 2 })).await.unwrap();
    assert_eq!((fewer.total, members(&fewer.items)), (201, 1_001));

    world.group(201, vec![removed(&[user(1)])]).await;
    folder.fold(ORG).await.unwrap();
    let fits = ask(request(Group, None, None, all())).await.unwrap();
    assert_eq!((fits.items.len(), members(&fits.items)), (201, 200_000));
}
