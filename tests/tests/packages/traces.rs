//! Traces, as a collector receives them: spans of the kinds that are declared, part of the trace that
//! a trusted proxy began, and nothing in them of whom they are about. What is received is read with
//! the Python package of the OpenTelemetry project.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rollcall_tests::http::{Http, Request};
use rollcall_tests::python;
use rollcall_tests::server::{Server, Store, run};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn listen(&self) -> Result<String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let at = format!("http://{}/v1/traces", listener.local_addr()?);
        let kept = self.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let kept = kept.clone();
                let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let kept = kept.clone();
                    async move {
                        if let Ok(body) = request.into_body().collect().await {
                            kept.0
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .push(body.to_bytes());
                        }
                        Ok::<_, Infallible>(hyper::Response::new(Empty::<Bytes>::new()))
                    }
                });
                tokio::spawn(async move {
                    let connection = hyper::server::conn::http1::Builder::new();
                    let _ = connection.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Ok(at)
    }

    fn received(&self) -> Vec<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads what was received as the OpenTelemetry project does.
const READ: &str = r#"
import base64, json, sys
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
spans = []
for line in sys.stdin:
    request = ExportTraceServiceRequest.FromString(base64.b64decode(line))
    for resource in request.resource_spans:
        of = {a.key: a.value.string_value for a in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                values = {a.key: list(MessageToDict(a.value).values())[0] for a in span.attributes}
                spans.append({"resource": of, "name": span.name, "trace": span.trace_id.hex(),
                    "parent": span.parent_span_id.hex(), "attributes": values,
                    "events": len(span.events), "links": len(span.links)})
print(json.dumps(spans))
"#;

fn spans(received: &[Bytes]) -> Result<Vec<Value>> {
    use base64::Engine as _;
    let mut reader = Command::new(python::tool("python")?);
    reader.args(["-c", READ]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut reader = reader.spawn()?;
    let mut input = reader.stdin.take().context("its input")?;
    for body in received {
        writeln!(input, "{}", base64::engine::general_purpose::STANDARD.encode(body))?;
    }
    drop(input);
    let output = reader.wait_with_output()?;
    ensure!(output.status.success(), "opentelemetry-proto cannot read it");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The spans that may be sent, with what they may say.
const KINDS: [(&str, &[&str]); 4] = [
    ("request", &["status"]),
    ("exchange", &["id", "protocol", "operation", "organization"]),
    ("log.append", &["organization"]),
    ("views.fold", &["organization", "at"]),
];

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_collector_receives_tells_how_it_went_and_not_of_whom() -> Result<()> {
    let collector = Collector::default();
    let at = collector.listen().await?;
    let flags = [
        "--rate-limit",
        "0",
        "--log",
        "trace",
        "--otlp-endpoint",
        &at,
        "--trace-percent",
        "100",
        "--trusted-proxy",
        "127.0.0.1",
    ];
    let mut server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    server.cli(&["org", "create", "Secretive Ltd", "--domain", "secretive"]).await?;
    let issued = server.cli(&["scim", "token", "issue", "--org", "secretive"]).await?;
    let token = issued["token"].as_str().context("a token")?.to_owned();
    let scim = format!("{}/scim/v2", server.address().url());
    let args =
        ["simulate", "entra", "--url", &scim, "--token", &token, "--users", "20", "--cycles", "3"];
    ensure!(run(&args)?.status.success(), "the simulated tenant");
    // Names in every place where a request can have them, in a trace that the proxy began.
    let http = Http::new(server.address());
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "zebulon.quartz@wunderland.example", "displayName": "Zebulon Quartz",
        "title": "Keeper of Lanterns", "externalId": "x-4711-lantern",
    });
    let bearer = format!("Bearer {token}");
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let traced = |method: &str, target: &str| {
        Request::new(method, target)
            .header("authorization", bearer.clone())
            .header("traceparent", parent.clone())
            .header("user-agent", "Lanternfish/7")
    };
    for _ in 0..2 {
        http.send(traced("POST", "/scim/v2/Users").json("application/scim+json", &user)).await?;
    }
    for target in [
        "/scim/v2/Users?filter=userName%20eq%20%22zebulon.quartz@wunderland.example%22",
        "/scim/v2/Users/zebulon.quartz@wunderland.example",
        "/saml/zebulon/login?RelayState=zebulon",
        "/api/v1/organizations/secretive/users?name=zebulon",
        "/nowhere/zebulon",
    ] {
        http.send(traced("GET", target)).await?;
    }
    ensure!(server.terminate().await?.success(), "it did not end well");

    let received = collector.received();
    let spans = spans(&received)?;
    for span in &spans {
        let name = span["name"].as_str().context("a name")?;
        let kind = KINDS.iter().find(|(kind, _)| *kind == name);
        let (_, fields) = kind.with_context(|| format!("{name} is sent"))?;
        for key in span["attributes"].as_object().context("attributes")?.keys() {
            ensure!(fields.contains(&key.as_str()), "{name} says {key}");
        }
        ensure!(span["events"] == 0 && span["links"] == 0, "{span}");
        ensure!(span["resource"]["service.name"] == "rollcall", "{span}");
    }
    for (kind, _) in KINDS.iter().filter(|(kind, _)| *kind != "views.fold") {
        ensure!(spans.iter().any(|span| span["name"] == *kind), "no {kind} was sent");
    }
    // From the socket to the log, in the trace of the proxy.
    let of_proxy = |name: &str| -> Vec<&Value> {
        spans.iter().filter(|span| span["name"] == name && span["trace"] == TRACE).collect()
    };
    let requests = of_proxy("request");
    ensure!(requests.iter().all(|r| r["parent"] == "b7ad6b7169203331"), "{requests:?}");
    let mut statuses: Vec<String> =
        requests.iter().map(|r| r["attributes"]["status"].to_string()).collect();
    statuses.sort();
    ensure!(statuses.len() == 7 && statuses.contains(&"\"201\"".to_owned()), "{statuses:?}");
    let exchanges = of_proxy("exchange");
    let created = |e: &&&Value| e["attributes"]["operation"] == "users.create";
    ensure!(exchanges.iter().filter(created).count() == 2, "{exchanges:?}");
    // That the name is taken says the log.
    let appends = of_proxy("log.append");
    ensure!(appends.len() == 2, "{appends:?}");

    // None of it says who: in any encoding, strings are there as they are.
    let secret = token.rsplit('_').next().context("a token")?;
    let forbidden = [
        "zebulon",
        "Zebulon",
        "wunderland",
        "Quartz",
        "Lantern",
        "lantern",
        "contoso",
        "Secretive",
        "secretive",
        secret,
    ];
    for body in &received {
        let text = String::from_utf8_lossy(body);
        for word in forbidden {
            ensure!(!text.contains(word), "{word} was sent");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nobody_up_and_is_counted() -> Result<()> {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let at = format!("http://{nobody}/v1/traces");
    let flags = ["--rate-limit", "0", "--otlp-endpoint", &at, "--trace-percent", "100"];
    let mut server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    let http = Http::new(server.address());
    let failed = "rollcall_trace_exports_total{outcome=\"failed\"}";
    let mut counted = false;
    for _ in 0..400 {
        http.send(Request::new("GET", "/healthz")).await?.expect(200)?;
        let metrics = http.send(Request::new("GET", "/metrics")).await?.text();
        counted = metrics.lines().any(|line| line.starts_with(failed));
        if counted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ensure!(counted, "traces that were not taken are not counted");
    ensure!(server.terminate().await?.success(), "it did not end well");
    Ok(())
}
