//! What of an organization's log was lost, and of which streams: a record that is not there has left
//! a hole in the versions of its stream, unless it was the last of it.

use crate::Engine;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    Damage, Log, LogError, Position, Record, StreamId, Version, damaged, sound,
};
use std::collections::HashMap;

/// Records read at once.
const PAGE: u64 = 1_000;
/// Records that may be lost before nothing but a backup helps.
pub const MOST: usize = 10_000;

/// A record that was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where it was.
    pub position: Position,
    /// What has become of it.
    pub damage: Damage,
    /// Of which stream it was, and at which version; none if nothing tells.
    pub of: Option<(StreamId, Version)>,
    /// The time of the last record before it that can be read.
    pub before: DateTime<Utc>,
}

impl Loss {
    /// Whether it is what brought its organization into being: that is the first record of its log.
    pub fn is_the_beginning(&self) -> bool {
        self.position == 1
    }
}

impl Engine {
    /// What of an organization's log was lost, at most [`MOST`].
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn losses(&self, organization: OrganizationId) -> Result<Vec<Loss>, LogError> {
        let head = self.log.head(organization).await?.position;
        let damaged = damaged(&*self.log, organization, head, MOST).await?;
        if damaged.is_empty() {
            return Ok(Vec::new());
        }
        let holes = holes(&*self.log, organization, head).await?;
        Ok(attributed(damaged, holes))
    }
}

/// A version that a stream lacks, between two positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hole {
    stream: StreamId,
    version: Version,
    after: Position,
    before: Position,
}

/// What all records that can be read tell: versions that streams lack, and the times before the
/// positions of which nothing can be read.
struct Holes {
    holes: Vec<Hole>,
    times: HashMap<Position, DateTime<Utc>>,
}

async fn holes(
    log: &dyn Log,
    organization: OrganizationId,
    head: Position,
) -> Result<Holes, LogError> {
    let mut ends: HashMap<StreamId, (Version, Position)> = HashMap::new();
    let (mut holes, mut times) = (Vec::new(), HashMap::new());
    let (mut after, mut at) = (0, DateTime::UNIX_EPOCH);
    while after < head {
        let limit = usize::try_from(PAGE.min(head - after)).unwrap_or(1);
        match sound(log, organization, after, limit).await? {
            Ok(records) => {
                for record in records {
                    follow(&mut ends, &mut holes, &record);
                    (after, at) = (record.position, record.recorded_at);
                }
            }
            Err(_) => {
                after += 1;
                times.insert(after, at);
            }
        }
    }
    Ok(Holes { holes, times })
}

fn follow(
    ends: &mut HashMap<StreamId, (Version, Position)>,
    holes: &mut Vec<Hole>,
    record: &Record,
) {
    let (stream, before) = (record.stream, record.position);
    let (last, after) = ends.insert(stream, (record.version, before)).unwrap_or_default();
    let lacked = last + 1..record.version;
    holes.extend(lacked.map(|version| Hole { stream, version, after, before }));
}

/// Gives each lost record the version that its stream lacks: of those it can have been, the one
/// that has to be found first.
fn attributed(damaged: Vec<(Position, Damage)>, holes: Holes) -> Vec<Loss> {
    let Holes { mut holes, times } = holes;
    let losses = damaged.into_iter().map(|(position, damage)| {
        let fits =
            holes.iter().enumerate().filter(|(_, h)| h.after < position && position < h.before);
        let next = fits.min_by_key(|(_, hole)| (hole.before, hole.version)).map(|(at, _)| at);
        let of = next.map(|at| holes.remove(at)).map(|hole| (hole.stream, hole.version));
        let before = times.get(&position).copied().unwrap_or_default();
        Loss { position, damage, of, before }
    });
    losses.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::log::AggregateKind;
    use uuid::Uuid;

    fn stream(id: u128) -> StreamId {
        let (organization, kind) = (OrganizationId::NONE, AggregateKind::User);
        StreamId { organization, kind, id: Uuid::from_u128(id) }
    }

    /// A log of streams, of which some positions are lost: each gets back what it was, but for the
    /// last of a stream.
    #[test]
    fn what_was_lost_is_known_by_what_its_stream_lacks() {
        let log = [1, 2, 1, 3, 1, 2, 2, 1, 3];
        for lost in 1_u32..1 << log.len() {
            let is_lost = |position: u64| lost & (1 << (position - 1)) != 0;
            let (mut versions, mut ends, mut holes) =
                (HashMap::<u128, u64>::new(), HashMap::new(), Vec::new());
            let (mut damaged, mut was) = (Vec::new(), HashMap::new());
            for (position, id) in (1..).zip(log) {
                let version = versions.entry(id).or_default();
                *version += 1;
                was.insert(position, (stream(id), *version));
                if is_lost(position) {
                    damaged.push((position, Damage::Missing));
                    continue;
                }
                let (last, after) = ends.insert(stream(id), (*version, position)).unwrap_or((0, 0));
                holes.extend((last + 1..*version).map(|version| Hole {
                    stream: stream(id),
                    version,
                    after,
                    before: position,
                }));
            }
            let wanted = holes.len();
            let found = attributed(damaged, Holes { holes, times: HashMap::new() });
            let known: Vec<_> = found.iter().filter_map(|loss| loss.of).collect();
            assert_eq!(known.len(), wanted, "each version that is lacked is given: {lost:b}");
            // One that is lost alone is known for what it was, or for nothing.
            if let [only] = &found[..] {
                assert!(only.of.is_none_or(|of| of == was[&only.position]), "{lost:b}");
            }
        }
    }
}
