//! An access review from its rows to decisions that are kept: by an auditor, in a browser, without a
//! script.

use super::chromium::{Chromium, css, label, role};
use super::visitor::Site;
use anyhow::{Result, ensure};
use rollcall_tests::scim::{Scim, add_members};
use rollcall_tests::world::issue;
use serde_json::json;

#[tokio::test]
async fn an_auditor_decides_about_access_and_about_nothing_else() {
    if let Err(e) = story().await {
        panic!("{e:?}");
    }
}

async fn story() -> Result<()> {
    let (site, _) = Site::with_acme().await?;
    let token = issue(&site.server, "acme").await?.secret;
    let scim = Scim::anonymous(site.server.address()).with_token(&token);
    let ada = scim.create_user("ada@contoso.example").await?;
    let group = scim.create_group("Server room").await?;
    scim.operations(&format!("/Groups/{group}"), add_members(&[&ada])).await?.expect(204)?;
    let invite = ["console", "invite", "--org", "acme", "--role", "auditor", "--label", "Grace"];
    let link = site.link(&invite).await?;

    let mut b = Chromium::start().await?;
    b.open("grace", json!({ "script": false })).await?;
    b.goto(&link).await?;
    b.fill(css("#code"), &link).await?;
    b.click(role("button", "Begin")).await?;
    b.wait("main h1", 20).await?;
    b.goto(&format!("{}/o/acme/review", site.url)).await?;
    b.click(role("link", "Decide about ada@contoso.example in Server room")).await?;
    b.wait("#verdict", 20).await?;
    // A note without a remark is refused; the page says why, and is still there.
    b.tell("select", json!({ "css": "#verdict", "value": "note" })).await?;
    b.click(role("button", "Keep the decision")).await?;
    b.wait("main [role=alert]", 20).await?;
    b.tell("select", json!({ "css": "#verdict", "value": "remove" })).await?;
    b.fill(label("Remark"), "moved <b>away</b>").await?;
    b.click(role("button", "Keep the decision")).await?;
    b.wait("p[role=status]", 20).await?;
    let row = b.text(css("main tbody tr")).await?;
    ensure!(row.contains("remove") && row.contains("moved <b>away</b>"), "{row}");
    let review = site.server.cli(&["review", "--org", "acme", "--all-groups"]).await?;
    ensure!(review["rows"][0]["verdict"] == "remove", "{review}");
    ensure!(scim.members(&group).await? == [ada.as_str()], "nobody's access is another");
    // What looks for barriers needs a script; the pages do not.
    let link = site.link(&invite).await?;
    b.open("barbara", json!({})).await?;
    b.goto(&link).await?;
    b.click(role("button", "Begin")).await?;
    b.wait("main h1", 20).await?;
    b.goto(&format!("{}/o/acme/review", site.url)).await?;
    b.is_sound("the review with a decision").await?;
    b.click(role("link", "Decide about ada@contoso.example in Server room")).await?;
    b.wait("#verdict", 20).await?;
    b.is_sound("a decision").await?;
    b.goto(&format!("{}/o/acme/review", site.url)).await?;
    // On paper there is the decision, and no link to make one.
    let printed = "getComputedStyle(document.querySelector('.no-print')).display";
    b.tell("print", json!({})).await?;
    ensure!(b.tell("evaluate", json!({ "code": printed })).await? == json!("none"));
    Ok(())
}
