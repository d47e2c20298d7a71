//! The simulated Entra as load for any SCIM server: single operations, and whole cycles.

use crate::tenant::runs;
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rollcall_entra::log::{ProvisioningLog, RunKind};
use rollcall_entra::play::{Plan, Scene, play};
use rollcall_entra::seed::Seed;
use rollcall_entra::time::Simulated;
use rollcall_entra::transport::{Answer, HttpTransport, Measured, Method, Request, Transport};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One kind of request, measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    /// What was done.
    pub what: String,
    /// How often.
    pub requests: u64,
    /// At how many connections.
    pub connections: usize,
    /// Requests per second.
    pub per_second: f64,
    /// Median latency in milliseconds.
    pub p50: f64,
    /// 95 of 100 are faster.
    pub p95: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
    /// Median of the last tenth against the first tenth: above 1 it becomes slower as data grows.
    pub growth: f64,
}

/// How much load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Users to create.
    pub users: u64,
    /// Connections.
    pub connections: usize,
    /// Tells runs apart on a server that keeps what an earlier one created.
    pub seed: u64,
}

struct Target {
    transport: Arc<dyn Transport>,
    token: Arc<str>,
    load: Load,
}

/// Measures a server by single operations and by cycles. What the operations create they delete;
/// the tenant of the cycles stays.
pub async fn measure(
    url: &str,
    token: &str,
    load: Load,
    said: impl Fn(&Measure),
) -> Result<Vec<Measure>> {
    let target = Target {
        transport: Arc::new(HttpTransport::new(url, Duration::from_secs(60))?),
        token: token.into(),
        load,
    };
    let mut measures = Vec::new();
    let mut keep = |measure: Measure| {
        said(&measure);
        measures.push(measure);
    };
    let n = load.users;
    let name = |i: u64| format!("bench-{}-{i}@contoso.example", load.seed);
    let ids = Mutex::new(vec![String::new(); usize::try_from(n)?]);
    let creates = target.drive(
        "create users",
        n,
        |i| (Method::Post, "/Users".into(), Some(user(&name(i)))),
        201,
        |i, answer| {
            ids.lock().unwrap_or_else(PoisonError::into_inner)[i as usize] = id_of(answer)?;
            Ok(())
        },
    );
    keep(creates.await?);
    let ids = ids.into_inner().unwrap_or_else(PoisonError::into_inner);
    let id = |i: u64| ids[i as usize].clone();
    let matching = |i: u64| {
        format!("/Users?filter=userName+eq+%22{}%22", name(i * 7_919 % n).replace('@', "%40"))
    };
    let matches = target.drive(
        "match queries",
        n,
        |i| (Method::Get, matching(i), None),
        200,
        |_, answer| {
            let found: Value = serde_json::from_slice(&answer.body)?;
            ensure!(found["totalResults"] == 1, "a match found {}", found["totalResults"]);
            Ok(())
        },
    );
    keep(matches.await?);
    let change = |i: u64| {
        patch(json!([{"op": "Replace", "path": "displayName", "value": format!("Changed {i}")}]))
    };
    keep(
        target
            .drive(
                "change users",
                n,
                |i| (Method::Patch, format!("/Users/{}", id(i)), Some(change(i))),
                0,
                |_, _| Ok(()),
            )
            .await?,
    );
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("bench-{}", load.seed)});
    let group = id_of(&target.send(Method::Post, "/Groups".into(), Some(group)).await?)?;
    let add =
        |i: u64| patch(json!([{"op": "Add", "path": "members", "value": [{"value": id(i)}]}]));
    let adds = target.drive(
        "add members, one a request",
        n,
        |i| (Method::Patch, format!("/Groups/{group}"), Some(add(i))),
        0,
        |_, _| Ok(()),
    );
    keep(adds.await?);
    keep(
        target
            .drive(
                "delete users",
                n,
                |i| (Method::Delete, format!("/Users/{}", id(i)), None),
                204,
                |_, _| Ok(()),
            )
            .await?,
    );
    target.send(Method::Delete, format!("/Groups/{group}"), None).await?;
    for measure in target.cycles().await? {
        keep(measure);
    }
    Ok(measures)
}

impl Target {
    async fn send(&self, method: Method, target: String, body: Option<Value>) -> Result<Answer> {
        let body = body.map(|b| Bytes::from(b.to_string()));
        let request = Request {
            method,
            target,
            body,
            bearer: self.token.clone(),
            at: DateTime::UNIX_EPOCH,
            luck: Seed::new(0),
        };
        Ok(self.transport.send(&request).await?)
    }

    /// Sends `count` requests over all connections; a status of 0 accepts 200 and 204.
    async fn drive(
        &self,
        what: &str,
        count: u64,
        request: impl Fn(u64) -> (Method, String, Option<Value>),
        status: u16,
        answered: impl Fn(u64, &Answer) -> Result<()>,
    ) -> Result<Measure> {
        let (next, times) = (AtomicU64::new(0), Mutex::new(Vec::new()));
        let begun = Instant::now();
        let clients = (0..self.load.connections).map(|_| {
            let (next, times, request, answered) = (&next, &times, &request, &answered);
            async move {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        return anyhow::Ok(());
                    }
                    let (method, target, body) = request(i);
                    let sent = Instant::now();
                    let answer = self.send(method, target, body).await?;
                    let micros = sent.elapsed().as_micros() as u64;
                    let good = if status == 0 {
                        matches!(answer.status, 200 | 204)
                    } else {
                        answer.status == status
                    };
                    ensure!(
                        good,
                        "{what}: {} {}",
                        answer.status,
                        String::from_utf8_lossy(&answer.body)
                    );
                    answered(i, &answer)?;
                    times.lock().unwrap_or_else(PoisonError::into_inner).push((i, micros));
                }
            }
        });
        futures::future::try_join_all(clients).await?;
        let elapsed = begun.elapsed().as_secs_f64();
        let mut times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
        times.sort_unstable();
        Ok(figures(
            what,
            self.load.connections,
            elapsed,
            times.into_iter().map(|(_, micros)| micros).collect(),
        ))
    }

    /// An initial cycle and five more, with changes of a twentieth of the tenant between them.
    async fn cycles(&self) -> Result<Vec<Measure>> {
        let start: DateTime<Utc> = "2026-03-02T07:00:00Z".parse()?;
        let users = u32::try_from(self.load.users)?;
        let mut plan = Plan::new(self.load.seed, users, &self.token, start, 6);
        plan.settings.concurrency = self.load.connections;
        // A server that is measured may not know extensions, nor the filters of reference checks.
        plan.settings.mapping = rollcall_entra::client::Mapping::standard().without_extensions();
        plan.settings.reference_checks = false;
        plan.changes_per_day = f64::from(users) * 0.05 * 13.0;
        let (measured, log) =
            (Arc::new(Measured::new(self.transport.clone())), Arc::new(ProvisioningLog::new()));
        let time = Arc::new(Simulated::flowing(start));
        let scene =
            Scene { transport: measured.clone(), time, recorder: log.clone(), application: None };
        play(plan, scene).await;
        ensure!(runs(&log, RunKind::Initial) == 1, "the initial cycle failed: {:?}", log.runs());
        let mut measures = Vec::new();
        for (what, kind) in
            [("initial cycle", RunKind::Initial), ("incremental cycles", RunKind::Incremental)]
        {
            let of_kind: Vec<_> = log.runs().into_iter().filter(|r| r.kind == kind).collect();
            let requests = of_kind.iter().map(|r| r.requests).sum();
            let seconds: f64 = of_kind.iter().map(|r| (r.ended - r.began).as_seconds_f64()).sum();
            let per_second = requests as f64 / seconds.max(0.001);
            let connections = self.load.connections;
            measures.push(Measure {
                what: what.into(),
                requests,
                connections,
                per_second,
                p50: 0.0,
                p95: 0.0,
                p99: 0.0,
                growth: 0.0,
            });
        }
        for (doing, times) in measured.take() {
            measures.push(Measure {
                what: format!("in cycles: {}", doing.as_str()),
                requests: times.count() as u64,
                connections: self.load.connections,
                per_second: 0.0,
                p50: times.quantile(0.5),
                p95: times.quantile(0.95),
                p99: times.quantile(0.99),
                growth: 0.0,
            });
        }
        Ok(measures)
    }
}

/// Figures of times in microseconds, in the order of the requests.
fn figures(what: &str, connections: usize, elapsed: f64, times: Vec<u64>) -> Measure {
    let quantile = |times: &[u64], share: f64| {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        sorted.get(at).map_or(0.0, |micros| *micros as f64 / 1_000.0)
    };
    let tenth = (times.len() / 10).max(1).min(times.len());
    let (first, last) =
        (quantile(&times[..tenth], 0.5), quantile(&times[times.len() - tenth..], 0.5));
    Measure {
        what: what.to_owned(),
        requests: times.len() as u64,
        connections,
        per_second: times.len() as f64 / elapsed,
        p50: quantile(&times, 0.5),
        p95: quantile(&times, 0.95),
        p99: quantile(&times, 0.99),
        growth: if first > 0.0 { last / first } else { 0.0 },
    }
}

impl Measure {
    /// One line for people.
    pub fn line(&self) -> String {
        let rate = if self.per_second > 0.0 {
            format!("{:.0}/s", self.per_second)
        } else {
            "-".to_owned()
        };
        let growth = if self.growth > 0.0 { format!("{:.2}", self.growth) } else { "-".to_owned() };
        format!(
            "{:<32} {:>8} {rate:>9}  p50 {:>8.2}  p95 {:>8.2}  p99 {:>8.2} ms  growth {growth}",
            self.what, self.requests, self.p50, self.p95, self.p99
        )
    }
}

/// What the client does against a server that costs nothing: requests, and requests per second.
pub async fn client_alone(url: &str, users: u32, connections: usize) -> Result<(u64, f64)> {
    let start: DateTime<Utc> = "2026-03-02T07:00:00Z".parse()?;
    let mut plan = Plan::new(1, users, "good", start, 1);
    plan.settings.concurrency = connections;
    let log = Arc::new(rollcall_entra::log::Counting::new(Vec::<Arc<ProvisioningLog>>::new()));
    let transport = Arc::new(HttpTransport::new(url, Duration::from_secs(60))?);
    let scene = Scene {
        transport,
        time: Arc::new(Simulated::flowing(start)),
        recorder: log.clone(),
        application: None,
    };
    let begun = Instant::now();
    play(plan, scene).await;
    let counts = log.counts();
    ensure!(
        counts.failures.is_empty() && counts.failed_runs == 0,
        "the client alone failed: {counts:?}"
    );
    Ok((counts.requests, counts.requests as f64 / begun.elapsed().as_secs_f64()))
}

fn user(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "displayName": name, "active": true,
        "name": {"givenName": "Bench", "familyName": name}, "emails": [{"primary": true, "type": "work", "value": name}],
    })
}

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn id_of(answer: &Answer) -> Result<String> {
    let made: Value = serde_json::from_slice(&answer.body)?;
    Ok(made["id"]
        .as_str()
        .with_context(|| format!("no id in the answer {}: {made}", answer.status))?
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn growth_compares_the_last_tenth_with_the_first() {
        let times = (0..100).map(|n| if n < 50 { 1_000 } else { 3_000 }).collect();
        let measure = figures("x", 1, 2.0, times);
        assert_eq!((measure.growth, measure.per_second, measure.p95), (3.0, 50.0, 3.0));
    }
}
