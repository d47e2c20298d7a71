//! By which rule something came out otherwise.
//!
//! A log is older than the code that replays it. Where a rule has changed since, the same request
//! gives something else, and has to: such a difference is told under its rule. One that no rule
//! explains is a fault of the code or of the log.

use super::scratch::Ran;
use rollcall_domain::event::decode;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::fold_text::{NameFold, fold_user_name};
use rollcall_domain::interpretation::{Notes, Reading};
use rollcall_domain::log::{AggregateKind, Record};
use rollcall_domain::scim::{self, Filter, Limits, ResourceKind, parse_filter};
use rollcall_domain::user::{UserEvent, named};
use serde_json::Value;
use std::collections::BTreeSet;

/// A rule that has changed since something was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The request is read with a liberty that was not taken then.
    Reading(Reading),
    /// The request is refused by a rule that was none then.
    Refusal(scim::Rule),
    /// Members carry `$ref` and `type` in every answer.
    MemberForm,
    /// What nobody sees at the ends of a `userName` makes no other user.
    UserNameEnds,
}

impl Rule {
    /// The stable name: that of the reading, where it is one.
    pub fn name(self) -> String {
        match self {
            Rule::Reading(reading) => reading.name(),
            Rule::Refusal(rule) => rule.name(),
            Rule::MemberForm => "member-form".to_owned(),
            Rule::UserNameEnds => "user-name-ends".to_owned(),
        }
    }
}

/// The rules that explain why an exchange came out otherwise, from what the new run says of itself.
/// `others` are the names that users of the fork have which are one with a name that was given
/// then.
pub fn rules(
    recorded: &Exchange,
    ran: &Ran,
    others: &[String],
    given: &[String],
) -> BTreeSet<Rule> {
    let then: BTreeSet<Reading> = recorded.interpretations.iter().map(|i| i.reading).collect();
    let now = ran.exchange.interpretations.iter().map(|i| i.reading);
    let mut rules: BTreeSet<Rule> =
        now.filter(|reading| !then.contains(reading)).map(Rule::Reading).collect();
    rules.extend(
        ran.exchange
            .answer
            .rule
            .filter(|rule| recorded.answer.rule != Some(*rule))
            .map(Rule::Refusal),
    );
    let (then, now) = (&recorded.answer_body, &ran.exchange.answer_body);
    if bare_members(then) == bare_members(now) && members(then) != members(now) {
        rules.insert(Rule::MemberForm);
    }
    let taken = ran.exchange.answer.scim_type.as_deref() == Some("uniqueness")
        && recorded.answer.status < 400;
    let shown = [&recorded.answer_body, &ran.exchange.answer_body]
        .into_iter()
        .flat_map(|body| shown_names(body))
        .collect::<Vec<_>>();
    if taken && are_one_by_now(given, others) || are_one_by_now(&compared_names(recorded), &shown) {
        rules.insert(Rule::UserNameEnds);
    }
    rules
}

/// The members in an answer.
fn members(body: &[u8]) -> Value {
    serde_json::from_slice::<Value>(body)
        .map(|mut resource| resource["members"].take())
        .unwrap_or_default()
}

/// The members in an answer by nothing but their ids.
fn bare_members(body: &[u8]) -> Vec<Value> {
    let members = members(body);
    members.as_array().into_iter().flatten().map(|member| member["value"].clone()).collect()
}

/// Whether a name of one list and a name of the other are one now, and were two.
fn are_one_by_now(some: &[String], others: &[String]) -> bool {
    let told_apart = |a: &String, b: &String| {
        fold_user_name(a) == fold_user_name(b)
            && NameFold::AsSent.fold(a) != NameFold::AsSent.fold(b)
    };
    some.iter().any(|name| others.iter().any(|other| told_apart(name, other)))
}

/// The names that users are looked for by in a list.
fn compared_names(exchange: &Exchange) -> Vec<String> {
    let query = exchange.target.split_once('?').map_or("", |(_, query)| query);
    let filters = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name.eq_ignore_ascii_case("filter"));
    let parsed = filters.filter_map(|(_, text)| {
        parse_filter(ResourceKind::User, &text, &Limits::default(), &mut Notes::default()).ok()
    });
    let mut names = Vec::new();
    parsed.for_each(|filter| gather(&filter, &mut names));
    names
}

fn gather(filter: &Filter, names: &mut Vec<String>) {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) => {
            gather(a, names);
            gather(b, names);
        }
        Filter::Not(inner) => gather(inner, names),
        Filter::Compare { path, value: Value::String(text), .. }
            if path.leaf_def(ResourceKind::User).is_some_and(|d| d.ends_ignored) =>
        {
            names.push(text.clone());
        }
        Filter::Compare { .. } | Filter::Present(_) | Filter::ValuePath { .. } => {}
    }
}

/// The names of the users in a list.
fn shown_names(body: &[u8]) -> Vec<String> {
    let list: Value = serde_json::from_slice(body).unwrap_or_default();
    let users = list["Resources"].as_array().into_iter().flatten();
    users.filter_map(|user| user["userName"].as_str().map(str::to_owned)).collect()
}

/// The names that records give to users.
pub fn given_names(records: &[Record]) -> Vec<String> {
    let users = records.iter().filter(|r| r.stream.kind == AggregateKind::User);
    let events = users.filter_map(|record| decode::<UserEvent>(record).ok());
    events.filter_map(|event| named(&event).map(str::to_owned)).collect()
}
