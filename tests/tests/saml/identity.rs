//! Who somebody is: one identifier decides, and a name is not handed down with its rights.

use crate::browser::code;
use crate::idp::Someone;
use crate::story::{ADA, Story, ada, tell};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Answer;
use serde_json::{Value, json};

const NEXT: &str = "8f0f0c5c-1111-4000-8000-000000000077";
const NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";

async fn try_as(s: &Story, who: &Someone) -> Result<Answer> {
    let mut browser = s.browser();
    let request = browser.begin("/saml/acme/login").await?;
    let response = s.idp.sign_in(Some(&request), who, &json!({})).await?;
    browser.answer(&response).await
}

async fn refused(s: &Story, who: &Someone) -> Result<String> {
    code(&try_as(s, who).await?.expect(403)?)
}

/// Somebody as Entra provisions them by default: the external id is the mail nickname.
async fn provisioned(s: &Story, nickname: &str) -> Result<String> {
    let body = json!({ "userName": format!("{nickname}@contoso.example"), "externalId": nickname,
        "active": true });
    let made = s.world.scim.post("/Users", &body).await?.expect_json(201)?;
    Ok(made["id"].as_str().context("id")?.to_owned())
}

async fn policy(s: &Story, flags: &[&str]) -> Result<Value> {
    s.world.server.cli(&[&["saml", "policy", "--org", "acme"], flags].concat()).await
}

#[tokio::test]
async fn whoever_inherits_a_name_is_refused_until_an_admin_says_why() {
    tell(async |s| {
        let ben = provisioned(s, "ben").await?;
        let (before, after) = (
            Someone::new("ben@contoso.example", Some(ADA)),
            Someone::new("Ben@contoso.example", Some(NEXT)),
        );
        try_as(s, &before).await?.expect(303)?;
        ensure!(refused(s, &after).await? == "other-person");
        let login = s.latest().await?;
        ensure!(login["user_id"] == ben.as_str() && login["object_id"] == NEXT, "{login}");
        // Nor does the name open another door to whoever is known already.
        let cleo = provisioned(s, "cleo").await?;
        let claims = Someone::new("cleo@contoso.example", Some(ADA));
        ensure!(refused(s, &claims).await? == "other-person");
        ensure!(s.latest().await?["user_id"] == cleo.as_str());
        try_as(s, &before).await?.expect(303)?;

        let repin = ["logins", "repin", "--org", "acme", "ben@contoso.example"];
        let without = s.world.server.command(&repin).await?;
        ensure!(!without.status.success(), "a person is another one without a reason");
        let reason = "Ben Moor has left; the name is Ben Keller's";
        let told = [&repin[..], &["--object-id", NEXT, "--reason", reason]].concat();
        s.world.server.cli(&told).await?;
        let live = ["sessions", "list", "--org", "acme", "--live", "--user", &ben];
        ensure!(s.world.server.cli(&live).await? == json!([]), "the predecessor is still in");
        try_as(s, &after).await?.expect(303)?;
        ensure!(refused(s, &before).await? == "other-person");
        let events = s.world.admin.events_after(&s.world.acme.id, 0).await?;
        let pins: Vec<&Value> = events
            .iter()
            .filter(|e| e["type"].as_str().is_some_and(|t| t.starts_with("UserObjectId")))
            .collect();
        let types: Vec<&str> = pins.iter().filter_map(|e| e["type"].as_str()).collect();
        ensure!(
            types == ["UserObjectIdPinned", "UserObjectIdReleased", "UserObjectIdPinned"],
            "{types:?}"
        );
        ensure!(pins[2].to_string().contains(reason) && pins[2]["actor"]["kind"] == "operator");

        // An object id that is given up is free for another; with the user, it is gone.
        s.world
            .server
            .cli(&[&repin[..4], &["ben@contoso.example", "--reason", "x"]].concat())
            .await?;
        try_as(s, &after).await?.expect(303)?;
        s.world.scim.delete(&format!("/Users/{ben}")).await?.expect(204)?;
        provisioned(s, "ben").await?;
        try_as(s, &after).await?.expect(303)?;
        s.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_only_looks_like_a_name_is_refused_with_its_reason() {
    tell(async |s| {
        provisioned(s, "ben").await?;
        let of = |name: &str| Someone::new(name, None);
        for (who, reason) in [
            (of("\u{ff42}en@contoso.example"), "unknown-user"),
            (of("ben@contoso.example\u{200b}"), "unknown-user"),
            (of("eve@contoso.example").claims(NAME, "ben@contoso.example"), "unknown-user"),
            (of("ben#EXT#@contoso.example"), "unknown-guest"),
            (of("ben@contoso.example").format("transient"), "opaque-name-id"),
            (of("ben@contoso.example").format("persistent"), "opaque-name-id"),
        ] {
            let found = refused(s, &who).await?;
            ensure!(found == reason, "{who:?}: {found}");
        }
        // By another identifier, what decided before says nothing.
        policy(s, &["--identifier", "object-id"]).await?;
        ensure!(refused(s, &of("ben@contoso.example")).await? == "no-identifier");
        try_as(s, &ada()).await?.expect(303)?;
        let claim = format!("claim:{NAME}");
        let shown = policy(s, &["--identifier", &claim, "--identifier", "name-id"]).await?;
        ensure!(shown["identifiers"] == json!([claim, "name-id"]), "{shown}");
        try_as(s, &of("pairwise").claims(NAME, "ben@contoso.example")).await?.expect(303)?;
        for wrong in ["user-name", "claim:"] {
            let flags = ["saml", "policy", "--org", "acme", "--identifier", wrong];
            ensure!(!s.world.server.command(&flags).await?.status.success(), "{wrong}");
        }
        Ok(())
    })
    .await;
}

/// An older version said by one of three rules how people are recognized.
#[tokio::test]
async fn an_organization_of_before_recognizes_people_as_it_did_and_says_so() {
    tell(async |s| {
        ensure!(policy(s, &[]).await?["identifiers"] == json!(["name-id"]));
        ensure!(s.world.server.terminate().await?.success());
        let log = rusqlite::Connection::open(s.world.server.data().join("log.db"))?;
        let old = json!({ "SamlPolicyChanged": { "policy": { "idp_initiated": true,
            "matching": "object-id-then-user-name", "just_in_time": false, "targets": [],
            "session_minutes": 480, "sign_requests": false } } });
        let changed = log.execute(
            "UPDATE event SET event_version = '1', payload = ?1 WHERE event_type = 'SamlPolicyChanged'",
            [old.to_string()],
        )?;
        ensure!(changed > 0, "no policy to rewrite");
        drop(log);
        for file in ["views.db", "views.db-wal", "views.db-shm"] {
            let _ = std::fs::remove_file(s.world.server.data().join(file));
        }
        s.world.server.restart().await?;
        let upn = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
        let listed = json!(["object-id", "name-id", format!("claim:{NAME}"), format!("claim:{upn}")]);
        ensure!(policy(s, &[]).await?["identifiers"] == listed);
        let warnings = s.world.server.cli(&["saml", "show", "--org", "acme"]).await?["warnings"].take();
        ensure!(warnings.to_string().contains("more than one identifier"), "{warnings}");
        // Renamed in Entra, and not yet in SCIM.
        try_as(s, &Someone::new("ada.moor@contoso.example", Some(ADA))).await?.expect(303)?;
        let chosen = policy(s, &["--identifier", "object-id"]).await?;
        ensure!(chosen["identifiers"] == json!(["object-id"]), "{chosen}");
        Ok(())
    })
    .await;
}
