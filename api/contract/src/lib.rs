//! The contract of `/api/v1`: its routes, the parameters and bodies of each, pages, errors, and how
//! instants, moments and spans of time are written. The server answers by it, and the command line
//! asks by it.

pub mod attention;
pub mod auditors;
pub mod backup;
pub mod bundles;
pub mod claims;
pub mod console;
pub mod consumers;
pub mod credentials;
pub mod difference;
pub mod directory;
pub mod erasure;
pub mod events;
pub mod exchanges;
pub mod failures;
pub mod feed;
pub mod findings;
pub mod format;
pub mod found_at;
pub mod keys;
pub mod ledger;
pub mod log;
pub mod logins;
pub mod members;
pub mod memberships;
pub mod moment;
pub mod organizations;
pub mod page;
pub mod parked;
pub mod people;
pub mod problem;
pub mod proof;
pub mod provisioning_log;
pub mod reads;
pub mod repair;
pub mod repin;
pub mod replay;
pub mod request_line;
pub mod review;
pub mod route;
pub mod runs;
pub mod saml;
pub mod scim;
pub mod security;
pub mod sessions;
pub mod span;
pub mod time;
pub mod tokens;
pub mod views;

pub use problem::Problem;
