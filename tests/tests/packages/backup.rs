//! A backup is restored to see what it is worth; and the script of the timer keeps those that are.

use super::tools::{root, tried};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::{Server, binary, run};
use std::path::Path;
use std::process::Command;

fn check(server: &Server, file: &Path) -> Result<(Option<i32>, String)> {
    let (data, file) = (server.data(), file.to_str().context("a path")?);
    let data = data.to_str().context("a path")?;
    let output = run(&["backup", "--check", file, "--data", data, "--json"])?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
}

#[tokio::test]
async fn a_backup_is_checked_by_restoring_it() -> Result<()> {
    let history = ["simulate", "history", "--days", "3", "--users", "30", "--seed", "5"];
    let (server, _) = Server::start_on(&history).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("a.backup");
    server.cli(&["backup", "--output", file.to_str().context("a path")?]).await?;
    let (code, said) = check(&server, &file)?;
    ensure!(code == Some(0) && said.contains("\"different\": []"), "{code:?} {said}");
    // Whatever is changed in it: a byte, a line, the end. It says so, and names no content.
    let whole = std::fs::read(&file)?;
    let damaged = folder.path().join("damaged");
    let middle = whole.len() / 2;
    let line = whole.iter().take(middle).rposition(|b| *b == b'\n').context("lines")? + 1;
    let next = line + whole[line..].iter().position(|b| *b == b'\n').context("lines")? + 1;
    let flipped = {
        let mut bytes = whole.clone();
        bytes[middle] ^= 1;
        bytes
    };
    let without = [&whole[..line], &whole[next..]].concat();
    for bytes in [flipped, without, whole[..middle].to_vec(), Vec::new()] {
        std::fs::write(&damaged, bytes)?;
        let (code, said) = check(&server, &damaged)?;
        ensure!(code != Some(0), "{said}");
        ensure!(!said.contains("contoso.example"), "it shows what is in there: {said}");
    }
    ensure!(check(&server, &folder.path().join("nothing"))?.0 == Some(2), "there is no such file");
    Ok(())
}

#[tokio::test]
async fn the_timer_keeps_checked_backups_and_removes_only_those_that_are_too_many() -> Result<()> {
    let (server, _) =
        Server::start_on(&["simulate", "history", "--days", "1", "--users", "10"]).await?;
    let folder = tempfile::tempdir()?;
    let script = |keep: &str, rollcall: &Path| {
        let mut command = Command::new(root().join("packaging/backup"));
        command.env("BACKUP_FOLDER", folder.path()).env("BACKUP_KEEP", keep);
        command.env("ROLLCALL_DATA", server.data()).env("ROLLCALL", rollcall);
        tried(&mut command)
    };
    let names = || -> Result<Vec<String>> {
        let mut names: Vec<String> = std::fs::read_dir(folder.path())?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        names.sort();
        Ok(names)
    };
    for old in ["rollcall-2020-01-01T000000Z.backup", "rollcall-2021-01-01T000000Z.backup"] {
        std::fs::write(folder.path().join(old), "old")?;
    }
    std::fs::write(folder.path().join("somebody-else's"), "kept")?;
    let (good, said) = script("2", &binary()?)?;
    ensure!(good, "{said}");
    let kept = names()?;
    ensure!(kept.len() == 3 && kept[0].contains("2021") && kept[2].contains("else"), "{kept:?}");
    // One that does not come out as it is takes the place of none.
    let liar = folder.path().join("liar");
    let text = format!(
        "#!/bin/sh\nfor a; do [ \"$a\" = --check ] && exit 1; done\nexec {} \"$@\"\n",
        binary()?.display()
    );
    std::fs::write(&liar, text)?;
    super::tools::run("chmod", &["+x", liar.to_str().context("a path")?])?;
    let (good, said) = script("1", &liar)?;
    ensure!(!good && said.contains("does not come out"), "{said}");
    let after = names()?;
    ensure!(kept.iter().all(|name| after.contains(name)), "{after:?}");
    ensure!(after.iter().any(|name| name.ends_with(".unchecked")), "{after:?}");
    ensure!(!script("0", &binary()?)?.0, "nobody wants to keep none");
    // The server says when it wrote the last.
    let metrics = rollcall_tests::http::Http::new(server.address())
        .send(rollcall_tests::http::Request::new("GET", "/metrics"))
        .await?
        .text();
    ensure!(metrics.lines().any(|l| l.starts_with("rollcall_backup_seconds 1")), "not told");
    Ok(())
}
