//! Rollcall's read models and the folding that feeds them.
//!
//! A view is one file: its table, its fold (record or exchange to rows), its queries. The fold is
//! the only writer. Views are kept in two families, `live` and `audit`, each a list of views
//! ([`view`]) and in a store of its own. [`fold::Folder`] moves an organization's views of one
//! family forward, rows and checkpoint in one transaction, [`inline`] in that of an append;
//! [`rebuild`] makes all views anew beside the live ones; [`verify`] compares.
//!
//! Columns are declared once, as the fields of a struct, and read and written by that (`columns!`
//! in `columns.rs`); tables are made of them ([`table`]), and SQL is written in the portable subset
//! of [`rollcall_domain::sql`]. Keys for lookups are case-folded here, never by a collation.

mod audit;
mod bad;
mod cells;
pub mod checkpoint;
mod columns;
pub mod console;
pub mod consumer_places;
pub mod credential;
pub mod data_keys;
pub mod exchanges;
pub mod families;
pub mod fold;
mod fold_error;
pub mod inline;
mod lane;
mod live;
pub mod notices;
mod page;
pub mod ranges;
pub mod reads;
pub mod rebuild;
pub mod schema;
pub mod session_uses;
pub mod status;
pub mod strangers;
mod stretch;
pub mod table;
mod text;
pub mod verify;
pub mod view;
mod working_set;

pub use audit::*;
pub use live::*;
