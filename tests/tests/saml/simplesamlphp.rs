//! Sign-on with SimpleSAMLphp, an identity provider that others run in production: it is left as it
//! comes, knows us by the metadata that we publish, and people sign in on its own page.

mod server;

use crate::browser::{Browser, code};
use crate::idp::form_value;
use crate::story::{ADA, APP, FLAGS};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Answer;
use rollcall_tests::server::{PUBLIC_URL, Server, Store};
use rollcall_tests::world::World;
use serde_json::{Value, json};
use server::{Program, SimpleSaml};
use std::io::Write as _;

/// A server that trusts a SimpleSAMLphp, which serves it.
struct Place {
    world: World,
    idp: SimpleSaml,
}

/// One person's browser, as the two sites see it.
struct Visitor {
    here: Browser,
    there: Browser,
}

/// The form that a page posts to us as soon as it is shown.
struct Posted {
    response: String,
    relay_state: Option<String>,
}

impl Place {
    async fn begin(idp: SimpleSaml) -> Result<Self> {
        let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &FLAGS).await?;
        let world = World::around(server).await?;
        world
            .server
            .cli(&[
                "saml",
                "configure",
                "--org",
                "acme",
                "--metadata-url",
                &idp.url("/saml2/idp/metadata.php"),
            ])
            .await?;
        let policy = ["saml", "policy", "--org", "acme", "--target", APP];
        let claims = ["name", "upn"]
            .map(|c| format!("claim:http://schemas.xmlsoap.org/ws/2005/05/identity/claims/{c}"));
        let listed = ["object-id", "name-id", &claims[0], &claims[1]];
        let listed: Vec<&str> = listed.iter().flat_map(|i| ["--identifier", *i]).collect();
        world.server.cli(&[&policy[..], &listed].concat()).await?;
        let ada = json!({ "userName": "ada@contoso.example", "externalId": ADA, "displayName": "Ada Keller", "active": true });
        world.scim.post("/Users", &ada).await?.expect(201)?;
        let bob =
            json!({ "userName": "bob@contoso.example", "displayName": "Bob Moor", "active": true });
        world.scim.post("/Users", &bob).await?.expect(201)?;
        let place = Self { world, idp };
        place.tell_about_us().await?;
        Ok(place)
    }

    /// The identity provider reads our metadata as it is now.
    async fn tell_about_us(&self) -> Result<()> {
        let metadata = self.visitor().here.get("/saml/acme/metadata").await?.expect(200)?;
        self.idp.serve(&metadata.text())
    }

    fn visitor(&self) -> Visitor {
        Visitor { here: Browser::new(self.world.server.address()), there: self.idp.browser() }
    }

    async fn cli(&self, args: &[&str]) -> Result<Value> {
        self.world.server.cli(&[args, &["--org", "acme"]].concat()).await
    }

    async fn latest(&self) -> Result<Value> {
        Ok(self.cli(&["logins", "list", "--limit", "1"]).await?[0].take())
    }

    /// Opens a page of SimpleSAMLphp that wants to know who it is; gives the page that came of it.
    async fn identify(
        &self,
        visitor: &mut Visitor,
        url: &str,
        name: &str,
        password: &str,
    ) -> Result<String> {
        let asked = visitor.there.get(self.idp.path(url)?).await?;
        ensure!(asked.status == 302, "no form to sign in: {} {}", asked.status, asked.text());
        let form = self.idp.path(location(&asked)?)?.to_owned();
        let page = visitor.there.get(&form).await?.expect(200)?.text();
        let state = unescaped(&form_value(&page, "AuthState")?);
        let target = form.split('?').next().unwrap_or_default();
        let fields = [("username", name), ("password", password), ("AuthState", state.as_str())];
        Ok(visitor.there.post(target, &fields).await?.expect(200)?.text())
    }

    /// A sign-in that begins at our application, up to where the response is in the browser.
    async fn asked_for(&self, visitor: &mut Visitor, name: &str) -> Result<Posted> {
        let request = visitor
            .here
            .begin("/saml/acme/login?RelayState=https%3A%2F%2Fapp.example%2Fdoors%2F7")
            .await?;
        let page = self.identify(visitor, &request, name, "secret").await?;
        posted(&page)
    }

    async fn sign_in(&self, visitor: &mut Visitor, name: &str) -> Result<Answer> {
        let posted = self.asked_for(visitor, name).await?;
        posted.arrive(visitor).await
    }

    /// Follows SimpleSAMLphp from page to page of its own; gives the address elsewhere that it
    /// leads to.
    async fn sent_on(&self, visitor: &mut Visitor, url: &str) -> Result<String> {
        let mut url = url.to_owned();
        for _ in 0..8 {
            let Ok(path) = self.idp.path(&url) else { return Ok(url) };
            let answer = visitor.there.get(path).await?;
            url = location(&answer)?.to_owned();
        }
        anyhow::bail!("SimpleSAMLphp goes round in circles: {url}")
    }

    /// The certificates of the identity provider that are shown: state and digest.
    async fn theirs(&self) -> Result<Vec<(String, String)>> {
        let shown = self.cli(&["saml", "show"]).await?;
        let all = shown["certificates"].as_array().into_iter().flatten();
        let theirs = all.filter(|c| c["owner"] == "identity-provider");
        Ok(theirs.map(|c| (text(&c["state"]), text(&c["sha256"]))).collect())
    }
}

impl Posted {
    async fn arrive(&self, visitor: &mut Visitor) -> Result<Answer> {
        let mut fields = vec![("SAMLResponse", self.response.as_str())];
        fields.extend(self.relay_state.as_deref().map(|state| ("RelayState", state)));
        visitor.here.post("/saml/acme/acs", &fields).await
    }
}

fn posted(page: &str) -> Result<Posted> {
    ensure!(
        page.contains(&format!("action=\"{PUBLIC_URL}/saml/acme/acs\"")),
        "no form for us: {page}"
    );
    let relay_state = form_value(page, "RelayState").ok().map(|value| unescaped(&value));
    Ok(Posted { response: form_value(page, "SAMLResponse")?, relay_state })
}

fn unescaped(html: &str) -> String {
    html.replace("&quot;", "\"")
        .replace("&#039;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn location(answer: &Answer) -> Result<&str> {
    answer
        .header("location")
        .with_context(|| format!("{}: no Location: {}", answer.asked, answer.text()))
}

/// The path and query of an address below the public URL.
fn ours(address: &str) -> Result<&str> {
    address.strip_prefix(PUBLIC_URL).with_context(|| format!("{address} is not ours"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn people_sign_in_from_the_application_and_from_the_portal() {
    tell("people_sign_in_from_the_application_and_from_the_portal", async |p| {
        // From the application, on the page of SimpleSAMLphp; a wrong password leads back to it.
        let mut ada = p.visitor();
        let request = ada.here.begin("/saml/acme/login").await?;
        let page = p.identify(&mut ada, &request, "ada", "wrong").await?;
        ensure!(page.contains("name=\"password\"") && !page.contains("SAMLResponse"), "{page}");
        let answer = p.sign_in(&mut ada, "ada").await?.expect(303)?;
        ensure!(location(&answer)? == "https://app.example/doors/7", "{:?}", answer.headers);
        ensure!(ada.here.session().await?.expect_json(200)?["user_name"] == "ada@contoso.example");
        let login = p.latest().await?;
        ensure!(login["signed"] == "both" && login["encrypted"] == false && login["matched_by"] == "external-id", "{login}");
        ensure!(login["initiated_by"] == "service-provider" && login["drift"] == json!([]), "{login}");
        // Again in the same browser: SimpleSAMLphp remembers, and asks nothing.
        let request = ada.here.begin("/saml/acme/login").await?;
        let page = ada.there.get(p.idp.path(&request)?).await?.expect(200)?.text();
        posted(&page)?.arrive(&mut ada).await?.expect(303)?;
        // From the identity provider, to an allowed target and to one that is not.
        let mut bob = p.visitor();
        let portal =
            |target: &str| p.idp.url(&format!("/saml2/idp/SSOService.php?spentityid={PUBLIC_URL}/saml/acme/metadata&RelayState={target}"));
        let page = p.identify(&mut bob, &portal("https://app.example/doors/9"), "bob", "secret").await?;
        let answer = posted(&page)?.arrive(&mut bob).await?.expect(303)?;
        ensure!(location(&answer)? == "https://app.example/doors/9", "{:?}", answer.headers);
        let login = p.latest().await?;
        ensure!(login["initiated_by"] == "identity-provider" && login["matched_by"] == "user-name", "{login}");
        let page = bob.there.get(p.idp.path(&portal("https://evil.example/"))?).await?.expect(200)?.text();
        let last = posted(&page)?;
        ensure!(location(&last.arrive(&mut bob).await?.expect(303)?)? == APP, "RelayState leads elsewhere");
        ensure!(code(&last.arrive(&mut p.visitor()).await?.expect(403)?)? == "replayed");
        // Without a name that we know, its transient name id: nobody of ours.
        ensure!(code(&p.sign_in(&mut p.visitor(), "eve").await?.expect(403)?)? == "opaque-name-id");
        // With an object id as well: the one that it names.
        p.sign_in(&mut p.visitor(), "ada-by-id").await?.expect(303)?;
        let login = p.latest().await?;
        ensure!(login["matched_by"] == "external-id", "{login}");
        p.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn requests_are_signed_and_assertions_encrypted_by_what_our_metadata_says() {
    tell("requests_are_signed_and_assertions_encrypted_by_what_our_metadata_says", async |p| {
        let old = p.cli(&["saml", "certificate", "generate"]).await?;
        p.cli(&["saml", "policy", "--sign-requests", "true"]).await?;
        p.tell_about_us().await?;
        p.idp.set("encrypt", json!(true))?;
        p.sign_in(&mut p.visitor(), "ada").await?.expect(303)?;
        let login = p.latest().await?;
        ensure!(login["encrypted"] == true && login["signed"] == "both", "{login}");
        // It does look at the signature: none, and one over something else, go no further.
        let mut visitor = p.visitor();
        let request = visitor.here.begin("/saml/acme/login").await?;
        let (bare, signature) =
            request.split_once("&SigAlg=").context("the request is not signed")?;
        let other = visitor.here.begin("/saml/acme/login").await?;
        let (other, _) = other.split_once("&SigAlg=").context("the request is not signed")?;
        let forged = format!("{other}&SigAlg={signature}");
        for (request, says) in [
            (bare, "no signature found on message"),
            (&forged, "Unable to validate signature on query string"),
        ] {
            let page = visitor.there.get(p.idp.path(request)?).await?.text();
            ensure!(page.contains(says), "{page}");
        }
        p.identify(&mut visitor, &request, "ada", "secret").await?;
        // Our certificate is followed by the next one: what is encrypted to either is read, until
        // the old one is taken away.
        p.cli(&["saml", "policy", "--sign-requests", "false"]).await?;
        p.tell_about_us().await?;
        p.cli(&["saml", "certificate", "rotate"]).await?;
        p.sign_in(&mut p.visitor(), "ada").await?.expect(303)?;
        let mut visitor = p.visitor();
        let encrypted_to_old = p.asked_for(&mut visitor, "ada").await?;
        p.cli(&["saml", "certificate", "retire", &text(&old["key_id"])]).await?;
        ensure!(code(&encrypted_to_old.arrive(&mut visitor).await?.expect(403)?)? == "decryption");
        p.tell_about_us().await?;
        p.sign_in(&mut p.visitor(), "ada").await?.expect(303)?;
        ensure!(p.latest().await?["encrypted"] == true);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn its_key_rolls_over_while_somebody_signs_in() {
    tell("its_key_rolls_over_while_somebody_signs_in", async |p| {
        p.sign_in(&mut p.visitor(), "ada").await?.expect(303)?;
        let old = text(&p.latest().await?["certificate"]);
        // Announced beside the old one, which goes on signing.
        p.idp.set("next_key", json!("two"))?;
        ensure!(p.cli(&["saml", "refresh"]).await?["changed"] == true);
        let theirs = p.theirs().await?;
        ensure!(
            theirs.len() == 2 && theirs.iter().all(|(state, _)| state == "trusted"),
            "{theirs:?}"
        );
        p.sign_in(&mut p.visitor(), "ada").await?.expect(303)?;
        ensure!(p.latest().await?["certificate"] == old.as_str(), "not the old key");
        // One response is on its way when the key changes, and one request.
        let (mut early, mut late) = (p.visitor(), p.visitor());
        let signed_by_old = p.asked_for(&mut early, "ada").await?;
        let request = late.here.begin("/saml/acme/login").await?;
        p.idp.set("key", json!("two"))?;
        p.idp.set("next_key", Value::Null)?;
        signed_by_old.arrive(&mut early).await?.expect(303)?;
        let page = p.identify(&mut late, &request, "ada", "secret").await?;
        posted(&page)?.arrive(&mut late).await?.expect(303)?;
        let new = text(&p.latest().await?["certificate"]);
        ensure!(
            new != old && theirs.iter().any(|(_, sha256)| *sha256 == new),
            "{new} is not among {theirs:?}"
        );
        // The old one leaves the metadata, and is trusted no more.
        let stale = p.visitor();
        ensure!(p.cli(&["saml", "refresh"]).await?["changed"] == true);
        let theirs = p.theirs().await?;
        ensure!(
            theirs.contains(&("former".to_owned(), old.clone()))
                && theirs.contains(&("trusted".to_owned(), new)),
            "{theirs:?}"
        );
        let mut stale = stale;
        p.idp.set("key", json!("one"))?;
        let signed_by_old = p.asked_for(&mut stale, "ada").await?;
        p.idp.set("key", json!("two"))?;
        ensure!(code(&signed_by_old.arrive(&mut stale).await?.expect(403)?)? == "unknown-key");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn signing_out_here_signs_out_there_and_the_other_way() {
    tell("signing_out_here_signs_out_there_and_the_other_way", async |p| {
        p.cli(&["saml", "certificate", "generate"]).await?;
        p.tell_about_us().await?;
        // Here: our session, then the one of the identity provider, and back to where it began.
        let mut ada = p.visitor();
        p.sign_in(&mut ada, "ada").await?.expect(303)?;
        let asked = ada
            .here
            .get("/saml/acme/logout?RelayState=https%3A%2F%2Fapp.example%2Fdoors%2F")
            .await?
            .expect(303)?;
        ada.here.session().await?.expect(401)?;
        let back = p.sent_on(&mut ada, location(&asked)?).await?;
        let done = ada.here.get(ours(&back)?).await?.expect(303)?;
        ensure!(location(&done)? == APP, "{:?}", done.headers);
        // It asks again who it is.
        p.sign_in(&mut ada, "ada").await?.expect(303)?;
        // There: the request comes in a browser that may keep our cookies to itself.
        let out = p.idp.url("/saml2/idp/initSLO.php?RelayState=https://portal.example/");
        let asked = p.sent_on(&mut ada, &out).await?;
        let answered = p.visitor().here.get(ours(&asked)?).await?.expect(303)?;
        ada.here.session().await?.expect(401)?;
        let page = p.sent_on(&mut ada, location(&answered)?).await?;
        ensure!(page == "https://portal.example/", "{page}");
        let sessions = p.cli(&["sessions", "list"]).await?;
        let ends: Vec<String> =
            sessions.as_array().into_iter().flatten().map(|s| text(&s["end_reason"])).collect();
        ensure!(ends == ["signed-out-at-identity-provider", "signed-out"], "{ends:?}");
        let request = ada.here.begin("/saml/acme/login").await?;
        p.identify(&mut ada, &request, "ada", "secret").await?;
        p.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

/// Runs a story with a SimpleSAMLphp of its own.
///
/// Where the distribution has no such package the story is left out, and that is said past the
/// tests' own capture of what they print.
///
/// # Panics
/// If the story fails, or SimpleSAMLphp could be there and is not.
async fn tell(name: &str, story: impl AsyncFnOnce(&mut Place) -> Result<()>) {
    let program = match Program::find() {
        Ok(Program::Here(program)) => program,
        Ok(Program::NotPackaged(why)) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {why}");
            return;
        }
        Err(e) => panic!("the story could not begin: {e:#}"),
    };
    let people = json!({
        "ada:secret": { "uid": "ada@contoso.example", "mail": "ada@contoso.example", "objectId": ADA },
        "bob:secret": { "uid": "bob@contoso.example", "mail": "bob@contoso.example" },
        "eve:secret": { "mail": "ada@contoso.example" },
        "ada-by-id:secret": { "objectId": ADA },
    });
    let begun = async { Place::begin(SimpleSaml::start(&program, people).await?).await };
    let mut place = match begun.await {
        Ok(place) => place,
        Err(e) => panic!("the story could not begin: {e:#}"),
    };
    if let Err(e) = story(&mut place).await {
        panic!("the story failed: {e:#}");
    }
}
