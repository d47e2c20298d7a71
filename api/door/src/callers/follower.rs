//! Who may follow one organization's log as one of its consumers.

use super::holder::{Holder, not_for, still_holds};
use super::organization::{Named, named, parameter};
use crate::exchange::Visit;
use crate::{App, Refusal};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use rollcall_domain::actor::Actor;
use rollcall_domain::consumer::{ConsumerState, is_name};
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_projections::consumers::ConsumerRow;
use std::sync::Arc;

/// A consumer with a key of its own; or an admin of its organization or an operator, who see what
/// it gets.
pub struct Follower {
    /// The organization.
    pub organization: OrganizationId,
    /// The exchange.
    pub visit: Visit,
    /// What the path calls the consumer: its name or its id.
    name: String,
    /// Whose key it is, if it is a consumer's.
    own: Option<ConsumerId>,
    shown: Parts,
}

impl<S: Send + Sync> FromRequestParts<S> for Follower
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let app = Arc::<App>::from_ref(state);
        let holder = Holder::of(parts, &app).await?;
        let may =
            matches!(holder.purpose, Purpose::Feed | Purpose::Administration | Purpose::Operation);
        if !may {
            return Err(not_for(&holder, "a consumer's, an admin's or an operator's key"));
        }
        let name = parameter(parts, "consumer").await?;
        let Named::One(organization) = named(parts, &app, &holder).await? else {
            return Err(Refusal::not_found("nobody follows requests that named no organization"));
        };
        let own = match holder.actor {
            Actor::Consumer { consumer, .. } => Some(consumer),
            _ => None,
        };
        let (organization, visit, shown) = (organization.id, holder.visit, parts.clone());
        Ok(Self { organization, visit, name, own, shown })
    }
}

impl Follower {
    /// Whether it is the consumer itself that asks.
    pub fn is_itself(&self) -> bool {
        self.own.is_some()
    }

    /// Whether the key is still good, and the consumer may be told.
    ///
    /// # Errors
    /// 401 if the key is not, as of the consumer otherwise.
    pub async fn still_follows(&self, app: &App) -> Result<(), Refusal> {
        still_holds(&self.shown, app).await?;
        self.consumer(app).await.map(drop)
    }

    /// The consumer in the path. Another one is not there for the holder of a key.
    ///
    /// # Errors
    /// 404 if there is none, 403 for itself while it is paused.
    pub async fn consumer(&self, app: &App) -> Result<ConsumerRow, Refusal> {
        let found = consumer(app, self.organization, &self.name).await;
        let found = found.and_then(|found| match self.own.is_none_or(|own| own == found.id) {
            true => Ok(found),
            false => Err(no_consumer(&self.name)),
        })?;
        if self.is_itself() && found.state == ConsumerState::Paused {
            let paused = "this consumer is paused: nothing is lost, ask again when it is resumed";
            return Err(Refusal::new(StatusCode::FORBIDDEN, paused));
        }
        Ok(found)
    }
}

/// The consumer of an organization with this name or id.
///
/// # Errors
/// 400 if nothing can be called so, 404 if there is none.
pub async fn consumer(
    app: &App,
    organization: OrganizationId,
    name: &str,
) -> Result<ConsumerRow, Refusal> {
    if !is_name(name) {
        let odd = format!("{name:?} is neither the name nor the id of a consumer");
        return Err(Refusal::parameter("consumer", odd));
    }
    app.consumers.find(organization, name).await?.ok_or_else(|| no_consumer(name))
}

fn no_consumer(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no consumer {name:?}"))
}
