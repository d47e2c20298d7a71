//! Each of the usual mistakes is told on the page of the setup by the traffic that shows it.

use super::chromium::Chromium;
use super::portal::{self, ADA, person};
use super::visitor::Site;
use anyhow::{Context as _, Result};
use rollcall_entra::client::Mapping;
use rollcall_entra::idp::SigningKey;
use rollcall_tests::clock::now;
use rollcall_tests::http::{Http, Request};
use rollcall_tests::world::issue;
use serde_json::json;

struct Planted {
    site: Site,
    http: Http,
    browser: Chromium,
}

impl Planted {
    async fn begin() -> Result<Self> {
        let (site, _) = Site::with_acme().await?;
        let link = site.link(&["setup", "link", "--org", "acme"]).await?;
        let mut browser = Chromium::start().await?;
        browser.open("admin", json!({})).await?;
        browser.goto(&link).await?;
        browser.click(super::chromium::role("button", "Begin")).await?;
        browser.wait("#step-1", 20).await?;
        let http = Http::new(site.server.address());
        Ok(Self { site, http, browser })
    }

    /// The page says so, of itself, within a minute.
    async fn is_told(&mut self, mistake: &str) -> Result<()> {
        let there = format!("[data-mistake=\"{mistake}\"]");
        self.browser.wait(&there, 60).await.with_context(|| format!("{mistake} is not told"))
    }

    async fn probe(&self, target: &str, token: &str) -> Result<u16> {
        let filter = "filter=userName+eq+%227c1d2b54-0f7e-4a86-9f5b-2f7f0b1d9a11%22";
        let request = Request::new("GET", format!("{target}?{filter}"))
            .header("Authorization", format!("Bearer {token}"));
        Ok(self.http.fresh().send(request).await?.status)
    }

    /// Somebody signs in, in a browser of their own.
    async fn sign_in(&mut self, name: &str) -> Result<()> {
        let address =
            format!("{}/saml/acme/login?login_hint={}", self.site.url, name.replace('@', "%40"));
        self.browser.open(name, json!({})).await?;
        self.browser.goto(&address).await?;
        self.browser.wait("#code", 20).await?;
        self.browser.tell("close", json!({ "as": name })).await?;
        self.browser.back_to("admin").await
    }
}

#[tokio::test]
async fn mistakes_of_provisioning_are_told() {
    if let Err(e) = provisioning().await {
        panic!("{e:?}");
    }
}

async fn provisioning() -> Result<()> {
    let mut p = Planted::begin().await?;
    let token = issue(&p.site.server, "acme").await?.secret;
    // The version is missing.
    anyhow::ensure!(p.probe("/scim/Users", &token).await? == 404);
    p.is_told("wrong-url").await?;
    anyhow::ensure!(p.probe("/scim/v2/Users", "rollcall_scim_wrong").await? == 401);
    p.is_told("wrong-token").await?;
    // Test Connection, then Start provisioning, and nobody comes.
    for _ in 0..2 {
        anyhow::ensure!(p.probe("/scim/v2/Users", &token).await? == 200);
    }
    p.is_told("nothing-assigned").await?;
    portal::provisioning(&p.site, &token, Mapping::kisi(), 1).await?;
    p.is_told("no-mail").await?;
    p.is_told("external-id").await?;
    p.browser.is_sound("the setup with mistakes").await
}

#[tokio::test]
async fn mistakes_of_single_sign_on_are_told() {
    if let Err(e) = single_sign_on().await {
        panic!("{e:?}");
    }
}

async fn single_sign_on() -> Result<()> {
    let mut p = Planted::begin().await?;
    let (entra, metadata) = portal::identity_provider(&p.site).await?;
    let configure = ["saml", "configure", "--org", "acme", "--metadata-url", &metadata];
    p.site.server.cli(&configure).await?;
    // The Unique User Identifier is the nickname.
    entra.with(|idp| idp.people = vec![person("ada")]);
    p.sign_in("ada").await?;
    p.is_told("name-id").await?;
    // Another tenant signs with the same key, say: the issuer is another.
    let tenant = entra.with(|idp| {
        idp.people = vec![person(ADA)];
        std::mem::replace(&mut idp.tenant_id, "66666666-2222-4333-8444-555555555555".to_owned())
    });
    respond_as_another(&mut p, &entra).await?;
    p.is_told("other-tenant").await?;
    entra.with(|idp| idp.tenant_id = tenant);
    // The certificate ends, and nobody has made a new one.
    let ended = SigningKey::generate(now() - chrono::Duration::days(400), 100)?;
    entra.with(|idp| {
        idp.keys = vec![ended];
        idp.active = 0;
    });
    let _ = p.site.server.cli(&["saml", "refresh", "--org", "acme"]).await;
    respond_as_another(&mut p, &entra).await?;
    p.is_told("certificate-expired").await
}

/// A response of the identity provider as it is now, from its tile.
async fn respond_as_another(
    p: &mut Planted,
    entra: &rollcall_entra::idp::server::Shared,
) -> Result<()> {
    use base64::Engine as _;
    let response = entra.with(|idp| {
        let ada = idp.people[0].clone();
        let mut n = 0_u32;
        let unique = now().timestamp_micros();
        let token = idp.token(&ada, None, None, now(), || {
            n += 1;
            format!("_{unique:016x}{n:016x}")
        });
        idp.issue(&token)
    })?;
    let response = base64::engine::general_purpose::STANDARD.encode(response);
    let request = super::visitor::form("/saml/acme/acs", &[("SAMLResponse", &response)]);
    p.http.fresh().send(request).await.map(drop)
}
