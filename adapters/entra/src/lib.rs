//! Entra in a box: a simulated tenant, the other side of the wire.
//!
//! It shares no SCIM code with the server, so that a misreading cannot cancel itself out. A
//! [`directory`] is generated from a seed or read from a file and changes as companies do.

pub mod directory;
pub mod seed;
