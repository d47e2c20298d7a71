//! From a verified assertion to a session of a user: who it is, one event, one append.

use super::call::{Call, unavailable};
use super::page::Page;
use super::reply::Reply;
use super::visit::Visit;
use crate::cookies::{Pending, begin_session};
use chrono::TimeDelta;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::context::Context;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::login::{
    Attempt, Candidate, Demand, NotAdmitted, RefusedLogin, choose, resource,
};
use rollcall_domain::organization::{Organization, OrganizationCommand, SamlCommand};
use rollcall_domain::saml::Assertion;
use rollcall_domain::scim::{Attributes, ResourceKind, decode_resource};
use rollcall_domain::sql::SqlError;
use rollcall_domain::user::{NewSession, SignIn, User, UserCommand, UserError, refusal};
use rollcall_door::exchange::Kept;
use rollcall_door::session::{self, check};
use rollcall_engine::secrets::sha256_hex;
use rollcall_engine::{ExecuteError, Hosted, Judgement, Led, Order, Precondition, Sealed, Visible};

/// How often it is looked anew who it is, when users change meanwhile.
const LOOKS: usize = 5;

/// Where the browser goes once a session has begun. What an OpenID Connect hand-over to the
/// application would need comes in here: it begins from the same session.
pub struct Landing {
    /// The address.
    pub url: String,
    /// The request that is answered.
    pub answered: Option<Pending>,
}

impl Landing {
    /// The target of the request that is answered; RelayState when there is none; each only if it
    /// is allowed.
    pub fn choose(call: &Call, answered: Option<Pending>, relay_state: Option<&str>) -> Self {
        let policy = &call.connection.settings.policy;
        // Only what began here goes on to the console.
        let to_the_console = |target: &&str| **target == *call.addresses.console_url;
        let asked = match &answered {
            Some(pending) => pending
                .target
                .as_deref()
                .filter(|target| policy.allows_target(target) || to_the_console(target)),
            None => relay_state.filter(|target| policy.allows_target(target)),
        };
        let allowed = asked.or_else(|| policy.default_target());
        Self { url: allowed.unwrap_or(&call.addresses.signed_in_url).to_owned(), answered }
    }
}

/// Whom a look finds.
enum Found {
    User(ResourceId),
    /// Nobody, and so somebody new.
    New(ResourceId, Attributes),
}

/// Signs the person of an assertion in, or refuses, by one append.
pub async fn admit(call: &Call, assertion: Assertion, attempt: Attempt, landing: Landing) -> Reply {
    let now = call.app.engine.clock.now();
    let token = call.app.engine.ids.secret("rollcall_session_");
    let most = now + TimeDelta::minutes(i64::from(call.connection.settings.policy.session_minutes));
    let expires_at = assertion.session_not_on_or_after.map_or(most, |end| end.min(most));
    let session = NewSession {
        id: call.app.engine.ids.session(),
        token_sha256: sha256_hex(&token),
        expires_at,
    };
    let policy = &call.connection.settings.policy;
    // Without a request of ours, five minutes are as new as it gets.
    let began = landing.answered.as_ref().map_or(now - TimeDelta::minutes(5), Pending::began);
    let demand =
        Demand { contexts: &policy.authn_contexts, since: policy.force_authn.then_some(began) };
    if let Err(why) = demand.is_met_by(&assertion) {
        return not_admitted(call, None, why, attempt).await;
    }
    let identifiers = policy.identifiers.clone();
    let sign_in = SignIn { session, identifiers, assertion, attempt };
    for _ in 0..LOOKS {
        let found = match look(call, &sign_in).await {
            Ok(found) => found,
            Err(Trouble::NotAdmitted(why)) => {
                return not_admitted(call, None, why, sign_in.attempt).await;
            }
            Err(Trouble::Unavailable(error)) => return unavailable(&call.visit).told(error),
        };
        if sign_in.assertion.in_response_to.is_none() {
            match is_of_somebody_else(call, &found).await {
                Ok(false) => {}
                Ok(true) => {
                    let why = NotAdmitted::OtherSession;
                    return not_admitted(call, None, why, sign_in.attempt).await;
                }
                Err(error) => return unavailable(&call.visit).told(error.to_string()),
            }
        }
        let (user, command, fresh) = match found {
            Found::User(user) => (user, UserCommand::SignIn(Box::new(sign_in.clone())), false),
            Found::New(user, attributes) => (
                user,
                UserCommand::Provision { attributes, sign_in: Box::new(sign_in.clone()) },
                true,
            ),
        };
        let accepted = Accepted { sign_in: &sign_in, token: &token, landing: &landing };
        match run(call, user, fresh, command, accepted).await {
            Ok(reply) => return reply,
            // They changed, went or came between the look and the decision.
            Err(ExecuteError::Judged(Visible {
                what:
                    Judgement::Refused(
                        UserError::NotRecognized | UserError::NotFound | UserError::AlreadyExists,
                    ),
                ..
            })) => {}
            Err(ExecuteError::Judged(Visible {
                what: Judgement::Taken { kind: ClaimKind::UserName, .. },
                ..
            })) => {}
            Err(ExecuteError::Judged(Visible {
                what: Judgement::Taken { kind: ClaimKind::ObjectId, .. },
                ..
            })) => {
                // The object id is another user's: somebody claims a name that is not theirs.
                return not_admitted(
                    call,
                    Some(user).filter(|_| !fresh),
                    NotAdmitted::OtherPerson,
                    sign_in.attempt,
                )
                .await;
            }
            Err(ExecuteError::Judged(Visible {
                what: Judgement::Taken { kind: ClaimKind::SamlRequest, .. },
                ..
            })) => {
                return not_admitted(
                    call,
                    Some(user).filter(|_| !fresh),
                    NotAdmitted::RequestAnswered,
                    sign_in.attempt,
                )
                .await;
            }
            Err(ExecuteError::Judged(Visible { what: Judgement::Taken { .. }, .. })) => {
                return not_admitted(
                    call,
                    Some(user).filter(|_| !fresh),
                    NotAdmitted::Replayed,
                    sign_in.attempt,
                )
                .await;
            }
            Err(error) => return unavailable(&call.visit).told(error.to_string()),
        }
    }
    unavailable(&call.visit).told("the user changed each time it was decided who it is")
}

enum Trouble {
    NotAdmitted(NotAdmitted),
    Unavailable(String),
}

async fn look(call: &Call, sign_in: &SignIn) -> Result<Found, Trouble> {
    let SignIn { identifiers, assertion, .. } = sign_in;
    let people = call.app.directory.people(call.organization.id, identifiers, assertion).await;
    let people = people.map_err(|e| Trouble::Unavailable(e.to_string()))?;
    let candidates: Vec<Candidate<'_>> =
        people.iter().map(|row| Candidate { id: row.id, attributes: &row.attributes }).collect();
    match choose(identifiers, assertion, &candidates) {
        Ok((user, _)) => Ok(Found::User(user)),
        Err(NotAdmitted::Unknown | NotAdmitted::Guest)
            if call.connection.settings.policy.just_in_time =>
        {
            let attributes = provisioned(call, sign_in)
                .ok_or(Trouble::NotAdmitted(NotAdmitted::NotProvisioned))?;
            // Somebody who would not be recognized the next time must not come to be.
            let id = call.app.engine.ids.resource();
            let again =
                choose(identifiers, assertion, &[Candidate { id, attributes: &attributes }]);
            again
                .map(|_| Found::New(id, attributes))
                .map_err(|_| Trouble::NotAdmitted(NotAdmitted::NotProvisioned))
        }
        Err(why) => Err(Trouble::NotAdmitted(why)),
    }
}

/// Whether this browser has a live session of somebody else: what no request of ours began does not
/// replace it.
async fn is_of_somebody_else(call: &Call, found: &Found) -> Result<bool, SqlError> {
    let Some(token) = session::token(&call.visit.headers) else { return Ok(false) };
    let held = check(&call.app, token).await?;
    let subject = held.map(|held| (held.row.organization, held.row.subject));
    Ok(match (subject, found) {
        (None, _) => false,
        (Some(held), Found::User(user)) => held != (call.organization.id, *user),
        (Some(_), Found::New(..)) => true,
    })
}

/// The user that an assertion makes, through the decoder of a SCIM request.
fn provisioned(call: &Call, sign_in: &SignIn) -> Option<Attributes> {
    let body = resource(&sign_in.identifiers, &sign_in.assertion)?;
    Some(
        decode_resource(ResourceKind::User, &body, &call.app.limits, &mut Notes::default())
            .ok()?
            .attributes,
    )
}

struct Accepted<'a> {
    sign_in: &'a SignIn,
    token: &'a str,
    landing: &'a Landing,
}

async fn run(
    call: &Call,
    user: ResourceId,
    fresh: bool,
    command: UserCommand,
    accepted: Accepted<'_>,
) -> Result<Reply, ExecuteError<UserError>> {
    let now = call.app.engine.clock.now();
    let lasts = accepted.sign_in.session.expires_at - now;
    // The request's cookie stays until it runs out: a reload of the answer finds its target by it.
    // That it was answered says a claim.
    let welcome =
        Reply::redirect(accepted.landing.url.clone()).cookie(begin_session(accepted.token, lasts));
    let session = accepted.sign_in.session.id;
    let assertion = accepted.sign_in.assertion.clone();
    let visit = call.visit.clone();
    let actor = Actor::User { user };
    let reply = append::<User>(call, user.0, fresh, command, actor, move |state| {
        if state.has_session(session, now) {
            return welcome.clone();
        }
        let why = refusal(state, &assertion);
        page(&visit, why.code(), why.advice()).told(why.to_string())
    })
    .await?;
    count(call, reply.status, reply.code.unwrap_or("accepted"));
    Ok(reply)
}

/// Runs a command whose exchange, with the answer, goes into the same append.
pub async fn append<A: Hosted>(
    call: &Call,
    id: uuid::Uuid,
    fresh: bool,
    command: A::Command,
    actor: Actor,
    shape: impl Fn(&A) -> Reply + Send + 'static,
) -> Result<Reply, ExecuteError<A::Error>> {
    let opened = call.visit.opened.by(actor.clone());
    let seal = Box::new(move |led: Led<'_, A>| {
        let reply = shape(led.state);
        Sealed { exchange: Some(reply.close(&opened)), made: reply }
    });
    let order = Order {
        stream: StreamId { organization: call.organization.id, kind: A::KIND, id },
        fresh,
        command,
        context: Context::new(call.app.engine.clock.now(), actor, Some(call.visit.opened.id)),
        precondition: Precondition::None,
        require: Vec::new(),
        seal,
    };
    let done = call.app.engine.execute(order).await?;
    Ok(Reply { kept: Kept::InAppend, ..done.what.made })
}

async fn not_admitted(
    call: &Call,
    user: Option<ResourceId>,
    why: NotAdmitted,
    attempt: Attempt,
) -> Reply {
    let used_before = matches!(why, NotAdmitted::Replayed | NotAdmitted::RequestAnswered);
    refuse(call, user, why.code(), why.advice(), why.to_string(), used_before, attempt).await
}

/// Keeps a refused login: of the user, if it is known who it is, else of the organization.
async fn refuse(
    call: &Call,
    user: Option<ResourceId>,
    code: &'static str,
    advice: &'static str,
    detail: String,
    used_before: bool,
    attempt: Attempt,
) -> Reply {
    let refused = Box::new(RefusedLogin {
        reason: code.to_owned(),
        detail: detail.clone(),
        used_before,
        attempt,
    });
    let mut told = page(&call.visit, code, advice).told(format!("{code}: {detail}"));
    told.status = 403;
    let kept = match user {
        Some(user) => {
            keep::<User>(call, user.0, UserCommand::RefuseLogin(refused.clone()), told.clone())
                .await
        }
        None => of_organization(call, &refused, told.clone()).await,
    };
    let kept = match kept {
        Err(NotKept::Used) => {
            // Somebody was quicker with the same assertion: this one uses up nothing.
            let again = RefusedLogin { used_before: true, ..*refused };
            of_organization(call, &again, told).await
        }
        kept => kept,
    };
    match kept {
        Ok(reply) => {
            count(call, reply.status, code);
            reply
        }
        Err(NotKept::Used) => unavailable(&call.visit).told("a refused login could not be kept"),
        Err(NotKept::Unavailable(error)) => unavailable(&call.visit).told(error),
    }
}

/// Why a refusal could not be kept as it was decided.
enum NotKept {
    Used,
    Unavailable(String),
}

async fn of_organization(
    call: &Call,
    refused: &RefusedLogin,
    told: Reply,
) -> Result<Reply, NotKept> {
    let command = OrganizationCommand::Saml(SamlCommand::RefuseLogin(Box::new(refused.clone())));
    keep::<Organization>(call, call.organization.id.0, command, told).await
}

async fn keep<A: Hosted>(
    call: &Call,
    id: uuid::Uuid,
    command: A::Command,
    told: Reply,
) -> Result<Reply, NotKept> {
    let kept =
        append::<A>(call, id, false, command, Actor::Unauthenticated, move |_| told.clone()).await;
    kept.map_err(|error| match error.into_judgement() {
        Ok(Judgement::Taken { .. }) => NotKept::Used,
        // A user who went meanwhile is nobody any more.
        Ok(Judgement::Refused(_)) if A::KIND == AggregateKind::User => NotKept::Used,
        Ok(judgement) => NotKept::Unavailable(judgement.to_string()),
        Err(trouble) => NotKept::Unavailable(trouble.to_string()),
    })
}

/// The page for somebody who is not let in.
pub fn page(visit: &Visit, code: &'static str, advice: &str) -> Reply {
    let page = Page { title: "You are not signed in", text: advice, code: Some(code), asks: None };
    Reply::page(403, &page, visit)
}

/// Counts what a login came to.
pub fn count(call: &Call, status: u16, reason: &'static str) {
    let (organization, outcome) =
        (call.organization.id.to_string(), if status == 303 { "accepted" } else { "refused" });
    metrics::counter!("rollcall_logins_total", "organization" => organization, "outcome" => outcome, "reason" => reason).increment(1);
}
