//! Who may follow one organization's log as one of its consumers.

use super::holder::{Holder, not_for};
use super::organization::{Named, named, parameter};
use crate::exchange::Visit;
use crate::{App, Refusal};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use rollcall_domain::actor::Actor;
use rollcall_domain::consumer::ConsumerState;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::OrganizationId;
use rollcall_projections::consumers::ConsumerRow;
use std::sync::Arc;

/// The consumer in the path with a key of its own; or an admin of its organization or an operator,
/// who see what it gets.
pub struct Follower {
    /// The organization.
    pub organization: OrganizationId,
    /// The consumer in the path.
    pub consumer: ConsumerRow,
    /// Whether it is the consumer itself that asks.
    pub is_itself: bool,
    /// The exchange.
    pub visit: Visit,
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
        let found = app.consumers.find(organization.id, &name).await?;
        let own = match holder.actor {
            Actor::Consumer { consumer, .. } => Some(consumer),
            _ => None,
        };
        // Another consumer is not there for the holder of a key.
        let consumer = found.filter(|found| own.is_none_or(|own| own == found.id));
        let consumer =
            consumer.ok_or_else(|| Refusal::not_found(format!("there is no consumer {name:?}")))?;
        if own.is_some() && consumer.state == ConsumerState::Paused {
            let paused = "this consumer is paused: nothing is lost, ask again when it is resumed";
            return Err(Refusal::new(StatusCode::FORBIDDEN, paused));
        }
        let organization = organization.id;
        Ok(Self { organization, consumer, is_itself: own.is_some(), visit: holder.visit })
    }
}
