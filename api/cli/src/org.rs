//! `rollcall org`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::Cell;
use crate::say;
use clap::Subcommand;
use rollcall_contract::organizations::{
    NewOrganization, OrganizationBody, OrganizationCreated, OrganizationPath,
};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// Organizations
#[derive(Debug, Subcommand)]
pub enum Org {
    /// Create an organization
    Create {
        /// Its name for people
        name: String,
        /// Its slug: lower-case letters, digits and hyphens
        #[arg(long, value_name = "SLUG")]
        domain: String,
    },
    /// List organizations
    List,
    /// Answer an organization's requests again
    Enable {
        /// Its slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Answer an organization's requests 503 until it is enabled; Entra retries, nothing is lost
    Disable {
        /// Its slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Runs it.
pub async fn run(command: Org, client: Client) -> anyhow::Result<Exit> {
    match command {
        Org::Create { name, domain } => {
            let line = route::CREATE_ORGANIZATION.line(&Nothing, &Nothing)?;
            let created: OrganizationCreated =
                client.tell(&line, &NewOrganization { name, domain }).await?;
            if client.json {
                output::json(&created)?;
            } else {
                output::pairs(&[
                    ("Organization", created.organization_id.to_string()),
                    ("Domain", created.domain.clone()),
                    ("Tenant URL", created.tenant_url),
                ]);
                say!(
                    "\nNext: rollcall saml configure --org {} --metadata-url URL\nThen: rollcall scim token issue --org {}",
                    created.domain,
                    created.domain
                );
            }
        }
        Org::List => {
            let all: Vec<OrganizationBody> =
                client.ask(&route::LIST_ORGANIZATIONS.line(&Nothing, &Nothing)?).await?;
            if client.json {
                output::json(&all)?;
            } else {
                let row = |o: OrganizationBody| {
                    let state = if o.enabled { "on" } else { "off" };
                    cells![
                        o.domain,
                        o.name,
                        Cell::state(state),
                        Cell::state(o.scim),
                        output::instant(o.created_at),
                        o.organization_id.to_string(),
                    ]
                };
                output::table(
                    &["DOMAIN", "NAME", "STATE", "SCIM", "CREATED", "ID"],
                    &all.into_iter().map(row).collect::<Vec<_>>(),
                );
            }
        }
        Org::Enable { org } => {
            client
                .act(&route::ENABLE_ORGANIZATION.line(&OrganizationPath::of(org), &Nothing)?)
                .await?
        }
        Org::Disable { org } => {
            client
                .act(&route::DISABLE_ORGANIZATION.line(&OrganizationPath::of(org), &Nothing)?)
                .await?
        }
    }
    Ok(Exit::Success)
}
