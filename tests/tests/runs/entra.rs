//! Runs of a simulated tenant, against what the tenant's own log says they were.

use crate::day::{Day, Store, kinds};
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use chrono::TimeDelta;
use rollcall_domain::run::RunKind;
use rollcall_entra::client::{Client, Settings, Shape, Surroundings};
use rollcall_entra::directory::{Churn, Directory, GroupKey, Profile, Scope, UserKey};
use rollcall_entra::log::{ProvisioningLog, RunKind as Truth, to_csv};
use rollcall_entra::seed::Seed;
use rollcall_entra::time::{Simulated, Time};
use rollcall_entra::transport::{Answer, Faults, Line, Request, Transport, TransportError};
use rollcall_projections::exchanges::Start;
use rollcall_projections::runs::{RunFilter, RunRow};
use rollcall_server::host::{Host, HostRequest};
use rollcall_tests::world::start_cluster;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The way into the application in process.
struct Inside(Arc<Day>);

#[async_trait]
impl Transport for Inside {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let headers =
            request.headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let body = request.body.clone().unwrap_or_default();
        let target = format!("/scim/v2{}", request.target);
        let asked = HostRequest {
            at: request.at,
            method: request.method.to_string(),
            target,
            headers,
            body,
            ..HostRequest::default()
        };
        let answer =
            self.0.host.handle(asked).await.map_err(|e| TransportError::Broken(e.to_string()))?;
        let exchanges = answer.exchange.iter().map(ToString::to_string).collect();
        Ok(Answer { status: answer.status, body: answer.body, exchanges, ..Answer::default() })
    }
}

/// A tenant and its job.
struct Tenant {
    day: Arc<Day>,
    client: Client,
    directory: Arc<Mutex<Directory>>,
    churn: Churn,
    time: Arc<Simulated>,
    log: Arc<ProvisioningLog>,
}

impl Tenant {
    async fn new(
        store: Store<'_>,
        seed: u64,
        users: u32,
        shape: Shape,
        per_day: f64,
    ) -> Result<Self> {
        let day = Arc::new(store.day().await?);
        let (seed, start) = (Seed::new(seed), crate::day::begin() + TimeDelta::minutes(5));
        let (time, log) = (Arc::new(Simulated::new(start)), Arc::new(ProvisioningLog::new()));
        let profile = Profile { groups: 8, memberships: users, ..Profile::sized(users) };
        let directory = Arc::new(Mutex::new(Directory::generate(seed, profile, Scope::Everything)));
        let settings = Settings { shape, ..Settings::new(&day.token) };
        let line = Line::new(Arc::new(Inside(day.clone())), time.clone(), Faults::default())
            .taking(20..150);
        let surroundings = Surroundings {
            directory: directory.clone(),
            transport: Arc::new(line),
            time: time.clone(),
            recorder: log.clone(),
        };
        let client = Client::new(seed, settings, surroundings);
        Ok(Self { day, client, directory, churn: Churn::new(seed, per_day, start), time, log })
    }

    /// Waits for the next cycle, with what changed until then.
    async fn cycle(&mut self) -> Result<()> {
        let at = self.client.next_cycle().context("the job is disabled")?;
        self.time.sleep_until(at).await;
        self.churn.advance(
            &mut self.directory.lock().unwrap_or_else(|e| e.into_inner()),
            self.time.now(),
        );
        self.client.cycle().await;
        Ok(())
    }

    async fn later(&self, minutes: i64) {
        self.time.sleep_until(self.time.now() + TimeDelta::minutes(minutes)).await;
    }

    /// Somebody who can be sent on demand: of others nothing but the lookup comes, as in a
    /// connection test.
    fn somebody(&self, from: u32) -> UserKey {
        let directory = self.directory.lock().unwrap_or_else(|e| e.into_inner());
        let able = |key: &UserKey| {
            directory
                .user(*key)
                .is_some_and(|user| user.account_enabled && user.deleted_at.is_none())
        };
        (from..directory.users()).map(UserKey).find(able).unwrap_or(UserKey(from))
    }

    /// A group that was not deleted.
    fn some_group(&self, from: u32) -> GroupKey {
        let directory = self.directory.lock().unwrap_or_else(|e| e.into_inner());
        (from..8)
            .map(GroupKey)
            .find(|key| directory.group(*key).is_some())
            .unwrap_or(GroupKey(from))
    }

    /// A restart, and in its middle a run on demand.
    async fn restart_with_a_run_inside(&self) {
        self.client.restart();
        let first = AtomicBool::new(true);
        let over = || {
            if first.swap(false, Ordering::SeqCst) {
                self.time.leave();
            }
        };
        self.time.enter();
        let cycle = async {
            self.client.cycle().await;
            over();
        };
        let inside = async {
            self.time.sleep_until(self.time.now() + TimeDelta::seconds(2)).await;
            self.client.provision_user_on_demand(self.somebody(3)).await;
            over();
        };
        tokio::join!(cycle, inside);
    }

    /// Some days of everything. The log of Entra is the truth about it.
    async fn live(&mut self) -> Result<()> {
        self.client.test_connection().await;
        self.later(3).await;
        self.cycle().await?;
        for n in 0..40_u32 {
            self.cycle().await?;
            match n % 8 {
                2 => {
                    self.later(9).await;
                    self.client.provision_user_on_demand(self.somebody(n)).await;
                }
                4 => {
                    self.later(12).await;
                    self.client.test_connection().await;
                }
                6 => {
                    self.later(7).await;
                    self.client
                        .provision_group_on_demand(
                            self.some_group(n % 5),
                            &[UserKey(1), UserKey(2)],
                        )
                        .await;
                }
                _ => {}
            }
            if n == 20 {
                self.later(11).await;
                self.restart_with_a_run_inside().await;
            }
        }
        *self.day_clock() = self.time.now() + TimeDelta::minutes(10);
        Ok(())
    }

    fn day_clock(&self) -> std::sync::MutexGuard<'_, chrono::DateTime<chrono::Utc>> {
        self.day.clock()
    }

    fn host(&self) -> &Host {
        &self.day.host
    }

    /// The runs, oldest first, and the cycle that truly caused most of each, with the number of
    /// exchanges.
    async fn judged(&self) -> Result<Judged> {
        let app = self.host().app();
        let organization = app.organizations.by_domain("acme").await?.context("acme")?.id;
        let views = app.audit.of(organization).await?;
        let filter = RunFilter { from: Start::After(0), ..RunFilter::default() };
        let runs = views.runs.list(organization, &filter, 10_000).await?;
        let mut truth: HashMap<String, String> = HashMap::new();
        for sent in self.log.requests() {
            truth.extend(sent.exchanges.iter().map(|x| (x.clone(), sent.cycle_id.to_string())));
        }
        let mut judged = Judged::default();
        let mut best: BTreeMap<String, (u64, RunRow)> = BTreeMap::new();
        for run in &runs {
            let mut votes: BTreeMap<&str, u64> = BTreeMap::new();
            for exchange in views.runs.exchanges(organization, run.id).await? {
                *votes
                    .entry(truth.get(&exchange.id.to_string()).context("an exchange nobody sent")?)
                    .or_default() += 1;
            }
            let (cycle, n) =
                votes.iter().max_by_key(|(_, n)| **n).context("a run without exchanges")?;
            judged.exchanges += votes.values().sum::<u64>();
            if best.get(*cycle).is_none_or(|(most, _)| n > most) {
                best.insert((*cycle).to_owned(), (*n, run.clone()));
            }
        }
        judged.surplus = runs.len() - best.len();
        judged.placed = best.values().map(|(n, _)| n).sum();
        for run in self.log.runs() {
            judged.runs += 1;
            let found = best.get(&run.cycle_id.to_string()).map(|(_, row)| row.kind);
            if found == Some(kind(run.kind)) {
                judged.right += 1;
            } else {
                judged.misses.push(format!("{:?} taken for {found:?}", run.kind));
            }
        }
        Ok(judged)
    }

    async fn forget(&self, what: Value, status: u16) -> Result<Value> {
        let target = "/api/v1/organizations/acme/provisioning-log/forget";
        let (now, host) = (self.day.now(), self.host());
        let request = HostRequest::new(now, "POST", target, host.operator_key());
        let answer = host.handle(request.with_body("application/json", what.to_string())).await?;
        ensure!(answer.status == status, "{}", String::from_utf8_lossy(&answer.body));
        Ok(serde_json::from_slice(&answer.body)?)
    }

    async fn import(&self, file: String) -> Result<Value> {
        let request = HostRequest::new(
            self.day.now(),
            "POST",
            "/api/v1/organizations/acme/provisioning-log",
            self.host().operator_key(),
        );
        let answer =
            self.host().handle(request.with_body("application/octet-stream", file)).await?;
        ensure!(answer.status == 200, "{}", String::from_utf8_lossy(&answer.body));
        Ok(serde_json::from_slice(&answer.body)?)
    }
}

#[derive(Debug, Default)]
struct Judged {
    exchanges: u64,
    placed: u64,
    runs: u64,
    right: u64,
    surplus: usize,
    misses: Vec<String>,
}

impl Judged {
    fn told(&self, name: &str) {
        let share = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
        println!(
            "{name:34} {:6} exchanges, {:6.2} % in the right run; {:3} runs, {:6.2} % of the right kind; {:?}",
            self.exchanges,
            share(self.placed, self.exchanges),
            self.runs,
            share(self.right, self.runs + self.surplus as u64),
            self.misses
        );
    }

    fn add(&mut self, other: Judged) {
        self.exchanges += other.exchanges;
        self.placed += other.placed;
        self.runs += other.runs;
        self.right += other.right;
        self.surplus += other.surplus;
        self.misses.extend(other.misses);
    }

    fn is_good(&self) -> bool {
        self.placed * 100 >= self.exchanges * 98
            && self.right * 100 >= (self.runs + self.surplus as u64) * 95
    }
}

fn kind(truth: Truth) -> RunKind {
    match truth {
        Truth::ConnectionTest => RunKind::ConnectionTest,
        Truth::Initial => RunKind::Initial,
        Truth::Incremental => RunKind::Incremental,
        Truth::Restart => RunKind::Restart,
        Truth::OnDemand => RunKind::OnDemand,
    }
}

#[tokio::test]
async fn the_runs_of_a_simulated_tenant_are_as_its_own_log_has_them() -> Result<()> {
    let mut all = Judged::default();
    for (seed, users, shape, per_day) in [
        (1, 60, Shape::Legacy, 90.0),
        (2, 150, Shape::Flagged, 700.0),
        (3, 80, Shape::Legacy, 300.0),
    ] {
        let mut tenant = Tenant::new(Store::Memory, seed, users, shape, per_day).await?;
        tenant.live().await?;
        let judged = tenant.judged().await?;
        judged.told(&format!("{users} users, seed {seed}"));
        ensure!(
            judged.runs > 50 && judged.exchanges > 600,
            "the truth is large enough to mean something: {judged:?}"
        );
        all.add(judged);
    }
    all.told("all");
    ensure!(all.is_good(), "{all:?}");
    Ok(())
}

async fn entras_own_log_confirms_and_corrects_the_runs(store: Store<'_>) -> Result<()> {
    let mut tenant = Tenant::new(store, 3, 80, Shape::Legacy, 300.0).await?;
    tenant.live().await?;
    tenant.judged().await?.told("before the import");
    let plain = tenant.day.runs().await?;
    let summaries = tenant.log.summaries();
    let imported = tenant.import(tenant.log.to_json().to_string()).await?;
    ensure!(
        imported["entries"] == summaries.len() && imported["positions"].is_array(),
        "{imported}"
    );

    let judged = tenant.judged().await?;
    judged.told("after the import");
    ensure!(judged.is_good(), "{judged:?}");
    let found = tenant.day.ask("/reconciliation").await?;
    let named: std::collections::BTreeSet<String> =
        summaries.iter().map(|s| s.cycle_id.to_string()).collect();
    let cycles = found["cycles"].as_array().context("cycles")?;
    ensure!(
        cycles.len() + found["unseen_cycles"].as_array().context("unseen")?.len() == named.len(),
        "every cycle is accounted for"
    );
    ensure!(
        found["differences"] == json!([]),
        "nothing was lost, so both logs tell the same: {}",
        found["differences"]
    );
    let runs = tenant.day.runs().await?;
    let confirmed = runs.iter().filter(|run| run["confidence"] == "confirmed").count();
    ensure!(confirmed * 10 >= cycles.len() * 9, "{confirmed} of {} are confirmed", cycles.len());

    // Once more, and as CSV: nothing is new.
    for file in [tenant.log.to_json().to_string(), to_csv(&summaries)[0].clone()] {
        let again = tenant.import(file).await?;
        ensure!(again["positions"].is_null() && again["entries"] == summaries.len(), "{again}");
    }
    // The import is in the log, so a rebuild gives the corrected runs.
    let before = tenant.day.runs().await?;
    let audit = tenant.host().app().audit.folder();
    audit.rebuild().await?;
    ensure!(tenant.day.runs().await? == before && audit.verify().await?.count == 0);
    ensure!(!kinds(&before).is_empty());

    // Taken back, the runs are what the traffic alone says, after a rebuild too; and imported once
    // more they are what they were.
    ensure!(tenant.forget(json!({ "all": true }), 200).await?["positions"].is_array());
    ensure!(tenant.day.runs().await? == plain && plain != before);
    tenant.host().app().audit.folder().rebuild().await?;
    ensure!(tenant.day.runs().await? == plain);
    ensure!(tenant.forget(json!({ "all": true }), 200).await?["positions"].is_null());
    tenant.forget(json!({ "cycles": ["of-nobody"] }), 404).await?;
    tenant.forget(json!({}), 400).await?;
    tenant.import(tenant.log.to_json().to_string()).await?;
    ensure!(tenant.day.runs().await? == before);
    let some = json!({ "cycles": [summaries[0].cycle_id] });
    tenant.forget(some.clone(), 200).await?;
    tenant.forget(some, 404).await?;
    Ok(())
}

#[tokio::test]
async fn entras_own_log_confirms_and_corrects_the_runs_on_sqlite() -> Result<()> {
    entras_own_log_confirms_and_corrects_the_runs(Store::Memory).await
}

async fn what_entra_believes_and_the_log_does_not_show_is_listed_and_the_reverse(
    store: Store<'_>,
) -> Result<()> {
    let day = store.day().await?;
    let ids = day.first_day().await?;
    let at = |minutes: i64, millis: i64| {
        (crate::day::begin() + TimeDelta::minutes(minutes) + TimeDelta::milliseconds(millis))
            .to_rfc3339()
    };
    let entry = |change: &str, at: String, target: &str, status: &str| {
        json!({"activityDateTime": at, "cycleId": "c90", "changeId": change, "action": "update", "durationInMilliseconds": 100,
            "targetIdentity": {"id": target}, "initiatedBy": {"initiatorType": "system"}, "statusInfo": {"status": status}})
    };
    let file = json!([
        entry("1", at(90, 500), &ids[0], "success"),
        entry("2", at(90, 900), &ids[1], "failure"),
        entry("3", at(91, 500), &ids[5], "success"),
        entry("4", at(90, 500), "9d0e6c8a-0000-4000-8000-000000000000", "success"),
        // Entra's log does not name the changes of users 2 and 3.
    ]);
    day.import(file).await?;
    let found = day.ask("/reconciliation").await?;
    let mut told: Vec<(String, String)> = Vec::new();
    for difference in found["differences"].as_array().context("a list")? {
        let text = |name: &str| difference[name].as_str().unwrap_or_default().to_owned();
        told.push((text("difference"), text("subject")));
    }
    told.sort();
    let mut expected: Vec<(String, String)> = [
        ("done-here", ids[1].as_str()),
        ("not-in-log", &ids[2]),
        ("not-in-log", &ids[3]),
        ("not-seen", "9d0e6c8a-0000-4000-8000-000000000000"),
        ("refused-here", &ids[5]),
    ]
    .map(|(what, subject)| (what.to_owned(), subject.to_owned()))
    .to_vec();
    expected.sort();
    ensure!(told == expected, "{found}");
    ensure!(
        found["cycles"][0]["exchanges"] == 5,
        "two requests for two users, one for the third: {}",
        found["cycles"]
    );

    for (file, status, why) in [
        ("nonsense", 400, "names no column"),
        ("[{}]", 400, "entry 1 cannot be used"),
        ("", 400, "it is empty"),
    ] {
        let request = HostRequest::new(
            day.now(),
            "POST",
            "/api/v1/organizations/acme/provisioning-log",
            day.host.operator_key(),
        );
        let answer = day.host.handle(request.with_body("application/json", file)).await?;
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(answer.status == status && told.contains(why), "{file}: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn what_entra_believes_and_the_log_does_not_show_is_listed_and_the_reverse_on_sqlite()
-> Result<()> {
    what_entra_believes_and_the_log_does_not_show_is_listed_and_the_reverse(Store::Memory).await
}

#[tokio::test]
async fn entras_own_log_is_laid_over_the_runs_on_postgres() -> Result<()> {
    let cluster = start_cluster().await;
    let store = Store::Postgres(&cluster);
    entras_own_log_confirms_and_corrects_the_runs(store).await?;
    what_entra_believes_and_the_log_does_not_show_is_listed_and_the_reverse(store).await
}
