//! A real Prometheus asks the real binary, while a simulated tenant is provisioned: every expression
//! of the dashboard is one that it can evaluate, and has something to show unless nothing of its kind
//! happened.

use super::tools::root;
use anyhow::{Context as _, Result, ensure};
use rollcall_server::metric_table::METRICS;
use rollcall_tests::http::{Address, Http, Request};
use rollcall_tests::server::{Server, run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What does not happen in this story, each with the reason.
const NOTHING: [(&str, &str); 22] = [
    ("rollcall_access_left_total", "nobody kept access that should have ended"),
    ("rollcall_append_failures_total", "every append was made"),
    ("rollcall_connections_let_go_total", "nobody was silent for ten seconds"),
    ("rollcall_consumer_lag_records", "nobody follows the log"),
    ("rollcall_consumer_lag_seconds", "nobody follows the log"),
    ("rollcall_consumers", "nobody follows the log"),
    ("rollcall_contested_names", "no two users have one name"),
    ("rollcall_deliveries_total", "nobody follows the log"),
    ("rollcall_exchange_holes_total", "nothing is missing"),
    ("rollcall_feed_events_total", "nobody follows the log"),
    ("rollcall_job_passes_total", "every pass came through, and others are shown only"),
    ("rollcall_key_fetches_total", "no federated client came"),
    ("rollcall_logins_total", "nobody signed in"),
    ("rollcall_mails_total", "nobody is to be told"),
    ("rollcall_parked_deliveries", "nobody follows the log"),
    ("rollcall_saml_certificate_end_seconds", "single sign-on is not set up"),
    ("rollcall_saml_refreshes_total", "single sign-on is not set up"),
    ("rollcall_session_refused_seconds", "nobody was signed in"),
    ("rollcall_trace_exports_total", "nothing is traced"),
    ("rollcall_turned_away_total", "nobody was one too many"),
    ("rollcall_unknown_shapes_total", "Entra's shapes are known"),
    ("rollcall_unreadable_requests_total", "every head could be read"),
];

/// Prometheus on a folder of its own, ended with its test.
struct Prometheus {
    child: Child,
    http: Http,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    fn start(target: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let rules = root().join("packaging/prometheus/rollcall.rules.yml");
        let config = format!(
            "global: {{scrape_interval: 500ms, evaluation_interval: 1s}}\n\
             rule_files: ['{}']\n\
             scrape_configs: [{{job_name: rollcall, static_configs: [{{targets: ['{target}']}}]}}]\n",
            rules.display()
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config)?;
        let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = std::fs::File::create(folder.path().join("log"))?;
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("prometheus is missing: `make deps`")?;
        Ok(Self { child, http: Http::new(Address::new(&free)), _folder: folder })
    }

    /// What an expression is now.
    async fn ask(&self, expression: &str) -> Result<Vec<Value>> {
        let query: String = url::form_urlencoded::byte_serialize(expression.as_bytes()).collect();
        let answer =
            self.http.send(Request::new("GET", format!("/api/v1/query?query={query}"))).await?;
        let body = answer.json()?;
        ensure!(body["status"] == "success", "{expression}: {body}");
        Ok(body["data"]["result"].as_array().cloned().unwrap_or_default())
    }

    /// Waits until an expression has something.
    async fn until(&self, expression: &str) -> Result<()> {
        for _ in 0..600 {
            if self.ask(expression).await.is_ok_and(|found| !found.is_empty()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("{expression} stays empty")
    }
}

/// The expressions of the dashboard as Grafana would send them, with their panels.
fn expressions() -> Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(root().join("packaging/grafana/rollcall.json"))?;
    let dashboard: Value = serde_json::from_str(&text)?;
    ensure!(dashboard["schemaVersion"].as_u64() >= Some(39), "the version of its schema");
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().context("panels")? {
        let title = panel["title"].as_str().context("a title")?;
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = target["expr"].as_str().context("an expression")?;
            let text = text
                .replace("$__rate_interval", "1m")
                .replace("$instance", ".*")
                .replace("$organization", ".*");
            ensure!(!text.contains('$'), "{title}: a variable that is not known: {text}");
            found.push((title.to_owned(), text));
        }
    }
    Ok(found)
}

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let of = |word: &str| {
        let known = |name: &str| METRICS.iter().any(|metric| metric.name == name);
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
        match base {
            Some(base) if known(base) => base.to_owned(),
            _ => word.to_owned(),
        }
    };
    words.filter(|word| word.starts_with("rollcall_")).map(of).collect()
}

#[test]
fn dashboard_and_rules_name_metrics_that_there_are_and_the_dashboard_shows_all() -> Result<()> {
    let known: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    let shown: BTreeSet<String> =
        expressions()?.iter().flat_map(|(_, expression)| named(expression)).collect();
    assert_eq!(shown, known, "the dashboard, and metric_table.rs");
    let rules = std::fs::read_to_string(root().join("packaging/prometheus/rollcall.rules.yml"))?;
    let expressions: String =
        rules.lines().filter(|line| !line.contains("rollcall.rules")).collect();
    let unknown: Vec<String> = named(&expressions).difference(&known).cloned().collect();
    ensure!(unknown.is_empty(), "the rules name {unknown:?}");
    Ok(())
}

#[tokio::test]
async fn a_running_prometheus_has_something_for_every_panel_and_wakes_nobody() -> Result<()> {
    let history = ["simulate", "history", "--days", "2", "--users", "20", "--seed", "3"];
    let (mut server, _) = Server::start_on(&history).await?;
    let mut tokens = Vec::new();
    for domain in ["contoso", "second", "third"] {
        if domain != "contoso" {
            server.cli(&["org", "create", domain, "--domain", domain]).await?;
        }
        let issue = ["scim", "token", "issue", "--org", domain, "--expires-in", "400d"];
        let issued = server.cli(&issue).await?;
        tokens.push(issued["token"].as_str().context("a token")?.to_owned());
    }
    // One organization is counted by itself, so that the others show as what they are added up to.
    std::fs::write(server.data().join("rollcall.toml"), "metric_organizations = 1\n")?;
    server.restart().await?;
    let prometheus = Prometheus::start(&server.address().authority())?;
    // The history ends in a maintenance window.
    server.cli(&["scim", "enable", "--org", "contoso"]).await?;
    server.cli(&["ledger", "audit", "--org", "second"]).await?;
    let backup = server.data().join("b.backup");
    server.cli(&["backup", "--output", backup.to_str().context("a path")?]).await?;
    prometheus.until("rollcall_build_info").await?;
    let scim = format!("{}/scim/v2", server.address().url());
    // Twice, with a scrape between: a rate needs two.
    for round in ["1", "2", "3"] {
        for token in &tokens {
            let args = [
                "simulate", "entra", "--url", &scim, "--token", token, "--users", "5", "--seed",
                round,
            ];
            let done = run(&args)?;
            ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        let http = Http::new(server.address());
        http.send(Request::new("GET", "/scim/v2/Users").header("authorization", "Bearer wrong"))
            .await?;
        let scrapes = format!("sum(count_over_time(rollcall_build_info[5m])) > {round} * 3");
        prometheus.until(&scrapes).await?;
    }
    prometheus.until("rollcall_ledger_audited_seconds").await?;
    prometheus.until("rollcall_cycles").await?;

    let (mut empty, mut full) = (BTreeSet::new(), BTreeSet::new());
    for (panel, expression) in expressions()? {
        let names = named(&expression);
        match prometheus.ask(&expression).await.with_context(|| panel.clone())?.is_empty() {
            true => empty.extend(names),
            false => full.extend(names),
        }
    }
    let excused: BTreeSet<String> = NOTHING.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unexplained: Vec<&String> = empty.difference(&excused).collect();
    ensure!(unexplained.is_empty(), "nothing to show of {unexplained:?}");
    let idle: Vec<&String> = excused.intersection(&full).collect();
    ensure!(idle.is_empty(), "there is something to show of {idle:?}");

    // Three organizations came, and one is counted by itself.
    let counted = prometheus.ask("count by (organization) (rollcall_requests_total)").await?;
    let names: BTreeSet<&str> =
        counted.iter().filter_map(|c| c["metric"]["organization"].as_str()).collect();
    ensure!(names.len() == 2 && names.contains("other"), "{names:?}");
    let firing = prometheus.ask("ALERTS{alertstate=\"firing\"}").await?;
    ensure!(firing.is_empty(), "{firing:?}");
    Ok(())
}
