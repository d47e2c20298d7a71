//! What auditors ask: how it was, what changed, and who may know.

mod auditors;
mod callers;
mod decisions;
mod described;
mod events;
mod generated;
mod history;
mod pages;
mod positions;
mod reads;
mod review;
mod stopped;
mod told;
mod whole;
