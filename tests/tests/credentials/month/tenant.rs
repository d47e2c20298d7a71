//! A server in process on simulated time, a simulated tenant's way into it, and the plan of its days.

use super::secrets::Secrets;
use crate::asking::IDS;
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use rollcall_contract::credentials::{
    CredentialAdded, CredentialBody, NewCredential, NewProof, TOKEN_PATH,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_engine::ids::Random;
use rollcall_entra::credential::KeyServer;
use rollcall_entra::play::{Happening, Plan, Planned, Until};
use rollcall_entra::transport::{Answer, Request, TokenRequest, Transport, TransportError};
use rollcall_server::host::{Host, HostAnswer, HostRequest, HostSetup};
use rollcall_stores::Stores;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub fn begin() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

/// The way into the application in process.
pub struct Inside {
    host: Arc<Host>,
    tokens: AtomicU64,
    secrets: Secrets,
}

impl Inside {
    pub fn new(host: &Arc<Host>) -> Arc<Self> {
        let (host, tokens) = (host.clone(), AtomicU64::new(0));
        Arc::new(Self { host, tokens, secrets: Secrets::default() })
    }

    /// How often a token was asked for.
    pub fn tokens(&self) -> u64 {
        self.tokens.load(Ordering::SeqCst)
    }

    /// What went over this way and is nobody's business.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

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
        let answer = self.handle(HostRequest {
            at: request.at,
            method: "POST".to_owned(),
            target: TOKEN_PATH.to_owned(),
            headers: owned(request.headers()),
            body: request.body.clone().into(),
            ..HostRequest::default()
        });
        let answer = answer.await?;
        self.secrets.of_token_request(request, &answer);
        Ok(answer)
    }
}

pub struct Month {
    pub host: Arc<Host>,
    pub keys: KeyServer,
}

impl Month {
    /// On stores that are gone with it.
    pub async fn new() -> Result<Self> {
        Self::on(Stores::in_memory()?).await
    }

    /// With the organization `acme`, on stores of the test's.
    pub async fn on(stores: Stores) -> Result<Self> {
        let keys = KeyServer::start().await?;
        let mut config = HostSetup::config();
        config.allow_private_outbound = "127.0.0.0/8".to_owned();
        config.federation_authorities = keys.authority();
        let setup = HostSetup {
            stores,
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

    pub async fn add(&self, label: &str, proof: NewProof) -> Result<CredentialAdded> {
        let line = route::ADD_CREDENTIAL.line(&OrganizationPath::of("acme"), &Nothing)?;
        let new = NewCredential { label: label.to_owned(), expires_at: None, proof };
        Ok(self.host.administer(begin(), &line, &serde_json::to_value(new)?).await?)
    }

    /// An access token for a client secret.
    pub async fn token(&self, at: DateTime<Utc>, client: &str, secret: &str) -> Result<String> {
        let (status, body) = self.ask(at, client, secret).await?;
        ensure!(status == 200, "{body}");
        Ok(body["access_token"].as_str().context("a token")?.to_owned())
    }

    /// What the token endpoint says to a client secret.
    pub async fn ask(&self, at: DateTime<Utc>, client: &str, secret: &str) -> Result<(u16, Value)> {
        let body =
            format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        let (method, target) = ("POST".to_owned(), TOKEN_PATH.to_owned());
        let request = HostRequest { at, method, target, ..HostRequest::default() };
        let form = "application/x-www-form-urlencoded";
        let answer = self.host.handle(request.with_body(form, body)).await?;
        Ok((answer.status, serde_json::from_slice(&answer.body)?))
    }

    pub async fn list(&self, at: DateTime<Utc>) -> Result<Vec<CredentialBody>> {
        let line = route::LIST_CREDENTIALS.line(&OrganizationPath::of("acme"), &Nothing)?;
        Ok(self.host.administer(at, &line, &Value::Null).await?)
    }
}

pub fn plan(start: DateTime<Utc>, span: Duration, token: &str) -> Plan {
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
        plan.planned.push(Planned { after: at, what });
    }
    plan
}

/// What an organization trusts of the simulated tenant.
pub fn trust(authority: &str) -> NewProof {
    let [tenant, subject, application] = IDS;
    let authority = Some(authority.to_owned());
    NewProof::Federated { tenant, subject, application, authority, authorized_party: None }
}
