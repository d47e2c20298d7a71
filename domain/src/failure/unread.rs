//! Operations of a PATCH that are refused for their form: what they are about, as far as that is
//! plain, so that it is settled when exactly that is done.

use super::plain::{active_of, ids_in, members_of, names_active, names_members};
use super::wanted::{Reader, ids, member, says_nothing};
use crate::facts::Change;
use crate::interpretation::Notes;
use crate::scim::{ResourceKind, names_password, parse_path};
use serde_json::{Value, json};

impl Reader<'_> {
    /// Reads an operation that is refused.
    pub(super) fn unreadable(&mut self, kind: ResourceKind, operation: &Value) {
        let Some(parts) = operation.as_object() else { return self.wants.unread += 1 };
        let text = |name| member(parts, name).and_then(Value::as_str).unwrap_or_default().trim();
        let (op, path) = (text("op").to_ascii_lowercase(), text("path"));
        let value = member(parts, "value").unwrap_or(&Value::Null);
        // What another word than these would do is not known; what it is about is.
        let removes = matches!(op.as_str(), "remove" | "delete");
        match kind {
            ResourceKind::User => self.unreadable_of_user(removes, path, value),
            ResourceKind::Group => self.unreadable_of_group(&op, removes, path, value),
        }
    }

    fn unreadable_of_user(&mut self, removes: bool, path: &str, value: &Value) {
        match () {
            () if removes && names_active(path) => self.wants.unread += 1,
            () if names_active(path) => self.set_active(value),
            () if removes || !path.is_empty() => {
                self.unreadable_path(ResourceKind::User, path, value)
            }
            () => self.unreadable_whole(ResourceKind::User, value),
        }
        // Below the schema as a path, or as a text.
        if !removes && !names_active(path) && active_of(&json!({ path: value })) == Some(false) {
            self.wants.ends_access = true;
        }
    }

    fn unreadable_of_group(&mut self, op: &str, removes: bool, path: &str, value: &Value) {
        let within = path.is_empty().then(|| members_of(value)).flatten();
        let members = within.as_ref().or(names_members(path).then_some(value));
        match members {
            Some(members) if removes => {
                let mut named = ids_in(&json!(path));
                named.append(&mut ids_in(members));
                self.wants.removes_somebody |= named.is_empty();
                self.wants.removed.extend(named);
                self.wants.ends_access = true;
            }
            Some(members) => {
                let (found, unread) = ids(members);
                self.wants.unread += unread.max(u64::from(found.is_empty()));
                match op {
                    "replace" => self.replace_members(found),
                    _ => self.wants.added.extend(found),
                }
            }
            None if removes || !path.is_empty() => {
                self.unreadable_path(ResourceKind::Group, path, value)
            }
            None => self.unreadable_whole(ResourceKind::Group, value),
        }
    }

    /// Without a path: the attributes that the value names.
    fn unreadable_whole(&mut self, kind: ResourceKind, value: &Value) {
        match value.as_object() {
            Some(parts) if !parts.is_empty() => parts.iter().for_each(|(name, part)| {
                match kind == ResourceKind::User && active_of(&json!({ name: part })).is_some() {
                    true => {
                        self.as_sent(kind, &[(name.clone(), part.clone())].into_iter().collect())
                    }
                    false => self.unreadable_path(kind, name, part),
                }
            }),
            _ => {
                self.wants.unread += 1;
                self.wants.ends_access |=
                    kind == ResourceKind::User && active_of(value) == Some(false);
            }
        }
    }

    /// One attribute. A path that is none of the schema's, or cannot be read, is known by its hash.
    fn unreadable_path(&mut self, kind: ResourceKind, path: &str, value: &Value) {
        if path.is_empty() || names_password(path) {
            return self.wants.unread += 1;
        }
        let known = parse_path(kind, path, &self.limits, &mut Notes::default());
        let name = match &known {
            Ok(known) if known.def(kind).is_some() => self.path(known),
            _ => format!("[{}]", (self.keyed)(&format!("path {path}"))),
        };
        let value = (!says_nothing(value))
            .then(|| (self.keyed)(&format!("{} {value}", name.to_ascii_lowercase())));
        self.wants.attributes.push(Change { path: name, value });
    }
}

#[cfg(test)]
mod tests {
    use super::super::wanted::{Wanted, wanted};
    use super::*;
    use crate::facts::Wants;
    use crate::scim::Limits;

    fn patch(kind: ResourceKind, operation: Value) -> Wants {
        let body = json!({ "Operations": [operation] });
        wanted(Wanted::Patch(kind), Some(&body), &Limits::default(), &|text| {
            format!("{:032x}", text.len())
        })
    }

    #[test]
    fn an_operation_that_is_refused_says_what_it_is_about() {
        let wants =
            patch(ResourceKind::User, json!({"op": "update", "path": "active", "value": false}));
        assert!(wants.ends_access && wants.unread == 0, "{wants:?}");
        let wants =
            patch(ResourceKind::User, json!({"op": "add", "path": "shoeSize", "value": 44}));
        assert!(!wants.ends_access && wants.attributes.len() == 1, "{wants:?}");
        let id = "01a20bb3-b0ca-75d7-884c-59eedd7a7ae2";
        let path = format!("members[value eq \"{id}\"");
        let wants = patch(ResourceKind::Group, json!({"op": "remove", "path": path}));
        assert!(wants.ends_access && wants.removed.len() == 1 && !wants.removes_somebody);
        let wants = patch(
            ResourceKind::Group,
            json!({"op": "remove", "path": "members", "value": [{"display": "Ada"}]}),
        );
        assert!(wants.ends_access && wants.removes_somebody, "{wants:?}");
    }
}
