//! `rollcall setup`

use super::client::Client;
use super::{Exit, console_link, output};
use crate::say;
use clap::Subcommand;
use rollcall_contract::console::{LinkRole, NewLink};
use rollcall_contract::organizations::{OrganizationBody, OrganizationPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::saml::SamlBody;
use serde_json::json;

/// Have an organization's admin set up single sign-on and provisioning
#[derive(Debug, Subcommand)]
pub enum Setup {
    /// Make a link that leads an admin from nothing to the first cycle; it is shown once
    Link {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Whom it is for: history says so of what is done with it
        #[arg(long, default_value = "Setup link")]
        label: String,
        /// It lets in, and what came in by it stays in, for so many hours [default: 72]
        #[arg(long, value_name = "N")]
        hours: Option<u32>,
        /// Let in more than one browser
        #[arg(long)]
        shareable: bool,
    },
    /// Print the same steps, with what to paste where
    Print {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Runs it.
pub async fn run(command: Setup, client: Client) -> anyhow::Result<Exit> {
    match command {
        Setup::Link { org, label, hours, shareable } => {
            let new = NewLink { role: LinkRole::Setup, label, hours, shareable };
            console_link::make(org, &new, &client).await?;
        }
        Setup::Print { org } => print(&org, &client).await?,
    }
    Ok(Exit::Success)
}

async fn print(org: &str, client: &Client) -> anyhow::Result<()> {
    let path = OrganizationPath::of(org);
    let organization: OrganizationBody =
        client.ask(&route::SHOW_ORGANIZATION.line(&path, &Nothing)?).await?;
    let saml: SamlBody = client.ask(&route::SHOW_SAML.line(&path, &Nothing)?).await?;
    if client.json {
        return output::json(&json!({
            "identifier": saml.identifier,
            "reply_url": saml.reply_url,
            "sign_on_url": saml.sign_on_url,
            "logout_url": saml.logout_url,
            "tenant_url": organization.tenant_url,
        }));
    }
    for (n, step) in (1..).zip(steps(org, &saml, &organization.tenant_url)) {
        say!("{n:>2}. {step}");
    }
    Ok(())
}

/// The steps of the setup's pages, in their order.
fn steps(org: &str, saml: &SamlBody, tenant_url: &str) -> [String; 11] {
    let SamlBody { identifier, reply_url, sign_on_url, .. } = saml;
    [
        "In Entra, Enterprise applications, All applications: New application.".to_owned(),
        format!(
            "Single sign-on, SAML, Basic SAML Configuration:\n    Identifier   {identifier}\n    \
             Reply URL    {reply_url}\n    Sign on URL  {sign_on_url}"
        ),
        "Attributes & Claims: Unique User Identifier is user.userprincipalname.".to_owned(),
        format!(
            "SAML Certificates: copy the App Federation Metadata URL, then\n    \
             rollcall saml configure --org {org} --metadata-url URL"
        ),
        format!("rollcall saml certificate generate --org {org}"),
        format!("Sign in once at {sign_on_url}; rollcall logins list --org {org} shows it."),
        format!("rollcall scim token issue --org {org} shows the Secret Token, once."),
        format!(
            "Provisioning, Connectivity (Admin Credentials): Tenant URL {tenant_url}, the Secret \
             Token, Test Connection, Save."
        ),
        "Attribute mapping: externalId from objectId; emails[type eq \"work\"].value from mail."
            .to_owned(),
        "Users and groups: assign them, for only who is assigned is sent.".to_owned(),
        format!("Start provisioning; rollcall runs list --org {org} shows the first cycle."),
    ]
}
