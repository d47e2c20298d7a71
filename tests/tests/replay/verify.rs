//! The recorded requests give the recorded events again, byte for byte; and if a rule of the
//! decoder is another, exactly the requests that needed it come out otherwise.

use crate::replay;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::corpus::player::play_all;
use rollcall_tests::on_both;
use rollcall_tests::scim::CONTENT_TYPE;
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn the_corpus_comes_out_again(world: &mut World) -> Result<()> {
    play_all(&world.scim).await?;
    // What the operator does in between belongs to the log as well.
    world.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    world.scim.get("/Users").await?.expect(503)?;
    world.server.cli(&["scim", "enable", "--org", "acme", "--allow-scim-without-sso"]).await?;
    world.scim.get("/Users").await?.expect(200)?;
    let (all, kept) =
        (world.admin.all_exchanges("acme").await?, world.admin.exchanges("acme").await?);
    let events = world.admin.events_after("acme", 0).await?;
    let of_operator = events.iter().filter(|e| e["actor"]["kind"] == "operator").count();

    let (code, printed) = replay(world, &["verify", "--all"]).await?;
    let summary = &printed["summary"];
    let differing = |what: &Value| what["differences"].as_array().is_some_and(|d| !d.is_empty());
    let odd: Vec<&Value> = entries(&printed).iter().filter(|x| differing(x)).collect();
    ensure!(code == 0 && odd.is_empty(), "exit {code}, {summary}, {odd:?}");
    ensure!(summary["exchanges"] == all.len(), "{summary} of {}", all.len());
    ensure!(summary["records_of_no_exchange"] == 0, "{summary}");
    ensure!(summary["records_differ"] == 0, "{summary}");
    let caused = events.len() - of_operator;
    // What the operator did is copied.
    ensure!(
        summary["records_of_others"] == of_operator && summary["records_same"] == caused,
        "{caused} records, {summary}"
    );
    // The one 503 told about the server, not about the request.
    let others = all.len() - kept.len();
    ensure!(
        others > 2
            && summary["not_replayed"] == json!({"server_trouble": 1, "other_protocol": others}),
        "{summary}"
    );
    Ok(())
}

fn entries(printed: &Value) -> &[Value] {
    printed["exchanges"].as_array().map_or(&[], Vec::as_slice)
}

on_both!(the_corpus_comes_out_again);

#[tokio::test]
async fn another_rule_of_the_decoder_shows_exactly_the_exchanges_that_needed_it() {
    on_sqlite(async |world| {
        play_all(&world.scim).await?;
        let kept = world.admin.exchanges("acme").await?;
        for rule in ["string-boolean", "member-removal-by-value", "key-as-path"] {
            let read_so = |x: &&Value| {
                x["interpretations"].as_array().into_iter().flatten().any(|i| i["reading"] == rule)
            };
            let needed: BTreeSet<&str> = kept
                .iter()
                .filter(read_so)
                .filter(|x| x["status"].as_u64() < Some(400))
                .filter_map(|x| x["id"].as_str())
                .collect();
            ensure!(!needed.is_empty(), "the corpus has no {rule}");
            let (code, printed) = replay(world, &["verify", "--without", rule]).await?;
            let otherwise: BTreeSet<&str> = entries(&printed)
                .iter()
                .filter(|x| {
                    x["differences"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .any(|d| d["what"] == "status" || d["what"] == "events")
                })
                .filter_map(|x| x["id"].as_str())
                .collect();
            ensure!(
                otherwise == needed,
                "{rule}: needed by {needed:?}, other outcome for {otherwise:?}"
            );
            let events_differ =
                printed["summary"]["results"]["events_differ"].as_u64().unwrap_or(0);
            ensure!((code == 1) == (events_differ > 0), "exit {code}: {}", printed["summary"]);
        }
        let unknown = world
            .server
            .command(&["replay", "verify", "--org", "acme", "--without", "mind-reading"])
            .await?;
        ensure!(
            String::from_utf8_lossy(&unknown.stderr).contains("there is no reading"),
            "{unknown:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_part_of_the_log_is_replayed_on_what_came_before() {
    on_sqlite(async |world| {
        let ada = world.scim.create_user("ada@contoso.example").await?;
        world
            .scim
            .operations(
                &format!("/Users/{ada}"),
                json!([{"op": "replace", "path": "displayName", "value": "Ada"}]),
            )
            .await?
            .expect(200)?;
        world
            .scim
            .get("/Users?filter=userName%20eq%20%22ADA%40contoso.example%22")
            .await?
            .expect(200)?;
        world.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
        let kept = world.admin.exchanges("acme").await?;
        let patch = kept[1]["id"].as_str().context("id")?;
        let (code, printed) = replay(world, &["verify", "--all", "--exchange", patch]).await?;
        let before = kept[0]["last_position"].as_u64();
        ensure!(
            code == 0 && printed["summary"]["forked_at"].as_u64() == before,
            "exit {code}: {printed}"
        );
        ensure!(
            printed["summary"]["exchanges"] == 1 && printed["summary"]["records_same"] == 1,
            "{printed}"
        );
        ensure!(
            printed["summary"]["records_of_others"] == 4,
            "the creation was copied, and what the operator did: {printed}"
        );

        let from = kept[2]["received_at"].as_str().context("received_at")?;
        let (code, printed) = replay(world, &["verify", "--all", "--from", from]).await?;
        ensure!(code == 0 && printed["summary"]["exchanges"] == 2, "exit {code}: {printed}");
        let last = kept[1]["last_position"].to_string();
        let (code, printed) = replay(world, &["verify", "--all", "--to", &last]).await?;
        let before = world.admin.all_exchanges("acme").await?.len() - kept.len();
        let seen = printed["summary"]["exchanges"].as_u64().map(|n| n as usize);
        ensure!(
            code == 0 && seen == Some(before + 3),
            "the read stands at the same position: {printed}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn bulk_requests_are_replayed_by_their_parts_and_secrets_are_told() {
    on_sqlite(async |world| {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Staff", "members": [{"value": "bulkId:u"}]}},
                {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bo@contoso.example"}},
                {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "Smith"}]}},
                {"method": "DELETE", "path": "/Users/no-such-user"},
            ],
        });
        world.scim.post("/Bulk", &body).await?.expect(200)?;
        let secret = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"c@contoso.example","password":"hunter2"}"#;
        // A password is dropped, so nothing hangs on the one that was removed; on a token something
        // may.
        for body in [secret.to_owned(), secret.replace("c@", "d@").replace("password", "urn:x:y:2.0:User:token")] {
            world.scim.send(world.scim.request("POST", "/Users").header("Content-Type", CONTENT_TYPE).body(body)).await?.expect(201)?;
        }
        let (code, printed) = replay(world, &["verify", "--all"]).await?;
        let summary = &printed["summary"];
        ensure!(code == 0 && summary["records_differ"] == 0, "exit {code}: {printed}");
        ensure!(summary["not_replayed"] == json!({"by_its_parts": 1, "secrets_removed": 1, "other_protocol": 2}), "{summary}");
        // What was made of the one whose secret is gone is taken as it is, as what the operator did
        // is.
        ensure!(summary["results"]["same"].as_u64() >= Some(3) && summary["records_of_others"] == 4, "{printed}");
        Ok(())
    })
    .await;
}

/// A bulk request in whose middle the server is killed leaves operations that are recorded and have
/// no whole: a replay says so, and of a bulk request that was answered it does not.
#[tokio::test]
async fn a_bulk_request_that_was_not_recorded_is_told() {
    on_sqlite(async |w| {
        let users = |name: &str| {
            let one = |n: usize| {
                let user = rollcall_tests::scim::user(&format!("{name}{n}@contoso.example"));
                json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": user})
            };
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": (0..900).map(one).collect::<Vec<_>>()})
        };
        w.scim.post("/Bulk", &users("whole")).await?.expect(200)?;
        let (cut, scim) = (users("cut"), w.scim.fresh());
        let sent = tokio::spawn(async move { scim.post("/Bulk", &cut).await.map(|a| a.status) });
        while w.admin.events_after("acme", 900).await?.len() <= 5 {
            ensure!(!sent.is_finished(), "it was over before it was killed");
        }
        w.server.kill9()?;
        ensure!(sent.await?.is_err(), "it was answered");
        w.server.restart().await?;
        let recorded = w.admin.all_exchanges("acme").await?;
        let of_whole = |x: &&Value| x["operation"] == "bulk";
        let whole = recorded.iter().find(of_whole).context("the bulk request that was answered")?;
        let parts: BTreeSet<&str> = recorded.iter().filter_map(|x| x["parent"].as_str()).collect();
        ensure!(parts.len() == 2, "{parts:?}");
        let (code, printed) = replay(w, &["verify"]).await?;
        let told = printed["summary"]["unrecorded_bulks"].as_object().context("bulks")?;
        let id = whole["id"].as_str().context("an id")?;
        ensure!(code == 0 && told.len() == 1 && !told.contains_key(id), "{code} {told:?} {id}");
        let operations = told.values().next().and_then(Value::as_u64).context("operations")?;
        ensure!((1..900).contains(&operations), "{operations}");
        Ok(())
    })
    .await;
}
