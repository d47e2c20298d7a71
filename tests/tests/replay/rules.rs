//! A log of an older version: what comes out otherwise is told under the rule that changed, and
//! what no rule explains is told as that.

use crate::{in_the_clear, replay};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// The log as only a hand with a database client reaches it.
struct Log(rusqlite::Connection);

impl Log {
    fn of(w: &World) -> Result<Self> {
        let db = rusqlite::Connection::open(w.server.data().join("log.db"))?;
        db.busy_timeout(Duration::from_secs(10))?;
        Ok(Self(db))
    }

    /// As if the exchange had led to something else, and with no other liberty than these.
    fn forge(&self, exchange: &str, from: &str, to: &str, readings: &[&str]) -> Result<()> {
        let id: Uuid = exchange.parse()?;
        let readings =
            json!(readings.iter().map(|reading| json!({"reading": reading})).collect::<Vec<_>>())
                .to_string();
        let records = self.0.execute(
            "UPDATE event SET payload = replace(payload, ?2, ?3) WHERE exchange = ?1",
            (id.as_bytes(), from, to),
        )?;
        let sql = "UPDATE exchange SET document = json_set(document, '$.interpretations', json(?2)) WHERE id = ?1";
        let exchanges = self.0.execute(sql, (id.as_bytes(), readings))?;
        ensure!(records > 0 && exchanges == 1, "{records} records and {exchanges} exchanges");
        Ok(())
    }
}

/// Sends a PATCH; gives the id of its exchange.
async fn patched(w: &World, path: &str, operations: Value) -> Result<String> {
    let answer = w.scim.operations(path, operations).await?.expect(200)?;
    Ok(answer.header("exchange-id").context("exchange-id")?.to_owned())
}

fn entry<'a>(printed: &'a Value, id: &str) -> Result<&'a Value> {
    printed["exchanges"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|x| x["id"] == id)
        .with_context(|| format!("{id} in {printed}"))
}

#[tokio::test]
async fn each_difference_is_told_under_the_rule_that_changed() {
    on_sqlite(async |w| {
        let mut paths = Vec::new();
        // What comes out otherwise of one says nothing of the others.
        for name in ["ada@contoso.example", "bob@contoso.example", "eve@contoso.example"] {
            paths.push(format!("/Users/{}", w.scim.create_user(name).await?));
        }
        let title = |value: &str| json!({"op": "add", "path": "title", "value": value});
        let disable = json!({"op": "Replace", "path": "active", "value": "False"});
        let two = patched(w, &paths[0], json!([title("Chief"), disable])).await?;
        let one =
            patched(w, &paths[1], json!([{"op": "Add", "path": "title", "value": "Head"}])).await?;
        let same =
            patched(w, &paths[2], json!([{"op": "Add", "path": "title", "value": "Boss"}])).await?;
        let (code, printed) = replay(w, &["verify"]).await?;
        ensure!(
            code == 0
                && printed["summary"]["rules"] == json!({})
                && printed["summary"]["unexplained"] == json!({}),
            "{printed}"
        );

        ensure!(w.server.terminate().await?.success(), "the server did not stop");
        in_the_clear::leave(w, None).await?;
        w.server.restart().await?;
        // Two of which the reading is new, of one also another one that was taken then already.
        let log = Log::of(w)?;
        log.forge(&two, "Chief", "Chair", &["operation-case"])?;
        log.forge(&one, "Head", "Hat", &[])?;
        let (code, printed) = replay(w, &["verify"]).await?;
        ensure!(code == 0, "{printed}");
        ensure!(
            printed["summary"]["rules"] == json!({"operation-case": 1, "string-boolean": 1}),
            "{printed}"
        );
        ensure!(printed["summary"]["unexplained"] == json!({}), "{printed}");
        ensure!(entry(&printed, &two)?["rules"] == json!(["string-boolean"]), "{printed}");
        ensure!(entry(&printed, &one)?["rules"] == json!(["operation-case"]), "{printed}");
        ensure!(entry(&printed, &same).is_err(), "{printed}");

        // One that came out otherwise for no reason that anybody knows.
        log.forge(&same, "Boss", "Bass", &["operation-case"])?;
        let (code, printed) = replay(w, &["verify"]).await?;
        ensure!(
            code == 1 && printed["summary"]["unexplained"] == json!({"events_differ": 1}),
            "exit {code}: {printed}"
        );
        ensure!(
            entry(&printed, &same)?["rules"].is_null()
                && entry(&printed, &same)?["result"] == "events_differ",
            "{printed}"
        );
        let said = w.server.command(&["replay", "verify", "--org", "acme"]).await?;
        ensure!(said.status.code() == Some(1), "{said:?}");
        Ok(())
    })
    .await;
}

/// A log that an older version wrote, as its backup: each request that comes out otherwise does so
/// by the one rule that changed, and no other.
#[tokio::test]
async fn a_log_of_an_older_version_differs_by_the_rules_that_changed_since() -> Result<()> {
    let server = Server::start(Store::Sqlite).await?;
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus/log-of-an-older-version.jsonl");
    server.cli(&["restore", "--from", file.to_str().context("a path")?]).await?;
    let verified = server.cli(&["replay", "verify", "--org", "acme"]).await?;
    let summary = &verified["summary"];
    ensure!(
        summary["unexplained"] == json!({}) && summary["not_replayed"] == json!({}),
        "{verified}"
    );
    // What that version answered so is what the changes since were about.
    let expected = json!({
        "add-of-nothing": 2, "deletion-mark": 1, "empty-as-unassigned": 1, "empty-element-dropped": 1, "endpoint-case": 1,
        "id-exact": 1, "instant-needed": 1, "member-form": 2, "most-members-replaced": 1, "no-operations": 1,
        "parameters-joined": 1, "password-dropped": 1, "path-decoded": 1, "read-only-unchanged": 1, "removal-of-nobody": 1,
        "remove-absent": 1, "single-value-filter": 1, "sub-attribute-alias": 1, "too-long": 1, "unknown-parameter": 1,
        "unknown-sub-attribute": 2, "user-name-ends": 1,
    });
    ensure!(summary["rules"] == expected, "{}", summary["rules"]);
    ensure!(summary["results"]["same"].as_u64() >= Some(15), "{summary}");
    Ok(())
}
