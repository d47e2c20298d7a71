//! A log that was written before exchanges were found by facets.

use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rollcall_sqlite::SqliteLog;
use rusqlite::Connection;
use serde_json::json;
use std::error::Error;
use uuid::Uuid;

const ONE: OrganizationId = OrganizationId(Uuid::from_u128(1));

fn exchange(n: u128) -> Result<Exchange, serde_json::Error> {
    serde_json::from_value(json!({
        "id": Uuid::from_u128(n), "organization": ONE, "received_at": "2026-11-30T12:00:00Z",
        "protocol": "scim", "method": "GET", "target": "/scim/v2/Users", "headers": [],
        "source": null, "caller": Actor::Unauthenticated, "operation": "users.list",
        "subject": format!("subject {}", n % 3), "interpretations": [], "unknown_shape": n == 4,
        "answer": {
            "status": if n.is_multiple_of(2) { 400 } else { 200 }, "headers": [], "scim_type": null,
            "detail": null, "body_bytes": 0, "body_kept": false,
        },
        "duration_us": 1, "redactions": [],
    }))
}

#[tokio::test]
async fn its_exchanges_are_found_by_their_facets() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let log = SqliteLog::open(dir.path())?;
    for n in 1..=9 {
        let append = Append { organization: ONE, write: None, exchange: Some(exchange(n)?) };
        log.append(append).await?;
    }
    drop(log);
    Connection::open(dir.path().join("log.db"))?.execute_batch("DROP TABLE exchange_facet")?;
    let log = SqliteLog::open(dir.path())?;
    for (facet, numbers) in [
        (Facet::Subject("subject 1"), vec![7, 4, 1]),
        (Facet::Operation("users.list"), vec![9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (Facet::Failed, vec![8, 6, 4, 2]),
        (Facet::UnknownShape, vec![4]),
    ] {
        let found = log.exchanges_with(ONE, facet, Start::Latest, 10).await?;
        assert_eq!(found.iter().map(|x| x.number).collect::<Vec<_>>(), numbers, "{facet:?}");
    }
    Ok(())
}
