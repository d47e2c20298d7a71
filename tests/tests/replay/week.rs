//! A long history comes out byte for byte, in memory that does not grow with it.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::replay::{ReplayLine, ReplaySummary};
use rollcall_domain::ids::OrganizationId;
use rollcall_engine::ids::Random;
use rollcall_replay::{ScratchSettings, Selection, verify};
use rollcall_server::host::{Host, HostAnswer, HostRequest, HostSetup};
use rollcall_stores::{DeploymentWrap, Stores};
use rollcall_tests::rng::Rng;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

/// Exchanges of the test; `ROLLCALL_REPLAY_EXCHANGES` names another number, to measure.
const EXCHANGES: usize = 2_000;
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

struct Tenant {
    host: Host,
    token: String,
    at: DateTime<Utc>,
    users: Vec<String>,
    groups: Vec<String>,
}

impl Tenant {
    async fn send(
        &mut self,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> Result<HostAnswer> {
        self.at += TimeDelta::milliseconds(1_201);
        let request = HostRequest::new(self.at, method, &format!("/scim/v2{target}"), &self.token);
        let request = match body {
            Some(body) => request.with_body("application/scim+json", body.to_string()),
            None => request,
        };
        Ok(self.host.handle(request).await?)
    }

    async fn create(&mut self, endpoint: &str, body: Value) -> Result<Option<String>> {
        let answer = self.send("POST", endpoint, Some(body)).await?;
        let id = serde_json::from_slice::<Value>(&answer.body)?["id"].as_str().map(str::to_owned);
        Ok(id.filter(|_| answer.status == 201))
    }

    /// One request as Entra would send it, or one that fails.
    async fn step(&mut self, rng: &mut Rng, n: usize) -> Result<()> {
        let any =
            |list: &[String], rng: &mut Rng| list[rng.below(list.len() as u64) as usize].clone();
        match rng.below(20) {
            0..=3 => {
                let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "externalId": format!("x{n}"),
                    "userName": format!("user{n}@contoso.example"), "displayName": format!("User {n}"), "active": "True"});
                let created = self.create("/Users", user).await?;
                self.users.extend(created);
            }
            4 if self.groups.len() < 40 => {
                let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("Group {n}")});
                let created = self.create("/Groups", group).await?;
                self.groups.extend(created);
            }
            5..=8 if !self.users.is_empty() => {
                let body = json!({"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "displayName", "value": format!("Name {n}")},
                    {"op": "Add", "path": "emails[type eq \"work\"].value", "value": format!("mail{n}@contoso.example")},
                    {"op": "Replace", "path": "active", "value": if n.is_multiple_of(3) { "False" } else { "True" }}]});
                let user = any(&self.users, rng);
                self.send("PATCH", &format!("/Users/{user}"), Some(body)).await?;
            }
            9..=12 if !self.users.is_empty() && !self.groups.is_empty() => {
                let (group, user) = (any(&self.groups, rng), any(&self.users, rng));
                let op = if rng.below(3) == 0 { "Remove" } else { "Add" };
                let body = json!({"schemas": [PATCH], "Operations": [{"op": op, "path": "members", "value": [{"value": user}]}]});
                self.send("PATCH", &format!("/Groups/{group}"), Some(body)).await?;
            }
            13 if self.users.len() > 20 => {
                let at = rng.below(self.users.len() as u64) as usize;
                let user = self.users.swap_remove(at);
                self.send("DELETE", &format!("/Users/{user}"), None).await?;
            }
            14 => {
                let taken = json!({"schemas": [], "userName": format!("USER{}@contoso.example", rng.below(n as u64 + 1))});
                let created = self.create("/Users", taken).await?;
                self.users.extend(created);
            }
            15 if !self.users.is_empty() => {
                let user = any(&self.users, rng);
                let body = json!({"schemas": [PATCH], "Operations": [{"op": "add", "path": "shoeSize", "value": 44}]});
                self.send("PATCH", &format!("/Users/{user}"), Some(body)).await?;
            }
            16 if !self.users.is_empty() => {
                let user = any(&self.users, rng);
                self.send("GET", &format!("/Users/{user}"), None).await?;
            }
            _ => {
                let filter = format!(
                    "/Users?filter=userName+eq+%22user{}%40contoso.example%22",
                    rng.below(n as u64 + 1)
                );
                self.send("GET", &filter, None).await?;
            }
        }
        Ok(())
    }
}

async fn history(folder: &Path, exchanges: usize) -> Result<(Tenant, OrganizationId)> {
    let at = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let setup = HostSetup {
        stores: Stores::in_folder_unflushed(folder, &DeploymentWrap::for_once()?)?,
        random: Random::seeded(3),
        start: at,
        public_url: "https://rollcall.example.com".to_owned(),
        operator_key: None,
        config: HostSetup::config(),
    };
    let host = Host::open(setup).await?;
    let organization =
        OrganizationId(host.create_organization(at, "Acme", "acme").await?.organization_id);
    let token = host.issue_token(at, "acme", "entra").await?.token;
    let mut tenant = Tenant { host, token, at, users: Vec::new(), groups: Vec::new() };
    let mut rng = Rng::new(11);
    for n in 0..exchanges {
        tenant.step(&mut rng, n).await?;
    }
    Ok((tenant, organization))
}

/// The most memory this process ever held, in MiB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? / 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_comes_out_byte_for_byte() -> Result<()> {
    let exchanges = std::env::var("ROLLCALL_REPLAY_EXCHANGES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(EXCHANGES);
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    let (tenant, organization) = history(folder.path(), exchanges).await?;
    let (made, before) = (started.elapsed(), peak()?);
    let app = tenant.host.app();
    let head = app.engine.log.head(organization).await?;
    let settings = ScratchSettings::of(app, BTreeSet::new());
    // The host's clock stands; how long it took is measured here.
    let started = Instant::now();
    let mut lines = verify(
        app.engine.log.clone(),
        organization,
        Selection::default(),
        settings,
        app.engine.clock.clone(),
        false,
    )
    .await?;
    let (mut told, mut summary) = (Vec::new(), ReplaySummary::default());
    while let Some(line) = lines.recv().await {
        match line {
            ReplayLine::Exchange(x) => told.push(x),
            ReplayLine::Summary(s) => summary = s,
            ReplayLine::Broken { detail } => anyhow::bail!(detail),
        }
    }
    let (took, after) = (started.elapsed(), peak()?);
    println!(
        "{} exchanges and {} records: made in {:.1} s, replayed in {:.1} s; peak {before} MiB before, {after} MiB after",
        head.exchange_number,
        head.position,
        made.as_secs_f64(),
        took.as_secs_f64()
    );
    ensure!(told.is_empty(), "{} came out otherwise, first {:?}", told.len(), told.first());
    ensure!(
        summary.exchanges == head.exchange_number && summary.records_differ == 0,
        "{summary:?}"
    );
    ensure!(
        summary.records_same + summary.records_of_others == head.position
            && summary.records_of_no_exchange == 0,
        "{summary:?} of {}",
        head.position
    );
    // From the middle on: what came before is copied.
    let middle = head.position / 2;
    let selection =
        Selection { from: Some(rollcall_replay::Bound::Position(middle)), ..Selection::default() };
    let settings = ScratchSettings::of(app, BTreeSet::new());
    let mut lines = verify(
        app.engine.log.clone(),
        organization,
        selection,
        settings,
        app.engine.clock.clone(),
        false,
    )
    .await?;
    let mut last = None;
    while let Some(line) = lines.recv().await {
        last = Some(line);
    }
    let Some(ReplayLine::Summary(part)) = last else { anyhow::bail!("{last:?}") };
    ensure!(
        part.records_differ == 0
            && part.forked_at.is_some_and(|at| at < middle && at + 20 > middle),
        "{part:?}"
    );
    ensure!(
        part.records_same + part.records_of_others + part.records_of_no_exchange == head.position,
        "{part:?}"
    );
    Ok(())
}
