//! Other clients than Entra, as they are known to speak: each does its usual round.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::{filter, id};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

async fn readings(w: &World) -> Result<String> {
    let kept = w.admin.exchanges(&w.acme.id).await?;
    Ok(kept.last().context("an exchange")?["interpretations"].to_string())
}

/// Okta looks by userName, creates with a password, updates by PUT of the whole, deactivates
/// without a path, and pushes groups by PATCH with the id in the value.
#[tokio::test]
async fn okta() {
    on_sqlite(async |w| {
        let match_query = format!("/Users?{}&startIndex=1&count=100", filter("userName eq \"ok@contoso.example\""));
        ensure!(w.scim.get(&match_query).await?.expect_json(200)?["totalResults"] == 0);
        let body = |password: Value, given: &str| {
            json!({"schemas": [USER], "userName": "ok@contoso.example", "name": {"givenName": given, "familyName": "User"},
                "emails": [{"primary": true, "value": "ok@contoso.example", "type": "work"}], "displayName": "Test User",
                "locale": "en-US", "externalId": "00u1", "groups": [], "password": password, "active": true})
        };
        let created = w.scim.post("/Users", &body(json!("1mz050nq"), "Test")).await?.expect_json(201)?;
        ensure!(created.get("password").is_none(), "{created}");
        ensure!(readings(w).await?.contains("password-dropped"));
        let user = format!("/Users/{}", id(created.clone())?);
        let mut whole = w.scim.get(&user).await?.expect_json(200)?;
        whole["name"]["givenName"] = json!("Changed");
        whole["password"] = json!("2nz050nq");
        let put = w.scim.put(&user, &whole).await?.expect_json(200)?;
        ensure!(put["name"]["givenName"] == "Changed" && put.get("password").is_none(), "{put}");
        w.scim.put(&user, &body(Value::Null, "Again")).await?.expect(200)?;
        let off = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": false}}]});
        ensure!(w.scim.patch(&user, &off).await?.expect_json(200)?["active"] == false);

        let group = w.scim.post("/Groups", &json!({"schemas": [GROUP], "displayName": "Okta Doors", "members": []})).await?;
        let group_id = id(group.expect_json(201)?)?;
        let group = format!("/Groups/{group_id}");
        let member = id(created)?;
        let push = json!([{"op": "replace", "path": "members", "value": [{"value": member, "display": "ok@contoso.example"}]}]);
        w.scim.operations(&group, push).await?.expect(204)?;
        let rename = json!([{"op": "replace", "value": {"id": group_id, "displayName": "Okta Doors 2"}}]);
        w.scim.operations(&group, rename).await?.expect(204)?;
        ensure!(readings(w).await?.contains("read-only-unchanged"));
        let other = json!([{"op": "replace", "value": {"id": member, "displayName": "Okta Doors 3"}}]);
        w.scim.operations(&group, other).await?.expect(400)?;
        let read = w.scim.get(&group).await?.expect_json(200)?;
        ensure!(read["displayName"] == "Okta Doors 2" && w.scim.members(&group_id).await? == [member.as_str()], "{read}");
        let remove = json!([{"op": "remove", "path": format!("members[value eq \"{member}\"]")}]);
        w.scim.operations(&group, remove).await?.expect(204)?;
        ensure!(w.scim.members(&group_id).await?.is_empty());
        Ok(())
    })
    .await;
}

/// Google Workspace probes with one user, creates with mails of several types, updates by PATCH,
/// and suspends before it deletes.
#[tokio::test]
async fn google() {
    on_sqlite(async |w| {
        w.scim.get("/Users?count=1").await?.expect(200)?;
        let body = json!({"schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName": "go@contoso.example", "externalId": "1093", "active": true,
            "name": {"givenName": "Go", "familyName": "Ogle", "formatted": "Go Ogle"},
            "emails": [{"value": "go@contoso.example", "type": "work", "primary": true}, {"value": "go@home.example", "type": "home"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Doors", "manager": {}}});
        let created = w.scim.post("/Users", &body).await?.expect_json(201)?;
        let user = format!("/Users/{}", id(created)?);
        let change = json!({"schemas": [PATCH], "Operations": [
            {"op": "replace", "path": "name.familyName", "value": "Gle"},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "gogle@contoso.example"},
            {"op": "add", "path": "phoneNumbers", "value": []}]});
        let changed = w.scim.patch(&user, &change).await?.expect_json(200)?;
        ensure!(changed["name"]["familyName"] == "Gle" && changed["emails"][0]["value"] == "gogle@contoso.example", "{changed}");
        let off = json!([{"op": "replace", "path": "active", "value": false}]);
        ensure!(w.scim.operations(&user, off).await?.expect_json(200)?["active"] == false);
        w.scim.delete(&user).await?.expect(204)?;
        w.scim.get(&user).await?.expect(404)?;
        Ok(())
    })
    .await;
}

/// OneLogin creates with an empty title and no type, changes several attributes by one `replace`
/// with an object, and adds group members one request each.
#[tokio::test]
async fn onelogin() {
    on_sqlite(async |w| {
        let body = json!({"schemas": [USER], "userName": "ol@contoso.example", "title": "", "active": true,
            "emails": [{"value": "ol@contoso.example", "primary": true}], "name": {"givenName": "O", "familyName": "L"},
            "phoneNumbers": [{"value": "", "type": "work"}]});
        let created = w.scim.post("/Users", &body).await?.expect_json(201)?;
        ensure!(created.get("title").is_none() && created.get("phoneNumbers").is_none(), "{created}");
        let user_id = id(created)?;
        let user = format!("/Users/{user_id}");
        let change = json!([{"op": "replace", "value": {"title": "Guard", "name": {"familyName": "Login"}, "active": "true"}}]);
        let changed = w.scim.operations(&user, change).await?.expect_json(200)?;
        ensure!(changed["title"] == "Guard" && changed["name"] == json!({"givenName": "O", "familyName": "Login"}), "{changed}");
        let group = w.scim.create_group("OneLogin Doors").await?;
        for _ in 0..2 {
            let add = json!([{"op": "add", "path": "members", "value": [{"value": user_id, "display": "ol@contoso.example"}]}]);
            w.scim.operations(&format!("/Groups/{group}"), add).await?.expect(204)?;
        }
        ensure!(w.scim.members(&group).await? == [user_id.as_str()]);
        let off = json!([{"op": "replace", "path": "active", "value": "False"}]);
        ensure!(w.scim.operations(&user, off).await?.expect_json(200)?["active"] == false);
        Ok(())
    })
    .await;
}

/// authentik reads a group, and sends all of it back in one `replace` without a path.
#[tokio::test]
async fn authentik() {
    on_sqlite(async |w| {
        let user = w.scim.create_user("ak@contoso.example").await?;
        let body = json!({"schemas": [GROUP], "displayName": "authentik Doors", "externalId": "9b1d", "members": [{"value": user}]});
        let created = w.scim.post("/Groups", &body).await?.expect_json(201)?;
        let group_id = id(created.clone())?;
        let group = format!("/Groups/{group_id}");
        let update = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": null, "value":
            {"id": group_id, "schemas": [GROUP], "externalId": "9b1d", "displayName": "authentik Doors 2"}}]});
        w.scim.patch(&group, &update).await?.expect(204)?;
        let read = w.scim.get(&group).await?.expect_json(200)?;
        ensure!(read["displayName"] == "authentik Doors 2" && w.scim.members(&group_id).await? == [user.as_str()], "{read}");
        // With the version that has just been replaced, it would say what is not true.
        let stale = json!([{"op": "replace", "value": {"meta": created["meta"], "displayName": "authentik Doors 3"}}]);
        w.scim.operations(&group, stale).await?.expect(400)?;
        w.scim.operations(&group, json!([{"op": "replace", "value": read}])).await?.expect(204)?;
        let put = w.scim.put(&group, &read).await?.expect_json(200)?;
        ensure!(put["meta"]["version"] == read["meta"]["version"], "{put}");
        Ok(())
    })
    .await;
}
