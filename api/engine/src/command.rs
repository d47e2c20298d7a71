//! Running one command to its end.

use super::request_store::{Left, NotPermitted, PreconditionFailed, RequestStore};
use super::visible::Visible;
use super::warm::{LoadError, catch_up};
use super::{Engine, Hosted, Times};
use cqrs_es::{AggregateError, CqrsFramework};
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::context::Context;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::Interpretation;
use rollcall_domain::log::{AggregateKind, AppendError, Appended, LogError, Record, StreamId, Version};
use rollcall_domain::organization::OrganizationEventKind;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often a command is decided anew after a lost race before the caller is asked to come back.
const ATTEMPTS: u32 = 64;

/// Which versions of the aggregate the caller accepts (`If-Match`, RFC 7644 section 3.14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Any.
    None,
    /// One that exists.
    Exists,
    /// One of these.
    OneOf(Vec<Version>),
}

impl Precondition {
    pub(super) fn holds(&self, version: Version) -> bool {
        match self {
            Precondition::None => true,
            Precondition::Exists => version > 0,
            Precondition::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// Makes the exchange that is appended with the events, from the state that the command leads to.
/// Called once for each attempt.
pub type Seal<A> = Box<dyn FnMut(&A, Version, Times) -> Option<Exchange> + Send>;

/// One command for one aggregate.
pub struct Order<A: Hosted> {
    /// The aggregate.
    pub stream: StreamId,
    /// True if the id was drawn for this command, so that there is nothing to load.
    pub fresh: bool,
    /// What is asked.
    pub command: A::Command,
    /// Time, actor and cause.
    pub context: Arc<Context>,
    /// Which versions the caller accepts.
    pub precondition: Precondition,
    /// Resources that must exist.
    pub require: Vec<ResourceId>,
    /// Makes the exchange.
    pub seal: Seal<A>,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What was appended.
    pub appended: Appended,
    /// The aggregate's version now.
    pub version: Version,
    /// First and last change.
    pub times: Times,
}

/// Why a command is not to be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Judgement<E> {
    /// The aggregate refused it.
    #[error("{0}")]
    Refused(E),
    /// The caller accepts other versions only.
    #[error("the resource has another version")]
    PreconditionFailed,
    /// It could only be read with a liberty that is not to be taken.
    #[error("a liberty was taken that is not permitted")]
    NotPermitted(Interpretation),
    /// Another aggregate holds a key that must be unique.
    #[error("the {} is taken", kind.as_str())]
    Taken {
        /// What it is about.
        kind: ClaimKind,
        /// Who holds it.
        holder: StreamId,
    },
    /// A resource that must exist does not.
    #[error("there is no resource {0}")]
    Missing(ResourceId),
}

/// Why there is no [`Done`].
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<E> {
    /// It was decided that it is not to be.
    #[error("{0}")]
    Judged(Visible<Judgement<E>>),
    /// Our own trouble: the log or the views are away, or too many races were lost.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Our own trouble: the log or a view holds something that cannot be understood.
    #[error("damaged: {0}")]
    Damaged(String),
}

impl<E> ExecuteError<E> {
    /// The judgement, if there is one; else the trouble.
    pub fn into_judgement(self) -> Result<Judgement<E>, Self> {
        match self {
            Self::Judged(shown) => Ok(shown.what),
            trouble => Err(trouble),
        }
    }
}

impl Engine {
    /// Decides a command and appends what it leads to. Whatever it comes to, also that nothing is to be
    /// changed, rests on a position of the log, and is known to nobody before the views show that. A
    /// lost race is decided anew; the caller never sees it.
    pub async fn execute<A: Hosted>(&self, order: Order<A>) -> Result<Visible<Done>, ExecuteError<A::Error>> {
        let Order { stream, fresh, command, context, precondition, require, seal } = order;
        let organization = stream.organization;
        let seal = Mutex::new(seal);
        let aggregate_id = stream.aggregate_id();
        for attempt in 0..ATTEMPTS {
            let left = Mutex::new(None);
            let warm = AtomicBool::new(false);
            let store = RequestStore {
                engine: self,
                stream,
                fresh: fresh && attempt == 0,
                context: context.clone(),
                precondition: &precondition,
                require: &require,
                seal: &seal,
                left: &left,
                warm: &warm,
            };
            let framework = CqrsFramework::new(store, vec![], context.clone());
            match framework.execute(&aggregate_id, command.clone()).await {
                Ok(()) => {}
                Err(AggregateError::AggregateConflict) => {
                    metrics::counter!("rollcall_lost_races_total").increment(1);
                    back_off(attempt).await;
                    continue;
                }
                // An append would have shown that the warm copy is stale; a refusal has to ask.
                Err(error) if is_judgement(&error) && warm.into_inner() && self.was_overtaken::<A>(&stream).await? => continue,
                Err(error) => {
                    let judgement = explain(error, &require)?;
                    // A domain may be taken by another organization: who is told so must find it.
                    if let Judgement::Taken { holder, .. } = &judgement
                        && holder.organization != organization
                    {
                        self.show_head(holder.organization, ()).await?;
                    }
                    return Err(ExecuteError::Judged(self.show_head(organization, judgement).await?));
                }
            }
            drop(framework);
            let Some(Left { appended, records, version, times }) = left.into_inner().unwrap_or_else(|e| e.into_inner()) else { break };
            // A refused login changes nothing that is looked up of an organization.
            let of_callers = A::KIND == AggregateKind::Organization
                && appended.positions.is_some()
                && !matches!(&records[..], [one] if is_refused_login(one));
            let shown = self.show(organization, appended.head, records, Done { appended, version, times }).await;
            if of_callers || shown.is_err() {
                self.organizations_changed();
            }
            return Ok(shown?);
        }
        Err(ExecuteError::Unavailable(format!("{stream} changed {ATTEMPTS} times while this request was decided")))
    }

    /// Brings the warm copy up to the log. True if another process had appended to the stream.
    async fn was_overtaken<A: Hosted>(&self, stream: &StreamId) -> Result<bool, ExecuteError<A::Error>> {
        let mut guard = A::warm(self).lock(*stream).await;
        let Some(slot) = guard.take() else { return Ok(true) };
        let before = slot.version;
        let current = catch_up(&*self.log, stream, Some(slot)).await.map_err(load_failed)?;
        let overtaken = current.version != before;
        *guard = Some(current);
        Ok(overtaken)
    }
}

fn is_refused_login(record: &Record) -> bool {
    OrganizationEventKind::named(&record.event_type) == Some(OrganizationEventKind::LoginRefused)
}

/// Waits longer after each lost race. The wait differs between processes by what they run, which
/// is enough to let one of them through.
async fn back_off(attempt: u32) {
    if attempt > 2 {
        tokio::time::sleep(Duration::from_micros(250 * u64::from(attempt.min(40)))).await;
    }
}

/// Whether a command was refused for what the aggregate is like.
fn is_judgement<E: std::error::Error>(error: &AggregateError<E>) -> bool {
    match error {
        AggregateError::UserError(_) => true,
        AggregateError::UnexpectedError(cause) => cause.is::<PreconditionFailed>(),
        _ => false,
    }
}

fn load_failed<E>(error: LoadError) -> ExecuteError<E> {
    match error {
        LoadError::Log(LogError::Unavailable(reason)) => ExecuteError::Unavailable(reason),
        other => ExecuteError::Damaged(other.to_string()),
    }
}

/// The judgement in an error of cqrs-es; else the trouble.
fn explain<E: std::error::Error>(error: AggregateError<E>, require: &[ResourceId]) -> Result<Judgement<E>, ExecuteError<E>> {
    let cause = match error {
        AggregateError::UserError(refusal) => return Ok(Judgement::Refused(refusal)),
        AggregateError::AggregateConflict => return Err(ExecuteError::Unavailable("lost race".to_owned())),
        AggregateError::DatabaseConnectionError(e) | AggregateError::DeserializationError(e) | AggregateError::UnexpectedError(e) => e,
    };
    if cause.is::<PreconditionFailed>() {
        return Ok(Judgement::PreconditionFailed);
    }
    if let Some(NotPermitted(liberty)) = cause.downcast_ref() {
        return Ok(Judgement::NotPermitted(liberty.clone()));
    }
    let cause = match cause.downcast::<AppendError>() {
        Ok(refused) => {
            return match *refused {
                AppendError::ClaimTaken { kind, holder } => Ok(Judgement::Taken { kind, holder }),
                AppendError::ReferenceMissing { index } => match require.get(index) {
                    Some(id) => Ok(Judgement::Missing(*id)),
                    None => Err(ExecuteError::Damaged(format!("needed claim {index} was not asked for"))),
                },
                AppendError::Unavailable(reason) => Err(ExecuteError::Unavailable(reason)),
                lost @ AppendError::LostRace { .. } => Err(ExecuteError::Unavailable(lost.to_string())),
            };
        }
        Err(other) => other,
    };
    match cause.downcast::<LoadError>() {
        Ok(error) => Err(load_failed(*error)),
        Err(cause) => Err(ExecuteError::Damaged(cause.to_string())),
    }
}
