//! Files in a data folder by which commands on the same machine find the server.

/// Holds its address, while it runs.
pub const ADDRESS: &str = "address";

/// The socket on which the machine says who asks (ADR 85).
pub const SOCKET: &str = "rollcall.sock";
