//! Many tenants at a pace: each sends so many requests a second, whether or not the last one was
//! answered in time, and latency counts from the moment a request was due.

use super::directory::{user_body, user_name};
use super::wire::{Wire, form, prepare};
use crate::scim::filter;
use crate::server::Server;
use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often each asks: what Microsoft wants of a gallery application.
pub const PER_SECOND: u32 = 25;
/// One in so many requests creates a user; the others look for one.
const CREATES: u64 = 4;

/// What a tenant has to show.
pub struct Tenant {
    /// A secret token.
    pub fixed: String,
    /// An access token of an hour.
    pub hourly: String,
}

/// Organizations with both kinds of credential.
pub async fn found(server: &Server, tenants: usize) -> Result<Vec<Tenant>> {
    let mut wire = Wire::connect(&server.address().authority()).await?;
    let mut made = Vec::new();
    for n in 0..tenants {
        let (name, org) = (format!("Tenant {n}"), format!("tenant-{n}"));
        server.cli(&["org", "create", &name, "--domain", &org]).await?;
        let fixed = server.cli(&["scim", "token", "issue", "--org", &org]).await?;
        let kind = ["--kind", "client-secret"];
        let add = [&["scim", "credential", "add", "--org", &org][..], &kind].concat();
        let added = server.cli(&add).await?;
        let text = |told: &Value, field: &str| {
            told[field].as_str().map(str::to_owned).with_context(|| format!("no {field}"))
        };
        let (client, secret) = (text(&added, "client_id")?, text(&added, "client_secret")?);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", secret.as_str()),
        ];
        let (status, body) = wire.call(&form("/scim/oauth/token", &fields)).await?;
        ensure!(status == 200, "the token endpoint answered {status}");
        let hourly = text(&serde_json::from_slice(body)?, "access_token")?;
        made.push(Tenant { fixed: text(&fixed, "token")?, hourly });
    }
    Ok(made)
}

/// All tenants at their pace for a while; gives latencies in milliseconds, in no order. `first`
/// numbers what they create. An answer that is not what it should be is an error.
pub async fn drive(
    server: &Server,
    tenants: &[Tenant],
    token: impl Fn(&Tenant) -> &str,
    first: u64,
    time: Duration,
) -> Result<Vec<f64>> {
    let authority = server.address().authority();
    let requests = (time.as_secs_f64() * f64::from(PER_SECOND)) as u64;
    let pause = Duration::from_secs(1) / PER_SECOND;
    let begun = Instant::now();
    let clients = tenants.iter().enumerate().map(|(at, tenant)| {
        let (authority, token) = (&authority, token(tenant));
        // Nobody's clock is everybody's.
        let offset = pause * u32::try_from(at).unwrap_or_default() / tenants.len().max(1) as u32;
        async move {
            let mut wire = Wire::connect(authority).await?;
            let mut took = Vec::new();
            for n in 0..requests {
                let due = begun + offset + pause * u32::try_from(n)?;
                tokio::time::sleep_until(due.into()).await;
                let (request, expected) = if n % CREATES == 0 {
                    (prepare("POST", "/Users", token, &user_body(first + n)), 201)
                } else {
                    let name = user_name(first + n - n % CREATES);
                    let asked = filter(&format!("userName eq \"{name}\""));
                    (prepare("GET", &format!("/Users?{asked}"), token, ""), 200)
                };
                let (status, _) = wire.call(&request).await?;
                ensure!(status == expected, "tenant {at}, request {n}: {status}");
                took.push(due.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(took)
        }
    });
    Ok(try_join_all(clients).await?.concat())
}

/// The value that a share of all is not above; zero for none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
}
