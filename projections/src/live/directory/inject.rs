//! Which members (of a group) or groups (of a user) a filter must see.

use rollcall_domain::scim::{AttributePath, CompareOp, Filter};
use serde_json::Value;
use std::collections::BTreeSet;

/// What must be put beside a resource before it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The filter does not speak of them.
    Nothing,
    /// Only those with these ids, by their `value`: whether one of them is there is all that
    /// matters.
    Named(BTreeSet<String>),
    /// All of them, complete.
    All,
}

/// What a filter must see of the attribute `members` or `groups`.
pub(super) fn need(filter: &Filter, attribute: &str) -> Need {
    walk(filter, &|filter| match filter {
        Filter::Compare { path, .. } | Filter::Present(path) | Filter::ValuePath { path, .. }
            if !names(path, attribute) =>
        {
            Need::Nothing
        }
        // `ne` is the opposite of `eq`, so it sees as much.
        Filter::Compare { path, op: CompareOp::Equal | CompareOp::NotEqual, value }
            if path.filter.is_none() && is_value(&path.sub) =>
        {
            named(value)
        }
        Filter::ValuePath { filter, .. } => within(filter),
        _ => Need::All,
    })
}

/// Inside brackets one element is judged, so only `eq` looks for a named one.
fn within(filter: &Filter) -> Need {
    match filter {
        Filter::And(..) | Filter::Or(..) => walk(filter, &within),
        Filter::Compare { path, op: CompareOp::Equal, value } if path.attribute == "value" => {
            named(value)
        }
        _ => Need::All,
    }
}

fn walk(filter: &Filter, leaf: &dyn Fn(&Filter) -> Need) -> Need {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) => match (walk(a, leaf), walk(b, leaf)) {
            (Need::Nothing, other) | (other, Need::Nothing) => other,
            (Need::Named(mut a), Need::Named(b)) => {
                a.extend(b);
                Need::Named(a)
            }
            _ => Need::All,
        },
        Filter::Not(a) => walk(a, leaf),
        other => leaf(other),
    }
}

fn names(path: &AttributePath, attribute: &str) -> bool {
    path.urn.is_none() && path.attribute == attribute
}

fn is_value(sub: &Option<String>) -> bool {
    matches!(sub.as_deref(), None | Some("value"))
}

fn named(value: &Value) -> Need {
    // Ids are kept in lower case; `value` is compared without regard to it (RFC 7643 section
    // 8.7.1).
    value.as_str().map_or(Need::All, |id| Need::Named(BTreeSet::from([id.to_lowercase()])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::interpretation::Notes;
    use rollcall_domain::scim::{Limits, ResourceKind, parse_filter};

    #[test]
    fn no_more_than_needed() {
        let check = |text: &str, expected: Need| {
            let filter =
                parse_filter(ResourceKind::Group, text, &Limits::default(), &mut Notes::default())
                    .expect(text);
            assert_eq!(need(&filter, "members"), expected, "{text}");
        };
        let ids = |ids: &[&str]| Need::Named(ids.iter().map(|i| (*i).to_owned()).collect());
        check(r#"displayName eq "x""#, Need::Nothing);
        check(r#"id eq "g" and members eq "U""#, ids(&["u"]));
        check(r#"not (members.value eq "u") or members ne "v""#, ids(&["u", "v"]));
        check(r#"members[value eq "u" or value eq "v"]"#, ids(&["u", "v"]));
        check(r#"members[not (value eq "u")]"#, Need::All);
        check(r#"members[value ne "u"]"#, Need::All);
        check(r#"members[value eq "u" and type eq "User"]"#, Need::All);
        check("members pr", Need::All);
        check(r#"members.value sw "u""#, Need::All);
        check("members eq null", Need::All);
    }
}
