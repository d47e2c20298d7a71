//! The keys of a body read as paths: plain names, dotted names, URN-qualified names, and objects
//! under a schema URN. The same for a resource and for a PATCH operation without a path.

use super::canonical::{note_empty, wrong_type};
use super::error::{ScimError, ScimType, quoted};
use super::filter::AttributePath;
use super::limits::Limits;
use super::names;
use super::parse;
use super::policy::StrictRule;
use super::problem::Problem;
use super::resource_kind::ResourceKind;
use super::{get_ci, is_unassigned};
use crate::cause::Cause;
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What one key sets.
pub(super) struct Assignment {
    /// Which attribute, or part of one. A schema alone if a whole extension is unassigned.
    pub path: AttributePath,
    /// To what, as sent.
    pub value: Value,
}

/// Reads all keys of an object. `unknown` is the error for an attribute that does not exist. A
/// password is no assignment.
pub(super) fn assignments(
    kind: ResourceKind,
    object: &Map<String, Value>,
    unknown: ScimType,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<Vec<Assignment>, ScimError> {
    let mut found = Vec::new();
    for (key, value) in object {
        if is_password(kind, key) {
            drop_password(value, limits, notes)?;
            continue;
        }
        read_key(kind, key, value, unknown, limits, notes, &mut found)?;
    }
    check_twice(&found)?;
    // What sets a whole attribute comes before what sets a part of it.
    found.sort_by_key(|a| a.path.sub.is_some() || a.path.filter.is_some());
    Ok(found)
}

fn read_key(
    kind: ResourceKind,
    key: &str,
    value: &Value,
    unknown: ScimType,
    limits: &Limits,
    notes: &mut Notes,
    found: &mut Vec<Assignment>,
) -> Result<(), ScimError> {
    let core = kind.schema_urn();
    if key.eq_ignore_ascii_case(core) {
        return match value {
            Value::Object(inner) => inner.iter().try_for_each(|(k, v)| {
                if is_password(kind, k) {
                    return drop_password(v, limits, notes);
                }
                // A schema does not hold itself, so this goes one level down at most.
                if names::is_urn(k) {
                    Err(nested_schema(k))
                } else {
                    read_key(kind, k, v, unknown, limits, notes, found)
                }
            }),
            other => Err(not_an_object(key, other)),
        };
    }
    if let Some(schema) = kind.extension(key) {
        if key != schema.urn {
            notes.note(Reading::AttributeCase, schema.urn);
        }
        return match value {
            Value::Object(inner) if !inner.is_empty() => inner.iter().try_for_each(|(k, v)| {
                if is_stray_schemas(k, notes) {
                    return Ok(());
                }
                if names_password(k) {
                    return drop_password(v, limits, notes);
                }
                let path = parse_key(kind, &format!("{}:{k}", schema.urn), unknown, limits, notes)?;
                if path.sub.is_some() || path.filter.is_some() {
                    notes.note(Reading::KeyAsPath, path.label());
                }
                found.push(Assignment { path, value: v.clone() });
                Ok(())
            }),
            other => unassigned_schema(key, other, schema.urn, found),
        };
    }
    if let Value::Object(inner) = value
        && names::is_urn(key)
        && !names::is_reserved_urn(key)
        && !is_below_known_schema(kind, key)
    {
        limits.policy.unknown_schema(key)?;
        if inner.is_empty() {
            return unassigned_schema(key, value, key, found);
        }
        return inner.iter().try_for_each(|(k, v)| {
            if is_stray_schemas(k, notes) {
                return Ok(());
            }
            if names_password(k) {
                return drop_password(v, limits, notes);
            }
            if !names::is_custom_name(k) {
                let message =
                    format!("{} cannot name an attribute of {}: letters, digits, hyphens and underscores do", quoted(k), quoted(key));
                return Err(ScimError::typed(unknown, message));
            }
            let value = without_passwords(v.clone(), limits, notes)?;
            found.push(Assignment { path: AttributePath::extension(key, k), value });
            Ok(())
        });
    }
    let path = parse_key(kind, key, unknown, limits, notes)?;
    if path.is_schema() {
        let urn = path.urn.as_deref().unwrap_or(key);
        return unassigned_schema(key, value, urn, found);
    }
    if path.sub.is_some() || path.filter.is_some() || names::is_urn(key) {
        notes.note(Reading::KeyAsPath, path.label());
    }
    let value = match path.def(kind) {
        Some(_) => value.clone(),
        None => without_passwords(value.clone(), limits, notes)?,
    };
    found.push(Assignment { path, value });
    Ok(())
}

/// Some clients repeat `schemas` inside an extension's object. It says nothing that the key does
/// not.
pub(super) fn is_stray_schemas(key: &str, notes: &mut Notes) -> bool {
    let stray = key.eq_ignore_ascii_case("schemas");
    if stray {
        notes.note(Reading::StrayKeyIgnored, "schemas");
    }
    stray
}

/// True for `...enterprise:2.0:User:manager` and the like, whose value may be an object.
fn is_below_known_schema(kind: ResourceKind, key: &str) -> bool {
    kind.extensions().iter().copied().chain([kind.schema()]).any(|schema| {
        let (prefix, rest) = key.split_at_checked(schema.urn.len()).unwrap_or_default();
        prefix.eq_ignore_ascii_case(schema.urn) && rest.starts_with([':', '.'])
    })
}

/// A schema URN whose value holds no attributes: unassigned, or an error.
fn unassigned_schema(
    key: &str,
    value: &Value,
    urn: &str,
    found: &mut Vec<Assignment>,
) -> Result<(), ScimError> {
    if !is_unassigned(value) {
        return Err(not_an_object(key, value));
    }
    found.push(Assignment { path: AttributePath::extension(urn, ""), value: value.clone() });
    Ok(())
}

fn not_an_object(key: &str, value: &Value) -> ScimError {
    wrong_type(&format!("the schema {}", quoted(key)), "an object of attributes", value)
}

fn nested_schema(key: &str) -> ScimError {
    ScimError::invalid_syntax(format!("the schema {} cannot stand inside another one", quoted(key)))
}

/// As a strict connection says that no schema has an attribute
/// (draft-zollner-scim-interop-profile).
pub(super) fn unknown_attribute(error: ScimError) -> ScimError {
    StrictRule::UnknownAttribute
        .refusal(ScimError { scim_type: Some(ScimType::InvalidSyntax), ..error })
}

/// A key as a path.
fn parse_key(
    kind: ResourceKind,
    key: &str,
    unknown: ScimType,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<AttributePath, ScimError> {
    let path = parse::parse_key(kind, key, limits, notes);
    let refused = |problem: Problem| match &problem.unknown {
        Some(name) if problem.rule.is_none() => ScimError::typed(
            unknown,
            format!(
                "{} has no attribute {} (key {}): remove it from the mapping; custom attributes belong under an extension URN such as \
             urn:ietf:params:scim:schemas:extension:yourname:2.0:{}",
                kind.name(),
                quoted(name),
                quoted(key),
                kind.name()
            ),
        ),
        _ => ScimError { scim_type: Some(unknown), ..problem.in_path(key) },
    };
    let path = path.map_err(|problem| {
        // In the body of a resource it is invalidSyntax for everybody.
        let is_unknown = problem.unknown.is_some() && unknown == ScimType::InvalidPath;
        let error = refused(problem);
        if is_unknown && limits.policy.strict { unknown_attribute(error) } else { error }
    })?;
    limits.policy.know_schema(kind, path.urn.as_deref())?;
    Ok(path)
}

/// True for what is kept nowhere: the core user's `password`, with or without its schema, and an
/// attribute of that name, or a part of one, under any other schema.
pub(super) fn is_password(kind: ResourceKind, key: &str) -> bool {
    let key = key.trim();
    let urn = kind.schema_urn();
    let name = match key.split_at_checked(urn.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(urn) => {
            rest.strip_prefix([':', '.']).unwrap_or(rest)
        }
        _ if names::is_urn(key) => {
            return key.rsplit([':', '.']).next().is_some_and(names_password);
        }
        _ => key,
    };
    kind == ResourceKind::User && names_password(name)
}

fn names_password(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("password")
}

/// What no schema describes, without the passwords that stand in it.
pub(super) fn without_passwords(
    value: Value,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<Value, ScimError> {
    Ok(match value {
        Value::Object(map) => {
            let mut kept = Map::new();
            for (key, value) in map {
                if names_password(&key) {
                    drop_password(&value, limits, notes)?;
                } else {
                    kept.insert(key, without_passwords(value, limits, notes)?);
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => {
            let items: Result<Vec<Value>, ScimError> =
                items.into_iter().map(|v| without_passwords(v, limits, notes)).collect();
            Value::Array(items?)
        }
        simple => simple,
    })
}

/// A password is write-only (RFC 7643 section 4.1.1): a server that has none can drop it. Okta
/// sends one with every user.
pub(super) fn drop_password(
    value: &Value,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    if is_unassigned(value) {
        note_empty(value, "password", notes);
        return Ok(());
    }
    limits.policy.keep(StrictRule::NoPassword, || {
        ScimError::invalid_value("Rollcall stores no passwords: remove the mapping to password")
            .because(Cause::PasswordSent)
    })?;
    notes.note(Reading::PasswordDropped, "password");
    Ok(())
}

/// Two keys for one attribute are fine if they say the same.
fn check_twice(found: &[Assignment]) -> Result<(), ScimError> {
    let mut seen: HashMap<String, &Value> = HashMap::new();
    for assignment in found {
        let name = assignment.path.to_string();
        let folded = name.to_ascii_lowercase();
        if seen.insert(folded, &assignment.value).is_some_and(|before| before != &assignment.value)
        {
            return Err(ScimError::invalid_syntax(format!(
                "{} stands twice, with different values",
                quoted(&name)
            )));
        }
    }
    Ok(())
}

/// The value under a key in any case.
pub(super) fn member<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    get_ci(object, key).map(|(_, v)| v)
}
