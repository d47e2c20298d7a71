//! Sessions of browsers, kept beside the list. Rollcall says whose a session is; after that events
//! end it, and nothing is asked for each page.

use crate::clock::now;
use crate::event::Holder;
use crate::list::List;
use crate::rollcall::{Rollcall, Unanswered};
use rusqlite::{OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

/// The cookie that Rollcall gives to browsers of this host.
const COOKIE: &str = "__Host-rollcall-session";
/// After so many seconds Rollcall is asked again, which also tells it that the session is used.
const ASKED_AGAIN: i64 = 300;

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The id of the SCIM resource.
    pub id: String,
    /// `userName`.
    pub name: String,
}

/// Why nobody can be told to be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Rollcall cannot be asked.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The list cannot be read or written.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// What a text is kept as that must not be found in a stolen file.
pub fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who is signed in with these cookies.
pub async fn signed_in(
    list: &List,
    rollcall: &Rollcall,
    cookies: &str,
) -> Result<Option<Person>, SessionError> {
    let Some(cookie) = cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
    else {
        return Ok(None);
    };
    let hash = sha256_hex(cookie);
    if let Some(person) = known(list, &hash)? {
        return Ok(Some(person));
    }
    match rollcall.holder(cookie).await? {
        Some(holder) => begin(list, &hash, &holder)?,
        None => drop(list.connection().execute("DELETE FROM session WHERE cookie = ?1", [&hash])?),
    }
    Ok(known(list, &hash)?)
}

/// Whose session it is, if Rollcall said so lately and no event has ended it since.
fn known(list: &List, hash: &str) -> rusqlite::Result<Option<Person>> {
    let sql = "SELECT person.id, person.name FROM session JOIN person ON person.id = session.person
        WHERE cookie = ?1 AND active = 1 AND expires > ?2 AND asked > ?2 - ?3";
    let read = |row: &rusqlite::Row<'_>| Ok(Person { id: row.get(0)?, name: row.get(1)? });
    list.connection().query_row(sql, params![hash, now(), ASKED_AGAIN], read).optional()
}

/// Begins a session, unless an event that came faster than Rollcall's answer has ended it.
fn begin(list: &List, hash: &str, holder: &Holder) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO session SELECT ?1, ?2, ?3, ?4, ?5
        WHERE NOT EXISTS (SELECT 1 FROM ended WHERE id = ?2)";
    let row =
        params![hash, holder.session_id, holder.user_id, holder.expires_at.timestamp(), now()];
    list.connection().execute(sql, row).map(drop)
}
