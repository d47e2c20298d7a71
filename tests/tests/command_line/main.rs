//! The command line by itself.

mod refused;
