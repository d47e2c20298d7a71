//! The simulated identity provider over a socket, as a browser and an administrator meet it.

use crate::forge::{ACS, ENTITY, Forge, SLO, id};
use anyhow::{Context as _, Result, ensure};
use rollcall_domain::saml::{Reason, SignedParts, attribute_names};
use rollcall_entra::idp::server::{Ambient, Shared, serve};
use rollcall_entra::idp::{IdentityProvider, SigningKey, SigningOption};
use rollcall_saml::{AuthnOptions, Connection, Expected, Policy, ServiceProvider, metadata};
use rollcall_tests::http::{Address, Answer, Http, Request};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A provider that runs, and somebody with a browser.
struct World {
    forge: Forge,
    shared: Shared,
    http: Http,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    async fn start() -> Result<Self> {
        let forge = Forge::new();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let idp = IdentityProvider { base_url: format!("http://{address}"), ..forge.idp.clone() };
        let now = forge.now;
        let shared = Shared::new(idp, Ambient { now: Arc::new(move || now), id: Arc::new(id) });
        let server = tokio::spawn(serve(listener, shared.clone()));
        Ok(Self { forge, shared, http: Http::new(Address::new(&address.to_string())), server })
    }

    /// A service provider that has just fetched the metadata.
    async fn sp(&self, policy: Policy) -> Result<ServiceProvider> {
        let url = self.shared.with(|idp| idp.metadata_url());
        let answer = self.get(&url).await?.expect(200)?;
        let idp = metadata::parse(&answer.body, self.forge.now)?.settings;
        Ok(ServiceProvider::new(Connection { idp, ..self.forge.connection(policy) })?)
    }

    async fn get(&self, url: &str) -> Result<Answer> {
        let target =
            url.strip_prefix(&self.http.address().url()).context("an address of the provider")?;
        self.http.send(Request::new("GET", target)).await
    }

    /// Presses a button of a form: sends all its fields, and the button's.
    async fn press(&self, page: &Answer, button: Option<(&str, &str)>) -> Result<Answer> {
        let form = Form::of(&page.text())?;
        let fields: Vec<(String, String)> = form
            .fields
            .into_iter()
            .chain(button.map(|(n, v)| (n.to_owned(), v.to_owned())))
            .collect();
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = Request::new("POST", form.action)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        self.http.send(request).await
    }
}

/// The form of a page, with its hidden fields.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl Form {
    fn of(page: &str) -> Result<Self> {
        let attribute = |tag: &str, name: &str| {
            let rest = tag.split_once(&format!("{name}=\""))?.1;
            Some(
                rest.split_once('"')?
                    .0
                    .replace("&quot;", "\"")
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&amp;", "&"),
            )
        };
        let form = page.split_once("<form ").context("no form")?.1;
        let action = attribute(form, "action").context("a form without action")?;
        let fields = form
            .split("<input ")
            .skip(1)
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
            .collect();
        Ok(Self { action, fields })
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }
        })
        .collect()
}

#[tokio::test]
async fn somebody_picks_an_account_and_comes_back_signed_in() -> Result<()> {
    let world = World::start().await?;
    let sp = world.sp(Policy::default()).await?;
    let options = AuthnOptions { relay_state: Some("a \"key\""), ..AuthnOptions::default() };
    let page = world
        .get(&sp.authn_request(&world.forge.request, world.forge.now, &options)?)
        .await?
        .expect(200)?;
    ensure!(
        page.text().contains("Pick an account") && page.text().contains("Ada Keller"),
        "{}",
        page.text()
    );
    let upn = world.forge.person.user_principal_name.as_str();
    let form = Form::of(&world.press(&page, Some(("user", upn))).await?.expect(200)?.text())?;
    assert_eq!(form.action, ACS);
    assert_eq!(form.value("RelayState"), Some("a \"key\""));
    let expected = Expected { now: world.forge.now, requests: &[&world.forge.request] };
    let assertion =
        sp.read_response(form.value("SAMLResponse").context("a response")?, expected)?;
    assert_eq!(assertion.name_id.value.value(), upn);
    assert_eq!(assertion.in_response_to.as_deref(), Some(world.forge.request.as_str()));

    // Who is expected and known is not asked.
    let options = AuthnOptions { login_hint: Some(upn), ..AuthnOptions::default() };
    let page = world
        .get(&sp.authn_request(&world.forge.request, world.forge.now, &options)?)
        .await?
        .expect(200)?;
    ensure!(Form::of(&page.text())?.value("SAMLResponse").is_some(), "{}", page.text());
    Ok(())
}

#[tokio::test]
async fn a_tile_begins_at_the_provider() -> Result<()> {
    let world = World::start().await?;
    let tile = format!("{}/{}/tile", world.http.address().url(), world.forge.idp.tenant_id);
    let page = world.get(&tile).await?.expect(200)?;
    let form = Form::of(
        &world
            .press(&page, Some(("user", &world.forge.person.user_principal_name)))
            .await?
            .expect(200)?
            .text(),
    )?;
    let response = form.value("SAMLResponse").context("a response")?;
    let expected = Expected { now: world.forge.now, requests: &[] };
    let strict =
        world.sp(Policy::default()).await?.read_response(response, expected).expect_err("accepted");
    assert_eq!(strict.reason, Reason::Unsolicited);
    let open = Policy { allow_idp_initiated: true, ..Policy::default() };
    assert_eq!(world.sp(open).await?.read_response(response, expected)?.in_response_to, None);
    Ok(())
}

#[tokio::test]
async fn keys_and_options_change_while_it_runs() -> Result<()> {
    let world = World::start().await?;
    let before = world.sp(Policy::default()).await?;
    let next = SigningKey::generate(world.forge.now, 1_095)?;
    world.shared.with(|idp| {
        let key = idp.add_key(next);
        idp.activate(key);
        idp.retire_others();
        idp.signing = SigningOption::Both;
        idp.encrypt_for = world.forge.ours()[0].certificate_der().ok();
    });
    let options = AuthnOptions {
        login_hint: Some(&world.forge.person.user_principal_name),
        ..AuthnOptions::default()
    };
    let page = world
        .get(&before.authn_request(&world.forge.request, world.forge.now, &options)?)
        .await?
        .expect(200)?;
    let form = Form::of(&page.text())?;
    let response = form.value("SAMLResponse").context("a response")?;
    let expected = Expected { now: world.forge.now, requests: &[&world.forge.request] };
    assert_eq!(
        before.read_response(response, expected).expect_err("accepted").reason,
        Reason::UnknownKey
    );
    let assertion = world.sp(Policy::default()).await?.read_response(response, expected)?;
    assert_eq!((assertion.signed, assertion.encrypted), (SignedParts::Both, true));
    Ok(())
}

#[tokio::test]
async fn logout_both_ways() -> Result<()> {
    let world = World::start().await?;
    let sp = world.sp(Policy::default()).await?;
    let upn = world.forge.person.user_principal_name.clone();
    let options = AuthnOptions { login_hint: Some(&upn), ..AuthnOptions::default() };
    let page = world
        .get(&sp.authn_request(&world.forge.request, world.forge.now, &options)?)
        .await?
        .expect(200)?;
    let expected = Expected { now: world.forge.now, requests: &[&world.forge.request] };
    let assertion = sp.read_response(
        Form::of(&page.text())?.value("SAMLResponse").context("a response")?,
        expected,
    )?;

    let request = id();
    let url = sp.logout_request(
        &request,
        world.forge.now,
        &assertion.name_id,
        assertion.session_index.as_deref(),
        None,
    )?;
    let answer = world.get(&url).await?.expect(302)?;
    let back = answer.header("location").context("a redirect")?;
    let (address, query) = back.split_once('?').context("a query")?;
    assert_eq!(address, SLO);
    ensure!(sp.read_logout_response(query, world.forge.now, &[&request])?.success);

    let sign_out = format!(
        "{}/{}/sign-out?user={}",
        world.http.address().url(),
        world.forge.idp.tenant_id,
        encoded(&upn)
    );
    let answer = world.get(&sign_out).await?.expect(302)?;
    let (_, query) =
        answer.header("location").context("a redirect")?.split_once('?').context("a query")?;
    let read = sp.read_logout_request(query, world.forge.now)?;
    assert_eq!(read.name_id.value, assertion.name_id.value);
    assert_eq!(Some(read.session_indexes), assertion.session_index.map(|s| vec![s]));
    Ok(())
}

#[tokio::test]
async fn what_entra_would_complain_about() -> Result<()> {
    let world = World::start().await?;
    world.shared.with(|idp| {
        idp.people[0].unassigned = true;
    });
    let sp = world.sp(Policy::default()).await?;
    let request = |entity_id: &str, acs_url: &str| -> Result<String> {
        let connection = Connection {
            entity_id: entity_id.to_owned(),
            acs_url: acs_url.to_owned(),
            ..sp.connection().clone()
        };
        let options = AuthnOptions {
            login_hint: Some(&world.forge.person.user_principal_name),
            ..AuthnOptions::default()
        };
        Ok(ServiceProvider::new(connection)?.authn_request(
            &world.forge.request,
            world.forge.now,
            &options,
        )?)
    };
    for (url, code) in [
        (request("https://nobody.example", ACS)?, "AADSTS700016"),
        (request(ENTITY, "https://evil.example/acs")?, "AADSTS50011"),
        (request(ENTITY, ACS)?, "AADSTS50105"),
    ] {
        let page = world.get(&url).await?.expect(400)?.text();
        ensure!(page.contains(code) && !page.contains("SAMLResponse"), "{code}: {page}");
    }
    Ok(())
}

/// A program that ends with the test.
struct Program(tokio::process::Child);

impl Program {
    fn start(arguments: &[&str]) -> Result<(Self, tokio::process::ChildStdout)> {
        let mut command = tokio::process::Command::new(rollcall_tests::server::binary()?);
        let mut child = command
            .args(arguments)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let said = child.stdout.take().context("no output")?;
        Ok((Self(child), said))
    }
}

#[tokio::test]
async fn the_command_line_runs_one() -> Result<()> {
    let forge = Forge::new();
    let folder = tempfile::tempdir()?;
    let (metadata_file, certificate) =
        (folder.path().join("metadata.xml"), folder.path().join("ours.pem"));
    std::fs::write(&certificate, forge.ours()[0].certificate_pem()?)?;
    let (metadata_path, certificate_path) =
        (metadata_file.to_string_lossy().into_owned(), certificate.to_string_lossy().into_owned());
    let arguments = [
        "simulate",
        "idp",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--identifier",
        ENTITY,
        "--reply-url",
        ACS,
        "--user",
        "bo@contoso.example,1c1b9b1e-7f0c-4b6a-9d6a-2f2f5a4a7a10,Bo Berg",
        "--sign",
        "both",
        "--encrypt-for",
        &certificate_path,
        "--metadata-out",
        &metadata_path,
    ];
    let (program, said) = Program::start(&arguments)?;
    let mut lines = BufReader::new(said).lines();
    let mut text = String::new();
    while let Some(line) = lines.next_line().await? {
        text.push_str(&line);
        if line == "}" {
            break;
        }
    }
    let said: serde_json::Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    let url = said["metadata_url"].as_str().context("a metadata URL")?.to_owned();
    let (authority, path) =
        url.trim_start_matches("http://").split_once('/').context("an address")?;
    let http = Http::new(Address::new(authority));
    let fetched = http.send(Request::new("GET", format!("/{path}"))).await?.expect(200)?.body;
    let idp = metadata::parse(&fetched, forge.now)?.settings;
    assert_eq!(
        idp,
        metadata::parse(&std::fs::read(&metadata_file)?, forge.now)?.settings,
        "the file says something else"
    );
    assert_eq!(said["certificate_sha256"], idp.signing_certificates[0].sha256);
    let sp = ServiceProvider::new(Connection { idp, ..forge.connection(Policy::default()) })?;
    let options =
        AuthnOptions { login_hint: Some("bo@contoso.example"), ..AuthnOptions::default() };
    let login = sp.authn_request(&forge.request, forge.now, &options)?;
    let target =
        login.strip_prefix(&format!("http://{authority}")).context("the provider's address")?;
    let page = http.send(Request::new("GET", target)).await?.expect(200)?.text();
    let response = Form::of(&page)?.value("SAMLResponse").context("a response")?.to_owned();
    let assertion =
        sp.read_response(&response, Expected { now: forge.now, requests: &[&forge.request] })?;
    assert_eq!(assertion.attribute(attribute_names::DISPLAY_NAME), Some("Bo Berg"));
    assert_eq!((assertion.signed, assertion.encrypted), (SignedParts::Both, true));
    drop(program);

    let elsewhere =
        ["simulate", "idp", "--listen", "0.0.0.0:0", "--identifier", ENTITY, "--reply-url", ACS];
    let (mut program, _) = Program::start(&elsewhere)?;
    ensure!(!program.0.wait().await?.success(), "it listens to strangers");
    Ok(())
}
