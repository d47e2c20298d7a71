//! A process that is frozen in the middle of a write, as by a debugger, a full host or a laptop's
//! lid: what it has locked is let go by the database, and others wait no longer than that.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::gapless;
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak;
use rollcall_tests::world::on_postgres;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What is promised is ten seconds; the rest is for a machine that has other things to do.
const LONGEST: Duration = Duration::from_secs(20);

fn signal(name: &str, server: &Server) -> Result<()> {
    let pid = server.pid().context("it runs")?.to_string();
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status()?;
    ensure!(sent.success(), "kill -{name}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_process_holds_its_organization_for_ten_seconds_at_most() {
    on_postgres(async |w, cluster| {
        let second = Server::start(Store::Postgres(cluster.url())).await?;
        let token = w.scim.token().context("token")?;
        let there = Scim::anonymous(second.address()).with_token(token);
        let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let (scim, stop, made) = (w.scim.fresh(), stop.clone(), made.clone());
            writers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let n = made.fetch_add(1, Ordering::Relaxed);
                    let name = format!("w{writer}n{n}@contoso.example");
                    // Whatever it comes to: the server is frozen now and then.
                    let _ = scim.create_user(&name).await;
                }
            });
        }
        for round in 0..soak::times(3) {
            let before = made.load(Ordering::Relaxed);
            while made.load(Ordering::Relaxed) < before + 20 + round {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            signal("STOP", &w.server)?;
            let frozen = Instant::now();
            let name = format!("beside{round}@contoso.example");
            loop {
                let body = rollcall_tests::scim::user(&name);
                let answer = there.fresh().post("/Users", &body).await?;
                let waited = frozen.elapsed();
                ensure!(waited < LONGEST, "round {round}: {waited:?}, {}", answer.text());
                // 409: the one before was done, and could not be said.
                if [201, 409].contains(&answer.status) {
                    break;
                }
                answer.expect(503)?;
            }
            signal("CONT", &w.server)?;
        }
        stop.store(true, Ordering::Relaxed);
        while writers.join_next().await.is_some() {}
        gapless(&w.admin.events_after(&w.acme.id, 0).await?, 0)?;
        second.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}
