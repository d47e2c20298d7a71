//! Rules of the standards that no other story tells; `docs/conformance.md` names these tests. Here
//! are those of RFC 7644, below those of RFC 7643 and of the profiles.

mod profiles;
mod resources;

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{BASE, Scim, add_members, filter, id, user};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const NOBODY: &str = "00000000-aaaa-4bbb-8ccc-000000000000";

async fn set_strict(w: &World, strict: bool) -> Result<Value> {
    w.server.cli(&["scim", "policy", "--org", "acme", &format!("--strict={strict}")]).await
}

/// The `userName`s that a filter finds, without what comes after the `@`, in the order of creation.
async fn found(scim: &Scim, text: &str) -> Result<String> {
    let list = scim.get(&format!("/Users?{}", filter(text))).await?.expect_json(200)?;
    let resources = list["Resources"].as_array().context("Resources")?;
    ensure!(
        list["totalResults"] == resources.len() && list["itemsPerPage"] == resources.len(),
        "{text}: {list}"
    );
    let names = resources.iter().filter_map(|r| r["userName"].as_str()?.split('@').next());
    Ok(names.collect::<Vec<_>>().join(" "))
}

async fn three_users(scim: &Scim) -> Result<[String; 3]> {
    let mut ids = Vec::new();
    for body in [
        json!({"schemas": [USER], "userName": "ada@x", "externalId": "E1", "title": "Chief",
            "emails": [{"type": "work", "value": "ada@mail"}]}),
        json!({"schemas": [USER, ENTERPRISE], "userName": "bo@x", "externalId": "e2", "title": "Guard",
            "emails": [{"type": "home", "value": "bo@home"}, {"type": "work", "value": "bo@mail"}], ENTERPRISE: {"department": "Doors"}}),
        json!({"schemas": [USER], "userName": "cem@x", "active": false}),
    ] {
        ids.push(id(scim.post("/Users", &body).await?.expect_json(201)?)?);
    }
    ids.try_into().ok().context("three ids")
}

#[tokio::test]
async fn each_filter_operator_finds_what_it_says() {
    on_sqlite(async |w| {
        three_users(&w.scim).await?;
        for (text, expected) in [
            ("userName eq \"ADA@x\"", "ada"),
            ("userName EQ \"ada@x\"", "ada"),
            ("title ne \"chief\"", "bo cem"),
            ("userName co \"O@\"", "bo"),
            ("userName sw \"C\"", "cem"),
            ("title ew \"RD\"", "bo"),
            ("title pr", "ada bo"),
            ("emails pr", "ada bo"),
            ("userName gt \"ada@x\"", "bo cem"),
            ("userName ge \"bo@x\"", "bo cem"),
            ("userName lt \"bo@x\"", "ada"),
            ("userName le \"bo@x\"", "ada bo"),
            ("title pr and active eq true", "ada bo"),
            ("title eq \"Chief\" or active eq false", "ada cem"),
            ("not (title pr)", "cem"),
            ("title pr or active eq false and userName eq \"x\"", "ada bo"),
            ("(title pr or active eq false) and userName eq \"cem@x\"", "cem"),
            ("emails[type eq \"work\" and value co \"bo\"]", "bo"),
            ("emails[type eq \"home\" and value co \"mail\"]", ""),
            ("emails.type eq \"work\"", "ada bo"),
            ("externalId eq \"E2\"", ""),
            ("externalId eq \"e2\"", "bo"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"bo@x\"", "bo"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"doors\"", "bo"),
            ("meta.created gt \"2020-01-01T00:00:00Z\" and meta.resourceType eq \"User\"", "ada bo cem"),
            ("meta.created lt \"2020-01-01T00:00:00+01:00\"", ""),
        ] {
            let names = found(&w.scim, text).await?;
            ensure!(names == expected, "{text}: {names:?} instead of {expected:?}");
        }
        for text in ["active gt true", "active co \"t\"", "x509Certificates.value lt \"a\"", "shoeSize eq 43", "userName xx \"a\""] {
            refused(w.scim.get(&format!("/Users?{}", filter(text))).await?, 400, Some("invalidFilter")).map_err(|e| e.context(text))?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_list_says_what_it_is_at_each_endpoint_and_at_the_root() {
    on_sqlite(async |w| {
        three_users(&w.scim).await?;
        w.scim.create_group("Doors").await?;
        let urn = json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]);
        for (path, total) in [
            ("/Users", 3),
            ("/Groups", 1),
            ("/", 4),
            ("/Schemas", 3),
            ("/ResourceTypes", 2),
            // Order, pages and attributes do not concern what describes the server.
            ("/Schemas?sortBy=name&startIndex=2&count=1&attributes=id", 3),
            // An attribute that only users have matches no group.
            ("/?filter=userName+sw+%22b%22", 1),
            ("/?filter=displayName+eq+%22doors%22", 1),
            ("/Users?filter=userName+eq+%22nobody%22", 0),
        ] {
            let list = w.scim.get(path).await?.expect_json(200)?;
            let shown = list["Resources"].as_array().map(Vec::len);
            ensure!(
                list["schemas"] == urn && list["totalResults"] == total && shown == Some(total),
                "{path}: {list}"
            );
        }
        refused(
            w.scim.get("/Users?sortBy=userName&sortOrder=sideways").await?,
            400,
            Some("invalidValue"),
        )?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn put_replaces_what_may_be_written_and_nothing_else() {
    on_sqlite(async |w| {
        let [_, bo, _] = three_users(&w.scim).await?;
        let path = format!("/Users/{bo}");
        let before = w.scim.get(&path).await?.expect_json(200)?;
        let body = json!({"schemas": [USER], "id": NOBODY, "userName": "bo@x", "displayName": "Bo", "groups": [{"value": NOBODY}],
            "meta": {"created": "2001-01-01T00:00:00Z", "resourceType": "User"}});
        let answer = w.scim.put(&path, &body).await?.expect(200)?;
        let (etag, after) = (answer.header("etag").map(str::to_owned), answer.json()?);
        ensure!(after["displayName"] == "Bo" && after["meta"]["version"].as_str() == etag.as_deref(), "{after}");
        for gone in ["title", "emails", "externalId", ENTERPRISE, "groups"] {
            ensure!(after.get(gone).is_none(), "{gone} was left out and stays: {after}");
        }
        ensure!(after["schemas"] == json!([USER]), "{after}");
        ensure!(after["id"] == bo.as_str() && after["meta"]["created"] == before["meta"]["created"], "{after}");
        ensure!(w.scim.get(&path).await?.expect_json(200)? == after);
        refused(w.scim.put(&path, &json!({"schemas": [USER], "title": "T"})).await?, 400, Some("invalidValue"))?;
        refused(w.scim.put(&format!("/Users/{NOBODY}"), &user("new@x")).await?, 404, None)?;
        ensure!(found(&w.scim, "userName pr").await? == "ada bo cem", "a PUT made a user");
        Ok(())
    })
    .await;
}

/// RFC 7644 section 3.5.2.3 would have `noTarget`; Entra sends its first mail address so.
#[tokio::test]
async fn a_value_path_that_matches_nothing_makes_the_value_it_describes() {
    on_sqlite(async |w| {
        let path = format!("/Users/{}", w.scim.create_user("ada@x").await?);
        let work = json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@mail"}]);
        let made = w.scim.operations(&path, work).await?.expect_json(200)?;
        ensure!(made["emails"] == json!([{"type": "work", "value": "ada@mail"}]), "{made}");
        // What the filter does not describe cannot be made.
        for filter in ["value sw \"zz\"", "value eq \"zz\"", "type eq \"home\" or type eq \"other\""] {
            let operation = json!([{"op": "replace", "path": format!("emails[{filter}].value"), "value": "x"}]);
            refused(w.scim.operations(&path, operation).await?, 400, Some("noTarget")).map_err(|e| e.context(filter))?;
        }
        // A target that is not there yet is added (RFC 7644 section 3.5.2.3).
        let nick = w.scim.operations(&path, json!([{"op": "replace", "path": "nickName", "value": "A"}])).await?.expect_json(200)?;
        ensure!(nick["nickName"] == "A", "{nick}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_is_nowhere() {
    on_sqlite(async |w| {
        let [ada, bo, _] = three_users(&w.scim).await?;
        let door = w.scim.create_group("Door").await?;
        w.scim.operations(&format!("/Groups/{door}"), add_members(&[&ada, &bo])).await?.expect(204)?;
        let answer = w.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
        ensure!(answer.body.is_empty(), "{answer:?}");
        let path = format!("/Users/{ada}");
        refused(w.scim.get(&path).await?, 404, None)?;
        refused(w.scim.put(&path, &user("ada@x")).await?, 404, None)?;
        refused(w.scim.operations(&path, json!([{"op": "add", "path": "title", "value": "T"}])).await?, 404, None)?;
        refused(w.scim.delete(&path).await?, 404, None)?;
        for text in ["userName eq \"ada@x\"".to_owned(), format!("id eq \"{ada}\""), "externalId eq \"E1\"".to_owned()] {
            ensure!(found(&w.scim, &text).await?.is_empty(), "{text}");
        }
        ensure!(found(&w.scim, "userName pr").await? == "bo cem" && w.scim.members(&door).await? == [bo]);
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "title eq \"Chief\""});
        ensure!(w.scim.post("/.search", &search).await?.expect_json(200)?["totalResults"] == 0);
        ensure!(w.scim.create_user("ada@x").await? != ada, "the name is free, the id is not");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn bulk_carries_each_method_and_answers_each_operation() {
    on_sqlite(async |w| {
        let bulk = async |more: Value| {
            let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]});
            body.as_object_mut().into_iter().for_each(|b| b.extend(more.as_object().cloned().unwrap_or_default()));
            w.scim.post("/Bulk", &body).await
        };
        let title = json!({"Operations": [{"op": "add", "path": "title", "value": "T"}]});
        let done = bulk(json!({"Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "q", "data": user("ada@x")},
            {"method": "PUT", "path": "/Users/bulkId:q", "data": {"schemas": [USER], "userName": "ada@x", "displayName": "Ada"}},
            {"method": "PATCH", "path": "/Users/bulkId:q", "data": title},
            {"method": "DELETE", "path": "/Users/bulkId:q"},
            {"method": "POST", "path": "/Users", "bulkId": "r", "data": {"schemas": [USER]}},
            {"method": "GET", "path": "/Users"},
        ]}));
        let done = done.await?.expect_json(200)?;
        let operations = done["Operations"].as_array().context("Operations")?;
        let statuses: Vec<&str> = operations.iter().filter_map(|o| o["status"].as_str()).collect();
        ensure!(statuses == ["201", "200", "200", "204", "400", "400"], "{done}");
        for operation in &operations[..4] {
            ensure!(operation["location"] == operations[0]["location"] && operation.get("response").is_none(), "{operation}");
        }
        ensure!(operations[0]["version"] == "W/\"1\"" && operations[2]["version"] == "W/\"3\"", "{done}");
        // Of a POST that failed there is no place; what went wrong stands in `response`.
        ensure!(operations[4].get("location").is_none() && operations[4]["bulkId"] == "r", "{done}");
        ensure!(operations[4]["response"]["scimType"] == "invalidValue" && operations[4]["response"]["status"] == "400", "{done}");
        for (broken, scim_type) in [
            (json!({"Operations": [{"method": "POST", "path": "/Users", "data": user("bo@x")}]}), "invalidSyntax"),
            (json!({"Operations": [{"method": "DELETE"}]}), "invalidSyntax"),
            (json!({"Operations": [], "failOnErrors": 0}), "invalidValue"),
        ] {
            refused(bulk(broken.clone()).await?, 400, Some(scim_type)).map_err(|e| e.context(broken.to_string()))?;
        }
        ensure!(found(&w.scim, "userName pr").await?.is_empty(), "a refused request left a user");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn one_version_is_served_and_a_credential_in_the_address_is_none() {
    on_sqlite(async |w| {
        let token = w.scim.token().context("token")?.to_owned();
        for path in ["/scim/v1/Users", "/scim/v3/Users", "/scim/Users", "/Users"] {
            let request =
                Request::new("GET", path).header("Authorization", format!("Bearer {token}"));
            w.scim.send(request).await?.expect(404)?;
        }
        let anonymous = Scim::anonymous(w.server.address());
        for path in [
            format!("/Users?access_token={token}"),
            format!("/Users?token={token}"),
            "/Users".to_owned(),
            "/Schemas".to_owned(),
        ] {
            refused(anonymous.get(&path).await?, 401, None)?;
        }
        let cookie = Request::new("GET", format!("{BASE}/Users"))
            .header("Cookie", format!("access_token={token}"));
        refused(anonymous.send(cookie).await?, 401, None)?;
        Ok(())
    })
    .await;
}
