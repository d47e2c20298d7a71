//! The door list: who there is, who belongs where, and up to where in Rollcall's log that is so. The
//! place is moved in the transaction that does what the events say: no crash loses or repeats one.

use crate::clock::now;
use crate::event::{Event, Item, Page};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde_json::Value;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL,
        position INTEGER NOT NULL, last INTEGER NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS person (id TEXT PRIMARY KEY, name TEXT NOT NULL, active INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS member (grp TEXT NOT NULL, member TEXT NOT NULL, PRIMARY KEY (grp, member));
    CREATE INDEX IF NOT EXISTS member_of ON member (member);
    CREATE TABLE IF NOT EXISTS session (cookie TEXT PRIMARY KEY, id TEXT NOT NULL, person TEXT NOT NULL,
        expires INTEGER NOT NULL, asked INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS ended (id TEXT PRIMARY KEY, at INTEGER NOT NULL);";

/// Members of a group, those of its groups included, and theirs. `UNION` ends where groups are in
/// each other.
const IS_MEMBER: &str = "
    WITH RECURSIVE of(id) AS (SELECT ?1 UNION SELECT grp FROM member JOIN of ON member.member = of.id)
    SELECT EXISTS (SELECT 1 FROM of WHERE id = ?2)";

/// Where the list stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which log.
    pub epoch: String,
    /// Everything up to here is in the list.
    pub position: u64,
    /// The last event: its position, its part, and how many parts there are. Position 0 before the
    /// first that was taken.
    pub last: (u64, u64, u64),
}

/// Why a page was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Something is missing before it.
    #[error("something is missing before position {0}")]
    Missed(u64),
    /// The list cannot be read or written.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Whether a door opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They may.
    May,
    /// There is nobody of that id.
    NobodyKnown,
    /// They are switched off.
    SwitchedOff,
    /// They are no member.
    NoMember,
}

/// The list.
pub struct List {
    connection: Mutex<Connection>,
    /// When it was last known to be complete, in the life of this process.
    confirmed: Mutex<Option<Instant>>,
}

impl List {
    /// Opens it; makes it if there is none.
    pub fn open(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(TABLES)?;
        Ok(Self { connection: Mutex::new(connection), confirmed: Mutex::new(None) })
    }

    /// The database, for whoever keeps something beside the list.
    pub fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it stands; none before it began.
    pub fn place(&self) -> rusqlite::Result<Option<Place>> {
        place(&self.connection())
    }

    /// What is known is worth nothing any more: nothing is answered until it began anew.
    pub fn forget_place(&self) -> rusqlite::Result<()> {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.connection().execute("DELETE FROM place", []).map(drop)
    }

    /// It was complete just now.
    pub fn confirm(&self, at: Instant) {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// How long ago it was complete; none if that is not known.
    pub fn age(&self) -> Option<Duration> {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed())
    }

    /// Everybody at a position, in place of whatever was known. Which sessions ended meanwhile is
    /// not said, so that everybody is asked for again.
    pub fn replace(&self, position: u64, epoch: &str, items: &[Item]) -> Result<(), TakeError> {
        let mut connection = self.connection();
        let tx = connection.transaction()?;
        tx.execute_batch(
            "DELETE FROM person; DELETE FROM member; DELETE FROM session; DELETE FROM place;",
        )?;
        for item in items {
            match item {
                Item::User { id, resource } => put_person(&tx, id, resource)?,
                Item::Member { group, member } => put_member(&tx, group, member)?,
                Item::Other => {}
            }
        }
        let place = Place { epoch: epoch.to_owned(), position, last: (0, 1, 1) };
        put_place(&tx, &place)?;
        tx.commit()?;
        Ok(())
    }

    /// Does what a page says, if it proves that nothing is missing before it or in it.
    pub fn take(&self, page: &Page) -> Result<(), TakeError> {
        let mut connection = self.connection();
        let tx = connection.transaction()?;
        let mut place = place(&tx)?.ok_or(TakeError::Missed(page.next))?;
        // Before the first event that was taken, the one before it is in the snapshot.
        let follows =
            place.last.0 == page.previous || (place.last.0 == 0 && page.previous <= place.position);
        if page.epoch != place.epoch || !follows || page.next < place.position {
            return Err(TakeError::Missed(page.next));
        }
        place.last.0 = page.previous;
        for event in &page.events {
            let (last, part, parts) = place.last;
            let goes_on = event.position == last && event.part == part + 1;
            let begins = event.position > last && part == parts && event.part == 1;
            if event.previous != last || !(goes_on || begins) {
                return Err(TakeError::Missed(event.position));
            }
            apply(&tx, event)?;
            place.last = (event.position, event.part, event.parts);
        }
        place.position = page.next;
        put_place(&tx, &place)?;
        tx.commit()?;
        Ok(())
    }

    /// Whether somebody may open what a group may open, with the position up to which that is known.
    pub fn may_open(&self, group: &str, person: &str) -> rusqlite::Result<(Verdict, Option<u64>)> {
        let mut connection = self.connection();
        // One transaction: the answer and the position belong together.
        let tx = connection.transaction()?;
        let position = place(&tx)?.map(|place| place.position);
        let sql = "SELECT active FROM person WHERE id = ?1";
        let active: Option<bool> = tx.query_row(sql, [person], |row| row.get(0)).optional()?;
        let verdict = match active {
            None => Verdict::NobodyKnown,
            Some(false) => Verdict::SwitchedOff,
            Some(true) if tx.query_row(IS_MEMBER, [person, group], |row| row.get(0))? => {
                Verdict::May
            }
            Some(true) => Verdict::NoMember,
        };
        Ok((verdict, position))
    }
}

fn place(connection: &Connection) -> rusqlite::Result<Option<Place>> {
    let sql = "SELECT epoch, position, last, part, parts FROM place";
    let read = |row: &rusqlite::Row<'_>| {
        let last = (row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(Place { epoch: row.get(0)?, position: row.get(1)?, last })
    };
    connection.query_row(sql, [], read).optional()
}

fn put_place(tx: &Transaction<'_>, place: &Place) -> rusqlite::Result<()> {
    let (last, part, parts) = place.last;
    let sql = "INSERT OR REPLACE INTO place VALUES (1, ?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, params![place.epoch, place.position, last, part, parts]).map(drop)
}

fn apply(tx: &Transaction<'_>, event: &Event) -> rusqlite::Result<()> {
    let subject = event.subject.id.as_str();
    let text = |name: &str| event.data.get(name).and_then(Value::as_str).unwrap_or_default();
    let done = match event.event_type.as_str() {
        "user.created" => {
            let attributes = event.data.get("attributes").and_then(Value::as_object);
            return put_person(tx, subject, attributes.unwrap_or(&serde_json::Map::new()));
        }
        "user.updated" => {
            let values = event.data.get("values");
            let Some(name) = values.and_then(|values| values["userName"].as_str()) else {
                return Ok(());
            };
            tx.execute("UPDATE person SET name = ?2 WHERE id = ?1", [subject, name])
        }
        "user.reactivated" => tx.execute("UPDATE person SET active = 1 WHERE id = ?1", [subject]),
        "user.deactivated" => {
            end_sessions(tx, subject)?;
            tx.execute("UPDATE person SET active = 0 WHERE id = ?1", [subject])
        }
        "user.deleted" | "user.erased" => {
            end_sessions(tx, subject)?;
            tx.execute("DELETE FROM member WHERE member = ?1", [subject])?;
            tx.execute("DELETE FROM person WHERE id = ?1", [subject])
        }
        "group.member_added" => return put_member(tx, subject, text("member")),
        "group.member_removed" => {
            let sql = "DELETE FROM member WHERE grp = ?1 AND member = ?2";
            tx.execute(sql, [subject, text("member")])
        }
        "group.deleted" => {
            tx.execute("DELETE FROM member WHERE grp = ?1 OR member = ?1", [subject])
        }
        "session.ended" => {
            note_end(tx, "SELECT ?1, ?2", text("session"))?;
            tx.execute("DELETE FROM session WHERE id = ?1", [text("session")])
        }
        _ => return Ok(()),
    };
    done.map(drop)
}

fn end_sessions(tx: &Transaction<'_>, person: &str) -> rusqlite::Result<()> {
    note_end(tx, "SELECT id, ?2 FROM session WHERE person = ?1", person)?;
    tx.execute("DELETE FROM session WHERE person = ?1", [person]).map(drop)
}

/// An answer of Rollcall's that tells of a session may be under way when the event comes that ends
/// it; no answer is under way for an hour.
fn note_end(tx: &Transaction<'_>, which: &str, of: &str) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM ended WHERE at < ?1", [now() - 3_600])?;
    tx.execute(&format!("INSERT OR IGNORE INTO ended {which}"), params![of, now()]).map(drop)
}

fn put_person(
    tx: &Transaction<'_>,
    id: &str,
    attributes: &serde_json::Map<String, Value>,
) -> rusqlite::Result<()> {
    let name = attributes.get("userName").and_then(Value::as_str).unwrap_or_default();
    let active = attributes.get("active").and_then(Value::as_bool).unwrap_or(false);
    tx.execute("INSERT OR REPLACE INTO person VALUES (?1, ?2, ?3)", params![id, name, active])
        .map(drop)
}

fn put_member(tx: &Transaction<'_>, group: &str, member: &str) -> rusqlite::Result<()> {
    tx.execute("INSERT OR IGNORE INTO member VALUES (?1, ?2)", [group, member]).map(drop)
}
