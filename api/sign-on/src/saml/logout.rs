//! Single logout, both ways, on the redirect binding.

use super::admit::append;
use super::call::{Call, unavailable};
use super::login::parameter;
use super::page::Page;
use super::reply::Reply;
use crate::cookies::{Asking, Pending, end_session, session_token};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::saml::Refusal;
use rollcall_domain::user::{SessionEnd, User, UserCommand, UserError};
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
    let found = match session_token(&call.visit.headers) {
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
            Reply::page(200, &Page { title: "Signed out", text, code: None }, call.visit.opened.id)
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
    let Some((last, before)) = meant.split_last() else { return reply };
    for session in before {
        if let Err(error) = end(call, session).await {
            return unavailable(&call.visit).told(error.to_string());
        }
    }
    end_and_record(call, last, reply).await
}

/// The exchange goes with the last session, once nothing is left that could fail.
async fn end_and_record(call: &Call, session: &SessionRow, reply: Reply) -> Reply {
    let command = UserCommand::EndSession {
        session: session.id,
        end: SessionEnd::SignedOutAtIdentityProvider,
    };
    let told = reply.clone();
    match append::<User>(
        call,
        session.subject.0,
        false,
        command,
        Actor::Unauthenticated,
        move |_| told.clone(),
    )
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
        &Page { title: "Not signed out", text: advice, code: Some(code) },
        call.visit.opened.id,
    )
    .told(refusal.to_string())
    .untrusted(refusal.reason)
    .beside_the_log()
}
