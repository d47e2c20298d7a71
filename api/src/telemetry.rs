//! Logs and metrics.

use crate::config::LogFormat;
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts writing logs to standard error.
pub fn start_logs(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(filter).with_context(|| format!("--log {filter}: write a filter such as info or rollcall_api=debug"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A line that cannot be written, as on a full disk, is lost. To complain of it on the same standard
    // error would end in a panic of whoever had something to say.
    let logs = logs.log_internal_errors(false);
    let started = match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
    started.map_err(|e| anyhow::anyhow!("cannot start logging: {e}"))
}

/// Metrics that nobody counts into, for an application that runs inside another.
pub fn silent_metrics() -> PrometheusHandle {
    PrometheusBuilder::new().build_recorder().handle()
}

/// Starts counting. The handle renders what `/metrics` shows.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let seconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
    let sizes = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let batch_size = Matcher::Full("rollcall_append_batch_size".to_owned());
    let builder = PrometheusBuilder::new().set_buckets(&seconds)?.set_buckets_for_metric(batch_size, &sizes)?;
    let handle = builder.install_recorder().context("cannot start metrics")?;
    metrics::describe_counter!("rollcall_requests_total", "SCIM requests by operation, status and organization");
    metrics::describe_histogram!("rollcall_request_seconds", "Time from the first byte of a SCIM request to its answer");
    metrics::describe_histogram!("rollcall_append_seconds", "Time an append waits until it is durable");
    metrics::describe_histogram!("rollcall_append_batch_size", "Appends that one commit of the log holds");
    metrics::describe_counter!("rollcall_unknown_shapes_total", "PATCH requests in a shape the decoder does not know");
    metrics::describe_counter!("rollcall_interpretations_total", "Liberties taken to read requests");
    metrics::describe_counter!("rollcall_lost_races_total", "Commands decided anew because somebody else was first");
    metrics::describe_counter!("rollcall_unrecorded_exchanges_total", "Requests answered 503 because their exchange could not be kept");
    metrics::describe_counter!("rollcall_overload_total", "Requests answered 503 because too many were under way");
    metrics::describe_counter!("rollcall_panics_total", "Requests answered 503 because a handler panicked");
    metrics::describe_counter!("rollcall_dropped_bodies_total", "Exchanges whose bodies were dropped because they were kept long enough");
    metrics::describe_counter!("rollcall_logins_total", "Logins by outcome and reason");
    metrics::describe_counter!("rollcall_saml_refreshes_total", "Fetches of SAML metadata by outcome");
    metrics::describe_gauge!("rollcall_saml_certificate_end_seconds", "When the last certificate in use ends, in seconds since 1970");
    metrics::describe_histogram!("rollcall_session_refused_seconds", "From a SCIM request that ends a session to its first refused check");
    metrics::describe_gauge!("rollcall_last_cycle_age_seconds", "Time since the last cycle began, by organization");
    metrics::describe_gauge!("rollcall_usual_cycle_seconds", "Time that usually lies between two cycles, by organization");
    metrics::describe_gauge!("rollcall_cycles", "1 for the state that an organization's cycles are in, by organization and state");
    metrics::describe_gauge!("rollcall_view_lag_records", "Records in the log that the views do not show yet, by organization");
    metrics::describe_gauge!("rollcall_view_stopped", "1 if a record of the organization cannot be folded");
    Ok(handle)
}
