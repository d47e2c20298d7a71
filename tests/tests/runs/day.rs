//! An application in process, and Entra's requests at told times.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::request_line::{Method, RequestLine};
use rollcall_engine::ids::Random;
use rollcall_server::host::{Host, HostAnswer, HostRequest, HostSetup};
use rollcall_stores::{DeploymentWrap, Stores};
use rollcall_tests::postgres_cluster::PostgresCluster;
use serde_json::{Value, json};
use std::sync::Mutex;

pub fn begin() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// Where a day is kept.
#[derive(Clone, Copy)]
pub enum Store<'a> {
    Memory,
    /// In a database of its own.
    Postgres(&'a PostgresCluster),
}

impl Store<'_> {
    /// A day that has not begun.
    pub async fn day(self) -> Result<Day> {
        match self {
            Store::Memory => Day::new(Stores::in_memory()?).await,
            Store::Postgres(cluster) => {
                Day::new(
                    Stores::in_postgres(
                        &cluster.create_database()?,
                        2,
                        &DeploymentWrap::for_once()?,
                    )
                    .await?,
                )
                .await
            }
        }
    }
}

/// A day of the organization `acme`.
pub struct Day {
    pub host: Host,
    pub token: String,
    now: Mutex<DateTime<Utc>>,
}

impl Day {
    async fn new(stores: Stores) -> Result<Self> {
        let setup = HostSetup {
            stores,
            random: Random::seeded(7),
            start: begin(),
            public_url: "https://rollcall.example.com".to_owned(),
            operator_key: None,
            config: HostSetup::config(),
        };
        let host = Host::open(setup).await?;
        host.create_organization(begin(), "Acme", "acme").await?;
        let token = host.issue_token(begin(), "acme", "entra").await?.token;
        Ok(Self { host, token, now: Mutex::new(begin()) })
    }

    pub fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Moves the time.
    pub fn clock(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        self.now.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// It is so many minutes after the beginning.
    pub fn at(&self, minutes: i64) {
        *self.now.lock().unwrap_or_else(|e| e.into_inner()) = begin() + TimeDelta::minutes(minutes);
    }

    /// Sends one request; the next comes a little later.
    pub async fn send(
        &self,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> Result<HostAnswer> {
        let at = self.now() + TimeDelta::milliseconds(120);
        *self.now.lock().unwrap_or_else(|e| e.into_inner()) = at;
        let mut request = HostRequest::new(at, method, &format!("/scim/v2{target}"), &self.token);
        if let Some(body) = body {
            request = request.with_body("application/scim+json", body.to_string());
        }
        Ok(self.host.handle(request).await?)
    }

    pub async fn probe(&self) -> Result<()> {
        let guid = "7c1d2b54-0f7e-4a86-9f5b-2f7f0b1d9a11";
        let answer =
            self.send("GET", &format!("/Users?filter=userName+eq+%22{guid}%22"), None).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }

    /// Looks a user up and creates it. Gives its id.
    pub async fn create(&self, name: &str) -> Result<String> {
        self.send("GET", &format!("/Users?filter=userName+eq+%22{name}%22"), None).await?;
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": true});
        let made: Value =
            serde_json::from_slice(&self.send("POST", "/Users", Some(user)).await?.body)?;
        Ok(made["id"].as_str().with_context(|| format!("{made}"))?.to_owned())
    }

    /// Reads a linked user and changes its title. Gives the status.
    pub async fn change(&self, id: &str, title: &str) -> Result<u16> {
        self.send("GET", &format!("/Users/{id}"), None).await?;
        self.patch(id, "title", json!(title)).await
    }

    pub async fn patch(&self, id: &str, path: &str, value: Value) -> Result<u16> {
        let operation = json!({"op": "Replace", "path": path, "value": value});
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
        Ok(self.send("PATCH", &format!("/Users/{id}"), Some(body)).await?.status)
    }

    /// Asks the audit.
    pub async fn ask(&self, path: &str) -> Result<Value> {
        let line = RequestLine {
            method: Method::Get,
            target: format!("/api/v1/organizations/acme{path}"),
        };
        Ok(self.host.administer(self.now(), &line, &Value::Null).await?)
    }

    /// Has the operator do something; gives the last line of the answer.
    pub async fn operate(&self, path: &str, body: &Value) -> Result<Value> {
        let target = format!("/api/v1/organizations/acme{path}");
        let request = HostRequest::new(self.now(), "POST", &target, self.host.operator_key());
        let answer =
            self.host.handle(request.with_body("application/json", body.to_string())).await?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status < 300, "{path}: {} {text}", answer.status);
        text.lines().last().map_or(Ok(Value::Null), |line| Ok(serde_json::from_str(line)?))
    }

    /// Imports Entra's own log.
    pub async fn import(&self, file: Value) -> Result<()> {
        self.operate("/provisioning-log", &file).await.map(drop)
    }

    /// The runs, oldest first.
    pub async fn runs(&self) -> Result<Vec<Value>> {
        let mut runs = self.ask("/runs?limit=1000").await?.as_array().context("a list")?.clone();
        runs.reverse();
        Ok(runs)
    }

    /// A first day: connection test, initial cycle, on demand, an idle cycle, one with changes and
    /// a failure, and one that tries again. Gives the ids of the users.
    pub async fn first_day(&self) -> Result<Vec<String>> {
        self.probe().await?;
        self.at(10);
        self.probe().await?;
        let mut ids = Vec::new();
        for n in 0..12 {
            ids.push(self.create(&format!("user{n}@contoso.example")).await?);
        }
        self.at(25);
        self.probe().await?;
        self.send("GET", "/Users?filter=userName+eq+%22user3@contoso.example%22", None).await?;
        ensure!(self.patch(&ids[3], "title", json!("Guard")).await? == 200);
        self.at(50);
        self.probe().await?;
        self.at(90);
        self.probe().await?;
        for id in &ids[..4] {
            self.change(id, "Porter").await?;
        }
        ensure!(self.patch(&ids[5], "no.such[thing", json!("x")).await? == 400);
        self.at(130);
        self.probe().await?;
        ensure!(self.change(&ids[5], "Porter").await? == 200);
        Ok(ids)
    }
}

pub fn kinds(runs: &[Value]) -> Vec<&str> {
    runs.iter().filter_map(|run| run["kind"].as_str()).collect()
}
