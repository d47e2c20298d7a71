//! What [`plan`](rollcall_domain::log::plan) asks of the index.

use super::folded::Folded;
use super::ledger;
use super::query::{self, Pending};
use super::values::{Id, int, one, stream};
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use rusqlite::{Connection, params};

/// How far an organization's stream is folded.
pub(crate) fn folded(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Folded> {
    let sql =
        "SELECT revision, last_id, position, exchange_number FROM folded WHERE organization = ?1";
    let found = one(db, sql, params![organization.0.as_bytes()], |row| {
        let last = Some((row.get(0)?, row.get::<_, Id>(1)?.0));
        Ok(Folded { last, head: Head { position: row.get(2)?, exchange_number: row.get(3)? } })
    })?;
    Ok(found.unwrap_or_default())
}

/// How many events a stream has.
pub(crate) fn version(db: &Connection, stream: &StreamId) -> rusqlite::Result<Version> {
    let sql = "SELECT version FROM record WHERE id = ?1 AND kind = ?2 AND organization = ?3 ORDER BY version DESC LIMIT 1";
    let params =
        params![stream.id.as_bytes(), stream.kind.as_str(), stream.organization.0.as_bytes()];
    Ok(one(db, sql, params, |row| row.get(0))?.unwrap_or(0))
}

/// What an exchange was given when it was appended.
pub(crate) fn exchange_place(
    db: &Connection,
    organization: OrganizationId,
    id: ExchangeId,
) -> rusqlite::Result<Option<ExchangePlace>> {
    let sql = "SELECT number, first, last FROM exchange WHERE id = ?1 AND organization = ?2";
    one(db, sql, params![id.0.as_bytes(), organization.0.as_bytes()], |row| {
        let (first, last): (Option<u64>, Option<u64>) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, first.zip(last)))
    })
}

/// Who holds a claim.
pub(crate) fn holder(db: &Connection, claim: &Claim) -> rusqlite::Result<Option<StreamId>> {
    let sql = "SELECT holder_organization, holder_kind, holder_id FROM claim WHERE scope = ?1 AND kind = ?2 AND key = ?3";
    one(db, sql, params![claim.scope.0.as_bytes(), claim.kind.as_str(), claim.key], |row| {
        stream(row, 0)
    })
}

/// The index at one moment.
pub(crate) struct Moment {
    /// How far each organization is folded.
    pub folded: Vec<(OrganizationId, Folded)>,
    /// What was wanted.
    pub facts: Facts,
    /// What is pending in the scopes of the claims that were wanted.
    pub pending: Vec<Pending>,
}

impl Moment {
    /// How far an organization is folded.
    pub fn of(&self, organization: OrganizationId) -> Folded {
        self.folded
            .iter()
            .find(|(of, _)| *of == organization)
            .map_or(Folded::default(), |(_, folded)| *folded)
    }
}

/// All that is wanted.
pub(crate) fn facts(db: &mut Connection, wanted: &Wanted) -> rusqlite::Result<Moment> {
    let db = db.transaction()?;
    let mut facts = Facts::default();
    let (mut all, mut pending) = (Vec::new(), Vec::new());
    for organization in &wanted.organizations {
        let folded = folded(&db, *organization)?;
        facts.heads.insert(*organization, folded.head);
        facts.trees.insert(*organization, ledger::head(&db, *organization)?.frontier);
        all.push((*organization, folded));
        if wanted.claims.iter().any(|claim| claim.scope == *organization) {
            pending.extend(query::pending(&db, *organization)?);
        }
    }
    for stream in &wanted.streams {
        facts.versions.insert(*stream, version(&db, stream)?);
    }
    for claim in &wanted.claims {
        if let Some(holder) = holder(&db, claim)? {
            facts.claims.insert(*claim, holder);
        }
    }
    for (organization, id) in &wanted.exchanges {
        if let Some(place) = exchange_place(&db, *organization, *id)? {
            facts.exchanges.insert((*organization, *id), place);
        }
    }
    Ok(Moment { folded: all, facts, pending })
}

/// Revisions of the records of a stream after a version, rising.
pub(crate) fn stream_revisions(
    db: &Connection,
    stream: &StreamId,
    after: Version,
) -> rusqlite::Result<Vec<u64>> {
    let sql = "SELECT revision FROM record WHERE id = ?1 AND kind = ?2 AND organization = ?3 AND version > ?4 ORDER BY version";
    let params = params![
        stream.id.as_bytes(),
        stream.kind.as_str(),
        stream.organization.0.as_bytes(),
        int(after)
    ];
    super::values::all(db, sql, params, |row| row.get(0))
}
