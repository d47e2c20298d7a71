//! A person is erased: what is about them cannot be read any more, and everything that was proved
//! still holds.
//!
//! What is personal in a log is sealed (ADR 50). The key of a person is destroyed; what others said
//! of them, sealed with keys that are not theirs alone, is erased where it lies, and its hash stays.
//! Keys go last: until then everything else can be found again, so that whoever is killed in between
//! begins anew and ends with the same.

mod listed;
mod traces;
mod whole;

pub use listed::{Erasure, Listed};
pub use traces::Traces;
pub use whole::OrganizationTraces;

use crate::Engine;
use crate::order::{ExecuteError, Judgement, Order};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{AggregateKind, KeyId, LogError, Position, Sealed, StreamId};
use rollcall_domain::organization::OrganizationError;
use rollcall_domain::user::{User, UserCommand, UserError};
use rollcall_projections::fold::FoldError;
use std::collections::BTreeSet;
use traces::Person;

/// Exchanges read at once.
const PAGE: usize = 200;

/// The name of the note that says which record of an erasure was last.
const ERASED: &str = "erased";

/// Why a person is not erased. What was done until then stays, and the rest can be done again.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// Nobody of this id was ever here.
    #[error("there is no user {0}, and never was")]
    Unknown(ResourceId),
    /// They still come in.
    #[error("this user is active: let Entra switch them off or delete them first, or say --force")]
    Active,
    /// Somebody said that nobody may.
    #[error(
        "this user is held, and nobody may erase them: see `rollcall person holds` for why, and release them first"
    )]
    Held,
    /// What they are called cannot be read, and they were not erased.
    #[error("what is known of this user cannot be read: nothing was erased")]
    Unreadable,
    /// Nothing here is sealed.
    #[error("this log does not seal what is personal: nothing of it can be erased")]
    InTheClear,
    /// The store never changes what it holds.
    #[error(
        "a KurrentDB server never changes what it holds, and what others said of a person would stay: take a backup, restore it into a folder or a PostgreSQL database, and erase there"
    )]
    NeverChanges,
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The views cannot be made anew.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The command cannot be carried out.
    #[error(transparent)]
    Command(#[from] ExecuteError<UserError>),
    /// There is none.
    #[error("there is no such organization")]
    NoOrganization,
    /// The command on the organization cannot be carried out.
    #[error(transparent)]
    Organization(ExecuteError<OrganizationError>),
}

impl Engine {
    /// What seals this log.
    fn seal(&self) -> Result<&dyn Sealed, NotErased> {
        self.log.sealed().ok_or(NotErased::InTheClear)
    }

    /// Erases a person: deletes them, if they are there, says so in the log, and leaves nothing that
    /// tells who they were. Can be done again, and then ends what was not ended. Gives where they
    /// were found, and where it is said.
    ///
    /// # Errors
    /// If they are active and nobody insists, or it cannot be done whole.
    pub async fn erase(
        &self,
        organization: OrganizationId,
        user: ResourceId,
        because: &str,
        insists: bool,
        actor: &Actor,
    ) -> Result<(Traces, Position), NotErased> {
        self.may_erase().await?;
        let before = self.person(organization, user).await?;
        if before.traces.held_at.is_some() {
            return Err(NotErased::Held);
        }
        if before.traces.is_active && !insists {
            return Err(NotErased::Active);
        }
        if before.is_unreadable() {
            return Err(NotErased::Unreadable);
        }
        let at = self.say_erased(organization, &before, because, actor).await?;
        // With what was appended just now.
        let mut people = [self.person(organization, user).await?];
        self.destroy(organization, &mut people).await?;
        self.log.keep_note(ERASED, Some(&format!("{organization}/{at}"))).await?;
        self.drop_what_rests_on_the_log();
        self.rebuild_views().await?;
        let Traces { is_present, is_active, .. } = before.traces;
        let [Person { traces, .. }] = people;
        Ok((Traces { is_present, is_active, ..traces }, at))
    }

    /// Whether this store can erase.
    ///
    /// # Errors
    /// If it cannot.
    pub async fn may_erase(&self) -> Result<(), NotErased> {
        self.seal()?;
        // Nothing is erased where nothing is named.
        let can = self.log.erase_exchanges(OrganizationId::NONE, &[]).await?;
        can.map(drop).ok_or(NotErased::NeverChanges)
    }

    /// Deletes a person, if they are there, and says in the log that they are erased. Gives where.
    async fn say_erased(
        &self,
        organization: OrganizationId,
        person: &Person,
        because: &str,
        actor: &Actor,
    ) -> Result<Position, NotErased> {
        if let Some(at) = person.traces.erased_at {
            return Ok(at);
        }
        if person.traces.is_present {
            self.command(organization, person.user, UserCommand::Delete, actor).await?;
        }
        let command = UserCommand::Erase { because: because.to_owned() };
        Ok(self.command(organization, person.user, command, actor).await?.unwrap_or_default())
    }

    async fn command(
        &self,
        organization: OrganizationId,
        user: ResourceId,
        command: UserCommand,
        actor: &Actor,
    ) -> Result<Option<Position>, NotErased> {
        let context = Context::new(self.clock.now(), actor.clone(), None);
        let order = Order::<User>::unasked(of(organization, user), command, context);
        let is_held =
            |what: &Judgement<UserError>| matches!(what, Judgement::Refused(UserError::Held));
        match self.execute(order).await {
            Ok(done) => Ok(done.appended.positions.map(|(first, _)| first)),
            // Somebody was faster.
            Err(ExecuteError::Judged(shown)) if is_held(&shown.what) => Err(NotErased::Held),
            Err(error) => Err(error.into()),
        }
    }

    /// Destroys all that tells who these people were, as far as nobody may be served by it any more.
    /// What comes in meanwhile is read as well.
    async fn destroy(
        &self,
        organization: OrganizationId,
        people: &mut [Person],
    ) -> Result<(), NotErased> {
        self.scan_logins(organization, people).await?;
        let mut after = 0;
        for _ in 0..2 {
            let begun: Vec<usize> = people.iter().map(|p| p.traces.exchanges.len()).collect();
            after = self.scan_exchanges(organization, after, people).await?;
            for (person, begun) in people.iter().zip(begun) {
                for numbers in person.traces.exchanges[begun..].chunks(PAGE) {
                    self.log.erase_exchanges(organization, numbers).await?;
                }
            }
        }
        let keys: BTreeSet<KeyId> =
            people.iter().flat_map(|person| person.traces.keys.iter().copied()).collect();
        let keys: Vec<KeyId> = keys.into_iter().collect();
        self.seal()?.keys().erase(organization, &keys).await?;
        Ok(())
    }

    /// Drops what is at hand once another process has erased somebody.
    ///
    /// # Errors
    /// If the log cannot be asked.
    pub async fn look_for_erasures(&self) -> Result<(), LogError> {
        let note = self.log.note(ERASED).await?;
        if self.erasures.changed(note) {
            self.drop_what_rests_on_the_log();
        }
        Ok(())
    }
}

fn of(organization: OrganizationId, user: ResourceId) -> StreamId {
    StreamId { organization, kind: AggregateKind::User, id: user.0 }
}

/// Which erasure is known of.
#[derive(Default)]
pub(crate) struct Erasures(std::sync::Mutex<Option<Option<String>>>);

impl Erasures {
    /// Whether there is another than before; the first look tells of none.
    fn changed(&self, note: Option<String>) -> bool {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = known.replace(note.clone());
        before.is_some_and(|before| before != note)
    }
}
