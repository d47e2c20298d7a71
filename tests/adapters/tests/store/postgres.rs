//! What only PostgreSQL promises: several processes on one database, and cqrs-es on its tables.

use crate::fixture::{cluster, database};
use crate::given::*;
use crate::log::facets;
use crate::views::{number, only};
use anyhow::ensure;
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository as _, PersistedEventStore, PersistenceError};
use cqrs_es::{Aggregate, AggregateContext as _, EventStore as _};
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::log::*;
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::sql::{Family, SqlStore as _};
use rollcall_postgres::*;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::JoinSet;
use uuid::Uuid;

async fn connect(url: &str) -> Result<PostgresLog, OpenError> {
    PostgresLog::connect(url, ConnectOptions::default()).await
}

/// Two logs with two writers are two processes to the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_one_organization() -> anyhow::Result<()> {
    let url = database().await?;
    let logs = [connect(&url).await?, connect(&url).await?];
    let mut writers = JoinSet::new();
    for n in 0..16 {
        let log = logs[n as usize % 2].clone();
        writers.spawn(async move {
            for round in 0..40 {
                log.append(write(user(n), round, 1).exchange(n * 1000 + u128::from(round))).await?;
                ensure!(log.append(write(user(n), round, 1)).await.is_err());
            }
            Ok(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    let log: Arc<dyn Log> = Arc::new(logs[0].clone());
    let records = all_records(&log, ONE).await?;
    assert_complete(&records);
    assert_eq!(records.len(), 640);
    assert_eq!(logs[1].head(ONE).await?, Head { position: 640, exchange_number: 640 });
    Ok(())
}

#[tokio::test]
async fn another_process_knows_an_exchange_and_a_claim() -> anyhow::Result<()> {
    let url = database().await?;
    let (one, two) = (connect(&url).await?, connect(&url).await?);
    let first = one.append(write(user(1), 0, 2).takes(name(1)).exchange(1)).await?;
    assert_eq!(
        two.append(write(user(1), 0, 2).takes(name(1)).exchange(1)).await?,
        Appended { repeated: true, ..first }
    );
    assert!(
        matches!(two.append(write(user(2), 0, 1).takes(name(1))).await, Err(AppendError::ClaimTaken { holder, .. }) if holder == user(1))
    );
    for round in 2..12 {
        let (a, b) = tokio::join!(
            one.append(write(user(1), round, 1)),
            two.append(write(user(1), round, 1))
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} and {b:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_may_start_at_once() -> anyhow::Result<()> {
    let url = database().await?;
    let logs = futures::future::try_join_all((0..8).map(|_| connect(&url))).await?;
    let views =
        futures::future::try_join_all((0..8).map(|_| PostgresViews::connect(&url, Family::Live)))
            .await?;
    assert_eq!(logs[7].append(write(user(1), 0, 1)).await?.positions, Some((1, 1)));
    assert_eq!(number(views[7].query("SELECT 1", vec![]).await?), 1);
    Ok(())
}

/// A log that was written before exchanges were found by facets, and one where several processes
/// begin to at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exchanges_of_before_are_found_by_their_facets() -> anyhow::Result<()> {
    let url = database().await?;
    let log: Arc<dyn Log> = Arc::new(connect(&url).await?);
    facets::many(&log, [ONE, TWO]).await?;
    let views = PostgresViews::connect(&url, Family::Live).await?;
    let mut tx = views.begin_exclusive().await?;
    tx.execute("DROP TABLE rollcall.exchange_facets", vec![]).await?;
    tx.commit().await?;
    let again = futures::future::try_join_all((0..4).map(|_| connect(&url))).await?;
    let again: Arc<dyn Log> = Arc::new(again[0].clone());
    for organization in [ONE, TWO] {
        assert!(facets::assert_found(&again, organization).await? > 100);
    }
    again.append(bare(ONE, 999)).await?;
    facets::assert_found(&again, ONE).await?;
    Ok(())
}

#[tokio::test]
async fn a_newer_format_is_refused() -> anyhow::Result<()> {
    let url = database().await?;
    let (log, views) = (connect(&url).await?, PostgresViews::connect(&url, Family::Live).await?);
    let mut transaction = views.begin_exclusive().await?;
    transaction.execute("UPDATE rollcall.format SET version = 7", vec![]).await?;
    transaction.commit().await?;
    drop(log);
    assert!(matches!(connect(&url).await, Err(OpenError::Newer { found: 7, supported: 3 })));
    assert!(matches!(
        PostgresViews::connect(&url, Family::Live).await,
        Err(OpenError::Newer { found: 7, supported: 1 })
    ));
    Ok(())
}

/// A stream is asked for from a round sequence on, and counted: from wherever it is wanted, all of
/// it comes and nothing more, and a hole is damage and no short answer.
#[tokio::test]
async fn a_stream_comes_whole_from_any_version_or_not_at_all() -> anyhow::Result<()> {
    let url = database().await?;
    let (log, views) = (connect(&url).await?, PostgresViews::connect(&url, Family::Live).await?);
    log.append(write(user(1), 0, 600)).await?;
    log.append(write(user(2), 0, 3)).await?;
    for after in [0, 1, 255, 256, 257, 511, 512, 599, 600, 601, 5_000, u64::MAX] {
        let versions: Vec<Version> =
            log.load(&user(1), after).await?.iter().map(|r| r.version).collect();
        assert_eq!(versions, (after.saturating_add(1)..=600).collect::<Vec<_>>(), "after {after}");
    }
    let mut transaction = views.begin_exclusive().await?;
    let hole = "DELETE FROM rollcall.events WHERE aggregate_id = $1 AND sequence = 300";
    transaction.execute(hole, vec![user(1).aggregate_id().into()]).await?;
    transaction.commit().await?;
    for after in [0, 256, 299] {
        let error = log.load(&user(1), after).await.expect_err("a hole");
        assert!(matches!(error, LogError::Damaged(_)), "after {after}: {error}");
    }
    assert_eq!(log.load(&user(1), 300).await?.len(), 300);
    assert_eq!(log.load(&user(2), 0).await?.len(), 3);
    Ok(())
}

/// What the server cannot store fails alone, whoever it shares a batch with.
#[tokio::test]
async fn a_bad_append_fails_alone() -> anyhow::Result<()> {
    let log = connect(&database().await?).await?;
    let appends = (0..20).map(|n| {
        let mut append = write(user(n), 0, 1);
        if let Some(write) = append.write.as_mut().filter(|_| n % 5 == 3) {
            write.events[0].payload = "{not json".into();
        }
        log.append(append)
    });
    let outcomes = futures::future::join_all(appends).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), n % 5 != 3, "{n}: {outcome:?}");
    }
    assert_eq!(log.head(ONE).await?.position, 16);
    Ok(())
}

#[tokio::test]
async fn views_of_two_processes_exclude_each_other_and_switch_together() -> anyhow::Result<()> {
    let url = database().await?;
    let (one, two) = (
        Arc::new(PostgresViews::connect(&url, Family::Live).await?),
        Arc::new(PostgresViews::connect(&url, Family::Live).await?),
    );
    let mut transaction = one.begin_exclusive().await?;
    transaction.execute("CREATE TABLE counter (n BIGINT NOT NULL)", vec![]).await?;
    transaction.execute("INSERT INTO counter (n) VALUES (0)", vec![]).await?;
    transaction.commit().await?;
    let mut writers = JoinSet::new();
    for n in 0..30 {
        let views = if n % 2 == 0 { one.clone() } else { two.clone() };
        writers.spawn(async move {
            let mut transaction =
                if n % 5 == 0 { views.begin_exclusive().await? } else { views.begin(ONE).await? };
            let n = number(transaction.query("SELECT n FROM counter", vec![]).await?);
            transaction.execute("UPDATE counter SET n = $1", vec![(n + 1).into()]).await?;
            transaction.commit().await
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    assert_eq!(number(two.query("SELECT n FROM counter", vec![]).await?), 30);
    // A third that starts does not sweep a scratch store that is in use.
    let scratch = one.scratch().await?;
    let mut transaction = scratch.begin(ONE).await?;
    transaction.execute("CREATE TABLE counter (n BIGINT NOT NULL)", vec![]).await?;
    transaction.execute("INSERT INTO counter (n) VALUES (100)", vec![]).await?;
    transaction.commit().await?;
    PostgresViews::connect(&url, Family::Live).await?;
    let exclusive = one.begin_exclusive().await?;
    one.promote(scratch, exclusive).await?;
    assert_eq!(number(two.query("SELECT n FROM counter", vec![]).await?), 100);
    let mut transaction = two.begin(ONE).await?;
    assert_eq!(number(transaction.query("SELECT n FROM counter", vec![]).await?), 100);
    Ok(())
}

#[tokio::test]
async fn leftover_schemas_are_swept_at_the_next_start() -> anyhow::Result<()> {
    let url = database().await?;
    let views = PostgresViews::connect(&url, Family::Live).await?;
    let mut transaction = views.begin_exclusive().await?;
    transaction.execute("CREATE SCHEMA rollcall_views_scratch_0", vec![]).await?;
    transaction.execute("CREATE TABLE rollcall_views_scratch_0.t (n BIGINT)", vec![]).await?;
    transaction.execute("CREATE SCHEMA rollcall_views_old_0", vec![]).await?;
    transaction.commit().await?;
    PostgresViews::connect(&url, Family::Live).await?;
    let left = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('rollcall_views_scratch_0', 'rollcall_views_old_0')";
    assert_eq!(number(views.query(left, vec![]).await?), 0);
    Ok(())
}

#[tokio::test]
async fn families_have_schemas_of_their_own() -> anyhow::Result<()> {
    let url = database().await?;
    let (live, audit) = (
        PostgresViews::connect(&url, Family::Live).await?,
        PostgresViews::connect(&url, Family::Audit).await?,
    );
    let word = async |views: &dyn rollcall_domain::sql::SqlStore, text: &str| {
        let mut transaction = views.begin(ONE).await?;
        transaction.execute("CREATE TABLE word (word TEXT NOT NULL)", vec![]).await?;
        transaction.execute("INSERT INTO word (word) VALUES ($1)", vec![text.into()]).await?;
        anyhow::Ok(transaction.commit().await?)
    };
    word(&live, "live").await?;
    word(&audit, "audit").await?;
    // One writes, and is replaced, while the other is being written.
    let _busy = live.begin(ONE).await?;
    let scratch = audit.scratch().await?;
    word(&*scratch, "new").await?;
    PostgresViews::connect(&url, Family::Live).await?;
    let exclusive = audit.begin_exclusive().await?;
    audit.promote(scratch, exclusive).await?;
    for (views, text) in [(&live, "live"), (&audit, "new")] {
        assert_eq!(only(views.query("SELECT word FROM word", vec![]).await?), text.into());
    }
    Ok(())
}

/// An aggregate of cqrs-es, to see that its store works on our tables.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Switch {
    events: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused;

impl Aggregate for Switch {
    const TYPE: &'static str = "Organization";
    type Command = bool;
    type Event = OrganizationEvent;
    type Error = Refused;
    type Services = ();

    async fn handle(&mut self, on: bool, _: &(), sink: &EventSink<Self>) -> Result<(), Refused> {
        let event = if on { OrganizationEvent::Enabled {} } else { OrganizationEvent::Disabled {} };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, _: OrganizationEvent) {
        self.events += 1;
    }
}

#[tokio::test]
async fn cqrs_es_reads_and_writes_the_same_streams() -> anyhow::Result<()> {
    let log = connect(&database().await?).await?;
    let stream = StreamId { organization: ONE, kind: AggregateKind::Organization, id: ONE.0 };
    let id = stream.aggregate_id();
    let store = PersistedEventStore::<_, Switch>::new_event_store(log.repository());
    let metadata = HashMap::from([
        (METADATA_RECORDED_AT.to_owned(), time(5).to_rfc3339()),
        (METADATA_EXCHANGE.to_owned(), ExchangeId(Uuid::from_u128(4)).to_string()),
    ]);
    let events = || vec![OrganizationEvent::Enabled {}, OrganizationEvent::Disabled {}];
    let fresh = store.load_aggregate(&id).await?;
    let stale = store.load_aggregate(&id).await?;
    store.commit(events(), fresh, metadata.clone()).await?;
    let lost = store.commit(events(), stale, metadata.clone()).await;
    ensure!(matches!(lost, Err(cqrs_es::AggregateError::AggregateConflict)), "{:?}", lost.err());
    let records = log.load(&stream, 0).await?;
    assert_eq!(
        records.iter().map(|r| (r.position, r.version)).collect::<Vec<_>>(),
        [(1, 1), (2, 2)]
    );
    assert_eq!(
        (records[0].recorded_at, records[0].exchange),
        (time(5), Some(ExchangeId(Uuid::from_u128(4))))
    );
    // What our append writes, cqrs-es loads, envelope included.
    let mut ours = write(stream, 2, 1).exchange(9);
    if let Some(write) = &mut ours.write {
        write.events[0] = NewEvent {
            event_type: "OrganizationEnabled".into(),
            event_version: "1".into(),
            payload: r#"{"OrganizationEnabled":{}}"#.into(),
        };
    }
    log.append(ours).await?;
    assert_eq!(store.load_aggregate(&id).await?.aggregate().events, 3);
    let loaded = store.load_events(&id).await?;
    assert_eq!(loaded[2].metadata[METADATA_EXCHANGE], Uuid::from_u128(9).to_string());
    assert_eq!(loaded[0].metadata[METADATA_RECORDED_AT], "2026-11-01T12:00:00.123461Z");
    Ok(())
}

#[tokio::test]
async fn streams_of_all_events_are_an_error_and_not_a_short_answer() -> anyhow::Result<()> {
    let log = connect(&database().await?).await?;
    let repository = log.repository();
    let all = repository.stream_all_events::<Switch>().await;
    assert!(matches!(all, Err(PersistenceError::UnknownError(_))));
    let id =
        StreamId { organization: ONE, kind: AggregateKind::Organization, id: ONE.0 }.aggregate_id();
    assert!(
        repository
            .persist::<Switch>(&[], Some((id.clone(), serde_json::Value::Null, 1)))
            .await
            .is_err()
    );
    assert!(repository.stream_events::<Switch>(&id).await?.next::<Switch>(&[]).await.is_none());
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error() -> anyhow::Result<()> {
    let url = tokio::task::spawn_blocking(|| {
        anyhow::Ok(cluster()?.url().replace("/rollcall", "/nowhere"))
    })
    .await??;
    assert!(matches!(connect(&url).await, Err(OpenError::Database(_))));
    assert!(matches!(
        connect("postgres://postgres@127.0.0.1:1/rollcall").await,
        Err(OpenError::Database(_))
    ));
    assert!(matches!(connect("mailto:nobody").await, Err(OpenError::Database(_))));
    Ok(())
}
