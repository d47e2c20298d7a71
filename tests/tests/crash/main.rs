//! Power cuts: the server is killed at random moments under load, and so is PostgreSQL. Nothing
//! that was answered may be missing, the log has no gap, and the views are what the log says.

mod database_killed;
mod server_killed;

use anyhow::{Result, ensure};
use rollcall_tests::ledger::{Ledger, load};
use rollcall_tests::rng::Rng;
use rollcall_tests::server::Server;
use rollcall_tests::world::World;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const CLIENTS: usize = 8;

/// One test at a time: each wants the machine for itself.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A group, and clients that write without pause.
struct Load {
    ledger: Arc<Ledger>,
    group: String,
    clients: JoinSet<()>,
}

impl Load {
    async fn begin(w: &World, rng: &mut Rng) -> Result<Self> {
        let group = w.scim.create_group("Under load").await?;
        let ledger = Arc::new(Ledger::default());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(load(ledger.clone(), w.scim.fresh(), group.clone(), rng.fork()));
        }
        Ok(Self { ledger, group, clients })
    }

    /// Waits until a write is answered: clients find a server that is back by themselves, and a
    /// random moment counts from when they have.
    async fn answers(&self, server: &mut Server) -> Result<()> {
        let begun = Instant::now();
        while self.ledger.is_empty() {
            server.still_running()?;
            self.ledger.no_refusal()?;
            ensure!(begun.elapsed() < Duration::from_secs(30), "no write is answered any more");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Waits until no client writes any more.
    async fn end(self) -> Result<(Arc<Ledger>, String)> {
        self.ledger.stop();
        let mut clients = self.clients;
        while let Some(ended) = clients.join_next().await {
            ended?;
        }
        Ok((self.ledger, self.group))
    }
}
