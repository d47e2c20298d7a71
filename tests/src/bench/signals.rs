//! How long it takes from the request that switches somebody off to a received `session-revoked`.

use super::directory::create_users;
use super::wire::Until;
use crate::scim::Scim;
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
/// Longer than any of them may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// When each person's sessions were said to be over.
type Heard = Arc<Mutex<HashMap<String, Instant>>>;

/// Milliseconds from each of `count` requests that switch somebody off, one after another, to the
/// token that says so; while others are created as fast as the server can.
pub async fn deactivations(w: &World, count: usize) -> Result<Vec<f64>> {
    let heard = Heard::default();
    let url = receive(heard.clone()).await?;
    let mut people = Vec::new();
    for n in 0..count {
        people.push(w.scim.create_user(&format!("leaver{n}@contoso.example")).await?);
    }
    let add = ["consumer", "add", "--org", "acme", "--kind", "set-push", "--name", "signals"];
    let more = ["--audience", "doors", "--post-to", &url, "--types", "user.deactivated"];
    w.server.cli(&[&add[..], &more].concat()).await?;
    let load = create_users(w, 0, Until::Time(Duration::from_secs(3600)));
    let measured = async {
        let scim = w.scim.fresh();
        let mut took = Vec::new();
        for person in &people {
            took.push(one(&scim, person, &heard).await?);
        }
        anyhow::Ok(took)
    };
    tokio::select! {
        took = measured => took,
        ended = load => Err(ended.err().unwrap_or_else(|| anyhow::anyhow!("the load ended"))),
    }
}

async fn one(scim: &Scim, person: &str, heard: &Heard) -> Result<f64> {
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    let began = Instant::now();
    scim.operations(&format!("/Users/{person}"), off).await?.expect(200)?;
    loop {
        let at = heard.lock().unwrap_or_else(PoisonError::into_inner).get(person).copied();
        if let Some(at) = at {
            return Ok((at - began).as_secs_f64() * 1_000.0);
        }
        ensure!(began.elapsed() < PATIENCE, "nobody said that {person} has no session any more");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn receive(heard: Heard) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/signals", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let heard = heard.clone();
            let service = service_fn(move |request| take(heard.clone(), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    Ok(url)
}

async fn take(heard: Heard, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let token = request.into_body().collect().await?.to_bytes();
    let at = Instant::now();
    let claims = token.split(|byte| *byte == b'.').nth(1).context("a token")?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
    if claims["events"].get(REVOKED).is_some()
        && let Some(person) = claims["sub_id"]["sub"].as_str()
    {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.entry(person.to_owned()).or_insert(at);
    }
    Ok(Response::builder().status(202).body(Full::default())?)
}
