//! `rollcall simulate`.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::BASE;
use rollcall_tests::server::run;
use rollcall_tests::world::on_sqlite;
use serde_json::Value;
use std::path::Path;

fn json(args: &[&str]) -> Result<Value> {
    let output = run(args)?;
    ensure!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_provisions_a_tenant_and_writes_its_log() {
    on_sqlite(async |w| {
        let folder = tempfile::tempdir()?;
        let (log, csv) = (folder.path().join("log.json"), folder.path().join("csv"));
        let (token, url) = (
            w.scim.token().context("a token")?.to_owned(),
            format!("{}{BASE}?aadOptscim062020", w.server.address().url()),
        );
        let args = [
            "simulate", "entra", "--token", &token, "--url", &url, "--users", "60", "--cycles",
            "2", "--shape", "flagged", "--json",
        ];
        let args = [&args[..], &["--log", text(&log)?, "--csv", text(&csv)?]].concat();
        let said = tokio::task::block_in_place(|| json(&args))?;
        ensure!(
            said["runs"]["initial"] == 1
                && said["runs"]["incremental"] == 1
                && said["failed_runs"] == 0,
            "{said}"
        );
        ensure!(said["statuses"]["201"].as_u64() >= Some(62) && said["escrows"] == 0, "{said}");
        ensure!(said["latency"]["create"]["p95"].as_f64() > Some(0.0), "{said}");
        let kept: Value = serde_json::from_slice(&std::fs::read(&log)?)?;
        let entries = kept["value"].as_array().context("entries")?;
        let created = entries.iter().filter(|e| e["provisioningAction"] == "create").count();
        ensure!(
            created >= 62 && kept["runs"].as_array().map(Vec::len) == Some(2),
            "{created} creations"
        );
        let user = entries
            .iter()
            .find(|e| e["targetIdentity"]["identityType"] == "User")
            .context("a user")?;
        w.scim
            .get(&format!("/Users/{}", user["targetIdentity"]["id"].as_str().context("an id")?))
            .await?
            .expect(200)?;
        let lines = std::fs::read_to_string(csv.join("ProvisioningLogs.csv"))?.lines().count();
        ensure!(lines == entries.len() + 1, "{lines} lines for {} entries", entries.len());
        // The token is for nobody's eyes.
        ensure!(!std::fs::read_to_string(&log)?.contains(&token), "the token stands in the log");
        Ok(())
    })
    .await;
}

#[test]
fn entra_says_what_does_not_work() -> Result<()> {
    let refused = |args: &[&str]| -> Result<String> {
        let output = run(args)?;
        ensure!(!output.status.success(), "{args:?} succeeded");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let said = refused(&["simulate", "entra", "--token", "x", "--url", "ftp://127.0.0.1"])?;
    ensure!(said.contains("ftp://127.0.0.1 is no http or https address"), "{said}");
    let said = refused(&["simulate", "entra", "--token", "x", "--faults", "gone=1"])?;
    ensure!(said.contains("there are lost, timeout, duplicate and bad-values"), "{said}");
    // Port 9 of the loopback answers nobody.
    refused(&[
        "simulate",
        "entra",
        "--token",
        "x",
        "--url",
        "http://127.0.0.1:9",
        "--users",
        "3",
        "--cycles",
        "1",
    ])?;
    Ok(())
}

#[test]
fn history_is_the_same_for_the_same_seed_and_can_be_served() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let make = |name: &str, seed: &str| -> Result<(Value, String)> {
        let (data, log) = (folder.path().join(name), folder.path().join(format!("{name}.json")));
        let args = [
            "simulate",
            "history",
            "--json",
            "--days",
            "30",
            "--users",
            "40",
            "--start",
            "2026-03-02T06:00:00Z",
            "--seed",
            seed,
        ];
        let said = json(&[&args[..], &["--data", text(&data)?, "--log", text(&log)?]].concat())?;
        Ok((said, std::fs::read_to_string(&log)?))
    };
    let ((first, log), (_, same), (_, other)) = (make("a", "1")?, make("b", "1")?, make("c", "2")?);
    ensure!(log == same, "the same seed gave another history");
    ensure!(log != other, "another seed gave the same history");
    let of = |name: &str| first["runs"][name].as_u64().unwrap_or_default();
    ensure!(
        of("incremental") > 900
            && of("on demand") >= 5
            && of("restart") == 2
            && of("connection test") == 3,
        "{first}"
    );
    let statuses: Vec<&str> = ["400", "401", "404", "409", "503"]
        .into_iter()
        .filter(|s| first["statuses"][*s].as_u64() > Some(0))
        .collect();
    ensure!(
        statuses.len() == 5 && first.get("undone").is_none(),
        "failures of {statuses:?}: {first}"
    );
    let again = run(&["simulate", "history", "--data", text(&folder.path().join("a"))?])?;
    ensure!(
        !again.status.success()
            && String::from_utf8_lossy(&again.stderr).contains("has a log already"),
        "{again:?}"
    );
    Ok(())
}

/// One that was killed in its middle is no history, and nobody is served by it.
#[test]
fn a_history_that_was_interrupted_is_never_served() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut making = std::process::Command::new(rollcall_tests::server::binary()?);
    making.args(["simulate", "history", "--days", "90", "--users", "2000", "--json"]);
    making.arg("--data").arg(&data).stdout(std::process::Stdio::null());
    let mut making = making.stderr(std::process::Stdio::null()).spawn()?;
    while !data.join("log.db").exists() {
        ensure!(making.try_wait()?.is_none(), "it ended before it was killed");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    making.kill()?;
    making.wait()?;
    let listen = ["--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1:8080"];
    let served = run(&[&["serve", "--data", text(&data)?][..], &listen].concat())?;
    let said = String::from_utf8_lossy(&served.stderr);
    ensure!(served.status.code() == Some(2) && said.contains("interrupted"), "{served:?}");
    Ok(())
}
