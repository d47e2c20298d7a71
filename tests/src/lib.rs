//! End to end: the harness around the real binary, a client that behaves as Entra ID does, the
//! recorded requests, and the benchmark's parts.

pub mod admin;
mod answered;
pub mod bench;
pub mod certificate;
pub mod clock;
pub mod corpus;
pub mod http;
pub mod ledger;
pub mod node;
pub mod operating;
pub mod person;
pub mod postgres_cluster;
pub mod processor;
pub mod python;
pub mod refusal;
pub mod rng;
pub mod scim;
pub mod server;
pub mod soak;
pub mod switch;
pub mod tenant;
pub mod tools;
pub mod world;
