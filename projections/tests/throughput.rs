//! How fast views are rebuilt. Run with `--release -- --ignored --nocapture`.

mod support;

use rollcall_domain::log::{AggregateKind, Log, NewEvent, Record, Restored, StreamId};
use rollcall_domain::sql::Family;
use rollcall_domain::{actor::Actor, user::UserEvent};
use rollcall_projections::rebuild::rebuild;
use rollcall_sqlite::{DataFolder, SqliteLog, SqliteViews};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use support::*;
use uuid::Uuid;

const USERS: u64 = 50_000;

/// Ids as they come in life: in no order.
fn scattered(n: u64) -> Uuid {
    let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Uuid::from_u64_pair(n, n.rotate_left(17) ^ 0x5bd1_e995)
}

fn record(position: u64, id: Uuid, version: u64, event: &UserEvent) -> Restored {
    let NewEvent { event_type, event_version, payload } = NewEvent {
        event_type: event.kind().as_str().into(),
        event_version: event.kind().version().into(),
        payload: serde_json::to_string(event).unwrap(),
    };
    let stream = StreamId { organization: ORG, kind: AggregateKind::User, id };
    let recorded_at = at(position);
    Restored::Record(Record {
        position,
        stream,
        version,
        event_type,
        event_version,
        payload,
        recorded_at,
        exchange: None,
        actor: Actor::Operator,
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, not a check"]
async fn records_folded_per_second() {
    let dir = std::env::temp_dir().join(format!("rollcall-throughput-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let folder = DataFolder::lock(&dir).unwrap();
    let (log, views) =
        (SqliteLog::open(&dir).unwrap(), SqliteViews::open(&dir, Family::Live).unwrap());
    let mut parts = Vec::new();
    for n in 0..USERS {
        parts.push(record(
            n + 1,
            scattered(n),
            1,
            &created_with(json!({
                "userName": format!("person.{n}@contoso.example"), "active": true, "displayName": format!("Person {n}"),
                "externalId": scattered(n + USERS).to_string(), "name": { "givenName": "Person", "familyName": n.to_string() },
                "emails": [{ "type": "work", "value": format!("person.{n}@contoso.example"), "primary": true }],
                ENTERPRISE: { "department": "Doors", "manager": { "value": scattered(0).to_string() } },
            })),
        ));
    }
    for n in 0..USERS {
        parts.push(record(
            USERS + n + 1,
            scattered(n),
            2,
            &changed("title", Some(json!("Engineer"))),
        ));
    }
    for chunk in parts.chunks(5_000) {
        log.restore(chunk.to_vec()).await.unwrap();
    }
    let (log, views): (Arc<dyn Log>, _) = (Arc::new(log), Arc::new(views));
    for _ in 0..2 {
        let begin = Instant::now();
        let rebuilt = rebuild(Family::Live, log.clone(), views.clone()).await.unwrap();
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "{} records in {seconds:.2} s: {:.0} records/s",
            rebuilt.records,
            rebuilt.records as f64 / seconds
        );
        assert_eq!(rebuilt.records, 2 * USERS);
    }
    drop((log, views, folder));
    std::fs::remove_dir_all(&dir).unwrap();
}
