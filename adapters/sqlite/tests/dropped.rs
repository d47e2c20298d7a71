//! What is dropped is gone from the files, too: from free pages and from the write-ahead log.

use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rollcall_sqlite::SqliteLog;
use serde_json::json;
use std::error::Error;
use std::fs;
use std::path::Path;
use uuid::Uuid;

const ONE: OrganizationId = OrganizationId(Uuid::from_u128(1));

fn exchange(n: u128) -> Result<Exchange, serde_json::Error> {
    let exchange: Exchange = serde_json::from_value(json!({
        "id": Uuid::from_u128(n), "organization": ONE, "received_at": "2026-11-30T12:00:00Z",
        "protocol": "scim", "method": "POST", "target": "/scim/v2/Users", "headers": [],
        "source": null, "caller": Actor::Unauthenticated, "operation": "users.create",
        "subject": null, "interpretations": [], "unknown_shape": false,
        "answer": {
            "status": 201, "headers": [], "scim_type": null,
            "detail": null, "body_bytes": 0, "body_kept": true,
        },
        "duration_us": 1, "redactions": [],
    }))?;
    // Some fit on a page, and some do not.
    let body = format!("ada.keller-{n} ").repeat(1 + 200 * (n as usize % 3)).into_bytes();
    Ok(Exchange { request_body: body.clone(), answer_body: body, ..exchange })
}

fn found_in(dir: &Path, what: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let holds = fs::read(&path)?.windows(what.len()).any(|bytes| bytes == what.as_bytes());
        if holds {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

#[tokio::test]
async fn bodies_that_are_dropped_leave_the_disk() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let log = SqliteLog::open(dir.path())?;
    for n in 1..=60 {
        let append = Append { organization: ONE, write: None, exchange: Some(exchange(n)?) };
        log.append(append).await?;
    }
    assert!(!found_in(dir.path(), "ada.keller-7 ")?.is_empty(), "they are there");
    assert_eq!(log.drop_bodies(ONE, 0, 40).await?, 40);
    for n in 1..=40 {
        let left = found_in(dir.path(), &format!("ada.keller-{n} "))?;
        assert!(left.is_empty(), "{n} is still in {left:?}");
    }
    assert!(!found_in(dir.path(), "ada.keller-41 ")?.is_empty(), "what is kept is kept");
    Ok(())
}
