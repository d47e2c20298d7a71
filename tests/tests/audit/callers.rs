//! Each route of `/api/v1`, for each kind of caller: it lets in whom its description names and
//! nobody else, and whatever comes of it is an exchange.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Answer, Request};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// For what must not be told apart from a slow machine; shorter than a body may take to arrive.
const LONG: Duration = Duration::from_secs(20);

/// These change nothing, though they are not asked by GET.
const READING: [&str; 5] =
    ["/replay/verify", "/replay/dry-run", "/bundle", "/views/verify", "/ledger/audit"];

/// Of these an auditor may ask one: it looks through the whole log, and changes nothing.
const AUDITING: &str = "/ledger/audit";

/// The one thing that an auditor writes: what came of a review, which changes nobody's access.
const DECIDING: &str = "/review/decisions";

/// What operators are followed at as well: everything about one person.
const FOLLOWED: &str = "GET /api/v1/organizations/acme/people/00000000";

/// A caller of some kind.
struct Caller {
    who: &'static str,
    key: Option<String>,
    /// As descriptions name it.
    scheme: &'static str,
    /// Whether the organization in the path is theirs.
    at_home: bool,
    /// Whether the key is known at all.
    known: bool,
}

/// A key of an organization, or of an operator.
async fn key(w: &World, command: &[&str]) -> Result<String> {
    let issued = w.server.cli(command).await?;
    issued["key"].as_str().map(str::to_owned).with_context(|| format!("no key in {issued}"))
}

async fn callers(w: &World) -> Result<Vec<Caller>> {
    w.another("Globex", "globex").await?;
    let token = w.scim.token().context("a token")?.to_owned();
    let mut callers = vec![
        Caller { who: "nobody", key: None, scheme: "", at_home: false, known: false },
        Caller {
            who: "a wrong key",
            key: Some("rollcall_audit_x".into()),
            scheme: "",
            at_home: false,
            known: false,
        },
        Caller { who: "a SCIM client", key: Some(token), scheme: "", at_home: false, known: false },
    ];
    for (org, at_home) in [("globex", false), ("acme", true)] {
        let auditor = key(w, &["auditor", "issue", "--org", org, "--label", "Year-end"]).await?;
        let admin = key(w, &["admin", "add", "--org", org, "--label", "Ada"]).await?;
        callers.push(Caller {
            who: "an auditor",
            key: Some(auditor),
            scheme: "auditor",
            at_home,
            known: true,
        });
        let command = ["consumer", "add", "--org", org, "--kind", "pull", "--name", "doors"];
        let added = w.server.cli(&command).await?;
        callers.push(Caller {
            who: "a consumer",
            key: added["token"].as_str().map(str::to_owned),
            scheme: "consumer",
            at_home,
            known: true,
        });
        callers.push(Caller {
            who: "an admin",
            key: Some(admin),
            scheme: "admin",
            at_home,
            known: true,
        });
    }
    let named = key(w, &["operator", "add", "--label", "Grace"]).await?;
    callers.push(Caller {
        who: "an operator",
        key: Some(named),
        scheme: "operator",
        at_home: true,
        known: true,
    });
    let operator = w.server.operator_key()?;
    callers.push(Caller {
        who: "the operator",
        key: Some(operator),
        scheme: "operator",
        at_home: true,
        known: true,
    });
    Ok(callers)
}

async fn ask(w: &World, method: &str, target: &str, key: Option<&str>) -> Result<Answer> {
    let mut request = Request::new(method, target);
    if let Some(key) = key {
        request = request.header("Authorization", format!("Bearer {key}"));
    }
    if method != "GET" && method != "DELETE" {
        request = request.header("Content-Type", "application/json").body("{}");
    }
    w.scim.http().fresh().send(request).await
}

/// A path of the description with something in place of its parameters.
fn filled(path: &str, organization: &str) -> String {
    let mut out = path.replace("{organization}", organization).replace("{position}", "1");
    while let (Some(open), Some(close)) = (out.find('{'), out.find('}')) {
        out.replace_range(open..=close, "00000000-0000-0000-0000-000000000001");
    }
    let query = if path.ends_with("/diff") { "?from=position:1" } else { "" };
    format!("{out}{query}")
}

/// What must come of it; none if anything but a refusal of the caller may.
fn expected(caller: &Caller, allowed: bool, of_organization: bool) -> Option<u16> {
    match (caller.known, allowed) {
        (false, _) => Some(401),
        (true, false) => Some(403),
        // Another organization is not there.
        (true, true) if of_organization && !caller.at_home => Some(404),
        (true, true) => None,
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_its_description_names_and_nobody_else() {
    on_sqlite(async |w| {
        let callers = callers(w).await?;
        let document = w.admin.get_anonymous("/api/v1/openapi.json").await?.expect_json(200)?;
        let mut asked = 0;
        for (path, operations) in document["paths"].as_object().context("paths")? {
            for (method, operation) in operations.as_object().context("operations")? {
                let Some(schemes) = operation["security"].as_array() else { continue };
                let (method, target) = (method.to_uppercase(), filled(path, "acme"));
                let names = |scheme: &str| schemes.iter().any(|s| s.get(scheme).is_some());
                ensure!(names("operator"), "{method} {path} is closed to operators");
                ensure!(
                    method == "GET"
                        || !names("auditor")
                        || [AUDITING, DECIDING].iter().any(|end| path.ends_with(end)),
                    "{method} {path} would let an auditor write"
                );
                for caller in &callers {
                    let answer = ask(w, &method, &target, caller.key.as_deref()).await?;
                    let told = format!(
                        "{method} {target} answers {} to {} (at home: {})",
                        answer.status, caller.who, caller.at_home
                    );
                    match expected(caller, names(caller.scheme), path.contains("{organization}")) {
                        Some(status) => ensure!(answer.status == status, "{told}, not {status}"),
                        None => ensure!(
                            !matches!(answer.status, 401 | 403) && answer.status < 500,
                            "{told}"
                        ),
                    }
                    let reads = method == "GET" || READING.iter().any(|end| path.ends_with(end));
                    is_evidence(w, reads, caller, &answer, &told).await?;
                    asked += 1;
                }
            }
        }
        ensure!(asked > 500, "{asked} requests");
        Ok(())
    })
    .await;
}

/// Whatever was answered is in the log as it was answered, but for what operators only read.
async fn is_evidence(
    w: &World,
    reads: bool,
    caller: &Caller,
    answer: &Answer,
    told: &str,
) -> Result<()> {
    let id = answer.header("exchange-id");
    if caller.scheme == "operator" && reads && !told.contains(FOLLOWED) {
        ensure!(id.is_none(), "{told}, and kept it");
        return Ok(());
    }
    if let (Some(read), true, None) = (answer.header("read-id"), reads, id) {
        // What is asked again in a session of reading is counted with what was asked first.
        ensure!(!read.is_empty());
        return Ok(());
    }
    let id = id.with_context(|| format!("{told}, and kept nothing"))?;
    for organization in ["acme", "globex", "none"] {
        let found =
            w.admin.get(&format!("/api/v1/organizations/{organization}/exchanges/{id}")).await?;
        if found.status == 200 {
            let kept: Value = found.expect_json(200)?;
            let status = &kept["exchange"]["answer"]["status"];
            ensure!(status == answer.status, "{told}, and says {status} in the log: {kept}");
            return Ok(());
        }
    }
    anyhow::bail!("{told}, as exchange {id}, which is nowhere")
}

/// A key is in no exchange, wherever somebody puts it; nor is the password of an address.
#[tokio::test]
async fn no_key_is_kept_wherever_somebody_puts_it() {
    on_sqlite(async |w| {
        let admin = key(w, &["admin", "add", "--org", "acme", "--label", "Ada"]).await?;
        let auditors = "/api/v1/organizations/acme/auditors";
        let odd = [
            (format!("{auditors}?key={admin}"), json!({ "label": "x", "key": admin })),
            (format!("{auditors}/{admin}"), json!({ "label": admin })),
            (format!("/api/v1/organizations/{admin}/auditors"), json!({ "private_key": "s3cr3t" })),
            (
                "/api/v1/organizations/acme/saml".into(),
                json!({ "metadata_url": "https://me:s3cr3t@x.example/m" }),
            ),
        ];
        for (target, body) in odd {
            for method in ["POST", "PUT", "DELETE"] {
                let request = Request::new(method, &target)
                    .header("Authorization", format!("Bearer {admin}"))
                    .header("X-Elsewhere", &admin)
                    .header("Content-Type", "application/json")
                    .body(body.to_string());
                w.scim.http().fresh().send(request).await?;
            }
        }
        for organization in ["acme", "none"] {
            for kept in w.admin.all_exchanges(organization).await? {
                let id = kept["id"].as_str().context("id")?;
                let target = format!("/api/v1/organizations/{organization}/exchanges/{id}");
                let shown = w.admin.get(&target).await?.expect_json(200)?.to_string();
                ensure!(!shown.contains(&admin) && !shown.contains("s3cr3t"), "{shown}");
            }
        }
        Ok(())
    })
    .await;
}

/// Whoever is not let in is told so before anything of a body has come.
#[tokio::test]
async fn a_stranger_is_refused_before_the_body_has_come() {
    on_sqlite(async |w| {
        let mut socket = tokio::net::TcpStream::connect(w.server.address().authority()).await?;
        let head = "POST /api/v1/operators HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n{";
        socket.write_all(head.as_bytes()).await?;
        let mut answer = [0; 12];
        tokio::time::timeout(LONG, socket.read_exact(&mut answer)).await??;
        ensure!(&answer == b"HTTP/1.1 401", "{:?}", String::from_utf8_lossy(&answer));
        Ok(())
    })
    .await;
}
