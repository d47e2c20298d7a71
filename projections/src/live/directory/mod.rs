//! The directory: users, groups and members as they are now; what SCIM reads.

mod crowd;
mod cursor;
mod fold;
mod groups;
mod inject;
mod members;
mod people;
mod plan;
mod query;
mod rows;
mod same_names;
mod search;
mod shelf;
mod users;
mod wire;

pub use crowd::{FEW, turn};
pub use groups::GROUPS;
pub use members::MEMBERS;
pub use query::Directory;
pub use rows::{GroupRef, MemberKind, MemberRow, ResourceRow};
pub use search::{Page, SearchError, SearchRequest, SearchResult, Sort};
pub use users::{EMAILS, USERS};
pub use wire::{group_value, wire};

pub(crate) use fold::DirectoryRows;
