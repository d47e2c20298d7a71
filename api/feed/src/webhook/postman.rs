//! Who delivers, and what is needed for that.

use super::post::Post;
use crate::chain::Chain;
use crate::crowd::Crowd;
use crate::reading::ReadError;
use crate::security::TokenError;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::request_line::RouteError;
use rollcall_domain::actor::Actor;
use rollcall_domain::consumer::{Consumer, ConsumerCommand, ConsumerError, ConsumerState, Stopped};
use rollcall_domain::context::Context;
use rollcall_domain::log::{AggregateKind, LogError, Position, StreamId};
use rollcall_domain::sql::SqlError;
use rollcall_door::App;
use rollcall_door::sealing::SealError;
use rollcall_engine::{ExecuteError, Order};
use rollcall_projections::consumer_places::Holder;
use rollcall_projections::consumers::ConsumerRow;
use std::sync::Arc;
use std::time::Duration;

/// How long a lease holds if it is not renewed; longer than an answer may take.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(25);
/// How long to wait at most before the lease is renewed and the consumer is looked at again.
pub(super) const SLICE: Duration = Duration::from_secs(5);
/// Events read at once.
pub(super) const BATCH: usize = 50;

/// What a delivery needs.
#[derive(Clone)]
pub struct Postman {
    /// The application.
    pub app: Arc<App>,
    /// Finds the link to the event before.
    pub chain: Arc<Chain>,
    /// The way out.
    pub post: Arc<dyn Post>,
}

/// Why deliveries to a consumer broke off. They begin again.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// What is kept of consumers, or a view, cannot be read or written.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An event cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The secret cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The consumer could not be stopped.
    #[error(transparent)]
    Stop(#[from] ExecuteError<ConsumerError>),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The body cannot be written.
    #[error("an event cannot be written: {:?}", .0.classify())]
    Body(#[from] serde_json::Error),
    /// The organization has no address.
    #[error(transparent)]
    Address(#[from] RouteError),
    /// The link to the event before cannot be found.
    #[error("{0}")]
    Chain(String),
}

impl Postman {
    /// Whom a consumer follows; none if everybody.
    pub(super) async fn crowd(
        &self,
        row: &ConsumerRow,
        head: Position,
    ) -> Result<Option<Arc<Crowd>>, DeliveryError> {
        let crowd = self.chain.crowds.of(&self.app, row, head).await;
        crowd.map_err(|refused| DeliveryError::Chain(refused.0.detail))
    }

    /// Whether the consumer is active and the lease is still this one, which is renewed.
    pub(super) async fn holds(&self, row: &ConsumerRow, lease: u64) -> Result<bool, DeliveryError> {
        let by = Holder::Of(lease);
        let mine = self.app.places.lease(row.organization, row.id, self.now(), LEASE, by).await?;
        Ok(mine.is_some() && self.active(row).await?.is_some())
    }

    /// The consumer as it is now; none if it gets nothing.
    pub(super) async fn active(&self, row: &ConsumerRow) -> Result<Option<ConsumerRow>, SqlError> {
        let found = self.app.consumers.find(row.organization, &row.id.to_string()).await?;
        Ok(found.filter(|row| row.state == ConsumerState::Active))
    }

    pub(super) async fn stop(
        &self,
        row: &ConsumerRow,
        reason: Stopped,
    ) -> Result<(), DeliveryError> {
        let order = Order::<Consumer>::unasked(
            StreamId {
                organization: row.organization,
                kind: AggregateKind::Consumer,
                id: row.id.0,
            },
            ConsumerCommand::Stop(reason),
            Context::new(self.now(), Actor::System, None),
        );
        self.app.engine.execute(order).await?;
        let reason = reason.as_str();
        tracing::error!(organization = %row.organization, consumer = %row.id, reason, "deliveries to a consumer stopped: rollcall consumer resume");
        Ok(())
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.app.engine.clock.now()
    }
}
