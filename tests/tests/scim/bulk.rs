//! `/Bulk` (RFC 7644 section 3.7): references across order and cycles, errors counted.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{Scim, user};
use rollcall_tests::world::on_sqlite;
use serde_json::{Value, json};

async fn bulk(scim: &Scim, fail_on_errors: Option<u32>, operations: Value) -> Result<Vec<Value>> {
    let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    if let Some(n) = fail_on_errors {
        body["failOnErrors"] = n.into();
    }
    let answer = scim.post("/Bulk", &body).await?.expect_json(200)?;
    ensure!(
        answer["schemas"] == json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]),
        "{answer}"
    );
    Ok(answer["Operations"].as_array().context("no Operations")?.clone())
}

fn status(operation: &Value) -> &str {
    operation["status"].as_str().unwrap_or("no text")
}

/// The id at the end of an operation's location.
fn location_id(operation: &Value) -> Result<&str> {
    operation["location"]
        .as_str()
        .and_then(|l| l.rsplit('/').next())
        .with_context(|| format!("no location in {operation}"))
}

fn post_user(bulk_id: &str, data: Value) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data})
}

#[tokio::test]
async fn references_are_resolved_whatever_the_order() {
    on_sqlite(async |w| {
        let done = bulk(
            &w.scim,
            None,
            json!([
                {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "Door A", "members": [{"value": "bulkId:u"}]}},
                post_user("u", user("ada@contoso.example")),
                {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"Operations": [{"op": "add", "path": "title", "value": "Chief"}]}},
            ]),
        )
        .await?;
        let statuses: Vec<&str> = done.iter().map(status).collect();
        ensure!(statuses[..2] == ["201", "201"] && (statuses[2] == "200" || statuses[2] == "204"), "{statuses:?}");
        ensure!(done[0]["bulkId"] == "g" && done[1]["bulkId"] == "u" && done[0]["method"] == "POST", "{done:?}");
        let (door, ada) = (location_id(&done[0])?, location_id(&done[1])?);
        ensure!(w.scim.members(door).await? == [ada], "the member");
        ensure!(w.scim.get(&format!("/Users/{ada}")).await?.expect_json(200)?["title"] == "Chief", "the title");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn groups_that_contain_each_other_are_resolved() {
    on_sqlite(async |w| {
        let nested = |name: &str, bulk_id: &str, member: &str| {
            json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id,
                   "data": {"displayName": name, "members": [{"type": "Group", "value": format!("bulkId:{member}")}]}})
        };
        let done = bulk(&w.scim, None, json!([nested("A", "a", "b"), nested("B", "b", "a")])).await?;
        ensure!(done.iter().all(|o| status(o) == "201"), "{done:?}");
        let (a, b) = (location_id(&done[0])?, location_id(&done[1])?);
        ensure!(w.scim.members(a).await? == [b] && w.scim.members(b).await? == [a], "the circle is not closed");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn errors_are_reported_alone_and_counted() {
    on_sqlite(async |w| {
        w.scim.create_user("taken@contoso.example").await?;
        let operations = json!([
            post_user("1", user("one@contoso.example")),
            post_user("2", user("taken@contoso.example")),
            {"method": "DELETE", "path": "/Users/00000000-aaaa-4bbb-8ccc-000000000000"},
            post_user("3", user("three@contoso.example")),
        ]);
        let stopped = bulk(&w.scim, Some(1), operations.clone()).await?;
        ensure!(
            stopped.iter().map(status).collect::<Vec<_>>() == ["201", "409"],
            "failOnErrors 1: {stopped:?}"
        );
        ensure!(stopped[1]["response"]["scimType"] == "uniqueness", "{}", stopped[1]);
        let all = bulk(&w.scim, None, operations).await?;
        ensure!(
            all.iter().map(status).collect::<Vec<_>>() == ["409", "409", "404", "201"],
            "all: {all:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_or_reported() {
    on_sqlite(async |w| {
        let unknown = json!([{"method": "POST", "path": "/Groups", "bulkId": "g",
                              "data": {"displayName": "Door A", "members": [{"value": "bulkId:nobody"}]}}]);
        let done = bulk(&w.scim, None, unknown).await?;
        ensure!(status(&done[0]).starts_with('4'), "a reference to nothing: {done:?}");
        let same = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                          "Operations": [post_user("x", user("a@contoso.example")), post_user("x", user("b@contoso.example"))]});
        let answer = w.scim.post("/Bulk", &same).await?;
        if answer.status == 200 {
            let done = answer.json()?;
            ensure!(status(&done["Operations"][1]).starts_with('4'), "the same bulkId twice: {done}");
        } else {
            let scim_type = answer.json()?["scimType"].as_str().map(str::to_owned);
            refused(answer, 400, scim_type.as_deref())?;
        }
        let config = w.scim.get("/ServiceProviderConfig").await?.expect_json(200)?;
        let limit = config["bulk"]["maxOperations"].as_u64().context("maxOperations")?;
        let many: Vec<Value> = (0..=limit).map(|n| json!({"method": "DELETE", "path": format!("/Users/{n}")})).collect();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": many});
        let answer = w.scim.post("/Bulk", &body).await?;
        let scim_type = answer.json()?["scimType"].as_str().map(str::to_owned);
        refused(answer, 413, scim_type.as_deref())?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_reference_in_the_filter_of_a_path_is_resolved() {
    on_sqlite(async |w| {
        let group = w.scim.create_group("Door").await?;
        let path = format!("/Groups/{group}");
        let operation =
            |op: Value| json!({"method": "PATCH", "path": path, "data": {"Operations": [op]}});
        let done = bulk(
            &w.scim,
            None,
            json!([
                post_user("u", user("ada@contoso.example")),
                operation(
                    json!({"op": "add", "path": "members", "value": [{"value": "bulkId:u"}]})
                ),
                operation(json!({"op": "remove", "path": "members[value eq \"bulkId:u\"]"})),
                operation(json!({"op": "remove", "path": "members[value eq \"bulkId:nobody\"]"})),
            ]),
        )
        .await?;
        ensure!(
            done.iter().map(status).collect::<Vec<_>>() == ["201", "204", "204", "409"],
            "{done:?}"
        );
        ensure!(w.scim.members(&group).await?.is_empty(), "answered 204 and not done");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_cycle_that_cannot_be_closed_leaves_nothing_behind() {
    on_sqlite(async |w| {
        let done = bulk(
            &w.scim,
            None,
            json!([
                {"method": "POST", "path": "/Groups", "bulkId": "a", "data": {"displayName": "A", "members": [{"value": "bulkId:b"}]}},
                {"method": "POST", "path": "/Groups", "bulkId": "b", "data": {"displayName": "", "members": [{"value": "bulkId:a"}]}},
            ]),
        )
        .await?;
        ensure!(done.iter().map(status).collect::<Vec<_>>() == ["409", "400"], "{done:?}");
        let groups = w.scim.get("/Groups").await?.expect_json(200)?;
        ensure!(groups["totalResults"] == 0, "answered 409 and created: {groups}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn every_operation_says_where_and_in_which_version() {
    on_sqlite(async |w| {
        let id = w.scim.create_user("ada@contoso.example").await?;
        let path = format!("/Users/{id}");
        let done = bulk(
            &w.scim,
            None,
            json!([
                {"method": "POST", "path": "/Groups", "bulkId": "a", "data": {"displayName": "A", "members": [{"value": "bulkId:b"}]}},
                {"method": "POST", "path": "/Groups", "bulkId": "b", "data": {"displayName": "B", "members": [{"value": "bulkId:a"}]}},
                {"method": "PATCH", "path": path, "data": {"Operations": [{"op": "add", "path": "shoe", "value": "x"}]}},
                {"method": "DELETE", "path": path, "version": "W/\"9\""},
            ]),
        )
        .await?;
        ensure!(done.iter().map(status).collect::<Vec<_>>() == ["201", "201", "400", "412"], "{done:?}");
        for operation in &done[..2] {
            let group = location_id(operation)?;
            let shown = w.scim.get(&format!("/Groups/{group}")).await?.expect_json(200)?;
            ensure!(shown["meta"]["version"] == operation["version"], "{operation} but {shown}");
        }
        ensure!(location_id(&done[2])? == id && location_id(&done[3])? == id, "{done:?}");
        Ok(())
    })
    .await;
}
