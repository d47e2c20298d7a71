//! Entra in a box as the identity provider: its metadata, its sign-in, its rollover, its logout.

use crate::browser::{Browser, code};
use crate::idp::{ISSUER, form_value};
use crate::story::{ADA, APP, FLAGS};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_entra::idp::server::{Ambient, Shared, serve};
use rollcall_entra::idp::{Application, Hash, IdentityProvider, Person, SigningKey, SigningOption};
use rollcall_tests::clock::now;
use rollcall_tests::http::{Address, Answer, Http, Request};
use rollcall_tests::server::{PUBLIC_URL, Server, Store};
use rollcall_tests::world::World;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub const ADA_NAME: &str = "ada@contoso.example";

/// A running tenant and the server that trusts it.
pub struct Tenant {
    pub world: World,
    entra: Shared,
    http: Http,
    base: String,
    ids: u64,
}

impl Tenant {
    pub async fn begin() -> Result<Self> {
        let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &FLAGS).await?;
        let world = World::around(server).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let authority = listener.local_addr()?.to_string();
        let at = |action: &str| format!("{PUBLIC_URL}/saml/acme/{action}");
        let ada = Person {
            object_id: ADA.to_owned(),
            user_principal_name: ADA_NAME.to_owned(),
            mail: ADA_NAME.to_owned(),
            given_name: "Ada".to_owned(),
            surname: "Keller".to_owned(),
            display_name: "Ada Keller".to_owned(),
            groups: Vec::new(),
            guest_of: None,
            unassigned: false,
        };
        let provider = IdentityProvider {
            tenant_id: TENANT.to_owned(),
            base_url: format!("http://{authority}"),
            application: Application {
                app_id: "99999999-2222-4333-8444-555555555555".to_owned(),
                entity_id: at("metadata"),
                reply_urls: vec![at("acs")],
                logout_url: Some(at("logout")),
            },
            keys: vec![SigningKey::generate(now(), 100)?],
            active: 0,
            signing: SigningOption::default(),
            hash: Hash::Sha256,
            encrypt_for: None,
            people: vec![ada],
        };
        let metadata_url = provider.metadata_url();
        let drawn = Arc::new(AtomicU64::new(now().timestamp_micros().unsigned_abs()));
        let id = move || format!("_{:032x}", drawn.fetch_add(1, Ordering::Relaxed));
        let entra = Shared::new(provider, Ambient { now: Arc::new(now), id: Arc::new(id) });
        tokio::spawn(serve(listener, entra.clone()));
        world
            .server
            .cli(&["saml", "configure", "--org", "acme", "--metadata-url", &metadata_url])
            .await?;
        world.server.cli(&["saml", "policy", "--org", "acme", "--target", APP]).await?;
        let body = json!({ "userName": ADA_NAME, "externalId": ADA, "displayName": "Ada Keller", "active": true,
            "name": { "givenName": "Ada", "familyName": "Keller" }, "emails": [{ "type": "work", "value": ADA_NAME }] });
        world.scim.post("/Users", &body).await?.expect(201)?;
        let http = Http::new(Address::new(&authority));
        Ok(Self { world, entra, http, base: format!("http://{authority}"), ids: 0 })
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.world.server.address())
    }

    /// GET at Entra.
    async fn entra(&self, url: &str) -> Result<Answer> {
        let target =
            url.strip_prefix(&self.base).with_context(|| format!("{url} is not Entra's"))?;
        self.http.send(Request::new("GET", target)).await
    }

    /// A sign-in that begins at the application; gives the answer of the reply URL.
    pub async fn sign_in(&self, browser: &mut Browser) -> Result<Answer> {
        let request = browser.begin("/saml/acme/login?login_hint=ada%40contoso.example").await?;
        self.sent_to(browser, &request).await
    }

    /// Signs in where the browser was sent to; gives the answer of the reply URL.
    pub async fn sent_to(&self, browser: &mut Browser, request: &str) -> Result<Answer> {
        let page = self.entra(request).await?.expect(200)?.text();
        browser.answer(&form_value(&page, "SAMLResponse")?).await
    }

    /// A sign-in from the tile in My Apps.
    async fn tile(&mut self, browser: &mut Browser) -> Result<Answer> {
        self.ids += 1;
        let ids = self.ids;
        let response = self.entra.with(|p| {
            let ada = p.people[0].clone();
            let mut n = 0;
            let token = p.token(&ada, None, None, now(), || {
                n += 1;
                format!("_{:016x}{:016x}", ids + 1_000, n)
            });
            p.issue(&token)
        })?;
        browser.answer(&STANDARD.encode(response)).await
    }
}

/// The path and query of an address below the public URL.
pub fn here(address: &str) -> Result<&str> {
    address.strip_prefix(PUBLIC_URL).with_context(|| format!("{address} is not ours"))
}

pub fn location(answer: &Answer) -> Result<&str> {
    answer.header("location").with_context(|| format!("{}: no Location", answer.asked))
}

#[tokio::test]
async fn entras_tokens_are_read_in_every_shape_and_through_a_rollover() {
    tell(async |t| {
        ensure!(
            t.world.server.cli(&["saml", "show", "--org", "acme"]).await?["idp_entity_id"]
                == ISSUER
        );
        for signing in [SigningOption::Assertion, SigningOption::Response, SigningOption::Both] {
            t.entra.with(|p| p.signing = signing);
            t.sign_in(&mut t.browser()).await?.expect(303)?;
        }
        let mut browser = t.browser();
        t.tile(&mut browser).await?.expect(303)?;
        ensure!(browser.session().await?.expect_json(200)?["external_id"] == ADA);
        let drifted = t.world.server.cli(&["logins", "list", "--org", "acme", "--drifted"]).await?;
        ensure!(drifted == json!([]), "drift where there is none: {drifted}");
        // Token encryption, with the certificate that was downloaded.
        let key = t.world.server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        let pem = key["certificate_pem"].as_str().context("certificate_pem")?;
        let der =
            STANDARD.decode(pem.lines().filter(|l| !l.starts_with('-')).collect::<String>())?;
        t.entra.with(|p| p.encrypt_for = Some(der));
        t.sign_in(&mut t.browser()).await?.expect(303)?;
        let latest =
            t.world.server.cli(&["logins", "list", "--org", "acme", "--limit", "1"]).await?;
        ensure!(latest[0]["encrypted"] == true, "{latest}");
        // A key that is announced only when it signs: one fetch, and in the middle of a login.
        let fresh = SigningKey::generate(now(), 100)?;
        t.entra.with(|p| {
            let key = p.add_key(fresh);
            p.activate(key);
            p.retire_others();
        });
        t.sign_in(&mut t.browser()).await?.expect(303)?;
        // A key that the metadata does not have is nobody's.
        let foreign = SigningKey::generate(now(), 100)?;
        let mut stranger = t.entra.with(|p| p.clone());
        stranger.keys = vec![foreign];
        stranger.active = 0;
        let ada = stranger.people[0].clone();
        let mut n = 0;
        let token = stranger.token(&ada, None, None, now(), || {
            n += 1;
            format!("_{n:032x}")
        });
        let refused =
            t.browser().answer(&STANDARD.encode(stranger.issue(&token)?)).await?.expect(403)?;
        ensure!(code(&refused)? == "unknown-key", "{}", refused.text());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn logout_goes_both_ways_and_needs_no_cookie() {
    tell(async |t| {
        t.world.server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        // Entra asks, in a frame without cookies.
        let mut browser = t.browser();
        t.sign_in(&mut browser).await?.expect(303)?;
        browser.session().await?.expect(200)?;
        let asked = t
            .entra(&format!("{}/{TENANT}/sign-out?user=ada%40contoso.example", t.base))
            .await?
            .expect(302)?;
        let answer = t.browser().get(here(location(&asked)?)?).await?.expect(303)?;
        browser.session().await?.expect(401)?;
        t.entra(location(&answer)?).await?.expect(200)?;
        let sessions = t.world.server.cli(&["sessions", "list", "--org", "acme"]).await?;
        ensure!(sessions[0]["end_reason"] == "signed-out-at-identity-provider", "{sessions}");
        // What was asked is kept once the session has ended, and both name the exchange.
        let mut events = t.world.admin.events_after(&t.world.acme.id, 0).await?;
        let last = events.pop().context("no event")?;
        let ended = events.pop().context("no event before it")?;
        let exchanges = t.world.admin.exchanges(&t.world.acme.id).await?;
        let logouts: Vec<_> =
            exchanges.iter().filter(|e| e["operation"] == "saml.logout").collect();
        ensure!(logouts.len() == 1 && logouts[0]["id"] == last["exchange"], "{logouts:?}");
        let id = last["exchange"].as_str().context("exchange")?;
        let kept = t.world.server.cli(&["exchanges", "show", "--org", "acme", id]).await?;
        let positions = json!([last["position"], last["position"]]);
        ensure!(
            last["type"] == "SamlLogoutRequested" && kept["positions"] == positions,
            "{kept} {last}"
        );
        ensure!(
            ended["type"] == "UserSessionEnded" && ended["exchange"] == last["exchange"],
            "{ended}"
        );
        // It is carried out once, and of the message the hash is kept.
        let again = t.browser().get(here(location(&asked)?)?).await?.expect(403)?;
        ensure!(code(&again)? == "replayed");
        let target = kept["exchange"]["target"].as_str().context("target")?;
        ensure!(target.contains("SAMLRequest=sha256:") && target.len() < 1_000, "{target}");
        // A logout request that nobody signed ends nothing.
        t.sign_in(&mut browser).await?.expect(303)?;
        let asked = t
            .entra(&format!("{}/{TENANT}/sign-out?user=ada%40contoso.example", t.base))
            .await?
            .expect(302)?;
        let bare = here(location(&asked)?)?.split("&SigAlg=").next().unwrap_or_default().to_owned();
        t.browser().get(&bare).await?.expect(403)?;
        browser.session().await?.expect(200)?;
        // The person asks: here first, then at Entra, and back.
        let asked = browser.get("/saml/acme/logout").await?.expect(303)?;
        browser.session().await?.expect(401)?;
        let back = t.entra(location(&asked)?).await?.expect(302)?;
        let done = browser.get(here(location(&back)?)?).await?.expect(200)?;
        ensure!(done.text().contains("Signed out"), "{}", done.text());
        t.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

async fn tell(story: impl AsyncFnOnce(&mut Tenant) -> Result<()>) {
    let mut tenant = match Tenant::begin().await {
        Ok(tenant) => tenant,
        Err(e) => panic!("the story could not begin: {e:#}"),
    };
    if let Err(e) = story(&mut tenant).await {
        panic!("the story failed: {e:#}");
    }
}
