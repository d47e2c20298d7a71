//! The two families of views: each with its own checkpoint, stop and version.

mod support;

use rollcall_domain::log::Head;
use rollcall_domain::sql::Family;
use rollcall_projections::checkpoint::Checkpoint;
use rollcall_projections::families::{schema_version, tables};
use rollcall_projections::fold::{FoldError, Folded, Folder};
use rollcall_projections::organizations::Organizations;
use rollcall_projections::schema::Prepared;
use std::sync::atomic::Ordering::SeqCst;
use support::watched::WatchedLog;
use support::*;

fn contoso() -> rollcall_domain::organization::OrganizationEvent {
    rollcall_domain::organization::OrganizationEvent::Created {
        name: "Contoso".into(),
        domain: "contoso".into(),
    }
}

#[tokio::test]
async fn a_family_is_folded_and_stops_by_itself() {
    let inner = World::new().await;
    let log = WatchedLog::new(inner.log.clone());
    let world = World::over(log.clone(), inner.views.clone());
    world.organization(ORG, vec![contoso()]).await;
    world.user(1, vec![created("ada")]).await;
    let (live, audit) = (world.folder(), world.audit_folder().await);
    assert_eq!(live.fold(ORG).await.unwrap(), Folded { records: 2, exchanges: 0 });
    let behind = audit.status().await.unwrap();
    assert_eq!(
        (behind[0].family, behind[0].position, behind[0].head),
        (Family::Audit, 0, 2),
        "nobody waited for it"
    );

    log.unknown.store(2, SeqCst);
    let error = audit.fold(ORG).await.unwrap_err();
    assert!(
        matches!(error, FoldError::Stopped { family: Family::Audit, position: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().starts_with("the audit views stopped at position 2"), "{error}");
    let stopped = async |store: std::sync::Arc<dyn rollcall_domain::sql::SqlStore>| {
        Checkpoint::all(&*store).await.unwrap()[0].1.stopped.is_some()
    };
    assert!(stopped(world.audit.clone()).await && !stopped(world.views.clone()).await);
    let row = Organizations::new(world.views.clone()).by_id(ORG).await.unwrap().unwrap();
    assert_eq!(row.stopped, None, "SCIM is served");
    log.unknown.store(0, SeqCst);
    world.user(2, vec![created("grace")]).await;
    assert_eq!(live.fold(ORG).await.unwrap().records, 1);
    assert_eq!(
        audit.resume(ORG).await.unwrap().records,
        2,
        "the one before the stop is folded already"
    );
    assert_eq!(
        Checkpoint::all(&*world.audit).await.unwrap()[0].1.at,
        Head { position: 3, exchange_number: 0 }
    );
    assert_eq!(audit.verify().await.unwrap().count, 0);
}

#[tokio::test]
async fn a_family_of_another_version_answers_nothing_until_it_is_rebuilt() {
    let world = World::new().await;
    world.user(1, vec![created("ada")]).await;
    let audit = world.audit_folder().await;
    audit.fold(ORG).await.unwrap();
    let mut tx = world.audit.begin_exclusive().await.unwrap();
    tx.execute("UPDATE view_schema SET version = $1", vec!["other".into()]).await.unwrap();
    tx.commit().await.unwrap();
    // The other family does not care.
    assert_eq!(world.folder().prepare().await.unwrap(), Prepared::Ready);

    let audit = Folder::new(Family::Audit, world.log.clone(), world.audit.clone());
    assert_eq!(audit.prepare().await.unwrap(), Prepared::Outdated);
    let refused = |e: FoldError| {
        e.is_unavailable() && matches!(e, FoldError::Outdated { family: Family::Audit })
    };
    assert!(audit.fold(ORG).await.is_err_and(refused));
    assert!(audit.verify().await.is_err_and(refused));
    assert_eq!(audit.rebuild().await.unwrap().records, 1);
    world.user(2, vec![created("grace")]).await;
    assert_eq!(audit.fold(ORG).await.unwrap().records, 1);
    assert_eq!(world.audit_folder().await.prepare().await.unwrap(), Prepared::Ready);
}

#[test]
fn families_share_no_table() {
    let names =
        |family| tables(family).iter().map(|t| t.name).collect::<std::collections::BTreeSet<_>>();
    assert!(names(Family::Live).is_disjoint(&names(Family::Audit)));
    assert_ne!(schema_version(Family::Live), schema_version(Family::Audit));
}
