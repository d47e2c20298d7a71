//! Where a person is found: at once in their own records, and with a scan in what others said.

use super::{NotErased, PAGE, of};
use crate::Engine;
use rollcall_domain::erasure::Identifiers;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{
    AggregateKind, Bodies, DataKey, ExchangeNumber, KeyId, LogError, Position, Record, Sealed,
    StreamId,
};
use rollcall_domain::user::UserEventKind;
use std::collections::BTreeSet;

/// Where a person is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Whether the directory has them.
    pub is_present: bool,
    /// Whether as somebody who is active.
    pub is_active: bool,
    /// Where it was said that nobody may erase them, if that holds.
    pub held_at: Option<Position>,
    /// Where it was said that they are erased.
    pub erased_at: Option<Position>,
    /// Records of theirs.
    pub records: u64,
    /// Keys that live, with which what is theirs is sealed.
    pub keys: BTreeSet<KeyId>,
    /// Positions of logins of nobody that name them.
    pub logins: Vec<Position>,
    /// Exchanges that name them and are not sealed with these keys alone.
    pub exchanges: Vec<ExchangeNumber>,
}

/// A person as their own records tell of them; the rest needs a scan.
pub(super) struct Person {
    pub user: ResourceId,
    pub traces: Traces,
    identifiers: Identifiers,
}

impl Person {
    /// Whether what they are called cannot be read though they were not erased.
    pub fn is_unreadable(&self) -> bool {
        let Traces { erased_at, keys, .. } = &self.traces;
        self.identifiers.is_empty() && keys.is_empty() && erased_at.is_none()
    }

    fn is_in(&self, exchange: &Exchange) -> bool {
        !exchange.is_erased()
            && (exchange.subject.as_deref() == Some(self.user.to_string().as_str())
                || self.identifiers.are_in_exchange(exchange))
    }
}

impl Engine {
    /// Where a person is found. Reads every exchange of the organization.
    ///
    /// # Errors
    /// If they were never here, or the log cannot be read.
    pub async fn traces(
        &self,
        organization: OrganizationId,
        user: ResourceId,
    ) -> Result<Traces, NotErased> {
        let mut people = [self.person(organization, user).await?];
        if people[0].is_unreadable() {
            return Err(NotErased::Unreadable);
        }
        self.scan_logins(organization, &mut people).await?;
        self.scan_exchanges(organization, 0, &mut people).await?;
        let [person] = people;
        Ok(person.traces)
    }

    /// What a person's own records tell. Reads nothing else.
    pub(super) async fn person(
        &self,
        organization: OrganizationId,
        user: ResourceId,
    ) -> Result<Person, NotErased> {
        let (seal, stream) = (self.seal()?, of(organization, user));
        let records = self.log.load(&stream, 0).await?;
        if records.is_empty() {
            return Err(NotErased::Unknown(user));
        }
        let last = |kinds: &[UserEventKind]| {
            let is_one = |r: &&Record| kinds.iter().any(|kind| r.event_type == kind.as_str());
            records.iter().rev().find(is_one)
        };
        let is = |record: Option<&Record>, kind: UserEventKind| {
            record.is_some_and(|record| record.event_type == kind.as_str())
        };
        let is_present = last(&[UserEventKind::Deleted]).is_none();
        let switched =
            last(&[UserEventKind::Activated, UserEventKind::Deactivated, UserEventKind::Created]);
        let held = last(&[UserEventKind::Held, UserEventKind::Released]);
        let mut traces = Traces {
            is_present,
            is_active: is_present
                && switched.is_some()
                && !is(switched, UserEventKind::Deactivated),
            held_at: held.filter(|r| is(Some(r), UserEventKind::Held)).map(|r| r.position),
            erased_at: last(&[UserEventKind::Erased]).map(|r| r.position),
            records: records.len() as u64,
            ..Traces::default()
        };
        let mut keys = BTreeSet::new();
        for record in seal.stored().load(&stream, 0).await? {
            keys.extend(seal.keys_of(&record)?);
        }
        traces.keys = living(seal, organization, keys).await?;
        Ok(Person { user, traces, identifiers: Identifiers::of(&records) })
    }

    /// Adds the logins of nobody that name these people, and their keys.
    pub(super) async fn scan_logins(
        &self,
        organization: OrganizationId,
        people: &mut [Person],
    ) -> Result<(), NotErased> {
        let seal = self.seal()?;
        let kind = AggregateKind::Organization;
        let whole = StreamId { organization, kind, id: organization.0 };
        let opened = self.log.load(&whole, 0).await?;
        for (shown, kept) in opened.iter().zip(seal.stored().load(&whole, 0).await?) {
            let sealed_with = seal.keys_of(&kept)?;
            if sealed_with.is_empty() {
                continue;
            }
            for person in people.iter_mut().filter(|p| p.identifiers.are_in(&shown.payload)) {
                person.traces.logins.push(shown.position);
                person.traces.keys.extend(&sealed_with);
            }
        }
        Ok(())
    }

    /// Adds the exchanges behind a number that name these people, or are about them; gives the number
    /// of the last that was read.
    pub(super) async fn scan_exchanges(
        &self,
        organization: OrganizationId,
        mut after: ExchangeNumber,
        people: &mut [Person],
    ) -> Result<ExchangeNumber, LogError> {
        loop {
            let page = self.log.exchanges(organization, after, PAGE, Bodies::Read).await?;
            for recorded in &page {
                after = recorded.number;
                for person in people.iter_mut().filter(|p| p.is_in(&recorded.exchange)) {
                    person.traces.exchanges.push(recorded.number);
                }
            }
            if page.len() < PAGE {
                return Ok(after);
            }
        }
    }
}

async fn living(
    seal: &dyn Sealed,
    organization: OrganizationId,
    keys: BTreeSet<KeyId>,
) -> Result<BTreeSet<KeyId>, LogError> {
    let ids: Vec<KeyId> = keys.into_iter().collect();
    let known = seal.keys().some(organization, &ids).await?;
    let lives = |(id, key)| matches!(key, DataKey::Living(_)).then_some(id);
    Ok(known.into_iter().filter_map(lives).collect())
}
