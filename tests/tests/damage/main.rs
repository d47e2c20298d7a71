//! A record that is missing or cannot be read stops its organization, and nobody else; what was lost
//! is named, and is put back from a backup or passed over by an event.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::gapless;
use rollcall_tests::operating;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{add_members, remove_member, user};
use rollcall_tests::server::Store;
use rollcall_tests::world::{World, on_postgres, on_sqlite, organization};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::fs;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What can happen to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Missing,
    Unreadable,
}

impl Harm {
    const BOTH: [Self; 2] = [Self::Missing, Self::Unreadable];

    fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }

    fn reason(self) -> String {
        format!("record-{}", self.word())
    }

    /// Does it to the records of an organization, of a server that does not run; and has its views
    /// made anew.
    async fn to(self, w: &World, organization: &str, positions: &[i64]) -> Result<()> {
        let id: Uuid = organization.parse()?;
        for position in positions {
            let done = match w.server.store() {
                Store::Sqlite => {
                    let db = rusqlite::Connection::open(w.server.data().join("log.db"))?;
                    let sql = match self {
                        Self::Missing => {
                            "DELETE FROM event WHERE organization = ?1 AND position = ?2"
                        }
                        Self::Unreadable => {
                            "UPDATE event SET actor = '{' WHERE organization = ?1 AND position = ?2"
                        }
                    };
                    db.execute(sql, (id.as_bytes().as_slice(), position))? as u64
                }
                Store::Postgres(url) => {
                    let mut db = PgConnection::connect(url).await?;
                    let sql = match self {
                        Self::Missing => {
                            "DELETE FROM rollcall.events WHERE organization = $1 AND position = $2"
                        }
                        Self::Unreadable => {
                            "UPDATE rollcall.events SET actor = '{' WHERE organization = $1 AND position = $2"
                        }
                    };
                    let query = sqlx::query(sql).bind(id).bind(position);
                    query.execute(&mut db).await?.rows_affected()
                }
            };
            ensure!(done == 1, "{done} records at {position}");
        }
        Ok(())
    }
}

/// Takes the views away of a server that does not run: its next start makes them of the log.
async fn without_views(w: &World) -> Result<()> {
    match w.server.store() {
        Store::Sqlite => {
            for name in ["views.db", "audit.db"] {
                for end in ["", "-wal", "-shm"] {
                    match fs::remove_file(w.server.data().join(format!("{name}{end}"))) {
                        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                        _ => {}
                    }
                }
            }
        }
        Store::Postgres(url) => {
            let mut db = PgConnection::connect(url).await?;
            db.execute("DROP SCHEMA rollcall_views CASCADE; DROP SCHEMA rollcall_audit CASCADE")
                .await?;
        }
    }
    Ok(())
}

/// A directory with somebody in a group who has left it again, and a neighbour.
struct Story {
    globex: rollcall_tests::scim::Scim,
    ada: String,
    grace: String,
    staff: String,
}

async fn begin(w: &World) -> Result<Story> {
    let (_, globex) = w.another("Globex", "globex").await?;
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let grace = w.scim.create_user("grace@contoso.example").await?;
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Grace"}]);
    w.scim.operations(&format!("/Users/{grace}"), rename).await?.expect(200)?;
    let staff = w.scim.create_group("Staff").await?;
    let group = format!("/Groups/{staff}");
    w.scim.operations(&group, add_members(&[&ada, &grace])).await?.expect(204)?;
    w.scim.operations(&group, remove_member(&ada)).await?.expect(204)?;
    globex.create_user("bo@globex.example").await?;
    Ok(Story { globex, ada, grace, staff })
}

/// The position of the first event of a type, about somebody.
async fn position_of(w: &World, event_type: &str, subject: &str) -> Result<i64> {
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    let found = events.iter().find(|e| e["type"] == event_type && e["subject"] == subject);
    found
        .and_then(|e| e["position"].as_i64())
        .with_context(|| format!("no {event_type}: {events:?}"))
}

/// The organization is stopped, says why wherever it is asked, and others are served.
async fn only_acme_is_stopped(w: &World, story: &Story, harm: Harm, position: i64) -> Result<()> {
    let reason = harm.reason();
    operating::row(&reason)?;
    // It is told, and a load balancer goes on sending requests.
    let ready = w.admin.get_anonymous("/readyz").await?.expect_json(200)?;
    let here = json!({ "organization": w.acme.id, "position": position, "reason": reason });
    ensure!(ready["stopped"] == json!([here]), "{ready}");
    let seen = json!({ "organization": w.acme.id, "position": position, "reason": harm.word() });
    ensure!(ready["damaged"].as_array().is_some_and(|all| all.contains(&seen)), "{ready}");
    let metric = format!("rollcall_damaged_records{{organization=\"{}\"}}", w.acme.id);
    let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
    let told = metrics.lines().filter_map(|line| line.strip_prefix(&metric));
    ensure!(told.clone().count() == 1 && told.clone().all(|n| n.trim() != "0"), "{metrics}");

    for path in ["/Users", "/Groups", &format!("/Users/{}", story.grace)] {
        let answer = w.scim.get(path).await?;
        ensure!(answer.header("rollcall-reason") == Some(&reason), "{answer:?}");
        refused(answer, 503, None)?;
    }
    let answer = w.scim.post("/Users", &user("mallory@contoso.example")).await?;
    ensure!(answer.header("rollcall-reason") == Some(&reason), "{answer:?}");
    refused(answer, 503, None)?;
    for question in ["events?limit=1000", "events/export", "users", "diff?from=position:1"] {
        let target = format!("/api/v1/organizations/acme/{question}");
        let problem = w.admin.get(&target).await?.expect_json(503)?;
        ensure!(problem["reason"] == reason, "{question}: {problem}");
    }
    let exported = w.server.command(&["events", "export", "--org", "acme"]).await?;
    let said = String::from_utf8_lossy(&exported.stderr).into_owned();
    ensure!(exported.status.code() == Some(1), "{exported:?}");
    ensure!(said.contains(&format!("position {position}")), "it does not say where: {said}");
    let verified = w.server.command(&["views", "verify"]).await?;
    let found: Value = serde_json::from_slice(&verified.stdout)?;
    ensure!(verified.status.code() == Some(1) && found["equal"] == false, "{found}");
    let stops: Vec<&Value> = found["not_compared"].as_array().into_iter().flatten().collect();
    ensure!(!stops.is_empty(), "{found}");
    ensure!(stops.iter().all(|s| s["organization_id"] == w.acme.id.as_str()), "{found}");

    let bob =
        story.globex.create_user(&format!("{}-{position}@globex.example", harm.word())).await?;
    story.globex.get(&format!("/Users/{bob}")).await?.expect(200)?;
    w.server.cli(&["events", "export", "--org", "globex"]).await?;
    Ok(())
}

/// All is served, and whole.
async fn all_is_well(w: &World) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let ready = w.admin.get_anonymous("/readyz").await?.expect_json(200)?;
        let nothing = json!([]);
        if ready["stopped"] == nothing
            && ready["damaged"] == nothing
            && ready["audit"]["stopped"] == nothing
        {
            break;
        }
        ensure!(Instant::now() < deadline, "{ready}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gapless(&w.admin.events_after(&w.acme.id, 0).await?, 0)?;
    w.server.cli(&["events", "export", "--org", "acme"]).await?;
    w.server.cli(&["views", "verify"]).await?;
    let plan = w.server.cli(&["log", "repair", "--org", "acme", "--plan"]).await?;
    ensure!(plan["lost"] == json!([]), "{plan}");
    Ok(())
}

async fn from_a_backup(w: &mut World) -> Result<()> {
    let story = begin(w).await?;
    let kept = tempfile::tempdir()?;
    let path = |name: &str| kept.path().join(name).to_string_lossy().into_owned();
    w.server.cli(&["backup", "--output", &path("backup")]).await?;
    let mut before = w.admin.events_after(&w.acme.id, 0).await?;
    for (n, harm) in Harm::BOTH.into_iter().enumerate() {
        let lost = position_of(w, "UserCreated", &story.grace).await?;
        // Two of one kind, so that one alone proves nothing.
        let also = position_of(w, "GroupMembersRemoved", &story.staff).await?;
        w.server.terminate().await?;
        harm.to(w, &w.acme.id, &[lost, also]).await?;
        without_views(w).await?;
        w.server.restart().await?;
        only_acme_is_stopped(w, &story, harm, lost).await?;

        let plan = ["log", "repair", "--org", "acme", "--plan"];
        let planned = w.server.command(&plan).await?;
        ensure!(planned.status.code() == Some(1), "{planned:?}");
        let planned: Value = serde_json::from_slice(&planned.stdout)?;
        let told = &planned["lost"][0];
        ensure!(told["position"] == lost && told["was"] == harm.word(), "{planned}");
        ensure!(
            told["subject"] == story.grace.as_str() && told["aggregate"] == "User",
            "{planned}"
        );

        // What is another record is not put anywhere, however well it fits.
        let backup = fs::read_to_string(path("backup"))?;
        let mut records: Vec<Value> = backup
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["line"] == "record")
            .map(|line| line["record"].clone())
            .filter(|record| record["stream"]["organization"] == w.acme.id.as_str())
            .collect();
        let forged = records.iter_mut().find(|record| record["position"] == lost);
        let forged = forged.context("the record is in the backup")?;
        // It says the same, in other bytes.
        let payload = forged["payload"].as_str().context("a payload")?;
        ensure!(!payload.contains("grace@contoso.example"), "{payload}");
        let changed = format!("{payload} ");
        forged["payload"] = json!(changed);
        let body = json!({ "records": records });
        let target = "/api/v1/organizations/acme/log/repair";
        let refused = w.admin.post(target, &body).await?.expect_json(409)?;
        ensure!(
            refused["detail"].as_str().is_some_and(|d| d.contains(&lost.to_string())),
            "{refused}"
        );
        ensure!(w.server.command(&plan).await?.status.code() == Some(1), "nothing was done");

        let file = path("backup");
        let done = w.server.cli(&["log", "repair", "--org", "acme", "--input", &file]).await?;
        ensure!(done["put_back"] == json!([lost, also]) && done["lost"] == json!([]), "{done}");
        all_is_well(w).await?;
        let after = w.admin.events_after(&w.acme.id, 0).await?;
        ensure!(after[..before.len()] == before[..], "they are the records of before");
        w.server.cli(&["ledger", "audit", "--org", "acme"]).await?;
        ensure!(w.scim.members(&story.staff).await? == [story.grace.as_str()]);
        let again = w.server.command(&["log", "repair", "--org", "acme", "--input", &file]).await?;
        ensure!(again.status.code() == Some(3), "there is nothing to repair: {again:?}");
        w.scim.create_user(&format!("user{n}@contoso.example")).await?;
        before = w.admin.events_after(&w.acme.id, 0).await?;
        w.server.cli(&["backup", "--output", &path(&format!("backup{n}"))]).await?;
        fs::rename(path(&format!("backup{n}")), path("backup"))?;
    }
    Ok(())
}

async fn from_nothing(w: &mut World) -> Result<()> {
    let story = begin(w).await?;
    for harm in Harm::BOTH {
        // The creation of somebody who is a member: what follows of them means nothing without it.
        let name = format!("{}@contoso.example", harm.word());
        let tess = w.scim.create_user(&name).await?;
        let group = format!("/Groups/{}", story.staff);
        w.scim.operations(&group, add_members(&[&tess])).await?.expect(204)?;
        let rename = json!([{"op": "replace", "path": "displayName", "value": "Tess"}]);
        w.scim.operations(&format!("/Users/{tess}"), rename).await?.expect(200)?;
        let lost = position_of(w, "UserCreated", &tess).await?;
        w.server.terminate().await?;
        harm.to(w, &w.acme.id, &[lost]).await?;
        without_views(w).await?;
        w.server.restart().await?;
        only_acme_is_stopped(w, &story, harm, lost).await?;

        let accept = ["log", "repair", "--org", "acme", "--accept", "--because"];
        let refused = w.server.command(&[&accept[..], &[" "]].concat()).await?;
        ensure!(refused.status.code() == Some(2), "{refused:?}");
        let because = "the disk is gone, and there is no backup";
        let done = w.server.cli(&[&accept[..], &[because]].concat()).await?;
        let passed = done["passed_over"].as_array().context("a list")?;
        ensure!(passed[0]["position"] == lost && passed[0]["was"] == harm.word(), "{done}");
        let behind = passed.iter().skip(1);
        ensure!(
            behind.clone().count() == 1 && behind.clone().all(|p| p["was"] == "left-behind"),
            "{done}"
        );
        ensure!(done["then"] == json!(["restart-provisioning"]), "{done}");
        all_is_well(w).await?;

        // It says so itself, at its place, and who said it.
        let events = w.admin.events_after(&w.acme.id, 0).await?;
        let said = &events[usize::try_from(lost)? - 1];
        ensure!(said["type"] == "RecordLost" && said["actor"]["kind"] == "operator", "{said}");
        ensure!(said["payload"]["because"] == because && said["payload"]["was"] == harm.word());
        // They are not there any more, and Entra makes them anew under the same name.
        rollcall_tests::refusal::refused(w.scim.get(&format!("/Users/{tess}")).await?, 404, None)?;
        let anew = w.scim.create_user(&name).await?;
        w.scim.operations(&group, add_members(&[&anew])).await?.expect(204)?;
        w.scim.get(&format!("/Users/{}", story.ada)).await?.expect(200)?;
        all_is_well(w).await?;
        w.server.terminate().await?;
        without_views(w).await?;
        w.server.restart().await?;
        all_is_well(w).await?;
        // The ledger goes on saying what was lost.
        let audit = w.server.command(&["ledger", "audit", "--org", "acme"]).await?;
        ensure!(audit.status.code() == Some(1), "{audit:?}");
    }
    Ok(())
}

/// The last record of a stream leaves no hole in it: nothing tells whose it was.
async fn what_nothing_tells(w: &mut World) -> Result<()> {
    let story = begin(w).await?;
    w.scim.create_user("zoe@contoso.example").await?;
    let lost = position_of(w, "GroupMembersRemoved", &story.staff).await?;
    w.server.terminate().await?;
    Harm::Missing.to(w, &w.acme.id, &[lost]).await?;
    without_views(w).await?;
    w.server.restart().await?;
    only_acme_is_stopped(w, &story, Harm::Missing, lost).await?;
    let accept = ["log", "repair", "--org", "acme", "--accept", "--because", "it is gone"];
    let done = w.server.cli(&accept).await?;
    ensure!(done["passed_over"][0]["subject"].is_null(), "{done}");
    ensure!(done["then"] == json!(["restart-provisioning", "review-credentials"]), "{done}");
    all_is_well(w).await?;
    // Entra says it again, and the group goes on where it is.
    let group = format!("/Groups/{}", story.staff);
    w.scim.operations(&group, remove_member(&story.ada)).await?.expect(204)?;
    ensure!(w.scim.members(&story.staff).await? == [story.grace.as_str()]);
    all_is_well(w).await
}

/// What brought an organization into being can only come from a backup.
async fn the_beginning(w: &mut World) -> Result<()> {
    let other = organization(&w.server, "Other", "other").await?;
    w.scim.create_user("ada@contoso.example").await?;
    let kept = tempfile::tempdir()?;
    let file = kept.path().join("backup").to_string_lossy().into_owned();
    w.server.cli(&["backup", "--output", &file]).await?;
    w.server.terminate().await?;
    Harm::Missing.to(w, &other.id, &[1]).await?;
    without_views(w).await?;
    w.server.restart().await?;
    w.scim.create_user("bob@contoso.example").await?;
    let accept = ["log", "repair", "--org", &other.id, "--accept", "--because", "it is gone"];
    let refused = w.server.command(&accept).await?;
    ensure!(refused.status.code() == Some(3), "{refused:?}");
    w.server.cli(&["log", "repair", "--org", &other.id, "--input", &file]).await?;
    w.server.cli(&["org", "list"]).await?;
    w.server.cli(&["views", "verify"]).await?;
    Ok(())
}

/// Claims and exchanges are compared as well as rows.
async fn what_verify_sees(w: &mut World) -> Result<()> {
    w.scim.create_user("ada@contoso.example").await?;
    let well = w.server.cli(&["views", "verify"]).await?;
    ensure!(well["claims"].as_u64() > Some(2) && well["exchanges"].as_u64() > Some(0), "{well}");
    let families = well["families"].as_array().context("families")?;
    let acme = families.iter().filter(|f| f["organization_id"] == w.acme.id.as_str());
    let mut live = acme.clone().filter(|f| f["family"] == "live");
    ensure!(acme.count() == 2 && live.all(|f| f["position"] == f["head"]), "{well}");
    w.server.terminate().await?;
    let id: Uuid = w.acme.id.parse()?;
    match w.server.store() {
        Store::Sqlite => {
            let db = rusqlite::Connection::open(w.server.data().join("log.db"))?;
            let own = (id.as_bytes().as_slice(),);
            db.execute("DELETE FROM claim WHERE scope = ?1", own)?;
            db.execute("DELETE FROM exchange WHERE number = 2 AND organization = ?1", own)?;
        }
        Store::Postgres(url) => {
            let mut db = PgConnection::connect(url).await?;
            let sql = "DELETE FROM rollcall.claims WHERE scope = $1";
            sqlx::query(sql).bind(id).execute(&mut db).await?;
            let sql = "DELETE FROM rollcall.exchanges WHERE number = 2 AND organization = $1";
            sqlx::query(sql).bind(id).execute(&mut db).await?;
        }
    }
    w.server.restart().await?;
    let found = w.server.command(&["views", "verify"]).await?;
    let told: Value = serde_json::from_slice(&found.stdout)?;
    ensure!(found.status.code() == Some(1) && told["equal"] == false, "{told}");
    ensure!(told["claim_differences"].as_array().is_some_and(|all| !all.is_empty()), "{told}");
    let hole = json!([{ "organization_id": w.acme.id, "number": 2 }]);
    ensure!(told["exchange_holes"] == hole && told["differences"] == 0, "{told}");
    Ok(())
}

/// A story on either store.
macro_rules! on_both {
    ($($story:ident),*) => {$(
        mod $story {
            #[tokio::test]
            async fn on_sqlite() {
                super::on_sqlite(super::$story).await;
            }
            #[tokio::test]
            async fn on_postgres() {
                super::on_postgres(async |w, _| super::$story(w).await).await;
            }
        }
    )*};
}

on_both!(from_a_backup, from_nothing, what_nothing_tells, the_beginning, what_verify_sees);

/// Both words are in the manual.
#[test]
fn every_reason_has_its_row() -> Result<()> {
    for reason in rollcall_projections::checkpoint::StopReason::ALL {
        operating::row(reason.as_str())?;
    }
    Ok(())
}
