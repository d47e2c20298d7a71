//! By which rule something came out otherwise.
//!
//! A log is older than the code that replays it. Where a rule has changed since, the same request
//! gives something else, and has to: such a difference is told under its rule. One that no rule
//! explains is a fault of the code or of the log.

use super::scratch::Ran;
use rollcall_domain::event::decode;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::fold_text::{NameFold, fold_user_name};
use rollcall_domain::interpretation::Reading;
use rollcall_domain::log::{AggregateKind, Record};
use rollcall_domain::user::{UserEvent, named};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// A rule that has changed since something was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The request is read with a liberty that was not taken then.
    Reading(Reading),
    /// What nobody sees at the ends of a `userName` makes no other user.
    UserNameEnds,
}

impl Rule {
    /// The stable name: that of the reading, where it is one.
    pub fn name(self) -> String {
        match self {
            Rule::Reading(reading) => reading.name(),
            Rule::UserNameEnds => "user-name-ends".to_owned(),
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

/// The rules that explain why an exchange came out otherwise, from what the new run says of itself.
/// `others` are the names that users of the fork have which are one with a name that was given then.
pub fn rules(recorded: &Exchange, ran: &Ran, others: &[String], given: &[String]) -> BTreeSet<Rule> {
    let then: BTreeSet<Reading> = recorded.interpretations.iter().map(|i| i.reading).collect();
    let now = ran.exchange.interpretations.iter().map(|i| i.reading);
    let mut rules: BTreeSet<Rule> = now.filter(|reading| !then.contains(reading)).map(Rule::Reading).collect();
    let taken = ran.exchange.answer.scim_type.as_deref() == Some("uniqueness") && recorded.answer.status < 400;
    let told_apart =
        |a: &String, b: &String| fold_user_name(a) == fold_user_name(b) && NameFold::AsSent.fold(a) != NameFold::AsSent.fold(b);
    if taken && given.iter().any(|name| others.iter().any(|other| told_apart(name, other))) {
        rules.insert(Rule::UserNameEnds);
    }
    rules
}

/// The names that records give to users.
pub fn given_names(records: &[Record]) -> Vec<String> {
    let users = records.iter().filter(|r| r.stream.kind == AggregateKind::User);
    let events = users.filter_map(|record| decode::<UserEvent>(record).ok());
    events.filter_map(|event| named(&event).map(str::to_owned)).collect()
}
