//! How a simulated tenant shows who it is: a secret token, a client secret, or assertions that it
//! signs, with its keys published on this machine.

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use rollcall_entra::credential::{Authenticated, Grant, KeyServer, Signer};
use rollcall_entra::transport::{HttpTransport, Transport};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// The flags of it.
#[derive(Debug, Args)]
pub struct Credential {
    /// Secret token
    #[arg(
        long,
        env = "ROLLCALL_SIMULATE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        default_value = "",
        required_unless_present = "client_id"
    )]
    pub token: String,
    /// Client identifier, to get access tokens in place of a secret token
    #[arg(long, value_name = "ID", requires = "token_url")]
    client_id: Option<String>,
    /// Token endpoint
    #[arg(long, value_name = "URL", requires = "client_id")]
    token_url: Option<String>,
    /// A file with the client secret
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// Workload identity federation: publish the tenant's keys at this address of this machine,
    /// and sign assertions with them. The server has to be started with
    /// --federation-authorities http://ADDRESS and --allow-private-outbound 127.0.0.0/8
    #[arg(
        long,
        value_name = "ADDRESS",
        requires_all = ["client_id", "tenant_id", "subject", "application"],
        conflicts_with = "client_secret_file"
    )]
    publish_keys: Option<SocketAddr>,
    /// The tenant that signs
    #[arg(long, value_name = "ID", requires = "publish_keys")]
    tenant_id: Option<Uuid>,
    /// Object id of the tenant's service principal "Sync Fabric Workload Identity"
    #[arg(long, value_name = "ID", requires = "publish_keys")]
    subject: Option<Uuid>,
    /// The application that the assertions are for
    #[arg(long, value_name = "ID", requires = "publish_keys")]
    application: Option<Uuid>,
    /// A file with an access token to begin with, as a job has that was made by Graph: it was made
    /// just now, as far as the tenant knows
    #[arg(long, value_name = "FILE", requires = "client_id")]
    access_token_file: Option<PathBuf>,
}

/// A way to the application, and what has to live as long as it is used.
pub struct Way {
    pub transport: Arc<dyn Transport>,
    _keys: Option<KeyServer>,
}

impl Credential {
    /// The way to an application by this credential.
    ///
    /// # Errors
    /// If a file cannot be read, the address is taken, or the flags do not belong together.
    pub async fn way(&self, http: HttpTransport, now: DateTime<Utc>) -> anyhow::Result<Way> {
        let (Some(client), Some(url)) = (self.client_id.clone(), &self.token_url) else {
            return Ok(Way { transport: Arc::new(http), _keys: None });
        };
        let (grant, keys) = match (&self.client_secret_file, self.publish_keys) {
            (Some(file), _) => (Grant::Secret { client, secret: line_of(file)? }, None),
            (None, Some(address)) => {
                let (signer, keys) = self.publish(address, http.host()).await?;
                (Grant::Federated { client, signer }, Some(keys))
            }
            (None, None) => bail!("--client-id needs --client-secret-file or --publish-keys"),
        };
        let inner: Arc<dyn Transport> = Arc::new(http.with_token_url(url));
        let authenticated = match &self.access_token_file {
            Some(file) => Authenticated::seeded(inner, grant, &line_of(file)?, now),
            None => Authenticated::new(inner, grant),
        };
        Ok(Way { transport: Arc::new(authenticated), _keys: keys })
    }

    async fn publish(
        &self,
        address: SocketAddr,
        host: &str,
    ) -> anyhow::Result<(Arc<Signer>, KeyServer)> {
        if !address.ip().is_loopback() {
            bail!("--publish-keys {address}: the keys of a simulated tenant stay on this machine");
        }
        let ids = [self.tenant_id, self.subject, self.application];
        let [Some(tenant), Some(subject), Some(application)] = ids else {
            bail!("--publish-keys needs --tenant-id, --subject and --application");
        };
        let keys = KeyServer::listen(address)
            .await
            .with_context(|| format!("cannot publish keys at {address}"))?;
        let ids = [tenant, subject, application];
        let signer = Arc::new(Signer::new(&keys.authority(), ids, host)?);
        keys.publish(signer.clone());
        Ok((signer, keys))
    }
}

fn line_of(file: &PathBuf) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim().to_owned())
}
