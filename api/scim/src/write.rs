//! Every write: one command, one append that holds the exchange with its answer.

use super::call::Call;
use super::failure;
use super::reply::Reply;
use super::resource::Resource;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::log::Version;
use rollcall_domain::scim::ScimError;
use rollcall_door::exchange::Kept;
use rollcall_engine::{Order, Times};
use std::sync::{Arc, Mutex};

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

/// The answer, and the liberties that its exchange was kept with.
type Sealed = (Result<Reply, ScimError>, Notes);

/// Carries out a write. The answer is in the log with the events when this returns.
pub async fn write<A: Resource>(call: &mut Call, write: WriteCall<A>) -> Result<Reply, ScimError> {
    let WriteCall { id, fresh, command, shape } = write;
    call.limits.permit(&call.notes)?;
    let require = A::required(id, &command).map_err(|e| A::refusal(id, e))?;
    let context = call.context();
    let answer: Arc<Mutex<Option<Sealed>>> = Arc::default();
    let seal = {
        let (opened, context, answer) = (call.opened.clone(), context.clone(), answer.clone());
        let mut notes = call.notes.clone();
        Box::new(move |state: &A, version: Version, times: Times| {
            notes.merge(context.take_notes());
            let shaped = shape(state, version, times).map(|reply| reply.about(id));
            let exchange = shaped.as_ref().ok().map(|reply| reply.close(&opened, &notes));
            *answer.lock().unwrap_or_else(|e| e.into_inner()) = Some((shaped, notes.clone()));
            exchange
        })
    };
    let order = Order {
        stream: call.stream(A::KIND, id),
        fresh,
        command,
        context: context.clone(),
        precondition: call.conditions.precondition(),
        require,
        seal,
    };
    let engine = call.app.engine.clone();
    let done = engine.execute(order).await;
    call.notes.merge(context.take_notes());
    done.map_err(|e| failure::of_command::<A>(id, e))?;
    let kept = answer.lock().unwrap_or_else(|e| e.into_inner()).take();
    let (shaped, notes) = kept.ok_or_else(|| failure::damaged("a command was carried out without an answer"))?;
    call.notes.merge(notes);
    let mut reply = shaped?;
    reply.kept = Kept::InAppend;
    Ok(reply)
}
