//! The simulated Entra: against the real binary, against a server nobody here wrote, and by
//! command.

mod commands;
mod determined;
mod failures_true;
mod independent;
mod tenant;
mod truth;
