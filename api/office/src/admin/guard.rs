//! The extractor is the guard: a handler that can name [`Admin`] has one.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{Organization, OrganizationCommand, OrganizationError};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_engine::secrets;
use rollcall_engine::{Done, ExecuteError, Judgement, Order, Visible};
use rollcall_projections::organizations::OrganizationRow;
use std::sync::Arc;

/// The holder of the operator key.
pub struct Admin(());

impl<S: Send + Sync> FromRequestParts<S> for Admin
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let app = Arc::<App>::from_ref(state);
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let key =
            value.and_then(|v| v.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
        match key {
            Some(key) if secrets::same(&secrets::sha256_hex(key), &app.operator_sha256) => Ok(Admin(())),
            _ => Err(Refusal::new(StatusCode::UNAUTHORIZED, "send the operator key as a bearer token; it lies in DIR/operator.key")),
        }
    }
}

/// The organization with this domain or id, or 404.
pub async fn organization_named(app: &App, named: &str) -> Result<OrganizationRow, Refusal> {
    let found = match named.parse::<OrganizationId>() {
        Ok(id) => app.organizations.by_id(id).await,
        Err(_) => app.organizations.by_domain(named).await,
    };
    found?.ok_or_else(|| Refusal::not_found(format!("there is no organization {named:?}")))
}

/// Runs a command on an organization for the operator.
pub(super) async fn command(
    app: &App,
    _: &Admin,
    id: OrganizationId,
    fresh: bool,
    command: OrganizationCommand,
) -> Result<Visible<Done>, Refusal> {
    let stream = StreamId { organization: id, kind: AggregateKind::Organization, id: id.0 };
    let order =
        Order::<Organization> { fresh, ..Order::unasked(stream, command, Context::new(app.engine.clock.now(), Actor::Operator, None)) };
    app.engine.execute(order).await.map_err(problem)
}

fn problem(error: ExecuteError<OrganizationError>) -> Refusal {
    match error.into_judgement() {
        Ok(Judgement::Refused(refusal)) => match refusal {
            OrganizationError::NotFound
            | OrganizationError::UnknownAuditor
            | OrganizationError::UnknownToken
            | OrganizationError::UnknownKey => Refusal::not_found(refusal.to_string()),
            OrganizationError::AlreadyExists
            | OrganizationError::TooManyTokens
            | OrganizationError::TooManyAuditors
            | OrganizationError::SamlNotConfigured
            | OrganizationError::OtherIdentityProvider
            | OrganizationError::KeyExists
            | OrganizationError::TooManyKeys
            | OrganizationError::CurrentKey => Refusal::conflict(refusal.to_string()),
            OrganizationError::InvalidName
            | OrganizationError::InvalidDomain
            | OrganizationError::InvalidLabel
            | OrganizationError::InvalidAuditor
            | OrganizationError::NoCertificate
            | OrganizationError::InvalidSessionMinutes
            | OrganizationError::InvalidTarget
            | OrganizationError::ExpiryPassed => Refusal::bad_request(refusal.to_string()),
        },
        Ok(Judgement::Taken { holder, .. }) => Refusal::conflict(format!("another organization ({}) has this domain", holder.id)),
        Ok(judgement) => Refusal::unavailable(&judgement),
        Err(trouble) => Refusal::unavailable(&trouble),
    }
}
