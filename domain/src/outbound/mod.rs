//! What is told outward: events in a public, versioned vocabulary, made of records by a pure
//! function. The same record gives the same events, with the same ids, however often it is told.

mod event;
mod passage;
mod schema;
mod security;
mod source;
mod tell;

pub use event::{PublicEvent, Subject};
pub use passage::{Passage, with_passages};
pub use schema::{FRAME, schemas};
pub use security::{EVENT_URIS, SecurityEvent, is_security, security_events, verification};
pub use source::{of_record, sources};
pub use tell::{Told, tell};
