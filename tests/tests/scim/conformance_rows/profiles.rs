//! The interoperability profile, IPSIE AL and RFC 9865.

use super::{GROUP, USER, set_strict};
use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{Scim, filter, id, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

/// So many users, by `/Bulk`.
async fn many(scim: &Scim, count: usize) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    let numbers: Vec<usize> = (0..count).collect();
    for some in numbers.chunks(1_000) {
        let operation = |n: &usize| json!({"method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": user(&format!("m{n}@x"))});
        let operations: Vec<Value> = some.iter().map(operation).collect();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let done = scim.post("/Bulk", &body).await?.expect_json(200)?;
        for made in done["Operations"].as_array().context("Operations")? {
            ids.push(
                made["location"]
                    .as_str()
                    .and_then(|l| l.rsplit('/').next())
                    .with_context(|| made.to_string())?
                    .to_owned(),
            );
        }
    }
    Ok(ids)
}

#[tokio::test]
async fn a_page_has_a_hundred_or_as_many_as_are_asked_for_up_to_a_thousand() {
    on_sqlite(async |w| {
        many(&w.scim, 1_001).await?;
        for (query, expected) in [
            ("/Users?attributes=id", 100),
            ("/Users?attributes=id&count=100", 100),
            ("/Users?attributes=id&count=7", 7),
            ("/Users?attributes=id&count=1000", 1_000),
            ("/Users?attributes=id&count=5000", 1_000),
            ("/Users?attributes=id&count=5000&cursor", 1_000),
        ] {
            let page = w.scim.get(query).await?.expect_json(200)?;
            let shown = page["Resources"].as_array().map(Vec::len);
            ensure!(
                page["totalResults"] == 1_001
                    && page["itemsPerPage"] == expected
                    && shown == Some(expected),
                "{query}: {shown:?}"
            );
        }
        let config = w.scim.get("/ServiceProviderConfig").await?.expect_json(200)?;
        let paging = &config["pagination"];
        ensure!(
            paging["defaultPageSize"] == 100
                && paging["maxPageSize"] == 1_000
                && config["filter"]["maxResults"] == 1_000,
            "{config}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_cursor_leads_from_page_to_page_in_get_and_search() {
    on_sqlite(async |w| {
        many(&w.scim, 5).await?;
        let first = w.scim.get("/Users?cursor&count=3").await?.expect_json(200)?;
        let next = first["nextCursor"].as_str().context("nextCursor")?;
        ensure!(first.get("startIndex").is_none() && first.get("previousCursor").is_none() && first["totalResults"] == 5, "{first}");
        let search = |cursor: &str| {
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"],
                "cursor": cursor, "count": 3})
        };
        let found = w.scim.post("/Users/.search", &search("")).await?.expect_json(200)?;
        ensure!(found["Resources"].as_array().map(Vec::len) == Some(3) && found["nextCursor"].is_string(), "{found}");
        let rest = w.scim.post("/Users/.search", &search(found["nextCursor"].as_str().context("nextCursor")?)).await?.expect_json(200)?;
        let last = w.scim.get(&format!("/Users?cursor={next}&count=3")).await?.expect_json(200)?;
        for page in [&rest, &last] {
            ensure!(page["Resources"].as_array().map(Vec::len) == Some(2) && page.get("nextCursor").is_none(), "{page}");
            ensure!(page["Resources"][1]["userName"] == "m4@x", "{page}");
        }
        let none = w.scim.get("/Users?cursor&count=0").await?.expect_json(200)?;
        ensure!(none["Resources"] == json!([]) && none["totalResults"] == 5, "{none}");
        for query in [format!("cursor={next}x"), format!("cursor={next}&sortBy=userName"), format!("cursor={next}&filter=active+eq+true")] {
            refused(w.scim.get(&format!("/Users?{query}")).await?, 400, Some("invalidCursor")).map_err(|e| e.context(query))?;
        }
        refused(w.scim.get("/?cursor").await?, 400, Some("invalidValue"))?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_strict_connection_merges_by_add_and_removes_by_filter() {
    on_sqlite(async |w| {
        set_strict(w, true).await?;
        let body = json!({"schemas": [USER], "userName": "ada@x", "name": {"givenName": "Ada", "familyName": "Keller"},
            "emails": [{"type": "work", "value": "ada@mail"}, {"type": "home", "value": "ada@home"}]});
        let path = format!("/Users/{}", id(w.scim.post("/Users", &body).await?.expect_json(201)?)?);
        let one = async |operation: Value| w.scim.operations(&path, json!([operation])).await;
        let added = one(json!({"op": "add", "path": "name", "value": {"givenName": "A"}})).await?.expect_json(200)?;
        ensure!(added["name"] == json!({"givenName": "A", "familyName": "Keller"}), "{added}");
        // Of an attribute with one value, add says the same as replace.
        for op in ["add", "replace"] {
            let set = one(json!({"op": op, "path": "title", "value": op})).await?.expect_json(200)?;
            ensure!(set["title"] == op, "{set}");
        }
        let value = one(json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@mail"})).await?.expect_json(200)?;
        ensure!(value["emails"][0] == json!({"type": "work", "value": "a@mail"}), "{value}");
        let removed = one(json!({"op": "remove", "path": "emails[type eq \"home\"]"})).await?.expect_json(200)?;
        ensure!(removed["emails"] == json!([{"type": "work", "value": "a@mail"}]), "{removed}");
        for (method, target) in [("POST", "/Users"), ("PUT", path.as_str())] {
            let with = json!({"schemas": [USER], "userName": "ada@x", "password": "p"});
            let answer = if method == "POST" { w.scim.post(target, &with).await? } else { w.scim.put(target, &with).await? };
            let said = refused(answer, 400, Some("invalidValue"))?;
            ensure!(said.contains("this connection is strict"), "{method}: {said}");
        }
        refused(w.scim.post("/Users", &json!({"schemas": [USER], "userName": "b@x", "shoeSize": 43})).await?, 400, Some("invalidSyntax"))?;
        for name in ["shoeSize", "name.shoe"] {
            refused(one(json!({"op": "add", "path": name, "value": "x"})).await?, 400, Some("invalidSyntax"))?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_filters_of_ipsie_find_users_and_groups() {
    on_sqlite(async |w| {
        let body = json!({"schemas": [USER], "userName": "ada@x", "externalId": "u-1", "emails": [{"type": "work", "value": "ada@mail"}]});
        let ada = id(w.scim.post("/Users", &body).await?.expect_json(201)?)?;
        w.scim.post("/Users", &json!({"schemas": [USER], "userName": "bo@x", "externalId": "U-1"})).await?.expect(201)?;
        let body = json!({"schemas": [GROUP], "displayName": "Doors", "externalId": "g-1", "members": [{"value": ada}]});
        let doors = id(w.scim.post("/Groups", &body).await?.expect_json(201)?)?;
        w.scim.create_group("Windows").await?;
        for (endpoint, text, expected) in [
            ("/Users", "userName eq \"ADA@X\"".to_owned(), &ada),
            ("/Users", "externalId eq \"u-1\"".to_owned(), &ada),
            ("/Users", "emails[value eq \"ada@mail\"]".to_owned(), &ada),
            ("/Users", "emails[type eq \"work\" and value eq \"ada@mail\"]".to_owned(), &ada),
            ("/Groups", "displayName eq \"DOORS\"".to_owned(), &doors),
            ("/Groups", "externalId eq \"g-1\"".to_owned(), &doors),
            ("/Groups", format!("members[value eq \"{ada}\"]"), &doors),
        ] {
            let list = w.scim.get(&format!("{endpoint}?{}", filter(&text))).await?.expect_json(200)?;
            ensure!(list["totalResults"] == 1 && list["Resources"][0]["id"] == expected.as_str(), "{text}: {list}");
        }
        let list = w.scim.get("/Groups?excludedAttributes=members").await?.expect_json(200)?;
        ensure!(list["totalResults"] == 2 && !list.to_string().contains("members"), "{list}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn sixty_members_come_and_go_in_one_patch() {
    on_sqlite(async |w| {
        let mut ids = many(&w.scim, 60).await?;
        let empty = w.scim.post("/Groups", &json!({"schemas": [GROUP], "displayName": "Doors"})).await?.expect_json(201)?;
        ensure!(empty.get("members").is_none(), "{empty}");
        let doors = id(empty)?;
        let path = format!("/Groups/{doors}");
        let add = |member: &String| json!({"op": "add", "path": "members", "value": [{"value": member}]});
        w.scim.operations(&path, ids.iter().map(add).collect()).await?.expect(204)?;
        ids.sort();
        ensure!(w.scim.members(&doors).await? == ids);
        let remove = |member: &String| json!({"op": "remove", "path": format!("members[value eq \"{member}\"]")});
        w.scim.operations(&path, ids.iter().map(remove).collect()).await?.expect(204)?;
        ensure!(w.scim.members(&doors).await?.is_empty());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn one_patch_changes_several_attributes_switches_off_and_on() {
    on_sqlite(async |w| {
        let path = format!("/Users/{}", w.scim.create_user("ada@x").await?);
        let off = json!([{"op": "replace", "path": "active", "value": false}, {"op": "add", "path": "title", "value": "T"},
            {"op": "replace", "path": "name.givenName", "value": "Ada"}, {"op": "replace", "path": "userName", "value": "keller@x"}]);
        let shown = w.scim.operations(&path, off).await?.expect_json(200)?;
        ensure!(shown["active"] == false && shown["title"] == "T" && shown["userName"] == "keller@x", "{shown}");
        ensure!(shown["name"] == json!({"givenName": "Ada"}), "{shown}");
        // Who is switched off is still there, and found.
        let list = w.scim.get(&format!("/Users?{}", filter("active eq false"))).await?.expect_json(200)?;
        ensure!(list["Resources"][0]["userName"] == "keller@x", "{list}");
        let on = json!([{"op": "replace", "path": "active", "value": true}]);
        ensure!(w.scim.operations(&path, on).await?.expect_json(200)?["active"] == true);
        Ok(())
    })
    .await;
}

/// The rate limit of a fresh installation: many times the 25 requests a second that IPSIE asks for.
#[tokio::test]
async fn two_hundred_requests_at_once_are_all_answered() -> Result<()> {
    let w =
        World::around(Server::start_with(Store::Sqlite, &std::env::temp_dir(), &[]).await?).await?;
    let callers: Vec<Scim> = (0..20).map(|_| w.scim.fresh()).collect();
    let ask = async |scim: &Scim| -> Result<()> {
        for _ in 0..10 {
            scim.get("/Users?count=0").await?.expect(200)?;
        }
        Ok(())
    };
    try_join_all(callers.iter().map(ask)).await?;
    Ok(())
}

#[tokio::test]
async fn nobody_changes_a_user_or_a_group_but_by_scim() {
    on_sqlite(async |w| {
        let api = w.admin.get("/api/v1/openapi.json").await?.expect_json(200)?;
        let mut seen = 0;
        for (path, methods) in api["paths"].as_object().context("paths")? {
            // Which group lets its members use the console is no group of the directory.
            let of_directory = path.contains("/users") || path.contains("/groups");
            if of_directory && !path.contains("/console/") {
                let methods: Vec<&str> = methods
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(method, _)| method.as_str())
                    .collect();
                ensure!(methods == ["get"], "{path}: {methods:?}");
                seen += 1;
            }
        }
        ensure!(seen >= 8, "{seen} paths");
        Ok(())
    })
    .await;
}
