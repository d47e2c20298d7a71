//! `rollcall saml`

use super::Exit;
use super::client::Client;
use super::output;
use crate::say;
use anyhow::Context;
use clap::{Args, Subcommand};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::saml::{
    CertificateBody, KeyBody, KeyPath, NewMetadata, PolicyBody, RefreshedBody, SamlBody,
};
use serde_json::json;
use std::path::PathBuf;
use uuid::Uuid;

/// An organization's single sign-on
#[derive(Debug, Subcommand)]
pub enum Saml {
    /// Trust an identity provider from its metadata, and let people sign in
    Configure(Configure),
    /// Show the connection, and what goes into Azure's Basic SAML Configuration
    Show {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Our own certificate
    #[command(subcommand)]
    Certificate(Certificate),
    /// Follow the identity provider's metadata now
    Refresh {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Show or change what is allowed and asked for
    Policy(Box<Policy>),
    /// Let people sign in again
    Enable {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Answer 503 to whoever wants to sign in, and end all sessions
    Disable {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Where the metadata is.
#[derive(Debug, Args)]
pub struct Configure {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Azure's App Federation Metadata URL
    #[arg(long, value_name = "URL", required_unless_present = "metadata_file")]
    metadata_url: Option<String>,
    /// The metadata document; it is not refreshed
    #[arg(long, value_name = "FILE", conflicts_with = "metadata_url")]
    metadata_file: Option<PathBuf>,
}

/// Our own certificate
#[derive(Debug, Subcommand)]
pub enum Certificate {
    /// Generate the first one
    Generate {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Write the current one to a file, for Azure's Token encryption or Verification certificates
    Download {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Where to; standard output if absent
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Generate the next one, current from now on; the one before still decrypts until it is
    /// retired
    Rotate {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Give up one that is not the current one
    Retire {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The key's id, as `saml show` shows it
        key_id: Uuid,
    },
}

/// What is allowed and asked for; what is not named stays.
#[derive(Debug, Args)]
pub struct Policy {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Whether a sign-in may begin at the identity provider
    #[arg(long, value_name = "BOOL")]
    idp_initiated: Option<bool>,
    /// Recognize people by this, in place of all before: name-id, object-id, or claim:NAME; may come
    /// several times, and then the first that finds a user decides
    #[arg(long = "identifier", value_name = "IDENTIFIER")]
    identifiers: Vec<String>,
    /// Whether somebody whom SCIM has not sent becomes a user by signing in
    #[arg(long, value_name = "BOOL")]
    just_in_time: Option<bool>,
    /// Allow a browser to be sent there, in place of all targets before; may come several times.
    /// One that ends in / stands for all below it
    #[arg(long = "target", value_name = "URL")]
    targets: Vec<String>,
    /// Allow no target
    #[arg(long, conflicts_with = "targets")]
    no_targets: bool,
    /// Longest session, in minutes
    #[arg(long, value_name = "MINUTES")]
    session_minutes: Option<u32>,
    /// After how many minutes without being asked for a session ends; 0 for never
    #[arg(long, value_name = "MINUTES")]
    idle_minutes: Option<u32>,
    /// Whether authentication requests are signed
    #[arg(long, value_name = "BOOL")]
    sign_requests: Option<bool>,
    /// Whether people prove anew who they are, each time that they sign in
    #[arg(long, value_name = "BOOL")]
    force_authn: Option<bool>,
    /// Let in only who proved it so, in place of all before: an authentication context class, or one
    /// of Entra's authentication methods such as
    /// http://schemas.microsoft.com/claims/multipleauthn; may come several times
    #[arg(long = "authn-context", value_name = "URI")]
    authn_contexts: Vec<String>,
    /// Let in however they proved it
    #[arg(long, conflicts_with = "authn_contexts")]
    any_authn_context: bool,
    /// Our entity id; empty for the address of our metadata
    #[arg(long, value_name = "URI")]
    entity_id: Option<String>,
}

/// Runs it.
pub async fn run(command: Saml, client: Client) -> anyhow::Result<Exit> {
    match command {
        Saml::Configure(Configure { org, metadata_url, metadata_file }) => {
            let metadata = metadata_file
                .map(|file| {
                    std::fs::read_to_string(&file)
                        .with_context(|| format!("cannot read the metadata {}", file.display()))
                })
                .transpose()?;
            let line = route::CONFIGURE_SAML.line(&OrganizationPath::of(&org), &Nothing)?;
            let saml: SamlBody =
                client.tell(&line, &NewMetadata { metadata_url, metadata }).await?;
            show(&client, &saml)?;
            if !client.json && saml.certificates.iter().all(|c| c.owner != "service-provider") {
                say!("\nNext: rollcall saml certificate generate --org {org}");
            }
        }
        Saml::Show { org } => show(
            &client,
            &client.ask(&route::SHOW_SAML.line(&OrganizationPath::of(org), &Nothing)?).await?,
        )?,
        Saml::Certificate(certificate) => run_certificate(certificate, &client).await?,
        Saml::Refresh { org } => {
            let line = route::REFRESH_SAML.line(&OrganizationPath::of(org), &Nothing)?;
            let refreshed: RefreshedBody = client.ask(&line).await?;
            if client.json {
                output::json(&refreshed)?;
            } else {
                say!(
                    "{}",
                    if refreshed.changed {
                        "The settings follow the metadata now."
                    } else {
                        "Nothing has changed."
                    }
                );
            }
        }
        Saml::Policy(policy) => run_policy(*policy, &client).await?,
        Saml::Enable { org } => {
            client.act(&route::ENABLE_SAML.line(&OrganizationPath::of(org), &Nothing)?).await?
        }
        Saml::Disable { org } => {
            client.act(&route::DISABLE_SAML.line(&OrganizationPath::of(org), &Nothing)?).await?
        }
    }
    Ok(Exit::Success)
}

fn show(client: &Client, saml: &SamlBody) -> anyhow::Result<()> {
    if client.json {
        return output::json(saml);
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    output::pairs(&[
        ("Identifier (Entity ID)", saml.identifier.clone()),
        ("Reply URL", saml.reply_url.clone()),
        ("Sign on URL", saml.sign_on_url.clone()),
        ("Logout Url", saml.logout_url.clone()),
        ("State", saml.state.clone()),
        ("Metadata URL", text(&saml.metadata_url)),
        ("Identity provider", text(&saml.idp_entity_id)),
    ]);
    if !saml.certificates.is_empty() {
        say!();
        let row = |c: &CertificateBody| {
            let key = c.key_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
            vec![
                c.owner.clone(),
                c.state.clone(),
                output::instant(c.not_after),
                c.sha256.clone(),
                key,
            ]
        };
        output::table(
            &["CERTIFICATE OF", "STATE", "ENDS", "SHA-256", "KEY"],
            &saml.certificates.iter().map(row).collect::<Vec<_>>(),
        );
    }
    for warning in &saml.warnings {
        say!("\nNote: {warning}");
    }
    Ok(())
}

async fn run_certificate(command: Certificate, client: &Client) -> anyhow::Result<()> {
    let made = |key: KeyBody| {
        if client.json {
            return output::json(&key);
        }
        output::pairs(&[
            ("Key", key.key_id.to_string()),
            ("SHA-256", key.sha256),
            ("Ends", output::instant(key.not_after)),
        ]);
        say!("\n{}", key.certificate_pem.trim_end());
        Ok(())
    };
    match command {
        Certificate::Generate { org } => {
            made(
                client
                    .ask(&route::GENERATE_KEY.line(&OrganizationPath::of(org), &Nothing)?)
                    .await?,
            )?;
        }
        Certificate::Rotate { org } => {
            made(
                client.ask(&route::ROTATE_KEY.line(&OrganizationPath::of(org), &Nothing)?).await?,
            )?;
        }
        Certificate::Retire { org, key_id } => {
            client
                .act(
                    &route::RETIRE_KEY
                        .line(&KeyPath { organization: org, key: key_id }, &Nothing)?,
                )
                .await?;
        }
        Certificate::Download { org, to } => {
            let response = client
                .send(&route::DOWNLOAD_CERTIFICATE.line(&OrganizationPath::of(org), &Nothing)?)
                .await?;
            let pem = response.text().await?;
            match to {
                Some(file) => std::fs::write(&file, &pem)
                    .with_context(|| format!("cannot write {}", file.display()))?,
                None if client.json => output::json(&json!({ "certificate_pem": pem }))?,
                None => output::print(&pem),
            }
        }
    }
    Ok(())
}

async fn run_policy(policy: Policy, client: &Client) -> anyhow::Result<()> {
    let Policy {
        org,
        idp_initiated,
        identifiers,
        just_in_time,
        targets,
        no_targets,
        session_minutes,
        idle_minutes,
        sign_requests,
        force_authn,
        authn_contexts,
        any_authn_context,
        entity_id,
    } = policy;
    let told = any_authn_context || !authn_contexts.is_empty();
    let authn_contexts = told.then_some(authn_contexts);
    let identifiers = (!identifiers.is_empty()).then_some(identifiers);
    let targets = if no_targets || !targets.is_empty() { Some(targets) } else { None };
    let change = PolicyBody {
        idp_initiated,
        identifiers,
        just_in_time,
        targets,
        session_minutes,
        idle_minutes,
        sign_requests,
        force_authn,
        authn_contexts,
        entity_id,
    };
    let line = route::CHANGE_SAML_POLICY.line(&OrganizationPath::of(org), &Nothing)?;
    let policy: PolicyBody = client.tell(&line, &change).await?;
    if client.json {
        return output::json(&policy);
    }
    let yes = |value: Option<bool>| if value == Some(true) { "yes" } else { "no" }.to_owned();
    output::pairs(&[
        ("Sign-in may begin at the identity provider", yes(policy.idp_initiated)),
        ("Users are recognized by", policy.identifiers.unwrap_or_default().join(", then ")),
        ("Users are made when they sign in", yes(policy.just_in_time)),
        ("Targets", policy.targets.unwrap_or_default().join(" ")),
        ("Longest session in minutes", policy.session_minutes.unwrap_or_default().to_string()),
        (
            "Minutes until a session ends that nobody asks for",
            policy.idle_minutes.map_or_else(|| "-".to_owned(), |minutes| minutes.to_string()),
        ),
        ("Requests are signed", yes(policy.sign_requests)),
        ("People prove anew who they are", yes(policy.force_authn)),
        ("How they must have proved it", policy.authn_contexts.unwrap_or_default().join(" or ")),
        ("Our entity id", policy.entity_id.unwrap_or_else(|| "where our metadata is".to_owned())),
    ]);
    Ok(())
}
