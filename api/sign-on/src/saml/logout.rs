//! Single logout, both ways, on the redirect binding.

use super::admit::append;
use super::call::{Call, unavailable};
use super::login::parameter;
use super::origin::is_elsewhere;
use super::page::Page;
use super::reply::Reply;
use crate::cookies::{Asking, Pending, end_session};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{
    LogoutRequested, Organization, OrganizationCommand, SamlCommand,
};
use rollcall_domain::saml::{Reason, Refusal};
use rollcall_domain::user::{SessionEnd, User, UserCommand, UserError};
use rollcall_door::session;
use rollcall_engine::secrets::sha256_hex;
use rollcall_engine::{ExecuteError, Judgement, Order, Visible};
use rollcall_projections::sessions::SessionRow;
use rollcall_saml::{LogoutStatus, MessageError};

/// GET `/saml/{organization}/logout`: a request of the identity provider, its answer to ours, or a
/// person who wants to sign out.
pub async fn logout(call: &Call) -> Reply {
    if parameter(&call.visit.query, "SAMLRequest").is_some() {
        return asked_by_identity_provider(call).await;
    }
    if parameter(&call.visit.query, "SAMLResponse").is_some() {
        return answered(call);
    }
    asked_by_person(call).await
}

async fn asked_by_person(call: &Call) -> Reply {
    let asked = parameter(&call.visit.query, "RelayState")
        .filter(|t| call.connection.settings.policy.allows_target(t));
    let found = match session::token(&call.visit.headers) {
        Some(token) => call.app.sessions.by_token(&sha256_hex(token)).await,
        None => Ok(None),
    };
    let session = match found {
        Ok(session) => session.filter(|s| s.organization == call.organization.id),
        Err(error) => return unavailable(&call.visit).told(error.to_string()),
    };
    let Some(session) = session else {
        return done(call, asked.as_deref()).cookie(end_session()).beside_the_log();
    };
    if is_elsewhere(&call.visit.headers, &call.app.public_url)
        && session.is_live(call.app.engine.clock.now())
    {
        return asks(call);
    }
    let reply = onward(call, &session, asked).cookie(end_session());
    let command = UserCommand::EndSession { session: session.id, end: SessionEnd::SignedOut };
    let actor = Actor::User { user: session.subject };
    let told = reply.clone();
    match append::<User>(call, session.subject.0, false, command, actor, move |_| told.clone())
        .await
    {
        Ok(reply) => reply,
        // The user is gone, and the session with them.
        Err(ExecuteError::Judged(Visible {
            what: Judgement::Refused(UserError::NotFound),
            ..
        })) => reply,
        Err(error) => unavailable(&call.visit).told(error.to_string()),
    }
}

/// Another site would have them sign out. Their session is theirs to end: the button posts to the
/// same address.
fn asks(call: &Call) -> Reply {
    let text =
        format!("Another site asks to sign you out of {}. Do you want to?", call.organization.name);
    let page = Page { title: "Sign out?", text: &text, code: None, asks: Some("Sign out") };
    Reply::page(200, &page, &call.visit).beside_the_log()
}

/// Where a person goes whose session ended here: to the identity provider, if it takes part.
fn onward(call: &Call, session: &SessionRow, target: Option<String>) -> Reply {
    let now = call.app.engine.clock.now();
    let id = call.app.engine.ids.saml_message();
    let Some(name_id) = session.name_id.as_ref() else { return done(call, target.as_deref()) };
    match call.provider.logout_request(&id, now, name_id, session.session_index.as_deref(), None) {
        Ok(location) => {
            let pending = Pending::new(call.organization.id, Asking::Logout, id, now, target);
            Reply::redirect(location)
                .cookie(pending.to_cookie(&call.app.deployment_key))
                .told(format!("session {} ended", session.id))
        }
        Err(MessageError::NoLogoutUrl | MessageError::NoKey) => {
            done(call, target.as_deref()).told("ended here only")
        }
        Err(error) => done(call, target.as_deref()).told(format!("ended here only: {error}")),
    }
}

fn done(call: &Call, target: Option<&str>) -> Reply {
    match target {
        Some(target) => Reply::redirect(target.to_owned()),
        None => {
            let text = "Your session in this application has ended.";
            Reply::page(
                200,
                &Page { title: "Signed out", text, code: None, asks: None },
                &call.visit,
            )
        }
    }
}

/// Works without cookies: it may come in a frame of another site.
async fn asked_by_identity_provider(call: &Call) -> Reply {
    let (now, ids) = (call.app.engine.clock.now(), &call.app.engine.ids);
    let request = match call.provider.read_logout_request(&call.visit.query, now) {
        Ok(request) => request,
        Err(refusal) => return refused(call, &refusal),
    };
    let message = parameter(&call.visit.query, "SAMLRequest").unwrap_or_default();
    let used = LogoutRequested {
        issuer: call
            .connection
            .settings
            .idp
            .as_ref()
            .map(|idp| idp.entity_id.clone())
            .unwrap_or_default(),
        request: request.id.clone(),
        message_sha256: sha256_hex(&message),
    };
    match call.app.engine.holder(call.organization.id, &used.claim()).await {
        Ok(None) => {}
        Ok(Some(_)) => return refused(call, &used_before()),
        Err(error) => return unavailable(&call.visit).told(error.to_string()),
    }
    let meant = match call
        .app
        .sessions
        .meant(call.organization.id, &request.name_id, &request.session_indexes)
        .await
    {
        Ok(meant) => meant,
        Err(error) => return unavailable(&call.visit).told(error.to_string()),
    };
    let told = format!("{} sessions ended for {}", meant.len(), request.id);
    let answer = call.provider.logout_response(
        &ids.saml_message(),
        now,
        &request.id,
        LogoutStatus::Success,
        request.relay_state.as_deref(),
    );
    let reply = match answer {
        Ok(location) => Reply::redirect(location).told(told),
        Err(error) => done(call, None).told(format!("{told}; no answer could be sent: {error}")),
    };
    for session in &meant {
        if let Err(error) = end(call, session).await {
            return unavailable(&call.visit).told(error.to_string());
        }
    }
    // The exchange goes with the request, once nothing is left that could fail.
    let command = OrganizationCommand::Saml(SamlCommand::UseLogoutRequest(used));
    let told = reply.clone();
    let (id, actor) = (call.organization.id.0, Actor::Unauthenticated);
    match append::<Organization>(call, id, false, command, actor, move |_| told.clone()).await {
        Ok(reply) => reply,
        Err(ExecuteError::Judged(Visible { what: Judgement::Taken { .. }, .. })) => {
            refused(call, &used_before())
        }
        Err(error) => unavailable(&call.visit).told(error.to_string()),
    }
}

fn used_before() -> Refusal {
    Refusal::new(Reason::Replayed, "the logout request was carried out before")
}

async fn end(call: &Call, session: &SessionRow) -> Result<(), ExecuteError<UserError>> {
    let order = Order::<User>::unasked(
        StreamId {
            organization: call.organization.id,
            kind: AggregateKind::User,
            id: session.subject.0,
        },
        UserCommand::EndSession {
            session: session.id,
            end: SessionEnd::SignedOutAtIdentityProvider,
        },
        Context::new(
            call.app.engine.clock.now(),
            Actor::Unauthenticated,
            Some(call.visit.opened.id),
        ),
    );
    match call.app.engine.execute(order).await {
        Ok(_)
        | Err(ExecuteError::Judged(Visible {
            what: Judgement::Refused(UserError::NotFound),
            ..
        })) => Ok(()),
        Err(error) => Err(error),
    }
}

fn answered(call: &Call) -> Reply {
    let (headers, key, now) =
        (&call.visit.headers, &call.app.deployment_key, call.app.engine.clock.now());
    let pending = Pending::of(headers, key, call.organization.id, Asking::Logout, now);
    let requests: Vec<&str> = pending.iter().map(|p| p.request.as_str()).collect();
    match call.provider.read_logout_response(&call.visit.query, now, &requests) {
        Ok(response) => {
            let ours = pending.iter().find(|p| p.request == response.in_response_to);
            let target = ours
                .and_then(|p| p.target.as_deref())
                .filter(|t| call.connection.settings.policy.allows_target(t));
            let told = if response.success {
                "signed out at the identity provider"
            } else {
                "the identity provider did not sign out"
            };
            ours.iter().fold(done(call, target).told(told), |reply, pending| {
                reply.cookie(pending.end_cookie())
            })
        }
        Err(refusal) => refused(call, &refusal),
    }
}

fn refused(call: &Call, refusal: &Refusal) -> Reply {
    let (code, advice) = (refusal.reason.code(), refusal.reason.advice());
    Reply::page(
        403,
        &Page { title: "Not signed out", text: advice, code: Some(code), asks: None },
        &call.visit,
    )
    .told(refusal.to_string())
    .untrusted(refusal.reason)
    .beside_the_log()
}
