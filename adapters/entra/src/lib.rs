//! Entra in a box: a simulated tenant, the other side of the wire.
//!
//! It shares no SCIM code with the server, so that a misreading cannot cancel itself out.
