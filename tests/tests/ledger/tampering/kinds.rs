//! What somebody may do, and what must be said of it.

use super::forger;
use crate::copies::{Copy, Dialect};
use anyhow::Result;
use rollcall_contract::ledger::{Finding, FindingKind, FindingPart};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Head;
use rollcall_tests::rng::Rng;

/// A change.
#[derive(Clone, Copy, Debug)]
pub enum Case {
    /// By somebody who does not know the format.
    Edit(Column, u64),
    /// Two stand in each other's place; their leaves come along, or stay.
    Swap(FindingPart, u64, u64, bool),
    /// Some from one on are gone from the middle.
    Remove(FindingPart, u64),
    /// One more behind the end; the head moves along, or not.
    Insert(FindingPart, bool),
    /// The last so many are gone; the head is set back, or not.
    Cut(u64, bool),
    /// Something of the head is another.
    Head(&'static str, FindingKind, FindingPart),
    /// By somebody who knows the format, and grows leaves and tree anew.
    Forge(Forgery),
}

/// What is edited.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    Payload,
    Instant,
    Version,
    RecordLeaf,
    Status,
    Duration,
    Target,
    RequestBody,
    Positions,
    ExchangeLeaf,
    /// Not what a version of Rollcall writes.
    Unreadable,
}

/// What is changed along with everything that depends on it.
#[derive(Clone, Copy, Debug)]
pub enum Forgery {
    Edited(u64),
    Removed(u64),
    Cut(u64),
    /// An older backup in place.
    Older,
}

/// What must be found.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// Nothing can be: `docs/evidence.md` says so.
    Not,
    /// This, by name.
    Named(Name),
}

/// A finding: its numbers, or numbers around them where no more can be told.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    kind: FindingKind,
    part: FindingPart,
    number: u64,
    through: Option<u64>,
    is_around: bool,
}

impl Name {
    fn new(kind: FindingKind, part: FindingPart, number: u64) -> Self {
        Self { kind, part, number, through: None, is_around: false }
    }

    /// Whether a finding says this.
    pub fn is(&self, other: &Finding) -> bool {
        let is_there = if self.is_around {
            other.number <= self.number && other.through.is_none_or(|to| to >= self.number)
        } else {
            other.number == self.number
                && self.through.is_none_or(|through| other.through == Some(through))
        };
        (other.kind, other.part) == (self.kind, self.part) && is_there
    }
}

/// What must be found with checkpoints, and without.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub with: Found,
    pub without: Found,
}

fn both(name: Name) -> Expected {
    Expected { with: Found::Named(name), without: Found::Named(name) }
}

/// All changes to a log that ends there: at the first, the last, and some places between.
pub fn all(head: Head, places: usize, rng: &mut Rng) -> Vec<Case> {
    let Head { position, exchange_number } = head;
    let mut some = |end: u64| -> Vec<u64> {
        let between = (0..places).map(|_| 2 + rng.below(end - 2));
        [1, end].into_iter().chain(between).collect()
    };
    let mut cases = Vec::new();
    use Column::*;
    for column in [Payload, Instant, Version, RecordLeaf] {
        cases.extend(some(position).into_iter().map(|at| Case::Edit(column, at)));
    }
    for column in [Status, Duration, Target, RequestBody, Positions, ExchangeLeaf, Unreadable] {
        cases.extend(some(exchange_number).into_iter().map(|at| Case::Edit(column, at)));
    }
    for moves in [true, false] {
        for (part, end) in
            [(FindingPart::Record, position), (FindingPart::Exchange, exchange_number)]
        {
            let at = some(end)[2];
            cases.push(Case::Swap(part, at.min(end - 1), at.min(end - 1) + 1, moves));
            cases.push(Case::Swap(part, 1, end, moves));
            cases.push(Case::Insert(part, moves));
        }
        for rows in [1, 3] {
            cases.push(Case::Cut(rows, moves));
        }
    }
    for part in [FindingPart::Record, FindingPart::Exchange] {
        let end = if part == FindingPart::Record { position } else { exchange_number };
        let mut places = some(end - 1);
        places.dedup();
        cases.extend(places.into_iter().map(|at| Case::Remove(part, at)));
    }
    cases.extend([
        Case::Head(
            "tree = NULL, position = position + 1",
            FindingKind::TailCut,
            FindingPart::Record,
        ),
        Case::Head("last_exchange = NULL", FindingKind::HeadChanged, FindingPart::Head),
        Case::Head("tree = {garbage}", FindingKind::HeadChanged, FindingPart::Head),
        Case::Head("position = position - 1", FindingKind::Inserted, FindingPart::Record),
        Case::Head(
            "exchange_number = exchange_number + 1",
            FindingKind::TailCut,
            FindingPart::Exchange,
        ),
    ]);
    for at in some(position - 1) {
        cases.extend([Forgery::Edited(at), Forgery::Removed(at)].map(Case::Forge));
    }
    cases.extend([Forgery::Cut(1), Forgery::Cut(4), Forgery::Older].map(Case::Forge));
    cases
}

impl Case {
    /// Whether it begins with an older state.
    pub fn is_older(&self) -> bool {
        matches!(self, Case::Forge(Forgery::Older))
    }

    /// Does it, and says what must be found.
    pub async fn change(&self, copy: &Copy, organization: OrganizationId) -> Result<Expected> {
        let d = copy.dialect();
        let (of, Dialect { events, exchanges, heads, .. }) = (d.of(organization), d);
        let head = copy.log().await?.head(organization).await?;
        let table = |part| if part == FindingPart::Record { events } else { exchanges };
        let key = |part| if part == FindingPart::Record { "position" } else { "number" };
        let (sql, expected) = match *self {
            Case::Edit(column, at) => {
                let (part, set) = column.set(d);
                let kind = column.kind();
                let (table, key) = (table(part), key(part));
                let sql = format!("UPDATE {table} SET {set} WHERE {of} AND {key} = {at}");
                (vec![sql], both(Name::new(kind, part, at)))
            }
            Case::Swap(part, a, b, moves) => {
                let (table, key) = (table(part), key(part));
                let one = |from: u64, to: u64| {
                    format!("UPDATE {table} SET {key} = {to} WHERE {of} AND {key} = {from}")
                };
                let mut sql = vec![one(a, 1_000_000), one(b, a), one(1_000_000, b)];
                if !moves {
                    sql.push(format!(
                        "WITH kept AS MATERIALIZED (SELECT {key} AS at, leaf FROM {table} WHERE {of} AND {key} IN ({a}, {b})) \
                         UPDATE {table} SET leaf = (SELECT kept.leaf FROM kept WHERE at = {a} + {b} - {key}) WHERE {of} AND {key} IN ({a}, {b})"
                    ));
                }
                let name = Name { through: Some(b), ..Name::new(FindingKind::Swapped, part, a) };
                (sql, both(name))
            }
            Case::Remove(part, at) => {
                let (table, key) = (table(part), key(part));
                let sql = format!("DELETE FROM {table} WHERE {of} AND {key} = {at}");
                (vec![sql], both(Name::new(FindingKind::Removed, part, at)))
            }
            Case::Insert(part, moves) => {
                let end =
                    if part == FindingPart::Record { head.position } else { head.exchange_number };
                let mut sql = vec![insert(d, part, &of, end)];
                if moves {
                    let column =
                        if part == FindingPart::Record { "position" } else { "exchange_number" };
                    sql.push(format!("UPDATE {heads} SET {column} = {column} + 1 WHERE {of}"));
                    // What stands there has the leaf of another.
                    (sql, both(Name::new(FindingKind::Edited, part, end + 1)))
                } else {
                    (sql, both(Name::new(FindingKind::Inserted, part, end + 1)))
                }
            }
            Case::Cut(rows, sets_back) => {
                let (from, to) = (head.position - rows, head.exchange_number - rows);
                let mut sql = vec![
                    format!("DELETE FROM {events} WHERE {of} AND position > {from}"),
                    format!("DELETE FROM {exchanges} WHERE {of} AND number > {to}"),
                ];
                if sets_back {
                    sql.push(format!(
                        "UPDATE {heads} SET position = {from}, exchange_number = {to} WHERE {of}"
                    ));
                    (sql, both(Name::new(FindingKind::TailCut, FindingPart::Tree, from + to + 1)))
                } else {
                    (sql, both(Name::new(FindingKind::TailCut, FindingPart::Record, from + 1)))
                }
            }
            Case::Head(set, kind, part) => {
                let set = set.replace("{garbage}", &d.bytes(b"no tree"));
                let sql = format!("UPDATE {heads} SET {set} WHERE {of}");
                let number = match (kind, part) {
                    (FindingKind::TailCut, FindingPart::Record) => head.position + 1,
                    (FindingKind::TailCut, _) => head.exchange_number + 1,
                    (FindingKind::Inserted, _) => head.position,
                    _ if set.starts_with("tree") => 0,
                    _ => head.exchange_number,
                };
                (vec![sql], both(Name::new(kind, part, number)))
            }
            Case::Forge(forgery) => {
                let expected = forge(forgery, copy, organization, head).await?;
                return Ok(expected);
            }
        };
        copy.run(&sql).await?;
        Ok(expected)
    }
}

/// The last one once more, behind itself.
fn insert(d: &Dialect, part: FindingPart, of: &str, end: u64) -> String {
    let Dialect { events, exchanges, version, .. } = d;
    let is_postgres = *version == "sequence";
    if part == FindingPart::Record {
        let (kind, id, also, also_value) = if is_postgres {
            ("aggregate_type", "aggregate_id", ", metadata", ", metadata")
        } else {
            ("kind", "id", "", "")
        };
        return format!(
            "INSERT INTO {events} (organization, position, {kind}, {id}, {version}, event_type, event_version, recorded_at, exchange, actor, leaf, payload{also}) \
             SELECT organization, position + 1, {kind}, {id}, {version} + 1, event_type, event_version, recorded_at, exchange, actor, leaf, payload{also_value} \
             FROM {events} WHERE {of} AND position = {end}"
        );
    }
    let id = if is_postgres { "gen_random_uuid()" } else { "randomblob(16)" };
    format!(
        "INSERT INTO {exchanges} (organization, number, id, first, last, after, leaf, document, request_body, answer_body) \
         SELECT organization, number + 1, {id}, first, last, after, leaf, document, request_body, answer_body \
         FROM {exchanges} WHERE {of} AND number = {end}"
    )
}

impl Column {
    fn kind(self) -> FindingKind {
        match self {
            Column::RecordLeaf | Column::ExchangeLeaf => FindingKind::LeafChanged,
            Column::Unreadable => FindingKind::Unreadable,
            _ => FindingKind::Edited,
        }
    }

    fn set(self, d: &Dialect) -> (FindingPart, String) {
        use FindingPart::{Exchange, Record};
        match self {
            Column::Payload => (Record, format!("payload = {}", d.longer_payload())),
            Column::Instant => (Record, "recorded_at = recorded_at + 1".into()),
            Column::Version => (Record, "event_version = '9'".into()),
            Column::RecordLeaf => (Record, format!("leaf = {}", d.bytes(&[7; 32]))),
            Column::Status => {
                (Exchange, format!("document = {}", d.document_with("answer.status", "299")))
            }
            Column::Duration => {
                (Exchange, format!("document = {}", d.document_with("duration_us", "7")))
            }
            Column::Target => {
                (Exchange, format!("document = {}", d.document_with("target", "\"/elsewhere\"")))
            }
            Column::RequestBody => (Exchange, format!("request_body = {}", d.bytes(b"{}\n"))),
            Column::Positions => (Exchange, "first = 77, last = 78".into()),
            Column::ExchangeLeaf => (Exchange, format!("leaf = {}", d.bytes(b"no hash"))),
            Column::Unreadable => (Exchange, "document = '{}'".into()),
        }
    }
}

async fn forge(
    forgery: Forgery,
    copy: &Copy,
    organization: OrganizationId,
    head: Head,
) -> Result<Expected> {
    let d = copy.dialect();
    let (of, Dialect { events, exchanges, heads, .. }) = (d.of(organization), d);
    let size = head.position + head.exchange_number;
    let rewritten = |at: u64| Name {
        is_around: true,
        ..Name::new(FindingKind::Rewritten, FindingPart::Tree, at)
    };
    let older = |size: u64| Name::new(FindingKind::Older, FindingPart::Tree, size + 1);
    let name = match forgery {
        Forgery::Edited(at) => {
            let at_leaf = forger::leaf_of(copy, organization, at).await?;
            let longer = d.longer_payload();
            copy.run(&[format!(
                "UPDATE {events} SET payload = {longer} WHERE {of} AND position = {at}"
            )])
            .await?;
            rewritten(at_leaf)
        }
        Forgery::Removed(at) => {
            // Everything behind it moves up.
            copy.run(&[
                format!("DELETE FROM {events} WHERE {of} AND position = {at}"),
                format!("UPDATE {events} SET position = position + 1000000 WHERE {of} AND position > {at}"),
                format!("UPDATE {events} SET position = position - 1000001 WHERE {of} AND position > {at}"),
                format!("UPDATE {exchanges} SET after = after - 1 WHERE {of} AND after >= {at}"),
                format!("UPDATE {heads} SET position = position - 1 WHERE {of}"),
            ])
            .await?;
            // The tree has a leaf less: what is missed is the end.
            older(size - 1)
        }
        Forgery::Cut(rows) => {
            let (from, to) = (head.position - rows, head.exchange_number - rows);
            copy.run(&[
                format!("DELETE FROM {events} WHERE {of} AND position > {from}"),
                format!("DELETE FROM {exchanges} WHERE {of} AND number > {to}"),
                format!("UPDATE {exchanges} SET after = {from} WHERE {of} AND after > {from}"),
                format!("UPDATE {heads} SET position = {from}, exchange_number = {to} WHERE {of}"),
            ])
            .await?;
            older(from + to)
        }
        Forgery::Older => {
            return Ok(Expected { with: Found::Named(older(size)), without: Found::Not });
        }
    };
    forger::regrow(copy, organization).await?;
    Ok(Expected { with: Found::Named(name), without: Found::Not })
}
