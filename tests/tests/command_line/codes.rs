//! Commands end in one of five ways, each with its exit code, the same everywhere.

use anyhow::{Result, ensure};
use rollcall_tests::server::{Server, Store};

const ID: &str = "01a20bb3-b08b-76cb-a7ba-a0dec64eee60";

#[tokio::test]
async fn how_a_command_ended_is_told_by_its_exit_code() -> Result<()> {
    let mut server = Server::start(Store::Sqlite).await?;
    server.cli(&["org", "create", "Acme", "--domain", "acme"]).await?;
    let wrong_key = server.data().join("wrong.key");
    std::fs::write(&wrong_key, "rollcall_operator_wrong")?;
    let wrong_key = wrong_key.display().to_string();
    let there = server.data().join("there.json");
    std::fs::write(&there, "")?;
    let there = there.display().to_string();
    let cases: &[(i32, &[&str])] = &[
        (0, &["org", "list"]),
        (0, &["org", "disable", "--org", "acme"]),
        (0, &["org", "enable", "--org", "acme"]),
        (0, &["views", "verify"]),
        (0, &["events", "list", "--org", "acme", "--from", "2026-01-01", "--to", "-0s"]),
        (0, &["diff", "--org", "acme", "--from", "-2d"]),
        (0, &["exchanges", "show", "--org", "acme", "1"]),
        (0, &["review", "--org", "acme", "--all-groups", "--format", "json"]),
        (1, &["runs", "rhythm", "--org", "acme"]),
        (2, &["events", "list", "--org", "acme", "--limit", "0"]),
        (2, &["events", "list", "--org", "acme", "--limit", "100000"]),
        (2, &["events", "list", "--org", "acme", "--type", "Foo"]),
        (2, &["events", "list", "--org", "acme", "--from", "yesterday"]),
        (2, &["events", "list", "--org", "acme", "--to", "2999-01-01"]),
        (2, &["events", "list", "--org", "acme", "--cursor", "nonsense"]),
        (2, &["directory", "users", "--org", "acme", "--as-of", "2999-01-01"]),
        (2, &["exchanges", "list", "--org", "acme", "--operation", "users.frobnicate"]),
        (2, &["diff", "--org", "acme", "--from", "position:1", "--output", &there]),
        (2, &["replay", "apply", "--org", "acme", "--failed"]),
        (2, &["events", "list", "--org", "acme", "--after", "99"]),
        (2, &["events", "list", "--org", "acme", "--from", "position:99"]),
        (2, &["exchanges", "list", "--org", "acme", "--after", "99"]),
        (2, &["runs", "list", "--org", "acme", "--after", "99"]),
        (2, &["directory", "users", "--org", "acme", "--after", "99"]),
        (2, &["exchanges", "show", "--org", "acme", "the-last"]),
        (2, &["review", "--org", "acme", "--all-groups", "--format", "csv"]),
        (2, &["review", "--org", "acme", "--all-groups", "--format", "html"]),
        (2, &["org", "list", "--columns", "0"]),
        (2, &["completions", "bash"]),
        (2, &["man"]),
        (2, &["config", "example"]),
        (3, &["directory", "users", "--org", "none"]),
        (3, &["diff", "--org", "none", "--from", "-2d"]),
        (3, &["exchanges", "show", "--org", "acme", "9999"]),
        (3, &["events", "list", "--org", "nowhere"]),
        (3, &["events", "list", "--org", "acme", "--subject", ID]),
        (3, &["events", "list", "--org", "acme", "--exchange", ID]),
        (3, &["replay", "dry-run", "--org", "acme", "--exchange", ID]),
        (3, &["replay", "apply", "--yes", "--org", "acme", "--exchange", ID]),
        (3, &["exchanges", "show", "--org", "acme", ID]),
        (3, &["org", "create", "Acme", "--domain", "acme"]),
        (3, &["org", "list", "--key-file", &wrong_key]),
    ];
    for (code, args) in cases {
        let output = server.command(args).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(*code),
            "{args:?}: {:?}: {said}",
            output.status.code()
        );
        ensure!(*code < 2 || said.lines().count() == 1, "{args:?}: {said}");
        // What went well is JSON, whatever was asked.
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(
            *code > 1 || serde_json::from_str::<serde_json::Value>(&printed).is_ok(),
            "{args:?}: {printed}"
        );
    }
    server.kill9()?;
    let output = server.command(&["org", "list"]).await?;
    ensure!(output.status.code() == Some(4), "nobody is there: {output:?}");
    Ok(())
}
