//! Logs, metrics and traces.

mod bounded;
mod traces;

pub use traces::{Traces, request, serving};

use anyhow::Context;
use bounded::Bounded;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rollcall_door::config::{LogFormat, ServeConfig};
use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// What is logged, which may become another.
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
    /// Logs by this filter from now on.
    ///
    /// # Errors
    /// If it is none.
    pub fn set(&self, filter: &str) -> anyhow::Result<()> {
        self.0.reload(parse(filter)?).context("the log filter cannot be changed")
    }
}

fn parse(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter)
        .with_context(|| format!("--log {filter}: write a filter such as info or rollcall=debug"))
}

/// Starts writing logs to standard error, and traces to a collector if one is named. Has to be
/// called on the runtime that sends them.
///
/// # Errors
/// Name the setting that cannot be used.
pub fn start_logs(config: &ServeConfig) -> anyhow::Result<(LogFilter, Option<Traces>)> {
    let (filter, handle) = reload::Layer::new(parse(&config.log)?);
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A line that cannot be written, as on a full disk, is lost. To complain of it on the same
    // standard error would end in a panic of whoever had something to say.
    let logs = logs.log_internal_errors(false);
    let logs = match config.log_format {
        LogFormat::Text => logs.boxed(),
        LogFormat::Json => logs.json().boxed(),
    };
    let (layer, traces) = Traces::to(&config.otlp_endpoint, config.trace_percent)?.unzip();
    tracing_subscriber::registry()
        .with(logs.with_filter(filter))
        .with(layer)
        .try_init()
        .map_err(|e| anyhow::anyhow!("cannot start logging: {e}"))?;
    Ok((LogFilter(handle), traces))
}

/// Starts counting. The handle renders what `/metrics` shows; so many organizations are counted by
/// themselves.
///
/// # Errors
/// If something is counted already.
pub fn start_metrics(organizations: usize) -> anyhow::Result<PrometheusHandle> {
    let seconds =
        [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
    let sizes = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let batch_size = Matcher::Full("rollcall_append_batch_size".to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets(&seconds)?
        .set_buckets_for_metric(batch_size, &sizes)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(Bounded::new(recorder, organizations))
        .map_err(|_| anyhow::anyhow!("cannot start metrics"))?;
    crate::metric_table::describe();
    metrics::gauge!("rollcall_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}
