//! Logs and metrics.

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rollcall_door::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts writing logs to standard error.
pub fn start_logs(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("--log {filter}: write a filter such as info or rollcall=debug")
    })?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A line that cannot be written, as on a full disk, is lost. To complain of it on the same
    // standard error would end in a panic of whoever had something to say.
    let logs = logs.log_internal_errors(false);
    let started = match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
    started.map_err(|e| anyhow::anyhow!("cannot start logging: {e}"))
}

/// Starts counting. The handle renders what `/metrics` shows.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let seconds =
        [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
    let sizes = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let batch_size = Matcher::Full("rollcall_append_batch_size".to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets(&seconds)?
        .set_buckets_for_metric(batch_size, &sizes)?;
    let handle = builder.install_recorder().context("cannot start metrics")?;
    crate::metric_table::describe();
    Ok(handle)
}
