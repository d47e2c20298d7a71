//! Members of a group use the console by signing in through their organization: in a browser, on two
//! processes; and whoever is not of that group, whatever they try.

use super::chromium::{Chromium, css, role};
use super::portal::{identity_provider_of, person};
use super::visitor::{OURS, Visitor, form, free_port};
use anyhow::{Context as _, Result, ensure};
use rollcall_entra::idp::Person;
use rollcall_entra::idp::server::Shared;
use rollcall_tests::http::Http;
use rollcall_tests::scim::{Scim, add_members, remove_member};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{issue, organization, start_cluster};
use serde_json::{Value, json};

const ACME: &str = "acme";

/// A server whose organizations sign on, with a browser.
struct Scene {
    server: Server,
    url: String,
    scim: Scim,
    browser: Chromium,
    idp: Shared,
}

fn somebody(name: &str, n: u32) -> Person {
    let given = name.split('@').next().unwrap_or_default().to_owned();
    Person {
        object_id: format!("0a1b2c3d-1111-4222-8333-{n:012}"),
        display_name: given.clone(),
        mail: name.to_owned(),
        given_name: given,
        ..person(name)
    }
}

fn people() -> Vec<Person> {
    let names = ["ada@contoso.example", "bob@contoso.example", "eve@contoso.example"];
    (1..).zip(names).map(|(n, name)| somebody(name, n)).collect()
}

/// Starts a server with this public URL; it listens there as well, if it is the first.
async fn server(store: Store, url: &str, listens: bool, more: &[&str]) -> Result<Server> {
    let flags = ["--rate-limit", "0", "--allow-private-metadata", "--public-url", url];
    let listen = ["--listen", url.trim_start_matches("http://")];
    let listen = if listens { &listen[..] } else { &[] };
    let flags = [&flags[..], listen, more].concat();
    Server::start_with(store, &std::env::temp_dir(), &flags).await
}

/// Lets an organization sign on at an identity provider of its own.
async fn signs_on(server: &Server, url: &str, slug: &str) -> Result<Shared> {
    let (idp, metadata) = identity_provider_of(url, slug, people()).await?;
    server.cli(&["saml", "configure", "--org", slug, "--metadata-url", &metadata]).await?;
    server.cli(&["saml", "certificate", "generate", "--org", slug]).await?;
    Ok(idp)
}

impl Scene {
    async fn new(store: Store, more: &[&str]) -> Result<Self> {
        let url = format!("http://127.0.0.1:{}", free_port()?);
        let server = server(store, &url, true, more).await?;
        organization(&server, "Acme", ACME).await?;
        let token = issue(&server, ACME).await?.secret;
        let scim = Scim::anonymous(server.address()).with_token(&token);
        let idp = signs_on(&server, &url, ACME).await?;
        let mut browser = Chromium::start().await?;
        browser.open("somebody", json!({})).await?;
        Ok(Self { server, url, scim, browser, idp })
    }

    /// A group with these members opens the console.
    async fn opens(&self, name: &str, role: &str, members: &[&str]) -> Result<String> {
        let group = self.scim.create_group(name).await?;
        self.joins(&group, members).await?;
        let set = ["console", "group", "set", "--org", ACME, "--group", name, "--role", role];
        let set = self.server.cli(&set).await?;
        ensure!(set["group_id"] == group.as_str() && set["role"] == role, "{set}");
        Ok(group)
    }

    async fn joins(&self, group: &str, members: &[&str]) -> Result<()> {
        let operations = add_members(members);
        self.scim.operations(&format!("/Groups/{group}"), operations).await?.expect(204)?;
        Ok(())
    }

    /// Signs somebody in at an organization's identity provider, from the console's page, in a
    /// browser of their own; gives what the application's cookie holds.
    async fn signs_in(&mut self, slug: &str, name: &str) -> Result<String> {
        let b = &mut self.browser;
        b.open(name, json!({})).await?;
        b.goto(&format!("{}/sign-in/organization/{slug}", self.url)).await?;
        b.click(role("link", "Sign in through your organization")).await?;
        b.click(css(&format!("button[value='{name}']"))).await?;
        b.wait("main h1", 20).await?;
        self.cookie("__Host-rollcall-session").await
    }

    async fn cookie(&mut self, name: &str) -> Result<String> {
        let cookies = self.browser.tell("cookies", json!({})).await?;
        let mut cookies = cookies.as_array().context("cookies")?.iter();
        let found = cookies.find(|cookie| cookie["name"] == name);
        let value = found.and_then(|cookie| cookie["value"].as_str());
        value.map(str::to_owned).with_context(|| format!("no {name}"))
    }

    /// Presses Continue at an organization with the application's session.
    async fn continues(&self, slug: &str, session: &str) -> Result<(u16, Visitor)> {
        let mut visitor = Visitor::new(Http::new(self.server.address()));
        let request = form(&format!("/sign-in/organization/{slug}"), &[])
            .header(OURS.0, OURS.1)
            .header("Cookie", format!("__Host-rollcall-session={session}"));
        let status = visitor.send(request).await?.status;
        ensure!((status == 303) == visitor.cookie.is_some(), "{status}: {:?}", visitor.cookie);
        Ok((status, visitor))
    }

    /// Why people were turned away.
    async fn told(&self) -> Result<String> {
        let list = ["exchanges", "list", "--org", ACME, "--strangers"];
        Ok(self.server.cli(&list).await?.to_string())
    }
}

async fn user(scim: &Scim, name: &str) -> Result<String> {
    let body = json!({ "userName": name, "displayName": name, "active": true });
    let made = scim.post("/Users", &body).await?.expect_json(201)?;
    rollcall_tests::scim::id(made)
}

#[tokio::test]
async fn a_member_of_the_group_is_in_until_they_leave_it_on_both_processes() {
    let cluster = start_cluster().await;
    if let Err(e) = both(&cluster.url()).await {
        panic!("{e:?}");
    }
}

async fn both(database: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("deployment.key");
    let key = ["--deployment-key-file", key.to_str().context("a path")?];
    let store = || Store::Postgres(database.to_owned());
    let mut s = Scene::new(store(), &key).await?;
    let two = server(store(), &s.url, false, &key).await?;
    let ada = user(&s.scim, "ada@contoso.example").await?;
    let admins = s.opens("Console admins", "admin", &[&ada]).await?;
    let auditors = s.opens("Console auditors", "auditor", &[]).await?;

    // From a page of the organization to its identity provider and back, by what stands there.
    let url = s.url.clone();
    let b = &mut s.browser;
    b.goto(&format!("{url}/o/acme")).await?;
    b.is_sound("sign in").await?;
    b.click(role("button", "Continue")).await?;
    b.wait("main a.button", 20).await?;
    b.is_sound("the organization's page").await?;
    b.click(role("link", "Sign in through your organization")).await?;
    b.click(css("button[value='ada@contoso.example']")).await?;
    b.wait("main form", 20).await?;
    ensure!(b.url().await? == format!("{url}/sign-in/organization/acme"), "{}", b.url().await?);
    b.tell("complaints", json!({})).await?;
    b.is_sound("who may come in").await?;
    ensure!(b.goto(&format!("{url}/o/acme")).await? == 200);
    ensure!(b.url().await?.contains("/sign-in"), "coming back begins nothing");
    b.goto(&format!("{url}/sign-in/organization/acme")).await?;
    b.click(role("button", "Continue as Admin")).await?;
    b.wait("#cycles", 20).await?;
    b.is_sound("the console").await?;
    let who = b.text(css(".who span")).await?;
    ensure!(who.contains("ada@contoso.example"), "{who}");
    ensure!(b.goto(&format!("{url}/o/acme/access")).await? == 200);
    b.is_sound("who has access").await?;

    // Lists that only sign-ins fill.
    for list in ["/logins", "/sessions?all=on", "/users"] {
        b.goto(&format!("{url}/o/acme{list}")).await?;
        let rows = b.tell("count", json!({ "css": "main tbody tr" })).await?;
        ensure!(rows != json!(0), "{list} is empty");
        b.is_sound(list).await?;
    }

    // It is one session on both; what is done is done by the person.
    let console = s.cookie("__Host-rollcall-console").await?;
    let mut there = Visitor::new(Http::new(two.address()));
    there.cookie = Some(console);
    let token = there.token("/o/acme").await?;
    let fields = [("token", token.as_str()), ("do", "disable"), ("confirm", ACME)];
    there.post("/o/acme/connection/scim", &fields).await?.expect(303)?;
    s.server.cli(&["scim", "enable", "--org", ACME]).await?;
    let events = ["events", "list", "--org", ACME, "--type", "ScimDisabled"];
    let event = s.server.cli(&events).await?;
    ensure!(event[0]["actor"] == json!({ "kind": "user", "user": ada }), "{event}");
    // Nobody opens the console to others who came in by a group.
    let fields = [("token", token.as_str()), ("group", "Console auditors"), ("role", "admin")];
    there.post("/o/acme/access/group", &fields).await?.expect(403)?;

    // Out with the answer to Entra's request, at the other process.
    let scim = Scim::anonymous(two.address()).with_token(s.scim.token().context("a token")?);
    let leaves = scim.operations(&format!("/Groups/{admins}"), remove_member(&ada)).await?;
    leaves.expect(204)?;
    let b = &mut s.browser;
    b.goto(&format!("{url}/o/acme/access")).await?;
    ensure!(b.url().await?.contains("/sign-in?to="), "{}", b.url().await?);
    there.post("/o/acme/connection/scim", &[("token", &token)]).await?.expect(303)?;
    let sessions = ["console", "sessions", "--org", ACME];
    let listed = s.server.cli(&sessions).await?;
    ensure!(listed[0]["live"] == false && listed[0]["label"] == "ada@contoso.example", "{listed}");

    // In the other group they are what that group is.
    s.joins(&auditors, &[&ada]).await?;
    there.get("/o/acme").await?.expect(200)?;
    there.get("/o/acme/access").await?.expect(403)?;
    there.post("/o/acme/connection/sso", &[("token", &token)]).await?.expect(403)?;

    // Switched off, and on again: the session of the application is over, and so is this one.
    for active in [false, true] {
        let path = format!("/Users/{ada}");
        let set = json!([{ "op": "replace", "path": "active", "value": active }]);
        scim.operations(&path, set).await?.expect(200)?;
        there.get("/o/acme").await?.expect(303)?;
    }
    // The operator takes the group out.
    let session = s.signs_in(ACME, "ada@contoso.example").await?;
    let (status, mut again) = s.continues(ACME, &session).await?;
    ensure!(status == 303);
    let remove = ["console", "group", "remove", "--org", ACME, "--group", "Console auditors"];
    s.server.cli(&remove).await?;
    again.get("/o/acme").await?.expect(303)?;
    Ok(())
}

#[tokio::test]
async fn nobody_else_comes_in() {
    if let Err(e) = nobody_else().await {
        panic!("{e:?}");
    }
}

async fn nobody_else() -> Result<()> {
    let mut s = Scene::new(Store::Sqlite, &[]).await?;
    let ada = user(&s.scim, "ada@contoso.example").await?;
    let bob = user(&s.scim, "bob@contoso.example").await?;
    let eve = user(&s.scim, "eve@contoso.example").await?;
    let admins = s.opens("Admins", "admin", &[&ada]).await?;
    s.opens("Auditors", "auditor", &[&ada, &bob]).await?;
    let inner = s.scim.create_group("Inner").await?;
    s.joins(&inner, &[&eve]).await?;
    s.joins(&admins, &[&inner]).await?;

    // Whoever is in a group within the group is not in the group.
    let session = s.signs_in(ACME, "eve@contoso.example").await?;
    s.browser.is_sound("who may not come in").await?;
    let told = s.browser.text(css("[role=alert]")).await?;
    ensure!(told.contains("eve@contoso.example"), "{told}");
    ensure!(s.continues(ACME, &session).await?.0 == 403, "by a group within the group");
    ensure!(s.told().await?.contains("in-no-group"), "{}", s.told().await?);

    // In groups of both, they are an admin; and no link or cookie makes an auditor one.
    let ada_session = s.signs_in(ACME, "ada@contoso.example").await?;
    let (_, mut admin) = s.continues(ACME, &ada_session).await?;
    admin.get("/o/acme/access").await?.expect(200)?;
    let bob_session = s.signs_in(ACME, "bob@contoso.example").await?;
    let (_, mut auditor) = s.continues(ACME, &bob_session).await?;
    auditor.get("/o/acme").await?.expect(200)?;
    auditor.get("/o/acme/access").await?.expect(403)?;

    // Another organization, whose people and groups are called the same.
    organization(&s.server, "Globex", "globex").await?;
    let token = issue(&s.server, "globex").await?.secret;
    let globex = s.scim.with_token(&token);
    let other = user(&globex, "ada@contoso.example").await?;
    let group = globex.create_group("Admins").await?;
    globex.operations(&format!("/Groups/{group}"), add_members(&[&other])).await?.expect(204)?;
    signs_on(&s.server, &s.url, "globex").await?;
    let foreign = s.signs_in("globex", "ada@contoso.example").await?;
    for slug in [ACME, "globex"] {
        ensure!(s.continues(slug, &foreign).await?.0 == 403, "globex's Ada at {slug}");
    }
    ensure!(s.continues("globex", &ada_session).await?.0 == 403, "acme's Ada at globex");
    admin.get("/o/globex").await?.expect(404)?;
    let set = ["console", "group", "set", "--org", ACME, "--group", &group, "--role", "admin"];
    ensure!(s.server.cli(&set).await.is_err(), "a group of another organization");

    // Begun at the identity provider, not here.
    s.server.cli(&["saml", "policy", "--org", ACME, "--idp-initiated", "true"]).await?;
    let tile = s.idp.with(|idp| format!("{}/{}/tile", idp.base_url, idp.tenant_id));
    s.browser.open("tile", json!({})).await?;
    s.browser.goto(&tile).await?;
    s.browser.click(css("button[value='ada@contoso.example']")).await?;
    s.browser.wait("main h1", 20).await?;
    let unasked = s.cookie("__Host-rollcall-session").await?;
    ensure!(s.continues(ACME, &unasked).await?.0 == 403, "what the identity provider began");
    ensure!(s.told().await?.contains("no-session"));

    // A page of another site begins nothing, nor does opening an address.
    let request = form("/sign-in/organization/acme", &[])
        .header("Sec-Fetch-Site", "cross-site")
        .header("Cookie", format!("__Host-rollcall-session={ada_session}"));
    let mut visitor = Visitor::new(Http::new(s.server.address()));
    ensure!(visitor.send(request).await?.status == 403 && visitor.cookie.is_none());

    // The person is meant, not the name: Ada is called otherwise, and somebody else Ada.
    let rename = |name: &str| json!([{ "op": "replace", "path": "userName", "value": name }]);
    s.scim.operations(&format!("/Users/{ada}"), rename("ada.moor@contoso.example")).await?;
    admin.get("/o/acme").await?.expect(200)?;
    user(&s.scim, "ada@contoso.example").await?;
    s.idp.with(|idp| idp.people[0] = somebody("ada@contoso.example", 9));
    let namesake = s.signs_in(ACME, "ada@contoso.example").await?;
    ensure!(s.continues(ACME, &namesake).await?.0 == 403, "somebody of the same name");

    // The group is meant, not its name.
    s.scim.delete(&format!("/Groups/{admins}")).await?.expect(204)?;
    admin.get("/o/acme/access").await?.expect(403)?;
    let anew = s.scim.create_group("Admins").await?;
    s.joins(&anew, &[&ada, &bob]).await?;
    admin.get("/o/acme/access").await?.expect(403)?;
    auditor.get("/o/acme/access").await?.expect(403)?;
    let groups = s.server.cli(&["console", "group", "list", "--org", ACME]).await?;
    let gone = groups.as_array().context("groups")?.iter().find(|g| g["group_id"] == *admins);
    ensure!(gone.is_some_and(|g| g["group"] == Value::Null && g["members"] == 0), "{groups}");
    s.server.cli(&["console", "group", "remove", "--org", ACME, "--group", &admins]).await?;

    // Deleted, they are gone.
    s.scim.delete(&format!("/Users/{bob}")).await?.expect(204)?;
    auditor.get("/o/acme").await?.expect(303)?;
    ensure!(s.continues(ACME, &bob_session).await?.0 == 403);
    Ok(())
}
