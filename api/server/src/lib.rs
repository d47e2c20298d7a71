//! The server: all doors behind one router, the connections they are reached by, and what is done
//! without being asked.

pub mod background;
pub mod config;
mod gate;
mod health;
pub mod host;
mod known;
mod lingering;
mod listen;
pub mod metric_table;
mod notify;
pub mod openapi;
mod outbound;
pub mod reload;
pub mod router;
pub mod serve;
pub mod telemetry;
mod well_formed;
