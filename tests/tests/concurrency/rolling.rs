//! Two processes on one database behind HAProxy, restarted one after the other under load: no
//! request is cut. Who is told to stop says so, serves on until the proxy has noticed, and ends.

use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use rollcall_tests::admin::gapless;
use rollcall_tests::http::{Address, Http, Request};
use rollcall_tests::operating;
use rollcall_tests::scim::{Scim, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak;
use rollcall_tests::world::{World, start_cluster};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Clients at once.
const CLIENTS: usize = 6;
/// So long a server serves on: several times what the proxy takes to notice.
const DRAIN: &str = "2";

/// A running HAProxy; ends with this value.
struct Proxy {
    child: Child,
    address: Address,
    _folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn proxy(servers: &[(&str, u16)]) -> Result<Proxy> {
    let program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"];
    let program = program.into_iter().find(|path| Path::new(path).exists());
    let program = program.context("HAProxy is not installed (`make deps` installs it)")?;
    let (folder, port) = (tempfile::tempdir()?, free_port()?);
    let servers = servers.iter().map(|(name, port)| {
        format!("  server {name} 127.0.0.1:{port} check inter 100ms fall 1 rise 1\n")
    });
    let configuration = folder.path().join("haproxy.cfg");
    fs::write(
        &configuration,
        format!(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
             frontend in\n  bind 127.0.0.1:{port}\n  stats enable\n  stats uri /proxy\n  default_backend out\n\
             backend out\n  balance roundrobin\n  option httpchk GET /readyz\n  retries 0\n{}",
            servers.collect::<String>()
        ),
    )?;
    let mut command = Command::new(program);
    command.args(["-db", "-f"]).arg(&configuration);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let address = Address::default();
    address.set(&format!("127.0.0.1:{port}"));
    Ok(Proxy { child, address, _folder: folder })
}

impl Proxy {
    /// Waits until it sends requests to so many servers.
    async fn has(&self, wanted: usize) -> Result<()> {
        let http = Http::new(self.address.clone());
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let told = http.send(Request::new("GET", "/proxy;csv")).await;
            let told = told.map(|answer| answer.text().to_owned()).unwrap_or_default();
            let lines = told.lines().filter(|l| l.starts_with("out,a,") || l.starts_with("out,b,"));
            if lines.filter(|line| line.split(',').any(|field| field == "UP")).count() == wanted {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{wanted} servers are not up: {told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Asks one thing after another until it is told to stop; gives how often it was answered.
async fn client(scim: Scim, name: usize, stop: Arc<AtomicBool>) -> Result<usize> {
    let mut answered = 0;
    while !stop.load(Ordering::SeqCst) {
        let id = scim.post("/Users", &user(&format!("{name}-{answered}@contoso.example"))).await;
        let id = id.with_context(|| format!("cut after {answered} answers"))?.expect_json(201)?;
        let id = id["id"].as_str().context("an id")?;
        scim.get(&format!("/Users/{id}")).await?.expect(200)?;
        answered += 1;
    }
    Ok(answered)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_cuts_no_request() -> Result<()> {
    let cluster = start_cluster().await;
    let ports = [free_port()?, free_port()?];
    let start = async |port: u16| {
        let listen = format!("127.0.0.1:{port}");
        let flags = ["--rate-limit", "0", "--drain-seconds", DRAIN, "--listen", &listen];
        let store = Store::Postgres(cluster.url());
        Server::start_with(store, &std::env::temp_dir(), &flags).await
    };
    let w = World::around(start(ports[0]).await?).await?;
    let mut servers = [w.server, start(ports[1]).await?];
    let proxy = proxy(&[("a", ports[0]), ("b", ports[1])])?;
    proxy.has(2).await?;
    let token = w.scim.token().context("a token")?;
    let scim = Scim::anonymous(proxy.address.clone()).with_token(token);
    let stop = Arc::new(AtomicBool::new(false));
    let clients = (0..CLIENTS).map(|name| tokio::spawn(client(scim.fresh(), name, stop.clone())));
    let clients: Vec<_> = clients.collect();
    let restarted = async {
        for _ in 0..soak::times(1) {
            for server in &mut servers {
                let ended = server.terminate().await?;
                ensure!(ended.success(), "{ended}");
                server.restart().await?;
                proxy.has(2).await?;
            }
        }
        Ok(())
    };
    let restarted: Result<()> = restarted.await;
    stop.store(true, Ordering::SeqCst);
    let mut answered = 0;
    for done in join_all(clients).await {
        answered += done??;
    }
    restarted?;
    ensure!(answered > CLIENTS, "hardly anything was asked: {answered}");
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    gapless(&events, 0)?;
    let created = events.iter().filter(|event| event["type"] == "UserCreated").count();
    ensure!(created == answered, "{created} users of {answered} that were created");
    Ok(())
}

/// Who is told to stop is not ready, says with each answer that it is the last, and still serves;
/// a second signal does not wait.
#[tokio::test]
async fn who_leaves_says_so_and_serves_on() -> Result<()> {
    let flags = ["--rate-limit", "0", "--drain-seconds", "600"];
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    let mut w = World::around(server).await?;
    let pid = w.server.pid().context("it runs")?.to_string();
    let close = |answer: &rollcall_tests::http::Answer| {
        answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    };
    ensure!(!close(&w.scim.fresh().get("/Users").await?.expect(200)?));
    ensure!(Command::new("kill").args(["-TERM", &pid]).status()?.success());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let ready = w.admin.get_anonymous("/readyz").await?;
        if ready.status == 503 {
            let told = ready.expect_json(503)?;
            ensure!(told["leaving"] == true && told["ready"] == false, "{told}");
            break;
        }
        ensure!(Instant::now() < deadline, "it is ready still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    operating::row("leaving")?;
    let made = w.scim.fresh().post("/Users", &user("ada@contoso.example")).await?.expect(201)?;
    ensure!(close(&made), "it does not say that it leaves: {made:?}");
    let health = w.admin.get_anonymous("/healthz").await?.expect(200)?;
    ensure!(close(&health), "{health:?}");
    let ended = w.server.terminate().await?;
    ensure!(ended.success(), "{ended}");
    Ok(())
}
