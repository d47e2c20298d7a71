//! The keys that what is personal is sealed with, wrapped: durable, and neither log nor view. Who
//! loses them has lost every name in the log; so they are in each backup, unless they are left out
//! by hand.

use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::schema;
use crate::table::{Statement, key_lists, numbered, with};
use async_trait::async_trait;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{DataKey, KeyId, KeyRing, LogError, Wrapped};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::OnceCell;

columns! {
    /// The key of an organization.
    #[derive(Clone, Debug)]
    struct OrganizationKeyRow {
        organization: OrganizationId,
        wrapped: String,
        next: u64,
    }

    /// `wrapped` is the key of an organization, `next` the id of its next data key.
    table ORGANIZATION_KEYS = "organization_keys" {
        key: ["organization"],
        indexes: [],
        order: "next",
    }
}

columns! {
    /// A data key; erased if there is nothing under its id.
    #[derive(Clone, Debug)]
    struct DataKeyRow {
        organization: OrganizationId,
        id: u64,
        wrapped: Option<String>,
    }

    /// One row for each data key. That of an erased one stays.
    table DATA_KEYS = "data_keys" {
        key: ["organization", "id"],
        indexes: [],
        order: "id",
    }
}

/// Keeps keys in a store of tables.
pub struct DataKeys {
    store: Arc<dyn SqlStore>,
    ready: OnceCell<()>,
}

impl DataKeys {
    /// Keeps them in this store; makes the tables when they are first needed.
    pub fn new(store: Arc<dyn SqlStore>) -> Self {
        Self { store, ready: OnceCell::new() }
    }

    /// The store with its tables.
    async fn store(&self) -> Result<&dyn SqlStore, SqlError> {
        let make = || schema::make(&*self.store, &[&ORGANIZATION_KEYS, &DATA_KEYS]);
        self.ready.get_or_try_init(make).await?;
        Ok(&*self.store)
    }

    async fn find(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
    ) -> Result<Option<OrganizationKeyRow>, SqlError> {
        read_first(tx.query(&one(), vec![organization.into()]).await?)
    }

    async fn those(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        ids: &[KeyId],
    ) -> Result<HashMap<u64, Option<String>>, SqlError> {
        let mut found = HashMap::new();
        let ids: Vec<SqlValue> = ids.iter().map(|id| id.0.into()).collect();
        for ids in key_lists(&ids) {
            let rows = tx.query(&those(ids.len()), with(organization.into(), ids)).await?;
            let rows = read_all::<DataKeyRow>(rows)?;
            found.extend(rows.into_iter().map(|row| (row.id, row.wrapped)));
        }
        Ok(found)
    }
}

fn one() -> String {
    let (columns, table) = (OrganizationKeyRow::list(), ORGANIZATION_KEYS.name);
    format!("SELECT {columns} FROM {table} WHERE organization = $1")
}

fn those(ids: usize) -> String {
    let (columns, table) = (DataKeyRow::list(), DATA_KEYS.name);
    format!(
        "SELECT {columns} FROM {table} WHERE organization = $1 AND id IN ({})",
        numbered(2, ids)
    )
}

fn write<R: Stored>(rows: Vec<R>) -> Result<Vec<Statement>, SqlError> {
    let mut statements = Vec::new();
    R::upsert(rows, &mut statements)?;
    Ok(statements)
}

fn failed(error: SqlError) -> LogError {
    match error {
        SqlError::Unavailable(why) => LogError::Unavailable(format!("the keys: {why}")),
        other => LogError::Damaged(format!("the keys: {other}")),
    }
}

fn state(wrapped: Option<String>) -> DataKey {
    wrapped.map_or(DataKey::Erased, |wrapped| DataKey::Living(Wrapped(wrapped)))
}

#[async_trait]
impl KeyRing for DataKeys {
    async fn organization(
        &self,
        organization: OrganizationId,
        fresh: Wrapped,
    ) -> Result<Wrapped, LogError> {
        let keep = async {
            let (sql, of) = (one(), vec![organization.into()]);
            let (tx, found) = self.store().await?.begin_with(organization, &sql, of).await?;
            if let Some(row) = read_first::<OrganizationKeyRow>(found)? {
                return Ok(Wrapped(row.wrapped));
            }
            let row = OrganizationKeyRow { organization, wrapped: fresh.0.clone(), next: 1 };
            tx.finish(write(vec![row])?).await?;
            Ok(fresh)
        };
        keep.await.map_err(failed)
    }

    async fn organizations(&self) -> Result<Vec<(OrganizationId, Wrapped)>, LogError> {
        let (columns, table) = (OrganizationKeyRow::list(), ORGANIZATION_KEYS.name);
        let read = async {
            let sql = format!("SELECT {columns} FROM {table}");
            let mut rows =
                read_all::<OrganizationKeyRow>(self.store().await?.query(&sql, Vec::new()).await?)?;
            rows.sort_by_key(|row| row.organization);
            Ok(rows.into_iter().map(|row| (row.organization, Wrapped(row.wrapped))).collect())
        };
        read.await.map_err(failed)
    }

    async fn rewrap(
        &self,
        organization: OrganizationId,
        before: &Wrapped,
        after: Wrapped,
    ) -> Result<bool, LogError> {
        let change = async {
            let mut tx = self.store().await?.begin(organization).await?;
            match Self::find(&mut *tx, organization).await? {
                Some(row) if row.wrapped == before.0 => {
                    let row = OrganizationKeyRow { wrapped: after.0, ..row };
                    tx.finish(write(vec![row])?).await?;
                    Ok(true)
                }
                _ => Ok(false),
            }
        };
        change.await.map_err(failed)
    }

    async fn add(
        &self,
        organization: OrganizationId,
        keys: Vec<Wrapped>,
    ) -> Result<KeyId, LogError> {
        let add = async {
            let mut tx = self.store().await?.begin(organization).await?;
            let found = Self::find(&mut *tx, organization).await?;
            let row =
                found.ok_or_else(|| SqlError::Shape("the organization has no key".to_owned()))?;
            let first = row.next;
            let next = first + keys.len() as u64;
            let rows = (first..next).zip(keys);
            let rows = rows
                .map(|(id, key)| DataKeyRow { organization, id, wrapped: Some(key.0) })
                .collect();
            let mut statements = write(rows)?;
            statements.extend(write(vec![OrganizationKeyRow { next, ..row }])?);
            tx.finish(statements).await?;
            Ok(KeyId(first))
        };
        add.await.map_err(failed)
    }

    async fn key(&self, organization: OrganizationId, id: KeyId) -> Result<DataKey, LogError> {
        let read = async {
            let sql = format!(
                "SELECT {} FROM {} WHERE organization = $1 AND id = $2",
                DataKeyRow::list(),
                DATA_KEYS.name
            );
            let rows =
                self.store().await?.query(&sql, vec![organization.into(), id.0.into()]).await?;
            let row = read_first::<DataKeyRow>(rows)?;
            Ok(row.map_or(DataKey::Never, |row| state(row.wrapped)))
        };
        read.await.map_err(failed)
    }

    async fn some(
        &self,
        organization: OrganizationId,
        ids: &[KeyId],
    ) -> Result<Vec<(KeyId, DataKey)>, LogError> {
        let read = async {
            let mut found = Vec::with_capacity(ids.len());
            let ids: Vec<SqlValue> = ids.iter().map(|id| id.0.into()).collect();
            for ids in key_lists(&ids) {
                let sql = those(ids.len());
                let params = with(organization.into(), ids);
                let rows = self.store().await?.query(&sql, params).await?;
                let rows = read_all::<DataKeyRow>(rows)?;
                found.extend(rows.into_iter().map(|row| (KeyId(row.id), state(row.wrapped))));
            }
            Ok(found)
        };
        read.await.map_err(failed)
    }

    async fn keys(
        &self,
        organization: OrganizationId,
        after: KeyId,
        limit: usize,
    ) -> Result<Vec<(KeyId, DataKey)>, LogError> {
        let read = async {
            let sql = format!(
                "SELECT {} FROM {} WHERE organization = $1 AND id > $2 ORDER BY id LIMIT {limit}",
                DataKeyRow::list(),
                DATA_KEYS.name
            );
            let rows =
                self.store().await?.query(&sql, vec![organization.into(), after.0.into()]).await?;
            let rows = read_all::<DataKeyRow>(rows)?;
            Ok(rows.into_iter().map(|row| (KeyId(row.id), state(row.wrapped))).collect())
        };
        read.await.map_err(failed)
    }

    async fn restore(
        &self,
        organization: OrganizationId,
        keys: Vec<(KeyId, DataKey)>,
    ) -> Result<(), LogError> {
        let put = async {
            let mut tx = self.store().await?.begin(organization).await?;
            let found = Self::find(&mut *tx, organization).await?;
            let row =
                found.ok_or_else(|| SqlError::Shape("the organization has no key".to_owned()))?;
            let ids: Vec<KeyId> = keys.iter().map(|(id, _)| *id).collect();
            let here = Self::those(&mut *tx, organization, &ids).await?;
            let next = ids.iter().map(|id| id.0 + 1).max().unwrap_or_default().max(row.next);
            let mut rows = Vec::with_capacity(keys.len());
            for (id, key) in keys {
                let wrapped = match (here.get(&id.0), key) {
                    (Some(None), _) | (_, DataKey::Erased) => None,
                    (_, DataKey::Living(wrapped)) => Some(wrapped.0),
                    (_, DataKey::Never) => continue,
                };
                rows.push(DataKeyRow { organization, id: id.0, wrapped });
            }
            let mut statements = write(rows)?;
            statements.extend(write(vec![OrganizationKeyRow { next, ..row }])?);
            tx.finish(statements).await
        };
        put.await.map_err(failed)
    }

    async fn erase(&self, organization: OrganizationId, ids: &[KeyId]) -> Result<u64, LogError> {
        let erase = async {
            let mut tx = self.store().await?.begin(organization).await?;
            let here = Self::those(&mut *tx, organization, ids).await?;
            let living = here.into_iter().filter(|(_, wrapped)| wrapped.is_some());
            let rows: Vec<DataKeyRow> =
                living.map(|(id, _)| DataKeyRow { organization, id, wrapped: None }).collect();
            let erased = rows.len() as u64;
            tx.finish(write(rows)?).await?;
            // Also if there was none: whoever was here before may have ended before this.
            self.store().await?.scrub().await?;
            Ok(erased)
        };
        erase.await.map_err(failed)
    }
}
