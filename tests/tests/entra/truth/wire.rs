//! The tenant's way into the application in process, where everything that passes is seen; and the
//! application's own people.

use super::compare::{Tally, compare};
use super::now::Now;
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::request_line::{Method as Verb, RequestLine};
use rollcall_domain::ids::OrganizationId;
use rollcall_engine::ids::Random;
use rollcall_entra::client::{Client, Shape};
use rollcall_entra::directory::{Directory, GroupKey, UserKey};
use rollcall_entra::log::ProvisioningLog;
use rollcall_entra::play::{Application, Elsewhere, Happening, Plan, Scene, months, play};
use rollcall_entra::time::Simulated;
use rollcall_entra::transport::{Answer, Faults, Method, Request, Transport, TransportError};
use rollcall_server::host::{Host, HostRequest, HostSetup};
use rollcall_stores::Stores;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request that arrived, and its answer.
pub struct Seen {
    pub exchange: String,
    pub at: DateTime<Utc>,
    pub method: Method,
    pub target: String,
    pub body: Option<Value>,
    pub status: u16,
    pub answer: Value,
    /// False of the application's own people.
    pub of_entra: bool,
}

/// Of so many writes one meets a connection that is switched off just then.
const FLICKER: f64 = 0.02;

/// The application in process, and all that reached it.
pub struct Tenant {
    host: Host,
    pub organization: OrganizationId,
    desk: String,
    seen: Mutex<Vec<Seen>>,
    tally: Mutex<Tally>,
    cycles: Mutex<u32>,
    troubles: Mutex<Vec<anyhow::Error>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tenant {
    pub fn host(&self) -> &Host {
        &self.host
    }

    pub fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        lock(&self.seen)
    }

    async fn handle(
        &self,
        request: HostRequest,
        method: Method,
        of_entra: bool,
    ) -> Result<Answer, TransportError> {
        let (at, target) = (request.at, request.target.trim_start_matches("/scim/v2").to_owned());
        let body = serde_json::from_slice(&request.body).ok();
        let answer =
            self.host.handle(request).await.map_err(|e| TransportError::Broken(e.to_string()))?;
        let exchange = answer.exchange.map(|x| x.to_string());
        let told = serde_json::from_slice(&answer.body).unwrap_or_default();
        let seen = Seen {
            exchange: exchange.clone().unwrap_or_default(),
            at,
            method,
            target,
            body,
            status: answer.status,
            answer: told,
            of_entra,
        };
        self.seen().push(seen);
        let retry_after = answer
            .headers
            .iter()
            .find(|(name, _)| name == "retry-after")
            .and_then(|(_, value)| value.parse().ok());
        Ok(Answer {
            status: answer.status,
            body: answer.body,
            retry_after,
            exchanges: exchange.into_iter().collect(),
        })
    }

    async fn switch(&self, at: DateTime<Utc>, on: bool) -> Result<(), String> {
        let what = if on { "enable?allow_without_sso=true" } else { "disable" };
        let line = RequestLine {
            method: Verb::Post,
            target: format!("/api/v1/organizations/acme/scim/{what}"),
        };
        self.host
            .administer::<Value>(at, &line, &Value::Null)
            .await
            .map(drop)
            .map_err(|e| e.to_string())
    }

    async fn by_hand(
        &self,
        at: DateTime<Utc>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(), String> {
        let mut request =
            HostRequest::new(at, method.as_str(), &format!("/scim/v2{path}"), &self.desk);
        if let Some(body) = body {
            request = request.with_body("application/scim+json", body.to_string());
        }
        let answer = self.handle(request, method, false).await.map_err(|e| e.to_string())?;
        if answer.status < 300 {
            Ok(())
        } else {
            Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)))
        }
    }

    /// Compares what is open with what is known to be open.
    pub async fn look(&self, client: &Client, directory: &Mutex<Directory>) -> Result<()> {
        let now = Now::of(self, client, directory).await?;
        let open = compare(self, &now).await?;
        lock(&self.tally).add(open);
        Ok(())
    }
}

/// Entra's way in.
struct Wire(Arc<Tenant>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let writes = !matches!(request.method, Method::Get);
        let flickers = writes && request.luck.chance("switched off", 0, FLICKER);
        let broken = TransportError::Broken;
        if flickers {
            self.0.switch(request.at, false).await.map_err(broken)?;
        }
        let asked = HostRequest {
            at: request.at,
            method: request.method.to_string(),
            target: format!("/scim/v2{}", request.target),
            headers: request
                .headers()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: request.body.clone().unwrap_or_default(),
            ..HostRequest::default()
        };
        let answer = self.0.handle(asked, request.method, true).await;
        if flickers {
            self.0.switch(request.at, true).await.map_err(broken)?;
        }
        answer
    }
}

fn patch(operation: Value) -> Option<Value> {
    Some(
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}),
    )
}

/// The application's own people, who look at the failures every four hours.
struct People(Arc<Tenant>);

#[async_trait]
impl Application for People {
    async fn act(
        &self,
        what: &Elsewhere,
        id: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), String> {
        let (here, id) = (&self.0, id.ok_or_else(|| "it is not provisioned".to_owned()));
        match what {
            Elsewhere::CreateUser(name) => {
                let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "displayName": "Front desk"});
                here.by_hand(at, Method::Post, "/Users", Some(user)).await
            }
            Elsewhere::CreateGroup(name) => {
                let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name});
                here.by_hand(at, Method::Post, "/Groups", Some(group)).await
            }
            Elsewhere::DeleteUser(_) => {
                here.by_hand(at, Method::Delete, &format!("/Users/{}", id?), None).await
            }
            Elsewhere::DeleteGroup(_) => {
                here.by_hand(at, Method::Delete, &format!("/Groups/{}", id?), None).await
            }
            Elsewhere::ChangeUser(_, title) => {
                let title = patch(json!({"op": "replace", "path": "title", "value": title}));
                here.by_hand(at, Method::Patch, &format!("/Users/{}", id?), title).await
            }
            Elsewhere::EmptyGroup(_) => {
                here.by_hand(
                    at,
                    Method::Patch,
                    &format!("/Groups/{}", id?),
                    patch(json!({"op": "remove", "path": "members"})),
                )
                .await
            }
            Elsewhere::Off => here.switch(at, false).await,
            Elsewhere::On => here.switch(at, true).await,
            Elsewhere::Revoke => Err("nobody does this here".to_owned()),
        }
    }

    async fn after_cycle(&self, client: &Client, directory: &Mutex<Directory>) {
        let number = {
            let mut cycles = lock(&self.0.cycles);
            *cycles += 1;
            *cycles
        };
        if number.is_multiple_of(6) {
            let looked = self.0.look(client, directory).await;
            lock(&self.0.troubles).extend(looked.err());
        }
    }
}

/// Faults of the line, more than usual, and what others do in the application.
fn quarter(seed: u64, users: u32, shape: Shape, token: &str, start: DateTime<Utc>) -> Plan {
    let mut plan = months(seed, users, 3, token, start);
    plan.settings.shape = shape;
    plan.changes_per_day *= 2.0;
    plan.faults = Faults { lost_answers: 0.01, timeouts: 0.005, duplicates: 0.01, bad_values: 0.0 };
    let hours = |day: i64, hour: i64| TimeDelta::days(day) + TimeDelta::hours(hour);
    for month in 0..3_u32 {
        let day = i64::from(month) * 30;
        for n in 0..4 {
            let someone = UserKey((month * 11 + n * 5 + 1) % users);
            plan.at(
                hours(day + 5, i64::from(n)),
                Happening::Elsewhere(Elsewhere::ChangeUser(someone, "Porter".to_owned())),
            );
            // While the mapping is broken, too.
            plan.at(
                hours(day + 4, 4 + i64::from(n)),
                Happening::Elsewhere(Elsewhere::ChangeUser(someone, "Guard".to_owned())),
            );
        }
        plan.at(
            hours(day + 18, 3),
            Happening::Elsewhere(Elsewhere::EmptyGroup(GroupKey(month + 1))),
        );
        plan.at(
            hours(day + 13, 9),
            Happening::Elsewhere(Elsewhere::DeleteGroup(GroupKey(month + 2))),
        );
    }
    // The last days end in trouble: names that are taken, a mapping that is broken.
    plan.at(
        hours(88, 2),
        Happening::Elsewhere(Elsewhere::CreateUser("last.desk@contoso.example".to_owned())),
    );
    let taken = rollcall_entra::directory::Change::SignIn(
        UserKey(3),
        "last.desk@contoso.example".to_owned(),
    );
    plan.at(hours(88, 5), Happening::Change(taken));
    plan.at(hours(88, 20), Happening::BadValues(0.5));
    plan
}

/// Plays 90 days and tells how what is open compares with what is known to be.
pub async fn play_quarter(seed: u64, users: u32, shape: Shape) -> Result<Tally> {
    let start: DateTime<Utc> = "2026-03-02T06:00:00Z".parse()?;
    let setup = HostSetup {
        stores: Stores::in_memory()?,
        random: Random::seeded(seed),
        start,
        public_url: "https://rollcall.example.com".to_owned(),
        operator_key: None,
        config: HostSetup::config(),
    };
    let host = Host::open(setup).await?;
    let organization =
        OrganizationId(host.create_organization(start, "Acme", "acme").await?.organization_id);
    let token = host.issue_token(start, "acme", "entra").await?.token;
    let desk = host.issue_token(start, "acme", "front desk").await?.token;
    let tenant = Arc::new(Tenant {
        host,
        organization,
        desk,
        seen: Mutex::default(),
        tally: Mutex::default(),
        cycles: Mutex::default(),
        troubles: Mutex::default(),
    });
    let scene = Scene {
        transport: Arc::new(Wire(tenant.clone())),
        time: Arc::new(Simulated::new(start)),
        recorder: Arc::new(ProvisioningLog::new()),
        application: Some(Arc::new(People(tenant.clone()))),
    };
    let played = play(quarter(seed, users, shape, &token, start), scene).await;
    println!(
        "{} changes; could not be done in the application: {:?}",
        played.changes, played.undone
    );
    if let Some(trouble) = lock(&tenant.troubles).pop() {
        return Err(trouble);
    }
    tenant.look(&played.client, &played.directory).await?;
    let end = tenant.seen().last().context("requests")?.at;
    ensure!(end - start > TimeDelta::days(89), "it ended on {end}");
    let tally = std::mem::take(&mut *lock(&tenant.tally));
    Ok(tally)
}
