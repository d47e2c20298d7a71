//! What an end-to-end story begins with: a server, an organization, a token.

use crate::admin::Admin;
use crate::postgres_cluster::PostgresCluster;
use crate::scim::Scim;
use crate::server::{Server, Store};
use anyhow::{Context as _, Result};

/// A server with one organization, and its callers.
#[derive(Debug)]
pub struct World {
    /// The server.
    pub server: Server,
    /// The organization `acme`.
    pub acme: Organization,
    /// Entra, with a token of `acme`.
    pub scim: Scim,
    /// The operator.
    pub admin: Admin,
}

/// An organization as the command line made it.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its slug.
    pub domain: String,
}

impl World {
    /// A server on `store` with the organization `acme`.
    pub async fn new(store: Store) -> Result<Self> {
        Self::around(Server::start(store).await?).await
    }

    /// The organization `acme` on a server that has none.
    pub async fn around(server: Server) -> Result<Self> {
        let acme = organization(&server, "Acme", "acme").await?;
        let token = issue(&server, &acme.domain).await?.secret;
        let scim = Scim::anonymous(server.address()).with_token(&token);
        let admin = Admin::new(server.address(), &server.operator_key()?);
        Ok(Self { server, acme, scim, admin })
    }

    /// A second organization with a caller of its own.
    pub async fn another(&self, name: &str, domain: &str) -> Result<(Organization, Scim)> {
        let organization = organization(&self.server, name, domain).await?;
        let token = issue(&self.server, domain).await?.secret;
        Ok((organization, self.scim.with_token(&token)))
    }
}

/// A token as it was shown once.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Names the token.
    pub id: String,
    /// The token.
    pub secret: String,
}

/// Creates an organization.
pub async fn organization(server: &Server, name: &str, domain: &str) -> Result<Organization> {
    let made = server.cli(&["org", "create", name, "--domain", domain]).await?;
    let id = made["organization_id"]
        .as_str()
        .with_context(|| format!("no organization_id in {made}"))?;
    Ok(Organization { id: id.to_owned(), domain: domain.to_owned() })
}

/// Issues a SCIM token.
pub async fn issue(server: &Server, domain: &str) -> Result<Issued> {
    let made = server.cli(&["scim", "token", "issue", "--org", domain]).await?;
    let field = |name: &str| {
        made[name]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("no {name} in the answer of `scim token issue`"))
    };
    Ok(Issued { id: field("token_id")?, secret: field("token")? })
}

/// Runs a story on a server with the embedded store.
///
/// # Panics
/// If the story fails; the server's last lines are printed.
pub async fn on_sqlite(story: impl AsyncFnOnce(&mut World) -> Result<()>) {
    tell(Store::Sqlite, story).await;
}

/// Runs a story on a server with a PostgreSQL cluster of its own.
///
/// # Panics
/// If the story fails; the server's last lines are printed.
pub async fn on_postgres(story: impl AsyncFnOnce(&mut World, &mut PostgresCluster) -> Result<()>) {
    let mut cluster = start_cluster().await;
    let store = Store::Postgres(cluster.url());
    tell(store, async |world: &mut World| story(world, &mut cluster).await).await;
}

/// Makes two tests of a story (`async fn story(world: &mut World) -> Result<()>`, or of `&World`):
/// on the embedded store, and on a PostgreSQL cluster of its own.
#[macro_export]
macro_rules! on_both {
    ($story:ident) => {
        mod $story {
            #[tokio::test]
            async fn on_sqlite() {
                $crate::world::on_sqlite(async |world| super::$story(world).await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                $crate::world::on_postgres(async |world, _| super::$story(world).await).await;
            }
        }
    };
}

/// A PostgreSQL cluster of its own.
///
/// # Panics
/// If the server binaries are missing: a store that was not tested must not look tested.
pub async fn start_cluster() -> PostgresCluster {
    match PostgresCluster::start() {
        Ok(cluster) => cluster,
        Err(e) => panic!("PostgreSQL cannot be started (`make deps` installs it): {e:#}"),
    }
}

async fn tell(store: Store, story: impl AsyncFnOnce(&mut World) -> Result<()>) {
    let mut world = match World::new(store).await {
        Ok(world) => world,
        Err(e) => panic!("the story could not begin: {e:#}"),
    };
    if let Err(e) = story(&mut world).await {
        // The panic makes the server's drop print its log.
        panic!("the story failed: {e:#}");
    }
}
