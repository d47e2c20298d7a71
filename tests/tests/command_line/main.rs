//! The command line by itself.

mod codes;
mod impostor;
mod names;
mod refused;
mod socket;
mod tables;
mod transcript;
