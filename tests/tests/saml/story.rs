//! What a sign-on story begins with: a server, the organization `acme` with single sign-on, a
//! provisioned user, and the identity provider.

use crate::browser::Browser;
use crate::idp::{Idp, Someone};
use anyhow::Result;
use rollcall_tests::server::{PUBLIC_URL, Server, Store};
use rollcall_tests::world::World;
use serde_json::{Value, json};

/// The application that people want to get to.
pub const APP: &str = "https://app.example/doors/";
/// Ada's object id.
pub const ADA: &str = "8f0f0c5c-1111-4000-8000-000000000001";

/// A world with an identity provider.
pub struct Story {
    /// Server, organization, SCIM client, operator.
    pub world: World,
    /// The identity provider.
    pub idp: Idp,
    /// Ada's user id.
    pub ada: String,
}

/// The flags of a server that may fetch metadata from this machine.
pub const FLAGS: [&str; 3] = ["--rate-limit", "0", "--allow-private-metadata"];

impl Story {
    /// The server is set up and Ada is provisioned.
    pub async fn begin(store: Store) -> Result<Self> {
        Self::begin_with(store, &FLAGS).await
    }

    /// The same, with flags of one's own.
    pub async fn begin_with(store: Store, flags: &[&str]) -> Result<Self> {
        let server = Server::start_with(store, &std::env::temp_dir(), flags).await?;
        let world = World::around(server).await?;
        let at = |action: &str| format!("{PUBLIC_URL}/saml/acme/{action}");
        let idp = Idp::start(&at("acs"), &at("metadata")).await?;
        world
            .server
            .cli(&["saml", "configure", "--org", "acme", "--metadata-url", &idp.url("/metadata")])
            .await?;
        world.server.cli(&["saml", "policy", "--org", "acme", "--target", APP]).await?;
        let ada = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@contoso.example",
            "externalId": ADA, "displayName": "Ada Keller", "active": true });
        let made = world.scim.post("/Users", &ada).await?.expect_json(201)?;
        Ok(Self { world, idp, ada: made["id"].as_str().unwrap_or_default().to_owned() })
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self.world.server.address())
    }

    /// A browser in which Ada has signed in, and her response.
    pub async fn signed_in(&self) -> Result<(Browser, String)> {
        let mut browser = self.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let response = self.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        browser.answer(&response).await?.expect(303)?;
        Ok((browser, response))
    }

    /// The latest login.
    pub async fn latest(&self) -> Result<Value> {
        Ok(self.world.server.cli(&["logins", "list", "--org", "acme", "--limit", "1"]).await?[0]
            .take())
    }

    /// Switches Ada off, as Entra does.
    pub async fn deactivate(&self) -> Result<()> {
        let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
        self.world.scim.operations(&format!("/Users/{}", self.ada), off).await?.expect(200)?;
        Ok(())
    }
}

/// Ada, as the identity provider knows her.
pub fn ada() -> Someone {
    Someone::new("ada@contoso.example", Some(ADA))
}

/// Runs a story on the embedded store.
///
/// # Panics
/// If the story fails; the server's last lines are printed.
pub async fn tell(story: impl AsyncFnOnce(&mut Story) -> Result<()>) {
    let mut it = match Story::begin(Store::Sqlite).await {
        Ok(it) => it,
        Err(e) => panic!("the story could not begin: {e:#}"),
    };
    if let Err(e) = story(&mut it).await {
        panic!("the story failed: {e:#}");
    }
}
