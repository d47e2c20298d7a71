//! How to use a database.

use crate::error::OpenError;
use crate::standing;
use rollcall_domain::log::Watch;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How a log uses its database. The defaults are meant for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Connections that append. Organizations share them; one organization never uses two at once.
    pub writers: usize,
    /// Connections that read, at most.
    pub readers: u32,
    /// How long to wait for a connection before the log is called unavailable.
    pub connect_timeout: Duration,
    /// How long to wait for a statement before its connection is given up.
    pub statement_timeout: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            writers: 3,
            readers: 8,
            connect_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(8),
        }
    }
}

/// How long the server leaves a transaction open in which nothing is asked. A process that is
/// frozen or gone holds the locks of an organization no longer than this, and so much less than ten
/// seconds that others are still answered within those.
pub(crate) const IDLE: (&str, &str) = ("idle_in_transaction_session_timeout", "8s");

/// The same where nobody waits for what is locked, and a page of the auditors' views is computed
/// between two statements.
pub(crate) const PATIENT: (&str, &str) = ("idle_in_transaction_session_timeout", "1min");

/// What the server is asked to notice of a client that is gone without a word: within ten seconds,
/// where a system's defaults are hours.
const LIVENESS: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "10s"),
];

/// Reads a URL. Statements are not logged: a trace of ours says what is being done. What holds for
/// all connections is asked of the server when they are made, so that none can be without.
pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, OpenError> {
    Ok(PgConnectOptions::from_str(url)?
        .application_name("rollcall")
        .statement_cache_capacity(256)
        .options([IDLE].into_iter().chain(LIVENESS))
        .disable_statement_logging())
}

/// A pool that waits `timeout` for a connection. Connections are not tested before use, which
/// would cost a round trip each time: whoever reads tries again when one turns out to be dead.
///
/// Each new connection is held against what is known of the log: it may lead to another server than
/// those before. What is noticed stays in the watch, for whoever answers.
pub(crate) fn pool(
    options: &PgConnectOptions,
    size: u32,
    timeout: Duration,
    watch: &Arc<Watch>,
) -> PgPool {
    let watch = watch.clone();
    PgPoolOptions::new()
        .after_connect(move |connection, _| {
            let watch = watch.clone();
            Box::pin(async move { standing::compare(connection, &watch).await })
        })
        .max_connections(size)
        .acquire_timeout(timeout)
        .test_before_acquire(false)
        .connect_lazy_with(options.clone())
}
