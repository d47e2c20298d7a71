//! Every page, on a few days of a simulated tenant: without barriers in both themes, in a narrow
//! window, by keyboard alone, without a script; and the auditor's question in three clicks.

use super::chromium::{Chromium, css, role};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::Server;
use serde_json::{Value, json};

/// A few days of a tenant's history, served.
async fn month() -> Result<Server> {
    let command = ["simulate", "history", "--days", "4", "--users", "40"];
    Ok(Server::start_on(&command).await?.0)
}

/// A link without its host: the server's public URL is not where the browser reaches it.
async fn link(server: &Server, command: &[&str]) -> Result<String> {
    let made = server.cli(command).await?;
    let url = made["url"].as_str().with_context(|| format!("{made}"))?;
    let path = url.splitn(4, '/').nth(3).context("a path")?;
    Ok(format!("{}/{path}", server.address().url()))
}

async fn signed_in(b: &mut Chromium, who: &str, link: &str, how: Value) -> Result<()> {
    b.open(who, how).await?;
    b.goto(link).await?;
    b.click(role("button", "Begin")).await?;
    b.wait("main h1", 20).await
}

#[tokio::test]
async fn every_page_is_sound() {
    if let Err(e) = every_page().await {
        panic!("{e:?}");
    }
}

async fn every_page() -> Result<()> {
    let server = month().await?;
    let base = server.address().url();
    let mut b = Chromium::start().await?;
    b.open("nobody", json!({})).await?;
    b.goto(&format!("{base}/o/contoso")).await?;
    ensure!(b.url().await?.contains("/sign-in?to="), "{}", b.url().await?);
    b.is_sound("sign in").await?;
    for (name, kind) in [("doors", "pull"), ("signals", "set-poll")] {
        let command = ["consumer", "add", "--org", "contoso", "--name", name, "--kind", kind];
        let audience = ["--audience", "https://doors.example.com"];
        let audience = if kind == "pull" { &[][..] } else { &audience };
        server.cli(&[&command[..], audience].concat()).await?;
    }
    let open = link(&server, &["console", "open"]).await?;
    signed_in(&mut b, "operator", &open, json!({})).await?;
    b.is_sound("organizations").await?;
    b.click(css("main table a")).await?;
    let home = b.url().await?;
    let sent = b.tell("bytes", json!({})).await?;
    let sent: i64 = sent.as_array().context("entries")?.iter().filter_map(|e| e[1].as_i64()).sum();
    ensure!(sent < 100_000, "the first page is {sent} bytes");
    for page in [
        "",
        "?days=1",
        "?days=30",
        "/runs",
        "/users",
        "/groups",
        "/changes?from=-4d",
        "/failures",
        "/requests",
        "/requests?failed=on",
        "/logins",
        "/sessions?all=on",
        "/review",
        "/evidence",
        "/evidence?audit=on",
        "/connection",
        "/consumers",
        "/access",
        "/live",
    ] {
        let status = b.goto(&format!("{home}{page}")).await?;
        ensure!(status == 200, "{page} answers {status}");
        b.is_sound(page).await?;
    }
    // One of each kind, from its list.
    for list in [
        "/runs?kind=initial",
        "/runs?failed=on",
        "/users",
        "/groups",
        "/requests",
        "/failures?cured=on",
        "/consumers",
    ] {
        b.goto(&format!("{home}{list}")).await?;
        if b.tell("count", json!({ "css": "main table a" })).await? == json!(0) {
            continue;
        }
        b.click(css("main table a")).await?;
        b.is_sound(&format!("one of {list}")).await?;
    }
    // A consumer is paused and resumed where it is shown.
    b.goto(&format!("{home}/consumers")).await?;
    b.click(css("main table a")).await?;
    for (button, state) in [("Pause", "paused"), ("Resume", "active")] {
        b.click(role("button", button)).await?;
        b.wait("p[role=status]", 20).await?;
        b.is_sound(button).await?;
        let shown = server.cli(&["consumer", "show", "--org", "contoso", "doors"]).await?;
        ensure!(shown["state"] == state, "{shown}");
    }
    let lost = b.goto(&format!("{home}/users/nobody")).await?;
    ensure!(lost == 404, "{lost}");
    b.is_sound("a page that is not there").await
}

#[tokio::test]
async fn an_auditor_finds_who_was_in_a_group_in_three_clicks() {
    if let Err(e) = three_clicks().await {
        panic!("{e:?}");
    }
}

async fn three_clicks() -> Result<()> {
    let server = month().await?;
    let invite = |label: &'static str| {
        ["console", "invite", "--org", "contoso", "--role", "auditor", "--label", label]
    };
    let mut b = Chromium::start().await?;
    let first = link(&server, &invite("Grace")).await?;
    // Without a script: the link is pasted.
    b.open("grace", json!({ "script": false })).await?;
    b.goto(&first).await?;
    b.fill(css("#code"), &first).await?;
    b.click(role("button", "Begin")).await?;
    b.wait("main h1", 20).await?;
    let yesterday = rollcall_tests::clock::now() - chrono::Duration::days(1);
    b.fill(css("#group-day"), &yesterday.format("%Y-%m-%d").to_string()).await?;
    b.click(role("button", "Find the group")).await?;
    b.click(css("main table a")).await?;
    b.click(role("link", "Address of this view")).await?;
    let (address, seen) = (b.url().await?, b.text(css("#members ~ *")).await?);
    ensure!(address.contains("as-of=position"), "{address}");
    // Another auditor sees the same at that address.
    let second = link(&server, &invite("Barbara")).await?;
    signed_in(&mut b, "barbara", &second, json!({})).await?;
    b.goto(&address).await?;
    ensure!(b.text(css("#members ~ *")).await? == seen);
    // Nothing is offered that would be refused.
    let forms = b.tell("count", json!({ "css": "form[method=post]" })).await?;
    ensure!(forms == json!(1), "{forms} forms that change something, signing out is one");
    Ok(())
}

#[tokio::test]
async fn all_of_it_is_reached_by_keyboard() {
    if let Err(e) = keyboard().await {
        panic!("{e:?}");
    }
}

async fn keyboard() -> Result<()> {
    let server = month().await?;
    let mut b = Chromium::start().await?;
    b.open("operator", json!({})).await?;
    b.goto(&format!("{}/sign-in", server.address().url())).await?;
    reach(&mut b, "key").await?;
    b.tell("type", json!({ "value": server.operator_key()? })).await?;
    b.tell("press", json!({ "key": "Enter" })).await?;
    b.wait("main table", 20).await?;
    // The first stop leads past the navigation.
    b.tell("press", json!({ "key": "Tab" })).await?;
    ensure!(b.tell("focused", json!({})).await?["href"] == "#content");
    reach_link(&mut b, "/o/contoso").await?;
    b.tell("press", json!({ "key": "Enter" })).await?;
    b.wait("#cycles", 20).await?;
    // A cell of the strip leads to its run.
    reach_link(&mut b, "/o/contoso/runs/").await?;
    b.tell("press", json!({ "key": "Enter" })).await?;
    b.wait("#timeline", 20).await?;
    b.has_no_complaints("by keyboard").await
}

/// Presses Tab until something with this text or id has the focus.
async fn reach(b: &mut Chromium, text: &str) -> Result<()> {
    tab_until(b, |focused| focused["text"] == text).await
}

async fn reach_link(b: &mut Chromium, href: &str) -> Result<()> {
    let runs = href.ends_with('/');
    tab_until(b, |focused| {
        let found = focused["href"].as_str().unwrap_or_default();
        if runs { found.starts_with(href) } else { found == href }
    })
    .await
}

async fn tab_until(b: &mut Chromium, is_it: impl Fn(&Value) -> bool) -> Result<()> {
    for _ in 0..400 {
        let focused = b.tell("focused", json!({})).await?;
        if is_it(&focused) {
            return Ok(());
        }
        b.tell("press", json!({ "key": "Tab" })).await?;
    }
    anyhow::bail!("it cannot be reached by keyboard")
}

#[tokio::test]
async fn live_requests_come_whole_over_a_restart() {
    if let Err(e) = live().await {
        panic!("{e:?}");
    }
}

async fn live() -> Result<()> {
    let (site, _) = super::visitor::Site::with_acme().await?;
    let url = site.url.clone();
    let token = rollcall_tests::world::issue(&site.server, "acme").await?.secret;
    let mut world = site.server;
    let scim = rollcall_tests::scim::Scim::anonymous(world.address()).with_token(&token);
    let mut b = Chromium::start().await?;
    let made = world.cli(&["console", "open"]).await?;
    signed_in(&mut b, "operator", made["url"].as_str().context("url")?, json!({})).await?;
    b.goto(&format!("{url}/o/acme/live")).await?;
    b.wait("#live-state.connected", 20).await?;
    let ask = async |n: usize| -> Result<()> {
        for _ in 0..n {
            scim.get("/Users?count=1").await?.expect(200)?;
        }
        Ok(())
    };
    ask(5).await?;
    b.wait("#live-rows tr:nth-child(5)", 20).await?;
    world.kill9()?;
    b.wait("#live-state.reconnecting", 20).await?;
    world.restart().await?;
    ask(5).await?;
    b.wait("#live-state.connected", 40).await?;
    b.wait("#live-rows tr:nth-child(10)", 20).await?;
    let numbers = "[...document.querySelectorAll('#live-rows tr td:first-child a')].map(a => Number(a.textContent))";
    let numbers = b.tell("evaluate", json!({ "code": numbers })).await?;
    let numbers: Vec<u64> =
        numbers.as_array().context("numbers")?.iter().filter_map(Value::as_u64).collect();
    ensure!(
        numbers.windows(2).all(|pair| pair[0] == pair[1] + 1),
        "numbers are missing: {numbers:?}"
    );
    Ok(())
}
