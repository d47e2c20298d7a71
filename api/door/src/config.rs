//! The configuration in force.

use anyhow::bail;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The configuration in force.
#[derive(Clone, Debug, Serialize)]
pub struct ServeConfig {
    /// Data folder.
    pub data: PathBuf,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address under which Entra reaches this server, without a slash at the end; the one it
    /// listens on, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// PostgreSQL, if it is used. Never printed: it may hold a password.
    #[serde(skip)]
    pub database_url: Option<String>,
    /// KurrentDB, if the log is kept there. Never printed: it may hold a password.
    #[serde(skip)]
    pub kurrent_url: Option<String>,
    /// Connections for reading.
    pub database_connections: u32,
    /// Log format.
    pub log_format: LogFormat,
    /// Log filter.
    pub log: String,
    /// Longest request body in bytes.
    pub max_body_bytes: u64,
    /// Most members in one request.
    pub max_members: usize,
    /// Most operations in one bulk request.
    pub max_bulk_operations: u64,
    /// Most SCIM requests under way at once.
    pub max_in_flight: usize,
    /// Requests per second and token.
    pub rate_limit: u32,
    /// Requests at once per token.
    pub rate_burst: u32,
    /// Resources on a page by default.
    pub default_page_size: u64,
    /// Most resources on a page.
    pub max_page_size: u64,
    /// Key that seals private keys; in the data folder, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_key_file: Option<PathBuf>,
    /// Whether SAML metadata may be fetched from private addresses and over plain http.
    pub allow_private_metadata: bool,
    /// Seconds between two fetches of SAML metadata; 0 is never.
    pub saml_refresh_secs: u64,
    /// Seconds for which the bodies of exchanges are kept; for ever, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_bodies_for: Option<u64>,
    /// Milliseconds between two sweeps.
    pub sweep_ms: u64,
}

impl ServeConfig {
    /// What is in force where nobody said otherwise.
    pub fn at(data: PathBuf) -> Self {
        Self {
            data,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            database_url: None,
            kurrent_url: None,
            database_connections: 8,
            log_format: LogFormat::default(),
            log: "info".to_owned(),
            max_body_bytes: 16 * 1024 * 1024,
            max_members: 100_000,
            max_bulk_operations: 1_000,
            max_in_flight: 1_024,
            rate_limit: 500,
            rate_burst: 2_000,
            default_page_size: 100,
            max_page_size: 1_000,
            deployment_key_file: None,
            allow_private_metadata: false,
            saml_refresh_secs: 6 * 3_600,
            keep_bodies_for: None,
            sweep_ms: 1_000,
        }
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    /// Name the flag to change.
    pub fn validate(&self) -> anyhow::Result<()> {
        if let Some(url) = &self.database_url
            && !(url.starts_with("postgres://") || url.starts_with("postgresql://"))
        {
            bail!("--database-url must begin with postgres://");
        }
        if let Some(url) = &self.kurrent_url
            && !(url.starts_with("esdb://") || url.starts_with("esdb+discover://"))
        {
            bail!("--kurrent-url must begin with esdb:// or esdb+discover://");
        }
        let positive = [
            ("--max-body-bytes", self.max_body_bytes),
            ("--max-members", self.max_members as u64),
            ("--max-bulk-operations", self.max_bulk_operations),
            ("--max-in-flight", self.max_in_flight as u64),
            ("--default-page-size", self.default_page_size),
            ("--max-page-size", self.max_page_size),
            ("--sweep-ms", self.sweep_ms),
            ("--database-connections", u64::from(self.database_connections)),
        ];
        for (flag, value) in positive {
            if value == 0 {
                bail!("{flag} must be at least 1");
            }
        }
        if self.default_page_size > self.max_page_size {
            bail!("--default-page-size must not be larger than --max-page-size ({})", self.max_page_size);
        }
        Ok(())
    }
}
