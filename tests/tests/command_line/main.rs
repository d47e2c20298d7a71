//! The command line by itself.

mod codes;
mod names;
mod refused;
mod tables;
