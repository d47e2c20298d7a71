//! Conformance suites written by others, against the real server.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::python;
use rollcall_tests::scim::BASE;
use rollcall_tests::world::{World, on_sqlite};
use serde_json::Value;

#[tokio::test]
async fn scim2_tester_finds_no_error() {
    on_sqlite(async |w| {
        let headers = format!("Authorization: Bearer {}", w.scim.token().context("token")?);
        let url = base(w);
        let said =
            python::run("scim2", &["--url", &url, "test", "-v"], &[("SCIM_CLI_HEADERS", &headers)])
                .await?;
        let of = |status: &str| said.out.lines().filter(|l| l.starts_with(status)).count();
        let (good, bad) = (
            of("SUCCESS ") + of("COMPLIANT ") + of("ACCEPTABLE "),
            of("ERROR ") + of("CRITICAL ") + of("DEVIATION "),
        );
        println!("scim2-tester: {good} good, {bad} bad, {} skipped", of("SKIPPED "));
        ensure!(bad == 0, "scim2-tester found {bad} errors:\n{}", complaints(&said.out));
        // A suite that stops early reports no error either.
        ensure!(good >= 60, "only {good} checks were made:\n{}\n{}", said.out, said.err);
        Ok(())
    })
    .await;
}

/// The lines that are not successes, each with its reason below it.
fn complaints(text: &str) -> String {
    let mut keep = false;
    let mut out = Vec::new();
    for line in text.lines() {
        if !line.starts_with(' ') {
            keep = ["ERROR ", "CRITICAL ", "DEVIATION "].iter().any(|s| line.starts_with(s));
        }
        if keep {
            out.push(line);
        }
    }
    out.join("\n")
}

#[tokio::test]
async fn scim_sanity_has_no_complaint_but_its_own() {
    on_sqlite(async |w| {
        let token = w.scim.token().context("token")?.to_owned();
        let said = python::run(
            "scim-sanity",
            &["probe", &base(w), "--token", &token, "--json-output", "--i-accept-side-effects"],
            &[],
        )
        .await?;
        let report = serde_json::Deserializer::from_str(&said.out)
            .into_iter::<Value>()
            .map_while(Result::ok)
            .find(|v| v["results"].is_array())
            .with_context(|| format!("no report in:\n{}\n{}", said.out, said.err))?;
        let results = report["results"].as_array().context("results")?;
        let of = |status: &str| {
            results
                .iter()
                .filter(|r| r["status"].as_str().is_some_and(|s| s.eq_ignore_ascii_case(status)))
                .collect::<Vec<_>>()
        };
        let failed: Vec<&Value> = of("fail").into_iter().chain(of("error")).collect();
        let unexpected: Vec<String> =
            failed.iter().filter(|r| !is_the_tools_own(r)).map(|r| r.to_string()).collect();
        let own = failed.len() - unexpected.len();
        println!(
            "scim-sanity: {} passed, {own} complaints of its own, {} skipped",
            of("pass").len(),
            of("skip").len()
        );
        ensure!(unexpected.is_empty(), "scim-sanity complains:\n{}", unexpected.join("\n"));
        ensure!(of("pass").len() >= 20, "only {} checks passed:\n{}", of("pass").len(), said.out);
        Ok(())
    })
    .await;
}

/// RFC 7644 section 3.5.2 allows 204, and Entra's rule for groups prefers it. The member that the
/// probe adds has a made-up id, which is refused here: a person who does not exist opens no door.
fn is_the_tools_own(result: &Value) -> bool {
    let text = result.to_string();
    let made_up_member =
        result["name"] == "PATCH /Groups/{id} add member" && text.contains("got 400");
    text.contains("got 204") || made_up_member
}

fn base(w: &World) -> String {
    format!("{}{BASE}", w.server.address().url())
}

/// A client that was written for no server in particular leads a whole life against this one.
#[tokio::test]
async fn scim2_client_leads_a_whole_life() {
    on_sqlite(async |w| {
        let token = w.scim.token().context("token")?.to_owned();
        let script =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("life/scim2_client_life.py");
        let script = script.to_str().context("a path")?;
        let said = python::run("python", &[script, &base(w)], &[("SCIM_TOKEN", &token)]).await?;
        ensure!(said.success && said.out.trim() == "14 steps", "{}\n{}", said.out, said.err);
        Ok(())
    })
    .await;
}

/// Random changes and filters of which the RFC leaves no doubt come out as in a model that others
/// wrote.
#[tokio::test]
async fn a_foreign_model_agrees_on_changes_and_filters() {
    on_sqlite(async |w| {
        let token = w.scim.token().context("token")?.to_owned();
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("life/patch_oracle.py");
        let script = script.to_str().context("a path")?;
        let seed = (rollcall_tests::rng::Rng::from_env("changes and filters", 7).next_u64()
            % 100_000)
            .to_string();
        let rounds = rollcall_tests::soak::times(200).to_string();
        let said =
            python::run("python", &[script, &base(w), &seed, &rounds], &[("SCIM_TOKEN", &token)])
                .await?;
        let all = format!("{rounds} changes, {rounds} filters");
        ensure!(said.success && said.out.trim() == all, "seed {seed}: {}\n{}", said.out, said.err);
        Ok(())
    })
    .await;
}
