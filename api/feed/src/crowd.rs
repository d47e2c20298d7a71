//! Whom a consumer follows that follows groups: who was a member of one of them, and when. What is
//! told follows from the log alone, so that it is the same whoever asks, and whenever.

use rollcall_domain::consumer::Payload;
use rollcall_domain::event::{DecodeError, DomainEvent};
use rollcall_domain::ids::{ConsumerId, OrganizationId, ResourceId};
use rollcall_domain::log::{AggregateKind, Position, Record};
use rollcall_domain::outbound::{Passage, Told, of_record, sources, tell, with_passages};
use rollcall_domain::public_type::{PublicType, TypeFilter};
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::SqlError;
use rollcall_door::{App, Refusal};
use rollcall_projections::consumers::ConsumerRow;
use rollcall_projections::events::EventIndex;
use rollcall_projections::history::{History, Spell};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// So many crowds are remembered; then all are forgotten, and read again when they are asked for.
const REMEMBERED: usize = 256;

/// From which position on somebody was followed, and from which on no more.
type Span = (Position, Position);

/// Whom one consumer follows, up to some position.
pub struct Crowd {
    organization: OrganizationId,
    groups: Vec<ResourceId>,
    spans: HashMap<Uuid, Vec<Span>>,
    /// Who enters, and who leaves, at which position; in order of their ids.
    passes: BTreeMap<Position, Vec<(Uuid, bool)>>,
    history: History,
}

/// Why a record could not be told.
#[derive(Debug, thiserror::Error)]
pub enum CrowdError {
    /// It cannot be understood.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// What somebody was at that time cannot be read.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl Crowd {
    fn new(
        organization: OrganizationId,
        groups: &[ResourceId],
        spells: Vec<Spell>,
        history: History,
    ) -> Self {
        let mut spans: HashMap<Uuid, Vec<Span>> = HashMap::new();
        for spell in spells {
            spans.entry(spell.member.0).or_default().push((spell.since(), spell.until));
        }
        let mut passes: BTreeMap<Position, Vec<(Uuid, bool)>> = BTreeMap::new();
        for (user, spans) in &mut spans {
            *spans = merged(std::mem::take(spans));
            for (since, until) in spans {
                passes.entry(*since).or_default().push((*user, true));
                passes.entry(*until).or_default().push((*user, false));
            }
        }
        passes.values_mut().for_each(|all| all.sort_unstable());
        Self { organization, groups: groups.to_vec(), spans, passes, history }
    }

    /// Whether a user was followed right before or at a position.
    pub fn follows(&self, user: Uuid, position: Position) -> bool {
        self.spans.get(&user).is_some_and(|spans| {
            spans.iter().any(|(since, until)| *since < position && position <= *until)
        })
    }

    /// Whether a user is followed after what stands at a position.
    pub fn holds(&self, user: Uuid, position: Position) -> bool {
        self.spans.get(&user).is_some_and(|spans| {
            spans.iter().any(|(since, until)| *since <= position && position < *until)
        })
    }

    /// Whether a group is one that is followed.
    pub fn is_named(&self, group: Uuid) -> bool {
        self.groups.iter().any(|named| named.0 == group)
    }

    /// What a record tells.
    ///
    /// # Errors
    /// If it cannot be understood, whoever it is about, or the views cannot be read.
    pub async fn tell(
        &self,
        record: &Record,
        types: &TypeFilter,
        payload: Payload,
    ) -> Result<Option<Told>, CrowdError> {
        let (kind, id) = (record.stream.kind, record.stream.id);
        match kind {
            AggregateKind::User if self.is_told(record) => Ok(tell(record, types, payload)?),
            AggregateKind::Group if self.is_named(id) => {
                let told = tell(record, types, payload)?;
                let passages = self.passages(record).await?;
                Ok(with_passages(record, told, passages, types, payload))
            }
            // What this version does not know might be for somebody.
            _ => Ok(DomainEvent::decode(record).map(|_| None)?),
        }
    }

    /// Who was followed once is to be forgotten once they are erased.
    fn is_told(&self, record: &Record) -> bool {
        let (user, position) = (record.stream.id, record.position);
        let spans = self.spans.get(&user);
        let was_once = || spans.is_some_and(|all| all.iter().any(|span| span.0 < position));
        self.follows(user, position)
            || (of_record(record) == Some(PublicType::UserErased) && was_once())
    }

    async fn passages(&self, record: &Record) -> Result<Vec<Passage>, SqlError> {
        let mut passages = Vec::new();
        for (user, enters) in self.passes.get(&record.position).into_iter().flatten() {
            let (organization, user) = (self.organization, ResourceId(*user));
            let at = record.position;
            let found = self.history.resource(organization, ResourceKind::User, user, at).await?;
            let row = found.ok_or_else(|| SqlError::Shape("a member who is not there".into()))?;
            let (version, attributes) = (row.version, row.attributes);
            passages.push(Passage { user, enters: *enters, version, attributes });
        }
        Ok(passages)
    }

    /// Where the last record up to a position stands that may tell something; 0 if there is none.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn last_before(
        &self,
        index: &EventIndex,
        types: &TypeFilter,
        until: Position,
    ) -> Result<Position, SqlError> {
        let passes = types.wants(PublicType::UserEntered) || types.wants(PublicType::UserLeft);
        let of_groups = sources(|public| {
            let moves = [
                PublicType::GroupMemberAdded,
                PublicType::GroupMemberRemoved,
                PublicType::GroupDeleted,
            ];
            types.wants(public) || (passes && moves.contains(&public))
        });
        let erased = |public| public == PublicType::UserErased && types.wants(public);
        let of_users = sources(|public| types.wants(public) && !erased(public));
        let groups: Vec<Uuid> = self.groups.iter().map(|group| group.0).collect();
        let found = index.last_of_subjects(self.organization, &of_groups, &groups, until).await?;
        let mut last = found.into_iter().map(|found| found.position).max().unwrap_or(0);
        let users: Vec<Uuid> = self.spans.keys().copied().collect();
        let erasures = sources(erased);
        let ends = index.last_of_subjects(self.organization, &erasures, &users, until).await?;
        last = ends.into_iter().map(|found| found.position).max().unwrap_or(0).max(last);
        for found in index.last_of_subjects(self.organization, &of_users, &users, until).await? {
            let mut position = found.position;
            while position > last && !self.follows(found.subject, position) {
                // Not before they were followed the time before.
                let spans = self.spans.get(&found.subject).into_iter().flatten();
                let bound = spans.filter(|span| span.0 < position - 1).map(|span| span.1).max();
                let Some(bound) = bound.map(|bound| bound.min(position - 1)) else {
                    position = 0;
                    break;
                };
                let one = [found.subject];
                let again =
                    index.last_of_subjects(self.organization, &of_users, &one, bound).await?;
                position = again.first().map_or(0, |found| found.position);
            }
            last = last.max(position);
        }
        Ok(last)
    }
}

/// Spans that touch are one.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for (since, until) in spans {
        match merged.last_mut() {
            Some(last) if since <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((since, until)),
        }
    }
    merged
}

/// Each crowd with the position up to which it is known.
type Known = HashMap<(OrganizationId, ConsumerId), (Position, Arc<Crowd>)>;

/// The crowds of the consumers of one process.
#[derive(Default)]
pub struct Crowds(Mutex<Known>);

impl Crowds {
    /// Whom a consumer follows up to a position of the log; none if everybody.
    ///
    /// # Errors
    /// If the views cannot be brought that far or read.
    pub async fn of(
        &self,
        app: &App,
        row: &ConsumerRow,
        head: Position,
    ) -> Result<Option<Arc<Crowd>>, Refusal> {
        if row.groups.is_everybody() {
            return Ok(None);
        }
        let key = (row.organization, row.id);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((up_to, crowd)) = &known
            && *up_to >= head
        {
            return Ok(Some(crowd.clone()));
        }
        let history = app.audit.of(row.organization).await?.history;
        let groups = row.groups.groups();
        let crowd = match known {
            Some((up_to, crowd))
                if !history.passed_since(row.organization, groups, up_to).await? =>
            {
                crowd
            }
            _ => {
                let spells = history.spells(row.organization, groups).await?;
                Arc::new(Crowd::new(row.organization, groups, spells, history))
            }
        };
        let mut crowds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if crowds.len() >= REMEMBERED {
            crowds.clear();
        }
        crowds.insert(key, (head, crowd.clone()));
        Ok(Some(crowd))
    }
}
