//! Columns, declared once: [`columns!`] makes a struct of them, and the list, the reading and the
//! writing that go with it. No column is ever asked for by its number.
//!
//! A field is one column of its name (`seq: Position`), a column or expression that is called
//! otherwise (`id: RunId = "run"`), or several (`positions: Option<(Position, Position)> =
//! ("first_position", "last_position")`); its type says which values it takes ([`crate::cells`]).
//! With a table behind the struct, its rows are written to that table; without, it is what a
//! query selects.

use crate::bad::Bad;
use crate::table::{Column, Kind, Statement, Table};
use rollcall_domain::sql::{SqlError, SqlRow, SqlValue};

/// The values of a row that are not read yet.
#[derive(Debug)]
pub(crate) struct Values(std::vec::IntoIter<SqlValue>);

impl Values {
    /// The next one; an error if there is none.
    pub fn next(&mut self) -> Result<SqlValue, SqlError> {
        self.0.next().ok_or_else(|| SqlError::Shape("a column is missing".to_owned()))
    }

    /// Reads a field; an error names it.
    pub fn field<T: Read>(&mut self, name: &str) -> Result<T, SqlError> {
        T::read(self).map_err(|e| match e {
            SqlError::Shape(why) => SqlError::Shape(format!("{name}: {why}")),
            other => other,
        })
    }
}

/// What can be read from a row: a field, or all of them.
pub(crate) trait Read: Sized {
    /// Takes as many values as it needs.
    fn read(values: &mut Values) -> Result<Self, SqlError>;
}

/// A field: it spans one column, or several.
pub(crate) trait Span: Read {
    /// Type of each column, and whether it may be null.
    const KINDS: &'static [(Kind, bool)];

    /// Gives as many values as it spans columns.
    fn write(self, out: &mut Vec<SqlValue>) -> Result<(), Bad>;
}

/// A struct made by [`columns!`].
pub(crate) trait Columns: Read {
    /// Its columns, in the order in which it is read and written.
    const COLUMNS: &'static [Column];

    /// Gives a value for each column, in that order.
    fn write(self, out: &mut Vec<SqlValue>) -> Result<(), Bad>;

    /// The columns, for a `SELECT`.
    fn list() -> String {
        Self::COLUMNS.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
    }

    /// The same, of a table that a query calls by this name.
    fn list_of(table: &str) -> String {
        Self::COLUMNS.iter().map(|c| format!("{table}.{}", c.name)).collect::<Vec<_>>().join(", ")
    }
}

/// A struct made by [`columns!`] that has a table.
pub(crate) trait Stored: Columns {
    /// The table.
    const TABLE: Table;

    /// Writes rows, in place of those with the same key. No key may come twice in `rows`.
    fn upsert(rows: Vec<Self>, out: &mut Vec<Statement>) -> Result<(), Bad> {
        Self::TABLE.write(rows, Self::write, &|_| true, out)
    }

    /// Writes rows that are there already and differ in `columns` only; indexes on others are left
    /// alone, which is most of the cost.
    fn update(rows: Vec<Self>, columns: &[&str], out: &mut Vec<Statement>) -> Result<(), Bad> {
        Self::TABLE.write(rows, Self::write, &|column| columns.contains(&column), out)
    }
}

/// Two structs made by [`columns!`], in one row: the columns of the first, then those of the
/// second.
#[derive(Debug)]
pub(crate) struct Both<A, B>(pub A, pub B);

impl<A: Columns, B: Columns> Read for Both<A, B> {
    fn read(values: &mut Values) -> Result<Self, SqlError> {
        Ok(Self(A::read(values)?, B::read(values)?))
    }
}

/// Reads one row; an error if it holds more.
pub(crate) fn read<T: Read>(row: SqlRow) -> Result<T, SqlError> {
    let mut values = Values(row.0.into_iter());
    let read = T::read(&mut values)?;
    if values.0.len() > 0 {
        Err(SqlError::Shape("a row has more columns than are read".to_owned()))
    } else {
        Ok(read)
    }
}

/// Reads all rows.
pub(crate) fn read_all<T: Read>(rows: Vec<SqlRow>) -> Result<Vec<T>, SqlError> {
    rows.into_iter().map(read).collect()
}

/// Reads the first row, if there is one.
pub(crate) fn read_first<T: Read>(rows: Vec<SqlRow>) -> Result<Option<T>, SqlError> {
    rows.into_iter().next().map(read).transpose()
}

/// How many columns fields span together.
pub(crate) const fn width(names: &[&[&str]]) -> usize {
    let (mut width, mut field) = (0, 0);
    while field < names.len() {
        width += names[field].len();
        field += 1;
    }
    width
}

/// The columns of fields, one after another.
pub(crate) const fn laid_out<const N: usize>(
    names: &[&[&'static str]],
    kinds: &[&[(Kind, bool)]],
) -> [Column; N] {
    let mut columns = [Column { name: "", kind: Kind::Int, null: false }; N];
    let (mut at, mut field) = (0, 0);
    while field < names.len() {
        assert!(
            names[field].len() == kinds[field].len(),
            "a field is given as many columns as its type spans"
        );
        let mut i = 0;
        while i < names[field].len() {
            let (kind, null) = kinds[field][i];
            columns[at] = Column { name: names[field][i], kind, null };
            (at, i) = (at + 1, i + 1);
        }
        field += 1;
    }
    columns
}

/// A table whose key and indexes are of columns that it has, and whose order is of an integer.
pub(crate) const fn sound(table: Table) -> Table {
    let (mut i, mut j) = (0, 0);
    while i < table.key.len() {
        assert!(column(table.columns, table.key[i]).is_some(), "the key is of no such column");
        i += 1;
    }
    while j < table.indexes.len() {
        i = 0;
        while i < table.indexes[j].len() {
            let known = column(table.columns, table.indexes[j][i]).is_some();
            assert!(known, "an index is of no such column");
            i += 1;
        }
        j += 1;
    }
    match column(table.columns, table.order) {
        Some(Column { kind: Kind::Int, null: false, .. }) => table,
        _ => panic!("a table is ordered by an integer column that is never null"),
    }
}

const fn column(columns: &[Column], name: &str) -> Option<Column> {
    let mut at = 0;
    while at < columns.len() {
        if same(columns[at].name.as_bytes(), name.as_bytes()) {
            return Some(columns[at]);
        }
        at += 1;
    }
    None
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Declares columns as a struct, and if wanted their table; see [`self`].
macro_rules! columns {
    (
        $(#[$meta:meta])* $vis:vis struct $Row:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty $(= $names:tt)?),+ $(,)?
        }
        $($(#[$table_meta:meta])* $table_vis:vis table $TABLE:ident = $name:literal {
            key: [$($key:literal),+],
            indexes: [$([$($index:literal),+]),* $(,)?],
            order: $order:literal $(,)?
        })?
    ) => {
        $(#[$meta])*
        $vis struct $Row {
            $($(#[$field_meta])* $field_vis $field: $type),+
        }

        impl $crate::columns::Read for $Row {
            fn read(values: &mut $crate::columns::Values) -> Result<Self, rollcall_domain::sql::SqlError> {
                Ok(Self { $($field: values.field(stringify!($field))?),+ })
            }
        }

        impl $crate::columns::Columns for $Row {
            const COLUMNS: &'static [$crate::table::Column] = {
                const NAMES: &[&[&str]] = &[$($crate::columns::names!($field $($names)?)),+];
                const ALL: [$crate::table::Column; $crate::columns::width(NAMES)] =
                    $crate::columns::laid_out(NAMES, &[$(<$type as $crate::columns::Span>::KINDS),+]);
                &ALL
            };

            fn write(self, out: &mut Vec<rollcall_domain::sql::SqlValue>) -> Result<(), $crate::bad::Bad> {
                $($crate::columns::Span::write(self.$field, out)?;)+
                Ok(())
            }
        }

        $(
            $(#[$table_meta])*
            $table_vis const $TABLE: $crate::table::Table =
                $crate::columns::sound($crate::table::Table {
                    name: $name,
                    columns: <$Row as $crate::columns::Columns>::COLUMNS,
                    key: &[$($key),+],
                    indexes: &[$(&[$($index),+]),*],
                    order: $order,
                });

            impl $crate::columns::Stored for $Row {
                const TABLE: $crate::table::Table = $TABLE;
            }
        )?
    };
}

/// The columns of one field of [`columns!`].
macro_rules! names {
    ($field:ident) => { &[stringify!($field)] };
    ($field:ident ($($name:literal),+)) => { &[$($name),+] };
    ($field:ident $name:literal) => { &[$name] };
}

pub(crate) use {columns, names};

#[cfg(test)]
mod tests {
    use super::*;

    columns! {
        /// A run of numbers.
        #[derive(Clone, Debug, PartialEq)]
        struct Stretch {
            name: String,
            open: bool = "is_open",
            ends: Option<(u64, u64)> = ("first", "last"),
            note: Option<String>,
        }
    }

    fn written(row: Stretch) -> Vec<SqlValue> {
        let mut out = Vec::new();
        row.write(&mut out).unwrap();
        out
    }

    #[test]
    fn what_is_written_is_read_again_in_the_order_of_the_list() {
        assert_eq!(Stretch::list(), "name, is_open, first, last, note");
        assert_eq!(Stretch::list_of("s"), "s.name, s.is_open, s.first, s.last, s.note");
        let kinds: Vec<_> = Stretch::COLUMNS.iter().map(|c| (c.kind, c.null)).collect();
        assert_eq!(
            kinds,
            [
                (Kind::Text, false),
                (Kind::Int, false),
                (Kind::Int, true),
                (Kind::Int, true),
                (Kind::Text, true)
            ]
        );
        let full =
            Stretch { name: "a".into(), open: true, ends: Some((1, 2)), note: Some("x".into()) };
        let bare = Stretch { ends: None, note: None, ..full.clone() };
        assert_eq!(
            written(full.clone()),
            ["a".into(), true.into(), 1_i64.into(), 2_i64.into(), "x".into()]
        );
        for row in [full, bare] {
            assert_eq!(read::<Stretch>(SqlRow(written(row.clone()))).unwrap(), row);
        }
    }

    #[test]
    fn a_row_of_another_shape_is_refused_by_the_name_of_the_field_and_without_what_it_holds() {
        let good =
            || written(Stretch { name: "secret".into(), open: true, ends: None, note: None });
        let refused = |change: &dyn Fn(&mut Vec<SqlValue>)| {
            let mut values = good();
            change(&mut values);
            read::<Stretch>(SqlRow(values)).unwrap_err().to_string()
        };
        assert_eq!(
            refused(&|row| _ = row.splice(1..2, ["secret".into()])),
            "unexpected row: open: a text, not an integer"
        );
        assert_eq!(
            refused(&|row| row.fill(SqlValue::Text(None))),
            "unexpected row: name: null, although there must be a value"
        );
        assert_eq!(refused(&|row| _ = row.pop()), "unexpected row: note: a column is missing");
        assert_eq!(
            refused(&|row| row.push("secret".into())),
            "unexpected row: a row has more columns than are read"
        );
    }
}
