//! What the routes of the feed share.

use crate::chain::Chain;
use crate::webhook::{Post, Postman};
use chrono::{DateTime, Duration, Utc};
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_door::App;
use rollcall_projections::consumers::ConsumerRow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// How often it is kept that a consumer asks for what it asked before.
const HEARD_AGAIN: Duration = Duration::seconds(60);

/// After which position each consumer last asked, and when that was kept.
type Asked = HashMap<(OrganizationId, ConsumerId), (Position, DateTime<Utc>)>;

/// The feed of one process.
pub struct Feed {
    pub(crate) chain: Arc<Chain>,
    post: Arc<dyn Post>,
    /// What each consumer last asked, as far as it is kept.
    asked: Mutex<Asked>,
    stopping: watch::Sender<bool>,
}

impl Feed {
    /// A feed that posts by this way out.
    pub fn new(post: Arc<dyn Post>) -> Self {
        Self {
            chain: Arc::default(),
            post,
            asked: Mutex::default(),
            stopping: watch::Sender::new(false),
        }
    }

    /// The way out to receivers of webhooks.
    pub fn post(&self) -> &dyn Post {
        &*self.post
    }

    /// Who delivers for this process.
    pub fn postman(&self, app: &Arc<App>) -> Postman {
        Postman { app: app.clone(), chain: self.chain.clone(), post: self.post.clone() }
    }

    /// Lets nobody wait any longer: those who do are answered with what there is.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Keeps after which position a consumer asked, which says how far it has come. The answer does
    /// not hang on it.
    pub(crate) async fn heard(&self, app: &App, consumer: &ConsumerRow, after: Position) {
        let (key, now) = ((consumer.organization, consumer.id), app.engine.clock.now());
        let is_news = {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.get(&key).is_none_or(|(known, at)| *known != after || now - *at >= HEARD_AGAIN)
        };
        if !is_news {
            return;
        }
        match app.places.asked(consumer.organization, consumer.id, after, now).await {
            Ok(()) => {
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.insert(key, (after, now));
            }
            Err(error) => {
                tracing::warn!(%error, "how far a consumer has come could not be kept");
            }
        }
    }
}
