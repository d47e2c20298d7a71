//! `rollcall doctor`: plays Entra's part from outside, with a credential that it makes and takes
//! back, and says what it sees.

mod report;
mod steps;

use super::Exit;
use super::client::Client;
use super::secret::Lifetime;
use anyhow::bail;
use clap::Subcommand;
use report::Report;
use rollcall_contract::credentials::{CredentialAdded, CredentialPath, NewCredential, NewProof};
use rollcall_contract::organizations::{OrganizationBody, OrganizationPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// How long its credential would live if it could not be revoked: as short as a secret may.
const LIFE: &str = "1d";

/// Play Entra's part
#[derive(Debug, Subcommand)]
pub enum Doctor {
    /// Do what Entra does when its connection is tested, at the public URL
    Entra {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Ends when somebody wants this program to stop.
fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Runs it.
pub async fn run(command: Doctor, client: Client) -> anyhow::Result<Exit> {
    let Doctor::Entra { org } = command;
    let here = OrganizationPath::of(&org);
    let organization: OrganizationBody =
        client.ask(&route::SHOW_ORGANIZATION.line(&here, &Nothing)?).await?;
    if organization.scim == "never" {
        // To add a credential enables SCIM, which is not for a doctor to do.
        bail!(
            "SCIM was never enabled: rollcall scim credential add --org {org} --kind client-secret"
        );
    }
    let new = NewCredential {
        label: "rollcall doctor".to_owned(),
        expires_at: LIFE.parse().ok().map(Lifetime::end),
        proof: NewProof::ClientSecret {},
    };
    // Before there is anything to take back.
    let stop = stop()?;
    let added: CredentialAdded =
        client.tell(&route::ADD_CREDENTIAL.line(&here, &Nothing)?, &new).await?;
    let mut report = Report::default();
    let seen = tokio::select! {
        seen = steps::with_credential(&added, &mut report) => seen,
        () = stop => Err(anyhow::anyhow!("stopped before the end; the credential is revoked")),
    };
    // Whatever came of it, nothing stays behind.
    let path = CredentialPath { organization: org, credential: added.client_id };
    client.send(&route::REVOKE_CREDENTIAL.line(&path, &Nothing)?).await?;
    if let Some(token) = seen? {
        steps::after_revocation(&added, &token, &mut report).await?;
    }
    report.show(client.json)?;
    Ok(if report.failures() == 0 { Exit::Success } else { Exit::Difference })
}
