//! The house rules that a compiler does not hold: who may depend on whom, where SQL may stand, and
//! how long a file may be.

mod adr;
mod circles;
mod conformance;
mod dependencies;
mod metrics;
mod modules;
mod routes;
mod sources;
mod templates;
mod tokens;
