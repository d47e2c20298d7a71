//! From a filter to lookups by index.

use crate::text::{lookup_key, user_key};
use rollcall_domain::scim::{AttributePath, CompareOp, ENTERPRISE_URN, Filter, ResourceKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What resources can be looked up by, the one that finds fewest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    Id,
    UserName,
    ExternalId,
    Email,
    DisplayName,
    Manager,
    /// Groups by member.
    Member,
    /// Users by group.
    Group,
}

impl By {
    fn key(self, value: &str) -> String {
        match self {
            By::UserName => user_key(value),
            _ => lookup_key(value),
        }
    }

    /// The condition, with the keys' placeholders; `$1` is the organization.
    pub fn condition(self, keys: &str) -> String {
        match self {
            By::Id => format!("id IN ({keys})"),
            By::UserName => format!("user_name IN ({keys})"),
            By::ExternalId => format!("external_id IN ({keys})"),
            By::DisplayName => format!("display_name IN ({keys})"),
            By::Manager => format!("manager IN ({keys})"),
            By::Email => format!(
                "seq IN (SELECT seq FROM directory_emails WHERE organization = $1 AND value IN ({keys}))"
            ),
            By::Member => format!(
                "id IN (SELECT group_id FROM directory_members WHERE organization = $1 AND member_id IN ({keys}))"
            ),
            By::Group => format!(
                "id IN (SELECT member_id FROM directory_members WHERE organization = $1 AND group_id IN ({keys}))"
            ),
        }
    }
}

/// Lookups whose results together hold every match, and usually more.
pub(super) type Plan = BTreeMap<By, BTreeSet<String>>;

/// The lookups for a filter; none if it can only be answered by looking at every resource.
pub(super) fn plan(kind: ResourceKind, filter: &Filter) -> Option<Plan> {
    combined(filter, &|filter| match filter {
        Filter::Compare { path, op: CompareOp::Equal, value } => {
            lookup(indexed(kind, path, path.sub.as_deref())?, value)
        }
        Filter::ValuePath { path, filter } => {
            let by = indexed(kind, path, Some("value"))?;
            combined(filter, &|inner| match inner {
                Filter::Compare { path, op: CompareOp::Equal, value }
                    if path.attribute == "value" =>
                {
                    lookup(by, value)
                }
                _ => None,
            })
        }
        _ => None,
    })
}

fn combined(filter: &Filter, leaf: &dyn Fn(&Filter) -> Option<Plan>) -> Option<Plan> {
    match filter {
        // Either side holds all matches: take the one that finds fewer.
        Filter::And(a, b) => match (combined(a, leaf), combined(b, leaf)) {
            (Some(a), Some(b)) => Some(if cost(&b) < cost(&a) { b } else { a }),
            (one, other) => one.or(other),
        },
        Filter::Or(a, b) => {
            let mut all = combined(a, leaf)?;
            for (by, keys) in combined(b, leaf)? {
                all.entry(by).or_default().extend(keys);
            }
            Some(all)
        }
        Filter::Not(_) => None,
        other => leaf(other),
    }
}

fn cost(plan: &Plan) -> (Option<By>, usize) {
    (plan.keys().last().copied(), plan.values().map(BTreeSet::len).sum())
}

fn lookup(by: By, value: &Value) -> Option<Plan> {
    Some(Plan::from([(by, BTreeSet::from([by.key(value.as_str()?)]))]))
}

fn indexed(kind: ResourceKind, path: &AttributePath, sub: Option<&str>) -> Option<By> {
    let value = matches!(sub, None | Some("value"));
    match (kind, path.urn.as_deref(), path.attribute.as_str()) {
        (_, None, "id") => Some(By::Id),
        (_, None, "externalId") => Some(By::ExternalId),
        (_, None, "displayName") => Some(By::DisplayName),
        (ResourceKind::User, None, "userName") => Some(By::UserName),
        (ResourceKind::User, None, "emails") if value => Some(By::Email),
        (ResourceKind::User, None, "groups") if value => Some(By::Group),
        (ResourceKind::User, Some(ENTERPRISE_URN), "manager") if value => Some(By::Manager),
        (ResourceKind::Group, None, "members") if value => Some(By::Member),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::interpretation::Notes;
    use rollcall_domain::scim::{Limits, parse_filter};

    fn check(kind: ResourceKind, text: &str, expected: &[(By, &[&str])]) {
        let filter =
            parse_filter(kind, text, &Limits::default(), &mut Notes::default()).expect(text);
        let expected = expected
            .iter()
            .map(|(by, keys)| (*by, keys.iter().map(|k| (*k).to_owned()).collect()))
            .collect::<Plan>();
        assert_eq!(plan(kind, &filter).unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn lookups_hold_every_match() {
        use ResourceKind::{Group, User};
        check(User, r#"userName eq "ADA@X""#, &[(By::UserName, &["ada@x"])]);
        check(User, r#"userName eq " ADA@X\n ""#, &[(By::UserName, &["ada@x"])]);
        check(User, r#"emails[type eq "work"].value eq "A@x""#, &[(By::Email, &["a@x"])]);
        check(User, r#"emails eq "a@x" or emails.value eq "b@x""#, &[(By::Email, &["a@x", "b@x"])]);
        check(User, r#"emails[value eq "a" or type eq "work"]"#, &[]);
        check(User, r#"emails[not (value eq "a")]"#, &[]);
        check(User, r#"manager eq "M" and id eq "u""#, &[(By::Id, &["u"])]);
        check(User, r#"id eq "u" and manager eq "m""#, &[(By::Id, &["u"])]);
        check(User, r#"active eq true and externalId eq "7""#, &[(By::ExternalId, &["7"])]);
        check(
            User,
            r#"userName eq "a" or externalId eq "b""#,
            &[(By::UserName, &["a"]), (By::ExternalId, &["b"])],
        );
        check(User, r#"userName eq "a" or active eq true"#, &[]);
        check(User, r#"not (userName eq "a")"#, &[]);
        check(User, r#"userName ne "a""#, &[]);
        check(User, r#"externalId eq null"#, &[]);
        check(User, r#"emails.type eq "work""#, &[]);
        check(User, r#"groups.value eq "g""#, &[(By::Group, &["g"])]);
        check(Group, r#"id eq "g" and members eq "u""#, &[(By::Id, &["g"])]);
        check(Group, r#"members[value eq "u"]"#, &[(By::Member, &["u"])]);
        check(Group, r#"members.type eq "User""#, &[]);
        check(Group, r#"displayName eq "Building A""#, &[(By::DisplayName, &["building a"])]);
    }
}
