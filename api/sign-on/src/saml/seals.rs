//! At the start: whether this process can open the private keys of the log.

use anyhow::{Context, bail};
use rollcall_door::config::ServeConfig;
use rollcall_door::sealing::DeploymentKey;
use rollcall_projections::saml::SamlConnections;

/// Several processes on one database need one deployment key. A process that made its own does not
/// start beside keys that another one sealed; where the key file was named, or there is one process
/// only, the key is lost rather than forgotten, and the operator needs a server to replace the
/// keys.
pub async fn check(
    connections: &SamlConnections,
    key: &DeploymentKey,
    config: &ServeConfig,
    shared: bool,
) -> anyhow::Result<()> {
    let mut foreign = 0;
    for connection in connections.all().await.context("cannot read the SAML connections")? {
        for sealed in connection.settings.keys.iter().filter(|k| !key.has_sealed(&k.sealed)) {
            foreign += 1;
            tracing::error!(
                organization = %connection.organization, key = %sealed.id, sealed_with = sealed.sealed.sealed_with,
                "this private key was sealed with another deployment key: single sign-on cannot use it here"
            );
        }
    }
    if foreign > 0 && shared && config.deployment_key_file.is_none() {
        bail!(
            "the log holds private keys for single sign-on ({foreign}) that were sealed with another deployment key than the one in {}: \
             give every process on this database the same file with --deployment-key-file; if that key is lost, name your own \
             with this flag, and generate the certificates anew",
            config.data.display()
        );
    }
    Ok(())
}
