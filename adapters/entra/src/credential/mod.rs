//! How the provisioning service shows who it is where it has no Secret Token: it gets access tokens
//! for a client secret, or for an assertion that the tenant signs (workload identity federation).

mod authenticated;
mod key_server;
mod signer;

pub use authenticated::{Authenticated, Grant};
pub use key_server::{KeyServer, Trouble};
pub use signer::{Audience, SYNC_FABRIC, Signer};
