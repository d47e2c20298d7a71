//! `scim2-server` from PyPI: a SCIM server that nobody here wrote.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Duration, Utc};
use rollcall_entra::client::{Mapping, Shape};
use rollcall_entra::log::{RunKind, RunState};
use rollcall_entra::play::{Happening, Plan};
use rollcall_tests::http::{Address, Http, Request};
use rollcall_tests::python;
use rollcall_tests::tenant::provision;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// The server, until it is dropped.
struct Independent {
    child: Child,
    url: String,
}

impl Independent {
    async fn start() -> Result<Self> {
        // Free a moment ago, and asked for by nobody else as a rule.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(python::tool("scim2-server")?);
        command.args(["--bearer-token", "good", "--port", &port.to_string()]);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let http = Http::new(Address::new(&format!("127.0.0.1:{port}")));
        for _ in 0..600 {
            let asked = http
                .send(
                    Request::new("GET", "/ServiceProviderConfig")
                        .header("Authorization", "Bearer good"),
                )
                .await;
            if asked.is_ok_and(|a| a.status == 200) {
                return Ok(server);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        anyhow::bail!("scim2-server did not start");
    }
}

impl Drop for Independent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initial_cycle_in_the_flagged_shape_completes() -> Result<()> {
    let server = Independent::start().await?;
    let start: DateTime<Utc> = "2026-03-02T06:00:00Z".parse()?;
    let mut plan = Plan::new(1, 40, "good", start, 2);
    plan.settings.shape = Shape::Flagged;
    plan.settings.mapping = Mapping::standard().without_extensions();
    // It refuses the filter `manager eq`, which Entra writes without the extension's URN.
    plan.settings.reference_checks = false;
    plan.settings.concurrency = 2;
    plan.first_cycle = Duration::minutes(5);
    plan.changes_per_day = 60.0;
    plan.at(Duration::minutes(1), Happening::TestConnection);
    let (played, log) = provision(plan, &server.url).await?;
    let runs = log.runs();
    let of = |kind| {
        runs.iter().find(|r| r.kind == kind).with_context(|| format!("no {kind:?} among {runs:?}"))
    };
    ensure!(of(RunKind::ConnectionTest)?.state == RunState::Succeeded, "{runs:?}");
    let initial = of(RunKind::Initial)?;
    let failures: Vec<String> = log
        .summaries()
        .iter()
        .filter(|s| s.cycle_id == initial.cycle_id)
        .filter_map(|s| s.provisioning_status_info.error_information.clone())
        .filter(|e| e.error_category == "failure")
        .map(|e| e.reason)
        .collect();
    ensure!(initial.state == RunState::Succeeded, "{initial:?}: {failures:?}");
    ensure!(initial.exported >= 41 && played.client.escrows() == 0, "{initial:?}");
    Ok(())
}
