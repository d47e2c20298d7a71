//! The setup of the seed, from the link to the first cycle, by somebody who has no other document:
//! a browser on one side, the simulated tenant and its identity provider on the other.

use super::chromium::{Chromium, css, label, role};
use super::portal::{self, ADA};
use super::visitor::Site;
use anyhow::{Result, ensure};
use rollcall_entra::client::Mapping;
use serde_json::json;

#[tokio::test]
async fn a_link_leads_from_nothing_to_a_green_first_cycle() {
    if let Err(e) = story().await {
        panic!("{e:?}");
    }
}

async fn story() -> Result<()> {
    let (site, _) = Site::with_acme().await?;
    let (_, metadata) = portal::identity_provider(&site).await?;
    let link = site.link(&["setup", "link", "--org", "acme", "--label", "Ada Keller"]).await?;

    // A mail scanner opens the link, twice; that uses nothing.
    let (page, secret) = link.split_once('#').unwrap_or_default();
    let path = page.trim_start_matches(&site.url).to_owned();
    for _ in 0..2 {
        site.visitor().get(&path).await?.expect(200)?;
    }

    let mut b = Chromium::start().await?;
    b.open("admin", json!({})).await?;
    b.goto(&link).await?;
    ensure!(!b.url().await?.contains(secret), "the secret stays in the address");
    b.is_sound("the page of a link").await?;
    b.click(role("button", "Begin")).await?;
    b.wait("#step-1", 20).await?;
    ensure!(b.url().await? == format!("{}/setup/acme", site.url));
    b.is_sound("the setup").await?;
    let identifier = b.text(css("#identifier")).await?;
    ensure!(identifier == format!("{}/saml/acme/metadata", site.url), "{identifier}");
    let printed = site.server.cli(&["setup", "print", "--org", "acme"]).await?;
    ensure!(printed["identifier"] == identifier.as_str(), "{printed}");

    // A typing error is told beside its step, and what was typed stays.
    let field = label("App Federation Metadata URL");
    b.fill(field.clone(), &metadata.replace("federationmetadata.xml", "nothing.xml")).await?;
    b.click(css("#step-4 form button")).await?;
    b.wait("#step-4 [role=alert]", 20).await?;
    let value =
        b.tell("evaluate", json!({ "code": "document.getElementById('metadata-url').value" }));
    ensure!(value.await?.as_str().is_some_and(|typed| typed.contains("nothing.xml")));
    b.fill(field, &metadata).await?;
    b.click(css("#step-4 form button")).await?;
    b.wait("#check-4 .state.done", 20).await?;
    b.click(role("button", "Generate certificate")).await?;
    b.wait("#check-5 .state.done", 20).await?;

    // Somebody signs in; they are not known yet, and that is seen.
    let sign_on = b.text(css("#sign-on-url")).await?;
    b.open("ada", json!({})).await?;
    b.goto(&format!("{sign_on}?login_hint={}", ADA.replace('@', "%40"))).await?;
    b.wait("#code", 20).await?;
    ensure!(b.text(css("#code")).await? == "unknown-user");
    b.tell("complaints", json!({})).await?;
    b.back_to("admin").await?;
    for step in [2, 3, 6] {
        b.wait(&format!("#check-{step} .state.done"), 20).await?;
    }

    b.click(role("button", "Enable SCIM and generate token")).await?;
    let token = b.text(css("#new-token")).await?;
    ensure!(token.starts_with("rollcall_scim_"), "{token}");
    ensure!(b.text(css("#new-tenant-url")).await? == format!("{}/scim/v2", site.url));
    b.is_sound("the setup with its token").await?;
    b.goto(&format!("{}/setup/acme", site.url)).await?;
    let html = b.tell("html", json!({})).await?;
    ensure!(!html.as_str().unwrap_or_default().contains(&token), "the token is shown again");

    portal::provisioning(&site, &token, Mapping::standard(), 2).await?;
    for step in 1..=11 {
        b.wait(&format!("#check-{step} .state.done"), 60).await?;
    }
    let progress = b.text(css("#progress [role=status]")).await?;
    ensure!(progress.contains("12 users"), "{progress}");
    b.is_sound("the setup when all is done").await?;

    // Whoever sets up sees nothing else, and the link lets nobody else in.
    b.goto(&format!("{}/o/acme/users", site.url)).await?;
    ensure!(b.url().await?.ends_with("/setup/acme"));
    site.visitor().redeem(&link).await?.expect(404)?;
    let log = std::fs::read_to_string(site.server.log_file())?;
    ensure!(!log.contains(secret) && !log.contains(&token), "a secret is in the server's log");
    Ok(())
}
