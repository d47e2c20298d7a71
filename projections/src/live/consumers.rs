//! Who follows an organization's log from outside: tables, fold, queries. Part of the family that is
//! folded at once, so that a consumer that was removed or paused gets nothing more, from any
//! process.

use crate::bad::Bad;
use crate::cells::{structures, words};
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::lookup_key;
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::consumer::{ConsumerEvent, ConsumerState, GroupFilter, Payload, Way};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{ConsumerId, CredentialId, OrganizationId};
use rollcall_domain::log::{AggregateKind, Position, Record};
use rollcall_domain::organization::SealedKey;
use rollcall_domain::public_type::TypeFilter;
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use std::collections::BTreeMap;
use std::sync::Arc;

words!(Payload: as_str);
structures!(Way, TypeFilter, GroupFilter, ConsumerState, SealedKey);

columns! {
    /// A consumer.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ConsumerRow {
        /// Whose log it follows.
        pub organization: OrganizationId,
        /// Its id.
        pub id: ConsumerId,
        /// Position at which it was created.
        pub seq: Position,
        /// What it is called.
        pub name: String,
        name_key: String,
        /// How it gets its events.
        pub way: Way,
        /// Which types it gets.
        pub types: TypeFilter,
        /// How much they tell.
        pub payload: Payload,
        /// Whose members it is told about.
        pub groups: GroupFilter = "follows",
        /// Whether it gets them now.
        pub state: ConsumerState,
        /// When it was created.
        pub created: DateTime<Utc>,
        /// When its state, its keys or its secrets last changed.
        pub changed: DateTime<Utc>,
        /// When it was removed.
        pub removed: Option<DateTime<Utc>>,
    }

    /// One row for each consumer there ever was.
    pub table CONSUMERS = "consumers" {
        key: ["organization", "id"],
        indexes: [["organization", "name_key"], ["organization", "seq"]],
        order: "seq",
    }
}

columns! {
    /// That a credential is a consumer's.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ConsumerKeyRow {
        /// Whose log it opens.
        pub organization: OrganizationId,
        /// The credential.
        pub credential: CredentialId,
        /// Whose it is.
        pub consumer: ConsumerId,
        /// Position at which it was issued.
        pub seq: Position,
        /// From when on it is refused because there is a newer one.
        pub until: Option<DateTime<Utc>>,
    }

    /// One row for each key of a consumer.
    pub table CONSUMER_KEYS = "consumer_keys" {
        key: ["organization", "credential"],
        indexes: [["organization", "consumer"]],
        order: "seq",
    }
}

columns! {
    /// A secret with which is signed what is posted to a consumer.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ConsumerSecretRow {
        /// Of whose log is told.
        pub organization: OrganizationId,
        /// To whom.
        pub consumer: ConsumerId,
        /// Counted from 1.
        pub number: u64,
        /// The secret, sealed.
        pub sealed: SealedKey,
        /// Until when it is signed with it as well, because there is a newer one.
        pub until: Option<DateTime<Utc>>,
    }

    /// One row for each secret of a consumer.
    pub table CONSUMER_SECRETS = "consumer_secrets" {
        key: ["organization", "consumer", "number"],
        indexes: [],
        order: "number",
    }
}

/// What a page does to consumers.
#[derive(Debug)]
pub(crate) struct Consumers {
    organization: OrganizationId,
    rows: BTreeMap<ConsumerId, ConsumerRow>,
    keys: BTreeMap<CredentialId, ConsumerKeyRow>,
    secrets: BTreeMap<(ConsumerId, u64), ConsumerSecretRow>,
}

impl View for Consumers {
    const NAME: &'static str = "consumers";
    const REVISION: u32 = 2;
    const TABLES: &'static [&'static Table] = &[&CONSUMERS, &CONSUMER_KEYS, &CONSUMER_SECRETS];

    /// Reads the organization's consumers if a record changes one: there are few.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let mut consumers = Self {
            organization: page.organization,
            rows: BTreeMap::new(),
            keys: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        if page.of(AggregateKind::Consumer).next().is_none() {
            return Ok(consumers);
        }
        let of = || vec![page.organization.into()];
        let rows: Vec<ConsumerRow> = read_all(tx.query(&all::<ConsumerRow>(), of()).await?)?;
        consumers.rows = rows.into_iter().map(|row| (row.id, row)).collect();
        let keys: Vec<ConsumerKeyRow> = read_all(tx.query(&all::<ConsumerKeyRow>(), of()).await?)?;
        consumers.keys = keys.into_iter().map(|row| (row.credential, row)).collect();
        let secrets: Vec<ConsumerSecretRow> =
            read_all(tx.query(&all::<ConsumerSecretRow>(), of()).await?)?;
        consumers.secrets =
            secrets.into_iter().map(|row| ((row.consumer, row.number), row)).collect();
        Ok(consumers)
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let DomainEvent::Consumer(event) = event else { return Ok(()) };
        let id = ConsumerId(record.stream.id);
        if let ConsumerEvent::Created { name, way, types, payload, groups } = event {
            let row = ConsumerRow {
                organization: self.organization,
                id,
                seq: record.position,
                name: name.clone(),
                name_key: lookup_key(name),
                way: way.clone(),
                types: types.clone(),
                payload: *payload,
                groups: groups.clone(),
                state: ConsumerState::Active,
                created: record.recorded_at,
                changed: record.recorded_at,
                removed: None,
            };
            return match self.rows.insert(id, row) {
                None => Ok(()),
                Some(_) => Err(Bad::new("created although it exists")),
            };
        }
        // Says what became of one delivery, and nothing of the consumer.
        if let ConsumerEvent::DeliveryHandled { .. } = event {
            return Ok(());
        }
        let row = self.rows.get_mut(&id);
        let row = row.ok_or_else(|| Bad::new("changed although it does not exist"))?;
        row.changed = record.recorded_at;
        match event {
            ConsumerEvent::Created { .. }
            | ConsumerEvent::KeyRevoked(_)
            | ConsumerEvent::DeliveryHandled { .. } => {}
            ConsumerEvent::Paused {} => row.state = ConsumerState::Paused,
            ConsumerEvent::Resumed {} => row.state = ConsumerState::Active,
            ConsumerEvent::Stopped { reason } => row.state = ConsumerState::Stopped(*reason),
            ConsumerEvent::Removed { .. } => row.removed = Some(record.recorded_at),
            ConsumerEvent::KeyIssued(issued) => self.issued(id, issued.credential, record),
            ConsumerEvent::KeyRetiring { credential, until } => {
                let key = self.keys.get_mut(credential);
                key.ok_or_else(|| Bad::new("is about a key that was never issued"))?.until =
                    Some(*until);
            }
            ConsumerEvent::SecretIssued { number, sealed } => {
                let row = ConsumerSecretRow {
                    organization: self.organization,
                    consumer: id,
                    number: u64::from(*number),
                    sealed: sealed.clone(),
                    until: None,
                };
                self.secrets.insert((id, row.number), row);
            }
            ConsumerEvent::SecretRetiring { number, until } => {
                let secret = self.secrets.get_mut(&(id, u64::from(*number)));
                secret.ok_or_else(|| Bad::new("is about a secret that was never issued"))?.until =
                    Some(*until);
            }
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        ConsumerRow::upsert(self.rows.into_values().collect(), out)?;
        ConsumerKeyRow::upsert(self.keys.into_values().collect(), out)?;
        ConsumerSecretRow::upsert(self.secrets.into_values().collect(), out)
    }
}

impl Consumers {
    fn issued(&mut self, consumer: ConsumerId, credential: CredentialId, record: &Record) {
        let (organization, seq) = (self.organization, record.position);
        let row = ConsumerKeyRow { organization, credential, consumer, seq, until: None };
        self.keys.insert(credential, row);
    }
}

fn all<T: Stored>() -> String {
    format!("SELECT {} FROM {} WHERE organization = $1", T::list(), T::TABLE.name)
}

/// Reads consumers.
#[derive(Clone)]
pub struct ConsumerView {
    views: Arc<dyn SqlStore>,
}

impl ConsumerView {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// An organization's consumers, in the order of their creation; those that were removed are
    /// not among them.
    pub async fn list(&self, organization: OrganizationId) -> Result<Vec<ConsumerRow>, SqlError> {
        let sql = format!("{} AND removed IS NULL ORDER BY seq", all::<ConsumerRow>());
        read_all(self.views.query(&sql, vec![organization.into()]).await?)
    }

    /// Every consumer that an organization ever had, in the order of their creation.
    pub async fn ever(&self, organization: OrganizationId) -> Result<Vec<ConsumerRow>, SqlError> {
        let sql = format!("{} ORDER BY seq", all::<ConsumerRow>());
        read_all(self.views.query(&sql, vec![organization.into()]).await?)
    }

    /// All consumers of all organizations that are posted to or follow, removed ones aside.
    pub async fn everybody(&self) -> Result<Vec<ConsumerRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM consumers WHERE removed IS NULL ORDER BY organization, seq",
            ConsumerRow::list()
        );
        read_all(self.views.query(&sql, Vec::new()).await?)
    }

    /// The consumer with this id or, without regard to case, this name; one that was removed is
    /// not there.
    pub async fn find(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<ConsumerRow>, SqlError> {
        let (column, key): (_, SqlValue) = match name.parse::<ConsumerId>() {
            Ok(id) => ("id", id.to_string().into()),
            Err(_) => ("name_key", lookup_key(name).into()),
        };
        let sql = format!("{} AND {column} = $2 AND removed IS NULL", all::<ConsumerRow>());
        read_first(self.views.query(&sql, vec![organization.into(), key]).await?)
    }

    /// Whose a credential is, and until when it holds.
    pub async fn of_key(
        &self,
        organization: OrganizationId,
        credential: CredentialId,
    ) -> Result<Option<ConsumerKeyRow>, SqlError> {
        let sql = format!("{} AND credential = $2", all::<ConsumerKeyRow>());
        let params = vec![organization.into(), credential.to_string().into()];
        read_first(self.views.query(&sql, params).await?)
    }

    /// The secrets of a consumer, the current one first.
    pub async fn secrets(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<Vec<ConsumerSecretRow>, SqlError> {
        let sql = format!("{} AND consumer = $2 ORDER BY number DESC", all::<ConsumerSecretRow>());
        let params = vec![organization.into(), consumer.to_string().into()];
        read_all(self.views.query(&sql, params).await?)
    }
}
