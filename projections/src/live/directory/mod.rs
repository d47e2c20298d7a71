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
mod same_names;
mod search;
mod shelf;
mod users;

pub use crowd::{FEW, turn};
pub use groups::GROUPS;
pub use members::MEMBERS;
pub use query::{Directory, GroupRef, MemberKind, MemberRow, ResourceRow, group_value, wire};
pub use search::{Page, SearchError, SearchRequest, SearchResult, Sort};
pub use users::{EMAILS, USERS};

pub(crate) use fold::DirectoryRows;
