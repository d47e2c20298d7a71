//! The way out: who follows the log from outside gets all of it, in order, and can prove it.

mod client;
mod epoch;
mod groups;
mod killed;
mod mirror;
mod parked;
mod poke;
mod receiver;
mod refused;
mod security;
mod story;
mod verifiers;
mod webhooks;
