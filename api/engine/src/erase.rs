//! A person is erased: what is about them cannot be read any more, and everything that was proved
//! still holds.
//!
//! What is personal in a log is sealed (ADR 50). The key of a person is destroyed; what others said
//! of them, sealed with keys that are not theirs alone, is erased where it lies, and its hash stays.
//! Keys go last: until then everything else can be found again, so that whoever is killed in between
//! begins anew and ends with the same.

use crate::Engine;
use crate::order::{ExecuteError, Order};
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::erasure::Identifiers;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{
    AggregateKind, Bodies, ExchangeNumber, KeyId, LogError, Position, Record, Sealed, StreamId,
};
use rollcall_domain::user::{User, UserCommand, UserError, UserEventKind};
use rollcall_projections::fold::FoldError;
use std::collections::BTreeSet;

/// Exchanges read at once.
const PAGE: usize = 200;

/// The name of the note that says which record of an erasure was last.
const ERASED: &str = "erased";

/// Where a person is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Whether the directory has them.
    pub is_present: bool,
    /// Whether as somebody who is active.
    pub is_active: bool,
    /// Where it was said that they are erased.
    pub erased_at: Option<Position>,
    /// Records of theirs.
    pub records: u64,
    /// Keys that live, with which what is theirs is sealed.
    pub keys: BTreeSet<KeyId>,
    /// Logins of nobody that name them.
    pub logins: u64,
    /// Exchanges that name them and are not sealed with these keys alone.
    pub exchanges: Vec<ExchangeNumber>,
}

/// Why a person is not erased. What was done until then stays, and the rest can be done again.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// Nobody of this id was ever here.
    #[error("there is no user {0}, and never was")]
    Unknown(ResourceId),
    /// They still come in.
    #[error("this user is active: let Entra switch them off or delete them first, or say --force")]
    Active,
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
}

impl Engine {
    fn seal(&self) -> Result<&dyn Sealed, NotErased> {
        self.log.sealed().ok_or(NotErased::InTheClear)
    }

    /// Where a person is found. Reads every exchange of the organization.
    ///
    /// # Errors
    /// If they were never here, or the log cannot be read.
    pub async fn traces(
        &self,
        organization: OrganizationId,
        user: ResourceId,
    ) -> Result<Traces, NotErased> {
        let (seal, stream) = (self.seal()?, of(organization, user));
        let records = self.log.load(&stream, 0).await?;
        if records.is_empty() {
            return Err(NotErased::Unknown(user));
        }
        let mut traces = Traces { records: records.len() as u64, ..Traces::default() };
        let is_of = |record: &Record, kind: UserEventKind| record.event_type == kind.as_str();
        traces.erased_at =
            records.iter().find(|r| is_of(r, UserEventKind::Erased)).map(|r| r.position);
        traces.is_present = !records.iter().any(|r| is_of(r, UserEventKind::Deleted));
        let switched =
            [UserEventKind::Activated, UserEventKind::Deactivated, UserEventKind::Created];
        let last = records.iter().rev().find(|r| switched.iter().any(|kind| is_of(r, *kind)));
        traces.is_active =
            traces.is_present && last.is_some_and(|r| !is_of(r, UserEventKind::Deactivated));
        let identifiers = Identifiers::of(&records);
        let stored = seal.stored();
        let mut keys = BTreeSet::new();
        for record in stored.load(&stream, 0).await? {
            keys.extend(seal.keys_of(&record)?);
        }
        if identifiers.is_empty() {
            // Erased already, or nothing can be read.
            return match traces.erased_at {
                Some(_) => Ok(traces),
                None => Err(NotErased::Unreadable),
            };
        }
        let whole = StreamId { kind: AggregateKind::Organization, id: organization.0, ..stream };
        let opened = self.log.load(&whole, 0).await?;
        for (shown, kept) in opened.iter().zip(stored.load(&whole, 0).await?) {
            let sealed_with = seal.keys_of(&kept)?;
            if !sealed_with.is_empty() && identifiers.are_in(&shown.payload) {
                traces.logins += 1;
                keys.extend(sealed_with);
            }
        }
        traces.exchanges = self.naming(organization, user, &identifiers).await?;
        traces.keys = keys;
        Ok(traces)
    }

    /// The exchanges that name somebody, or are about them.
    async fn naming(
        &self,
        organization: OrganizationId,
        user: ResourceId,
        identifiers: &Identifiers,
    ) -> Result<Vec<ExchangeNumber>, LogError> {
        let (mut found, mut after, about) = (Vec::new(), 0, user.to_string());
        loop {
            let page = self.log.exchanges(organization, after, PAGE, Bodies::Read).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.number;
            let names = |x: &Exchange| {
                !x.is_erased()
                    && (x.subject.as_deref() == Some(&about) || identifiers.are_in_exchange(x))
            };
            found.extend(page.iter().filter(|x| names(&x.exchange)).map(|x| x.number));
        }
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
        let seal = self.seal()?;
        if self.log.erase_exchanges(organization, &[]).await?.is_none() {
            return Err(NotErased::NeverChanges);
        }
        let before = self.traces(organization, user).await?;
        if before.is_active && !insists {
            return Err(NotErased::Active);
        }
        let command = async |command| {
            let context = Context::new(self.clock.now(), actor.clone(), None);
            self.execute(Order::<User>::unasked(of(organization, user), command, context)).await
        };
        if before.is_present {
            command(UserCommand::Delete).await?;
        }
        let at = match before.erased_at {
            Some(at) => at,
            None => {
                let because = because.to_owned();
                let done = command(UserCommand::Erase { because }).await?;
                done.appended.positions.map_or(0, |(first, _)| first)
            }
        };
        // With what was appended just now.
        let traces = self.traces(organization, user).await?;
        for numbers in traces.exchanges.chunks(PAGE) {
            self.log.erase_exchanges(organization, numbers).await?;
        }
        let keys: Vec<KeyId> = traces.keys.iter().copied().collect();
        seal.keys().erase(organization, &keys).await?;
        self.log.keep_note(ERASED, Some(&format!("{organization}/{at}"))).await?;
        self.drop_what_rests_on_the_log();
        self.rebuild_views().await?;
        let Traces { is_present, is_active, .. } = before;
        Ok((Traces { is_present, is_active, ..traces }, at))
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
