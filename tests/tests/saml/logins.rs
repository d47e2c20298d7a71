//! Who is let in, and who is not.

use crate::browser::code;
use crate::idp::Someone;
use crate::story::{APP, ada, tell};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

#[tokio::test]
async fn a_login_from_the_application_is_one_event_of_the_user_in_one_append() {
    tell(async |s| {
        let mut browser = s.browser();
        let request = browser
            .begin(&format!(
                "/saml/acme/login?RelayState={}&login_hint=ada%40contoso.example",
                "https%3A%2F%2Fapp.example%2Fdoors%2F7"
            ))
            .await?;
        ensure!(request.contains("login_hint=ada%40contoso.example"), "{request}");
        let response = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        let answer = browser.answer(&response).await?.expect(303)?;
        ensure!(
            answer.header("location") == Some("https://app.example/doors/7"),
            "{:?}",
            answer.headers
        );
        let cookie =
            answer.headers.get("set-cookie").and_then(|v| v.to_str().ok()).unwrap_or_default();
        for needed in ["__Host-rollcall-session=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            ensure!(cookie.contains(needed), "{needed} is not in {cookie}");
        }
        let session = browser.session().await?.expect_json(200)?;
        ensure!(
            session["user_id"] == s.ada.as_str() && session["user_name"] == "ada@contoso.example",
            "{session}"
        );

        let login = s.latest().await?;
        ensure!(login["outcome"] == "accepted" && login["user_id"] == s.ada.as_str(), "{login}");
        ensure!(
            login["matched_by"] == "user-name" && login["initiated_by"] == "service-provider",
            "{login}"
        );
        ensure!(
            login["source"] == "127.0.0.1"
                && login["certificate"].as_str().is_some_and(|c| c.len() == 64),
            "{login}"
        );
        // The event and its exchange are of one append, and about the same user as SCIM's.
        let events = s.world.admin.events_after(&s.world.acme.id, 0).await?;
        let event = events.last().context("no event")?;
        ensure!(
            event["type"] == "UserSignedIn"
                && event["subject"] == s.ada.as_str()
                && event["aggregate"] == "User",
            "{event}"
        );
        ensure!(
            event["exchange"] == login["exchange"]
                && event["actor"] == json!({ "kind": "user", "user": s.ada }),
            "{event}"
        );
        let exchanges = s.world.admin.exchanges(&s.world.acme.id).await?;
        let acs: Vec<&Value> = exchanges.iter().filter(|x| x["operation"] == "saml.acs").collect();
        ensure!(
            acs.len() == 1
                && acs[0]["last_position"] == event["position"]
                && acs[0]["status"] == 303,
            "{acs:?}"
        );
        // That somebody begins has no consequence yet.
        let begun = ["exchanges", "list", "--org", "acme", "--strangers"];
        let begun = s.world.server.cli(&begun).await?;
        ensure!(begun[0]["operation"] == "saml.login" && begun[1].is_null(), "{begun}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_login_leaves_the_scim_resource_alone() {
    tell(async |s| {
        let before = s.world.scim.get(&format!("/Users/{}", s.ada)).await?.expect_json(200)?;
        let said = ada().claims("http://schemas.microsoft.com/identity/claims/displayname", "Ada K.");
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let response = s.idp.sign_in(Some(&request), &said, &json!({})).await?;
        browser.answer(&response).await?.expect(303)?;
        let after = s.world.scim.get(&format!("/Users/{}", s.ada)).await?.expect_json(200)?;
        ensure!(before == after, "a login changed the resource: {after}");
        // What the assertion said otherwise is reported, and nothing else is done about it.
        let drifted = s.world.server.cli(&["logins", "list", "--org", "acme", "--drifted"]).await?;
        ensure!(drifted[0]["drift"] == json!([{ "attribute": "displayName", "scim": "Ada Keller", "asserted": "Ada K." }]), "{drifted}");
        // A later change by SCIM goes on from the version that SCIM knows.
        let etag = before["meta"]["version"].as_str().context("version")?.to_owned();
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{ "op": "replace", "path": "title", "value": "Guard" }] });
        let request = s.world.scim.request("PATCH", &format!("/Users/{}", s.ada)).header("If-Match", etag);
        s.world.scim.send(request.json("application/scim+json", &body)).await?.expect(200)?;
        s.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_login_from_the_identity_provider_is_the_organizations_to_allow() {
    tell(async |s| {
        let response = s.idp.sign_in(None, &ada(), &json!({})).await?;
        let mut browser = s.browser();
        let fields = [("SAMLResponse", response.as_str()), ("RelayState", "https://evil.example/")];
        let answer = browser.post("/saml/acme/acs", &fields).await?.expect(303)?;
        ensure!(
            answer.header("location") == Some(APP),
            "RelayState leads elsewhere: {:?}",
            answer.headers
        );
        ensure!(s.latest().await?["initiated_by"] == "identity-provider");
        s.world
            .server
            .cli(&["saml", "policy", "--org", "acme", "--idp-initiated", "false"])
            .await?;
        let response = s.idp.sign_in(None, &ada(), &json!({})).await?;
        ensure!(code(&s.browser().answer(&response).await?.expect(403)?)? == "unsolicited");
        // A response that names a request is never taken for one that does not.
        s.world.server.cli(&["saml", "policy", "--org", "acme", "--idp-initiated", "true"]).await?;
        let request = s.browser().begin("/saml/acme/login").await?;
        let response = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        let mut victim = s.browser();
        ensure!(code(&victim.answer(&response).await?.expect(403)?)? == "unknown-request");
        ensure!(victim.token().is_none(), "a session in another browser");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn every_way_to_sign_is_accepted() {
    tell(async |s| {
        for (options, signed) in [
            (json!({}), "assertion"),
            (json!({ "signAssertion": false, "signResponse": true }), "response"),
            (json!({ "signResponse": true }), "both"),
        ] {
            let mut browser = s.browser();
            let request = browser.begin("/saml/acme/login").await?;
            let response = s.idp.sign_in(Some(&request), &ada(), &options).await?;
            browser.answer(&response).await?.expect(303)?;
            ensure!(s.latest().await?["signed"] == signed, "{options}");
        }
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let nothing = json!({ "signAssertion": false });
        let response = s.idp.sign_in(Some(&request), &ada(), &nothing).await?;
        ensure!(code(&browser.answer(&response).await?.expect(403)?)? == "not-signed");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_certificate_may_roll_over_in_the_middle() {
    tell(async |s| {
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        // The metadata is fetched once more, because the key is not known; it does not help yet.
        let with_new = json!({ "key": 1 });
        s.idp.publish(1).await?;
        let response = s.idp.sign_in(Some(&request), &ada(), &with_new).await?;
        browser.answer(&response).await?.expect(303)?;
        let login = s.latest().await?;
        let shown = s.world.server.cli(&["saml", "show", "--org", "acme"]).await?;
        let states: Vec<(&Value, &Value)> = shown["certificates"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| (&c["state"], &c["sha256"]))
            .collect();
        ensure!(
            states.len() == 2 && states[0].0 == "former" && states[1].0 == "trusted",
            "{states:?}"
        );
        ensure!(
            states[1].1 == &login["certificate"],
            "not verified by the new certificate: {login}"
        );
        // The old one is trusted no more, and the fetch that an unknown key causes is limited.
        let request = browser.begin("/saml/acme/login").await?;
        let response = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        ensure!(code(&browser.answer(&response).await?.expect(403)?)? == "unknown-key");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_to_do_and_the_operator_why() {
    tell(async |s| {
        let try_as = async |who: &Someone| {
            let mut browser = s.browser();
            let request = browser.begin("/saml/acme/login").await?;
            let response = s.idp.sign_in(Some(&request), who, &json!({})).await?;
            let answer = browser.answer(&response).await?.expect(403)?;
            ensure!(
                answer
                    .header("content-security-policy")
                    .is_some_and(|p| p.contains("default-src 'none'")),
                "no CSP"
            );
            ensure!(
                !answer.text().contains("<script>") && !answer.text().contains("contoso.example"),
                "{}",
                answer.text()
            );
            browser.session().await?.expect(401)?;
            let login = s.latest().await?;
            ensure!(
                login["exchange"] == answer.header("exchange-id").unwrap_or_default(),
                "{login}"
            );
            ensure!(
                answer.text().contains(login["exchange"].as_str().unwrap_or("?")),
                "the page does not name the exchange"
            );
            ensure!(
                login["reason"] == code(&answer)?.as_str() && login["detail"].is_string(),
                "{login}"
            );
            let shown = s
                .world
                .server
                .cli(&[
                    "logins",
                    "show",
                    "--org",
                    "acme",
                    login["exchange"].as_str().unwrap_or_default(),
                ])
                .await?;
            ensure!(shown == login, "{shown}");
            anyhow::Ok(login)
        };
        let nobody = try_as(&Someone::new("eve@contoso.example", None)).await?;
        ensure!(nobody["reason"] == "unknown-user" && nobody["user_id"].is_null(), "{nobody}");
        let guest = try_as(&Someone::new("bob_fabrikam.com#EXT#@contoso.example", None)).await?;
        ensure!(guest["reason"] == "unknown-guest", "{guest}");
        let other = try_as(&Someone::new(
            "ada@contoso.example",
            Some("8f0f0c5c-1111-4000-8000-000000000002"),
        ))
        .await?;
        ensure!(other["reason"] == "other-person", "{other}");
        s.deactivate().await?;
        let inactive = try_as(&ada()).await?;
        ensure!(
            inactive["reason"] == "inactive-user" && inactive["user_id"] == s.ada.as_str(),
            "{inactive}"
        );
        let events = s.world.admin.events_after(&s.world.acme.id, 0).await?;
        let kinds: Vec<&str> = events
            .iter()
            .filter_map(|e| e["type"].as_str())
            .filter(|t| t.contains("Login"))
            .collect();
        ensure!(
            kinds == ["LoginRefused", "LoginRefused", "UserLoginRefused", "UserLoginRefused"],
            "{kinds:?}"
        );
        s.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn somebody_new_becomes_a_user_only_where_that_is_allowed() {
    tell(async |s| {
        s.world.server.cli(&["saml", "policy", "--org", "acme", "--just-in-time", "true"]).await?;
        let eve = Someone::new("eve@contoso.example", Some("8f0f0c5c-1111-4000-8000-000000000009"))
            .claims("http://schemas.microsoft.com/identity/claims/displayname", "Eve Moor");
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let response = s.idp.sign_in(Some(&request), &eve, &json!({})).await?;
        browser.answer(&response).await?.expect(303)?;
        let user = browser.session().await?.expect_json(200)?["user_id"]
            .as_str()
            .context("user_id")?
            .to_owned();
        let resource = s.world.scim.get(&format!("/Users/{user}")).await?.expect_json(200)?;
        ensure!(
            resource["userName"] == "eve@contoso.example"
                && resource["displayName"] == "Eve Moor"
                && resource["active"] == true,
            "{resource}"
        );
        // SCIM finds her under her name, and decides from then on.
        s.world
            .scim
            .post("/Users", &json!({ "userName": "EVE@contoso.example" }))
            .await?
            .expect(409)?;
        s.world.scim.delete(&format!("/Users/{user}")).await?.expect(204)?;
        browser.session().await?.expect(401)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_is_no_response_is_refused_and_kept() {
    tell(async |s| {
        let mut browser = s.browser();
        ensure!(code(&browser.answer("bm90IHhtbA==").await?.expect(403)?)? == "not-well-formed");
        ensure!(code(&browser.answer("%%%").await?.expect(403)?)? == "not-base64");
        let twice = [("SAMLResponse", "YQ=="), ("SAMLResponse", "YQ==")];
        ensure!(
            code(&browser.post("/saml/acme/acs", &twice).await?.expect(403)?)?
                == "unexpected-document"
        );
        ensure!(code(&browser.answer(&"A".repeat(600 * 1024)).await?.expect(403)?)? == "too-large");
        // Anybody can send such a thing: it is evidence, and no event.
        let refused = s.world.server.cli(&["logins", "list", "--org", "acme", "--refused"]).await?;
        ensure!(refused == json!([]), "{refused}");
        let listed =
            s.world.server.cli(&["logins", "list", "--org", "acme", "--untrusted"]).await?;
        let reasons: Vec<&str> =
            listed.as_array().into_iter().flatten().filter_map(|l| l["reason"].as_str()).collect();
        let expected = ["too-large", "unexpected-document", "not-base64", "not-well-formed"];
        ensure!(reasons == expected, "{listed}");
        let reference = listed[3]["exchange"].as_str().unwrap_or_default();
        let shown = s.world.server.cli(&["logins", "show", "--org", "acme", reference]).await?;
        ensure!(shown == listed[3] && shown["message_sha256"] != "", "{shown}");
        Ok(())
    })
    .await;
}
