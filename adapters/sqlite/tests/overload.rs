//! A disk that does not keep up: callers are told, nobody waits without bound, nothing is half
//! done.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimChanges;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rollcall_sqlite::SqliteLog;
use rusqlite::Connection;
use uuid::Uuid;

const CALLERS: u64 = 6000;

fn append(n: u64) -> Append {
    let organization = OrganizationId(Uuid::from_u128(1));
    let stream =
        StreamId { organization, kind: AggregateKind::User, id: Uuid::from_u128(u128::from(n)) };
    let event = NewEvent {
        event_type: "UserActivated".into(),
        event_version: "1".into(),
        payload: "{}".into(),
    };
    let write = Write {
        stream,
        expected: 0,
        events: vec![event],
        claims: ClaimChanges { release: Vec::new(), take: Vec::new(), require: Vec::new() },
        recorded_at: chrono::DateTime::UNIX_EPOCH,
        actor: Actor::System,
        cause: None,
    };
    Append { organization, write: Some(write), exchange: None }
}

#[tokio::test]
async fn too_many_writers_are_refused_at_once_and_the_others_are_served()
-> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let log = SqliteLog::open(dir.path())?;
    // Holds the file's write lock, so that the first batch cannot begin.
    let brake = Connection::open(dir.path().join("log.db"))?;
    brake.execute_batch("BEGIN IMMEDIATE")?;
    let mut answers: FuturesUnordered<_> = (0..CALLERS).map(|n| log.append(append(n))).collect();
    let first = answers.next().await;
    assert!(
        matches!(&first, Some(Err(AppendError::Unavailable(why))) if why.contains("too many")),
        "{first:?}"
    );
    brake.execute_batch("ROLLBACK")?;
    let (mut refused, mut appended) = (1, 0);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(_) => appended += 1,
            Err(AppendError::Unavailable(_)) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused + appended, CALLERS);
    assert!(appended >= 4096, "{appended}");
    let organization = OrganizationId(Uuid::from_u128(1));
    assert_eq!(log.head(organization).await?.position, appended);
    assert_eq!(log.records(organization, 0, usize::MAX).await?.len() as u64, appended);
    Ok(())
}

#[tokio::test]
async fn a_file_that_stays_locked_is_unavailable_and_recovers()
-> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let log = SqliteLog::open(dir.path())?;
    let brake = Connection::open(dir.path().join("log.db"))?;
    brake.execute_batch("BEGIN IMMEDIATE")?;
    let (appended, pinged) = tokio::join!(log.append(append(1)), log.ping());
    assert!(matches!(appended, Err(AppendError::Unavailable(_))), "{appended:?}");
    assert!(matches!(pinged, Err(LogError::Unavailable(_))), "{pinged:?}");
    // Readers go on.
    assert_eq!(log.head(OrganizationId(Uuid::from_u128(1))).await?, Head::default());
    brake.execute_batch("ROLLBACK")?;
    assert_eq!(log.append(append(1)).await?.positions, Some((1, 1)));
    Ok(())
}
