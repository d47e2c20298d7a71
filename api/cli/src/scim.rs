//! `rollcall scim`

use super::Exit;
use super::client::Client;
use super::credential::{self, Credential};
use super::output;
use super::secret::{self, Lifetime, Listed};
use crate::say;
use clap::Subcommand;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::scim::{EnableQuery, MembersReplace, ScimPolicyBody, ScimPolicyChange};
use rollcall_contract::tokens::{NewToken, TokenBody, TokenIssued, TokenPath};
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
    /// Show or change what the connection asks of its client
    Policy {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Refuse what Entra's habits break of the interoperability profile; not for Entra itself
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        strict: Option<bool>,
        /// What a replace of some members of a group means
        #[arg(long, value_name = "MEANING", value_parser = ["replace", "add"])]
        members_replace: Option<String>,
    },
    /// Tokens
    #[command(subcommand)]
    Token(Token),
    /// Credentials of all kinds: client secrets, federated tenants, keys of the client's own, tokens
    #[command(subcommand)]
    Credential(Credential),
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
        expires_in: Option<Lifetime>,
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
            let query = EnableQuery { allow_without_sso: allow_scim_without_sso };
            client.act(&route::ENABLE_SCIM.line(&OrganizationPath::of(org), &query)?).await?;
        }
        Scim::Disable { org } => {
            client.act(&route::DISABLE_SCIM.line(&OrganizationPath::of(org), &Nothing)?).await?
        }
        Scim::Policy { org, strict, members_replace } => {
            let members_replace = members_replace
                .map(|m| if m == "add" { MembersReplace::Add } else { MembersReplace::Replace });
            let change = ScimPolicyChange { strict, members_replace };
            let path = OrganizationPath::of(org);
            let asks_nothing = strict.is_none() && members_replace.is_none();
            let policy: ScimPolicyBody = match asks_nothing {
                true => client.ask(&route::SHOW_SCIM_POLICY.line(&path, &Nothing)?).await?,
                false => {
                    client.tell(&route::CHANGE_SCIM_POLICY.line(&path, &Nothing)?, &change).await?
                }
            };
            show_policy(&client, policy)?;
        }
        Scim::Credential(command) => credential::run(command, &client).await?,
        Scim::Token(Token::Issue { org, label, expires_in }) => {
            let new = NewToken { label, expires_at: expires_in.map(Lifetime::end) };
            let line = route::ISSUE_TOKEN.line(&OrganizationPath::of(&org), &Nothing)?;
            let issued: TokenIssued = client.tell(&line, &new).await?;
            if client.json {
                output::json(&issued)?;
            } else {
                output::pairs(&[("Tenant URL", issued.tenant_url), ("Secret Token", issued.token)]);
                say!("\nPaste both into Entra under Provisioning. The token is not shown again.");
                if !issued.sso_ready {
                    say!(
                        "\nNote: single sign-on is not set up yet, so nobody can sign in: rollcall saml configure --org {org}"
                    );
                }
            }
        }
        Scim::Token(Token::List { org }) => {
            let all: Vec<TokenBody> =
                client.ask(&route::LIST_TOKENS.line(&OrganizationPath::of(org), &Nothing)?).await?;
            if client.json {
                output::json(&all)?;
            } else {
                secret::table(all.into_iter().map(listed));
            }
        }
        Scim::Token(Token::Revoke { org, token_id }) => {
            client
                .act(
                    &route::REVOKE_TOKEN
                        .line(&TokenPath { organization: org, token: token_id }, &Nothing)?,
                )
                .await?;
        }
    }
    Ok(Exit::Success)
}

fn show_policy(client: &Client, policy: ScimPolicyBody) -> anyhow::Result<()> {
    if client.json {
        return output::json(&policy);
    }
    let meaning = match policy.members_replace {
        MembersReplace::Replace => "replace: these and no others are members (RFC 7644)",
        MembersReplace::Add => "add: these become members as well",
    };
    output::pairs(&[
        ("Strict", if policy.strict { "yes" } else { "no: what Entra sends is read" }.to_owned()),
        ("Replace of members means", meaning.to_owned()),
    ]);
    say!("\n{}", if policy.strict { "Kept:" } else { "With --strict it keeps:" });
    for rule in policy.strict_rules {
        say!("  {:22} {}", rule.name, rule.description);
    }
    Ok(())
}

fn listed(token: TokenBody) -> Listed {
    let TokenBody { token_id: id, state, label, issued_at, expires_at, last_used_at, .. } = token;
    Listed { id, state, label, issued_at, expires_at, last_used_at }
}
