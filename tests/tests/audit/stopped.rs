//! A record that the auditors' views cannot fold: their questions about its organization are
//! answered 503 and say why, and nothing else stands still.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

/// The log as only a hand with a database client reaches it.
enum Log {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Log {
    /// Gives the record at a position another type.
    async fn rename(&self, organization: &str, position: i64, event_type: &str) -> Result<()> {
        let changed = match self {
            Log::Sqlite(file) => {
                let db = rusqlite::Connection::open(file)?;
                db.busy_timeout(Duration::from_secs(10))?;
                let sql =
                    "UPDATE event SET event_type = ?3 WHERE organization = ?1 AND position = ?2";
                db.execute(
                    sql,
                    (organization.parse::<Uuid>()?.as_bytes().as_slice(), position, event_type),
                )? as u64
            }
            Log::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                let sql = "UPDATE rollcall.events SET event_type = $3 WHERE organization::text = $1 AND position = $2";
                let renamed = sqlx::query(sql).bind(organization).bind(position).bind(event_type);
                renamed.execute(&mut connection).await?.rows_affected()
            }
        };
        ensure!(changed == 1, "{changed} records were renamed");
        Ok(())
    }
}

/// The entry of `views status` for a family of `acme`, and whether the command ended well.
async fn status(w: &World, family: &str) -> Result<(bool, Value)> {
    let told = w.server.command(&["views", "status"]).await?;
    let all: Vec<Value> = serde_json::from_slice(&told.stdout)?;
    let found = all
        .into_iter()
        .find(|v| v["organization_id"] == w.acme.id.as_str() && v["family"] == family);
    Ok((told.status.success(), found.context("no such view")?))
}

/// Waits until the metric says whether a family of `acme` has stopped.
async fn measured(w: &World, family: &str, stopped: bool) -> Result<()> {
    let wanted = format!(
        "rollcall_view_stopped{{family=\"{family}\",organization=\"{}\"}} {}",
        w.acme.id,
        u8::from(stopped)
    );
    for _ in 0..100 {
        if w.admin
            .get_anonymous("/metrics")
            .await?
            .expect(200)?
            .text()
            .lines()
            .any(|line| line == wanted)
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("never measured: {wanted}")
}

async fn only_auditors_wait(w: &World, log: Log) -> Result<()> {
    let (_, globex) = w.another("Globex", "globex").await?;
    globex.create_user("bo@globex.example").await?;
    w.scim.create_user("ada@contoso.example").await?; // 4
    let grace = w.scim.create_user("grace@contoso.example").await?; // 5
    log.rename(&w.acme.id, 5, "UserPainted").await?;
    let rebuilt = w.server.command(&["views", "rebuild", "--family", "audit"]).await?;
    ensure!(
        !rebuilt.status.success() && String::from_utf8_lossy(&rebuilt.stdout).contains(&w.acme.id),
        "{rebuilt:?}"
    );

    let questions = [
        "users",
        "groups",
        "runs",
        "rhythm",
        "failures",
        "events?type=UserCreated",
        "diff?from=position:1",
    ];
    for question in questions {
        let answer = w.admin.get(&format!("/api/v1/organizations/acme/{question}")).await?;
        ensure!(answer.header("retry-after").is_some(), "{question}: {answer:?}");
        let problem = answer.expect_json(503)?;
        let why = problem["detail"].as_str().unwrap_or_default();
        ensure!(
            why.starts_with("the audit views stopped at position 5: ")
                && why.contains("UserPainted"),
            "{question}: {problem}"
        );
        w.admin.get(&format!("/api/v1/organizations/globex/{question}")).await?.expect(200)?;
    }

    // SCIM goes on, and so does the process for whoever watches it.
    w.scim.create_user("edsger@contoso.example").await?;
    ensure!(
        w.scim.get(&format!("/Users/{grace}")).await?.expect_json(200)?["userName"]
            == "grace@contoso.example"
    );
    let ready = w.admin.get_anonymous("/readyz").await?.expect_json(200)?;
    ensure!(
        ready["audit"]["stopped"]
            == serde_json::json!([{
                "organization": w.acme.id, "position": 5, "reason": "record-not-understood"
            }])
            && ready["stopped"] == serde_json::json!([]),
        "{ready}"
    );
    let (well, audit) = status(w, "audit").await?;
    ensure!(!well && audit["position"] == 4 && audit["stopped"]["position"] == 5, "{audit}");
    ensure!(status(w, "live").await?.1["stopped"].is_null(), "what answers SCIM stands still");
    measured(w, "audit", true).await?;
    measured(w, "live", false).await?;

    // What is still wrong is not passed over; what was put right is folded.
    let early = w.server.command(&["views", "resume", "--org", "acme"]).await?;
    ensure!(
        !early.status.success() && String::from_utf8_lossy(&early.stderr).contains("position 5"),
        "{early:?}"
    );
    log.rename(&w.acme.id, 5, "UserCreated").await?;
    w.server.cli(&["views", "resume", "--org", "acme"]).await?;
    let users = w.admin.get("/api/v1/organizations/acme/users").await?.expect_json(200)?;
    ensure!(users["resources"].as_array().is_some_and(|all| all.len() == 3), "{users}");
    let (well, audit) = status(w, "audit").await?;
    ensure!(well && audit["stopped"].is_null(), "{audit}");
    measured(w, "audit", false).await?;
    w.server.cli(&["views", "verify"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_stopped_audit_family_stops_auditors_only() {
    on_sqlite(async |w| {
        let log = Log::Sqlite(w.server.data().join("log.db"));
        only_auditors_wait(w, log).await
    })
    .await;
}

#[tokio::test]
async fn a_stopped_audit_family_stops_auditors_only_on_postgres() {
    on_postgres(async |w, cluster| {
        let log = Log::Postgres(cluster.url());
        only_auditors_wait(w, log).await
    })
    .await;
}
