//! The consumer aggregate: who follows an organization's log from outside, by asking (`pull`) or by
//! being told (`webhook`), with which filter, and by which key or secret.
//!
//! How far it has come is no event: that would make the log grow by being read.

mod aggregate;
mod command;
mod decide;
mod event;
mod group_filter;
mod payload;
mod state;

pub use command::{ConsumerCommand, ConsumerError, NewConsumer, NewWay, Renewal};
pub use decide::{claims, decide, is_name};
pub use event::{ConsumerEvent, ConsumerEventKind, Stopped, Way};
pub use group_filter::{GROUPS, GroupFilter, TooManyGroups};
pub use payload::Payload;
pub use state::{Consumer, ConsumerState, Following};
