//! What a newcomer sees: every list in 80 columns, as a golden file; and at a terminal.

use super::tables::{lists, ran};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::{Server, binary};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A history that is the same each time.
const HISTORY: [&str; 10] = [
    "simulate",
    "history",
    "--start",
    "2026-11-02T06:00:00Z",
    "--days",
    "4",
    "--users",
    "30",
    "--seed",
    "5",
];

/// What a command says, on both outputs.
async fn said(server: &Server, args: &[&str]) -> Result<String> {
    let output = ran(server, args).await?;
    ensure!(output.status.success(), "{args:?}: {output:?}");
    let err = String::from_utf8(output.stderr)?;
    Ok(format!("$ rollcall {}\n{}{err}", args.join(" "), String::from_utf8(output.stdout)?))
}

/// How long each exchange took here is in no golden file, nor when the server was started.
fn without_what_differs(text: &str) -> String {
    let differs = |cell: &str| {
        let (whole, tenths) = cell.split_once('.').unwrap_or_default();
        tenths.len() == 1 && format!("{whole}{tenths}").bytes().all(|b| b.is_ascii_digit())
    };
    let word = |word: &str| if differs(word) { "0.0".to_owned() } else { word.to_owned() };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_list_in_80_columns() -> Result<()> {
    let (server, _) = Server::start_on(&HISTORY).await?;
    let groups = server.cli(&["directory", "groups", "--org", "contoso"]).await?;
    let group = groups["resources"][0]["displayName"].as_str().context("a group")?;
    let mut transcript = String::new();
    for list in lists(group) {
        let of_all = ["org", "operator", "views"].contains(&list[0]);
        let org: &[&str] = if of_all { &[] } else { &["--org", "contoso"] };
        let help = ran(&server, &[&list[..], &["--help"]].concat()).await?;
        let is_paged = String::from_utf8(help.stdout)?.contains("--limit");
        // From one end to the other: what happened first is there, and what was noticed today is not.
        let span: &[&str] = match list[..] {
            ["diff", ..] => &["--to", "position:40"],
            _ if is_paged => &["--limit", "5"],
            _ => &[],
        };
        let told = said(&server, &[&list, org, span, &["--columns", "80"]].concat()).await?;
        if let Some(wide) =
            told.lines().skip(1).find(|l| l.chars().count() > 80 && !l.contains("--cursor"))
        {
            ensure!(list[0] == "diff", "{list:?}: {wide}");
        }
        transcript.push_str(&without_what_differs(&told));
        transcript.push('\n');
    }
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/../snapshots/cli"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("lists", transcript) });
    Ok(())
}

/// A command at a terminal of so many columns, whose clock is two hours ahead of UTC.
async fn at_a_terminal(
    server: &Server,
    args: &[&str],
    variables: &[(&str, &str)],
) -> Result<String> {
    let line = [
        &[
            binary()?.to_str().context("a path")?,
            "--data",
            server.data().to_str().context("a path")?,
        ][..],
        args,
    ]
    .concat()
    .join(" ");
    in_a_terminal(&line, variables).await
}

async fn in_a_terminal(line: &str, variables: &[(&str, &str)]) -> Result<String> {
    let mut script = Command::new("script");
    script.args(["-qec", &format!("stty columns 120; {line}"), "/dev/null"]).stdin(Stdio::null());
    script.env_remove("NO_COLOR").env("TERM", "xterm").env("TZ", "<+02>-2");
    script.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || script.output()).await??;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// A server that takes its time is waited for with a line that moves; where nobody looks on, without.
#[tokio::test]
async fn what_takes_its_time_says_so_at_a_terminal() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut begun = [0; 4_096];
            let _ = stream.read(&mut begun).await;
            tokio::time::sleep(Duration::from_millis(1_800)).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                          content-length: 2\r\nconnection: close\r\n\r\n[]";
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("key");
    std::fs::write(&key, "rollcall_operator_0123456789abcdef")?;
    let key = key.to_str().context("a path")?;
    let args = ["org", "list", "--url", &url, "--key-file", key];
    let line = [&[binary()?.to_str().context("a path")?][..], &args].concat().join(" ");
    let told = in_a_terminal(&line, &[]).await?;
    ensure!(told.contains("waiting for the server") && told.contains("DOMAIN"), "{told:?}");
    let told = in_a_terminal(&format!("{line} 2>/dev/null"), &[]).await?;
    ensure!(!told.contains("waiting") && told.contains("DOMAIN"), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn a_terminal_has_colour_and_local_time_and_a_pipe_has_neither() -> Result<()> {
    let (server, _) = Server::start_on(&HISTORY).await?;
    let list = ["failures", "list", "--org", "contoso"];
    let bold = |text: &str| text.contains("\u{1b}[1mCAUSE\u{1b}[0m");
    let told = at_a_terminal(&server, &list, &[]).await?;
    ensure!(bold(&told) && told.contains("open"), "{told:?}");
    for (args, variable) in
        [(&["--color", "never"][..], ("X", "")), (&[], ("NO_COLOR", "1")), (&[], ("TERM", "dumb"))]
    {
        let told = at_a_terminal(&server, &[&list, args].concat(), &[variable]).await?;
        ensure!(
            !told.contains('\u{1b}') && told.contains("CAUSE"),
            "{args:?} {variable:?}: {told:?}"
        );
    }
    let piped = said(&server, &list).await?;
    ensure!(!piped.contains('\u{1b}'), "{piped:?}");
    let painted = said(&server, &[&list[..], &["--color", "always"]].concat()).await?;
    ensure!(bold(&painted), "{painted:?}");

    // Times are UTC, and beside them those of this machine; or these, with how far they are from UTC.
    let failures = server.cli(&list).await?;
    let id = failures[0]["id"].as_str().context("a failure")?;
    let shown = at_a_terminal(&server, &["failures", "show", "--org", "contoso", id], &[]).await?;
    ensure!(shown.contains("Z (20") && shown.contains("+02:00)"), "{shown}");
    let shown = said(&server, &["failures", "show", "--org", "contoso", id]).await?;
    ensure!(!shown.contains("+02:00"), "{shown}");
    let told =
        at_a_terminal(&server, &[&list[..], &["--local-time", "--color", "never"]].concat(), &[])
            .await?;
    ensure!(told.contains("+02:00  ") && !told.contains("Z  "), "{told}");
    Ok(())
}
