//! RFC 7643: resources, their attributes, and where what is kept is wider than the RFC.

use super::{ENTERPRISE, GROUP, NOBODY, USER, set_strict};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{filter, id, user};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

const BADGE: &str = "urn:ietf:params:scim:schemas:extension:badge:2.0:User";

async fn readings(w: &World) -> Result<String> {
    let kept = w.admin.exchanges(&w.acme.id).await?;
    Ok(kept.last().context("an exchange")?["interpretations"].to_string())
}

#[tokio::test]
async fn what_a_client_says_of_read_only_attributes_is_ignored() {
    on_sqlite(async |w| {
        let body = json!({"schemas": [USER], "userName": "ada@x", "id": NOBODY, "externalId": "theirs", "groups": [{"value": NOBODY}],
            "meta": {"resourceType": "Robot", "created": "2001-01-01T00:00:00Z", "version": "W/\"9\"", "location": "https://x.example"},
            ENTERPRISE: {"manager": {"value": NOBODY, "displayName": "The Boss", "$ref": "https://x.example"}}});
        let made = w.scim.post("/Users", &body).await?.expect_json(201)?;
        ensure!(made["id"] != NOBODY && made["externalId"] == "theirs" && made.get("groups").is_none(), "{made}");
        let meta = &made["meta"];
        ensure!(meta["resourceType"] == "User" && meta["version"] == "W/\"1\"" && meta["created"] == meta["lastModified"], "{made}");
        let created = chrono::DateTime::parse_from_rfc3339(meta["created"].as_str().context("created")?)?;
        ensure!(created > chrono::DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z")?, "{made}");
        ensure!(!made.to_string().contains("x.example") && made[ENTERPRISE]["manager"].get("displayName").is_none(), "{made}");
        // The manager's address is derived from its id.
        let address = made[ENTERPRISE]["manager"]["$ref"].as_str().context("$ref")?;
        ensure!(address.ends_with(&format!("/scim/v2/Users/{NOBODY}")), "{made}");
        let path = format!("/Users/{}", id(made.clone())?);
        for (name, value) in [("id", json!("x")), ("meta.lastModified", json!("2001-01-01T00:00:00Z")), ("groups", json!([{"value": "x"}]))]
        {
            let operation = json!([{"op": "replace", "path": name, "value": value}]);
            refused(w.scim.operations(&path, operation).await?, 400, Some("mutability")).map_err(|e| e.context(name))?;
        }
        // What changes nothing does not move `lastModified` either.
        w.scim.operations(&path, json!([{"op": "replace", "path": "externalId", "value": "theirs"}])).await?.expect(200)?;
        ensure!(w.scim.get(&path).await?.expect_json(200)? == made);
        Ok(())
    })
    .await;
}

/// The RFC would have Base64, a URI, a country of two letters: what a customer's directory has is
/// kept.
#[tokio::test]
async fn what_a_value_looks_like_is_not_judged() {
    on_sqlite(async |w| {
        for (n, (name, value)) in [
            ("x509Certificates", json!([{"value": "@@@"}])),
            ("profileUrl", json!("no address")),
            ("phoneNumbers", json!([{"type": "work", "value": "044 / 555 01 01"}])),
            ("addresses", json!([{"type": "work", "country": "Switzerland"}])),
            ("emails", json!([{"type": "holiday", "value": "no mail address"}])),
            ("timezone", json!("here")),
        ]
        .into_iter()
        .enumerate()
        {
            let mut body = user(&format!("u{n}@x"));
            body[name] = value.clone();
            let made = w.scim.post("/Users", &body).await?.expect_json(201)?;
            ensure!(made[name] == value, "{name}: {made}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_user_shows_the_groups_it_is_in_itself() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@x").await?;
        let group = |name: &str, member: &str| json!({"schemas": [GROUP], "displayName": name, "members": [{"value": member}]});
        let inner = id(w.scim.post("/Groups", &group("Inner", &ada)).await?.expect_json(201)?)?;
        w.scim.post("/Groups", &group("Outer", &inner)).await?.expect(201)?;
        let shown = w.scim.get(&format!("/Users/{ada}")).await?.expect_json(200)?;
        let groups = shown["groups"].as_array().context("groups")?;
        ensure!(groups.len() == 1 && groups[0]["value"] == inner.as_str() && groups[0]["type"] == "direct", "{shown}");
        // Nor is a group a member of itself, and a member is changed as a whole.
        let path = format!("/Groups/{inner}");
        let itself = json!([{"op": "add", "path": "members", "value": [{"value": inner}]}]);
        refused(w.scim.operations(&path, itself).await?, 400, Some("invalidValue"))?;
        let part = json!([{"op": "replace", "path": format!("members[value eq \"{ada}\"].value"), "value": inner}]);
        refused(w.scim.operations(&path, part).await?, 400, Some("invalidPath"))?;
        ensure!(w.scim.members(&inner).await? == [ada]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_extension_in_use_is_kept_shown_and_not_in_schemas() {
    on_sqlite(async |w| {
        let body = json!({"schemas": [USER, BADGE], "userName": "ada@x", BADGE: {"number": "B-7"}});
        let made = w.scim.post("/Users", &body).await?.expect_json(201)?;
        ensure!(
            made[BADGE]["number"] == "B-7" && made["schemas"] == json!([USER, BADGE]),
            "{made}"
        );
        let list = w
            .scim
            .get(&format!("/Users?{}", filter(&format!("{BADGE}:number eq \"b-7\""))))
            .await?
            .expect_json(200)?;
        ensure!(list["totalResults"] == 1, "{list}");
        for kind in ["/Schemas", "/ResourceTypes"] {
            let known = w.scim.get(kind).await?.expect(200)?.text();
            ensure!(known.contains(ENTERPRISE) && !known.contains(BADGE), "{kind}: {known}");
        }
        refused(w.scim.get(&format!("/Schemas/{BADGE}")).await?, 404, None)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_schema_that_is_not_known_is_read_over_and_refused_when_strict() {
    on_sqlite(async |w| {
        let body = |name: &str, schemas: Value| json!({"schemas": schemas, "userName": name});
        let foreign = [json!([USER, BADGE]), json!([GROUP])];
        for (n, schemas) in foreign.iter().enumerate() {
            let made = w
                .scim
                .post("/Users", &body(&format!("u{n}@x"), schemas.clone()))
                .await?
                .expect_json(201)?;
            ensure!(made["schemas"] == json!([USER]), "{made}");
            ensure!(
                readings(w).await?.contains("unknown-schema-ignored"),
                "{}",
                readings(w).await?
            );
        }
        w.scim.post("/Users", &json!({"userName": "bare@x"})).await?.expect(201)?;
        ensure!(readings(w).await?.contains("schemas-missing"), "{}", readings(w).await?);
        set_strict(w, true).await?;
        for schemas in foreign {
            let said = refused(
                w.scim.post("/Users", &body("new@x", schemas)).await?,
                400,
                Some("invalidSyntax"),
            )?;
            ensure!(said.contains("this connection is strict"), "{said}");
        }
        w.scim.post("/Users", &body("new@x", json!([USER, ENTERPRISE]))).await?.expect(201)?;
        // What is not said is not foreign.
        w.scim.post("/Users", &json!({"userName": "bare2@x"})).await?.expect(201)?;
        Ok(())
    })
    .await;
}
