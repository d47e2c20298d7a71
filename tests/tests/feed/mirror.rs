//! The proof: a consumer of another language, written from the documents alone, keeps a directory
//! from the feed, and after a month it is byte for byte what `directory users --as-of` shows.

use super::client::{Consumer, number};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::Admin;
use rollcall_tests::python;
use rollcall_tests::server::Server;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/directory/directory.py")
}

/// All pages of a listing as of a position.
async fn all(admin: &Admin, target: &str, position: u64) -> Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin
            .get(&format!("{target}?as_of=position:{position}&limit=1000{after}"))
            .await?
            .expect_json(200)?;
        let list = page.get("resources").or_else(|| page.get("members")).context("a list")?;
        all.extend(list.as_array().context("a list")?.iter().cloned());
        match page["next"].as_u64() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(all),
        }
    }
}

/// The directory at a position, as auditors are told.
async fn told(admin: &Admin, position: u64) -> Result<String> {
    let of = |name: &str| format!("/api/v1/organizations/contoso/{name}");
    let id = |resource: &Value| resource["id"].as_str().unwrap_or_default().to_owned();
    let mut users = all(admin, &of("users"), position).await?;
    let mut groups = all(admin, &of("groups"), position).await?;
    users.sort_by_key(id);
    groups.sort_by_key(id);
    let mut members = Map::new();
    for group in &groups {
        let of_group = of(&format!("groups/{}/members", id(group)));
        let mut ids: Vec<String> = all(admin, &of_group, position).await?.iter().map(id).collect();
        ids.sort();
        if !ids.is_empty() {
            members.insert(id(group), json!(ids));
        }
    }
    ensure!(users.len() > 20 && groups.len() > 2 && members.len() > 1, "a month of nothing");
    Ok(json!({ "position": position, "users": users, "groups": groups, "members": members })
        .to_string())
}

#[tokio::test]
async fn a_mirror_kept_from_the_feed_alone_is_the_directory() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let history = ["simulate", "history", "--days", "30", "--users", "60", "--seed", "7"];
    let (server, _) = Server::start_on(&history).await?;
    let admin = Admin::new(server.address(), &server.operator_key()?);
    let mut consumer = Consumer::add_to(&server, "contoso", "mirror", &[]).await?;
    let url = |path: &str| format!("{}{path}", server.address().url());
    let (feed, snapshot) = (url(&consumer.feed), url(&consumer.snapshot));
    let token = consumer.token.clone();
    let script = example();
    let script = script.to_str().context("a path")?;
    let from_the_beginning = [script, &feed, "--limit", "37"];
    let from_a_snapshot = [script, &feed, "--snapshot", &snapshot, "--limit", "50"];
    for arguments in [&from_the_beginning[..], &from_a_snapshot[..]] {
        let said = python::run("python", arguments, &[("ROLLCALL_TOKEN", &token)]).await?;
        ensure!(said.success, "{}", said.err);
        let mirror: Value = serde_json::from_str(&said.out)?;
        let expected = told(&admin, number(&mirror, "position")).await?;
        if said.out.trim_end() != expected {
            difference(&mirror, &serde_json::from_str(&expected)?)?;
        }
        ensure!(said.out.trim_end() == expected, "equal, and not byte for byte");
    }
    consumer.all("&limit=1000").await?;
    as_the_schema_says(&admin, &consumer.got, folder.path()).await
}

/// Every event of the month is what the published schema says of its type, by a validator that
/// nobody here wrote.
async fn as_the_schema_says(admin: &Admin, events: &[Value], folder: &Path) -> Result<()> {
    let schemas = admin.get_anonymous("/api/v1/event-schemas.json").await?.expect_json(200)?;
    let file = folder.join("events.json");
    std::fs::write(&file, json!({ "schemas": schemas, "events": events }).to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feed/schema_says.py");
    let script = script.to_str().context("a path")?;
    let said = python::run("python", &[script, file.to_str().context("a path")?], &[]).await?;
    ensure!(said.success, "{}{}", said.out, said.err);
    print!("{}", said.out);
    Ok(())
}

/// The first thing that differs.
fn difference(mirror: &Value, expected: &Value) -> Result<()> {
    for part in ["users", "groups"] {
        let (mirror, expected) = (mirror[part].as_array(), expected[part].as_array());
        let (mirror, expected) = (mirror.context("a list")?, expected.context("a list")?);
        for (one, other) in mirror.iter().zip(expected) {
            ensure!(one == other, "{part}:\n{one}\n{other}");
        }
        ensure!(mirror.len() == expected.len(), "{} {part}, not {}", mirror.len(), expected.len());
    }
    ensure!(mirror == expected, "members:\n{}\n{}", mirror["members"], expected["members"]);
    Ok(())
}
