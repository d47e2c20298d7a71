//! The same seed sends the same requests, byte for byte.

use anyhow::{Result, ensure};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_entra::log::ProvisioningLog;
use rollcall_entra::play::{Scene, month, play};
use rollcall_entra::seed::Seed;
use rollcall_entra::time::Simulated;
use rollcall_entra::transport::{Answer, Method, Request, Transport, TransportError};
use std::sync::{Arc, Mutex};

/// Finds nobody, creates everybody, forgets everything; an id is made from the request.
#[derive(Default)]
struct Yes {
    received: Mutex<Vec<u8>>,
}

#[async_trait]
impl Transport for Yes {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let body = request.body.clone().unwrap_or_default();
        let mut received = self.received.lock().expect("unpoisoned");
        received.extend_from_slice(
            format!("{} {}\n{:?}\n", request.method, request.target, request.headers()).as_bytes(),
        );
        received.extend_from_slice(&body);
        let number =
            body.iter().fold(7_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(*b)));
        let (status, body) = match request.method {
            Method::Get if request.target.contains("filter=") => {
                (200, r#"{"totalResults":0,"Resources":[]}"#.to_owned())
            }
            Method::Get => (200, r#"{"active":true}"#.to_owned()),
            Method::Post => (201, format!(r#"{{"id":"{}"}}"#, Seed::new(number).uuid("id", 0))),
            Method::Patch | Method::Delete => (204, String::new()),
        };
        Ok(Answer { status, body: body.into(), ..Answer::default() })
    }
}

async fn run(seed: u64) -> Result<(Vec<u8>, String)> {
    let start: DateTime<Utc> = "2026-03-02T06:00:00Z".parse()?;
    let (yes, log) = (Arc::new(Yes::default()), Arc::new(ProvisioningLog::new()));
    let scene = Scene {
        transport: yes.clone(),
        time: Arc::new(Simulated::new(start)),
        recorder: log.clone(),
        application: None,
    };
    play(month(seed, 60, 10, "good", start), scene).await;
    let received = yes.received.lock().expect("unpoisoned").clone();
    Ok((received, log.to_json().to_string()))
}

#[tokio::test]
async fn the_same_seed_sends_the_same_bytes() -> Result<()> {
    let (first, second, other) = (run(5).await?, run(5).await?, run(6).await?);
    ensure!(first.0.len() > 100_000, "only {} bytes", first.0.len());
    ensure!(first == second, "the same seed, other bytes");
    ensure!(first.0 != other.0, "another seed, the same bytes");
    Ok(())
}
