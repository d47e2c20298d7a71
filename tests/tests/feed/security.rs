//! Security event tokens: polled and posted, the same however often they come, and verified by
//! what nobody here wrote.

use super::client::Consumer;
use super::receiver::Receiver;
use super::story::happen;
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_tests::http::{Answer, Http, Request};
use rollcall_tests::python;
use rollcall_tests::rng::Rng;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak::times;
use rollcall_tests::world::World;
use serde_json::{Value, json};
use std::path::Path;

const FLAGS: [&str; 4] = ["--rate-limit", "0", "--allow-private-webhooks", "true"];
const AUDIENCE: &str = "https://doors.example.com/signals";
const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// Who gets tokens, as it was added.
struct Listener {
    http: Http,
    token: String,
    issuer: String,
    poll: String,
}

/// The path of an address.
fn path(url: &str) -> Result<String> {
    url.find("/api/").map(|at| url[at..].to_owned()).with_context(|| format!("path of {url}"))
}

impl Listener {
    async fn add(w: &World, name: &str, flags: &[&str]) -> Result<Self> {
        let command = ["consumer", "add", "--org", "acme", "--name", name, "--audience", AUDIENCE];
        let added = w.server.cli(&[&command[..], flags].concat()).await?;
        let text = |name: &str| added[name].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            http: Http::new(w.server.address()),
            token: text("token"),
            issuer: text("issuer"),
            poll: text("poll_url"),
        })
    }

    async fn ask(&self, body: Value) -> Result<Answer> {
        let request = Request::new("POST", &path(&self.poll)?)
            .header("Authorization", format!("Bearer {}", self.token))
            .json("application/json", &body);
        self.http.send(request).await
    }

    /// Everything, so many at a time, each acknowledged with the next question.
    async fn all(&self, at_a_time: usize, settle: fn(&[String]) -> Value) -> Result<Vec<String>> {
        let (mut got, mut last) = (Vec::new(), Vec::new());
        loop {
            let mut asked = settle(&last);
            asked["maxEvents"] = json!(at_a_time);
            asked["returnImmediately"] = json!(true);
            let answer = self.ask(asked).await?.expect_json(200)?;
            let sets = answer["sets"].as_object().context("sets")?;
            if sets.is_empty() {
                ensure!(answer["moreAvailable"] == false, "{answer}");
                return Ok(got);
            }
            ensure!(sets.len() <= at_a_time, "{answer}");
            last = sets.keys().cloned().collect();
            got.extend(sets.values().filter_map(Value::as_str).map(str::to_owned));
        }
    }

    /// What anybody may fetch: below the issuer, and at the path inserted before its own.
    async fn published(&self) -> Result<(Value, Value)> {
        let path = path(&self.issuer)?;
        let get = async |target: String| {
            self.http.send(Request::new("GET", &target)).await?.expect_json(200)
        };
        let keys = get(format!("{path}/keys")).await?;
        Ok((get(format!("/.well-known/ssf-configuration{path}")).await?, keys))
    }

    async fn verified(&self, method: &str, tokens: &[String]) -> Result<()> {
        let (configuration, keys) = self.published().await?;
        let told = json!({
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "method": method,
            "configuration": configuration,
            "keys": keys,
            "tokens": tokens,
        });
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("tokens.json");
        std::fs::write(&file, told.to_string())?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feed/security_says.py");
        let (script, file) = (script.to_str().context("a path")?, file.to_str().context("a path")?);
        let said = python::run("python", &[script, file], &[]).await?;
        ensure!(said.success, "{}{}", said.out, said.err);
        print!("{}", said.out);
        Ok(())
    }
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    part.and_then(|part| serde_json::from_slice(&part).ok()).unwrap_or_default()
}

/// The last words of a token's event, and whom it is about.
fn what(token: &str) -> String {
    let claims = part(token, 1);
    let kind = claims["events"].as_object().and_then(|all| all.keys().next().cloned());
    let kind = kind.unwrap_or_default();
    let subject = &claims["sub_id"];
    let about = subject["uri"].as_str().or(subject["sub"].as_str()).unwrap_or_default();
    let words: Vec<&str> = kind.rsplit([':', '/']).take(2).collect();
    format!("{} {} {}", words[1], words[0], about.rsplit('/').next().unwrap_or_default())
}

fn acknowledged(last: &[String]) -> Value {
    json!({ "ack": last })
}

fn refused(last: &[String]) -> Value {
    let error = json!({ "err": "invalid_key", "description": "of the receiver" });
    let all: serde_json::Map<_, _> = last.iter().map(|jti| (jti.clone(), error.clone())).collect();
    json!({ "setErrs": all })
}

async fn world() -> Result<World> {
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &FLAGS).await?;
    World::around(server).await
}

#[tokio::test]
async fn tokens_are_polled_in_order_until_they_are_acknowledged() -> Result<()> {
    let mut w = world().await?;
    let poll = ["--kind", "set-poll"];
    let doors = Listener::add(&w, "doors", &poll).await?;
    let notices = [&poll[..], &["--payload", "notice", "--types", "user.*,login.*"]].concat();
    let notices = Listener::add(&w, "notices", &notices).await?;
    // Who waits is told as soon as there is something.
    let waits = tokio::spawn({
        let (http, poll, token) = (doors.http.clone(), doors.poll.clone(), doors.token.clone());
        let waiting = Listener { http, poll, token, issuer: String::new() };
        async move { waiting.ask(json!({})).await }
    });
    let [ada, bo, group] = happen(&w).await?;
    let first = waits.await??.expect_json(200)?;
    ensure!(first["sets"].as_object().is_some_and(|sets| !sets.is_empty()), "{first}");
    // What is not acknowledged comes again, to the byte; also after a restart.
    let ask = || doors.ask(json!({ "returnImmediately": true }));
    let before = ask().await?.expect_json(200)?;
    w.server.terminate().await?;
    w.server.restart().await?;
    let doors = Listener { http: Http::new(w.server.address()), ..doors };
    let notices = Listener { http: Http::new(w.server.address()), ..notices };
    let after = doors.ask(json!({ "returnImmediately": true })).await?.expect_json(200)?;
    ensure!(before == after, "{before} and then {after}");
    // An acknowledgement of what was never told, or not of what comes first, moves nothing.
    let odd = json!({ "ack": [uuid::Uuid::nil()], "maxEvents": 0 });
    let none = doors.ask(odd).await?.expect_json(200)?;
    ensure!(none == json!({ "sets": {}, "moreAvailable": true }), "{none}");
    let got = doors.all(1, acknowledged).await?;
    let mut told: Vec<String> = got.iter().map(|token| what(token)).collect();
    // One request changes several things; their order is its own business, but for this: who is
    // switched off has no session before anything else is told of it.
    let at = |what: &str| told.iter().position(|t| *t == format!("{what} {ada}"));
    ensure!(at("event-type session-revoked") < at("prov deactivate"), "{told:?}");
    told[5..9].sort_unstable();
    let expected = [
        format!("create full {ada}"),
        format!("create full {bo}"),
        format!("create full {group}"),
        format!("patch full {group}"),
        format!("patch full {group}"),
        format!("event-type session-revoked {ada}"),
        format!("patch full {ada}"),
        format!("patch full {ada}"),
        format!("prov deactivate {ada}"),
        format!("patch full {group}"),
        format!("event-type session-revoked {bo}"),
        format!("prov delete {bo}"),
    ];
    ensure!(told == expected, "{told:#?}");
    doors.verified("urn:ietf:rfc:8936", &got).await?;
    // One cause, one transaction.
    let of = |what: &str| {
        let token = got.iter().find(|token| part(token, 1)["events"].get(what).is_some());
        token.map(|token| part(token, 1)["txn"].clone())
    };
    let deactivate = "urn:ietf:params:scim:event:prov:deactivate";
    ensure!(of(REVOKED).is_some() && of(REVOKED) == of(deactivate), "{:?}", of(REVOKED));
    // A notice holds no value; what a receiver cannot use comes no more either.
    let few = notices.all(5, refused).await?;
    notices.verified("urn:ietf:rfc:8936", &few).await?;
    let text: String = few.iter().map(|token| part(token, 1).to_string()).collect();
    ensure!(few.len() == 8 && !text.contains("contoso"), "{} {text}", few.len());
    let log = std::fs::read_to_string(w.server.log_file())?;
    ensure!(!log.contains("of the receiver"), "the log has a receiver's words");
    // A new key signs beside the old one.
    let (_, one) = notices.published().await?;
    let one_cli = ["consumer", "rotate", "--org", "acme", "notices"];
    let rotated = w.server.cli(&one_cli).await?;
    w.scim.create_user("cy@contoso.example").await?;
    let (_, two) = notices.published().await?;
    ensure!(two["keys"][1] == one["keys"][0] && two["keys"].as_array().map(Vec::len) == Some(2));
    let renewed = rotated["token"].as_str().context("a token")?.to_owned();
    let later = Listener { token: renewed, http: Http::new(w.server.address()), ..notices };
    let new = later.all(1, acknowledged).await?;
    ensure!(new.len() == 1 && part(&new[0], 0)["kid"] == two["keys"][0]["kid"], "{new:?}");
    later.verified("urn:ietf:rfc:8936", &[few, new].concat()).await
}

#[tokio::test]
async fn tokens_are_posted_one_after_another() -> Result<()> {
    let w = world().await?;
    let receiver = Receiver::start().await?;
    let flags = ["--kind", "set-push", "--post-to", &receiver.url];
    let doors = Listener::add(&w, "doors", &flags).await?;
    let polled = Listener::add(&w, "polled", &["--kind", "set-poll"]).await?;
    ensure!(receiver.got().len() == 1, "a verification token came first");
    receiver.answer(&[(400, None)]);
    happen(&w).await?;
    // Nothing overtakes what failed; who mended the receiver does not wait for the schedule.
    while receiver.got().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    w.server.cli(&["consumer", "resume", "--org", "acme", "doors"]).await?;
    let taken = receiver.until(|taken| taken.len() == 13).await?;
    for letter in &taken {
        ensure!(letter.headers["content-type"] == "application/secevent+jwt", "{letter:?}");
    }
    let posted: Vec<String> = taken.into_iter().map(|letter| letter.body).collect();
    doors.verified("urn:ietf:rfc:8935", &posted).await?;
    // The same is told, by whatever way.
    let told = |tokens: &[String]| -> Vec<_> { tokens.iter().map(|token| what(token)).collect() };
    let asked = polled.all(1, acknowledged).await?;
    ensure!(told(&posted[1..]) == told(&asked), "{:?} and {:?}", told(&posted), told(&asked));
    // Tokens for one are refused for another: each has an issuer and keys of its own.
    ensure!(doors.verified("urn:ietf:rfc:8935", &asked).await.is_err(), "of another issuer");
    Ok(())
}

/// Kills in CI; ten times as many in a soak.
const KILLS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_repeats_one_event_at_most_and_loses_none() -> Result<()> {
    let mut w = world().await?;
    let mut rng = Rng::from_env("tokens killed", 20_261_204);
    let receiver = Receiver::start().await?;
    Listener::add(&w, "doors", &["--kind", "set-push", "--post-to", &receiver.url]).await?;
    let polled = Listener::add(&w, "polled", &["--kind", "set-poll"]).await?;
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    for round in 0..times(KILLS) {
        for n in 0..6 {
            let scim = w.scim.fresh();
            let user = scim.create_user(&format!("u{round}.{n}@contoso.example")).await?;
            // An event that is two tokens.
            scim.operations(&format!("/Users/{user}"), off.clone()).await?.expect(200)?;
        }
        tokio::time::sleep(rng.millis(1, 120)).await;
        w.server.kill9()?;
        w.server.restart().await?;
    }
    let polled = Listener { http: Http::new(w.server.address()), ..polled };
    let wanted = polled.all(1, acknowledged).await?;
    let last = wanted.last().map(|token| part(token, 1)["jti"].clone());
    let jti = |letter: &super::receiver::Letter| part(&letter.body, 1)["jti"].clone();
    // The verification token came first.
    let taken = receiver.until(|taken| taken.last().map(jti) == last).await?;
    let (mut stands, mut again) = (0, 0);
    let wanted: Vec<_> = wanted.iter().map(|token| part(token, 1)["jti"].clone()).collect();
    for letter in &taken[1..] {
        let at = wanted.iter().position(|known| *known == jti(letter)).context("a token")?;
        // The next one, or one of the event that was under way.
        ensure!(at <= stands && stands <= at + 2, "token {at} comes where {stands} stands");
        again += usize::from(at < stands);
        stands = at + 1;
    }
    ensure!(stands == wanted.len(), "{stands} of {}", wanted.len());
    println!("{} tokens, {} kills, {again} repetitions", wanted.len(), times(KILLS));
    ensure!(again <= times(KILLS) * 2, "{again} repetitions");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_is_refused() -> Result<()> {
    let w = world().await?;
    let doors = Listener::add(&w, "doors", &["--kind", "set-poll"]).await?;
    let pull = Consumer::add(&w.server, "pull", &[]).await?;
    let key = w.server.operator_key()?;
    let add = async |body: Value| {
        let request = Request::new("POST", "/api/v1/organizations/acme/consumers")
            .header("Authorization", format!("Bearer {key}"))
            .json("application/json", &body);
        w.scim.http().fresh().send(request).await
    };
    let poll = |more: Value| {
        let mut body = json!({ "name": "x", "kind": "set-poll", "audience": AUDIENCE });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    for (status, body) in [
        (400, poll(json!({ "audience": null }))),
        (400, poll(json!({ "audience": "" }))),
        (400, poll(json!({ "audience": "two words" }))),
        (400, poll(json!({ "types": ["login.*"] }))),
        (400, poll(json!({ "types": ["door.opened"] }))),
        (400, poll(json!({ "url": "https://doors.example.com/" }))),
        (400, poll(json!({ "kind": "set-push" }))),
        (400, poll(json!({ "kind": "push" }))),
        (400, poll(json!({ "kind": "pull" }))),
        (400, poll(json!({ "kind": "set-push", "url": "ftp://doors.example.com/" }))),
        (409, poll(json!({ "start": 1_000_000 }))),
    ] {
        let answer = add(body.clone()).await?;
        ensure!(answer.status == status, "{body}: {}", answer.text());
    }
    for (status, body) in [
        (400, json!({ "maxEvents": 101 })),
        (400, json!({ "maxEvents": -1 })),
        (400, json!({ "ack": ["not an id"] })),
        (400, json!([])),
        (200, json!({ "returnImmediately": true, "of a later version": 1 })),
    ] {
        let answer = doors.ask(body.clone()).await?;
        ensure!(answer.status == status, "{body}: {}", answer.text());
    }
    // Another consumer's key opens nothing here, and its own consumer polls for nothing.
    let stranger = Listener { token: pull.token.clone(), ..doors };
    ensure!(stranger.ask(json!({})).await?.status == 404);
    let target = pull.feed.replace("/feed", "/poll");
    let request = Request::new("POST", &target)
        .header("Authorization", format!("Bearer {}", pull.token))
        .json("application/json", &json!({}));
    ensure!(stranger.http.send(request).await?.status == 409);
    // What is not there is not published, and nothing is where others append it.
    let issuer = path(&stranger.issuer)?;
    let another = path(&pull.feed)?.replace("/feed", "");
    for (status, target) in [
        (401, format!("{issuer}/.well-known/ssf-configuration")),
        (404, format!("/.well-known/ssf-configuration{another}")),
        (404, format!("{another}/keys")),
        (404, "/.well-known/ssf-configuration".to_owned()),
    ] {
        let answer = stranger.http.send(Request::new("GET", &target)).await?;
        ensure!(answer.status == status, "{target}: {}", answer.status);
    }
    Ok(())
}
