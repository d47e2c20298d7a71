//! `rollcall scim`

use super::Exit;
use super::client::Client;
use super::output;
use crate::admin::{TokenBody, TokenIssued};
use crate::clock::Clock;
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use clap::Subcommand;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

/// An organization's SCIM connection
#[derive(Debug, Subcommand)]
pub enum Scim {
    /// Let the SCIM connection work; single sign-on comes first
    Enable {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Use SCIM alone
        #[arg(long)]
        allow_scim_without_sso: bool,
    },
    /// Answer SCIM requests 503 until it is enabled; Entra retries, nothing is lost
    Disable {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Tokens
    #[command(subcommand)]
    Token(Token),
}

/// SCIM tokens
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Issue a token; it is shown once
    Issue {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// What you call it
        #[arg(long, default_value = "")]
        label: String,
        /// Refuse it after so long, such as 90d or 12h
        #[arg(long, value_name = "TIME")]
        expires_in: Option<String>,
    },
    /// List tokens
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Refuse a token from now on
    Revoke {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The token's id, as `token list` shows it
        token_id: Uuid,
    },
}

/// Runs it.
pub async fn run(command: Scim, client: Client) -> anyhow::Result<Exit> {
    match command {
        Scim::Enable { org, allow_scim_without_sso } => {
            let path = format!("/organizations/{org}/scim/enable?allow_without_sso={allow_scim_without_sso}");
            client.act(Method::POST, &path).await?;
        }
        Scim::Disable { org } => client.act(Method::POST, &format!("/organizations/{org}/scim/disable")).await?,
        Scim::Token(Token::Issue { org, label, expires_in }) => {
            let expires_at = expires_in.as_deref().map(|t| after(t, Clock::system().now())).transpose()?;
            let body = json!({ "label": label, "expires_at": expires_at });
            let issued: TokenIssued = client.request(Method::POST, &format!("/organizations/{org}/scim/tokens"), Some(&body)).await?;
            if client.json {
                output::json(&issued)?;
            } else {
                output::pairs(&[("Tenant URL", issued.tenant_url), ("Secret Token", issued.token)]);
                println!("\nPaste both into Entra under Provisioning. The token is not shown again.");
                if !issued.sso_ready {
                    println!("\nNote: single sign-on is not set up yet, so nobody can sign in: rollcall saml configure --org {org}");
                }
            }
        }
        Scim::Token(Token::List { org }) => {
            let all: Vec<TokenBody> = client.get(&format!("/organizations/{org}/scim/tokens")).await?;
            if client.json {
                output::json(&all)?;
            } else {
                let time = |t: Option<DateTime<Utc>>| t.map_or_else(|| "-".to_owned(), |t| t.to_rfc3339());
                let row = |t: TokenBody| {
                    vec![t.token_id.to_string(), t.state, t.label, t.issued_at.to_rfc3339(), time(t.expires_at), time(t.last_used_at)]
                };
                output::table(&["ID", "STATE", "LABEL", "ISSUED", "EXPIRES", "LAST USED"], &all.into_iter().map(row).collect::<Vec<_>>());
            }
        }
        Scim::Token(Token::Revoke { org, token_id }) => {
            client.act(Method::DELETE, &format!("/organizations/{org}/scim/tokens/{token_id}")).await?;
        }
    }
    Ok(Exit::Success)
}

/// The instant so long after now.
pub(super) fn after(text: &str, now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let wrong = || format!("--expires-in {text}: write a number and d, h, m or s, such as 90d");
    let split = text.find(|c: char| !c.is_ascii_digit()).with_context(wrong)?;
    let number: i64 = text[..split].parse().with_context(wrong)?;
    let seconds = match &text[split..] {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => anyhow::bail!(wrong()),
    };
    let span = number.checked_mul(seconds).and_then(Duration::try_seconds).with_context(wrong)?;
    now.checked_add_signed(span).with_context(wrong)
}
