//! Every write: one command, one append that holds the exchange with its answer.

use super::call::Call;
use super::failure;
use super::reply::Reply;
use super::resource::Resource;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::failure::Cause;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::Version;
use rollcall_domain::scim::{Limits, ScimError};
use rollcall_door::exchange::Kept;
use rollcall_engine::{ExecuteError, Judgement, Led, Order, Sealed, Times, Visible};

/// Shapes the answer from the state that the command led to.
pub type Shape<A> = Box<dyn Fn(&A, Version, Times) -> Result<Reply, ScimError> + Send>;

/// One write.
pub struct WriteCall<A: Resource> {
    /// The resource.
    pub id: ResourceId,
    /// True if the id was drawn just now.
    pub fresh: bool,
    /// What is asked.
    pub command: A::Command,
    /// The answer.
    pub shape: Shape<A>,
}

/// Carries out a write. The answer is in the log with the events when this returns.
pub async fn write<A: Resource>(call: &mut Call, write: WriteCall<A>) -> Result<Reply, ScimError> {
    let WriteCall { id, fresh, command, shape } = write;
    call.limits.permit(&call.notes)?;
    let require = A::required(id, &command).map_err(|e| A::refusal(id, e))?;
    let (opened, read) = (call.opened.clone(), call.notes.clone());
    let seal = Box::new(move |led: Led<'_, A>| {
        let mut notes = read.clone();
        notes.merge(led.notes.clone());
        let made = shape(led.state, led.version, led.times).map(|reply| reply.about(id));
        Sealed { exchange: made.as_ref().ok().map(|reply| reply.close(&opened, &notes)), made }
    });
    let order = Order {
        stream: call.stream(A::KIND, id),
        fresh,
        command,
        context: call.context(),
        precondition: call.conditions.precondition(),
        require,
        seal,
    };
    match call.app.engine.execute(order).await {
        Ok(done) => {
            let at = Some(done.at());
            call.notes.merge(done.what.notes);
            Ok(Reply { kept: Kept::InAppend, at, ..done.what.made? })
        }
        Err(error) => {
            if let ExecuteError::Judged(Visible {
                what: Judgement::NotPermitted { notes, .. },
                ..
            }) = &error
            {
                call.notes.merge(notes.clone());
            }
            Err(refused::<A>(id, error))
        }
    }
}

/// What the client is told about a command that was not carried out.
fn refused<A: Resource>(id: ResourceId, error: ExecuteError<A::Error>) -> ScimError {
    let judgement = match error.into_judgement() {
        Ok(judgement) => judgement,
        Err(ExecuteError::Damaged(reason)) => return failure::damaged(&reason),
        Err(trouble) => return failure::unavailable("command", &trouble),
    };
    match judgement {
        Judgement::Refused(refusal) => A::refusal(id, refusal),
        Judgement::PreconditionFailed => {
            ScimError::precondition_failed("the resource has another version than If-Match says: read it again".to_owned())
        }
        Judgement::NotPermitted { liberty, .. } => Limits::refusal(&liberty),
        Judgement::Taken { kind, holder } => {
            let (attribute, noun) = match kind {
                ClaimKind::GroupName => ("displayName", "group"),
                // The others are taken by no SCIM request.
                _ => ("userName", "user"),
            };
            ScimError::uniqueness(format!("this {attribute} is already used by {noun} {} (upper and lower case count as equal)", holder.id))
                .held_by(ResourceId(holder.id))
        }
        Judgement::Missing(member) => ScimError::invalid_value(format!(
            "{member} is neither a user nor a group of this organization: provision it before it becomes a member"
        ))
        .because(Cause::MemberUnknown)
        .needing(member),
    }
}
