//! Entra in a box: a simulated tenant, the other side of the wire.
//!
//! It shares no SCIM code with the server, so that a misreading cannot cancel itself out. A
//! [`directory`] is generated from a seed or read from a file and changes as companies do; a
//! [`client`] provisions it, as Entra's provisioning service would, through a [`transport`] and in
//! a [`time`] of the caller's choosing, and keeps Entra's own [`log`] of it. [`play`] plays a whole
//! plan. Where there is no Secret Token, [`credential`] gets access tokens. Its identity provider is
//! [`idp`].

pub mod client;
pub mod credential;
pub mod directory;
pub mod idp;
pub mod log;
pub mod play;
pub mod seed;
pub mod time;
pub mod transport;
