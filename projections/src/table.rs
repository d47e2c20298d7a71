//! Tables as declarations, from which the portable SQL is made.

use crate::bad::Bad;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::sql::{SqlRow, SqlValue};

/// One statement with its parameters.
pub type Statement = (String, Vec<SqlValue>);

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `TEXT`
    Text,
    /// `BIGINT`
    Int,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it may be null.
    pub null: bool,
}

/// A table of a view. Every table has a column `organization`.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order in which rows are given.
    pub columns: &'static [Column],
    /// The primary key.
    pub key: &'static [&'static str],
    /// Further indexes.
    pub indexes: &'static [&'static [&'static str]],
    /// An integer column that orders an organization's rows; ties are allowed.
    pub order: &'static str,
}

/// A statement writes any number of rows up to the first, or the second: few enough forms for a
/// prepared one to be used again, and one round trip for what a group of requests changed.
const FEW_ROWS: usize = 16;
const MOST_ROWS: usize = 64;
const KEYS: [usize; 3] = [1, 8, 64];

impl Table {
    /// The statements that create the table and its indexes if they are not there.
    pub fn ddl(&self) -> Vec<String> {
        let columns = self.columns.iter().map(|c| {
            let kind = match c.kind {
                Kind::Text => "TEXT",
                Kind::Int => "BIGINT",
            };
            format!("{} {kind}{}", c.name, if c.null { "" } else { " NOT NULL" })
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut ddl = vec![format!(
            "CREATE TABLE IF NOT EXISTS {} ({columns}, PRIMARY KEY ({}))",
            self.name,
            self.key.join(", ")
        )];
        for index in self.indexes {
            let name = index
                .iter()
                .filter(|c| **c != "organization")
                .copied()
                .collect::<Vec<_>>()
                .join("_");
            ddl.push(format!(
                "CREATE INDEX IF NOT EXISTS {0}_by_{name} ON {0} ({1})",
                self.name,
                index.join(", ")
            ));
        }
        ddl
    }

    /// All columns, for a `SELECT`.
    pub fn all(&self) -> String {
        self.columns.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
    }

    /// The value in a column, of a row with all of them; none if there is no such column.
    pub fn value<'r>(&self, row: &'r SqlRow, column: &str) -> Option<&'r SqlValue> {
        self.columns.iter().zip(&row.0).find(|(c, _)| c.name == column).map(|(_, value)| value)
    }

    /// Writes rows, each as `values_of` gives it: one for each column. Of those that are there
    /// already, the columns that `set` takes.
    pub(crate) fn write<R>(
        &self,
        rows: Vec<R>,
        values_of: fn(R, &mut Vec<SqlValue>) -> Result<(), Bad>,
        set: &dyn Fn(&str) -> bool,
        out: &mut Vec<Statement>,
    ) -> Result<(), Bad> {
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        while left > 0 {
            let size = if left >= MOST_ROWS { MOST_ROWS } else { left.min(FEW_ROWS) };
            let mut values = Vec::with_capacity(size * self.columns.len());
            rows.by_ref().take(size).try_for_each(|row| values_of(row, &mut values))?;
            out.push((self.write_sql(size, set), values));
            left -= size;
        }
        Ok(())
    }

    fn write_sql(&self, rows: usize, set: &dyn Fn(&str) -> bool) -> String {
        let width = self.columns.len();
        let tuple = |row: usize| format!("({})", numbered(row * width + 1, width));
        let values = (0..rows).map(tuple).collect::<Vec<_>>().join(", ");
        let sets = self.columns.iter().filter(|c| !self.key.contains(&c.name) && set(c.name));
        let sets =
            sets.map(|c| format!("{0} = excluded.{0}", c.name)).collect::<Vec<_>>().join(", ");
        let then =
            if sets.is_empty() { "DO NOTHING".to_owned() } else { format!("DO UPDATE SET {sets}") };
        format!(
            "INSERT INTO {} ({}) VALUES {values} ON CONFLICT ({}) {then}",
            self.name,
            self.all(),
            self.key.join(", ")
        )
    }

    /// Deletes an organization's rows that have one of `keys` in `column`.
    pub fn delete(
        &self,
        organization: OrganizationId,
        column: &str,
        keys: &[SqlValue],
        out: &mut Vec<Statement>,
    ) {
        for keys in key_lists(keys) {
            let sql = format!(
                "DELETE FROM {} WHERE organization = $1 AND {column} IN ({})",
                self.name,
                numbered(2, keys.len())
            );
            out.push((sql, with(organization.into(), keys)));
        }
    }
}

/// `$first, ...`: as many as `n`.
pub(crate) fn numbered(first: usize, n: usize) -> String {
    let mut out = String::with_capacity(n * 6);
    for i in first..first + n {
        if i > first {
            out.push_str(", ");
        }
        out.push('$');
        out.push_str(&i.to_string());
    }
    out
}

/// Cuts keys into lists for `IN`, filled up to a few lengths with the last key, which changes
/// nothing.
pub(crate) fn key_lists(keys: &[SqlValue]) -> impl Iterator<Item = Vec<SqlValue>> {
    keys.chunks(KEYS[KEYS.len() - 1]).map(|chunk| {
        let size = KEYS.into_iter().find(|n| *n >= chunk.len()).unwrap_or(chunk.len());
        let mut list = chunk.to_vec();
        if let Some(last) = chunk.last() {
            list.resize(size, last.clone());
        }
        list
    })
}

/// One parameter before others.
pub(crate) fn with(first: SqlValue, rest: Vec<SqlValue>) -> Vec<SqlValue> {
    let mut all = Vec::with_capacity(rest.len() + 1);
    all.push(first);
    all.extend(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::{Stored, columns};

    columns! {
        struct Pair { organization: OrganizationId, n: u64, word: Option<String> }

        table PAIRS = "pairs" { key: ["organization", "n"], indexes: [["organization", "word"]], order: "n" }
    }

    fn pair(n: u64) -> Pair {
        Pair { organization: OrganizationId::NONE, n, word: None }
    }

    #[test]
    fn ddl_and_upsert_are_in_the_portable_subset() {
        assert_eq!(
            PAIRS.ddl(),
            [
                "CREATE TABLE IF NOT EXISTS pairs (organization TEXT NOT NULL, n BIGINT NOT NULL, word TEXT, PRIMARY KEY (organization, n))",
                "CREATE INDEX IF NOT EXISTS pairs_by_word ON pairs (organization, word)",
            ]
        );
        let mut out = Vec::new();
        Pair::upsert(vec![pair(1)], &mut out).unwrap();
        assert_eq!(
            out[0].0,
            "INSERT INTO pairs (organization, n, word) VALUES ($1, $2, $3) ON CONFLICT (organization, n) DO UPDATE SET word = excluded.word"
        );
    }

    #[test]
    fn rows_are_cut_into_few_sizes_and_none_is_lost() {
        let mut out = Vec::new();
        Pair::upsert((0..64 + 16 + 7).map(pair).collect(), &mut out).unwrap();
        assert_eq!(out.iter().map(|(_, p)| p.len() / 3).collect::<Vec<_>>(), [64, 16, 7]);
        assert_eq!(out.last().map(|(_, p)| p[p.len() - 2].clone()), Some(86_i64.into()));
    }

    #[test]
    fn key_lists_are_filled_up_with_the_last_key() {
        let keys: Vec<SqlValue> = (0..66_i64).map(Into::into).collect();
        let lists: Vec<_> = key_lists(&keys).collect();
        assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [64, 8]);
        assert_eq!(lists[1][1..], vec![SqlValue::from(65_i64); 7][..]);
        assert_eq!(key_lists(&[]).count(), 0);
    }
}
