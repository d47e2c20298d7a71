//! Folding: in step with its checkpoint, shared by many callers, stopped by what it cannot read.

mod support;

use rollcall_domain::actor::Actor;
use rollcall_domain::log::{Bodies, Head};
use rollcall_domain::sql::{Family, SqlError};
use rollcall_projections::checkpoint::Checkpoint;
use rollcall_projections::fold::{FoldError, Folded, Folder};
use rollcall_projections::organizations::Organizations;
use rollcall_projections::verify::verify;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use support::watched::{WatchedLog, WatchedViews};
use support::*;

async fn watched() -> (World, Arc<WatchedLog>, Arc<WatchedViews>) {
    let world = World::new().await;
    let (log, views) = (WatchedLog::new(world.log.clone()), WatchedViews::new(world.views.clone()));
    (World::over(log.clone(), views.clone()), log, views)
}

async fn checkpoint(world: &World) -> Checkpoint {
    let all = Checkpoint::all(&*world.views).await.unwrap();
    all.into_iter().find(|(org, _)| *org == ORG).map(|(_, c)| c).unwrap_or_default()
}

async fn users(world: &World) -> u64 {
    world
        .directory()
        .search(ORG, rollcall_domain::scim::ResourceKind::User, &request_all())
        .await
        .unwrap()
        .total
}

fn request_all() -> rollcall_projections::directory::SearchRequest {
    request(rollcall_domain::scim::ResourceKind::User, None, None, all())
}

#[tokio::test]
async fn a_bad_record_stops_its_organization_only_until_it_can_be_read() {
    let (world, log, _) = watched().await;
    let started = |name: &str| rollcall_domain::organization::OrganizationEvent::Created {
        name: name.into(),
        domain: name.into(),
    };
    world.organization(ORG, vec![started("contoso")]).await;
    for n in 2..=6 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    world.exchange(exchange(ORG, 1, Actor::Operator, 200)).await;
    world.organization(OTHER, vec![started("fabrikam")]).await;
    log.unknown.store(4, SeqCst);

    let folder = world.folder();
    let lags = folder.sweep().await.unwrap();
    let stopped = |e: &FoldError| matches!(e, FoldError::Stopped { position: 4, error, .. } if error.contains("UserPainted"));
    assert_eq!(lags.len(), 2);
    assert!(
        lags[0].organization == ORG && lags[0].outcome.as_ref().is_err_and(stopped),
        "{lags:?}"
    );
    assert!(lags[1].outcome.is_ok(), "{lags:?}");
    assert_eq!(users(&world).await, 2, "what stands before is folded");
    let kept = checkpoint(&world).await;
    assert_eq!(
        (kept.at, kept.stopped.map(|s| s.position)),
        (Head { position: 3, exchange_number: 0 }, Some(4))
    );
    let row = Organizations::new(world.views.clone()).by_id(ORG).await.unwrap().unwrap();
    assert_eq!(row.stopped.map(|s| s.position), Some(4));
    assert!(
        folder
            .status()
            .await
            .unwrap()
            .iter()
            .any(|s| s.organization == ORG && s.stopped.is_some() && s.head == 6)
    );

    // It stays stopped, also once it could go on, until somebody says so.
    assert!(folder.fold_to(ORG, 3).await.is_ok(), "what is covered is covered");
    assert!(folder.fold_to(ORG, 5).await.is_err_and(|e| stopped(&e)));
    assert!(folder.resume(ORG).await.is_err_and(|e| stopped(&e)));
    log.unknown.store(0, SeqCst);
    assert!(folder.fold(ORG).await.is_err_and(|e| stopped(&e)));
    assert_eq!(folder.resume(ORG).await.unwrap(), Folded { records: 3, exchanges: 1 });
    assert_eq!(
        checkpoint(&world).await,
        Checkpoint { at: Head { position: 6, exchange_number: 1 }, stopped: None }
    );
    assert_eq!(users(&world).await, 5);
}

#[tokio::test]
async fn a_new_process_tries_a_stop_again_by_itself() {
    let (world, log, _) = watched().await;
    world.user(1, vec![created("a")]).await;
    log.unknown.store(1, SeqCst);
    assert!(matches!(world.folder().fold(ORG).await, Err(FoldError::Stopped { position: 1, .. })));
    assert!(matches!(world.folder().fold(ORG).await, Err(FoldError::Stopped { position: 1, .. })));
    log.unknown.store(0, SeqCst);
    assert_eq!(world.folder().fold(ORG).await.unwrap().records, 1);
}

#[tokio::test]
async fn an_event_that_does_not_fit_its_row_stops() {
    let world = World::new().await;
    world.user(1, vec![created("a"), created("a")]).await;
    let error = world.folder().fold(ORG).await.unwrap_err();
    assert!(
        matches!(&error, FoldError::Stopped { position: 2, error, .. } if error.contains("exists")),
        "{error}"
    );
}

#[tokio::test]
async fn a_row_the_database_refuses_stops_at_its_record() {
    let (world, _, views) = watched().await;
    for n in 1..=5 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    *views.refused.lock().unwrap() = Some("u4".into());
    let error = world.folder().fold(ORG).await.unwrap_err();
    assert!(matches!(error, FoldError::Stopped { position: 4, .. }), "{error}");
    assert_eq!((users(&world).await, checkpoint(&world).await.at.position), (3, 3));
    *views.refused.lock().unwrap() = None;
    world.folder().resume(ORG).await.unwrap();
    assert_eq!(users(&world).await, 5);
}

#[tokio::test]
async fn an_interrupted_fold_leaves_rows_and_checkpoint_in_step() {
    let (world, _, views) = watched().await;
    for n in 0..5 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    let folder = world.folder().with_page(2);
    views.no_commit.store(true, SeqCst);
    let error = folder.fold(ORG).await.unwrap_err();
    assert!(matches!(error, FoldError::Sql(SqlError::Unavailable(_))) && error.is_unavailable());
    assert_eq!((users(&world).await, checkpoint(&world).await.at.position), (0, 0));
    views.no_commit.store(false, SeqCst);

    // A caller that goes away in the middle of it.
    for polls in 1..40 {
        let mut fold = Box::pin(folder.fold(ORG));
        for _ in 0..polls {
            if futures_poll(&mut fold).await.is_some() {
                break;
            }
        }
        drop(fold);
        assert_eq!(users(&world).await, checkpoint(&world).await.at.position);
    }
    folder.fold(ORG).await.unwrap();
    assert_eq!((users(&world).await, checkpoint(&world).await.at.position), (5, 5));
    assert_eq!(
        verify(Family::Live, world.log.clone(), world.views.clone()).await.unwrap().count,
        0
    );
}

/// Polls once and lets others run.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let polled = std::future::poll_fn(|cx| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_micros(200)).await;
    match polled {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_share_a_run() {
    let (world, _, views) = watched().await;
    for n in 0..200 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    let folder = Arc::new(world.folder());
    let calls = (1..=200).map(|position| {
        let folder = folder.clone();
        tokio::spawn(async move { folder.fold_to(ORG, position).await.unwrap().records })
    });
    let mut folded = 0;
    for call in calls.collect::<Vec<_>>() {
        folded += call.await.unwrap();
    }
    assert_eq!(folded, 200, "each record is folded once");
    assert!(
        views.begun.load(SeqCst) <= 100,
        "{} transactions for 200 callers",
        views.begun.load(SeqCst)
    );
    assert_eq!(users(&world).await, 200);
}

#[tokio::test]
async fn what_an_append_hands_over_is_not_read_from_the_log() {
    let (world, log, _) = watched().await;
    let folder: Folder = world.folder();
    world.user(1, vec![created("a")]).await;
    world.exchange(exchange(ORG, 1, Actor::Operator, 200)).await;
    let records = world.log.records(ORG, 0, 9).await.unwrap();
    let exchanges = world.log.exchanges(ORG, 0, 9, Bodies::Skip).await.unwrap();
    let exchanges = exchanges.into_iter().map(Arc::new).collect();
    let read = log.reads.load(SeqCst);
    assert_eq!(
        folder.fold_appended(ORG, records, exchanges).await.unwrap(),
        Folded { records: 1, exchanges: 1 }
    );
    assert_eq!(log.reads.load(SeqCst), read);

    // With a record of somebody else between, the log is read, and nothing is folded twice.
    world.user(2, vec![created("b")]).await;
    world.user(3, vec![created("c")]).await;
    let last = world.log.records(ORG, 2, 9).await.unwrap();
    let read = log.reads.load(SeqCst);
    assert_eq!(folder.fold_appended(ORG, last.clone(), Vec::new()).await.unwrap().records, 2);
    assert!(log.reads.load(SeqCst) > read);
    assert_eq!(folder.fold_appended(ORG, last, Vec::new()).await.unwrap(), Folded::default());
    assert_eq!(users(&world).await, 3);
}

#[tokio::test]
async fn what_is_handed_over_waits_until_somebody_asks() {
    let (world, log, _) = watched().await;
    let folder = world.audit_folder().await;
    for n in 1..=5 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
        world.exchange(exchange(ORG, n, Actor::Operator, 200)).await;
        let n = u64::try_from(n).unwrap();
        let records = world.log.records(ORG, n - 1, 1).await.unwrap();
        let exchanges = world.log.exchanges(ORG, n - 1, 1, Bodies::Skip).await.unwrap();
        folder.hand_over(ORG, records, exchanges.into_iter().map(Arc::new).collect());
    }
    let read = log.reads.load(SeqCst);
    assert_eq!(folder.fold(ORG).await.unwrap(), Folded { records: 5, exchanges: 5 });
    assert_eq!(log.reads.load(SeqCst), read, "all of it was in memory");
    assert_eq!(folder.verify().await.unwrap().count, 0);
}

#[tokio::test]
async fn views_ahead_of_the_log_are_told() {
    let world = World::new().await;
    world.user(1, vec![created("a")]).await;
    world.folder().fold(ORG).await.unwrap();
    let emptied = World::over(
        Arc::new(rollcall_sqlite::SqliteLog::in_memory().unwrap()),
        world.views.clone(),
    );
    let lags = emptied.folder().sweep().await.unwrap();
    assert!(matches!(lags[0].outcome, Err(FoldError::Ahead { position: 1, head: 0 })), "{lags:?}");
    assert!(matches!(
        verify(Family::Live, emptied.log, emptied.views).await,
        Err(FoldError::Ahead { .. })
    ));
}
