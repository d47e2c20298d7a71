//! A log in memory, views in memory, and short words for what happens in them.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod watched;

use chrono::{DateTime, Duration, Utc};
use cqrs_es::DomainEvent;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::{Claim, ClaimChanges};
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, TokenId};
use rollcall_domain::interpretation::{Interpretation, Reading};
use rollcall_domain::log::{AggregateKind, Append, Appended, Log, NewEvent, StreamId, Write};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::scim::{Attributes, Filter, Limits, ResourceKind, parse_filter, parse_path};
use rollcall_domain::sql::{Family, SqlStore, SqlValue};
use rollcall_domain::user::{Change, UserEvent};
use rollcall_projections::directory::{Directory, Page, SearchRequest, Sort};
use rollcall_projections::families::prepare;
use rollcall_projections::fold::Folder;
use rollcall_projections::schema::Prepared;
use rollcall_sqlite::{SqliteLog, SqliteViews};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

pub const ORG: OrganizationId = OrganizationId(Uuid::from_u128(0x0a));
pub const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(0x0b));
pub const BASE: &str = "https://rollcall.example/scim/v2";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The n-th user.
pub fn user(n: u128) -> ResourceId {
    ResourceId(Uuid::from_u128(0x1000_0000 + n))
}
/// The n-th group.
pub fn group(n: u128) -> ResourceId {
    ResourceId(Uuid::from_u128(0x2000_0000 + n))
}
/// The n-th token.
pub fn token(n: u128) -> TokenId {
    TokenId(Uuid::from_u128(0x3000_0000 + n))
}
/// The n-th second.
pub fn at(n: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000) + Duration::seconds(i64::try_from(n).unwrap())
}

pub struct World {
    pub log: Arc<dyn Log>,
    pub views: Arc<dyn SqlStore>,
    pub audit: Arc<dyn SqlStore>,
    versions: Mutex<HashMap<StreamId, u64>>,
    clock: Mutex<u64>,
}

impl World {
    pub async fn new() -> Self {
        let views = SqliteViews::in_memory().unwrap();
        assert_eq!(prepare(Family::Live, &views).await.unwrap(), Prepared::Created);
        Self::over(Arc::new(SqliteLog::in_memory().unwrap()), Arc::new(views))
    }

    pub fn over(log: Arc<dyn Log>, views: Arc<dyn SqlStore>) -> Self {
        let audit = Arc::new(SqliteViews::in_memory().unwrap());
        Self { log, views, audit, versions: Mutex::default(), clock: Mutex::default() }
    }

    pub fn folder(&self) -> Folder {
        Folder::new(Family::Live, self.log.clone(), self.views.clone())
    }
    /// Feeds the auditors' views.
    pub async fn audit_folder(&self) -> Folder {
        let folder = Folder::new(Family::Audit, self.log.clone(), self.audit.clone());
        folder.prepare().await.unwrap();
        folder
    }
    pub fn directory(&self) -> Directory {
        Directory::new(self.views.clone())
    }

    /// Appends events to one stream.
    pub async fn append<E: DomainEvent + Serialize>(
        &self,
        kind: AggregateKind,
        org: OrganizationId,
        id: Uuid,
        events: Vec<E>,
    ) -> Appended {
        self.raw(kind, org, id, events.into_iter().map(stored).collect()).await
    }

    /// Appends events as they are stored.
    pub async fn raw(
        &self,
        kind: AggregateKind,
        organization: OrganizationId,
        id: Uuid,
        events: Vec<NewEvent>,
    ) -> Appended {
        let write = self.write(StreamId { organization, kind, id }, events);
        self.log.append(Append { organization, write: Some(write), exchange: None }).await.unwrap()
    }

    /// Appends an exchange with what it caused.
    pub async fn answered<E: DomainEvent + Serialize>(
        &self,
        kind: AggregateKind,
        id: Uuid,
        events: Vec<E>,
        exchange: Exchange,
    ) -> Appended {
        if events.is_empty() {
            return self.exchange(exchange).await;
        }
        let organization = exchange.organization;
        let events = events.into_iter().map(stored).collect();
        let write = Some(self.write(StreamId { organization, kind, id }, events));
        let exchange = Some(exchange);
        self.log.append(Append { organization, write, exchange }).await.unwrap()
    }

    fn write(&self, stream: StreamId, events: Vec<NewEvent>) -> Write {
        let n = events.len() as u64;
        let expected =
            *self.versions.lock().unwrap().entry(stream).and_modify(|v| *v += n).or_insert(n) - n;
        Write {
            stream,
            expected,
            events,
            claims: no_claims(),
            recorded_at: self.tick(),
            actor: Actor::Operator,
            cause: None,
        }
    }

    pub fn tick(&self) -> DateTime<Utc> {
        let mut clock = self.clock.lock().unwrap();
        *clock += 1;
        at(*clock)
    }

    /// What is appended next is recorded at this second.
    pub fn set_clock(&self, n: u64) {
        *self.clock.lock().unwrap() = n - 1;
    }

    pub async fn user(&self, n: u128, events: Vec<UserEvent>) -> Appended {
        self.append(AggregateKind::User, ORG, user(n).0, events).await
    }
    pub async fn group(&self, n: u128, events: Vec<GroupEvent>) -> Appended {
        self.append(AggregateKind::Group, ORG, group(n).0, events).await
    }
    pub async fn organization(
        &self,
        org: OrganizationId,
        events: Vec<OrganizationEvent>,
    ) -> Appended {
        self.append(AggregateKind::Organization, org, org.0, events).await
    }
    /// Appends an exchange that caused nothing.
    pub async fn exchange(&self, exchange: Exchange) -> Appended {
        self.log
            .append(Append {
                organization: exchange.organization,
                write: None,
                exchange: Some(exchange),
            })
            .await
            .unwrap()
    }
}

fn stored<E: DomainEvent + Serialize>(event: E) -> NewEvent {
    NewEvent {
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: serde_json::to_string(&event).unwrap(),
    }
}

/// A user with a userName and a work address made of it.
pub fn created(name: &str) -> UserEvent {
    created_with(json!({
        "userName": name, "active": true, "displayName": format!("Display {name}"), "externalId": format!("ext-{name}"),
        "emails": [{ "type": "work", "value": name, "primary": true }, { "type": "home", "value": format!("home.{name}") }],
    }))
}

pub fn created_with(attributes: Value) -> UserEvent {
    UserEvent::Created { attributes: object(attributes).into() }
}

pub fn group_created(name: &str) -> GroupEvent {
    GroupEvent::Created {
        attributes: object(json!({ "displayName": name, "externalId": format!("ext-{name}") })),
    }
}

pub fn object(value: Value) -> Attributes {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

pub fn changed(attribute: &str, after: Option<Value>) -> UserEvent {
    UserEvent::Changed {
        changes: vec![Change {
            attribute: attribute.to_owned(),
            before: None,
            after: after.map(Into::into),
        }],
    }
}

pub fn added(members: &[ResourceId]) -> GroupEvent {
    GroupEvent::MembersAdded { members: members.to_vec() }
}
pub fn removed(members: &[ResourceId]) -> GroupEvent {
    GroupEvent::MembersRemoved { members: members.to_vec() }
}

pub fn issued(n: u128) -> OrganizationEvent {
    OrganizationEvent::ScimTokenIssued {
        token: token(n),
        sha256: format!("{n:064x}"),
        label: format!("token {n}"),
        expires_at: None,
    }
}

/// The n-th exchange.
pub fn exchange(org: OrganizationId, n: u128, caller: Actor, status: u16) -> Exchange {
    Exchange {
        id: ExchangeId(Uuid::from_u128(0x4000_0000 + n)),
        organization: org,
        parent: None,
        replays: None,
        received_at: at(u64::try_from(n).unwrap()),
        protocol: Protocol::Scim,
        method: "PATCH".into(),
        target: format!("/scim/v2/Users/{}", user(n)),
        headers: vec![("user-agent".into(), "test".into())],
        source: Some("192.0.2.1".into()),
        caller,
        operation: if n.is_multiple_of(2) { "users.patch" } else { "users.get" }.into(),
        subject: Some(user(n % 3).to_string()),
        subject_key: None,
        facts: Default::default(),
        interpretations: vec![Interpretation {
            reading: Reading::OperationCase,
            at: "Operations[0]".into(),
        }],
        unknown_shape: n.is_multiple_of(5),
        answer: Answer {
            status,
            headers: Vec::new(),
            rule: None,
            scim_type: (status >= 400).then(|| "invalidValue".into()),
            detail: (status >= 400).then(|| "x\0".repeat(2_000)),
            found: None,
            body_bytes: 2,
            body_kept: true,
        },
        duration_us: 900,
        redactions: Vec::new(),
        bodies_dropped: false,
        body_hashes: None,
        request_body: b"{}".to_vec(),
        answer_body: b"{}".to_vec(),
    }
}

pub fn filter(kind: ResourceKind, text: &str) -> Filter {
    parse_filter(kind, text, &Limits::default(), &mut Default::default())
        .unwrap_or_else(|e| panic!("{text}: {}", e.detail))
}

/// A search; `sort` is a path, with a minus before it for descending.
pub fn request(
    kind: ResourceKind,
    text: Option<&str>,
    sort: Option<&str>,
    page: Page,
) -> SearchRequest {
    let sort = sort.map(|s| {
        let path = parse_path(
            kind,
            s.trim_start_matches('-'),
            &Limits::default(),
            &mut Default::default(),
        )
        .unwrap();
        Sort { path, descending: s.starts_with('-') }
    });
    SearchRequest {
        filter: text.map(|t| filter(kind, t)),
        sort,
        page,
        with_members: true,
        with_groups: true,
        base_url: BASE.into(),
    }
}

pub fn all() -> Page {
    Page::Index { start: 1, count: 1_000 }
}

fn no_claims() -> ClaimChanges<Claim> {
    ClaimChanges { release: Vec::new(), take: Vec::new(), require: Vec::new() }
}

/// What SQLite says it will do.
pub async fn plan_of(views: &dyn SqlStore, sql: &str) -> Vec<String> {
    let parameters = (1..).take_while(|n| sql.contains(&format!("${n}"))).count();
    let rows = views
        .query(&format!("EXPLAIN QUERY PLAN {sql}"), vec![1_i64.into(); parameters])
        .await
        .unwrap();
    let said = rows.into_iter().filter_map(|row| row.0.into_iter().next_back());
    said.map(|value| {
        if let SqlValue::Text(Some(detail)) = value { detail } else { panic!("no text: {value:?}") }
    })
    .collect()
}
