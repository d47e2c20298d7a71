//! What auditors ask: how it was, what changed, and who may know.

mod auditors;
mod callers;
mod events;
mod history;
mod pages;
mod stopped;
mod whole;
