//! What a reviewer looks for: who never signs in, who left and when their memberships ended, which
//! groups are empty; now, and as it was.

use crate::story::Story;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::{add_members, remove_member, user};
use rollcall_tests::server::Store;
use rollcall_tests::world::start_cluster;
use serde_json::{Value, json};

async fn look(s: &Story, args: &[&str]) -> Result<Vec<Value>> {
    let found = s.world.server.cli(&[&["review", "--org", "acme"], args].concat()).await?;
    ensure!(found["head"]["organization"] == "acme", "{found}");
    found["rows"].as_array().cloned().context("rows")
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["name"].as_str()).collect()
}

async fn a_reviewer_finds_what_is_looked_for(store: Store) -> Result<()> {
    let s = Story::begin(store).await?;
    let scim = &s.world.scim;
    let mut ids = Vec::new();
    for name in ["bo", "cy", "di"] {
        let made = scim.post("/Users", &user(&format!("{name}@contoso.example"))).await?;
        ids.push(made.expect_json(201)?["id"].as_str().context("id")?.to_owned());
    }
    let [bo, cy, di] = [&ids[0], &ids[1], &ids[2]];
    let (staff, board) = (scim.create_group("Staff").await?, scim.create_group("Board").await?);
    scim.create_group("Nobody").await?;
    let add = async |group: &str, who: &[&str]| {
        scim.operations(&format!("/Groups/{group}"), add_members(who)).await?.expect(204)
    };
    add(&staff, &[&s.ada, bo, cy]).await?;
    add(&board, &[&s.ada]).await?;
    ensure!(names(&look(&s, &["--find", "empty-groups"]).await?) == ["Nobody"]);

    s.signed_in().await?;
    let off = |active: bool| json!([{ "op": "Replace", "path": "active", "value": active }]);
    scim.operations(&format!("/Users/{di}"), off(false)).await?.expect(200)?;
    let never = look(&s, &["--find", "never-signed-in"]).await?;
    ensure!(names(&never) == ["bo@contoso.example", "cy@contoso.example"], "{never:?}");
    ensure!(never[0]["created_at"].is_string() && never[0]["signed_in_at"].is_null());
    // Nobody is idle who was created or signed in today.
    ensure!(look(&s, &["--find", "idle"]).await?.is_empty());
    ensure!(look(&s, &["--find", "idle", "--idle-days", "1"]).await?.is_empty());

    // Ada is switched off with two groups, of which one lets her go; Bo is deleted; Cy leaves a
    // group and stays.
    let before = s.world.admin.events_after("acme", 0).await?.len();
    s.deactivate().await?;
    let board_path = format!("/Groups/{board}");
    scim.operations(&board_path, remove_member(&s.ada)).await?.expect(204)?;
    scim.delete(&format!("/Users/{bo}")).await?.expect(204)?;
    scim.operations(&format!("/Groups/{staff}"), remove_member(cy)).await?.expect(204)?;
    let left = look(&s, &["--find", "leavers"]).await?;
    ensure!(
        names(&left) == ["di@contoso.example", "ada@contoso.example", "bo@contoso.example"],
        "{left:?}"
    );
    let told = |row: &Value| [row["groups"].clone(), row["groups_left"].clone()];
    ensure!(told(&left[0]) == [json!(0), json!(0)] && left[0]["seconds_until_ended"] == 0);
    ensure!(told(&left[1]) == [json!(2), json!(1)], "{}", left[1]);
    ensure!(left[1]["seconds_until_ended"].is_null() && left[1]["ended_at"].is_null());
    ensure!(left[1]["signed_in_at"].is_string() && left[1]["left_by"] == "UserDeactivated");
    ensure!(told(&left[2]) == [json!(1), json!(0)] && left[2]["left_by"] == "UserDeleted");
    ensure!(left[2]["seconds_until_ended"] == 0 && left[2]["ended_at"].is_string());
    let empty = look(&s, &["--find", "empty-groups"]).await?;
    ensure!(names(&empty) == ["Board", "Nobody"], "{empty:?}");
    ensure!(empty[0]["ended_at"].is_string() && empty[1]["ended_at"].is_null());

    // The last group lets Ada go, and then she is deleted: she left once.
    scim.operations(&format!("/Groups/{staff}"), remove_member(&s.ada)).await?.expect(204)?;
    scim.delete(&format!("/Users/{}", s.ada)).await?.expect(204)?;
    let left = look(&s, &["--find", "leavers"]).await?;
    ensure!(left.len() == 3 && told(&left[1]) == [json!(2), json!(0)], "{left:?}");
    ensure!(left[1]["seconds_until_ended"].is_number(), "{}", left[1]);

    // As it was.
    let moment = format!("position:{before}");
    ensure!(look(&s, &["--find", "never-signed-in", "--as-of", &moment]).await?.len() == 2);
    ensure!(look(&s, &["--find", "empty-groups", "--as-of", &moment]).await?.len() == 1);
    let period = ["--find", "leavers", "--from", &moment];
    ensure!(names(&look(&s, &period).await?) == ["ada@contoso.example", "bo@contoso.example"]);
    let period = ["--find", "leavers", "--to", &moment];
    ensure!(names(&look(&s, &period).await?) == ["di@contoso.example"]);

    // What makes no sense is refused, and says what there is.
    let base = "/api/v1/organizations/acme/review/findings";
    for query in [
        "",
        "?find=ghosts",
        "?find=leavers&as_of=-1d",
        "?find=idle&from=-1d",
        "?find=never-signed-in&idle_days=3",
        "?find=idle&idle_days=0",
        "?find=leavers&from=position:5&to=position:2",
    ] {
        s.world.admin.get(&format!("{base}{query}")).await?.expect(400)?;
    }
    let csv = s.world.admin.get(&format!("{base}?find=leavers&format=csv")).await?.expect(200)?;
    ensure!(csv.text().contains("ada@contoso.example,") && csv.text().starts_with("# "));
    s.world.admin.get(&format!("{base}?find=empty-groups&format=html")).await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_reviewer_finds_what_is_looked_for_on_sqlite() -> Result<()> {
    a_reviewer_finds_what_is_looked_for(Store::Sqlite).await
}

#[tokio::test]
async fn a_reviewer_finds_what_is_looked_for_on_postgres() -> Result<()> {
    let cluster = start_cluster().await;
    a_reviewer_finds_what_is_looked_for(Store::Postgres(cluster.url())).await
}
