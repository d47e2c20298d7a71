//! A month of a simulated tenant on each kind of credential: no cycle fails, and runs are found as
//! well as with a static token, although the tokens last an hour.

use crate::asking::IDS;
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use rollcall_contract::credentials::{
    CredentialAdded, CredentialBody, CredentialPath, NewAudience, NewCredential, NewProof,
    TOKEN_PATH,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_domain::run::RunKind;
use rollcall_engine::ids::Random;
use rollcall_entra::credential::{Audience, Authenticated, Grant, KeyServer, Signer};
use rollcall_entra::log::{ProvisioningLog, RunKind as Truth};
use rollcall_entra::play::{Happening, Plan, Scene, Until, play};
use rollcall_entra::time::{Simulated, Time};
use rollcall_entra::transport::{Answer, Request, TokenRequest, Transport, TransportError};
use rollcall_projections::exchanges::Start;
use rollcall_projections::runs::{RunFilter, RunRow};
use rollcall_server::host::{Host, HostAnswer, HostRequest, HostSetup};
use rollcall_stores::Stores;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const DAYS: i64 = 30;

fn begin() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

/// The way into the application in process.
struct Inside {
    host: Arc<Host>,
    tokens: AtomicU64,
}

impl Inside {
    fn answered(answer: HostAnswer) -> Answer {
        let exchanges = answer.exchange.iter().map(ToString::to_string).collect();
        Answer { status: answer.status, body: answer.body, exchanges, ..Answer::default() }
    }

    async fn handle(&self, request: HostRequest) -> Result<Answer, TransportError> {
        let answer = self.host.handle(request).await;
        answer.map(Self::answered).map_err(|e| TransportError::Broken(e.to_string()))
    }
}

fn owned(headers: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[async_trait]
impl Transport for Inside {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        self.handle(HostRequest {
            at: request.at,
            method: request.method.to_string(),
            target: format!("/scim/v2{}", request.target),
            headers: owned(request.headers()),
            body: request.body.clone().unwrap_or_default(),
            ..HostRequest::default()
        })
        .await
    }

    async fn token(&self, request: &TokenRequest) -> Result<Answer, TransportError> {
        self.tokens.fetch_add(1, Ordering::SeqCst);
        self.handle(HostRequest {
            at: request.at,
            method: "POST".to_owned(),
            target: TOKEN_PATH.to_owned(),
            headers: owned(request.headers()),
            body: request.body.clone().into(),
            ..HostRequest::default()
        })
        .await
    }
}

struct Month {
    host: Arc<Host>,
    keys: KeyServer,
}

impl Month {
    async fn new() -> Result<Self> {
        let keys = KeyServer::start().await?;
        let mut config = HostSetup::config();
        config.allow_private_outbound = "127.0.0.0/8".to_owned();
        config.federation_authorities = keys.authority();
        let setup = HostSetup {
            stores: Stores::in_memory()?,
            random: Random::seeded(11),
            start: begin(),
            public_url: "https://rollcall.example".to_owned(),
            operator_key: None,
            config,
        };
        let host = Arc::new(Host::open(setup).await?);
        host.create_organization(begin(), "Acme", "acme").await?;
        Ok(Self { host, keys })
    }

    async fn add(&self, label: &str, proof: NewProof) -> Result<CredentialAdded> {
        let line = route::ADD_CREDENTIAL.line(&OrganizationPath::of("acme"), &Nothing)?;
        let new = NewCredential { label: label.to_owned(), expires_at: None, proof };
        Ok(self.host.administer(begin(), &line, &serde_json::to_value(new)?).await?)
    }

    async fn list(&self, at: DateTime<Utc>) -> Result<Vec<CredentialBody>> {
        let line = route::LIST_CREDENTIALS.line(&OrganizationPath::of("acme"), &Nothing)?;
        Ok(self.host.administer(at, &line, &Value::Null).await?)
    }
}

fn plan(start: DateTime<Utc>, span: Duration, token: &str) -> Plan {
    let mut plan = Plan::new(5, 40, token, start, 0);
    plan.until = Until::Elapsed(span);
    plan.first_cycle = Duration::minutes(30);
    plan.changes_per_day = 12.0;
    plan.latency = Some(20..150);
    for day in 0..span.num_days() {
        let at = Duration::days(day) + Duration::minutes(9 * 60 + 11 * (day % 7));
        let what = match day % 3 {
            0 => Happening::DemandUser(None),
            1 => Happening::TestConnection,
            _ => Happening::DemandGroup,
        };
        plan.planned.push(rollcall_entra::play::Planned { after: at, what });
    }
    plan
}

/// How well the runs were found.
#[derive(Debug, Default)]
struct Found {
    cycles: usize,
    failed: usize,
    tokens: u64,
    exchanges: u64,
    placed: u64,
    runs: u64,
    right: u64,
    rhythm: String,
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

async fn found(host: &Host, log: &ProvisioningLog, tokens: u64) -> Result<Found> {
    let app = host.app();
    let organization = app.organizations.by_domain("acme").await?.context("acme")?.id;
    let views = app.audit.of(organization).await?;
    let filter = RunFilter { from: Start::After(0), ..RunFilter::default() };
    let runs = views.runs.list(organization, &filter, 100_000).await?;
    let mut truth: HashMap<String, String> = HashMap::new();
    for sent in log.requests() {
        truth.extend(sent.exchanges.iter().map(|x| (x.clone(), sent.cycle_id.to_string())));
    }
    let mut best: BTreeMap<String, (u64, &RunRow)> = BTreeMap::new();
    let mut found = Found { tokens, ..Found::default() };
    for run in &runs {
        let mut votes: BTreeMap<&str, u64> = BTreeMap::new();
        for exchange in views.runs.exchanges(organization, run.id).await? {
            let cycle = truth.get(&exchange.id.to_string()).context("an exchange nobody sent")?;
            *votes.entry(cycle).or_default() += 1;
        }
        let (cycle, n) = votes.iter().max_by_key(|(_, n)| **n).context("a run of nothing")?;
        found.exchanges += votes.values().sum::<u64>();
        if best.get(*cycle).is_none_or(|(most, _)| n > most) {
            best.insert((*cycle).to_owned(), (*n, run));
        }
        found.cycles += usize::from(run.kind.is_cycle());
        found.failed += usize::from(run.kind.is_cycle() && run.failures > 0);
    }
    found.placed = best.values().map(|(n, _)| n).sum();
    for run in log.runs() {
        found.runs += 1;
        let taken = best.get(&run.cycle_id.to_string()).map(|(_, row)| row.kind);
        found.right += u64::from(taken == Some(kind(run.kind)));
    }
    let rhythm = views.runs.rhythm(organization).await?;
    found.rhythm = serde_json::to_string(&rhythm)?;
    Ok(found)
}

impl Found {
    fn told(&self, name: &str) {
        let share = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
        println!(
            "{name:14} {:5} exchanges, {:6.2} % in the right run; {:4} runs, {:6.2} % of the right kind; {} of {} cycles failed; {} tokens",
            self.exchanges,
            share(self.placed, self.exchanges),
            self.runs,
            share(self.right, self.runs),
            self.failed,
            self.cycles,
            self.tokens
        );
    }
}

/// A month on a grant, or on a static token.
async fn month(month: &Month, token: &str, grant: Option<Grant>) -> Result<Found> {
    let inside = Arc::new(Inside { host: month.host.clone(), tokens: AtomicU64::new(0) });
    let transport: Arc<dyn Transport> = match grant {
        Some(grant) => Arc::new(Authenticated::new(inside.clone(), grant)),
        None => inside.clone(),
    };
    let log = Arc::new(ProvisioningLog::new());
    let scene = Scene {
        transport,
        time: Arc::new(Simulated::new(begin())),
        recorder: log.clone(),
        application: None,
    };
    play(plan(begin(), Duration::days(DAYS), token), scene).await;
    found(&month.host, &log, inside.tokens.load(Ordering::SeqCst)).await
}

#[tokio::test]
async fn hourly_tokens_are_one_client() -> Result<()> {
    let with_token = Month::new().await?;
    let token = with_token.host.issue_token(begin(), "acme", "entra").await?.token;
    let by_token = month(&with_token, &token, None).await?;
    by_token.told("token");

    let with_secret = Month::new().await?;
    let added = with_secret.add("Entra", NewProof::ClientSecret {}).await?;
    let secret = added.client_secret.context("a secret")?;
    let grant = Grant::Secret { client: added.client_id.to_string(), secret };
    let by_secret = month(&with_secret, "", Some(grant)).await?;
    by_secret.told("client-secret");

    let federated = Month::new().await?;
    let authority = federated.keys.authority();
    let signer = Arc::new(Signer::new(&authority, IDS, "rollcall.example")?);
    federated.keys.publish(signer.clone());
    let added = federated.add("Entra", trust(&authority)).await?;
    let grant = Grant::Federated { client: added.client_id.to_string(), signer };
    let by_tenant = month(&federated, "", Some(grant)).await?;
    by_tenant.told("federated");

    for found in [&by_secret, &by_tenant] {
        ensure!(found.tokens > 500, "a token lasts for two cycles: {found:?}");
        ensure!(
            (found.exchanges, found.placed, found.runs, found.right, found.cycles, &found.rhythm)
                == (
                    by_token.exchanges,
                    by_token.placed,
                    by_token.runs,
                    by_token.right,
                    by_token.cycles,
                    &by_token.rhythm
                ),
            "not as with a token: {found:?}, {by_token:?}"
        );
    }
    for found in [&by_token, &by_secret, &by_tenant] {
        ensure!(found.cycles > 900 && found.failed == 0, "{found:?}");
        ensure!(found.placed * 100 >= found.exchanges * 98, "{found:?}");
    }
    Ok(())
}

fn trust(authority: &str) -> NewProof {
    let [tenant, subject, application] = IDS;
    let authority = Some(authority.to_owned());
    NewProof::Federated { tenant, subject, application, authority, authorized_party: None }
}

/// Keys roll over, and the audience is written in a way that nobody trusted: cycles fail, one
/// command mends it, and the next cycle is good. Then the job is moved to a client secret, with the
/// tenant's trust beside it until it is not needed any more.
#[tokio::test]
async fn an_audience_changes_and_a_job_moves() -> Result<()> {
    let here = Month::new().await?;
    let authority = here.keys.authority();
    let signer = Arc::new(Signer::new(&authority, IDS, "rollcall.example")?);
    here.keys.publish(signer.clone());
    let added = here.add("tenant", trust(&authority)).await?;
    let id = added.client_id;
    let grant = Grant::Federated { client: id.to_string(), signer: signer.clone() };
    let inside = Arc::new(Inside { host: here.host.clone(), tokens: AtomicU64::new(0) });
    let way: Arc<dyn Transport> = Arc::new(Authenticated::new(inside.clone(), grant));
    let log = Arc::new(ProvisioningLog::new());
    let time = Arc::new(Simulated::new(begin()));
    let go_on = async |way: &Arc<dyn Transport>, hours: i64| {
        let scene = Scene {
            transport: way.clone(),
            time: time.clone(),
            recorder: log.clone(),
            application: None,
        };
        play(plan(time.now(), Duration::hours(hours), ""), scene).await;
        time.now()
    };
    let statuses = |from: DateTime<Utc>| -> Vec<u16> {
        let sent = log.requests().into_iter().filter(|sent| sent.at >= from);
        sent.filter_map(|sent| sent.status).collect()
    };
    for audience in [Audience::Bare, Audience::ApiWithHost, Audience::Api] {
        signer.write_audience(audience);
        signer.roll_over()?;
        let from = time.now();
        go_on(&way, 3).await;
        let seen = statuses(from);
        ensure!(
            !seen.is_empty() && seen.iter().all(|s| *s != 401 && *s < 500),
            "{audience:?}: {seen:?}"
        );
    }
    // Nobody told anybody of this one.
    signer.name_application("api://rollcall-gallery");
    let from = time.now();
    let after = go_on(&way, 3).await;
    ensure!(statuses(from).contains(&401), "{:?}", statuses(from));
    let list = here.list(after).await?;
    let refused = &list[0].refused_audiences;
    ensure!(refused.len() == 1 && refused[0].audience == "api://rollcall-gallery", "{list:?}");
    let path = CredentialPath { organization: "acme".to_owned(), credential: id };
    let line = route::TRUST_AUDIENCE.line(&path, &Nothing)?;
    let new = NewAudience { audience: refused[0].audience.clone() };
    let _: Value = here.host.administer(after, &line, &serde_json::to_value(new)?).await?;
    let from = time.now();
    go_on(&way, 3).await;
    let seen = statuses(from);
    ensure!(!seen.is_empty() && seen.iter().all(|s| *s != 401 && *s < 500), "{seen:?}");

    let secret = here.add("secret", NewProof::ClientSecret {}).await?;
    let client = secret.client_id.to_string();
    let grant = Grant::Secret { client, secret: secret.client_secret.context("a secret")? };
    let moved: Arc<dyn Transport> = Arc::new(Authenticated::new(inside, grant));
    let from = time.now();
    let after = go_on(&moved, 4).await;
    ensure!(statuses(from).iter().all(|s| *s != 401 && *s < 500), "{:?}", statuses(from));
    let list = here.list(after).await?;
    let of = |id| list.iter().find(|c| c.client_id == id).context("a credential");
    let (old, new) = (of(id)?, of(secret.client_id)?);
    ensure!(new.used_by_last_cycle && !new.can_be_revoked, "{new:?}");
    ensure!(old.can_be_revoked && !old.used_by_last_cycle, "{old:?}");
    Ok(())
}

/// A secret that ended a second ago gets nothing, and what it got before ends with it.
#[tokio::test]
async fn a_secret_ends_on_the_second() -> Result<()> {
    let here = Month::new().await?;
    let end = begin() + Duration::days(1);
    let line = route::ADD_CREDENTIAL.line(&OrganizationPath::of("acme"), &Nothing)?;
    let new = json!({ "label": "a day", "expires_at": end, "proof": { "kind": "client-secret" } });
    let added: CredentialAdded = here.host.administer(begin(), &line, &new).await?;
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        added.client_id,
        added.client_secret.context("a secret")?
    );
    let ask = async |at: DateTime<Utc>| -> Result<(u16, Value)> {
        let form = "application/x-www-form-urlencoded";
        let request = HostRequest {
            at,
            method: "POST".into(),
            target: TOKEN_PATH.into(),
            ..HostRequest::default()
        };
        let answer = here.host.handle(request.with_body(form, body.clone())).await?;
        Ok((answer.status, serde_json::from_slice(&answer.body)?))
    };
    let (_, before) = ask(end - Duration::minutes(30)).await?;
    ensure!(before["expires_in"] == 1_800, "{before}");
    let token = before["access_token"].as_str().context("a token")?;
    let users = async |at: DateTime<Utc>| {
        here.host.handle(HostRequest::new(at, "GET", "/scim/v2/Users", token)).await
    };
    ensure!(users(end - Duration::seconds(1)).await?.status == 200);
    ensure!(users(end).await?.status == 401);
    for late in [-30, 0, 1] {
        let (status, told) = ask(end + Duration::seconds(late)).await?;
        ensure!(status == 401 && told["error"] == "invalid_client", "{late}: {told}");
    }
    Ok(())
}
