//! The group aggregate.

mod event;

pub use event::GroupEvent;
