//! The simulated Entra: against the real binary, against a server nobody here wrote, and by
//! command.

mod commands;
mod determined;
mod independent;
mod tenant;
