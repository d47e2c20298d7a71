//! One connection that appends: locks, facts, plan, writes, commit.

use super::codec::{self, int};
use super::opening::{self, NotOpened, Opened, Opening};
use super::{facets, inline, ledger};
use crate::event_metadata::{METADATA_ACTOR, METADATA_EXCHANGE, METADATA_RECORDED_AT};
use crate::standing::{self, Marks};
use crate::views::InlineTransaction;
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::Frontier;
use rollcall_domain::log::*;
use rollcall_domain::sql::SqlError;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Plans are made once and kept: every statement is a lookup by key, and must stay one when the
/// tables grow after it was planned. Some hosts turn `synchronous_commit` off for everybody.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
     SET enable_mergejoin = off; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

const MAKE_HEADS: &str = "INSERT INTO rollcall.heads (organization) SELECT organization FROM unnest($1::uuid[]) AS t(organization) \
     ORDER BY organization ON CONFLICT (organization) DO NOTHING";

const WRITE: &str = include_str!("write.sql");

/// A connection that appends.
pub(super) struct Session {
    connection: PgConnection,
    /// Organizations whose head row is known to be there.
    known: HashSet<OrganizationId>,
    /// What is known of the log.
    watch: Arc<Watch>,
}

impl Session {
    /// # Errors
    /// If there is no connection, or the log behind it is not the one that is known.
    pub async fn connect(
        options: &PgConnectOptions,
        timeout: Duration,
        watch: &Arc<Watch>,
    ) -> sqlx::Result<Self> {
        let connect = async {
            let mut connection = PgConnection::connect_with(options).await?;
            // Statements of the log name their schema; those of the views do not.
            let path = format!(
                "SET search_path = {}; {SETTINGS}; {}",
                InlineTransaction::SCHEMA,
                opening::prepare()
            );
            connection.execute(&*path).await?;
            standing::compare(&mut connection, watch).await?;
            watch.check().map_err(standing::refused)?;
            Ok(Self { connection, known: HashSet::new(), watch: watch.clone() })
        };
        tokio::time::timeout(timeout, connect).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Decides and writes a batch in one transaction. `sent` is set once the commit is on its way:
    /// a failure after that leaves open whether it happened.
    pub async fn append(
        &mut self,
        appends: &[Append],
        fold: Option<&dyn InlineFold>,
        sent: &mut Option<Vec<Result<Appended, AppendError>>>,
    ) -> Result<Outcomes, Broken> {
        metrics::histogram!("rollcall_append_batch_size").record(appends.len() as f64);
        let wanted = wanted(appends);
        let written: BTreeSet<OrganizationId> =
            appends.iter().filter(|a| has_events(a)).map(|a| a.organization).collect();
        let Opened { mut facts, standing, .. } =
            self.begin(&wanted, fold, written.into_iter().collect()).await?;
        for organization in facts.heads.keys() {
            if !facts.trees.contains_key(organization) {
                let tree = ledger::grow(&mut self.connection, *organization).await?;
                facts.trees.insert(*organization, tree);
            }
        }
        let mut plan = plan(facts, appends.to_vec());
        if plan.is_empty() {
            // Nothing to flush: everything was refused or was there already.
            self.connection.execute("ROLLBACK").await?;
            return Ok(plan.outcomes);
        }
        if let Err(error) = self.write(&plan).await {
            // Whoever folds waits for no lock for long, and must not wait for one with the log.
            let impatient = fold.is_some() && is_lock_timeout(&error);
            return Err(if impatient {
                Broken::Fold(SqlError::Unavailable("a lock could not be had".into()))
            } else {
                Broken::Log(error)
            });
        }
        if let Some(fold) = fold
            && !plan.records.is_empty()
        {
            let folded = inline::fold(&mut self.connection, fold, standing, &mut plan.records);
            let folded = folded.await;
            let organizations: Vec<_> = appends.iter().map(|a| a.organization).collect();
            plan.shown(&organizations, &folded.map_err(Broken::Fold)?);
        }
        *sent = Some(plan.outcomes.clone());
        self.connection.execute("COMMIT").await?;
        for (organization, end) in plan.ends() {
            self.watch.learn(organization, end);
        }
        Ok(plan.outcomes)
    }

    /// Begins for somebody who folds nothing.
    pub async fn begin_alone(&mut self, wanted: &Wanted) -> sqlx::Result<Facts> {
        match self.begin(wanted, None, Vec::new()).await {
            Ok(opened) => Ok(opened.facts),
            Err(Broken::Log(e)) => Err(e),
            Err(Broken::Fold(e)) => Err(codec::odd(e)),
        }
    }

    /// Locks the heads, then reads the facts: in a statement of its own, whose snapshot is taken
    /// when the locks are held. A tree that has to be grown anew is not among them.
    async fn begin(
        &mut self,
        wanted: &Wanted,
        fold: Option<&dyn InlineFold>,
        views: Vec<OrganizationId>,
    ) -> Result<Opened, Broken> {
        let unknown: Vec<Uuid> =
            wanted.organizations.iter().filter(|o| !self.known.contains(o)).map(|o| o.0).collect();
        if !unknown.is_empty() {
            // Outside the transaction, so that it waits for nobody while it holds a lock.
            sqlx::query(MAKE_HEADS).bind(&unknown).execute(&mut self.connection).await?;
            self.known.extend(unknown.into_iter().map(OrganizationId));
        }
        let known: Marks =
            wanted.organizations.iter().filter_map(|o| Some((*o, self.watch.mark(*o)?))).collect();
        let opened = Opening::new(wanted, &known, fold, views).ask(&mut self.connection).await;
        let opened = opened.map_err(|e| match e {
            NotOpened::Log(e) => Broken::Log(e),
            NotOpened::Views(e) => Broken::Fold(e),
        })?;
        if opened.is_restoring {
            self.watch.notice(Closed::Restoring);
        }
        if opened.facts.heads.len() != wanted.organizations.len() {
            self.known.clear();
            return Err(Broken::Log(sqlx::Error::RowNotFound));
        }
        for (organization, end) in &opened.ends {
            let mark = known.get(organization).copied();
            let found = Found { end: *end, at_known: opened.at_known.get(organization).copied() };
            self.watch.compare(*organization, mark, found).map_err(standing::refused)?;
        }
        Ok(opened)
    }

    /// Writes a plan.
    pub async fn write(&mut self, plan: &Plan) -> sqlx::Result<()> {
        let r = &plan.records;
        let x = &plan.exchanges;
        let freed: Vec<&Claim> =
            plan.claims.iter().filter(|(_, o)| **o == ClaimOutcome::Free).map(|(c, _)| c).collect();
        let held: Vec<(&Claim, &StreamId)> =
            plan.claims.iter().filter_map(|(c, o)| holder(o).map(|s| (c, s))).collect();
        let moved = plan.heads.keys();
        let facets = facets::Rows::of(x);
        let done = sqlx::query(WRITE)
            .bind(r.iter().map(|r| r.stream.kind.as_str()).collect::<Vec<_>>())
            .bind(r.iter().map(|r| r.stream.aggregate_id()).collect::<Vec<_>>())
            .bind(r.iter().map(|r| int(r.version)).collect::<Vec<_>>())
            .bind(r.iter().map(|r| r.event_type.as_str()).collect::<Vec<_>>())
            .bind(r.iter().map(|r| r.event_version.as_str()).collect::<Vec<_>>())
            .bind(r.iter().map(|r| r.payload.as_str()).collect::<Vec<_>>())
            .bind(r.iter().map(metadata).collect::<sqlx::Result<Vec<_>>>()?)
            .bind(r.iter().map(|r| r.stream.organization.0).collect::<Vec<_>>())
            .bind(r.iter().map(|r| int(r.position)).collect::<Vec<_>>())
            .bind(r.iter().map(|r| r.recorded_at.timestamp_micros()).collect::<Vec<_>>())
            .bind(r.iter().map(|r| r.exchange.map(|x| x.0)).collect::<Vec<_>>())
            .bind(r.iter().map(|r| text(&r.actor)).collect::<sqlx::Result<Vec<_>>>()?)
            .bind(plan.record_leaves.iter().map(|leaf| &leaf.0[..]).collect::<Vec<_>>())
            .bind(x.iter().map(|x| x.exchange.organization.0).collect::<Vec<_>>())
            .bind(x.iter().map(|x| int(x.number)).collect::<Vec<_>>())
            .bind(x.iter().map(|x| x.exchange.id.0).collect::<Vec<_>>())
            .bind(x.iter().map(|x| x.positions.map(|p| int(p.0))).collect::<Vec<_>>())
            .bind(x.iter().map(|x| x.positions.map(|p| int(p.1))).collect::<Vec<_>>())
            .bind(x.iter().map(|x| int(x.after)).collect::<Vec<_>>())
            .bind(
                x.iter()
                    .map(|x| serde_json::to_string(&x.exchange).map_err(encode))
                    .collect::<sqlx::Result<Vec<_>>>()?,
            )
            .bind(x.iter().map(|x| &x.exchange.request_body[..]).collect::<Vec<_>>())
            .bind(x.iter().map(|x| &x.exchange.answer_body[..]).collect::<Vec<_>>())
            .bind(plan.exchange_leaves.iter().map(|leaf| &leaf.0[..]).collect::<Vec<_>>())
            .bind(freed.iter().map(|c| c.scope.0).collect::<Vec<_>>())
            .bind(freed.iter().map(|c| c.kind.as_str()).collect::<Vec<_>>())
            .bind(freed.iter().map(|c| &c.key[..]).collect::<Vec<_>>())
            .bind(held.iter().map(|(c, _)| c.scope.0).collect::<Vec<_>>())
            .bind(held.iter().map(|(c, _)| ClaimKind::as_str(c.kind)).collect::<Vec<_>>())
            .bind(held.iter().map(|(c, _)| &c.key[..]).collect::<Vec<_>>())
            .bind(held.iter().map(|(_, s)| s.organization.0).collect::<Vec<_>>())
            .bind(held.iter().map(|(_, s)| s.kind.as_str()).collect::<Vec<_>>())
            .bind(held.iter().map(|(_, s)| s.id).collect::<Vec<_>>())
            .bind(plan.heads.keys().map(|o| o.0).collect::<Vec<_>>())
            .bind(plan.heads.values().map(|h| int(h.position)).collect::<Vec<_>>())
            .bind(plan.heads.values().map(|h| int(h.exchange_number)).collect::<Vec<_>>())
            .bind(
                moved
                    .clone()
                    .map(|o| plan.trees.get(o).map(Frontier::to_bytes))
                    .collect::<Vec<_>>(),
            )
            .bind(moved.map(|o| plan.last_exchanges.get(o).map(|x| x.0)).collect::<Vec<_>>())
            .bind(facets.organizations)
            .bind(facets.keys)
            .bind(facets.numbers)
            .execute(&mut self.connection)
            .await?;
        if done.rows_affected() == plan.heads.len() as u64 {
            Ok(())
        } else {
            Err(sqlx::Error::RowNotFound)
        }
    }

    /// Keys of a backup. Gives the scopes that had another key.
    pub async fn keep_keys(
        &mut self,
        keys: &[(OrganizationId, [u8; 32])],
    ) -> sqlx::Result<BTreeSet<OrganizationId>> {
        let scopes: Vec<Uuid> = keys.iter().map(|k| k.0.0).collect();
        let values: Vec<&[u8]> = keys.iter().map(|k| &k.1[..]).collect();
        let sql = "INSERT INTO rollcall.claim_keys (scope, key) SELECT * FROM unnest($1::uuid[], $2::bytea[]) ON CONFLICT (scope) DO NOTHING";
        sqlx::query(sql).bind(&scopes).bind(&values).execute(&mut self.connection).await?;
        let sql = "SELECT k.scope FROM rollcall.claim_keys k JOIN unnest($1::uuid[], $2::bytea[]) AS t(scope, key) \
                   ON k.scope = t.scope WHERE k.key <> t.key";
        let rows =
            sqlx::query(sql).bind(&scopes).bind(&values).fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| codec::organization(row, 0)).collect()
    }

    /// Says of organizations that all that is there was there before its leaves.
    pub async fn uncover(
        &mut self,
        organizations: impl Iterator<Item = OrganizationId>,
    ) -> sqlx::Result<()> {
        let organizations: Vec<Uuid> = organizations.map(|organization| organization.0).collect();
        ledger::uncover(&mut self.connection, &organizations).await
    }

    pub async fn commit(&mut self) -> sqlx::Result<()> {
        self.connection.execute("COMMIT").await.map(drop)
    }

    /// Forgets statements that were prepared: the tables of the views may be others now.
    pub async fn forget_statements(&mut self) -> sqlx::Result<()> {
        self.connection.clear_cached_statements().await
    }

    pub async fn roll_back(&mut self) -> sqlx::Result<()> {
        self.connection.execute("ROLLBACK").await.map(drop)
    }

    pub async fn close(self) {
        // The server notices either way; this is only polite.
        drop(self.connection.close().await);
    }
}

/// Why a batch was not committed, or may not have been.
pub(super) enum Broken {
    /// Something about the log.
    Log(sqlx::Error),
    /// The views could not be folded: nothing is wrong with the appends.
    Fold(SqlError),
}

impl From<sqlx::Error> for Broken {
    fn from(e: sqlx::Error) -> Self {
        Self::Log(e)
    }
}

/// One outcome for each append.
pub(super) type Outcomes = Vec<Result<Appended, AppendError>>;

fn has_events(append: &Append) -> bool {
    append.write.as_ref().is_some_and(|write| !write.events.is_empty())
}

fn is_lock_timeout(e: &sqlx::Error) -> bool {
    matches!(e, sqlx::Error::Database(e) if e.code().as_deref() == Some("55P03"))
}

fn holder(outcome: &ClaimOutcome) -> Option<&StreamId> {
    match outcome {
        ClaimOutcome::Held(stream) => Some(stream),
        ClaimOutcome::Free => None,
    }
}

/// What cqrs-es reads as metadata: texts only. The port reads the columns.
pub(super) fn metadata(r: &Record) -> sqlx::Result<String> {
    let mut metadata = json!({
        METADATA_RECORDED_AT: r.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        METADATA_ACTOR: text(&r.actor)?,
    });
    if let Some(exchange) = r.exchange {
        metadata[METADATA_EXCHANGE] = exchange.to_string().into();
    }
    Ok(metadata.to_string())
}

fn text(actor: &rollcall_domain::actor::Actor) -> sqlx::Result<String> {
    serde_json::to_string(actor).map_err(encode)
}

fn encode(e: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(e.into())
}
