//! Given these records, then these rows.

mod support;

use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::sql::{Family, SqlValue};
use rollcall_domain::user::UserEvent;
use rollcall_projections::credentials::CredentialView;
use rollcall_projections::directory::{GroupRef, MemberKind, MemberRow};
use rollcall_projections::exchanges::{ExchangeFilter, Exchanges, Start};
use rollcall_projections::families::prepare;
use rollcall_projections::organizations::{Organizations, ScimState};
use rollcall_projections::schema::Prepared;
use serde_json::json;
use support::*;

async fn count(world: &World, table: &str) -> i64 {
    let rows =
        world.views.query(&format!("SELECT count(*) FROM {table}"), Vec::new()).await.unwrap();
    let counted = rows.first().and_then(|row| row.0.first());
    if let Some(SqlValue::Int(Some(n))) = counted { *n } else { panic!("no number: {counted:?}") }
}

#[tokio::test]
async fn a_user_from_creation_to_deletion() {
    let world = World::new().await;
    let (folder, directory) = (world.folder(), world.directory());
    world.user(1, vec![created("Ada@X")]).await;
    folder.fold(ORG).await.unwrap();
    let row = directory.user(ORG, user(1)).await.unwrap().unwrap();
    assert_eq!((row.seq, row.version, row.created, row.modified), (1, 1, at(1), at(1)));
    assert_eq!(row.attributes["userName"], json!("Ada@X"));
    assert_eq!(count(&world, "directory_emails").await, 2);

    let department = format!("{ENTERPRISE}:department");
    world
        .user(
            1,
            vec![
                UserEvent::Deactivated {},
                changed("emails", Some(json!([{ "value": "Only@x" }]))),
            ],
        )
        .await;
    world
        .user(
            1,
            vec![UserEvent::Renamed {
                before: "Ada@X".to_owned().into(),
                after: "b".to_owned().into(),
            }],
        )
        .await;
    world
        .user(1, vec![changed(&department, Some(json!("Doors"))), changed("displayName", None)])
        .await;
    folder.fold(ORG).await.unwrap();
    let row = directory.user(ORG, user(1)).await.unwrap().unwrap();
    assert_eq!((row.seq, row.version, row.created, row.modified), (1, 6, at(1), at(4)));
    let expected = json!({
        "userName": "b", "active": false, "externalId": "ext-Ada@X", "emails": [{ "value": "Only@x" }],
        ENTERPRISE: { "department": "Doors" },
    });
    assert_eq!(row.attributes, object(expected));
    assert_eq!(count(&world, "directory_emails").await, 1);
    assert_eq!(
        directory.user(OTHER, user(1)).await.unwrap(),
        None,
        "another organization's id is not there"
    );

    world.user(1, vec![UserEvent::Deleted { user_name: "b".to_owned().into() }]).await;
    folder.fold(ORG).await.unwrap();
    assert_eq!(directory.user(ORG, user(1)).await.unwrap(), None);
    assert_eq!(
        (count(&world, "directory_users").await, count(&world, "directory_emails").await),
        (0, 0)
    );
}

#[tokio::test]
async fn members_come_and_go_with_groups_and_users() {
    let world = World::new().await;
    for n in 1..=3 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    world.group(1, vec![group_created("Building"), added(&[user(3), user(1), user(2)])]).await;
    world.group(2, vec![group_created("Floor")]).await;
    world.group(2, vec![added(&[group(1), user(1)])]).await;
    let folder = world.folder();
    folder.fold(ORG).await.unwrap();
    let directory = world.directory();
    let member = |id, kind, display: &str| MemberRow { id, kind, display: display.into() };
    let floor = directory.members(ORG, group(2)).await.unwrap();
    assert_eq!(
        floor,
        [
            member(group(1), MemberKind::Group, "Building"),
            member(user(1), MemberKind::User, "Display u1")
        ]
    );
    let order =
        async |g| directory.members(ORG, g).await.unwrap().iter().map(|m| m.id).collect::<Vec<_>>();
    assert_eq!(order(group(1)).await, [user(3), user(1), user(2)]);

    // Who leaves and comes back comes last; a group's version counts its member events.
    world.group(1, vec![removed(&[user(3)]), added(&[user(3)])]).await;
    world
        .group(1, vec![GroupEvent::Renamed { before: "Building".into(), after: "House".into() }])
        .await;
    folder.fold(ORG).await.unwrap();
    assert_eq!(order(group(1)).await, [user(1), user(2), user(3)]);
    let row = directory.group(ORG, group(1)).await.unwrap().unwrap();
    assert_eq!((row.version, row.attributes["displayName"].as_str()), (5, Some("House")));
    let groups = directory.groups_of(ORG, &[user(1), user(2), user(9)]).await.unwrap();
    let of = |id, display: &str| GroupRef { id, display: display.into() };
    assert_eq!(groups[&user(1)], [of(group(1), "House"), of(group(2), "Floor")]);
    assert_eq!(groups.len(), 2);

    // Deleted in the page in which they joined, and in another.
    world.user(4, vec![created("u4")]).await;
    world.group(1, vec![added(&[user(4)])]).await;
    world.user(4, vec![UserEvent::Deleted { user_name: "u4".to_owned().into() }]).await;
    world.user(1, vec![UserEvent::Deleted { user_name: "u1".to_owned().into() }]).await;
    folder.fold(ORG).await.unwrap();
    assert_eq!(order(group(1)).await, [user(2), user(3)]);
    world.group(1, vec![GroupEvent::Deleted { display_name: "House".into() }]).await;
    folder.fold(ORG).await.unwrap();
    assert_eq!(directory.group(ORG, group(1)).await.unwrap(), None);
    assert_eq!(order(group(2)).await, []);
    assert_eq!(count(&world, "directory_members").await, 0);
}

#[tokio::test]
async fn an_organization_and_its_tokens() {
    let world = World::new().await;
    let start = OrganizationEvent::Created { name: "Contoso".into(), domain: "contoso".into() };
    world.organization(ORG, vec![start]).await;
    world.organization(ORG, vec![OrganizationEvent::ScimEnabled {}, issued(1), issued(2)]).await;
    world.organization(ORG, vec![OrganizationEvent::ScimTokenRevoked { token: token(1) }]).await;
    world.exchange(exchange(ORG, 10, Actor::ScimToken { token: token(2) }, 200)).await;
    world.exchange(exchange(ORG, 75, Actor::ScimToken { token: token(2) }, 404)).await;
    world.exchange(exchange(ORG, 76, Actor::ScimToken { token: token(2) }, 404)).await;
    world.folder().fold(ORG).await.unwrap();
    let (organizations, credentials) =
        (Organizations::new(world.views.clone()), CredentialView::new(world.views.clone()));
    let row = organizations.by_domain("contoso").await.unwrap().unwrap();
    assert_eq!(
        (row.id, row.name.as_str(), row.enabled, row.scim, row.version),
        (ORG, "Contoso", true, ScimState::Enabled, 5)
    );
    assert_eq!(organizations.list().await.unwrap(), std::slice::from_ref(&row));
    let (second, of) =
        credentials.bearer_of_organization(&format!("{:064x}", 2)).await.unwrap().unwrap();
    assert_eq!(of, row);
    assert_eq!(
        (second.id, second.revoked, second.last_used),
        (token(2).into(), None, Some(at(75)))
    );
    assert_eq!((second.first_used, second.purpose), (Some(at(10)), Purpose::Scim));
    assert_eq!(credentials.bearer("f00").await.unwrap(), None);
    let tokens = credentials.list(ORG, Purpose::Scim).await.unwrap();
    assert_eq!(
        tokens.iter().map(|t| (t.id, t.revoked)).collect::<Vec<_>>(),
        [(token(1).into(), Some(at(3))), (token(2).into(), None)]
    );

    world
        .organization(ORG, vec![OrganizationEvent::Disabled {}, OrganizationEvent::ScimDisabled {}])
        .await;
    world.folder().fold(ORG).await.unwrap();
    let row = organizations.by_id(ORG).await.unwrap().unwrap();
    assert_eq!((row.enabled, row.scim), (false, ScimState::Disabled));
    let second = credentials.list(ORG, Purpose::Scim).await.unwrap().remove(1);
    assert_eq!(second.last_used, Some(at(75)), "settings that change leave the last use alone");
}

#[tokio::test]
async fn exchanges_can_be_searched() {
    let world = World::new().await;
    for n in 1..=6 {
        let status = [200, 404, 500][usize::try_from(n % 3).unwrap()];
        world.exchange(exchange(OrganizationId::NONE, n, Actor::Unauthenticated, status)).await;
    }
    let exchanges = Exchanges::new(world.log.clone());
    let list = async |filter: ExchangeFilter, limit| {
        exchanges
            .list(OrganizationId::NONE, &filter, limit)
            .await
            .unwrap()
            .iter()
            .map(|x| x.number)
            .collect::<Vec<_>>()
    };
    let any = ExchangeFilter::default;
    assert_eq!(list(any(), 4).await, [6, 5, 4, 3]);
    assert_eq!(list(ExchangeFilter { from: Start::Before(3), ..any() }, 9).await, [2, 1]);
    assert_eq!(list(ExchangeFilter { from: Start::After(3), ..any() }, 2).await, [4, 5]);
    assert_eq!(list(ExchangeFilter { failed: true, ..any() }, 9).await, [5, 4, 2, 1]);
    assert_eq!(
        list(ExchangeFilter { operation: Some("users.patch".into()), ..any() }, 9).await,
        [6, 4, 2]
    );
    assert_eq!(
        list(ExchangeFilter { subject: Some(user(1).to_string()), ..any() }, 9).await,
        [4, 1]
    );
    assert_eq!(list(ExchangeFilter { unknown_shape: true, ..any() }, 9).await, [5]);

    let source = exchange(OrganizationId::NONE, 2, Actor::Unauthenticated, 500);
    let row = exchanges.get(OrganizationId::NONE, source.id).await.unwrap().unwrap();
    assert_eq!((row.number, row.status, row.received_at, row.duration_us), (2, 500, at(2), 900));
    assert_eq!(
        (row.interpretations, row.positions, row.caller.as_str()),
        (source.interpretations, None, "unauthenticated")
    );
    let detail = row.detail.unwrap();
    assert!(
        detail.len() == 1_000 && !detail.contains('\0'),
        "bounded, and without what PostgreSQL cannot keep"
    );
    assert_eq!(exchanges.get(ORG, source.id).await.unwrap(), None);
}

#[tokio::test]
async fn tables_of_another_version_are_told_and_left_alone() {
    let world = World::new().await;
    assert_eq!(prepare(Family::Live, &*world.views).await.unwrap(), Prepared::Ready);
    let mut tx = world.views.begin_exclusive().await.unwrap();
    tx.execute("UPDATE view_schema SET version = $1", vec!["other".into()]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(prepare(Family::Live, &*world.views).await.unwrap(), Prepared::Outdated);
    world.user(1, vec![created("ada")]).await;
    rollcall_projections::rebuild::rebuild(Family::Live, world.log.clone(), world.views.clone())
        .await
        .unwrap();
    assert_eq!(prepare(Family::Live, &*world.views).await.unwrap(), Prepared::Ready);
    assert!(world.directory().user(ORG, user(1)).await.unwrap().is_some());
}
