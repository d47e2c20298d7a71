//! The command line by itself.

mod names;
mod refused;
