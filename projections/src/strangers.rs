//! Evidence of strangers: what was sent by whoever showed no live credential. It lies beside the
//! log, in a ring: so much is kept of each organization and of all together, and the oldest makes
//! room for the newest. Anybody can send such a request as often as they like. What they say is
//! sealed as in the log: it may be said of somebody whom we know.

use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::schema;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{Log, LogError, Start};
use rollcall_domain::sql::{SqlError, SqlStore, SqlValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many are kept of one organization, and of requests that named none.
pub const OF_ONE: u64 = 1_000;
/// So many are kept of all.
pub const OF_ALL: u64 = 10_000;

columns! {
    /// One request of a stranger.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct StrangerRow {
        /// Whose it would have been.
        pub organization: OrganizationId,
        /// Its place: a number that grows with time, with gaps.
        pub number: u64,
        /// Its id.
        pub id: ExchangeId,
        /// What was asked for.
        pub operation: String,
        /// Whether it was answered with an error.
        pub failed: bool,
        /// The exchange, as [`Kept`] writes it.
        document: String,
    }

    table STRANGERS = "strangers" {
        key: ["organization", "number"],
        indexes: [["id"], ["number"]],
        order: "number",
    }
}

/// An exchange with its bodies, which stand beside the document in a log.
#[derive(Serialize, Deserialize)]
struct Kept {
    exchange: Exchange,
    request_body: String,
    answer_body: String,
}

impl StrangerRow {
    /// The row of an exchange.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn of(number: u64, exchange: Exchange) -> Result<Self, serde_json::Error> {
        let (organization, id) = (exchange.organization, exchange.id);
        let (operation, failed) = (exchange.operation.clone(), exchange.answer.status >= 400);
        let document = document(exchange)?;
        Ok(Self { organization, number, id, operation, failed, document })
    }

    async fn sealed(self, log: &dyn Log) -> Result<Self, SqlError> {
        let Some(sealed) = log.sealed() else { return Ok(self) };
        let mut exchange = self.exchange()?;
        sealed.seal_exchange(&mut exchange).await.map_err(of_keys)?;
        let document = document(exchange).map_err(|e| SqlError::Shape(e.to_string()))?;
        Ok(Self { document, ..self })
    }

    async fn opened(self, log: &dyn Log) -> Result<Self, SqlError> {
        let Some(sealed) = log.sealed() else { return Ok(self) };
        let mut exchange = self.exchange()?;
        sealed.open_exchange(&mut exchange).await.map_err(of_keys)?;
        let document = document(exchange).map_err(|e| SqlError::Shape(e.to_string()))?;
        Ok(Self { document, ..self })
    }

    /// The exchange.
    ///
    /// # Errors
    /// If what is kept is damaged.
    pub fn exchange(&self) -> Result<Exchange, SqlError> {
        let damaged = || SqlError::Shape("a stranger's exchange cannot be read".to_owned());
        let kept: Kept = serde_json::from_str(&self.document).map_err(|_| damaged())?;
        let body = |text: String| BASE64.decode(text).map_err(|_| damaged());
        let (request_body, answer_body) = (body(kept.request_body)?, body(kept.answer_body)?);
        Ok(Exchange { request_body, answer_body, ..kept.exchange })
    }
}

fn document(mut exchange: Exchange) -> Result<String, serde_json::Error> {
    let request_body = BASE64.encode(std::mem::take(&mut exchange.request_body));
    let answer_body = BASE64.encode(std::mem::take(&mut exchange.answer_body));
    serde_json::to_string(&Kept { exchange, request_body, answer_body })
}

fn of_keys(error: LogError) -> SqlError {
    match error {
        LogError::Damaged(why) => SqlError::Shape(why),
        error => SqlError::Unavailable(error.to_string()),
    }
}

/// Which requests to list. What is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrangerFilter {
    /// What was asked for.
    pub operation: Option<String>,
    /// Only those answered with an error.
    pub failed: bool,
    /// Where to begin, and in which direction.
    pub from: Start,
}

/// The ring.
#[derive(Clone)]
pub struct StrangerRing {
    store: Arc<dyn SqlStore>,
    log: Arc<dyn Log>,
}

impl StrangerRing {
    /// Keeps it in this store, sealed as in this log; makes the table if there is none, and seals
    /// what a version of before left in the clear.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn open(store: Arc<dyn SqlStore>, log: Arc<dyn Log>) -> Result<Self, SqlError> {
        schema::make(&*store, &[&STRANGERS]).await?;
        let ring = Self { store, log };
        if ring.log.sealed().is_some() {
            let sql = format!(
                "SELECT {} FROM strangers WHERE document NOT LIKE '%\"target\":\"~%'",
                StrangerRow::list()
            );
            let clear = read_all(ring.store.query(&sql, Vec::new()).await?)?;
            ring.keep(clear).await?;
        }
        Ok(ring)
    }

    /// Keeps these, and gives up the oldest that are too many.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub async fn keep(&self, rows: Vec<StrangerRow>) -> Result<(), SqlError> {
        let mut each: BTreeMap<OrganizationId, Vec<StrangerRow>> = BTreeMap::new();
        for row in rows {
            let row = row.sealed(&*self.log).await?;
            each.entry(row.organization).or_default().push(row);
        }
        for (organization, rows) in each {
            let mut tx = self.store.begin(organization).await?;
            let mut statements = Vec::new();
            StrangerRow::upsert(rows, &mut statements)?;
            tx.execute_all(statements).await?;
            let oldest = "SELECT number FROM strangers WHERE organization = $1 ORDER BY number DESC LIMIT 1 OFFSET $2";
            let sql =
                format!("DELETE FROM strangers WHERE organization = $1 AND number <= ({oldest})");
            tx.execute(&sql, vec![organization.into(), SqlValue::from(OF_ONE)]).await?;
            let oldest = "SELECT number FROM strangers ORDER BY number DESC LIMIT 1 OFFSET $1";
            let sql = format!("DELETE FROM strangers WHERE number <= ({oldest})");
            tx.execute(&sql, vec![SqlValue::from(OF_ALL)]).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// At most `limit` requests of an organization, in the order of the filter.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &StrangerFilter,
        limit: usize,
    ) -> Result<Vec<StrangerRow>, SqlError> {
        let mut params: Vec<SqlValue> = vec![organization.into()];
        let mut conditions = vec!["organization = $1".to_owned()];
        let mut bind = |condition: &str, value: SqlValue| {
            params.push(value);
            conditions.push(format!("{condition} ${}", params.len()));
        };
        if let Some(operation) = &filter.operation {
            bind("operation =", operation.clone().into());
        }
        if filter.failed {
            bind("failed =", SqlValue::from(1_u64));
        }
        let order = match filter.from {
            Start::After(after) => {
                bind("number >", after.into());
                "ASC"
            }
            Start::Before(before) => {
                bind("number <", before.into());
                "DESC"
            }
            Start::Latest => "DESC",
        };
        let (list, conditions) = (StrangerRow::list(), conditions.join(" AND "));
        let sql = format!(
            "SELECT {list} FROM strangers WHERE {conditions} ORDER BY number {order} LIMIT {limit}"
        );
        let rows: Vec<StrangerRow> = read_all(self.store.query(&sql, params).await?)?;
        let mut opened = Vec::with_capacity(rows.len());
        for row in rows {
            opened.push(row.opened(&*self.log).await?);
        }
        Ok(opened)
    }

    /// One request, if it is still there.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn get(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<StrangerRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM strangers WHERE id = $1 AND organization = $2",
            StrangerRow::list()
        );
        let params = vec![id.to_string().into(), organization.into()];
        match read_first::<StrangerRow>(self.store.query(&sql, params).await?)? {
            Some(row) => row.opened(&*self.log).await.map(Some),
            None => Ok(None),
        }
    }
}
