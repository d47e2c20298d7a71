//! Posts events to those consumers that want to be told: one task for each that is active, so that
//! a receiver that hangs keeps nobody else waiting.

use super::job::{Incomplete, Job};
use rollcall_domain::consumer::ConsumerState;
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_door::App;
use rollcall_feed::webhook::Postman;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// How often the ends of all logs are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often the list of consumers is.
const LIST: Duration = Duration::from_secs(1);
/// How long deliveries that broke off rest.
const REST: Duration = Duration::from_secs(2);

/// The tasks that deliver. They end with it.
pub struct Deliveries {
    postman: Postman,
    heads: HashMap<OrganizationId, watch::Sender<Position>>,
    running: HashMap<(OrganizationId, ConsumerId), AbortHandle>,
    tasks: JoinSet<()>,
    listed: Option<Instant>,
}

impl Deliveries {
    /// By this postman.
    pub fn new(postman: Postman) -> Self {
        let (heads, running) = (HashMap::new(), HashMap::new());
        Self { postman, heads, running, tasks: JoinSet::new(), listed: None }
    }
}

impl Job for Deliveries {
    const NAME: &'static str = "deliveries";

    fn pause(&self) -> Duration {
        LOOK
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        while self.tasks.try_join_next().is_some() {}
        self.running.retain(|_, task| !task.is_finished());
        if self.listed.is_none_or(|at| at.elapsed() >= LIST) {
            self.listed = Some(Instant::now());
            for row in app.consumers.everybody().await.map_err(Incomplete::all)? {
                let key = (row.organization, row.id);
                let is_wanted = row.way.url().is_some()
                    && row.state == ConsumerState::Active
                    && !self.running.contains_key(&key);
                if !is_wanted {
                    continue;
                }
                let heads = self.heads.entry(row.organization).or_default().subscribe();
                let postman = self.postman.clone();
                let task = self.tasks.spawn(async move {
                    if let Err(error) = postman.serve(row, heads).await {
                        tracing::warn!(consumer = %key.1, %error, "deliveries broke off; they begin again");
                        tokio::time::sleep(REST).await;
                    }
                });
                self.running.insert(key, task);
            }
        }
        if self.running.is_empty() {
            return Ok(());
        }
        for (organization, head) in app.engine.log.heads().await.map_err(Incomplete::all)? {
            if let Some(known) = self.heads.get(&organization) {
                known.send_if_modified(|at| std::mem::replace(at, head.position) != head.position);
            }
        }
        Ok(())
    }
}
