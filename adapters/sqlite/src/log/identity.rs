//! Whether the log is the one that is known, and what is noted beside it.

use super::codec::{self, Id, int, log_error};
use super::home::Home;
use super::ledger;
use super::read::{all, one};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{
    Closed, ExchangeNumber, Found, Head, LogError, Mark, RESTORING, Watch, successor_of,
};
use rusqlite::{Connection, TransactionBehavior, params};
use std::sync::Arc;
use uuid::Uuid;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS note (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID";

/// What the log of a folder is held against.
#[derive(Clone, Default)]
pub(super) struct Identity {
    /// What is known of it.
    pub watch: Arc<Watch>,
    /// Its file; none in memory.
    home: Option<Arc<Home>>,
}

impl Identity {
    /// Makes the table of notes if it is not there, and says that the log is open from now on.
    pub fn of(db: &Connection, home: Option<Home>) -> rusqlite::Result<Self> {
        db.execute_batch(TABLE)?;
        let identity = Self { watch: Arc::default(), home: home.map(Arc::new) };
        if let Some(home) = &identity.home {
            if home.was_copied(note(db, Home::NOTE)?.as_deref()) {
                identity.watch.notice(Closed::Copied);
            } else {
                keep_note(db, Home::NOTE, Some(&home.opened()))?;
            }
        }
        Ok(identity)
    }

    /// Says that the log was closed in good order: what is copied now is whole.
    pub fn close(&self, db: &Connection) {
        let own = self.home.as_ref().filter(|_| self.watch.closed().is_none());
        if own.is_some()
            && let Err(error) = keep_note(db, Home::NOTE, None)
        {
            tracing::warn!(%error, "the log could not be closed in good order");
        }
    }

    /// Whether the log may be appended to.
    pub fn check(&self) -> Result<(), Closed> {
        if self.home.as_ref().is_some_and(|home| !home.is_there()) {
            self.watch.notice(Closed::Replaced);
        }
        self.watch.check()
    }

    /// Compares the head that an append found.
    pub fn appending(
        &self,
        db: &Connection,
        organization: OrganizationId,
        end: Mark,
    ) -> rusqlite::Result<Result<(), Closed>> {
        let known = self.watch.mark(organization);
        let found = Found { end, at_known: at_known(db, organization, known, end)? };
        Ok(self.watch.compare(organization, known, found))
    }

    /// Holds all that is known against the log.
    pub fn compare(&self, db: &Connection, watch: &Watch) -> Result<(), LogError> {
        self.check().map_err(LogError::Closed)?;
        if note(db, RESTORING).map_err(log_error)?.is_some() {
            watch.notice(Closed::Restoring);
        }
        let known = watch.known();
        watch.epoch(ledger::epoch(db).map_err(log_error)?).map_err(LogError::Closed)?;
        let ends = ends(db).map_err(log_error)?;
        let gone = known.marks.keys().filter(|o| !ends.iter().any(|(there, _)| there == *o));
        let gone: Vec<_> = gone.map(|organization| (*organization, Mark::default())).collect();
        for (organization, end) in ends.into_iter().chain(gone) {
            let mark = known.marks.get(&organization).copied();
            let at_known = at_known(db, organization, mark, end).map_err(log_error)?;
            let found = Found { end, at_known };
            watch.compare(organization, mark, found).map_err(LogError::Closed)?;
        }
        Ok(())
    }

    /// Empties a log that is being restored.
    pub fn clear(&self, db: &mut Connection, fresh: Uuid) -> rusqlite::Result<bool> {
        let db = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if note(&db, RESTORING)?.is_none() {
            return Ok(false);
        }
        db.execute_batch(
            "DELETE FROM event; DELETE FROM exchange; DELETE FROM exchange_facet; DELETE FROM claim; \
             DELETE FROM claim_key; DELETE FROM snapshot; DELETE FROM head;",
        )?;
        let was = ledger::epoch(&db)?;
        db.execute("UPDATE identity SET epoch = ?1", [fresh.as_bytes()])?;
        keep_note(&db, &successor_of(was), Some(&fresh.to_string()))?;
        db.commit()?;
        Ok(true)
    }

    /// Gives the log another epoch.
    pub fn renew(&self, db: &mut Connection, was: Uuid, fresh: Uuid) -> rusqlite::Result<bool> {
        let db = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "UPDATE identity SET epoch = ?2 WHERE epoch = ?1";
        let renewed = db.execute(sql, [was.as_bytes(), fresh.as_bytes()])? == 1;
        if renewed {
            keep_note(&db, &successor_of(was), Some(&fresh.to_string()))?;
            if let Some(home) = &self.home {
                keep_note(&db, Home::NOTE, Some(&home.opened()))?;
            }
        }
        db.commit()?;
        Ok(renewed)
    }
}

fn at_known(
    db: &Connection,
    organization: OrganizationId,
    known: Option<Mark>,
    end: Mark,
) -> rusqlite::Result<Option<ExchangeId>> {
    match known.filter(|known| known.exchange_number < end.exchange_number) {
        Some(known) => exchange_at(db, organization, known.exchange_number),
        None => Ok(None),
    }
}

fn exchange_at(
    db: &Connection,
    organization: OrganizationId,
    number: ExchangeNumber,
) -> rusqlite::Result<Option<ExchangeId>> {
    let sql = "SELECT id FROM exchange WHERE organization = ?1 AND number = ?2";
    one(db, sql, params![organization.0.as_bytes(), int(number)], |row| {
        Ok(ExchangeId(row.get::<_, Id>(0)?.0))
    })
}

fn ends(db: &Connection) -> rusqlite::Result<Vec<(OrganizationId, Mark)>> {
    let sql = "SELECT organization, position, exchange_number, last_exchange FROM head";
    all(db, sql, [], |row| {
        let (organization, Head { position, exchange_number }) = codec::named_head(row)?;
        let last_exchange = row.get::<_, Option<Id>>(3)?.map(|id| ExchangeId(id.0));
        Ok((organization, Mark { position, exchange_number, last_exchange }))
    })
}

/// What is noted under a name.
pub(super) fn note(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    one(db, "SELECT text FROM note WHERE name = ?1", [name], |row| row.get(0))
}

/// Notes something under a name, or no more.
pub(super) fn keep_note(db: &Connection, name: &str, text: Option<&str>) -> rusqlite::Result<()> {
    match text {
        Some(text) => {
            let sql = "INSERT INTO note (name, text) VALUES (?1, ?2) \
                       ON CONFLICT (name) DO UPDATE SET text = excluded.text";
            db.prepare_cached(sql)?.execute([name, text])?;
        }
        None => {
            db.prepare_cached("DELETE FROM note WHERE name = ?1")?.execute([name])?;
        }
    }
    Ok(())
}
