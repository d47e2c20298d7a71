//! What an answer costs on PostgreSQL is counted in trips to the server: each has its latency,
//! while everybody who wants the same group waits.

use anyhow::{Context as _, Result, ensure};
use chrono::DateTime;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimChanges;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::*;
use rollcall_domain::sql::Family;
use rollcall_domain::user::UserEvent;
use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
use rollcall_projections::fold::Folder;
use rollcall_projections::inline::FamilyInline;
use rollcall_tests::postgres_cluster::PostgresCluster;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

const ONE: OrganizationId = OrganizationId(Uuid::from_u128(1));

/// What stands between a client and a server, and counts how often the server is ready for the
/// next question: once after each trip.
async fn counted(server: String) -> Result<(u16, Arc<AtomicU64>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let trips = Arc::new(AtomicU64::new(0));
    let count = trips.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, count) = (server.clone(), count.clone());
            tokio::spawn(
                async move { pass(client, TcpStream::connect(server).await?, &count).await },
            );
        }
    });
    Ok((port, trips))
}

async fn pass(client: TcpStream, server: TcpStream, count: &AtomicU64) -> Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    // A message is its kind, its length without that, and the rest.
    let mut head = [0; 5];
    while from_server.read_exact(&mut head).await.is_ok() {
        let rest = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut message = vec![0; rest.checked_sub(4).context("a length")?];
        from_server.read_exact(&mut message).await?;
        if head[0] == b'Z' {
            count.fetch_add(1, Ordering::SeqCst);
        }
        to_client.write_all(&[&head[..], &message].concat()).await?;
    }
    Ok(())
}

fn exchange(n: u128) -> Exchange {
    Exchange {
        id: ExchangeId(Uuid::from_u128(n)),
        organization: ONE,
        parent: None,
        replays: None,
        received_at: DateTime::default(),
        protocol: Protocol::Scim,
        method: "PATCH".into(),
        target: "/scim/v2/Groups/1".into(),
        headers: Vec::new(),
        source: None,
        caller: Actor::Operator,
        operation: "groups.patch".into(),
        subject: Some(n.to_string()),
        subject_key: None,
        facts: Default::default(),
        interpretations: Vec::new(),
        unknown_shape: false,
        answer: Answer {
            status: 204,
            headers: Vec::new(),
            rule: None,
            scim_type: None,
            detail: None,
            found: None,
            body_bytes: 0,
            body_kept: true,
        },
        duration_us: 1,
        redactions: Vec::new(),
        bodies_dropped: false,
        body_hashes: None,
        particulars_hash: None,
        request_body: Vec::new(),
        answer_body: Vec::new(),
    }
}

fn append(stream: StreamId, expected: Version, events: &[&dyn Event], n: u128) -> Result<Append> {
    let events = events.iter().map(|event| event.written()).collect::<Result<_>>()?;
    let write = Write {
        stream,
        expected,
        events,
        claims: ClaimChanges { release: Vec::new(), take: Vec::new(), require: Vec::new() },
        recorded_at: DateTime::default(),
        actor: Actor::Operator,
        cause: None,
    };
    Ok(Append { organization: ONE, write: Some(write), exchange: Some(exchange(n)) })
}

trait Event {
    fn written(&self) -> Result<NewEvent>;
}

impl<E: cqrs_es::DomainEvent> Event for E {
    fn written(&self) -> Result<NewEvent> {
        Ok(NewEvent {
            event_type: self.event_type(),
            event_version: self.event_version(),
            payload: serde_json::to_string(self)?,
        })
    }
}

fn stream(kind: AggregateKind, n: u128) -> StreamId {
    StreamId { organization: ONE, kind, id: Uuid::from_u128(n) }
}

fn person(n: u128) -> Result<Append> {
    let attributes = serde_json::from_value(json!({
        "userName": format!("p{n}@example.com"), "active": true,
        "emails": [{"value": format!("p{n}@example.com"), "type": "work"}],
    }))?;
    let created = UserEvent::Created { attributes };
    append(stream(AggregateKind::User, n), 0, &[&created], n)
}

fn joins(group: u128, version: Version, member: u128) -> Result<Append> {
    let members = vec![ResourceId(Uuid::from_u128(member))];
    let added = GroupEvent::MembersAdded { members };
    append(stream(AggregateKind::Group, group), version, &[&added], 50_000 + member)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trips_of_an_answer_are_counted() -> Result<()> {
    let cluster = tokio::task::spawn_blocking(PostgresCluster::start).await??;
    let url = cluster.url();
    let server = url.split('@').nth(1).and_then(|rest| rest.split('/').next());
    let server = server.context("host and port in the URL")?.to_owned();
    let (port, trips) = counted(server.clone()).await?;
    let proxied = url.replace(&server, &format!("127.0.0.1:{port}"));
    let proxied = format!("{proxied}?sslmode=disable");
    let log = Arc::new(PostgresLog::connect(&proxied, ConnectOptions::default()).await?);
    let views = Arc::new(PostgresViews::connect(&url, Family::Live).await?);
    Folder::new(Family::Live, log.clone(), views).prepare().await?;
    log.fold_inline(Arc::new(FamilyInline::new(Family::Live)));

    let group =
        GroupEvent::Created { attributes: serde_json::from_value(json!({"displayName": "g"}))? };
    log.append(append(stream(AggregateKind::Group, 1), 0, &[&group], 1)?).await?;
    let counts = async |append: Append| {
        let before = trips.load(Ordering::SeqCst);
        let appended = log.append(append).await?;
        ensure!(appended.folded == appended.positions.is_some(), "{appended:?}");
        anyhow::Ok(trips.load(Ordering::SeqCst) - before)
    };
    let mut counted = Vec::new();
    for n in 0..5 {
        let person = counts(person(100 + n)?).await?;
        let joins = counts(joins(1, 1 + n as u64, 100 + n)?).await?;
        let read = Append { organization: ONE, write: None, exchange: Some(exchange(900 + n)) };
        counted.push((person, joins, counts(read).await?));
    }
    // Statements are prepared when they are first needed.
    assert_eq!(counted[2..], [(4, 5, 3); 3], "create, add a member, read");

    // Many at once share them: of sixteen, each of its own kind, all but the first go together.
    let before = trips.load(Ordering::SeqCst);
    let crowd = (0..16).map(|n| log.append(person(200 + n).expect("an append")));
    for appended in futures::future::join_all(crowd).await {
        ensure!(appended?.folded);
    }
    let together = trips.load(Ordering::SeqCst) - before;
    assert!(together <= 24, "{together} trips for sixteen at once");
    Ok(())
}
