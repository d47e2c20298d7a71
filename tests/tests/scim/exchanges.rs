//! Every request leaves its exchange, whatever became of it.

use anyhow::{Context as _, ensure};
use rollcall_tests::scim::{CONTENT_TYPE, user};
use rollcall_tests::world::on_sqlite;
use serde_json::{Value, json};

#[tokio::test]
async fn refused_and_malformed_requests_are_kept_too() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        w.scim.post("/Users", &user("ada@contoso.example")).await?.expect(409)?;
        w.scim
            .send(
                w.scim
                    .request("POST", "/Users")
                    .header("Content-Type", CONTENT_TYPE)
                    .body("{\"userName\""),
            )
            .await?
            .expect(400)?;
        w.scim.get("/Users?filter=nonsense").await?.expect(400)?;
        w.scim.get("/Nowhere").await?.expect(404)?;
        w.scim.operations(&format!("/Users/{ada}"), json!("no list")).await?.expect(400)?;
        w.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;

        let kept = w.admin.exchanges(&w.acme.id).await?;
        let statuses: Vec<u64> = kept.iter().filter_map(|x| x["status"].as_u64()).collect();
        ensure!(statuses == [201, 409, 400, 400, 404, 400, 204], "{statuses:?}");
        let numbers: Vec<u64> = kept.iter().filter_map(|x| x["number"].as_u64()).collect();
        // The first two made the organization and its token.
        ensure!(numbers == [3, 4, 5, 6, 7, 8, 9], "{numbers:?}");
        ensure!(
            kept[1]["scim_type"] == "uniqueness" && kept[2]["scim_type"] == "invalidSyntax",
            "{} {}",
            kept[1],
            kept[2]
        );
        for x in [&kept[0], &kept[6]] {
            ensure!(
                x["subject"] == ada.as_str() && x["first_position"].is_u64(),
                "who it was about, and what it caused: {x}"
            );
        }
        for x in &kept[1..6] {
            ensure!(x["first_position"].is_null(), "a refused request caused something: {x}");
        }
        let whole = w
            .server
            .cli(&["exchanges", "show", "--org", "acme", kept[2]["id"].as_str().context("id")?])
            .await?;
        ensure!(
            whole.to_string().contains("{\\\"userName\\\""),
            "the body as received is not in {whole}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_list_can_be_narrowed_on_the_command_line() {
    on_sqlite(async |w| {
        w.scim.create_user("ada@contoso.example").await?;
        w.scim.get("/Users").await?.expect(200)?;
        let listed = w.server.cli(&["exchanges", "list", "--org", "acme"]).await?;
        let listed = entries(&listed);
        let operations: Vec<&str> = listed.iter().filter_map(|x| x["operation"].as_str()).collect();
        let expected = ["users.list", "users.create", "scim.tokens.issue", "organizations.create"];
        ensure!(operations == expected, "{operations:?}");
        let events = w.server.cli(&["events", "list", "--org", "acme"]).await?;
        ensure!(entries(&events).iter().any(|e| e["type"] == "UserCreated"), "{events}");
        Ok(())
    })
    .await;
}

/// The list itself, or the one list inside an object.
fn entries(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.clone(),
        Value::Object(map) => map.values().find_map(Value::as_array).cloned().unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn the_exchange_is_named_in_every_answer() {
    on_sqlite(async |w| {
        let mut seen = Vec::new();
        for answer in [
            w.scim.get("/Users").await?,
            w.scim.get("/Users/x").await?,
            w.scim.post("/Users", &json!({})).await?,
        ] {
            seen.push(
                answer.header("exchange-id").context("no exchange in the headers")?.to_owned(),
            );
        }
        let kept = w.admin.exchanges(&w.acme.id).await?;
        ensure!(
            kept.iter().filter_map(|x| x["id"].as_str()).eq(seen.iter().map(String::as_str)),
            "{seen:?} against {kept:?}"
        );
        Ok(())
    })
    .await;
}
