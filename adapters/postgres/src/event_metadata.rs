//! What cqrs-es reads and writes as the metadata of an event: texts, by these names.

/// Metadata: when the events were decided (RFC 3339). Needed by [`crate::Repository`]'s `persist`,
/// which has no clock.
pub const METADATA_RECORDED_AT: &str = "recorded_at";
/// Metadata: who caused the events, as the JSON text of an
/// [`Actor`](rollcall_domain::actor::Actor); Rollcall itself if absent.
pub const METADATA_ACTOR: &str = "actor";
/// Metadata: the id of the exchange that caused the events.
pub const METADATA_EXCHANGE: &str = "exchange";
