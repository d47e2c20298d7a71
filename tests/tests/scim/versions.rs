//! Versions (RFC 7644 section 3.14) and what counts as a change.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Answer;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{CONTENT_TYPE, add_members, user};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

async fn conditional(
    w: &World,
    method: &str,
    path: &str,
    header: (&str, &str),
    body: Option<Value>,
) -> Result<Answer> {
    let mut request = w.scim.request(method, path).header(header.0, header.1);
    if let Some(body) = body {
        request = request.json(CONTENT_TYPE, &body);
    }
    w.scim.send(request).await
}

async fn etag(w: &World, path: &str) -> Result<String> {
    let answer = w.scim.get(path).await?.expect(200)?;
    let etag = answer.header("etag").context("no ETag")?.to_owned();
    ensure!(etag.starts_with("W/\""), "the ETag {etag} is not weak");
    ensure!(answer.json()?["meta"]["version"] == etag, "meta.version differs from the ETag");
    Ok(etag)
}

fn patch(value: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": value}]})
}

#[tokio::test]
async fn a_stale_version_is_refused_and_a_known_one_is_not_sent_again() {
    on_sqlite(async |w| {
        let path = format!("/Users/{}", w.scim.create_user("ada@contoso.example").await?);
        let first = etag(w, &path).await?;
        let answer =
            conditional(w, "GET", &path, ("If-None-Match", &first), None).await?.expect(304)?;
        ensure!(answer.body.is_empty(), "a 304 with a body");
        conditional(w, "PATCH", &path, ("If-Match", &first), Some(patch("Chief")))
            .await?
            .expect(200)?;
        let second = etag(w, &path).await?;
        ensure!(first != second, "a change gives a new version");
        conditional(w, "GET", &path, ("If-None-Match", &first), None).await?.expect(200)?;
        refused(
            conditional(w, "PATCH", &path, ("If-Match", &first), Some(patch("Chef"))).await?,
            412,
            None,
        )?;
        refused(
            conditional(w, "PUT", &path, ("If-Match", &first), Some(user("ada@contoso.example")))
                .await?,
            412,
            None,
        )?;
        refused(conditional(w, "DELETE", &path, ("If-Match", &first), None).await?, 412, None)?;
        ensure!(etag(w, &path).await? == second, "a refused request changed the version");
        conditional(w, "PATCH", &path, ("If-Match", "*"), Some(patch("Head")))
            .await?
            .expect(200)?;
        let third = etag(w, &path).await?;
        conditional(w, "DELETE", &path, ("If-Match", &third), None).await?.expect(204)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_changes_nothing_is_no_event() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let group = w.scim.create_group("Door A").await?;
        let (user_path, group_path) = (format!("/Users/{ada}"), format!("/Groups/{group}"));
        w.scim.patch(&user_path, &patch("Chief")).await?.expect(200)?;
        w.scim.operations(&group_path, add_members(&[&ada])).await?.expect(204)?;
        let (before, version) =
            (w.admin.events_after(&w.acme.id, 0).await?.len(), etag(w, &user_path).await?);

        w.scim.patch(&user_path, &patch("Chief")).await?.expect(200)?;
        w.scim
            .operations(&user_path, json!([{"op": "Replace", "path": "active", "value": "True"}]))
            .await?
            .expect(200)?;
        w.scim.operations(&group_path, add_members(&[&ada])).await?.expect(204)?;
        w.scim
            .operations(
                &group_path,
                json!([{"op": "Replace", "path": "displayName", "value": "Door A"}]),
            )
            .await?
            .expect(204)?;
        let whole = w.scim.get(&user_path).await?.expect_json(200)?;
        w.scim.put(&user_path, &whole).await?.expect(200)?;

        ensure!(
            w.admin.events_after(&w.acme.id, 0).await?.len() == before,
            "a repetition made an event"
        );
        ensure!(etag(w, &user_path).await? == version, "a repetition made a version");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_deleted_user_is_no_member_in_any_answer() {
    on_sqlite(async |w| {
        let (ada, bram) = (
            w.scim.create_user("ada@contoso.example").await?,
            w.scim.create_user("bram@contoso.example").await?,
        );
        let group = w.scim.create_group("Door").await?;
        let path = format!("/Groups/{group}");
        w.scim.operations(&path, add_members(&[&ada, &bram])).await?.expect(204)?;
        w.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
        let put = w.scim.put(&path, &json!({"displayName": "Door A"})).await?.expect_json(200)?;
        ensure!(ids(&put["members"]) == [bram.as_str()], "{put}");
        let patch =
            json!({"Operations": [{"op": "replace", "path": "displayName", "value": "Door B"}]});
        let patched =
            w.scim.patch(&format!("{path}?attributes=members"), &patch).await?.expect_json(200)?;
        ensure!(ids(&patched["members"]) == [bram.as_str()], "{patched}");
        ensure!(w.scim.members(&group).await? == [bram], "the directory");
        Ok(())
    })
    .await;
}

fn ids(members: &Value) -> Vec<&str> {
    members.as_array().into_iter().flatten().filter_map(|member| member["value"].as_str()).collect()
}
