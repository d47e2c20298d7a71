//! What `rollcall serve` can be told.

use anyhow::{Context, bail};
use clap::Args;
use rollcall_contract::span;
use rollcall_door::config::{LogFormat, ServeConfig};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Flags and environment of `rollcall serve`; the same names, in snake case, go into the file.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeArgs {
    /// Configuration file (TOML); default DIR/rollcall.toml if it is there
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Data folder: operator key, and the embedded store. A flag of its own, for all commands.
    #[arg(skip)]
    pub data: Option<PathBuf>,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "ROLLCALL_LISTEN", value_name = "ADDR")]
    pub listen: Option<String>,
    /// Address under which Entra reaches this server
    #[arg(long, env = "ROLLCALL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Keep log and views in PostgreSQL instead of the data folder
    #[arg(long, env = "ROLLCALL_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Keep the log on a KurrentDB server (esdb://…), and the views in PostgreSQL if that is named too. Tested against a
    /// stand-in made from the published protocol, not yet against a server
    #[arg(long, env = "ROLLCALL_KURRENT_URL", value_name = "URL", hide_env_values = true)]
    pub kurrent_url: Option<String>,
    /// Connections to PostgreSQL for reading
    #[arg(long, env = "ROLLCALL_DATABASE_CONNECTIONS", value_name = "N")]
    pub database_connections: Option<u32>,
    /// Log format
    #[arg(long, env = "ROLLCALL_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Log filter, such as info or rollcall=debug
    #[arg(long, env = "ROLLCALL_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// Longest request body in bytes
    #[arg(long, env = "ROLLCALL_MAX_BODY_BYTES", value_name = "BYTES")]
    pub max_body_bytes: Option<u64>,
    /// Most members in one request
    #[arg(long, env = "ROLLCALL_MAX_MEMBERS", value_name = "N")]
    pub max_members: Option<usize>,
    /// Most operations in one bulk request
    #[arg(long, env = "ROLLCALL_MAX_BULK_OPERATIONS", value_name = "N")]
    pub max_bulk_operations: Option<u64>,
    /// Most SCIM requests under way at once; more are answered 503
    #[arg(long, env = "ROLLCALL_MAX_IN_FLIGHT", value_name = "N")]
    pub max_in_flight: Option<usize>,
    /// Requests per second and token before 429; 0 is no limit
    #[arg(long, env = "ROLLCALL_RATE_LIMIT", value_name = "N")]
    pub rate_limit: Option<u32>,
    /// Requests at once per token before 429
    #[arg(long, env = "ROLLCALL_RATE_BURST", value_name = "N")]
    pub rate_burst: Option<u32>,
    /// Resources on a page when the client does not say
    #[arg(long, env = "ROLLCALL_DEFAULT_PAGE_SIZE", value_name = "N")]
    pub default_page_size: Option<u64>,
    /// Most resources on a page
    #[arg(long, env = "ROLLCALL_MAX_PAGE_SIZE", value_name = "N")]
    pub max_page_size: Option<u64>,
    /// Key that seals private keys: the same file for all processes on one database [default: DIR/deployment.key]
    #[arg(long, env = "ROLLCALL_DEPLOYMENT_KEY_FILE", value_name = "FILE")]
    pub deployment_key_file: Option<PathBuf>,
    /// Fetch SAML metadata also from private addresses and over plain http
    #[arg(long, env = "ROLLCALL_ALLOW_PRIVATE_METADATA", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_private_metadata: Option<bool>,
    /// Seconds between two fetches of SAML metadata; 0 is never
    #[arg(long, env = "ROLLCALL_SAML_REFRESH_SECS", value_name = "SECONDS")]
    pub saml_refresh_secs: Option<u64>,
    /// How long the bodies of exchanges are kept, such as 90d or 12h; for ever if absent
    #[arg(long, env = "ROLLCALL_KEEP_BODIES_FOR", value_name = "TIME")]
    pub keep_bodies_for: Option<String>,
    /// Milliseconds between two looks for records that are not folded yet
    #[arg(long, env = "ROLLCALL_SWEEP_MS", value_name = "MS")]
    pub sweep_ms: Option<u64>,
}

impl ServeArgs {
    /// The same with the data folder that the command line names for all commands.
    pub fn with_data(self, data: Option<PathBuf>) -> Self {
        Self { data, ..self }
    }

    /// Adds what the configuration file says, and checks everything. Errors name what to change.
    pub fn resolve(self) -> anyhow::Result<ServeConfig> {
        let data = self.data.clone();
        let file = match (&self.config, &data) {
            (Some(path), _) => read(path)?,
            (None, Some(data)) if data.join("rollcall.toml").exists() => read(&data.join("rollcall.toml"))?,
            _ => ServeArgs::default(),
        };
        let data = data.or(file.data).context("name the data folder with --data DIR (or ROLLCALL_DATA)")?;
        let default = ServeConfig::at(data);
        let listen = match self.listen.or(file.listen) {
            Some(listen) => listen.parse().with_context(|| format!("--listen {listen}: write an address such as 127.0.0.1:8080"))?,
            None => default.listen,
        };
        let config = ServeConfig {
            public_url: self.public_url.or(file.public_url).map(public_url).transpose()?,
            listen,
            database_url: self.database_url.or(file.database_url).filter(|url| !url.is_empty()),
            kurrent_url: self.kurrent_url.or(file.kurrent_url).filter(|url| !url.is_empty()),
            database_connections: self.database_connections.or(file.database_connections).unwrap_or(default.database_connections),
            log_format: self.log_format.or(file.log_format).unwrap_or(default.log_format),
            log: self.log.or(file.log).unwrap_or(default.log),
            max_body_bytes: self.max_body_bytes.or(file.max_body_bytes).unwrap_or(default.max_body_bytes),
            max_members: self.max_members.or(file.max_members).unwrap_or(default.max_members),
            max_bulk_operations: self.max_bulk_operations.or(file.max_bulk_operations).unwrap_or(default.max_bulk_operations),
            max_in_flight: self.max_in_flight.or(file.max_in_flight).unwrap_or(default.max_in_flight),
            rate_limit: self.rate_limit.or(file.rate_limit).unwrap_or(default.rate_limit),
            rate_burst: self.rate_burst.or(file.rate_burst).unwrap_or(default.rate_burst),
            default_page_size: self.default_page_size.or(file.default_page_size).unwrap_or(default.default_page_size),
            max_page_size: self.max_page_size.or(file.max_page_size).unwrap_or(default.max_page_size),
            deployment_key_file: self.deployment_key_file.or(file.deployment_key_file),
            allow_private_metadata: self.allow_private_metadata.or(file.allow_private_metadata).unwrap_or(default.allow_private_metadata),
            saml_refresh_secs: self.saml_refresh_secs.or(file.saml_refresh_secs).unwrap_or(default.saml_refresh_secs),
            keep_bodies_for: self.keep_bodies_for.or(file.keep_bodies_for).map(seconds).transpose()?,
            sweep_ms: self.sweep_ms.or(file.sweep_ms).unwrap_or(default.sweep_ms),
            data: default.data,
        };
        config.validate()?;
        Ok(config)
    }
}

/// Reads a time such as `90d`; at least a minute, so that a slip of the pen does not empty the log.
fn seconds(text: String) -> anyhow::Result<u64> {
    let parsed = span::seconds(&text).filter(|seconds| *seconds >= 60);
    parsed.with_context(|| format!("--keep-bodies-for {text}: write a time such as 90d, 12h or 30m"))
}

fn public_url(url: String) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/').to_owned();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !url.contains(['?', '#', ' ']) => Ok(url),
        _ => bail!("--public-url {url}: write an address such as https://rollcall.example.com"),
    }
}

fn read(path: &Path) -> anyhow::Result<ServeArgs> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the configuration file {}", path.display()))?;
    toml::from_str(&text).map_err(|e| {
        // The error shows itself on several lines; a message is one.
        let before = text.as_bytes().iter().take(e.span().map_or(0, |s| s.start));
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        anyhow::anyhow!("cannot use the configuration file {}, line {line}: {}", path.display(), e.message())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(public_url: &str) -> ServeArgs {
        ServeArgs { data: Some("/nowhere".into()), public_url: Some(public_url.into()), ..ServeArgs::default() }
    }

    #[test]
    fn flags_win_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rollcall.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nrate_limit = 7\n").unwrap();
        let args = ServeArgs { config: Some(file.clone()), listen: Some("127.0.0.1:2".into()), ..args("https://x.example/") };
        let config = args.clone().resolve().unwrap();
        assert_eq!((config.listen.port(), config.rate_limit, config.public_url.as_deref()), (2, 7, Some("https://x.example")));
        std::fs::write(&file, "listne = \"127.0.0.1:1\"\n").unwrap();
        assert!(format!("{:#}", args.resolve().unwrap_err()).contains("listne"));
    }

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("90d".into()).ok(), Some(90 * 86_400));
        assert_eq!(seconds("12h".into()).ok(), Some(12 * 3_600));
        for bad in ["", "d", "0m", "59s", "90"] {
            assert!(seconds(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for bad in ["example.com", "https://", "https://a b"] {
            assert!(args(bad).resolve().is_err(), "{bad}");
        }
        assert!(ServeArgs { database_url: Some("mysql://x".into()), ..args("http://x") }.resolve().is_err());
        assert!(ServeArgs { kurrent_url: Some("kurrent://x".into()), ..args("http://x") }.resolve().is_err());
        assert!(ServeArgs { max_body_bytes: Some(0), ..args("http://x") }.resolve().is_err());
    }
}
