//! SCIM over a real socket: what Entra sends, what RFC 7644 asks for, what must be refused.

mod bulk;
mod clients;
mod conformance_rows;
mod corpus;
mod discovery;
mod envelope;
mod errors;
mod exchanges;
mod full_disk;
mod limits;
mod listing;
mod malformed;
mod oddities;
mod operate;
mod policy;
mod sealed;
mod secrets;
mod stopping;
mod strangers;
mod tenancy;
mod tokens;
mod versions;
