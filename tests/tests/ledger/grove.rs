//! Proofs that are made of a part of the tree, held against the whole tree in memory; and reading
//! on in the middle of a log.

use anyhow::{Context as _, Result, ensure};
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimChanges;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::{Place, Tree};
use rollcall_domain::log::{AggregateKind, Append, Log, NewEvent, StreamId, Write};
use rollcall_evidence::grove::{Grove, index_of_exchange, index_of_record};
use rollcall_evidence::walk::{Step, Walk};
use rollcall_sqlite::SqliteLog;
use rollcall_tests::rng::Rng;
use serde_json::json;
use uuid::Uuid;

const OF: OrganizationId = OrganizationId(Uuid::from_u128(1));

fn exchange(n: u128) -> Result<Exchange> {
    Ok(serde_json::from_value(json!({
        "id": Uuid::from_u128(n), "organization": OF, "received_at": "2026-11-01T12:00:00.000001Z",
        "protocol": "scim", "method": "GET", "target": "/", "headers": [],
        "caller": { "kind": "system" }, "operation": "users.list", "duration_us": 1,
        "answer": { "status": 200, "body_bytes": 0, "body_kept": true },
    }))?)
}

fn write(stream: u128, expected: u64, events: usize) -> Write {
    let event = NewEvent {
        event_type: "UserChanged".into(),
        event_version: "1".into(),
        payload: format!("{{\"n\":{stream}}}"),
    };
    Write {
        stream: StreamId {
            organization: OF,
            kind: AggregateKind::User,
            id: Uuid::from_u128(stream),
        },
        expected,
        events: vec![event; events],
        claims: ClaimChanges { release: Vec::new(), take: Vec::new(), require: Vec::new() },
        recorded_at: chrono::DateTime::from_timestamp_micros(1).unwrap_or_default(),
        actor: Actor::System,
        cause: None,
    }
}

/// A log of about so many entries, in runs of records and runs of exchanges.
async fn log(entries: u64, rng: &mut Rng) -> Result<SqliteLog> {
    let log = SqliteLog::in_memory()?;
    for n in 1.. {
        let head = log.head(OF).await?;
        if head.position + head.exchange_number >= entries {
            break;
        }
        for exchange_number in 0..rng.below(60) {
            let exchange = Some(exchange(n * 1_000 + u128::from(exchange_number))?);
            log.append(Append { organization: OF, write: None, exchange }).await?;
        }
        let write = Some(write(n, 0, rng.below(60) as usize));
        let exchange = (n % 2 == 0).then(|| exchange(n * 1_000 + 999)).transpose()?;
        log.append(Append { organization: OF, write, exchange }).await?;
    }
    Ok(log)
}

#[tokio::test]
async fn proofs_of_a_part_are_proofs_of_the_whole() -> Result<()> {
    let mut rng = Rng::from_env("ledger grove", 7);
    let log = log(1_500, &mut rng).await?;
    let ledger = log.ledger_head(OF).await?;
    let (mut whole, mut entries) = (Tree::default(), Vec::new());
    let mut walk = Walk::new(&log, OF, ledger.head);
    while let Some(step) = walk.next().await? {
        let Step::Item(item) = step else { anyhow::bail!("{step:?}") };
        whole.append(item.kept.context("a leaf")?);
        entries.push(item.content.clone());
    }
    let size = whole.size();
    ensure!(size == ledger.frontier.size() && whole.root() == ledger.frontier.root());
    // One that has grown with each question, and one that is asked for the first time.
    let mut grown = Grove::default();
    for n in 0..200 {
        let new = 1 + rng.below(size);
        let (old, index) = (rng.below(new + 1), rng.below(new));
        let mut fresh = Grove::default();
        let grove = if n % 10 == 0 { &mut fresh } else { &mut grown };
        let path = grove.inclusion(&log, OF, index, new).await?;
        ensure!(path == whole.inclusion(index, new)?, "leaf {index} of {new}");
        let path = grove.consistency(&log, OF, old, new).await?;
        ensure!(path == whole.consistency(old, new)?, "from {old} to {new}");
        let level = rng.below(11) as u8;
        let place = Place { level, index: rng.below((size >> level).max(1)) };
        match (whole.node(place), grove.nodes(&log, OF, &[place]).await) {
            (Some(node), found) => ensure!(found? == [node], "{place:?}"),
            (None, found) => ensure!(found.is_err(), "{place:?}"),
        }
        // Where an entry is, and how to read on from there.
        let entry = &entries[index as usize];
        let at = match entry {
            rollcall_evidence::findings::Content::Record(record) => {
                index_of_record(&log, OF, record.position, ledger.head).await?
            }
            rollcall_evidence::findings::Content::Exchange(x) => {
                index_of_exchange(x.number, x.after)
            }
        };
        ensure!(at == index, "{at} for {index}");
        let begin = grown.begin(&log, OF, index).await?;
        let mut walk = Walk::after(&log, OF, begin, ledger.head);
        for expected in (begin.position + begin.exchange_number)..=index {
            let Some(Step::Item(item)) = walk.next().await? else { anyhow::bail!("{expected}") };
            ensure!(item.content == entries[expected as usize], "{expected}");
        }
    }
    ensure!(grown.inclusion(&log, OF, size, size).await.is_err());
    ensure!(grown.consistency(&log, OF, 2, 1).await.is_err());
    Ok(())
}
