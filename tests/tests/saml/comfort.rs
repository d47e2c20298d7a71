//! What a person meets in the browser: tabs, reloads, other sites, and pages in plain words.

use crate::browser::{Browser, code};
use crate::idp::Someone;
use crate::story::{APP, ada, tell};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Http, Request};
use rollcall_tests::server::PUBLIC_URL;
use serde_json::json;

const METHODS: &str = "http://schemas.microsoft.com/claims/authnmethodsreferences";
const MFA: &str = "http://schemas.microsoft.com/claims/multipleauthn";

/// However many sign-ins somebody began, or another site began for them, the last one works.
#[tokio::test]
async fn many_tabs_lock_nobody_out() {
    tell(async |s| {
        let mut browser = s.browser();
        for _ in 0..30 {
            browser.begin("/saml/acme/login").await?;
        }
        let target = "https%3A%2F%2Fapp.example%2Fdoors%2F9";
        let request = browser.begin(&format!("/saml/acme/login?RelayState={target}")).await?;
        let response = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        ensure!(browser.cookies() <= 9, "{} cookies", browser.cookies());
        let answer = browser.answer(&response).await?.expect(303)?;
        ensure!(answer.header("location") == Some("https://app.example/doors/9"));
        // A reload, or a double click, ends where the first one did.
        let again = browser.answer(&response).await?.expect(303)?;
        ensure!(again.header("location") == Some("https://app.example/doors/9"));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_the_identity_provider_began_replaces_no_session_of_somebody_else() {
    tell(async |s| {
        let bob = json!({ "userName": "bob@contoso.example", "active": true });
        s.world.scim.post("/Users", &bob).await?.expect(201)?;
        let bob = Someone::new("bob@contoso.example", None);
        let (mut browser, _) = s.signed_in().await?;
        let pushed = s.idp.sign_in(None, &bob, &json!({})).await?;
        ensure!(code(&browser.answer(&pushed).await?.expect(403)?)? == "other-session");
        ensure!(browser.session().await?.expect_json(200)?["user_name"] == "ada@contoso.example");
        // The same person may press the tile again, and whoever begins here means it.
        let tile = s.idp.sign_in(None, &ada(), &json!({})).await?;
        browser.answer(&tile).await?.expect(303)?;
        let request = browser.begin("/saml/acme/login").await?;
        let response = s.idp.sign_in(Some(&request), &bob, &json!({})).await?;
        browser.answer(&response).await?.expect(303)?;
        ensure!(browser.session().await?.expect_json(200)?["user_name"] == "bob@contoso.example");
        Ok(())
    })
    .await;
}

async fn from_site(browser: &Browser, method: &str, site: &str) -> Result<(u16, String)> {
    let request = Request::new(method, "/saml/acme/logout")
        .header("Cookie", browser.cookie_line())
        .header("Sec-Fetch-Site", site);
    let answer = Http::new(browser.address()).send(request).await?;
    Ok((answer.status, answer.text()))
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_out() {
    tell(async |s| {
        let (mut browser, _) = s.signed_in().await?;
        let (status, page) = from_site(&browser, "GET", "cross-site").await?;
        ensure!(status == 200 && page.contains("<button>Sign out</button>"), "{page}");
        browser.session().await?.expect(200)?;
        from_site(&browser, "POST", "cross-site").await?;
        browser.session().await?.expect(200)?;
        let (status, page) = from_site(&browser, "POST", "same-origin").await?;
        ensure!(matches!(status, 200 | 303) && !page.contains("<button>Sign"), "{status} {page}");
        browser.session().await?.expect(401)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn how_people_prove_who_they_are_is_the_organizations_to_ask() {
    tell(async |s| {
        let policy = ["saml", "policy", "--org", "acme"];
        let ask = [&policy[..], &["--authn-context", MFA, "--force-authn", "true"]].concat();
        let shown = s.world.server.cli(&ask).await?;
        ensure!(shown["authn_contexts"] == json!([MFA]) && shown["force_authn"] == true, "{shown}");
        let sign_in = async |who: &Someone| {
            let mut browser = s.browser();
            let request = browser.begin("/saml/acme/login").await?;
            let sent = crate::idp::request_of(&request)?;
            ensure!(sent.contains("ForceAuthn=\"true\"") && sent.contains(MFA), "{sent}");
            let response = s.idp.sign_in(Some(&request), who, &json!({})).await?;
            browser.answer(&response).await
        };
        let weak = sign_in(&ada()).await?.expect(403)?;
        ensure!(code(&weak)? == "weak-authentication");
        sign_in(&ada().claims(METHODS, MFA)).await?.expect(303)?;
        let class = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
        s.world.server.cli(&[&policy[..], &["--authn-context", class]].concat()).await?;
        let browser_begun = s.idp.sign_in(None, &ada(), &json!({})).await?;
        s.browser().answer(&browser_begun).await?.expect(303)?;
        let wrong = [&policy[..], &["--authn-context", "not a uri"]].concat();
        ensure!(!s.world.server.command(&wrong).await?.status.success());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_organization_may_be_called_otherwise_than_its_metadata() {
    tell(async |s| {
        let name = "urn:example:doors";
        s.world.server.cli(&["saml", "policy", "--org", "acme", "--entity-id", name]).await?;
        let shown = s.world.server.cli(&["saml", "show", "--org", "acme"]).await?;
        ensure!(shown["identifier"] == name, "{shown}");
        let metadata = s.browser().get("/saml/acme/metadata").await?.expect(200)?.text();
        ensure!(metadata.contains(&format!("entityID=\"{name}\"")), "{metadata}");
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        ensure!(crate::idp::request_of(&request)?.contains(name));
        // Meant for the old name, and so for somebody else.
        let response = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        ensure!(code(&browser.answer(&response).await?.expect(403)?)? == "audience");
        let wrong = ["saml", "policy", "--org", "acme", "--entity-id", "no uri"];
        ensure!(!s.world.server.command(&wrong).await?.status.success());
        s.world.server.cli(&["saml", "policy", "--org", "acme", "--entity-id", ""]).await?;
        s.signed_in().await?;
        Ok(())
    })
    .await;
}

/// Whose page it is, what happened, how to go on, and what to pass on; and nothing from elsewhere.
#[tokio::test]
async fn a_page_says_in_words_what_happened_and_what_to_do() {
    tell(async |s| {
        let mut browser = s.browser();
        let answer = browser.answer("bm90IHhtbA==").await?.expect(403)?;
        let page = answer.text();
        let again = format!("href=\"{PUBLIC_URL}/saml/acme/login\"");
        for wanted in ["Acme", "You are not signed in", &again, "Try to sign in again", "<time"] {
            ensure!(page.contains(wanted), "{wanted} is not on {page}");
        }
        let reference = answer.header("exchange-id").context("no reference")?;
        ensure!(page.contains(reference) && page.contains("id=\"copy\""), "{page}");
        let policy = answer.header("content-security-policy").context("no policy")?;
        ensure!(!policy.contains("unsafe") && policy.starts_with("default-src 'none'"), "{policy}");
        for (file, kind) in [("page.css", "text/css"), ("page.js", "text/javascript")] {
            let drawn = browser.get(&format!("/saml/acme/{file}")).await?.expect(200)?;
            ensure!(drawn.header("content-type").is_some_and(|t| t.starts_with(kind)), "{file}");
        }
        // Nothing that is told becomes markup.
        s.world.server.cli(&["org", "create", "<b>&\"'", "--domain", "odd"]).await?;
        let page = s.browser().get("/saml/odd/login").await?.expect(404)?.text();
        ensure!(page.contains("&lt;b&gt;&amp;&quot;&#39;") && !page.contains("<b>"), "{page}");
        ensure!(s.browser().get("/saml/nobody/login").await?.expect(404)?.text().contains("<h1>"));
        ensure!(APP.starts_with("https://"));
        Ok(())
    })
    .await;
}
