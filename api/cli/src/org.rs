//! `rollcall org`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::Cell;
use crate::say;
use clap::Subcommand;
use rollcall_contract::erasure::{EraseOrganization, ErasedOrganizationBody};
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
    /// Erase an organization: delete everybody in it, switch it off for good, and destroy every key that
    /// what is personal in its log was sealed with. What was done, when and by whom stays, and every proof of the ledger
    /// holds. Without --yes it says what there is, and erases nothing
    Erase {
        /// Its slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Why, for those who ask later; it stays, so write no name
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Erase it: nothing brings it back
        #[arg(long)]
        yes: bool,
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
        Org::Erase { org, reason, yes } => erase(&client, org, reason, yes).await?,
        Org::Disable { org } => {
            client
                .act(&route::DISABLE_ORGANIZATION.line(&OrganizationPath::of(org), &Nothing)?)
                .await?
        }
    }
    Ok(Exit::Success)
}

async fn erase(client: &Client, org: String, because: String, yes: bool) -> anyhow::Result<()> {
    let line = route::ERASE_ORGANIZATION.line(&OrganizationPath::of(org), &Nothing)?;
    let told: ErasedOrganizationBody =
        client.tell(&line, &EraseOrganization { because, dry_run: !yes }).await?;
    if client.json {
        return output::json(&told);
    }
    output::pairs(&[
        ("Organization", told.organization_id.to_string()),
        ("Said at", told.erased_at.map_or_else(|| "-".to_owned(), |at| at.to_string())),
        ("Held", told.held.len().to_string()),
        ("Records", told.records.to_string()),
        ("Exchanges", told.exchanges.to_string()),
        ("Keys", told.keys.to_string()),
        ("Told to", told.consumers.join(", ")),
        ("Ledger", format!("{} leaves, root {}", told.ledger_size, told.ledger_root)),
    ]);
    if told.dry_run {
        say!("\nNothing was erased: --yes does it, and nothing brings it back.");
        say!(
            "What stays in the clear: names of groups, settings, ids, times, who did what, and reasons."
        );
    }
    Ok(())
}
