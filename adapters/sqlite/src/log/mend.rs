//! Puts records where others were lost. What was there is kept as a note.

use super::codec::int;
use super::identity::keep_note;
use super::read::one;
use super::write::insert_record;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::{Record, mended, record_leaf};
use rusqlite::{Connection, TransactionBehavior, params};

/// Puts records in their places, all or none.
pub(super) fn mend(db: &mut Connection, records: &[Record]) -> rusqlite::Result<()> {
    let db = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for record in records {
        let organization = record.stream.organization;
        let place = params![organization.0.as_bytes(), int(record.position)];
        // `quote` writes down whatever is there.
        let sql = "SELECT leaf, concat_ws(', ', quote(kind), quote(id), quote(version), quote(event_type), \
                       quote(event_version), quote(recorded_at), quote(exchange), quote(actor), quote(payload)) \
                   FROM event WHERE organization = ?1 AND position = ?2";
        let was = one(&db, sql, place, |row| {
            let leaf = row.get_ref(0)?.as_bytes().ok().and_then(|bytes| bytes.try_into().ok());
            Ok((leaf.map(LeafHash), row.get::<_, String>(1)?))
        })?;
        let (leaf, text) = was.unzip();
        if let Some(text) = text {
            keep_note(&db, &mended(organization, record.position), Some(&text))?;
        }
        db.execute("DELETE FROM event WHERE organization = ?1 AND position = ?2", place)?;
        // What the ledger covers stays what it was.
        insert_record(&db, record, leaf.flatten().unwrap_or_else(|| record_leaf(record)))?;
        // States that were made of what is not there any more.
        db.execute("DELETE FROM snapshot WHERE organization = ?1", [organization.0.as_bytes()])?;
    }
    db.commit()
}
