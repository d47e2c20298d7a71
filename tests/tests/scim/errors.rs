//! Refusals: each with the right word, and a detail an admin can act on.

use anyhow::{Result, ensure};
use rollcall_tests::http::Answer;
use rollcall_tests::refusal::{refused, refused_naming};
use rollcall_tests::scim::{CONTENT_TYPE, add_members, filter, group, user};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-aaaa-4bbb-8ccc-000000000000";

async fn post_bytes(world: &World, path: &str, body: &'static str) -> Result<Answer> {
    world
        .scim
        .send(world.scim.request("POST", path).header("Content-Type", CONTENT_TYPE).body(body))
        .await
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    on_sqlite(async |w| {
        for body in [
            "{\"userName\":",
            "",
            "null",
            "[]",
            "\"x\"",
            "{\"userName\":\"a\"} trailing",
            "{\"userName\":\"\\ud800\"}",
        ] {
            refused(post_bytes(w, "/Users", body).await?, 400, Some("invalidSyntax"))
                .map_err(|e| e.context(format!("body {body:?}")))?;
        }
        refused_naming(
            post_bytes(w, "/Users", "{\"displayName\":\"x\"}").await?,
            400,
            Some("invalidValue"),
            &["userName"],
        )?;
        refused_naming(
            w.scim.post("/Groups", &json!({"externalId": "x"})).await?,
            400,
            Some("invalidValue"),
            &["displayName"],
        )?;
        refused_naming(
            w.scim.post("/Users", &json!({"userName": "a", "shoeSize": 43})).await?,
            400,
            Some("invalidSyntax"),
            &["shoeSize"],
        )?;
        refused_naming(
            w.scim.post("/Users", &json!({"userName": "a", "active": "maybe"})).await?,
            400,
            Some("invalidValue"),
            &["active"],
        )?;
        let misspelt = json!({"userName": "a", "name": {"firstName": "Ada"}});
        refused_naming(
            w.scim.post("/Users", &misspelt).await?,
            400,
            Some("invalidSyntax"),
            &["unknown sub-attribute", "firstName"],
        )?;
        ensure!(
            w.scim.get("/Users").await?.expect_json(200)?["totalResults"] == 0,
            "a refused request left a user"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn filters_that_cannot_be_read_name_the_position() {
    on_sqlite(async |w| {
        for (text, position) in [
            ("userName eq", "11"),
            ("userName xx \"a\"", "9"),
            ("userName eq \"a\" and", "19"),
            ("(userName eq \"a\"", "16"),
        ] {
            let detail = refused(
                w.scim.get(&format!("/Users?{}", filter(text))).await?,
                400,
                Some("invalidFilter"),
            )?;
            ensure!(
                names_about(&detail, position),
                "{text}: {detail:?} does not name position {position}"
            );
        }
        refused_naming(
            w.scim.get(&format!("/Users?{}", filter("shoeSize eq 43"))).await?,
            400,
            Some("invalidFilter"),
            &["shoeSize"],
        )?;
        refused(
            w.scim.get(&format!("/Users?{}", filter("externalId eq jyoung"))).await?,
            400,
            Some("invalidFilter"),
        )?;
        refused(
            w.scim.get(&format!("/Users?{}", filter("active gt true"))).await?,
            400,
            Some("invalidFilter"),
        )?;
        let answer = w.scim.get("/Users?sortBy=shoeSize").await?;
        let found = answer.json()?["scimType"].as_str().unwrap_or_default().to_owned();
        ensure!(found == "invalidPath" || found == "invalidValue", "sortBy: scimType {found:?}");
        refused_naming(answer, 400, Some(&found), &["shoeSize"])?;
        Ok(())
    })
    .await;
}

/// Positions may be counted from 0 or 1, and the end of the text may be pointed at from either
/// side; what matters is that the number leads the reader to the place.
fn names_about(detail: &str, position: &str) -> bool {
    let near = position.parse::<i64>().unwrap_or(0);
    detail
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse::<i64>().ok())
        .any(|n| (n - near).abs() <= 2)
}

#[tokio::test]
async fn patches_that_cannot_be_applied_change_nothing() {
    on_sqlite(async |w| {
        let id = w.scim.create_user("ada@contoso.example").await?;
        let path = format!("/Users/{id}");
        let before = w.scim.get(&path).await?.expect_json(200)?;
        let cases: [(Value, &str, &[&str]); 9] = [
            (json!([{"op": "replace", "path": "emails[type eq", "value": "x"}]), "invalidPath|invalidFilter", &[]),
            (json!([{"op": "replace", "path": "shoeSize", "value": 43}]), "invalidPath", &["shoeSize"]),
            (json!([{"op": "replace", "path": "id", "value": "x"}]), "mutability", &["id"]),
            (json!([{"op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z"}]), "mutability", &["meta"]),
            (json!([{"op": "add", "path": "groups", "value": [{"value": "x"}]}]), "mutability", &["groups"]),
            (json!([{"op": "remove"}]), "noTarget", &[]),
            (json!([{"op": "remove", "path": "userName"}]), "mutability", &["userName"]),
            (json!([{"op": "frobnicate", "path": "title", "value": "x"}]), "invalidSyntax|invalidValue", &["frobnicate"]),
            (
                json!([{"op": "replace", "path": "title", "value": "Chief"}, {"op": "replace", "path": "active", "value": "maybe"}]),
                "invalidValue",
                &["active"],
            ),
        ];
        for (operations, scim_types, words) in cases {
            let answer = w.scim.operations(&path, operations.clone()).await?;
            let found = answer.json()?["scimType"].as_str().unwrap_or_default().to_owned();
            ensure!(
                scim_types.split('|').any(|t| t == found),
                "{operations}: scimType {found:?} instead of {scim_types}: {}",
                answer.text()
            );
            refused_naming(answer, 400, Some(&found), words)?;
        }
        ensure!(w.scim.get(&path).await?.expect_json(200)? == before, "a refused PATCH changed something");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn members_that_do_not_exist_are_named() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let gone = w.scim.create_user("gone@contoso.example").await?;
        w.scim.delete(&format!("/Users/{gone}")).await?.expect(204)?;
        let id = w.scim.create_group("Door A").await?;
        let path = format!("/Groups/{id}");
        for unknown in [NOBODY, "no-such-user", gone.as_str()] {
            refused_naming(
                w.scim.operations(&path, add_members(&[&ada, unknown])).await?,
                400,
                Some("invalidValue"),
                &[unknown],
            )?;
        }
        ensure!(w.scim.members(&id).await?.is_empty(), "a refused PATCH added a member");
        let with_unknown = json!({"displayName": "Door B", "members": [{"value": NOBODY}]});
        refused_naming(
            w.scim.post("/Groups", &with_unknown).await?,
            400,
            Some("invalidValue"),
            &[NOBODY],
        )?;
        w.scim.create_group("Door B").await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn names_are_unique_without_regard_to_case_and_free_again() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("Ada@Contoso.example").await?;
        let bram = w.scim.create_user("bram@contoso.example").await?;
        refused(
            w.scim.post("/Users", &user("aDA@contoso.EXAMPLE")).await?,
            409,
            Some("uniqueness"),
        )?;
        refused(
            w.scim.put(&format!("/Users/{bram}"), &user("ada@contoso.example")).await?,
            409,
            Some("uniqueness"),
        )?;
        let rename = json!([{"op": "replace", "path": "userName", "value": "ADA@contoso.example"}]);
        refused(
            w.scim.operations(&format!("/Users/{bram}"), rename.clone()).await?,
            409,
            Some("uniqueness"),
        )?;
        // A change of case of one's own name is no conflict, and a name given up is free.
        w.scim.operations(&format!("/Users/{ada}"), rename).await?.expect(200)?;
        w.scim
            .operations(
                &format!("/Users/{ada}"),
                json!([{"op": "replace", "path": "userName", "value": "a@contoso.example"}]),
            )
            .await?
            .expect(200)?;
        w.scim.put(&format!("/Users/{bram}"), &user("ada@contoso.example")).await?.expect(200)?;
        w.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
        let again = w.scim.create_user("a@contoso.example").await?;
        ensure!(again != ada, "a new user has a new id");

        w.scim.create_group("Door A").await?;
        refused(w.scim.post("/Groups", &group("DOOR a")).await?, 409, Some("uniqueness"))?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn ids_that_name_nothing() {
    on_sqlite(async |w| {
        let user_id = w.scim.create_user("ada@contoso.example").await?;
        for path in [
            format!("/Users/{NOBODY}"),
            "/Users/17".to_owned(),
            format!("/Groups/{NOBODY}"),
            format!("/Groups/{user_id}"),
        ] {
            refused(w.scim.get(&path).await?, 404, None)?;
            refused(w.scim.delete(&path).await?, 404, None)?;
            refused(
                w.scim
                    .operations(
                        &path,
                        json!([{"op": "replace", "path": "externalId", "value": "x"}]),
                    )
                    .await?,
                404,
                None,
            )?;
            let body =
                if path.starts_with("/Users") { user("x@contoso.example") } else { group("X") };
            refused(w.scim.put(&path, &body).await?, 404, None)?;
        }
        w.scim.delete(&format!("/Users/{user_id}")).await?.expect(204)?;
        refused(w.scim.get(&format!("/Users/{user_id}")).await?, 404, None)?;
        refused(w.scim.delete(&format!("/Users/{user_id}")).await?, 404, None)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn routes_and_methods_that_do_not_exist() {
    on_sqlite(async |w| {
        refused(w.scim.get("/Devices").await?, 404, None)?;
        refused(w.scim.get("/Users/x/y").await?, 404, None)?;
        for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
            refused(w.scim.post(path, &json!({})).await?, 405, None)?;
            refused(w.scim.delete(path).await?, 405, None)?;
        }
        refused(w.scim.delete("/Users").await?, 405, None)?;
        for answer in [
            w.scim.get("/Me").await?,
            w.scim.post("/Me", &json!({})).await?,
            w.scim.delete("/Me").await?,
        ] {
            refused(answer, 501, None)?;
        }
        Ok(())
    })
    .await;
}
