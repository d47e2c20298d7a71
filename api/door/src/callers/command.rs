//! A command that somebody gives by `/api/v1`: its exchange goes into the same append.

use crate::exchange::Visit;
use crate::{App, Refusal};
use axum::http::StatusCode;
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::credential::CredentialError;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::StreamId;
use rollcall_domain::organization::OrganizationError;
use rollcall_engine::{
    Done, ExecuteError, Hosted, Judgement, Led, Order, Precondition, Sealed, Visible,
};

/// The deployment's stream is that of no organization.
pub fn deployment() -> OrganizationId {
    OrganizationId::NONE
}

/// Runs a command on an organization, or on the deployment.
pub async fn carry_out<A: Hosted>(
    app: &App,
    visit: &Visit,
    actor: &Actor,
    organization: OrganizationId,
    fresh: bool,
    command: A::Command,
    status: StatusCode,
) -> Result<Visible<Done>, ExecuteError<A::Error>> {
    let stream = StreamId { organization, kind: A::KIND, id: organization.0 };
    carry_out_on::<A>(app, visit, actor, stream, fresh, command, status).await
}

/// Runs a command on one stream.
pub async fn carry_out_on<A: Hosted>(
    app: &App,
    visit: &Visit,
    actor: &Actor,
    stream: StreamId,
    fresh: bool,
    command: A::Command,
    status: StatusCode,
) -> Result<Visible<Done>, ExecuteError<A::Error>> {
    let exchange = visit.sealed(stream.organization, status.as_u16());
    let context = Context::new(app.engine.clock.now(), actor.clone(), Some(exchange.id));
    let seal = Box::new(move |_: Led<'_, A>| Sealed { exchange: Some(exchange.clone()), made: () });
    let order = Order {
        stream,
        fresh,
        command,
        context,
        precondition: Precondition::None,
        require: Vec::new(),
        seal,
    };
    let done = app.engine.execute(order).await?;
    visit.is_in_the_log(&done);
    Ok(done)
}

impl From<ExecuteError<OrganizationError>> for Refusal {
    fn from(error: ExecuteError<OrganizationError>) -> Self {
        match error.into_judgement() {
            Ok(Judgement::Refused(refusal)) => refused(refusal),
            Ok(Judgement::Taken { holder, .. }) => {
                Self::conflict(format!("another organization ({}) has this domain", holder.id))
            }
            Ok(judgement) => Self::unavailable(&judgement),
            Err(trouble) => Self::unavailable(&trouble),
        }
    }
}

impl From<ExecuteError<CredentialError>> for Refusal {
    fn from(error: ExecuteError<CredentialError>) -> Self {
        match error.into_judgement() {
            Ok(Judgement::Refused(refusal)) => of_credential(refusal),
            Ok(judgement) => Self::unavailable(&judgement),
            Err(trouble) => Self::unavailable(&trouble),
        }
    }
}

fn refused(refusal: OrganizationError) -> Refusal {
    match refusal {
        OrganizationError::Credential(refusal) => of_credential(refusal),
        OrganizationError::NotFound
        | OrganizationError::UnknownKey
        | OrganizationError::NoRecipient(_)
        | OrganizationError::NotImported(_) => Refusal::not_found(refusal.to_string()),
        OrganizationError::AlreadyExists
        | OrganizationError::Erased
        | OrganizationError::SamlNotConfigured
        | OrganizationError::OtherIdentityProvider
        | OrganizationError::KeyExists
        | OrganizationError::TooManyKeys
        | OrganizationError::TooManyRecipients
        | OrganizationError::CurrentKey => Refusal::conflict(refusal.to_string()),
        OrganizationError::InvalidAddress
        | OrganizationError::InvalidName
        | OrganizationError::InvalidDomain
        | OrganizationError::NoCertificate
        | OrganizationError::InvalidSessionMinutes
        | OrganizationError::InvalidIdentifiers
        | OrganizationError::InvalidAuthnContext
        | OrganizationError::InvalidEntityId
        | OrganizationError::InvalidTarget => Refusal::bad_request(refusal.to_string()),
    }
}

/// What is told to whom a command about credentials was refused.
pub fn of_credential(refusal: CredentialError) -> Refusal {
    match refusal {
        CredentialError::Unknown(_) => Refusal::not_found(refusal.to_string()),
        CredentialError::TooManyTokens
        | CredentialError::TooManySecrets
        | CredentialError::TooManyAudiences
        | CredentialError::TooMany(_)
        | CredentialError::OnlySecret
        | CredentialError::OtherProof
        | CredentialError::Revoked
        | CredentialError::Exists => Refusal::conflict(refusal.to_string()),
        CredentialError::InvalidLabel(_)
        | CredentialError::ExpiryPassed(_)
        | CredentialError::SecretLife
        | CredentialError::InvalidProof(_) => Refusal::bad_request(refusal.to_string()),
    }
}
