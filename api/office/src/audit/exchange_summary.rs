//! An exchange in a list, whether it stands in the log or beside it.

use rollcall_contract::exchanges::ExchangeSummary;
use rollcall_projections::exchanges::ExchangeRow;
use serde_json::json;

/// An exchange in a list.
pub fn summary(row: ExchangeRow) -> ExchangeSummary {
    ExchangeSummary {
        number: row.number,
        id: row.id.0,
        received_at: row.received_at,
        operation: row.operation,
        method: row.method,
        target: row.target,
        status: row.status,
        scim_type: row.scim_type,
        detail: row.detail,
        subject: row.subject,
        token: row.token.map(|t| t.0),
        source: row.source,
        duration_us: row.duration_us,
        first_position: row.positions.map(|(first, _)| first),
        last_position: row.positions.map(|(_, last)| last),
        interpretations: json!(row.interpretations),
        unknown_shape: row.unknown_shape,
        parent: row.parent.map(|p| p.0),
        replays: row.replays.map(|p| p.0),
    }
}
