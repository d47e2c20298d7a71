//! What is counted of every exchange.

use super::Opened;

/// Counts and times an exchange that is closed.
pub fn measure(opened: &Opened, status: u16) {
    let (protocol, organization) = (opened.protocol.as_str(), opened.organization.to_string());
    metrics::counter!("rollcall_requests_total", "protocol" => protocol, "operation" => opened.operation, "status" => status.to_string(), "organization" => organization)
        .increment(1);
    metrics::histogram!("rollcall_request_seconds", "operation" => opened.operation)
        .record(opened.started.elapsed());
    tracing::debug!(exchange = %opened.id, protocol, operation = opened.operation, status, "exchange closed");
}
