//! Every metric, once: what is counted under a name that is not here is a fault, which
//! `tests/tests/architecture` finds, and so is one that `docs/operating.md` does not explain.

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only up.
    Counter,
    /// Up and down.
    Gauge,
    /// A distribution; in seconds if its name says so.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// What it is told apart by.
    pub labels: &'static [&'static str],
    /// What it says, for `# HELP`.
    pub help: &'static str,
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, help }
}

/// All of them.
pub const METRICS: &[Metric] = &[
    gauge("rollcall_build_info", &["version"], "1 for the version that runs"),
    counter(
        "rollcall_trace_exports_total",
        &["outcome"],
        "Batches of traces that were to be sent to the collector",
    ),
    counter(
        "rollcall_mails_total",
        &["outcome"],
        "Mails to those who are told what needs somebody: sent, or failed",
    ),
    gauge(
        "rollcall_trouble",
        &["reason"],
        "1 while nothing can be kept, or shown, for this reason",
    ),
    counter("rollcall_append_failures_total", &["reason"], "Appends that could not be made"),
    counter(
        "rollcall_unshown_answers_total",
        &[],
        "Answers that were given up because the views could not be brought that far",
    ),
    gauge(
        "rollcall_backup_seconds",
        &[],
        "When this server had written the last whole backup, in seconds since 1970",
    ),
    gauge("rollcall_disk_free_bytes", &[], "Room left on the disk of the data folder"),
    counter(
        "rollcall_exchange_holes_total",
        &["family", "organization"],
        "Exchanges that were missing or could not be read when they were to be folded",
    ),
    gauge(
        "rollcall_log_closed",
        &["reason"],
        "1 while nothing is served, because the log is not the one that was known",
    ),
    counter(
        "rollcall_requests_total",
        &["protocol", "operation", "status", "organization"],
        "Requests",
    ),
    histogram(
        "rollcall_request_seconds",
        &["operation"],
        "Time from the first byte of a request to its answer",
    ),
    gauge(
        "rollcall_ledger_checkpoint_seconds",
        &[],
        "When every ledger that had grown was signed last, in seconds since 1970",
    ),
    gauge(
        "rollcall_ledger_audited_seconds",
        &["organization"],
        "When a ledger was audited last, in seconds since 1970",
    ),
    gauge(
        "rollcall_ledger_findings",
        &["organization"],
        "What the last audit of a ledger found to be not as the ledger has it",
    ),
    histogram("rollcall_append_seconds", &[], "Time an append waits until it is durable"),
    counter(
        "rollcall_inline_folds_total",
        &["outcome"],
        "Organizations in commits of the log, by whether their live views moved along",
    ),
    histogram("rollcall_append_batch_size", &[], "Appends that one commit of the log holds"),
    counter(
        "rollcall_unknown_shapes_total",
        &["organization"],
        "PATCH requests in a shape the decoder does not know",
    ),
    counter(
        "rollcall_access_left_total",
        &["organization"],
        "Refused requests by which somebody should have lost access",
    ),
    counter("rollcall_interpretations_total", &["reading"], "Liberties taken to read requests"),
    counter(
        "rollcall_lost_races_total",
        &[],
        "Commands decided anew because somebody else was first",
    ),
    counter(
        "rollcall_unrecorded_exchanges_total",
        &[],
        "Requests answered 503 because their exchange could not be kept",
    ),
    counter(
        "rollcall_turned_away_total",
        &["protocol"],
        "Requests that were one too many of strangers or visitors: answered, and kept nowhere",
    ),
    counter(
        "rollcall_stranger_requests_total",
        &["protocol"],
        "Requests without a live credential whose exchange was kept beside the log",
    ),
    counter(
        "rollcall_stranger_overwritten_total",
        &[],
        "Of those, the ones that made room for others before they were written",
    ),
    counter("rollcall_wrong_keys_total", &[], "Wrong keys that were shown to the administration"),
    counter(
        "rollcall_connections_let_go_total",
        &["reason"],
        "Connections that were closed because nobody on them asked for anything, or to make room",
    ),
    counter(
        "rollcall_overload_total",
        &[],
        "Requests answered 503 because too many were under way",
    ),
    counter(
        "rollcall_unreadable_requests_total",
        &["reason"],
        "Requests whose head could not be read: answered 400, 414 or 431, and kept nowhere",
    ),
    counter("rollcall_panics_total", &[], "Requests answered 503 because a handler panicked"),
    counter(
        "rollcall_job_passes_total",
        &["job", "outcome"],
        "Passes of the jobs that a server does without being asked",
    ),
    histogram("rollcall_job_seconds", &["job"], "Time that a pass of a job takes"),
    counter(
        "rollcall_dropped_bodies_total",
        &[],
        "Exchanges whose bodies were dropped because they were kept long enough",
    ),
    counter("rollcall_logins_total", &["organization", "outcome", "reason"], "Logins"),
    counter(
        "rollcall_saml_refreshes_total",
        &["organization", "outcome"],
        "Fetches of SAML metadata",
    ),
    gauge(
        "rollcall_saml_certificate_end_seconds",
        &["organization", "owner"],
        "When the last certificate in use ends, in seconds since 1970",
    ),
    gauge(
        "rollcall_credential_end_seconds",
        &["organization", "credential", "kind"],
        "When a credential of a SCIM client ends, in seconds since 1970",
    ),
    counter(
        "rollcall_key_fetches_total",
        &["outcome"],
        "Fetches of the keys of those who sign assertions",
    ),
    histogram(
        "rollcall_session_refused_seconds",
        &[],
        "From a SCIM request that ends a session to its first refused check",
    ),
    gauge(
        "rollcall_contested_names",
        &["organization"],
        "Users that have a name which another user holds",
    ),
    counter(
        "rollcall_feed_events_total",
        &["organization"],
        "Events that consumers got because they asked for them",
    ),
    counter(
        "rollcall_deliveries_total",
        &["organization", "outcome"],
        "Attempts to post an event to a consumer",
    ),
    gauge(
        "rollcall_consumer_lag_records",
        &["organization", "consumer"],
        "Records in the log that a consumer has not come to",
    ),
    gauge(
        "rollcall_consumer_lag_seconds",
        &["organization", "consumer"],
        "Age of the oldest record that a consumer has not come to",
    ),
    gauge(
        "rollcall_parked_deliveries",
        &["organization", "consumer"],
        "Deliveries to a consumer that failed for long, and those behind them",
    ),
    gauge("rollcall_consumers", &["organization", "state"], "Consumers in a state"),
    gauge("rollcall_last_cycle_age_seconds", &["organization"], "Time since the last cycle began"),
    gauge(
        "rollcall_usual_cycle_seconds",
        &["organization"],
        "Time that usually lies between two cycles",
    ),
    gauge(
        "rollcall_cycles",
        &["organization", "state"],
        "1 for the state that an organization's cycles are in",
    ),
    gauge(
        "rollcall_view_lag_records",
        &["family", "organization"],
        "Records in the log that the views do not show yet",
    ),
    gauge(
        "rollcall_view_stopped",
        &["family", "organization"],
        "1 if a record of the organization cannot be folded",
    ),
    gauge(
        "rollcall_clock_skew_seconds",
        &["against"],
        "How far the system's clock is from the database's, and the clock that is gone by from the log",
    ),
    gauge(
        "rollcall_damaged_records",
        &["organization"],
        "Records that are missing or cannot be read, as far as somebody looked",
    ),
];

/// Tells the recorder what each of them says, and begins those that are never told apart.
pub fn describe() {
    for Metric { name, kind, labels, help } in METRICS {
        match kind {
            Kind::Counter => {
                metrics::describe_counter!(*name, *help);
                // A counter that is born with its first event has not risen, for Prometheus.
                if labels.is_empty() {
                    metrics::counter!(*name).increment(0);
                }
            }
            Kind::Gauge => metrics::describe_gauge!(*name, *help),
            Kind::Histogram => metrics::describe_histogram!(*name, *help),
        }
    }
}
