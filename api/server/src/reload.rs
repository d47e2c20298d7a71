//! SIGHUP: what can be in force without a start is, and what cannot is named.

use crate::listen::Tls;
use crate::notify;
use crate::telemetry::LogFilter;
use rollcall_door::config::ServeConfig;
use serde_json::{Map, Value};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Reads the configuration as it was read at the start.
pub type Again = Box<dyn Fn() -> anyhow::Result<ServeConfig> + Send + Sync>;

/// What can be read again.
pub struct Reload {
    /// Reads the configuration.
    pub again: Again,
    /// What is logged.
    pub filter: LogFilter,
}

/// Settings that are in force at once.
const AT_ONCE: [&str; 1] = ["log"];

impl Reload {
    /// Reads again at each SIGHUP; for ever.
    pub async fn at_signals(self, mut hangups: Signal, in_force: &ServeConfig, tls: Option<&Tls>) {
        while hangups.recv().await.is_some() {
            notify::reloading();
            self.once(in_force, tls);
            notify::ready("serving");
        }
    }

    fn once(&self, in_force: &ServeConfig, tls: Option<&Tls>) {
        if let Some(Err(error)) = tls.map(Tls::reload) {
            tracing::error!(
                error = format!("{error:#}"),
                "the certificate of before stays in force"
            );
        }
        let read = match (self.again)() {
            Ok(read) => read,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the configuration of before stays in force");
                return;
            }
        };
        if let Err(error) = self.filter.set(&read.log) {
            tracing::error!(
                error = format!("{error:#}"),
                "the log filter of before stays in force"
            );
        }
        let waiting = differing(in_force, &read);
        if waiting.is_empty() {
            tracing::info!("the configuration was read again");
        } else {
            let settings = waiting.join(", ");
            tracing::warn!(settings, "these settings are another only after a start");
        }
    }
}

/// Listens for SIGHUP.
///
/// # Errors
/// If the system does not let it.
pub fn hangups() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// The names of the settings that differ and need a start.
fn differing(in_force: &ServeConfig, read: &ServeConfig) -> Vec<String> {
    let told = |config: &ServeConfig| match serde_json::to_value(config) {
        Ok(Value::Object(settings)) => settings,
        _ => Map::new(),
    };
    let (was, is) = (told(in_force), told(read));
    let mut names: Vec<String> = was
        .keys()
        .chain(is.keys())
        .filter(|name| was.get(*name) != is.get(*name) && !AT_ONCE.contains(&name.as_str()))
        .cloned()
        .collect();
    // These are never shown, because they may hold a password.
    if in_force.database_url != read.database_url {
        names.push("database_url".to_owned());
    }
    if in_force.kurrent_url != read.kurrent_url {
        names.push("kurrent_url".to_owned());
    }
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_start_is_named_and_nothing_secret_is() {
        let was = ServeConfig::at("/data".into());
        let is = ServeConfig {
            log: "debug".into(),
            rate_limit: 7,
            keep_bodies_for: Some(60),
            database_url: Some("postgres://u:secret@h/d".into()),
            ..was.clone()
        };
        assert_eq!(differing(&was, &was), Vec::<String>::new());
        assert_eq!(differing(&was, &is), ["database_url", "keep_bodies_for", "rate_limit"]);
    }
}
