//! Tables for people, whatever is in them and whoever stops reading.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::{add_members, user};
use rollcall_tests::server::{Server, binary};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Output, Stdio};

/// A command as a person gives it.
fn command(server: &Server, args: &[&str]) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command.args(args).arg("--data").arg(server.data()).arg("--url").arg(server.address().url());
    command.stdin(Stdio::null());
    Ok(command)
}

pub(super) async fn ran(server: &Server, args: &[&str]) -> Result<Output> {
    let mut command = command(server, args)?;
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The list commands of one organization.
pub(super) fn lists(group: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["org", "list"],
        vec!["scim", "token", "list"],
        vec!["auditor", "list"],
        vec!["admin", "list"],
        vec!["operator", "list"],
        vec!["events", "list"],
        vec!["exchanges", "list"],
        vec!["reads", "list"],
        vec!["consumer", "list"],
        vec!["scim", "credential", "list"],
        vec!["console", "links"],
        vec!["console", "sessions"],
        vec!["failures", "list"],
        vec!["logins", "list"],
        vec!["sessions", "list"],
        vec!["runs", "list"],
        vec!["directory", "users"],
        vec!["directory", "groups"],
        vec!["directory", "members", group],
        vec!["directory", "memberships", "--group", group],
        vec!["diff", "--from", "position:0"],
        vec!["views", "status"],
        vec!["claims", "collisions"],
    ]
}

async fn with_odd_people(w: &World) -> Result<String> {
    let group = w.scim.create_group("Staff \u{202e}ffatS").await?;
    let mut ids = Vec::new();
    for n in 0..1_800 {
        ids.push(json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"),
            "data": user(&format!("person{n}@contoso.example"))}));
    }
    let mut members = Vec::new();
    for part in ids.chunks(100) {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": part});
        let made = w.scim.post("/Bulk", &body).await?.expect_json(200)?;
        for one in made["Operations"].as_array().context("operations")? {
            let location = one["location"].as_str().with_context(|| format!("{one}"))?;
            members.push(location.rsplit('/').next().unwrap_or_default().to_owned());
        }
    }
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    w.scim.operations(&format!("/Groups/{group}"), add_members(&members)).await?.expect(204)?;
    let mut odd = user("odd@contoso.example");
    odd["displayName"] = json!("\u{1b}[31mred\u{9b}2J\u{7f}\r\nsecond line\u{202e}");
    w.scim.post("/Users", &odd).await?.expect(201)?;
    w.scim.post("/Users", &odd).await?.expect(409)?;
    Ok(group)
}

#[tokio::test]
async fn tables_are_as_wide_as_they_may_be_and_command_no_terminal() {
    on_sqlite(async |w| {
        let group = with_odd_people(w).await?;
        for list in lists(&group) {
            let of_all = ["org", "operator", "views"].contains(&list[0]);
            let org: &[&str] = if of_all { &[] } else { &["--org", "acme"] };
            for fit in [&["--columns", "80"][..], &["--wide"], &["--json"]] {
                let args = [&list, org, fit].concat();
                let output = ran(&w.server, &args).await?;
                let (out, err) = (text(&output.stdout), text(&output.stderr));
                ensure!(output.status.code() == Some(0), "{args:?}: {:?} {err}", output.status);
                let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
                ensure!(!out.contains(odd) && !err.contains(odd), "{args:?}: {out:?}");
                ensure!(!out.is_empty(), "{args:?} printed nothing");
                if fit[0] == "--columns" {
                    let wide = out.lines().find(|line| line.chars().count() > 80);
                    ensure!(wide.is_none() || list[0] == "diff", "{args:?}: {wide:?}");
                    ensure!(!out.contains('\u{2026}') || err.contains("--wide"), "{args:?}: {err}");
                }
            }
        }
        Ok(())
    })
    .await;
}

/// `rollcall exchanges list --all | head -1`
#[tokio::test]
async fn who_stops_reading_ends_nothing_with_a_panic() {
    on_sqlite(async |w| {
        let group = with_odd_people(w).await?;
        for list in lists(&group) {
            let of_all = ["org", "operator", "views"].contains(&list[0]);
            let org: &[&str] = if of_all { &[] } else { &["--org", "acme"] };
            let mut command = command(&w.server, &[&list, org, &["--wide"]].concat())?;
            let ended = tokio::task::spawn_blocking(move || {
                let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
                let out = child.stdout.take().context("stdout")?;
                let mut line = String::new();
                BufReader::with_capacity(64, out).read_line(&mut line)?;
                let mut said = String::new();
                child.stderr.take().context("stderr")?.read_to_string(&mut said)?;
                anyhow::Ok((child.wait()?, said))
            });
            let (status, said) = ended.await??;
            ensure!(
                status.code() == Some(0) && !said.contains("panicked"),
                "{list:?}: {status} {said}"
            );
        }
        // What cannot be written is told: nothing is a success that was not done.
        let mut full = command(&w.server, &["events", "list", "--org", "acme", "--json"])?;
        let device = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
        let ended = full.stdout(device).output()?;
        ensure!(ended.status.code() == Some(3), "{:?} {}", ended.status, text(&ended.stderr));
        Ok(())
    })
    .await;
}

/// A page says that there is more, and how to go on; `--all` is all.
#[tokio::test]
async fn a_page_says_how_to_go_on_and_all_is_all() {
    on_sqlite(async |w| {
        for n in 0..5 {
            w.scim.create_user(&format!("u{n}@contoso.example")).await?;
        }
        let all = w.server.cli(&["events", "list", "--org", "acme", "--all"]).await?;
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut args = vec!["events", "list", "--org", "acme", "--limit", "3"];
            args.extend(cursor.iter().flat_map(|c| ["--cursor", c]));
            let output = w.server.command(&args).await?;
            let page: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)?;
            found.extend(page);
            let said = text(&output.stderr);
            let next = said.split("--cursor ").nth(1).and_then(|rest| rest.split(',').next());
            match next {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        ensure!(json!(found) == all && found.len() > 6, "{} rows on pages: {all}", found.len());
        Ok(())
    })
    .await;
}
