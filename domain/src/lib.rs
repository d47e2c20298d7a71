//! Rollcall's domain: values in, events out.
//!
//! Nothing here reads a clock, draws a random number, opens a socket or knows a database. Time,
//! ids and the actor come in through [`context::Context`]; the log and the tables of the views are
//! ports ([`log`], [`sql`]) that adapters implement.

pub mod access_end;
pub mod actor;
pub mod body_hashes;
pub mod cause;
pub mod claim;
pub mod consumer;
pub mod context;
pub mod credential;
pub mod decision;
mod decode;
pub mod deployment;
mod diff;
pub mod erasure;
pub mod event;
mod event_macro;
pub mod exchange;
pub mod facts;
pub mod failure;
pub mod fold_text;
pub mod group;
pub mod ids;
pub mod interpretation;
pub mod ledger;
pub mod log;
pub mod login;
pub mod lost;
pub mod organization;
pub mod outbound;
pub mod personal;
pub mod provisioning_log;
pub mod public_type;
pub mod record;
pub mod run;
pub mod saml;
pub mod scim;
pub mod sealing;
pub mod sql;
mod upcast;
pub mod user;
