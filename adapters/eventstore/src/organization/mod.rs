//! Organizations: which there are, and how far each one's stream is folded.

mod check;
mod follow;
mod list;
