//! Who reads history leaves a trail, and makes no history by it.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Answer, Request};
use rollcall_tests::on_both;
use rollcall_tests::world::World;
use serde_json::Value;

const EXCHANGES: &str = "/api/v1/organizations/acme/exchanges";

async fn key(w: &World, command: &[&str]) -> Result<String> {
    let issued = w.server.cli(command).await?;
    issued["key"].as_str().map(str::to_owned).context("a key")
}

async fn auditor(w: &World, label: &str) -> Result<String> {
    key(w, &["auditor", "issue", "--org", "acme", "--label", label]).await
}

async fn ask(w: &World, target: &str, key: &str) -> Result<Answer> {
    let request = Request::new("GET", target).header("Authorization", format!("Bearer {key}"));
    w.scim.http().fresh().send(request).await
}

async fn reads(w: &World) -> Result<Vec<Value>> {
    let all = w.server.cli(&["reads", "list", "--org", "acme", "--all"]).await?;
    all.as_array().cloned().context("a list")
}

/// All pages of the exchanges, one row each; gives how many there are.
async fn all_pages(w: &World, key: &str) -> Result<usize> {
    let (mut target, mut rows) = (format!("{EXCHANGES}?limit=1"), 0);
    loop {
        let answer = ask(w, &target, key).await?.expect(200)?;
        ensure!(answer.header("read-id").is_some());
        rows += answer.json()?.as_array().context("rows")?.len();
        ensure!(rows < 10_000, "this does not end");
        match answer.header("next-cursor") {
            Some(cursor) => target = format!("{EXCHANGES}?limit=1&cursor={cursor}"),
            None => return Ok(rows),
        }
    }
}

/// However often history is read, the log grows by one exchange for each session of reading,
/// and what was asked is told question by question.
async fn reading_makes_no_history(w: &World) -> Result<()> {
    let (year_end, other) = (auditor(w, "Year-end").await?, auditor(w, "Other").await?);
    let admin = key(w, &["admin", "add", "--org", "acme", "--label", "Ada"]).await?;
    for n in 0..20 {
        w.scim
            .post("/Users", &rollcall_tests::scim::user(&format!("u{n}@contoso.example")))
            .await?
            .expect(201)?;
    }
    let before = w.admin.all_exchanges("acme").await?.len();
    ensure!(all_pages(w, &year_end).await? == before);
    // The first question of a session is an exchange, and no other one is.
    let after = w.admin.all_exchanges("acme").await?;
    ensure!(after.len() == before + 1, "{} exchanges, then {}", before, after.len());
    let begun = after.last().context("an exchange")?;
    ensure!(begun["operation"] == "audit.exchanges.list" && begun["status"] == 200, "{begun}");
    ensure!(all_pages(w, &year_end).await? == before + 1);

    ask(w, "/api/v1/organizations/acme/users?limit=7", &year_end).await?.expect(200)?;
    ask(w, "/api/v1/organizations/globex/events", &year_end).await?.expect(404)?;
    ask(
        w,
        &format!(
            "/api/v1/organizations/acme/exchanges/{}",
            begun["id"].as_str().unwrap_or_default()
        ),
        &year_end,
    )
    .await?
    .expect(200)?;
    all_pages(w, &other).await?;
    ask(w, "/api/v1/organizations/acme/events/export", &admin).await?.expect(200)?;
    ensure!(w.admin.all_exchanges("acme").await?.len() == before + 3);

    let told = reads(w).await?;
    let of = |operation: &str| -> Vec<&Value> {
        told.iter().filter(|read| read["operation"] == operation).collect()
    };
    let pages = of("audit.exchanges.list");
    ensure!(pages.len() == 2, "{told:?}");
    let mine = pages.iter().find(|read| read["session"] == begun["id"]).context("mine")?;
    let turned = 2 * before as u64 + 1;
    ensure!(mine["requests"] == turned && mine["rows"] == turned, "{mine}");
    ensure!(mine["question"] == EXCHANGES && mine["refused"] == 0, "{mine}");
    ensure!(mine["caller"]["kind"] == "auditor", "{mine}");
    let users = of("audit.users.list");
    ensure!(users.len() == 1 && users[0]["rows"] == 7, "{users:?}");
    let refused = of("audit.events.list");
    ensure!(refused.len() == 1 && refused[0]["refused"] == 1, "{refused:?}");
    let exported = of("audit.events.export");
    ensure!(exported.len() == 1 && exported[0]["caller"]["name"] == "Ada", "{exported:?}");
    ensure!(!told.iter().any(|read| read.to_string().contains(&year_end)), "a key is kept");
    // Who asks for the trail stands in it.
    ask(w, "/api/v1/organizations/acme/reads", &other).await?.expect(200)?;
    ensure!(reads(w).await?[0]["operation"] == "audit.reads.list");
    w.server.cli(&["views", "verify"]).await?;
    Ok(())
}

on_both!(reading_makes_no_history);
