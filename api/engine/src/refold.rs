//! Names that an older version claimed as it folded them are claimed as they are folded now.
//!
//! Nothing of it is decided: no user changes. Each user gives up the old claim and takes the new
//! one in one append, so it may break off anywhere, and any number of processes may do it at once.
//! Where two users claim one name now, the first keeps it, the other keeps the old claim, and both
//! stay as they are until the operator has renamed or deleted one of them.

use super::Engine;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::{ClaimChanges, ClaimKind, ClearClaim};
use rollcall_domain::event::decode;
use rollcall_domain::fold_text::{NameFold, fold_user_name};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    AggregateKind, Append, AppendError, LogError, Position, Record, StreamId, Version, Write,
};
use rollcall_domain::user::{UserEvent, named};
use std::collections::{BTreeMap, HashMap};

/// Records read at once.
const PAGE: usize = 1_000;

/// What became of an organization's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refolded {
    /// Users whose name is claimed as it is folded now.
    pub moved: u64,
    /// Users whose name another one holds.
    pub contested: u64,
}

/// Why names could not be claimed anew. What was done until then stays; the rest can be done again.
#[derive(Debug, thiserror::Error)]
pub enum RefoldError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log cannot be written.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// A user whose name is not claimed now as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    created: Position,
    version: Version,
    name: String,
}

impl Engine {
    /// Claims an organization's names as they are folded now. Gives nothing if they are already.
    ///
    /// # Errors
    /// If the log cannot be read or written.
    pub async fn refold(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<Refolded>, RefoldError> {
        let mark = ClearClaim::new(ClaimKind::NameFold, NameFold::CURRENT.as_str());
        if self.holder(organization, &mark).await?.is_some() {
            return Ok(None);
        }
        let mut done = Refolded::default();
        for (stream, named) in self.to_refold(organization).await? {
            match self.move_name(stream, named).await? {
                Moved::Yes => done.moved += 1,
                Moved::NotNeeded => {}
                Moved::Contested => done.contested += 1,
            }
        }
        if done.contested == 0 {
            let own =
                StreamId { organization, kind: AggregateKind::Organization, id: organization.0 };
            let mut at = 0;
            while let Moves::Overtaken(version) =
                self.claim(own, at, Vec::new(), mark.clone()).await?
            {
                at = version;
            }
        }
        Ok(Some(done))
    }

    /// Users, the first that was created first.
    async fn to_refold(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(StreamId, Named)>, LogError> {
        let mut found: HashMap<StreamId, Named> = HashMap::new();
        let mut after = 0;
        loop {
            let page = self.log.records(organization, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for record in page.iter().filter(|r| r.stream.kind == AggregateKind::User) {
                follow(&mut found, record)?;
            }
        }
        let in_order: BTreeMap<Position, (StreamId, Named)> =
            found.into_iter().map(|(s, n)| (n.created, (s, n))).collect();
        Ok(in_order.into_values().collect())
    }

    async fn move_name(&self, stream: StreamId, mut named: Named) -> Result<Moved, RefoldError> {
        loop {
            let older = NameFold::ALL.into_iter().filter(|fold| *fold != NameFold::CURRENT);
            let release = older
                .map(|fold| ClearClaim::new(ClaimKind::UserName, fold.fold(&named.name)))
                .collect();
            let take = ClearClaim::new(ClaimKind::UserName, fold_user_name(&named.name));
            match self.claim(stream, named.version, release, take).await? {
                Moves::Done => return Ok(Moved::Yes),
                Moves::Contested => return Ok(Moved::Contested),
                Moves::Overtaken(_) => {
                    let mut now = HashMap::new();
                    for record in self.log.load(&stream, 0).await? {
                        follow(&mut now, &record)?;
                    }
                    match now.remove(&stream) {
                        Some(current) => named = current,
                        None => return Ok(Moved::NotNeeded),
                    }
                }
            }
        }
    }

    async fn claim(
        &self,
        stream: StreamId,
        expected: Version,
        release: Vec<ClearClaim>,
        take: ClearClaim,
    ) -> Result<Moves, RefoldError> {
        let changes = ClaimChanges { release, take: vec![take], require: Vec::new() };
        let claims = self.keys.seal(stream.organization, &|| self.ids.key(), changes).await?;
        let (recorded_at, actor) = (self.clock.now(), Actor::System);
        let write =
            Write { stream, expected, events: Vec::new(), claims, recorded_at, actor, cause: None };
        match self
            .log
            .append(Append {
                organization: stream.organization,
                write: Some(write),
                exchange: None,
            })
            .await
        {
            Ok(_) => Ok(Moves::Done),
            Err(AppendError::ClaimTaken { .. }) => Ok(Moves::Contested),
            Err(AppendError::LostRace { actual, .. }) => Ok(Moves::Overtaken(actual)),
            Err(error) => Err(error.into()),
        }
    }
}

enum Moved {
    Yes,
    NotNeeded,
    Contested,
}

enum Moves {
    Done,
    Contested,
    /// The stream has another version.
    Overtaken(Version),
}

/// Keeps a user for as long as the name has another fold than it had.
fn follow(found: &mut HashMap<StreamId, Named>, record: &Record) -> Result<(), LogError> {
    if record.is_lost() {
        if let Some(known) = found.get_mut(&record.stream) {
            known.version = record.version;
        }
        return Ok(());
    }
    let event: UserEvent = decode(record).map_err(|e| LogError::Damaged(e.to_string()))?;
    let created = found.get(&record.stream).map_or(record.position, |known| known.created);
    match (named(&event), &event) {
        (Some(name), _)
            if NameFold::ALL.iter().any(|fold| fold.fold(name) != fold_user_name(name)) =>
        {
            found.insert(
                record.stream,
                Named { created, version: record.version, name: name.to_owned() },
            );
        }
        (Some(_), _) | (None, UserEvent::Deleted { .. }) => {
            found.remove(&record.stream);
        }
        (None, _) => {
            if let Some(known) = found.get_mut(&record.stream) {
                known.version = record.version;
            }
        }
    }
    Ok(())
}
