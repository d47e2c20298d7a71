//! Nothing: what adapters are held to is in the tests of this crate, which compile without the server.
