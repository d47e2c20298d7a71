//! `rollcall healthcheck`: for images and load balancers that can only run a command.

use super::client::{default_data, local_address};
use super::{Exit, Failure, ServerArgs, Unreachable, output};
use crate::say;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// Whether requests are served; needs no key
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Ask only whether the process answers
    #[arg(long)]
    alive: bool,
    /// How long to wait for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,
}

/// Runs it. Nothing secret is sent, so that it does not matter whose certificate answers.
///
/// # Errors
/// If nobody answers in time.
pub fn run(command: &Healthcheck, server: ServerArgs) -> Result<Exit, Failure> {
    let data = server.data.unwrap_or_else(default_data);
    let base = server.url.unwrap_or_else(|| local_address(&data));
    let base = base.trim_end_matches('/');
    let target = if command.alive { "/healthz" } else { "/readyz" };
    let http = reqwest::Client::builder()
        .no_proxy()
        .danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(command.timeout))
        .build()
        .map_err(anyhow::Error::from)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let asked = runtime.block_on(async {
        let answer = http.get(format!("{base}{target}")).send().await.ok()?;
        Some((answer.status().is_success(), answer.text().await.ok()?))
    });
    let Some((good, text)) = asked else {
        return Err(Failure::from(anyhow::Error::from(Unreachable::at(base))));
    };
    if server.json {
        output::json(&serde_json::json!({ "healthy": good }))?;
    } else if good {
        say!("healthy");
    } else {
        say!("not healthy: {}", reasons(&text));
    }
    Ok(if good { Exit::Success } else { Exit::Difference })
}

/// Why, as the server says it.
fn reasons(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let listed = body["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut reasons: Vec<&str> = listed.iter().filter_map(|r| r["reason"].as_str()).collect();
    reasons.extend(body["closed"]["reason"].as_str());
    if reasons.is_empty() {
        return "see /readyz".to_owned();
    }
    reasons.join(", ")
}
