//! What happens to single sign-on while nobody asks: metadata is followed, ends are warned of.

use crate::story::{FLAGS, Story, ada};
use anyhow::{Context as _, Result, ensure};
use openssl::hash::MessageDigest;
use openssl::sign::Verifier;
use openssl::x509::X509;
use rollcall_tests::http::{Http, Request};
use rollcall_tests::server::Store;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use url::form_urlencoded;

/// A server that looks every second.
async fn begin() -> Result<Story> {
    Story::begin_with(Store::Sqlite, &[&FLAGS[..], &["--saml-refresh-secs", "1"]].concat()).await
}

/// Waits until single sign-on is as it should be, and gives it.
async fn until(s: &Story, what: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let shown = s.world.server.cli(&["saml", "show", "--org", "acme"]).await?;
        if is(&shown) {
            return Ok(shown);
        }
        ensure!(Instant::now() < deadline, "{what} did not come: {shown}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn warns(shown: &Value, of: &str) -> bool {
    shown["warnings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .any(|w| w.contains(of))
}

async fn tell(story: impl AsyncFnOnce(&mut Story) -> Result<()>) {
    let told = async { story(&mut begin().await?).await };
    if let Err(e) = told.await {
        panic!("the story failed: {e:#}");
    }
}

#[tokio::test]
async fn metadata_is_followed_by_itself_and_a_failure_is_shown() {
    tell(async |s| {
        let states = |shown: &Value| -> Vec<String> {
            let all = shown["certificates"].as_array().into_iter().flatten();
            all.filter_map(|c| c["state"].as_str().map(str::to_owned)).collect()
        };
        s.idp.publish(1).await?;
        let followed =
            until(s, "the new certificate", |shown| states(shown) == ["former", "trusted"]).await?;
        ensure!(!warns(&followed, "could not be followed"), "{followed}");
        s.idp.publish(7).await?;
        let failed = until(s, "the failure", |shown| warns(shown, "could not be followed")).await?;
        ensure!(states(&failed) == ["former", "trusted"] && failed["ready"] == true, "{failed}");
        s.idp.publish(1).await?;
        until(s, "the end of the failure", |shown| !warns(shown, "could not be followed")).await?;
        Ok(())
    })
    .await;
}

/// The certificate of the identity provider ends in 30 days.
#[tokio::test]
async fn the_end_of_a_certificate_is_an_event_a_warning_and_a_metric() {
    tell(async |s| {
        let deadline = Instant::now() + Duration::from_secs(60);
        let warned = loop {
            let events = s.world.admin.events_after(&s.world.acme.id, 0).await?;
            let warned: Vec<Value> =
                events.into_iter().filter(|e| e["type"] == "SamlCertificateExpiring").collect();
            if !warned.is_empty() {
                break warned;
            }
            ensure!(Instant::now() < deadline, "no warning came");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        ensure!(
            warned.len() == 1 && warned[0]["payload"].to_string().contains("identity"),
            "{warned:?}"
        );
        let shown = s.world.server.cli(&["saml", "show", "--org", "acme"]).await?;
        ensure!(warns(&shown, "of the identity-provider ends in"), "{shown}");
        let http = Http::new(s.world.server.address());
        let metrics = http.send(Request::new("GET", "/metrics")).await?.expect(200)?.text();
        let line = metrics
            .lines()
            .find(|l| l.starts_with("rollcall_saml_certificate_end_seconds{"))
            .context("no metric")?;
        let end: f64 = line.rsplit(' ').next().context("no value")?.parse()?;
        let not_after = shown["certificates"][0]["not_after"].as_str().context("not_after")?;
        ensure!(
            (end - chrono::DateTime::parse_from_rfc3339(not_after)?.timestamp() as f64).abs() < 1.0,
            "{line}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn requests_are_signed_if_the_organization_wants_it() {
    tell(async |s| {
        let server = &s.world.server;
        let without =
            server.command(&["saml", "policy", "--org", "acme", "--sign-requests", "true"]).await?;
        ensure!(!without.status.success(), "requests were to be signed without a key");
        ensure!(
            !s.browser().begin("/saml/acme/login").await?.contains("Signature="),
            "signed without a wish"
        );
        let key = server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        server.cli(&["saml", "policy", "--org", "acme", "--sign-requests", "true"]).await?;
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let query = request.split_once('?').context("no query")?.1;
        let (signed, signature) = query.split_once("&Signature=").context("not signed")?;
        ensure!(
            signed.contains(
                "&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256"
            ),
            "{signed}"
        );
        let signature = form_urlencoded::parse(format!("s={signature}").as_bytes())
            .next()
            .context("a value")?
            .1
            .into_owned();
        let signature = openssl::base64::decode_block(&signature)?;
        let certificate =
            X509::from_pem(key["certificate_pem"].as_str().context("certificate_pem")?.as_bytes())?;
        let holds = Verifier::new(MessageDigest::sha256(), &*certificate.public_key()?)?
            .verify_oneshot(&signature, signed.as_bytes())?;
        ensure!(holds, "the signature does not hold: {query}");
        let response = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        browser.answer(&response).await?.expect(303)?;
        Ok(())
    })
    .await;
}
