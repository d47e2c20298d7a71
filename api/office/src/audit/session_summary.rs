//! A session in a list, and in what is told of a person.

use chrono::{DateTime, Utc};
use rollcall_contract::sessions::SessionSummary;
use rollcall_projections::sessions::SessionRow;

/// A session in a list, as of an instant.
pub fn summary(row: SessionRow, now: DateTime<Utc>) -> SessionSummary {
    let state = match row.ended {
        Some(_) => "ended",
        None if row.is_live(now) => "live",
        None => "expired",
    };
    SessionSummary {
        session_id: row.id.0,
        position: row.seq,
        user_id: row.subject.0,
        state: state.to_owned(),
        began_at: row.began,
        expires_at: row.expires,
        login: row.exchange.map(|x| x.0),
        ended_at: row.ended,
        end_reason: row.end_reason,
        ended_by: row.end_exchange.map(|x| x.0),
        refused_after_ms: row.refused_ms,
    }
}
