//! What a connection asks of its client: each strict rule passes by default, as Entra needs it, and
//! is kept where the connection is strict.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::corpus::player::play_all;
use rollcall_tests::http::Answer;
use rollcall_tests::scim::{Scim, filter, id};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const BADGE: &str = "urn:ietf:params:scim:schemas:extension:badge:2.0:User";

async fn set(w: &World, flags: &[&str]) -> Result<Value> {
    let mut command = vec!["scim", "policy", "--org", "acme"];
    command.extend(flags);
    w.server.cli(&command).await
}

/// One case for each rule: what is sent, what is answered by default, and what when strict.
async fn cases(scim: &Scim, round: usize) -> Result<Vec<(&'static str, u16, u16, Answer)>> {
    let named = |what: &str| format!("{what}{round}@contoso.example");
    let ada = format!("/Users/{}", scim.create_user(&named("ada")).await?);
    let user = |more: Value| {
        let mut body = json!({"schemas": [USER], "userName": named("new")});
        body.as_object_mut()
            .into_iter()
            .for_each(|b| b.extend(more.as_object().cloned().unwrap_or_default()));
        body
    };
    let patch = async |operation: Value| scim.operations(&ada, json!([operation])).await;
    let of_schema = async |urn: &str| {
        let operations = json!([{"op": "add", "path": "title", "value": urn}]);
        scim.patch(&ada, &json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp", urn], "Operations": operations})).await
    };
    let mails = json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "a@x", "type": "work"}});
    Ok(vec![
        ("known-schemas", 201, 400, scim.post("/Users", &user(json!({BADGE: {"number": "7"}}))).await?),
        ("known-schemas", 200, 400, patch(json!({"op": "add", "path": format!("{BADGE}:number"), "value": "7"})).await?),
        ("known-schemas", 200, 400, of_schema("urn:x:y:2.0:PatchOp").await?),
        ("known-schemas", 200, 400, scim.get(&format!("/Users?attributes={BADGE}:number")).await?),
        ("known-schemas", 200, 400, scim.get(&format!("/Users?sortBy={BADGE}:number")).await?),
        ("known-schemas", 200, 400, scim.get(&format!("/Users?{}", filter(&format!("{BADGE}:number eq \"7\"")))).await?),
        ("known-schemas", 200, 400, scim.get(&format!("/Users?{}", filter(&format!("title pr and {BADGE}:gate[number eq \"7\"]")))).await?),
        ("path-needed", 200, 400, patch(json!({"op": "replace", "value": {"title": "T"}})).await?),
        ("sub-attribute-needed", 200, 400, patch(mails).await?),
        ("unknown-attribute", 400, 400, patch(json!({"op": "add", "path": "shoeSize", "value": "43"})).await?),
        ("unknown-attribute", 400, 400, patch(json!({"op": "add", "path": "name.shoe", "value": "43"})).await?),
        ("unknown-attribute", 400, 400, patch(json!({"op": "add", "path": "name", "value": {"shoe": "43"}})).await?),
        (
            "unknown-attribute",
            400,
            400,
            patch(json!({"op": "replace", "path": "emails", "value": [{"value": "a@x", "shoe": "43"}]})).await?,
        ),
        ("unknown-attribute", 400, 400, patch(json!({"op": "add", "path": ENTERPRISE, "value": {"shoe": "43"}})).await?),
        ("no-password", 200, 400, patch(json!({"op": "replace", "path": "password", "value": "p"})).await?),
    ])
}

async fn judge(scim: &Scim, round: usize, strict: bool) -> Result<()> {
    for (rule, by_default, when_strict, answer) in cases(scim, round).await? {
        let wanted = if strict { when_strict } else { by_default };
        ensure!(
            answer.status == wanted,
            "{rule}: {} instead of {wanted}: {}",
            answer.status,
            answer.text()
        );
        if strict {
            ensure!(
                answer.text().contains("this connection is strict"),
                "{rule}: {}",
                answer.text()
            );
        }
        if rule == "unknown-attribute" {
            let kind = if strict { "invalidSyntax" } else { "invalidPath" };
            ensure!(answer.json()?["scimType"] == kind, "{rule}: {}", answer.text());
        }
    }
    Ok(())
}

#[tokio::test]
async fn each_strict_rule_is_kept_when_strict_and_only_then() {
    on_sqlite(async |w| {
        let config = "/ServiceProviderConfig";
        let before = w.scim.get(config).await?.expect_json(200)?;
        judge(&w.scim, 0, false).await?;
        let bo = json!({"schemas": [USER], "userName": "bo@contoso.example", "name": {"givenName": "B", "familyName": "O"}});
        let bo = format!("/Users/{}", id(w.scim.post("/Users", &bo).await?.expect_json(201)?)?);
        let rename = || json!([{"op": "replace", "path": "name", "value": {"familyName": "P"}}]);
        let merged = w.scim.operations(&bo, rename()).await?.expect_json(200)?;
        ensure!(merged["name"] == json!({"givenName": "B", "familyName": "P"}), "{merged}");

        let set_to = set(w, &["--strict"]).await?;
        ensure!(set_to["strict"] == true && set_to["strict_rules"].as_array().map(Vec::len) == Some(6), "{set_to}");
        judge(&w.scim, 1, true).await?;
        let whole = w.scim.operations(&bo, rename()).await?.expect_json(200)?;
        ensure!(whole["name"] == json!({"familyName": "P"}), "{whole}");
        let said = w.scim.get(config).await?.expect_json(200)?;
        ensure!(said.to_string().contains("sub-attribute-needed") && said["patch"] == before["patch"], "{said}");

        // Saying it again is no event; taken back, everything is as before, and nothing was lost.
        let head = w.admin.events_after(&w.acme.id, 0).await?.len();
        set(w, &["--strict=true"]).await?;
        ensure!(w.admin.events_after(&w.acme.id, 0).await?.len() == head);
        set(w, &["--strict=false"]).await?;
        ensure!(w.scim.get(config).await?.expect_json(200)? == before);
        judge(&w.scim, 2, false).await?;
        ensure!(w.scim.get(&bo).await?.expect_json(200)?["name"]["familyName"] == "P");
        // Each exchange is replayed under the policy that was in force then.
        let verified = w.server.cli(&["replay", "verify", "--org", "acme"]).await?;
        ensure!(verified["summary"]["records_differ"] == 0, "{verified}");
        let results = verified["summary"]["results"].as_object().context("results")?;
        ensure!(results.keys().all(|k| k == "same" || k == "not_replayed"), "{verified}");
        // What the operator asked for is copied.
        ensure!(verified["summary"]["not_replayed"] == json!({"other_protocol": 5}), "{verified}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn replace_of_members_means_what_the_connection_says() {
    on_sqlite(async |w| {
        let mut users = Vec::new();
        for n in 0..12 {
            users.push(w.scim.create_user(&format!("m{n}@contoso.example")).await?);
        }
        let members =
            |ids: &[String]| json!(ids.iter().map(|id| json!({"value": id})).collect::<Vec<_>>());
        let group = w.scim.create_group("Doors").await?;
        let path = format!("/Groups/{group}");
        let replace =
            |ids: &[String]| json!([{"op": "replace", "path": "members", "value": members(ids)}]);
        w.scim.operations(&path, replace(&users[..11])).await?.expect(204)?;
        set(w, &["--members-replace", "add"]).await?;
        w.scim.operations(&path, replace(&users[11..])).await?.expect(204)?;
        ensure!(w.scim.members(&group).await?.len() == 12);
        set(w, &["--members-replace", "replace"]).await?;
        w.scim.operations(&path, replace(&users[..1])).await?.expect(204)?;
        ensure!(w.scim.members(&group).await? == [users[0].as_str()]);
        let kept = w.admin.exchanges(&w.acme.id).await?;
        let readings: Vec<String> = kept.iter().map(|x| x["interpretations"].to_string()).collect();
        ensure!(readings.iter().any(|r| r.contains("members-replace-as-add")), "{readings:?}");
        ensure!(
            readings.iter().filter(|r| r.contains("most-members-replaced")).count() == 1,
            "{readings:?}"
        );
        let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
        ensure!(
            metrics.contains("rollcall_interpretations_total{reading=\"most-members-replaced\"} 1"),
            "{metrics}"
        );
        Ok(())
    })
    .await;
}

/// A policy is seen by every process at the next request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_keeps_the_policy() {
    on_postgres(async |w, cluster| {
        let second = Server::start(Store::Postgres(cluster.url())).await?;
        let other = Scim::anonymous(second.address()).with_token(w.scim.token().context("token")?);
        judge(&other, 0, false).await?;
        set(w, &["--strict"]).await?;
        judge(&other, 1, true).await?;
        set(w, &["--strict=false"]).await?;
        // Entra's own requests hold on a connection that was strict once.
        play_all(&other).await?;
        Ok(())
    })
    .await;
}
