//! Token requests, and servers that take them.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_entra::credential::{KeyServer, Signer};
use rollcall_tests::http::{Answer, Http, Request};
use rollcall_tests::scim::form_encode;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

pub const TOKEN: &str = "/scim/oauth/token";
pub const GRANT: &str = "grant_type=client_credentials";
/// Tenant, principal and application.
pub const IDS: [Uuid; 3] = [
    Uuid::from_u128(0x11111111_2222_4333_8444_555555555555),
    Uuid::from_u128(0x22222222_2222_4333_8444_555555555555),
    Uuid::from_u128(0x33333333_2222_4333_8444_555555555555),
];

/// A client with a secret.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub secret: String,
}

/// Adds one to an organization.
pub async fn add(server: &Server, org: &str) -> Result<Client> {
    let added =
        server.cli(&["scim", "credential", "add", "--org", org, "--kind", "client-secret"]).await?;
    shown(&added)
}

/// What was shown once.
pub fn shown(added: &Value) -> Result<Client> {
    let field = |name: &str| {
        added[name].as_str().map(str::to_owned).with_context(|| format!("no {name} was shown"))
    };
    Ok(Client { id: field("client_id")?, secret: field("client_secret")? })
}

/// A form, with other headers.
pub fn form(path: &str, body: impl Into<String>) -> Request {
    Request::new("POST", path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body.into())
}

impl Client {
    /// As Entra asks.
    pub fn basic(&self, path: &str) -> Request {
        let basic = STANDARD.encode(format!("{}:{}", self.id, self.secret));
        form(path, GRANT).header("Authorization", format!("Basic {basic}"))
    }

    /// The same in the body.
    pub fn post(&self, path: &str) -> Request {
        form(path, format!("{GRANT}&client_id={}&client_secret={}", self.id, self.secret))
    }

    /// An access token.
    pub async fn token(&self, http: &Http) -> Result<String> {
        token(http.send(self.basic(TOKEN)).await?)
    }
}

/// The token of an answer.
pub fn token(answer: Answer) -> Result<String> {
    let body = answer.expect_json(200)?;
    ensure!(body["token_type"] == "Bearer" && body["scope"] == "scim", "{body}");
    Ok(body["access_token"].as_str().context("no access_token")?.to_owned())
}

/// Refused as RFC 6749 section 5.2 says.
pub fn refused(answer: &Answer, status: u16, code: &str) -> Result<()> {
    ensure!(answer.status == status, "{}: {}", answer.status, answer.text());
    ensure!(answer.json()?["error"] == code, "{}", answer.text());
    ensure!(answer.header("cache-control") == Some("no-store"), "it may be kept");
    ensure!(
        (status == 401)
            == answer.header("www-authenticate").is_some_and(|w| w.starts_with("Basic")),
        "{:?}",
        answer.headers
    );
    Ok(())
}

/// A request with an assertion.
pub fn asserting(client: &str, assertion: &str) -> Request {
    const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    form(
        TOKEN,
        format!(
            "{GRANT}&client_id={client}&client_assertion_type={}&client_assertion={}",
            form_encode(JWT_BEARER),
            form_encode(assertion)
        ),
    )
}

/// A server that trusts a simulated tenant.
pub struct Federation {
    pub world: World,
    pub keys: KeyServer,
    pub signer: Arc<Signer>,
    pub client: String,
}

impl Federation {
    /// With the organization `acme`, and its federated credential.
    pub async fn start() -> Result<Self> {
        let keys = KeyServer::start().await?;
        let authority = keys.authority();
        let flags = [
            "--rate-limit",
            "0",
            "--allow-private-outbound",
            "127.0.0.0/8",
            "--federation-authorities",
            &authority,
        ];
        let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
        let world = World::around(server).await?;
        let signer = Arc::new(Signer::new(&authority, IDS, "rollcall.example")?);
        keys.publish(signer.clone());
        let client = federate(&world.server, "acme", &authority).await?;
        Ok(Self { world, keys, signer, client })
    }

    /// Asks for a token with an assertion.
    pub async fn ask(&self, assertion: &str) -> Result<Answer> {
        self.world.scim.http().send(asserting(&self.client, assertion)).await
    }

    /// What is kept of a token request.
    pub async fn kept(&self, answer: &Answer) -> Result<Value> {
        let exchange = answer.header("exchange-id").context("no exchange")?;
        let path = format!("/api/v1/organizations/acme/exchanges/{exchange}");
        self.world.admin.get(&path).await?.expect_json(200)
    }
}

/// Adds a federated credential.
pub async fn federate(server: &Server, org: &str, authority: &str) -> Result<String> {
    let [tenant, subject, application] = IDS.map(|id| id.to_string());
    let added = server
        .cli(&[
            "scim",
            "credential",
            "add",
            "--org",
            org,
            "--kind",
            "federated",
            "--tenant",
            &tenant,
            "--subject",
            &subject,
            "--application",
            &application,
            "--authority",
            authority,
        ])
        .await?;
    Ok(added["client_id"].as_str().with_context(|| format!("no client_id in {added}"))?.to_owned())
}
