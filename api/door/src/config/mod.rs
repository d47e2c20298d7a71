//! The configuration in force, and what can be told of it: by flags, by the environment, and by a
//! file.

mod mail;
mod settings;

use anyhow::bail;
use clap::{Args, ValueEnum};
use rollcall_outbound::Guard;
use serde::{Deserialize, Serialize};
use settings::settings;
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

settings! {
    /// Flags and environment of `rollcall serve`; the same names, in snake case, go into the file.
    told ServeArgs {
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
        /// Keep the log on a KurrentDB server (esdb://…), and the views in PostgreSQL if that is
        /// named too. Tested against a stand-in made from the published protocol, not yet against a
        /// server
        #[arg(long, env = "ROLLCALL_KURRENT_URL", value_name = "URL", hide_env_values = true)]
        pub kurrent_url: Option<String>,
        /// Key that seals private keys: the same file for all processes on one database [default:
        /// DIR/deployment.key]
        #[arg(long, env = "ROLLCALL_DEPLOYMENT_KEY_FILE", value_name = "FILE")]
        pub deployment_key_file: Option<PathBuf>,
        /// Serve https with this certificate and what leads from it to its authority (PEM), which
        /// are read again at SIGHUP; plain http if absent
        #[arg(long, env = "ROLLCALL_TLS_CERTIFICATE_FILE", value_name = "FILE")]
        pub tls_certificate_file: Option<PathBuf>,
        /// The private key of that certificate (PEM)
        #[arg(long, env = "ROLLCALL_TLS_KEY_FILE", value_name = "FILE")]
        pub tls_key_file: Option<PathBuf>,
        /// The deployment key that was there before this one: what it sealed is opened, and the keys
        /// that it wrapped are wrapped anew when the server starts
        #[arg(long, env = "ROLLCALL_FORMER_DEPLOYMENT_KEY_FILE", value_name = "FILE")]
        pub former_deployment_key_file: Option<PathBuf>,
        /// Send mail to those who are to be told what needs somebody through this server, such as
        /// smtps://rollcall@mail.example.com; smtp:// asks for STARTTLS, unless it is on this machine
        #[arg(long, env = "ROLLCALL_SMTP_URL", value_name = "URL")]
        pub smtp_url: Option<String>,
        /// The password of the user in that address
        #[arg(long, env = "ROLLCALL_SMTP_PASSWORD_FILE", value_name = "FILE")]
        pub smtp_password_file: Option<PathBuf>,
        /// Trust this certificate authority too (PEM) for that server
        #[arg(long, env = "ROLLCALL_SMTP_CA_FILE", value_name = "FILE")]
        pub smtp_ca_file: Option<PathBuf>,
        /// How long the bodies of exchanges are kept, such as 90d or 12h; for ever if absent
        #[arg(long, env = "ROLLCALL_KEEP_BODIES_FOR", value_name = "TIME")]
        pub keep_bodies_for: Option<String>,
    }

    /// The configuration in force.
    in_force ServeConfig {
        /// Address to listen on.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
        /// Address under which Entra reaches this server, without a slash at the end; the one it
        /// listens on, if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        public_url: Option<String> = None;
        /// PostgreSQL, if it is used. Never printed: it may hold a password.
        #[serde(skip)]
        database_url: Option<String> = None;
        /// KurrentDB, if the log is kept there. Never printed: it may hold a password.
        #[serde(skip)]
        kurrent_url: Option<String> = None;
        /// Key that seals private keys; in the data folder, if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment_key_file: Option<PathBuf> = None;
        /// What https is served with; plain http, if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        tls_certificate_file: Option<PathBuf> = None;
        /// Its private key.
        #[serde(skip_serializing_if = "Option::is_none")]
        tls_key_file: Option<PathBuf> = None;
        /// The key before that one, if what it sealed is still to be opened.
        #[serde(skip_serializing_if = "Option::is_none")]
        former_deployment_key_file: Option<PathBuf> = None;
        /// The mail server; nobody is told by mail, if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        smtp_url: Option<String> = None;
        /// The password of its user.
        #[serde(skip_serializing_if = "Option::is_none")]
        smtp_password_file: Option<PathBuf> = None;
        /// Who else may vouch for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        smtp_ca_file: Option<PathBuf> = None;
        /// Seconds for which the bodies of exchanges are kept; for ever, if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        keep_bodies_for: Option<u64> = None;
    }

    plain {
        /// Connections to PostgreSQL for reading
        database_connections: u32 = 8, "ROLLCALL_DATABASE_CONNECTIONS" "N" positive;
        /// Seconds to serve on after being told to stop, not ready and closing connections, until a
        /// proxy in front has noticed; 0 stops at once
        drain_seconds: u64 = 0, "ROLLCALL_DRAIN_SECONDS" "SECONDS";
        /// Log format
        log_format: LogFormat = LogFormat::Text, "ROLLCALL_LOG_FORMAT" "FORMAT" (value_enum);
        /// Log filter, such as info or rollcall=debug
        log: String = "info".to_owned(), "ROLLCALL_LOG" "FILTER";
        /// Send traces to this collector (OTLP over HTTP), such as
        /// http://127.0.0.1:4318/v1/traces; none if empty
        otlp_endpoint: String = String::new(), "ROLLCALL_OTLP_ENDPOINT" "URL";
        /// Of 100 requests, how many are traced where the proxy in front does not say
        trace_percent: u32 = 5, "ROLLCALL_TRACE_PERCENT" "N";
        /// Organizations that are counted by themselves in metrics; what is counted of more is
        /// added up as "other"
        metric_organizations: usize = 200, "ROLLCALL_METRIC_ORGANIZATIONS" "N" positive;
        /// Longest request body in bytes
        max_body_bytes: u64 = 16 * 1024 * 1024, "ROLLCALL_MAX_BODY_BYTES" "BYTES" positive;
        /// Most members in one request
        max_members: usize = 100_000, "ROLLCALL_MAX_MEMBERS" "N" positive;
        /// Most operations in one bulk request
        max_bulk_operations: u64 = 1_000, "ROLLCALL_MAX_BULK_OPERATIONS" "N" positive;
        /// Most SCIM requests under way at once; more are answered 503. Those without a live
        /// credential have a quarter as many of their own, from 16 to 256; more are answered 429
        max_in_flight: usize = 1_024, "ROLLCALL_MAX_IN_FLIGHT" "N" positive;
        /// Most connections on which nobody has shown a live credential, and no more than half of
        /// the open files that are allowed; the oldest make room for the newest
        stranger_connections: usize = 1_024, "ROLLCALL_STRANGER_CONNECTIONS" "N" positive;
        /// Take operators' keys, and show metrics, only at this address besides the socket in the
        /// data folder; everywhere if empty
        admin_listen: String = String::new(), "ROLLCALL_ADMIN_LISTEN" "ADDR";
        /// Proxies in these nets, such as 10.1.0.0/16,192.0.2.7, say by X-Forwarded-For where a
        /// request comes from
        trusted_proxy: String = String::new(), "ROLLCALL_TRUSTED_PROXY" "CIDR";
        /// Requests per second and token, or key, before 429; 0 is no limit
        rate_limit: u32 = 500, "ROLLCALL_RATE_LIMIT" "N";
        /// Requests at once per token before 429
        rate_burst: u32 = 2_000, "ROLLCALL_RATE_BURST" "N";
        /// Resources on a page when the client does not say
        default_page_size: u64 = 100, "ROLLCALL_DEFAULT_PAGE_SIZE" "N" positive;
        /// Most resources on a page
        max_page_size: u64 = 1_000, "ROLLCALL_MAX_PAGE_SIZE" "N" positive;
        /// Fetch SAML metadata also from private addresses and over plain http
        allow_private_metadata: bool = false, "ROLLCALL_ALLOW_PRIVATE_METADATA" "BOOL" (num_args = 0..=1, default_missing_value = "true");
        /// Post webhooks also to private addresses and over plain http
        allow_private_webhooks: bool = false, "ROLLCALL_ALLOW_PRIVATE_WEBHOOKS" "BOOL" (num_args = 0..=1, default_missing_value = "true");
        /// Attempts after which a delivery that fails is set aside, and others go on: 1 to 9, 5 being
        /// some two and a half hours
        park_after: u32 = 5, "ROLLCALL_PARK_AFTER" "ATTEMPTS";
        /// Nets inside, such as 10.1.0.0/16,fd00:1::/64, into which metadata and keys may be fetched
        allow_private_outbound: String = String::new(), "ROLLCALL_ALLOW_PRIVATE_OUTBOUND" "CIDR";
        /// Addresses, with commas between them, whose tenants may be trusted as those of Microsoft's clouds are
        federation_authorities: String = String::new(), "ROLLCALL_FEDERATION_AUTHORITIES" "URL";
        /// Seconds for which an access token is good: 3600 to 21600
        access_token_secs: u32 = 3_600, "ROLLCALL_ACCESS_TOKEN_SECS" "SECONDS";
        /// From whom mail comes, such as rollcall@example.com
        mail_from: String = String::new(), "ROLLCALL_MAIL_FROM" "ADDRESS";
        /// Seconds between two fetches of SAML metadata; 0 is never
        saml_refresh_secs: u64 = 6 * 3_600, "ROLLCALL_SAML_REFRESH_SECS" "SECONDS";
        /// Milliseconds between two looks for records that are not folded yet
        sweep_ms: u64 = 1_000, "ROLLCALL_SWEEP_MS" "MS" positive;
    }
}

impl ServeConfig {
    /// Most requests under way of those without a live credential.
    pub fn stranger_requests(&self) -> usize {
        (self.max_in_flight / 4).clamp(16, 256)
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
        if let Some(flag) = self.not_positive().first() {
            bail!("{flag} must be at least 1");
        }
        if self.tls_certificate_file.is_some() != self.tls_key_file.is_some() {
            bail!("--tls-certificate-file and --tls-key-file go together");
        }
        let admin = &self.admin_listen;
        if !(admin.is_empty() || admin.parse::<SocketAddr>().is_ok()) {
            bail!("--admin-listen {admin}: write an address such as 127.0.0.1:9090");
        }
        let otlp = &self.otlp_endpoint;
        if !(otlp.is_empty() || otlp.starts_with("http://") || otlp.starts_with("https://")) {
            bail!(
                "--otlp-endpoint {otlp}: write an address such as http://127.0.0.1:4318/v1/traces"
            );
        }
        if !(1..=9).contains(&self.park_after) {
            bail!("--park-after must be from 1 to 9");
        }
        if self.trace_percent > 100 {
            bail!("--trace-percent must be from 0 to 100");
        }
        if let Err(error) = Guard::opening(&self.allow_private_outbound) {
            bail!("--allow-private-outbound: {error}");
        }
        self.mailer()?;
        if !(3_600..=21_600).contains(&self.access_token_secs) {
            bail!("--access-token-secs must be from 3600 to 21600, as Entra asks");
        }
        if self.default_page_size > self.max_page_size {
            bail!(
                "--default-page-size must not be larger than --max-page-size ({})",
                self.max_page_size
            );
        }
        Ok(())
    }
}
