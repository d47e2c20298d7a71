//! Events found by an index.

mod support;

use rollcall_projections::events::{EventFilter, EventIndex};
use support::watched::WatchedViews;
use support::*;

#[tokio::test]
async fn among_the_positions_of_a_run_gaps_are_passed_over() {
    let world = World::new().await;
    for n in 1..=700 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    world.audit_folder().await.fold(ORG).await.unwrap();
    let views = WatchedViews::new(world.audit.clone());
    let index = EventIndex::new(views.clone());
    let run = [(3, 3), (5, 6), (650, 652)];
    let found = async |after, until, limit| {
        let (event_type, among) = (Some("UserCreated".to_owned()), Some(run.into_iter().collect()));
        let filter = EventFilter { event_type, among, after, until, ..EventFilter::default() };
        index.positions(ORG, &filter, limit).await.unwrap()
    };
    assert_eq!(found(0, None, 100).await, [3, 5, 6, 650, 651, 652]);
    let queries = std::mem::take(&mut *views.queries.lock().unwrap());
    assert_eq!(queries.len(), 2, "the long gap is not looked through");
    for step in plan_of(&*world.audit, &queries[0]).await {
        assert!(step.starts_with("SEARCH") && step.contains("position>? AND position<?"), "{step}");
    }
    assert_eq!(found(0, None, 4).await, [3, 5, 6, 650]);
    assert_eq!(found(5, Some(650), 100).await, [6, 650]);
    assert!(found(652, None, 100).await.is_empty());
    let others = EventFilter {
        event_type: Some("UserDeleted".into()),
        among: Some(run.into_iter().collect()),
        ..EventFilter::default()
    };
    assert!(index.positions(ORG, &others, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn without_a_run_one_look_is_enough() {
    let world = World::new().await;
    for n in 1..=5 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    world.audit_folder().await.fold(ORG).await.unwrap();
    let views = WatchedViews::new(world.audit.clone());
    let index = EventIndex::new(views.clone());
    let filter =
        EventFilter { event_type: Some("UserCreated".into()), after: 1, ..EventFilter::default() };
    assert_eq!(index.positions(ORG, &filter, 3).await.unwrap(), [2, 3, 4]);
    assert_eq!(views.queries.lock().unwrap().len(), 1);
}
