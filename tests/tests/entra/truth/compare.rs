//! The list of open failures against the truth, and the truth against the list.

use super::asked::{Thing, asked, path};
use super::now::{Now, Whose};
use super::wire::{Seen, Tenant};
use anyhow::{Context as _, Result};
use rollcall_domain::failure::AccessEnd;
use rollcall_entra::directory::Delta;
use rollcall_entra::transport::Method;
use rollcall_projections::failures::{FailureFilter, FailureRow};
use std::collections::{BTreeMap, BTreeSet};

/// Something of somebody.
type Item = (Option<Whose>, Thing);

/// What was found, over all looks.
#[derive(Debug, Default)]
pub struct Tally {
    pub looks: usize,
    pub requests: usize,
    pub opened: usize,
    pub cured: usize,
    pub open: usize,
    /// Things that open failures want, and that really do not hold.
    pub right: usize,
    /// Things that open failures want, and that do hold.
    pub wrong: BTreeSet<String>,
    /// Those of the last look alone: what a client does not want any more is seen an hour after it
    /// has looked again.
    late: BTreeSet<String>,
    /// Things that could not be read, and that the mapping still spoils now and then.
    pub undecided: usize,
    /// Things that really do not hold and that no open failure wants.
    pub missed: BTreeSet<String>,
    /// Failures of the application's own people.
    pub others: BTreeSet<String>,
    /// What Entra tries again although nothing that was refused is left of it.
    pub only_read: BTreeSet<Delta>,
    /// The same at the last look.
    pub last: String,
}

impl Tally {
    /// One look more.
    pub fn add(&mut self, look: Tally) {
        let last = format!(
            "{} requests, {} failures opened, {} cured, {} open",
            look.requests, look.opened, look.cured, look.open
        );
        *self = Self {
            looks: self.looks + 1,
            requests: look.requests,
            opened: look.opened,
            cured: look.cured,
            open: self.open + look.open,
            right: self.right + look.right,
            wrong: &self.wrong | &(&self.late & &look.wrong),
            late: look.wrong.clone(),
            undecided: self.undecided + look.undecided,
            missed: &self.missed | &look.missed,
            others: &self.others | &look.others,
            only_read: &self.only_read | &look.only_read,
            last: format!(
                "{last}; {} true, {} false, {} missed",
                look.right,
                (&self.late & &look.wrong).len(),
                look.missed.len()
            ),
        };
    }
}

/// What became last of a thing that Entra asked for.
struct Last {
    readable: bool,
    exchange: String,
}

/// What was refused and not asked for with success since.
fn refused(seen: &[Seen], now: &Now) -> BTreeMap<Item, Last> {
    let mut refused: BTreeMap<Item, Last> = BTreeMap::new();
    for request in seen {
        // A token that is not known names no organization.
        if matches!(request.method, Method::Get) || request.status == 401 {
            continue;
        }
        let whose = now.whose(&request.target, request.body.as_ref());
        let fails = request.status >= 400
            && !(matches!(request.method, Method::Delete) && request.status == 404);
        match (fails, request.method) {
            // Made anew or gone, there is nothing left that was refused before.
            (false, Method::Post | Method::Delete) => refused.retain(|(of, _), _| *of != whose),
            _ if !request.of_entra => {}
            _ => {
                let things = things(request, now);
                // Whoever compares sends all that differs: what could not be read is not sent any
                // more.
                if things.iter().any(|(thing, _)| !matches!(thing, Thing::Attribute(name) if name.ends_with(":manager"))) {
                    refused.retain(|(of, _), last| *of != whose || last.readable);
                }
                for (thing, readable) in things {
                    let item = (whose, thing);
                    if fails {
                        refused.insert(item, Last { readable, exchange: request.exchange.clone() });
                    } else {
                        refused.remove(&item);
                    }
                }
            }
        }
    }
    refused
}

fn things(request: &Seen, now: &Now) -> Vec<(Thing, bool)> {
    let asked = asked(request.method, request.body.as_ref()).into_iter();
    asked
        .map(|a| match a.thing {
            Thing::Member(id) => (Thing::Member(now.member(&id)), a.readable),
            thing => (thing, a.readable),
        })
        .collect()
}

/// What an open failure says that it wants, as things.
fn wanted(row: &FailureRow, seen: &[Seen], now: &Now) -> Result<Vec<Item>> {
    let last = row.last_exchange.to_string();
    let request = seen
        .iter()
        .rfind(|s| s.exchange == last)
        .context("a failure of a request that nobody sent")?;
    let whose = now.whose(&request.target, request.body.as_ref());
    let things = match request.method {
        Method::Get => Vec::new(),
        Method::Post => vec![Thing::Existence],
        Method::Delete => vec![Thing::Deletion],
        Method::Patch => {
            let keys = row.wants.iter().flatten();
            let read = keys.flat_map(|key| match key.split_once(':') {
                Some(("a", name)) => vec![Thing::Attribute(path(name))],
                Some(("m", id)) => vec![Thing::Member(now.member(id))],
                _ => unreadable(row, seen, now),
            });
            read.chain(row.ends.iter().filter_map(|end| ending(end, now))).collect()
        }
    };
    Ok(things.into_iter().map(|thing| (whose, thing)).collect())
}

/// An access that was to end, as a thing.
fn ending(end: &AccessEnd, now: &Now) -> Option<Thing> {
    match end {
        AccessEnd::Disabled { .. } => Some(Thing::Attribute(path("active"))),
        AccessEnd::Removed { member, .. } => Some(Thing::Member(now.member(&member.to_string()))),
        AccessEnd::UserDeleted { .. } | AccessEnd::GroupDeleted { .. } => Some(Thing::Deletion),
        AccessEnd::OthersRemoved { .. } | AccessEnd::SomebodyRemoved { .. } => None,
    }
}

/// What could not be read of the requests that met a failure.
fn unreadable(row: &FailureRow, seen: &[Seen], now: &Now) -> Vec<Thing> {
    let last = row.last_exchange.to_string();
    let met = seen.iter().filter(|s| s.exchange == last);
    met.flat_map(|s| things(s, now))
        .filter(|(_, readable)| !readable)
        .map(|(thing, _)| thing)
        .collect()
}

/// One look.
pub async fn compare(here: &Tenant, now: &Now) -> Result<Tally> {
    let failures = here.host().app().audit.of(here.organization).await?.failures;
    let all = failures
        .list(
            here.organization,
            &FailureFilter { cured: true, ..FailureFilter::default() },
            usize::MAX,
        )
        .await?;
    let open = failures.list(here.organization, &FailureFilter::default(), usize::MAX).await?;
    let seen = here.seen();
    let mut truth: BTreeMap<Item, Last> = refused(&seen, now);
    truth.retain(|(whose, thing), last| {
        whose.is_some_and(|w| !now.holds(w, thing) || (!last.readable && now.waits(w)))
    });
    let mut tally = Tally {
        requests: seen.len(),
        opened: all.len(),
        cured: all.len() - open.len(),
        open: open.len(),
        ..Tally::default()
    };
    let mut told: BTreeSet<Item> = BTreeSet::new();
    let unserved = seen.iter().rev().find(|s| s.status != 401).is_some_and(|s| s.status >= 500);
    for row in &open {
        let what = format!("{} {:?} {} since {}", row.operation, row.cause, row.id, row.first_at);
        if seen.iter().any(|s| s.exchange == row.last_exchange.to_string() && !s.of_entra) {
            tally.others.insert(what);
            continue;
        }
        let wanted = wanted(row, &seen, now)?;
        if wanted.is_empty() {
            // A reader's.
            if unserved {
                tally.right += 1
            } else {
                _ = tally.wrong.insert(what)
            }
            continue;
        }
        for item in wanted {
            if truth.contains_key(&item) {
                tally.right += 1;
            } else if now.broken && unreadable(row, &seen, now).contains(&item.1) {
                tally.undecided += 1;
            } else {
                let lately = lately(&seen, now, item.0);
                tally.wrong.insert(format!("{what}: {item:?}{lately}"));
            }
            told.insert(item);
        }
    }
    for (item, last) in &truth {
        if !told.contains(item) {
            let lately = lately(&seen, now, item.0);
            tally.missed.insert(format!("{item:?}, refused by {}{lately}", last.exchange));
        }
    }
    let about: BTreeSet<Whose> = truth.keys().filter_map(|(whose, _)| *whose).collect();
    tally.only_read =
        now.waiting().iter().copied().filter(|delta| !about.contains(&of(delta))).collect();
    Ok(tally)
}

/// What was asked lately about somebody, for whoever reads of a difference.
fn lately(seen: &[Seen], now: &Now, whose: Option<Whose>) -> String {
    let about = seen.iter().filter(|s| now.whose(&s.target, s.body.as_ref()) == whose);
    let mut last: Vec<String> = about
        .rev()
        .take(12)
        .map(|s| {
            let body = s.body.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("\n    {} {} {} {body} {}", s.at, s.method.as_str(), s.target, s.status)
        })
        .collect();
    last.reverse();
    last.concat()
}

fn of(delta: &Delta) -> Whose {
    match delta {
        Delta::User(key) | Delta::Manager(key) => Whose::User(*key),
        Delta::Group(key) | Delta::Member(key, _) => Whose::Group(*key),
    }
}
