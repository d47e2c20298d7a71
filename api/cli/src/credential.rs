//! `rollcall scim credential`

use super::client::Client;
use super::output;
use super::secret::Lifetime;
use crate::cells;
use crate::output::Cell;
use crate::say;
use anyhow::{Context as _, bail};
use chrono::{DateTime, SubsecRound, Utc};
use clap::{Subcommand, ValueEnum};
use rollcall_contract::credentials::{
    CredentialAdded, CredentialBody, CredentialPath, NewAudience, NewCredential, NewProof,
    NewSecret,
};
use rollcall_contract::organizations::{OrganizationBody, OrganizationPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// How a client proves to be it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A secret that is exchanged for access tokens
    ClientSecret,
    /// A tenant of Entra signs (workload identity federation)
    Federated,
    /// The client signs with a key of its own
    PrivateKeyJwt,
    /// A token that is sent with each request
    Token,
}

/// Credentials of SCIM clients
#[derive(Debug, Subcommand)]
pub enum Credential {
    /// Add a credential; what is secret in it is shown once
    Add {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// How the client proves to be it
        #[arg(long, value_enum)]
        kind: Kind,
        /// What you call it
        #[arg(long, default_value = "Entra")]
        label: String,
        /// Refuse it after so long, such as 90d; a client secret ends after a year if this is left out
        #[arg(long, value_name = "TIME")]
        expires_in: Option<Lifetime>,
        /// Id of the tenant that signs
        #[arg(long, value_name = "ID", required_if_eq("kind", "federated"))]
        tenant: Option<Uuid>,
        /// Object id of the principal in the tenant
        #[arg(long, value_name = "ID", required_if_eq("kind", "federated"))]
        subject: Option<Uuid>,
        /// Id of the application that the tenant signs for
        #[arg(long, value_name = "ID", required_if_eq("kind", "federated"))]
        application: Option<Uuid>,
        /// The cloud that signs, if it is not the public one
        #[arg(long, value_name = "URL")]
        authority: Option<String>,
        /// Id of the application that asks the tenant to sign; not looked at, if absent
        #[arg(long, value_name = "ID")]
        authorized_party: Option<Uuid>,
        /// Where the client's public keys are
        #[arg(long, value_name = "URL", conflicts_with = "jwks_file")]
        jwks_url: Option<String>,
        /// A file with the client's public keys, as a JSON Web Key Set
        #[arg(long, value_name = "FILE")]
        jwks_file: Option<PathBuf>,
    },
    /// List credentials: when each ends, and which one Entra uses
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Give a client a second secret; both are good until the first is retired
    Rotate {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The client id
        client_id: Uuid,
        /// Refuse the new secret after so long, such as 365d
        #[arg(long, value_name = "TIME")]
        expires_in: Option<Lifetime>,
    },
    /// Refuse the older of two secrets from now on
    Retire {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The client id
        client_id: Uuid,
    },
    /// Trust one more audience of a federated tenant
    Trust {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The client id
        client_id: Uuid,
        /// What the audience is, exactly: list shows those that were refused
        #[arg(long, value_name = "AUDIENCE")]
        audience: String,
    },
    /// Refuse a credential from now on, with all of its access tokens
    Revoke {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The client id
        client_id: Uuid,
    },
    /// Print the secrets of a provisioning job that is made by Microsoft Graph, with a first token
    Graph {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The client id
        client_id: Uuid,
        /// A file with the client secret
        #[arg(long, value_name = "FILE")]
        secret_file: PathBuf,
    },
}

/// Runs it.
pub async fn run(command: Credential, client: &Client) -> anyhow::Result<()> {
    match command {
        Credential::Add {
            org,
            kind,
            label,
            expires_in,
            tenant,
            subject,
            application,
            authority,
            authorized_party,
            jwks_url,
            jwks_file,
        } => {
            let proof = match (kind, tenant, subject, application) {
                (Kind::Token, ..) => NewProof::Token {},
                (Kind::ClientSecret, ..) => NewProof::ClientSecret {},
                (Kind::PrivateKeyJwt, ..) => {
                    let jwks = jwks_file.map(|file| text(&file)).transpose()?;
                    NewProof::PrivateKeyJwt { jwks_url, jwks }
                }
                (Kind::Federated, Some(tenant), Some(subject), Some(application)) => {
                    NewProof::Federated {
                        tenant,
                        subject,
                        application,
                        authority,
                        authorized_party,
                    }
                }
                (Kind::Federated, ..) => {
                    bail!("a federated credential needs --tenant, --subject and --application")
                }
            };
            let new = NewCredential { label, expires_at: expires_in.map(Lifetime::end), proof };
            let line = route::ADD_CREDENTIAL.line(&OrganizationPath::of(&org), &Nothing)?;
            show_added(client, &org, client.tell(&line, &new).await?)
        }
        Credential::List { org } => list(client, org).await,
        Credential::Rotate { org, client_id, expires_in } => {
            let line = route::ROTATE_CREDENTIAL.line(&path(&org, client_id), &Nothing)?;
            let new = NewSecret { expires_at: expires_in.map(Lifetime::end) };
            show_added(client, &org, client.tell(&line, &new).await?)
        }
        Credential::Retire { org, client_id } => {
            client.act(&route::RETIRE_CREDENTIAL.line(&path(&org, client_id), &Nothing)?).await
        }
        Credential::Trust { org, client_id, audience } => {
            let line = route::TRUST_AUDIENCE.line(&path(&org, client_id), &Nothing)?;
            client.act_on(&line, &NewAudience { audience }).await
        }
        Credential::Revoke { org, client_id } => {
            client.act(&route::REVOKE_CREDENTIAL.line(&path(&org, client_id), &Nothing)?).await
        }
        Credential::Graph { org, client_id, secret_file } => {
            graph(client, &org, client_id, &secret_file).await
        }
    }
}

fn path(org: &str, credential: Uuid) -> CredentialPath {
    CredentialPath { organization: org.to_owned(), credential }
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn show_added(client: &Client, org: &str, added: CredentialAdded) -> anyhow::Result<()> {
    if client.json {
        return output::json(&added);
    }
    let CredentialAdded { client_id, client_secret, token, tenant_url, token_url, .. } = added;
    let is_secret = token.is_some() || client_secret.is_some();
    let mut pairs = vec![("Tenant URL", tenant_url)];
    if let Some(token) = token {
        pairs.push(("Secret Token", token));
    } else {
        pairs.push(("Token Endpoint", token_url));
        pairs.push(("Client Identifier", client_id.to_string()));
        pairs.extend(client_secret.map(|secret| ("Client Secret", secret)));
    }
    pairs.extend(added.expires_at.map(|end| ("Ends", output::instant(end))));
    output::pairs(&pairs);
    let once = if is_secret { " The secret is not shown again." } else { "" };
    say!("\nPaste these into Entra under Provisioning.{once}");
    if !added.audiences.is_empty() {
        say!("\nAssertions of the tenant are taken if their audience is one of these:");
    }
    for audience in added.audiences {
        say!("  {audience}");
    }
    if !added.sso_ready {
        say!(
            "\nNote: single sign-on is not set up yet, so nobody can sign in: rollcall saml configure --org {org}"
        );
    }
    Ok(())
}

async fn list(client: &Client, org: String) -> anyhow::Result<()> {
    let line = route::LIST_CREDENTIALS.line(&OrganizationPath::of(&org), &Nothing)?;
    let all: Vec<CredentialBody> = client.ask(&line).await?;
    if client.json {
        return output::json(&all);
    }
    let rows: Vec<Vec<Cell>> = all
        .iter()
        .map(|c| {
            cells![
                c.client_id.to_string(),
                c.kind.clone(),
                Cell::state(c.state.clone()),
                c.label.clone(),
                output::maybe(c.expires_at),
                output::maybe(c.last_used_at),
                if c.used_by_last_cycle { "last cycle" } else { "-" },
            ]
        })
        .collect();
    output::table(
        &["CLIENT ID", "KIND", "STATE", "LABEL", "EXPIRES", "LAST USED", "USED BY"],
        &rows,
    );
    for c in &all {
        for secret in &c.secrets {
            let used = if secret.last_used { ", used last" } else { "" };
            say!(
                "\n{} secret {}… ends {}{used}",
                c.client_id,
                secret.sha256,
                output::maybe(secret.expires_at)
            );
        }
        for refused in &c.refused_audiences {
            say!(
                "\n{} was refused for its audience alone at {}: if that is meant,\n  rollcall scim credential trust --org {org} {} --audience {}",
                c.client_id,
                output::instant(refused.seen_at),
                c.client_id,
                refused.audience
            );
        }
        if c.can_be_revoked {
            say!(
                "\n{} ({}): the last two cycles went well without it: rollcall scim credential revoke --org {org} {0}",
                c.client_id,
                c.label
            );
        }
    }
    Ok(())
}

/// What `PUT /servicePrincipals/{id}/synchronization/secrets` takes: a job made that way only
/// refreshes at the exchange address, so it needs a first token and the time at which it was made.
async fn graph(client: &Client, org: &str, id: Uuid, secret_file: &Path) -> anyhow::Result<()> {
    let secret = text(secret_file)?.trim().to_owned();
    let line = route::LIST_CREDENTIALS.line(&OrganizationPath::of(org), &Nothing)?;
    let all: Vec<CredentialBody> = client.ask(&line).await?;
    let known = all.into_iter().find(|c| c.client_id == id);
    let known = known.with_context(|| format!("organization {org} has no credential {id}"))?;
    let line = route::SHOW_ORGANIZATION.line(&OrganizationPath::of(org), &Nothing)?;
    let organization: OrganizationBody = client.ask(&line).await?;
    let (token, made_at) = (client.access_token(id, &secret).await?, now());
    let pair = |key: &str, value: String| json!({ "key": key, "value": value });
    let values: Vec<Value> = vec![
        pair("BaseAddress", organization.tenant_url),
        pair("Oauth2ClientId", id.to_string()),
        pair("Oauth2ClientSecret", secret),
        pair("Oauth2TokenExchangeUri", known.token_url),
        pair("Oauth2AccessToken", token),
        pair("Oauth2AccessTokenCreationTime", made_at.to_rfc3339()),
    ];
    output::json(&json!({ "value": values }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "when a token was made is told by the clock of the machine that asked for it"
)]
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}
