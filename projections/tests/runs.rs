//! Runs folded page by page.

mod support;

use rollcall_domain::actor::Actor;
use rollcall_domain::ids::OrganizationId;
use rollcall_projections::exchanges::Start;
use rollcall_projections::fold::Folder;
use rollcall_projections::runs::{RunFilter, Runs};
use support::*;

/// A lookup of a GUID every 40 minutes, each followed by two changes.
async fn cycles(world: &World, cycles: u128) {
    for cycle in 0..cycles {
        for n in 0..3 {
            let mut exchange =
                exchange(ORG, cycle * 3 + n, Actor::ScimToken { token: token(1) }, 200);
            exchange.received_at = at(u64::try_from(cycle * 2_400 + n).unwrap());
            if n == 0 {
                exchange.operation = "users.list".into();
                exchange.target =
                    format!("/scim/v2/Users?filter=userName+eq+%22{}%22", user(cycle));
                exchange.subject = None;
                exchange.answer.found = Some(0);
            } else {
                exchange.operation = "users.patch".into();
                exchange.subject = Some(user(cycle + n).to_string());
            }
            world.exchange(exchange).await;
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_rows() {
    let world = World::new().await;
    cycles(&world, 20).await;
    let folder = world.audit_folder().await.with_page(4);
    // As it comes, and in the middle of runs.
    folder.fold(ORG).await.unwrap();
    let runs = Runs::new(world.audit.clone());
    let rows = runs.list(ORG, &RunFilter::default(), 100).await.unwrap();
    assert_eq!(rows.len(), 20);
    assert!(
        rows.iter().all(|run| run.exchanges == 3 && run.users == 2 && run.last == run.first + 2)
    );
    assert_eq!(rows.iter().filter(|run| run.open).count(), 1);
    assert_eq!(folder.verify().await.unwrap().count, 0);

    let oldest = runs
        .list(ORG, &RunFilter { from: Start::After(0), ..RunFilter::default() }, 2)
        .await
        .unwrap();
    assert_eq!(oldest.iter().map(|run| run.first).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(runs.numbers(ORG, oldest[1].id).await.unwrap(), [4, 5, 6]);
    assert_eq!(runs.exchanges(ORG, oldest[1].id).await.unwrap().len(), 3);
    assert_eq!(runs.rhythms().await.unwrap()[0].1.last(), Some(at(19 * 2_400)));
}

#[tokio::test]
async fn strangers_make_no_runs() {
    let world = World::new().await;
    world.exchange(exchange(OrganizationId::NONE, 1, Actor::Unauthenticated, 401)).await;
    let folder: Folder = world.audit_folder().await;
    assert_eq!(folder.fold(OrganizationId::NONE).await.unwrap().exchanges, 1);
    assert_eq!(
        Runs::new(world.audit.clone())
            .list(OrganizationId::NONE, &RunFilter::default(), 9)
            .await
            .unwrap(),
        []
    );
}
