//! Lists: filters, order, paging by index and by cursor, and which attributes are shown.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{Scim, filter, form_encode};
use rollcall_tests::world::on_sqlite;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const MANY: usize = 250;

/// Creates users `u000` ... with titles that order them the other way round.
async fn populate(scim: &Scim) -> Result<()> {
    for n in 0..MANY {
        let body = json!({
            "userName": format!("u{n:03}@contoso.example"), "title": format!("T{:03}", MANY - n), "active": n % 2 == 0,
            "name": {"familyName": format!("F{}", n % 10)}, "emails": [{"type": "work", "value": format!("u{n:03}@mail.example"), "primary": true}],
        });
        scim.post("/Users", &body).await?.expect(201)?;
    }
    Ok(())
}

fn names(list: &Value) -> Result<Vec<String>> {
    let resources = list["Resources"].as_array().context("no Resources")?;
    resources
        .iter()
        .map(|r| Ok(r["userName"].as_str().context("no userName")?.to_owned()))
        .collect()
}

fn name(n: usize) -> String {
    format!("u{n:03}@contoso.example")
}

#[tokio::test]
async fn two_hundred_and_fifty_users_by_page_cursor_order_and_filter() {
    on_sqlite(async |w| {
        populate(&w.scim).await?;
        by_index(&w.scim).await?;
        by_cursor(&w.scim).await?;
        in_order(&w.scim).await?;
        filtered(&w.scim).await
    })
    .await;
}

async fn by_index(scim: &Scim) -> Result<()> {
    let (mut seen, mut start) = (Vec::new(), 1);
    while seen.len() < MANY {
        let page =
            scim.get(&format!("/Users?startIndex={start}&count=40")).await?.expect_json(200)?;
        ensure!(page["totalResults"] == MANY && page["startIndex"] == start, "page {page}");
        let found = names(&page)?;
        ensure!(
            page["itemsPerPage"] == found.len() && !found.is_empty(),
            "itemsPerPage {} of {}",
            page["itemsPerPage"],
            found.len()
        );
        start += found.len();
        seen.extend(found);
    }
    ensure!(
        seen == (0..MANY).map(name).collect::<Vec<_>>(),
        "the pages do not give every user once, oldest first"
    );
    for (query, start_index, items) in [
        ("startIndex=0&count=3", 1, 3),
        ("startIndex=-5&count=3", 1, 3),
        ("count=0", 1, 0),
        ("count=-1", 1, 0),
        ("startIndex=251", 251, 0),
    ] {
        let page = scim.get(&format!("/Users?{query}")).await?.expect_json(200)?;
        let shown = page["Resources"].as_array().map_or(0, Vec::len);
        ensure!(
            shown == items && page["totalResults"] == MANY && page["startIndex"] == start_index,
            "{query}: {shown} shown, {}",
            page["startIndex"]
        );
    }
    refused(scim.get("/Users?startIndex=one").await?, 400, Some("invalidValue"))?;
    Ok(())
}

async fn by_cursor(scim: &Scim) -> Result<()> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scim.get(&format!("/Users?cursor={cursor}&count=40")).await?.expect_json(200)?;
        ensure!(page["totalResults"] == MANY, "totalResults {}", page["totalResults"]);
        seen.extend(names(&page)?);
        ensure!(seen.len() <= MANY, "the cursor goes round");
        match page.get("nextCursor") {
            None => break,
            Some(next) => {
                let next = next.as_str().context("nextCursor is no string")?;
                ensure!(form_encode(next) == next, "the cursor {next} is not safe in a URL");
                cursor = next.to_owned();
            }
        }
    }
    ensure!(
        seen == (0..MANY).map(name).collect::<Vec<_>>(),
        "the cursor does not give every user once"
    );
    refused(scim.get("/Users?cursor=not-one-of-ours&count=40").await?, 400, Some("invalidCursor"))?;
    refused(
        scim.get(&format!("/Users?cursor={cursor}&count=40&{}", filter("active eq true"))).await?,
        400,
        Some("invalidCursor"),
    )?;
    Ok(())
}

async fn in_order(scim: &Scim) -> Result<()> {
    let list = scim.get("/Users?sortBy=title&count=3").await?.expect_json(200)?;
    ensure!(names(&list)? == [name(249), name(248), name(247)], "sortBy=title");
    let list = scim
        .get("/Users?sortBy=userName&sortOrder=descending&count=2&startIndex=2")
        .await?
        .expect_json(200)?;
    ensure!(names(&list)? == [name(248), name(247)], "sortOrder=descending");
    let list = scim.get("/Users?sortBy=name.familyName&count=26").await?.expect_json(200)?;
    let expected: Vec<String> = (0..25).map(|n| name(n * 10)).chain([name(1)]).collect();
    ensure!(names(&list)? == expected, "equal keys keep the order of creation");
    Ok(())
}

async fn filtered(scim: &Scim) -> Result<()> {
    for (text, expected) in [
        ("userName eq \"U007@CONTOSO.example\"", 1),
        ("userName sw \"u00\"", 10),
        ("title gt \"T248\"", 2),
        ("active eq true", MANY / 2),
        ("active eq \"True\" and name.familyName eq \"f2\"", 25),
        ("not (active eq true) or userName eq \"u000@contoso.example\"", MANY / 2 + 1),
        ("emails[type eq \"work\"].value eq \"u011@mail.example\"", 1),
        ("emails[type eq \"work\" and value ew \"011@mail.example\"]", 1),
        ("emails co \"u01\"", 10),
        ("nickName pr", 0),
        ("meta.created ge \"2020-01-01T00:00:00Z\"", MANY),
        ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", MANY),
    ] {
        let list = scim.get(&format!("/Users?count=0&{}", filter(text))).await?.expect_json(200)?;
        ensure!(
            list["totalResults"] == expected,
            "{text}: {} instead of {expected}",
            list["totalResults"]
        );
    }
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "active eq false", "attributes": ["userName"],
        "sortBy": "userName", "sortOrder": "descending", "startIndex": 1, "count": 2,
    });
    let list = scim.post("/Users/.search", &search).await?.expect_json(200)?;
    ensure!(
        names(&list)? == [name(249), name(247)] && list["Resources"][0].get("title").is_none(),
        ".search: {list}"
    );
    Ok(())
}

#[tokio::test]
async fn a_search_at_the_root_finds_users_and_groups() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let door = w.scim.create_group("Door A").await?;
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["id"]});
        let list = w.scim.post("/.search", &search).await?.expect_json(200)?;
        let ids: BTreeSet<&str> = list["Resources"].as_array().context("Resources")?.iter().filter_map(|r| r["id"].as_str()).collect();
        ensure!(ids == BTreeSet::from([ada.as_str(), door.as_str()]), "{list}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn attributes_shown_and_left_out() {
    on_sqlite(async |w| {
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let body = json!({
            "userName": "ada@contoso.example", "title": "Chief", "name": {"givenName": "Ada", "familyName": "Keller"},
            "emails": [{"type": "work", "value": "ada@mail.example"}], ENTERPRISE: {"department": "Ops", "employeeNumber": "7"},
        });
        let created = w.scim.post("/Users?attributes=userName", &body).await?.expect_json(201)?;
        ensure!(keys(&created) == ["id", "schemas", "userName"], "POST with attributes: {created}");
        let id = created["id"].as_str().context("id")?;
        let show = async |query: &str| w.scim.get(&format!("/Users/{id}?{query}")).await?.expect_json(200);

        ensure!(keys(&show("attributes=title,name.givenName").await?) == ["id", "name", "schemas", "title"], "attributes");
        ensure!(show("attributes=name.givenName").await?["name"] == json!({"givenName": "Ada"}), "a sub-attribute alone");
        ensure!(show("attributes=EMAILS").await?["emails"][0]["value"] == "ada@mail.example", "names in another case");
        let department = show(&format!("attributes={ENTERPRISE}:department")).await?;
        ensure!(department[ENTERPRISE] == json!({"department": "Ops"}), "an attribute of an extension: {department}");
        let without = show("excludedAttributes=title,emails,id").await?;
        ensure!(without.get("title").is_none() && without.get("emails").is_none() && without["id"] == id, "excludedAttributes: {without}");
        let list = w.scim.get("/Users?attributes=id").await?.expect_json(200)?;
        ensure!(keys(&list["Resources"][0]) == ["id", "schemas"], "attributes in a list: {list}");

        let door = w.scim.create_group("Door A").await?;
        w.scim.operations(&format!("/Groups/{door}"), rollcall_tests::scim::add_members(&[id])).await?.expect(204)?;
        let group = w.scim.get(&format!("/Groups/{door}?excludedAttributes=members")).await?.expect_json(200)?;
        ensure!(group.get("members").is_none(), "excluded members: {group}");
        let user = w.scim.get(&format!("/Users/{id}")).await?.expect_json(200)?;
        ensure!(user["groups"][0]["value"] == door.as_str() && user["groups"][0]["display"] == "Door A", "groups of a user: {user}");
        let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "externalId", "value": "x"}]});
        let shown = w.scim.patch(&format!("/Groups/{door}?attributes=externalId"), &patch).await?.expect_json(200)?;
        ensure!(shown["externalId"] == "x" && shown.get("members").is_none(), "PATCH with attributes: {shown}");
        Ok(())
    })
    .await;
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        value.as_object().map(|o| o.keys().map(String::as_str).collect()).unwrap_or_default();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn what_only_one_kind_has_hides_nothing_of_the_other() {
    on_sqlite(async |w| {
        w.scim.create_user("ada@contoso.example").await?;
        w.scim.create_group("Door").await?;
        for query in [
            "attributes=userName",
            "sortBy=userName",
            "excludedAttributes=members",
            "attributes=members,userName",
        ] {
            let found = w.scim.get(&format!("/?{query}")).await?.expect_json(200)?;
            ensure!(found["totalResults"] == 2, "{query}: {found}");
        }
        refused(w.scim.get("/?attributes=shoe").await?, 400, Some("invalidPath"))?;
        let many = vec!["displayName"; 300].join(",");
        refused(
            w.scim.get(&format!("/Users?attributes={many}")).await?,
            400,
            Some("invalidValue"),
        )?;
        refused(
            w.scim.get("/Users?cursor=ffffffffffffffff-1-ffffffffffffffff-1").await?,
            400,
            Some("invalidCursor"),
        )?;
        Ok(())
    })
    .await;
}
