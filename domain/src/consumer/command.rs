//! What can be asked of a consumer.

use super::event::Stopped;
use super::group_filter::GroupFilter;
use super::payload::Payload;
use crate::credential::{CredentialError, CredentialIssued};
use crate::log::Position;
use crate::organization::SealedKey;
use crate::public_type::TypeFilter;
use chrono::{DateTime, Utc};

/// So long may a name be, in characters.
pub(super) const NAME_CHARS: usize = 100;

/// A command on one consumer.
#[derive(Clone, Debug, PartialEq)]
pub enum ConsumerCommand {
    /// Let somebody follow the log.
    Create(NewConsumer),
    /// Give it nothing until it is resumed.
    Pause,
    /// Give it its events again; also after deliveries stopped.
    Resume,
    /// Post nothing to it any more, for a reason.
    Stop(Stopped),
    /// Give it a new key or secret beside the one it has.
    Rotate(Renewal),
    /// Do not make a delivery that was set aside: somebody has seen to it.
    Handle {
        /// Place of its event's record in the log.
        position: Position,
        /// Which of the record's events.
        part: u64,
        /// What was done instead.
        because: String,
    },
    /// Let it follow no more.
    Remove,
}

/// A consumer that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewConsumer {
    /// What it is called.
    pub name: String,
    /// Which types it gets.
    pub types: TypeFilter,
    /// How much they tell.
    pub payload: Payload,
    /// Whose members it is told about.
    pub groups: GroupFilter,
    /// How it gets its events.
    pub way: NewWay,
}

/// How a new consumer gets its events, and what proves who it is or who we are.
#[derive(Clone, Debug, PartialEq)]
pub enum NewWay {
    /// It asks, with this key.
    Pull(CredentialIssued),
    /// They are posted to it.
    Webhook {
        /// Where to: checked by whoever commands it.
        url: String,
        /// Only what stands after this position.
        start: Position,
        /// What they are signed with, sealed.
        secret: SealedKey,
    },
    /// It asks for security event tokens, with this key.
    SetPoll {
        /// Whom they are for.
        audience: String,
        /// Only what stands after this position.
        start: Position,
        /// What it asks with.
        key: CredentialIssued,
        /// What they are signed with, sealed.
        secret: SealedKey,
    },
    /// Security event tokens are posted to it.
    SetPush {
        /// Where to: checked by whoever commands it.
        url: String,
        /// Whom they are for.
        audience: String,
        /// Only what stands after this position.
        start: Position,
        /// What they are signed with, sealed.
        secret: SealedKey,
    },
}

/// What a consumer gets anew. What it has now holds until an instant; what it had before that,
/// no more.
#[derive(Clone, Debug, PartialEq)]
pub enum Renewal {
    /// A key, for one that asks.
    Key(CredentialIssued, DateTime<Utc>),
    /// A secret, for one that is posted to.
    Secret(SealedKey, DateTime<Utc>),
    /// Both, for one that asks for what is signed.
    Both(CredentialIssued, SealedKey, DateTime<Utc>),
}

/// Why a command on a consumer was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumerError {
    /// There is none, or there is none any more.
    #[error("there is no such consumer")]
    NotFound,
    /// The id is in use.
    #[error("a consumer with this id exists")]
    AlreadyExists,
    /// The name cannot be used.
    #[error(
        "a consumer's name must have 1 to {NAME_CHARS} characters: letters, digits, hyphens, underscores and dots, and must not read like an id"
    )]
    InvalidName,
    /// Its key is not to be.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// It gets its events in another way.
    #[error("a consumer of this kind has no {0} that could be renewed")]
    OtherWay(&'static str),
    /// Nothing is posted to one that asks.
    #[error("nothing is posted to this consumer: there is nothing to stop")]
    NothingToStop,
    /// It asks, so that nothing is set aside.
    #[error("nothing is posted to this consumer: nothing was set aside")]
    NothingToHandle,
    /// The overlap is none.
    #[error("the key or secret of now cannot hold until an instant that has passed")]
    OverlapPassed,
}
