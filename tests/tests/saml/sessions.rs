//! What a session lives through: SCIM, logout on both sides, the operator.

use crate::story::tell;
use anyhow::{Context as _, ensure};
use rollcall_tests::http::Request;
use serde_json::json;

#[tokio::test]
async fn scim_ends_sessions_at_once_and_the_time_is_kept() {
    tell(async |s| {
        let (mut browser, _) = s.signed_in().await?;
        let (mut other, _) = s.signed_in().await?;
        browser.session().await?.expect(200)?;
        s.deactivate().await?;
        browser.session().await?.expect(401)?;
        let listed = s.world.server.cli(&["sessions", "list", "--org", "acme"]).await?;
        let of = |i: usize, field: &str| listed[i][field].clone();
        ensure!(
            of(0, "state") == "ended"
                && of(1, "state") == "ended"
                && of(0, "end_reason") == "deactivated",
            "{listed}"
        );
        // Newest first: the first browser's session was asked for, the other's was not yet.
        let took = of(1, "refused_after_ms").as_u64().context("no time was kept")?;
        ensure!(of(0, "refused_after_ms").is_null(), "{listed}");
        browser.session().await?.expect(401)?;
        other.session().await?.expect(401)?;
        let again = s.world.server.cli(&["sessions", "list", "--org", "acme"]).await?;
        ensure!(
            again[1]["refused_after_ms"] == took && again[0]["refused_after_ms"].is_u64(),
            "{again}"
        );
        ensure!(again[0]["ended_by"].is_string(), "the SCIM exchange is not named: {again}");
        // Switched on again, she has to sign in again.
        s.world
            .scim
            .operations(
                &format!("/Users/{}", s.ada),
                json!([{ "op": "Replace", "path": "active", "value": "True" }]),
            )
            .await?
            .expect(200)?;
        browser.session().await?.expect(401)?;
        s.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_deleted_user_has_no_session() {
    tell(async |s| {
        let (mut browser, _) = s.signed_in().await?;
        s.world.scim.delete(&format!("/Users/{}", s.ada)).await?.expect(204)?;
        browser.session().await?.expect(401)?;
        let listed = s.world.server.cli(&["sessions", "list", "--org", "acme"]).await?;
        ensure!(
            listed[0]["end_reason"] == "deleted" && listed[0]["refused_after_ms"].is_u64(),
            "{listed}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_session_is_asked_for_by_cookie_or_by_bearer_and_ended_by_the_operator() {
    tell(async |s| {
        let (mut browser, _) = s.signed_in().await?;
        let token = browser.token().context("no session")?.to_owned();
        let http = rollcall_tests::http::Http::new(s.world.server.address());
        let ask = |token: &str| {
            Request::new("GET", "/api/v1/session")
                .header("Authorization", format!("Bearer {token}"))
        };
        let body = http.send(ask(&token)).await?.expect_json(200)?;
        http.send(ask("rollcall_session_guess")).await?.expect(401)?;
        http.send(Request::new("GET", "/api/v1/session")).await?.expect(401)?;
        s.world
            .server
            .cli(&[
                "sessions",
                "end",
                "--org",
                "acme",
                body["session_id"].as_str().context("session_id")?,
            ])
            .await?;
        browser.session().await?.expect(401)?;
        let live = s.world.server.cli(&["sessions", "list", "--org", "acme", "--live"]).await?;
        ensure!(live.as_array().is_some_and(Vec::is_empty), "{live}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn signing_out_here_ends_the_session_and_asks_the_identity_provider() {
    tell(async |s| {
        s.world.server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        let (mut browser, _) = s.signed_in().await?;
        let token = browser.token().context("no session")?.to_owned();
        let answer = browser.get("/saml/acme/logout").await?.expect(303)?;
        let location = answer.header("location").context("no Location")?;
        ensure!(
            location.starts_with(&s.idp.url("/slo"))
                && location.contains("SAMLRequest=")
                && location.contains("Signature="),
            "{location}"
        );
        let http = rollcall_tests::http::Http::new(s.world.server.address());
        let ask = Request::new("GET", "/api/v1/session")
            .header("Authorization", format!("Bearer {token}"));
        http.send(ask).await?.expect(401)?;
        let events = s.world.admin.events_after(&s.world.acme.id, 0).await?;
        let last = events.last().context("no event")?;
        ensure!(
            last["type"] == "UserSessionEnded" && last["payload"]["end"] == "signed-out",
            "{last}"
        );
        // Somebody without a session is signed out already.
        s.browser().get("/saml/acme/logout").await?.expect(200)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_session_lasts_no_longer_than_the_policy_says() {
    tell(async |s| {
        s.world.server.cli(&["saml", "policy", "--org", "acme", "--session-minutes", "5"]).await?;
        let (mut browser, _) = s.signed_in().await?;
        let session = browser.session().await?.expect_json(200)?;
        let instant = |name: &str| {
            session[name]
                .as_str()
                .and_then(|t| chrono::DateTime::parse_from_rfc3339(t).ok())
                .context("an instant")
        };
        let lasts = instant("expires_at")? - instant("began_at")?;
        ensure!(
            lasts <= chrono::TimeDelta::minutes(5) && lasts > chrono::TimeDelta::minutes(4),
            "{session}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn sessions_end_by_user_by_organization_and_altogether() {
    tell(async |s| {
        let bob = json!({ "userName": "bob@contoso.example", "active": true });
        s.world.scim.post("/Users", &bob).await?.expect(201)?;
        let bob = crate::idp::Someone::new("bob@contoso.example", None);
        let response = s.idp.sign_in(None, &bob, &json!({})).await?;
        let mut bobs = s.browser();
        bobs.answer(&response).await?.expect(303)?;
        let (mut first, _) = s.signed_in().await?;
        let (mut second, _) = s.signed_in().await?;
        let end = ["sessions", "end", "--org", "acme"];
        let of_ada = [&end[..], &["--user", "ada@contoso.example"]].concat();
        ensure!(s.world.server.cli(&of_ada).await?["ended"] == 2);
        first.session().await?.expect(401)?;
        second.session().await?.expect(401)?;
        bobs.session().await?.expect(200)?;
        ensure!(s.world.server.cli(&[&end[..], &["--all"]].concat()).await?["ended"] == 1);
        bobs.session().await?.expect(401)?;
        s.signed_in().await?;
        ensure!(s.world.server.cli(&["sessions", "end", "--all"]).await?["ended"] == 1);
        for wrong in [&["sessions", "end"][..], &end[..], &["sessions", "end", "--user", "ada"]] {
            ensure!(!s.world.server.command(wrong).await?.status.success(), "{wrong:?}");
        }
        s.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn sessions_end_with_what_they_rest_on() {
    tell(async |s| {
        let ended = async |why: &str| {
            let listed = s.world.server.cli(&["sessions", "list", "--org", "acme"]).await?;
            ensure!(listed[0]["state"] == "ended" && listed[0]["end_reason"] == why, "{listed}");
            anyhow::Ok(())
        };
        let (mut browser, _) = s.signed_in().await?;
        s.world.server.cli(&["saml", "disable", "--org", "acme"]).await?;
        browser.session().await?.expect(401)?;
        ended("single-sign-on-disabled").await?;
        s.world.server.cli(&["saml", "enable", "--org", "acme"]).await?;
        browser.session().await?.expect(401)?;
        // The same identity provider again, told by a document, replaces nothing.
        let (mut browser, _) = s.signed_in().await?;
        let url = s.idp.url("/metadata");
        let again = ["saml", "configure", "--org", "acme", "--metadata-url", &url];
        s.world.server.cli(&again).await?;
        browser.session().await?.expect(200)?;
        let other = crate::idp::Idp::start_as(
            "https://sts.windows.net/22222222-2222-4333-8444-555555555555/",
        )
        .await?;
        let url = other.url("/metadata");
        s.world.server.cli(&["saml", "configure", "--org", "acme", "--metadata-url", &url]).await?;
        browser.session().await?.expect(401)?;
        ended("identity-provider-replaced").await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_session_that_nobody_asks_for_ends() {
    tell(async |s| {
        let policy = ["saml", "policy", "--org", "acme", "--idle-minutes"];
        s.world.server.cli(&[&policy[..], &["1"]].concat()).await?;
        let (mut browser, _) = s.signed_in().await?;
        browser.session().await?.expect(200)?;
        // As if it had begun, and been asked for, a while ago.
        let views = rusqlite::Connection::open(s.world.server.data().join("views.db"))?;
        views.busy_timeout(std::time::Duration::from_secs(10))?;
        let changed = views.execute("UPDATE sessions SET began = began - 61000000", [])?;
        ensure!(changed == 1, "{changed} sessions");
        browser.session().await?.expect(401)?;
        let listed = s.world.server.cli(&["sessions", "list", "--org", "acme"]).await?;
        ensure!(listed[0]["end_reason"] == "idle", "{listed}");
        s.world.server.cli(&[&policy[..], &["0"]].concat()).await?;
        ensure!(s.world.server.cli(&policy[..4]).await?["idle_minutes"].is_null());
        Ok(())
    })
    .await;
}
