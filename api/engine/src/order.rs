//! What the engine is asked to do, and what it comes to.

use crate::{Hosted, NotVisible, Times, Visible};
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::context::Context;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::{Interpretation, Notes};
use rollcall_domain::log::{Appended, LogError, StreamId, Version};

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
    pub(crate) fn holds(&self, version: Version) -> bool {
        match self {
            Precondition::None => true,
            Precondition::Exists => version > 0,
            Precondition::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// What a command leads to, before it is in the log.
#[derive(Debug)]
pub struct Led<'a, A> {
    /// The state after its events.
    pub state: &'a A,
    /// The version that clients then see.
    pub version: Version,
    /// First and last change.
    pub times: Times,
    /// Liberties that only showed against the state.
    pub notes: &'a Notes,
}

/// What goes into the log with the events, and what comes back to whoever gave the order.
#[derive(Debug)]
pub struct Sealed<R> {
    /// The exchange with its answer.
    pub exchange: Option<Exchange>,
    /// Whatever was made of the state.
    pub made: R,
}

/// Seals what a command leads to. Called once for each attempt.
pub type Seal<A, R> = Box<dyn FnMut(Led<'_, A>) -> Sealed<R> + Send>;

/// One command for one aggregate.
pub struct Order<A: Hosted, R = ()> {
    /// The aggregate.
    pub stream: StreamId,
    /// True if the id was drawn for this command, so that there is nothing to load.
    pub fresh: bool,
    /// What is asked.
    pub command: A::Command,
    /// Time, actor and cause.
    pub context: Context,
    /// Which versions the caller accepts.
    pub precondition: Precondition,
    /// Resources that must exist.
    pub require: Vec<ResourceId>,
    /// Makes the exchange, and what comes back.
    pub seal: Seal<A, R>,
}

impl<A: Hosted> Order<A> {
    /// A command that nobody asked for by a request: its events stand alone.
    pub fn unasked(stream: StreamId, command: A::Command, context: Context) -> Self {
        let seal = Box::new(|_: Led<'_, A>| Sealed { exchange: None, made: () });
        Self {
            stream,
            fresh: false,
            command,
            context,
            precondition: Precondition::None,
            require: Vec::new(),
            seal,
        }
    }
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done<R = ()> {
    /// What was appended.
    pub appended: Appended,
    /// The aggregate's version now.
    pub version: Version,
    /// First and last change.
    pub times: Times,
    /// Liberties that only showed against the state.
    pub notes: Notes,
    /// What was made of the state.
    pub made: R,
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
    NotPermitted {
        /// Which.
        liberty: Interpretation,
        /// All that were taken.
        notes: Notes,
    },
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

impl<E> From<NotVisible> for ExecuteError<E> {
    fn from(error: NotVisible) -> Self {
        match &error {
            NotVisible::Log(LogError::Unavailable(_) | LogError::Closed(_)) => {
                Self::Unavailable(error.to_string())
            }
            NotVisible::Fold(fold) if fold.is_unavailable() => Self::Unavailable(error.to_string()),
            _ => Self::Damaged(error.to_string()),
        }
    }
}
