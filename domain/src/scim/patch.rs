//! The body of a PATCH (RFC 7644 section 3.5.2) in every dialect Entra speaks, read as intents.

use super::apply::{edit, read_only};
use super::canonical::says_nothing;
use super::compare_op::CompareOp;
use super::edit::Edit;
use super::error::{Rule, ScimError, ScimType, quoted};
use super::filter::{AttributePath, Filter};
use super::intent::Intent;
use super::limits::Limits;
use super::members;
use super::object::{
    assignments, drop_password, is_password, member, unknown_attribute, without_passwords,
};
use super::parse;
use super::policy::StrictRule;
use super::resource::is_members;
use super::resource_kind::ResourceKind;
use super::{Attributes, is_unassigned};
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};

/// The schema of a PATCH body.
pub const PATCH_OP_URN: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[derive(Clone, Copy, PartialEq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// Reads the body of a PATCH. Paths are checked against the schema here, values when the intents
/// are applied.
pub fn decode_patch(
    kind: ResourceKind,
    body: &Value,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<Vec<Intent>, ScimError> {
    let Value::Object(object) = body else {
        return Err(ScimError::invalid_syntax(
            "the body of a PATCH must be a JSON object with Operations",
        )
        .unknown_shape());
    };
    limits.check_sizes(body)?;
    read_envelope(object, limits, notes)?;
    let operations = match member(object, "Operations") {
        Some(Value::Array(operations)) => {
            if operations.is_empty() {
                notes.note(Reading::NoOperations, "Operations");
            }
            operations.as_slice()
        }
        Some(one @ Value::Object(_)) => {
            notes.note(Reading::SingleAsArray, "Operations");
            std::slice::from_ref(one)
        }
        _ => {
            return Err(ScimError::invalid_syntax(
                "a PATCH needs Operations: an array of operations",
            )
            .unknown_shape());
        }
    };
    limits.check_operations(operations.len())?;
    let mut decoder = Decoder { kind, limits, notes, intents: Vec::new(), members: 0 };
    for (index, operation) in operations.iter().enumerate() {
        decoder.operation(operation).map_err(|e| in_operation(index, operations.len(), e))?;
    }
    Ok(decoder.intents)
}

fn in_operation(index: usize, count: usize, mut error: ScimError) -> ScimError {
    if count > 1 {
        error.detail = format!("operation {} of {count}: {}", index + 1, error.detail);
    }
    error
}

fn read_envelope(
    object: &Map<String, Value>,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let is_patch_op =
        |urn: &Value| urn.as_str().is_some_and(|u| u.eq_ignore_ascii_case(PATCH_OP_URN));
    match member(object, "schemas") {
        Some(Value::Array(listed)) if listed.iter().any(is_patch_op) => {}
        None | Some(Value::Null) => notes.note(Reading::SchemasMissing, "schemas"),
        Some(Value::Array(listed)) if listed.is_empty() => {
            notes.note(Reading::SchemasMissing, "schemas")
        }
        Some(_) => notes.note(Reading::UnknownSchemaIgnored, "schemas"),
    }
    if let Some(Value::Array(listed)) = member(object, "schemas") {
        let mut others = listed.iter().filter(|urn| !is_patch_op(urn));
        others
            .try_for_each(|urn| limits.policy.unknown_schema(urn.as_str().unwrap_or_default()))?;
    }
    for key in object.keys() {
        if !key.eq_ignore_ascii_case("schemas") && !key.eq_ignore_ascii_case("Operations") {
            notes.note(Reading::StrayKeyIgnored, key.as_str());
        }
    }
    Ok(())
}

fn no_value() -> ScimError {
    ScimError::invalid_value("add and replace need a value").unknown_shape()
}

struct Decoder<'a> {
    kind: ResourceKind,
    limits: &'a Limits,
    notes: &'a mut Notes,
    intents: Vec<Intent>,
    members: usize,
}

impl Decoder<'_> {
    fn operation(&mut self, operation: &Value) -> Result<(), ScimError> {
        let Value::Object(object) = operation else {
            return Err(ScimError::invalid_syntax(
                "an operation must be an object with op, path and value",
            )
            .unknown_shape());
        };
        for key in object.keys() {
            if !["op", "path", "value"].iter().any(|k| key.eq_ignore_ascii_case(k)) {
                self.notes.note(Reading::StrayKeyIgnored, format!("Operations.{key}"));
            }
        }
        let op = self.op(member(object, "op"))?;
        let value = member(object, "value");
        let path = match member(object, "path") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => {
                self.notes.note(Reading::EmptyAsUnassigned, "path");
                None
            }
            Some(Value::String(text)) if is_password(self.kind, text) => {
                return match (op, value) {
                    (Op::Remove, _) => Ok(()),
                    (_, None) => Err(no_value()),
                    (_, Some(value)) => drop_password(value, self.limits, self.notes),
                };
            }
            Some(Value::String(text)) => Some(self.path(text)?),
            Some(_) => return Err(ScimError::invalid_path("path must be a text").unknown_shape()),
        };
        match (op, path, value) {
            (Op::Remove, None, _) => {
                Err(ScimError::no_target("remove needs a path that says what to remove"))
            }
            (Op::Remove, Some(path), value) => self.remove(path, value),
            (_, _, None) => Err(no_value()),
            (op, None, Some(Value::Object(object))) => {
                self.limits.policy.keep(StrictRule::PathNeeded, || {
                    ScimError::invalid_path("an operation has no path")
                })?;
                self.pathless(op, object)
            }
            (_, None, Some(_)) => Err(ScimError::invalid_value(
                "without a path, value must be an object whose keys are attributes",
            )
            .unknown_shape()),
            (op, Some(path), Some(value))
                if path.is_schema() && value.is_object() && !is_unassigned(value) =>
            {
                let urn = path.urn.unwrap_or_default();
                self.pathless(op, &Map::from_iter([(urn, value.clone())]))
            }
            (op, Some(path), Some(value)) => self.set(op, path, value),
        }
    }

    fn op(&mut self, op: Option<&Value>) -> Result<Op, ScimError> {
        let Some(Value::String(word)) = op else {
            return Err(ScimError::invalid_syntax("an operation needs op: add, replace or remove")
                .unknown_shape());
        };
        let known = [("add", Op::Add), ("replace", Op::Replace), ("remove", Op::Remove)];
        let Some((name, op)) = known.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name))
        else {
            return Err(ScimError::invalid_syntax(format!(
                "op must be add, replace or remove, not {}",
                quoted(word)
            ))
            .unknown_shape());
        };
        if word != name {
            self.notes.note(Reading::OperationCase, "op");
        }
        Ok(op)
    }

    fn path(&mut self, text: &str) -> Result<AttributePath, ScimError> {
        let path = parse::parse_key(self.kind, text, self.limits, self.notes);
        let path = path.map_err(|problem| {
            let is_unknown = problem.unknown.is_some();
            let error = problem.in_path(text);
            match self.limits.policy.strict && is_unknown {
                true => unknown_attribute(error),
                false => error,
            }
        })?;
        self.limits.policy.know_schema(self.kind, path.urn.as_deref())?;
        Ok(path)
    }

    fn check_writable(&self, path: &AttributePath) -> Result<(), ScimError> {
        // Nothing but its extensions makes up a resource, so its core schema is no target.
        if path.is_schema() && path.urn.as_deref() == Some(self.kind.schema_urn()) {
            return Err(ScimError::invalid_path(format!(
                "{path} is the schema of the whole resource: name an attribute"
            )));
        }
        Ok(())
    }

    /// Names inside a value are looked at when it is applied, and then by default; where the
    /// connection is strict an unknown one is said here as it is said of a path.
    fn check_names(&self, path: &AttributePath, value: &Value) -> Result<(), ScimError> {
        if !self.limits.policy.strict {
            return Ok(());
        }
        match edit(self.kind, &mut Attributes::new(), path, Edit::Add(value), &mut Notes::default())
        {
            Err(error) if error.rule == Some(Rule::UnknownSubAttribute) => {
                Err(unknown_attribute(error))
            }
            _ => Ok(()),
        }
    }

    fn pathless(&mut self, op: Op, object: &Map<String, Value>) -> Result<(), ScimError> {
        for assignment in
            assignments(self.kind, object, ScimType::InvalidPath, self.limits, self.notes)?
        {
            self.set(op, assignment.path, &assignment.value)?;
        }
        Ok(())
    }

    fn set(&mut self, op: Op, path: AttributePath, value: &Value) -> Result<(), ScimError> {
        if path.is_read_only(self.kind) {
            match op == Op::Add && says_nothing(value) {
                true => self.notes.note(Reading::AddOfNothing, path.label()),
                // Whoever sends back what was read asks for nothing.
                false => self.intents.push(Intent::Assert {
                    path,
                    value: value.clone(),
                    adds: op == Op::Add,
                }),
            }
            return Ok(());
        }
        self.check_writable(&path)?;
        if is_members(self.kind, &path) {
            return self.set_members(op, &path, value);
        }
        if path.filter.is_some() && path.sub.is_none() {
            let broken =
                || ScimError::invalid_path(format!("{} names no sub-attribute", path.label()));
            self.limits.policy.keep(StrictRule::SubAttributeNeeded, broken)?;
        }
        self.limits.check_lengths(path.leaf_def(self.kind), value, &path.label())?;
        self.check_names(&path, value)?;
        let value = match path.def(self.kind) {
            Some(_) => value.clone(),
            None => without_passwords(value.clone(), self.limits, self.notes)?,
        };
        if op == Op::Add {
            self.intents.push(Intent::Add { path, value });
            return Ok(());
        }
        let is_object = path.sub.is_none()
            && path.def(self.kind).is_some_and(|d| d.is_complex() && !d.multi_valued);
        if self.limits.policy.strict && is_object && !is_unassigned(&value) {
            let nothing = Value::Null;
            self.intents.push(Intent::Replace { path: path.clone(), value: nothing });
        }
        self.intents.push(Intent::Replace { path, value });
        Ok(())
    }

    fn remove(&mut self, path: AttributePath, value: Option<&Value>) -> Result<(), ScimError> {
        if path.is_read_only(self.kind) {
            return Err(read_only(&path));
        }
        self.check_writable(&path)?;
        if is_members(self.kind, &path) {
            return self.remove_members(&path, value);
        }
        // What is unassigned says nothing of the values to take away, but an empty array does:
        // none.
        let values = value.filter(|v| v.is_array() || !is_unassigned(v)).cloned();
        self.intents.push(Intent::Remove { path, value: values });
        Ok(())
    }

    fn set_members(
        &mut self,
        op: Op,
        path: &AttributePath,
        value: &Value,
    ) -> Result<(), ScimError> {
        if path.filter.is_some() || path.sub.is_some() {
            let message = format!(
                "{path} cannot be set: members are added to and removed from {} as a whole",
                path.attribute
            );
            return Err(ScimError::invalid_path(message).unknown_shape());
        }
        if is_unassigned(value) {
            match (op, value) {
                (Op::Replace, Value::Array(_)) => self.intents.push(Intent::ClearMembers),
                // Null is no sentence: a client that meant everybody would say [] or remove them.
                (Op::Replace, _) => self.notes.note(Reading::RemovalOfNobody, "members"),
                _ => self.notes.note(Reading::AddOfNothing, "members"),
            }
            return Ok(());
        }
        let named = members::decode(value, self.notes)?;
        self.count_members(named.kept.len() + named.removed.len())?;
        let marked = !named.removed.is_empty();
        if marked {
            self.intents.push(Intent::RemoveMembers(named.removed));
        }
        let adds = self.limits.policy.members_replace_adds;
        if op == Op::Replace && adds && !marked {
            self.notes.note(Reading::MembersReplaceAsAdd, "members");
        }
        // SCIM 1's changes are merged: whoever is not marked is added.
        let replaces = op == Op::Replace && !adds && !marked;
        if replaces || !named.kept.is_empty() {
            self.intents.push(if replaces {
                Intent::ReplaceMembers(named.kept)
            } else {
                Intent::AddMembers(named.kept)
            });
        }
        Ok(())
    }

    fn remove_members(
        &mut self,
        path: &AttributePath,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let ids = match (&path.filter, path.sub.as_deref(), value) {
            (Some(filter), None | Some("value"), _) => {
                let mut named = Vec::new();
                if !collect_values(filter, &mut named) {
                    let message = format!(
                        "{path} is not understood: members are removed by [value eq \"id\"], joined by or"
                    );
                    return Err(ScimError::invalid_path(message).unknown_shape());
                }
                members::removable(named, self.notes)
            }
            (None, None, Some(value)) if is_unassigned(value) => {
                self.notes.note(Reading::RemovalOfNobody, "members");
                return Ok(());
            }
            // RFC 7644 would empty the group; Entra means only these.
            (None, None, Some(value)) => {
                self.notes.note(Reading::MemberRemovalByValue, "members");
                members::decode_removed(value, self.notes)?
            }
            (None, None, None) => {
                self.intents.push(Intent::ClearMembers);
                return Ok(());
            }
            _ => {
                return Err(ScimError::invalid_path(format!(
                    "{path} cannot be removed: name members by [value eq \"id\"]"
                ))
                .unknown_shape());
            }
        };
        self.count_members(ids.len())?;
        self.intents.push(Intent::RemoveMembers(ids));
        Ok(())
    }

    fn count_members(&mut self, more: usize) -> Result<(), ScimError> {
        self.members += more;
        self.limits.check_members(self.members)
    }
}

/// Gathers the ids of `value eq "a" or value eq "b"`; false for any other filter.
fn collect_values<'a>(filter: &'a Filter, into: &mut Vec<&'a str>) -> bool {
    match filter {
        Filter::Or(a, b) => collect_values(a, into) && collect_values(b, into),
        Filter::Compare { path, op: CompareOp::Equal, value: Value::String(id) }
            if path.attribute == "value" =>
        {
            into.push(id);
            true
        }
        _ => false,
    }
}
