//! Every page, on a few days of a simulated tenant: without barriers in both themes, in a narrow
//! window, by keyboard alone, without a script; and the auditor's question in three clicks.

use super::chromium::{Chromium, css, role};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::Admin;
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

/// Lists, with one of each kind behind their first row.
const LISTS: [&str; 8] = [
    "/runs?kind=initial",
    "/runs",
    "/users",
    "/groups",
    "/requests",
    "/requests?failed=on",
    "/failures?cured=on",
    "/consumers",
];

#[tokio::test]
async fn every_page_is_sound() {
    if let Err(e) = every_page().await {
        panic!("{e:?}");
    }
}

/// What a quiet tenant lacks: a request that was refused, and credentials of each kind.
async fn refused_and_let_in(server: &Server) -> Result<()> {
    let token = rollcall_tests::world::issue(server, "contoso").await?.secret;
    let scim = rollcall_tests::scim::Scim::anonymous(server.address()).with_token(&token);
    for status in [201, 409] {
        let twice = json!({ "userName": "twice@contoso.example", "active": true });
        scim.post("/Users", &twice).await?.expect(status)?;
    }
    let add = ["scim", "credential", "add", "--org", "contoso", "--kind"];
    server.cli(&[&add[..], &["client-secret", "--label", "Entra"]].concat()).await?;
    Ok(())
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
    refused_and_let_in(&server).await?;
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
        "/review/findings?find=never-signed-in",
        "/review/findings?find=idle&idle-days=1",
        "/review/findings?find=leavers",
        "/review/findings?find=empty-groups",
        "/reads",
        "/connection",
        "/credentials",
        "/consumers",
        "/access",
        "/notifications",
        "/live",
    ] {
        let status = b.goto(&format!("{home}{page}")).await?;
        ensure!(status == 200, "{page} answers {status}");
        b.is_sound(page).await?;
    }
    // One of each kind, from its list; a list that is empty would show nothing.
    for list in LISTS {
        b.goto(&format!("{home}{list}")).await?;
        let rows = b.tell("count", json!({ "css": "main table a" })).await?;
        ensure!(rows != json!(0), "{list} is empty: the story is to fill it");
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
    // Somebody is to be told; who is typed wrong stays typed.
    b.goto(&format!("{home}/notifications")).await?;
    for (address, found) in
        [("doors..@contoso.example", "[role=alert]"), ("doors@contoso.example", "p[role=status]")]
    {
        b.fill(css("#address"), address).await?;
        b.click(role("button", "Add")).await?;
        b.wait(found, 20).await?;
        b.is_sound(address).await?;
    }
    let told = server.cli(&["notify", "list", "--org", "contoso"]).await?;
    ensure!(told["recipients"] == json!(["doors@contoso.example"]), "{told}");
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

/// What an auditor asks: who was in this group, at this time.
struct Asked {
    group: String,
    /// As a browser's field has it.
    at: String,
    /// Where that is in the log.
    position: u64,
    /// Who was in it then.
    members: Vec<String>,
}

impl Asked {
    /// Of the groups that had members at noon two days ago: one that is not what it was, if there is
    /// one, or the last.
    async fn of(server: &Server) -> Result<Self> {
        let day = rollcall_tests::clock::now() - chrono::Duration::days(2);
        let at = format!("{}T12:00", day.format("%Y-%m-%d"));
        let then = format!("{at}:00Z");
        let admin = Admin::new(server.address(), &server.operator_key()?);
        let ask = async |path: &str| {
            let target = format!("/api/v1/organizations/contoso/groups{path}");
            admin.get(&target).await?.expect_json(200)
        };
        let groups = ask(&format!("?limit=200&as_of={then}")).await?;
        let mut found = None;
        for group in groups["resources"].as_array().context("groups")? {
            let id = group["id"].as_str().context("id")?;
            let now = format!("/api/v1/organizations/contoso/groups/{id}/members");
            let now = admin.get(&now).await?;
            let now = if now.status == 200 { now.json()? } else { json!({}) };
            let told = ask(&format!("/{id}/members?as_of={then}")).await?;
            let names = told["members"].as_array().context("members")?.iter();
            let names = names.filter_map(|m| m["display"].as_str()).map(str::to_owned);
            let members: Vec<String> = names.collect();
            let group = group["displayName"].as_str().context("displayName")?.to_owned();
            if members.is_empty() {
                continue;
            }
            let position = told["as_of"]["position"].as_u64().context("a position")?;
            found = Some(Self { group, at: at.clone(), position, members });
            if told["members"] != now["members"] {
                break;
            }
        }
        found.with_context(|| format!("no group had members at {then}: {groups}"))
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
    // The group that is asked for, at the time that is asked for, with who let its members in.
    let asked = Asked::of(&server).await?;
    b.fill(css("#group"), &asked.group).await?;
    b.fill(css("#group-day"), &asked.at).await?;
    b.click(role("button", "Find the group")).await?;
    b.click(json!({ "role": "link", "name": asked.group, "exact": true })).await?;
    b.click(role("link", "Address of this view")).await?;
    let (address, seen) = (b.url().await?, b.text(css("#members ~ *")).await?);
    ensure!(address.ends_with(&format!("?as-of=position:{}", asked.position)), "{address}");
    ensure!(b.text(css("main h1")).await? == asked.group);
    let rows = b.tell("count", json!({ "css": "#members ~ .scroll tbody tr" })).await?;
    ensure!(rows == json!(asked.members.len()), "{rows} of {:?}", asked.members);
    for member in &asked.members {
        ensure!(seen.contains(member), "{member} is not among {seen}");
    }
    let by = json!({ "css": "#stays ~ details tbody a[href*='/requests/']" });
    let by = b.tell("count", by).await?.as_u64().unwrap_or_default();
    ensure!(by >= asked.members.len() as u64, "{by} requests let {:?} in", asked.members);
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
