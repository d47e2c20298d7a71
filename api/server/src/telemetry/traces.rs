//! Traces of requests, sent to an OpenTelemetry collector. Off unless one is named.
//!
//! What is sent is said here and nowhere else: a few spans by name, whose fields are ids, words and
//! numbers. Log lines are not sent: they may quote what was asked.

use super::traces::layer::SpanLayer;
use anyhow::Context as _;
use async_trait::async_trait;
use axum::http::HeaderMap;
use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::{Span, field, trace_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The spans that are sent, with all fields that they may have.
pub const SENT: [(&str, &[&str]); 4] = [
    ("request", &["status"]),
    ("exchange", &["id", "protocol", "operation", "organization"]),
    ("log.append", &["organization"]),
    ("views.fold", &["organization", "at"]),
];

/// How long the collector may take; what it does not take then is dropped.
const PATIENCE: Duration = Duration::from_secs(5);

mod layer {
    use super::SENT;
    use opentelemetry_sdk::trace::SdkTracer;
    use tracing::Metadata;
    use tracing_opentelemetry::OpenTelemetryLayer;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::{FilterFn, Filtered, filter_fn};
    use tracing_subscriber::registry::LookupSpan;

    type Sends = fn(&Metadata<'_>) -> bool;
    pub type SpanLayer<S> = Filtered<OpenTelemetryLayer<S, SdkTracer>, FilterFn<Sends>, S>;

    fn is_sent(metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
            && SENT.iter().any(|(name, fields)| {
                *name == metadata.name()
                    && metadata.fields().iter().all(|field| fields.contains(&field.name()))
            })
    }

    pub fn sending<S>(tracer: SdkTracer) -> SpanLayer<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_sent as Sends))
    }
}

/// What has to be ended so that the last traces are sent.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Traces to a collector; none if its address is empty.
    pub(super) fn to<S>(
        endpoint: &str,
        percent: u32,
    ) -> anyhow::Result<Option<(SpanLayer<S>, Self)>>
    where
        S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        if endpoint.is_empty() {
            return Ok(None);
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender { http, runtime: Handle::current() })
            .with_endpoint(endpoint)
            .with_timeout(PATIENCE)
            .build()
            .with_context(|| format!("--otlp-endpoint {endpoint}: it cannot be used"))?;
        let resource = Resource::builder_empty()
            .with_service_name("rollcall")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let share = Sampler::TraceIdRatioBased(f64::from(percent) / 100.0);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(share)))
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("rollcall");
        Ok(Some((layer::sending(tracer), Self(provider))))
    }

    /// Sends what was not sent yet.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// The span of a request from its head to its answer. Whose part it is says the proxy, if it is one
/// that is trusted.
pub fn request(headers: &HeaderMap, from_trusted: bool) -> Span {
    let span = trace_span!("request", status = field::Empty);
    if from_trusted && !span.is_disabled() {
        let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // It fails only where nobody traces.
        let _ = span.set_parent(context);
    }
    span
}

/// Says in its span what a request was answered.
pub fn serving(span: &Span, status: u16) {
    span.record("status", status);
}

/// Sends by the client and on the runtime of the server, so that there is no second of either.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sending = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok::<_, reqwest::Error>(response)
        });
        let sent = sending.await.map_err(HttpError::from).and_then(|s| s.map_err(HttpError::from));
        let outcome = match &sent {
            Ok(answer) if answer.status().is_success() => "sent",
            _ => "failed",
        };
        metrics::counter!("rollcall_trace_exports_total", "outcome" => outcome).increment(1);
        sent
    }
}
