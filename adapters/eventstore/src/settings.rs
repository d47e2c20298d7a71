//! What the adapter is told when it is opened.

use crate::error::OpenError;
use eventstore::ClientSettings;
use std::time::Duration;
use uuid::Uuid;

/// What the adapter is told when it is opened.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Drawn at random by the caller, anew for every process: makes the ids of events, so that a
    /// repetition after a lost answer is known as one and two writers' events are never taken for
    /// each other's.
    pub writer: Uuid,
    /// How long a call is repeated while the server is away or has no leader.
    pub patience: Duration,
    /// How long one append may wait for its answer before it is looked for.
    pub append_deadline: Duration,
    /// What the names of all streams begin with: one server may hold several logs.
    pub prefix: String,
}

impl ConnectOptions {
    /// With the usual times, 15 seconds of patience and 10 for an append, and streams that are
    /// called `rollcall-…`.
    pub fn new(writer: Uuid) -> Self {
        Self {
            writer,
            patience: Duration::from_secs(15),
            append_deadline: Duration::from_secs(10),
            prefix: "rollcall".into(),
        }
    }
}

/// Reads a connection string. The leader is preferred unless it says otherwise.
pub(crate) fn settings(url: &str) -> Result<ClientSettings, OpenError> {
    let mut url = url.trim().to_owned();
    if !["esdb://", "esdb+discover://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(OpenError::Address("it begins with esdb:// or esdb+discover://".into()));
    }
    if !url.to_ascii_lowercase().contains("nodepreference=") {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str("nodePreference=leader");
    }
    // The client's own words may hold the whole string, and with it the password.
    let settings: ClientSettings =
        url.parse().map_err(|e: eventstore::ClientSettingsParseError| {
            let told = if e.message().contains("://") {
                "it is no connection string"
            } else {
                e.message()
            };
            OpenError::Address(
                e.error().map_or_else(|| told.to_owned(), |why| format!("{told}: {why}")),
            )
        })?;
    // The client panics on a file it cannot read, out of sight in a task of its own.
    let certificates = settings.user_certificate();
    let files = settings
        .tls_ca_file()
        .into_iter()
        .chain(certificates.map(|(cert, _)| cert))
        .chain(certificates.map(|(_, key)| key));
    for file in files {
        std::fs::metadata(file).map_err(|e| OpenError::Address(format!("{file}: {e}")))?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventstore::NodePreference;

    #[test]
    fn the_leader_is_preferred_unless_another_is_named() -> Result<(), OpenError> {
        for url in
            ["esdb://localhost:2113", "esdb://a:1,b:2,c:3?tls=false", "esdb+discover://cluster"]
        {
            assert_eq!(settings(url)?.node_preference(), NodePreference::Leader, "{url}");
        }
        assert_eq!(
            settings("esdb://localhost?nodePreference=follower")?.node_preference(),
            NodePreference::Follower
        );
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_its_password() {
        for url in [
            "",
            "http://localhost",
            "esdb://u:geheim@:port",
            "esdb://u:geheim@h?tls=perhaps",
            "esdb://h?tlsCaFile=/nowhere/ca.pem",
        ] {
            let refused = settings(url).expect_err(url).to_string();
            assert!(!refused.contains("geheim") && !refused.contains('\n'), "{refused}");
        }
    }
}
