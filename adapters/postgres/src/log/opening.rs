//! How a transaction that appends begins: locks and facts, and where the live views stand, in one
//! trip to the server. The text holds ids, hashes and our own words only, nothing that has to be
//! escaped. Each statement of it sees what was committed before the ones above it took their locks.

use super::codec::{self, odd};
use super::ledger;
use crate::standing::{self, Marks};
use crate::views::{self, InlineTransaction};
use futures::TryStreamExt as _;
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use rollcall_domain::sql::{SqlError, SqlRow};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Either, Row as _};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The columns of `ledger::HEAD`, and the last exchange.
const HEADS: &str = "SELECT organization, position, exchange_number, tree, last_exchange FROM rollcall.heads WHERE organization = ANY";

/// To be run once on a connection: `facts.sql` is planned once.
pub(super) fn prepare() -> String {
    format!(
        "PREPARE rollcall_facts (text[], text[], uuid[], text[], bytea[], uuid[], uuid[], uuid[], bigint[]) AS {}",
        include_str!("facts.sql")
    )
}

/// Statements before those about views.
const OF_THE_LOG: usize = 3;

/// What is asked at the beginning.
pub(super) struct Opening<'a> {
    streams: Vec<&'a StreamId>,
    claims: Vec<&'a Claim>,
    exchanges: Vec<&'a (OrganizationId, ExchangeId)>,
    /// Whose views may be folded.
    views: Vec<OrganizationId>,
    text: String,
}

/// What was answered.
#[derive(Default)]
pub(super) struct Opened {
    pub facts: Facts,
    /// Where the logs end.
    pub ends: Vec<(OrganizationId, Mark)>,
    /// The exchanges that are where the last ones known were.
    pub at_known: BTreeMap<OrganizationId, ExchangeId>,
    /// Whether a backup is being put into the log.
    pub is_restoring: bool,
    /// Where the views stand of each organization whose turn it is to be folded.
    pub standing: BTreeMap<OrganizationId, Vec<SqlRow>>,
}

/// Why there is no answer.
pub(super) enum NotOpened {
    Log(sqlx::Error),
    Views(SqlError),
}

impl<'a> Opening<'a> {
    /// Asks for all that is wanted, and of these organizations for where the views stand.
    pub fn new(
        wanted: &'a Wanted,
        known: &Marks,
        fold: Option<&dyn InlineFold>,
        views: Vec<OrganizationId>,
    ) -> Self {
        let mut opening = Self {
            streams: wanted.streams.iter().collect(),
            claims: wanted.claims.iter().collect(),
            exchanges: wanted.exchanges.iter().collect(),
            views: if fold.is_some() { views } else { Vec::new() },
            text: String::with_capacity(2_000),
        };
        opening.text.push_str("BEGIN; ");
        let ids = texts(&mut wanted.organizations.iter().map(ToString::to_string));
        opening.say(format_args!("{HEADS} ({ids}::uuid[]) ORDER BY organization FOR UPDATE; "));
        opening.facts(known);
        if let Some(fold) = fold
            && !opening.views.is_empty()
        {
            let turns = InlineTransaction::turns(&opening.views);
            opening.say(format_args!("{turns}"));
            for organization in opening.views.clone() {
                opening.say(format_args!("; {}", fold.standing(organization)));
            }
        }
        opening
    }

    fn say(&mut self, what: std::fmt::Arguments<'_>) {
        // A `String` takes everything.
        _ = self.text.write_fmt(what);
    }

    fn facts(&mut self, known: &Marks) {
        let (s, c, x) = (&self.streams, &self.claims, &self.exchanges);
        let hashes: Vec<String> =
            c.iter().map(|c| format!("decode('{}', 'hex')", hex(&c.key))).collect();
        let facts = [
            texts(&mut s.iter().map(|s| s.kind.as_str().to_owned())),
            texts(&mut s.iter().map(|s| s.aggregate_id())),
            texts(&mut c.iter().map(|c| c.scope.to_string())),
            texts(&mut c.iter().map(|c| c.kind.as_str().to_owned())),
            format!("ARRAY[{}]::bytea[]", hashes.join(", ")),
            texts(&mut x.iter().map(|x| x.0.to_string())),
            texts(&mut x.iter().map(|x| x.1.to_string())),
            texts(&mut known.keys().map(ToString::to_string)),
            texts(&mut known.values().map(|mark| codec::int(mark.exchange_number).to_string())),
        ];
        let facts = facts.join(", ");
        self.say(format_args!("EXECUTE rollcall_facts ({facts}); "));
    }

    /// Asks. An organization whose head is not there is not in the answer; nor is a tree that has
    /// to be grown anew.
    pub async fn ask(&self, connection: &mut PgConnection) -> Result<Opened, NotOpened> {
        let mut opened = Opened::default();
        let mut free = Vec::new();
        // How many statements are done.
        let mut done = 0;
        let mut answers = sqlx::raw_sql(&self.text).fetch_many(connection);
        loop {
            let answer = match answers.try_next().await {
                Ok(Some(answer)) => answer,
                Ok(None) => break,
                Err(e) if done < OF_THE_LOG => return Err(NotOpened::Log(e)),
                Err(e) => return Err(NotOpened::Views(views::sql_error(e))),
            };
            let row = match answer {
                Either::Left(_) => {
                    done += 1;
                    continue;
                }
                Either::Right(row) => row,
            };
            let of_views = |e| NotOpened::Views(views::sql_error(e));
            match done {
                0 | 1 => head(&row, &mut opened).map_err(NotOpened::Log)?,
                2 => self.fact(&row, &mut opened).map_err(NotOpened::Log)?,
                3 | 4 => {
                    free = InlineTransaction::taken(&row, &self.views).map_err(of_views)?;
                    opened.standing.extend(free.iter().map(|o| (*o, Vec::new())));
                }
                n => {
                    let organization = self.views.get(n - 5).filter(|o| free.contains(o));
                    if let Some(rows) = organization.and_then(|o| opened.standing.get_mut(o)) {
                        rows.push(views::row(&row).map_err(NotOpened::Views)?);
                    }
                }
            }
        }
        Ok(opened)
    }

    fn fact(&self, row: &PgRow, opened: &mut Opened) -> sqlx::Result<()> {
        let facts = &mut opened.facts;
        let index = (row.try_get::<i64, _>(1)? as usize).saturating_sub(1);
        let beyond = || odd("an answer to nothing that was asked");
        match row.try_get::<&str, _>(0)? {
            "stream" => {
                let stream = self.streams.get(index).ok_or_else(beyond)?;
                facts.versions.insert(**stream, codec::count(row, 2)?);
            }
            "claim" => {
                let claim = self.claims.get(index).ok_or_else(beyond)?;
                facts.claims.insert(**claim, codec::stream(row, 5)?);
            }
            "restoring" => opened.is_restoring = true,
            "known" => {
                let id = ExchangeId(row.try_get(7)?);
                opened.at_known.insert(codec::organization(row, 5)?, id);
            }
            _ => {
                let exchange = self.exchanges.get(index).ok_or_else(beyond)?;
                let place = (codec::count(row, 2)?, codec::positions(row, 3)?);
                facts.exchanges.insert(**exchange, place);
            }
        }
        Ok(())
    }
}

fn head(row: &PgRow, opened: &mut Opened) -> sqlx::Result<()> {
    let (organization, head) = codec::head(row)?;
    opened.ends.push((organization, standing::mark(head, row.try_get(4)?)));
    let facts = &mut opened.facts;
    facts.heads.insert(organization, head);
    if let Some(tree) = ledger::tree(row, head)? {
        facts.trees.insert(organization, tree);
    }
    Ok(())
}

/// An array of texts that need no quotation marks.
fn texts(texts: &mut dyn Iterator<Item = String>) -> String {
    format!("'{{{}}}'", texts.collect::<Vec<_>>().join(","))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
