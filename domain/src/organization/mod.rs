//! The organization aggregate.

mod event;

pub use event::OrganizationEvent;
