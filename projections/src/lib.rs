//! Rollcall's read models and the folding that feeds them.
//!
//! A view is one file: its table, its fold (record or exchange to rows), its queries. The fold is
//! the only writer. Views are kept in two families, `live` and `audit`, each in a store of its own.
//! [`fold::Folder`] moves an organization's views of one family forward, rows and checkpoint in one
//! transaction; [`rebuild`] makes all views anew beside the live ones; [`verify`] compares.
//!
//! Tables are declared ([`table`]) and SQL is written in the portable subset of
//! [`rollcall_domain::sql`]. Keys for lookups are case-folded here, never by a collation.

mod audit;
pub mod auditors;
pub mod checkpoint;
pub mod credential;
pub mod directory;
pub mod events;
pub mod exchanges;
pub mod failures;
pub mod fold;
pub mod history;
mod lane;
mod live;
pub mod logins;
pub mod organizations;
mod page;
pub mod ranges;
pub mod rebuild;
pub mod runs;
pub mod saml;
pub mod schema;
pub mod sessions;
pub mod status;
pub mod table;
mod text;
pub mod verify;
