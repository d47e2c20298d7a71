//! A tenant whose troubles are known: what Entra wanted, was refused and still does not have, told
//! from the requests, the tenant's directory and the application's state. It shares no code with
//! what the application finds out about the same.

mod asked;
mod compare;
mod now;
mod wire;

pub use wire::play_quarter;
