//! Whether a resource matches a filter (RFC 7644 section 3.4.2.2).

use super::attribute::AttributeDef;
use super::characteristic::AttributeType;
use super::compare_op::CompareOp;
use super::filter::{AttributePath, Filter};
use super::resource_kind::ResourceKind;
use super::{get_ci, is_unassigned};
use crate::fold_text::{fold_text, fold_user_name};
use chrono::DateTime;
use serde_json::Value;
use std::cmp::Ordering;

/// True if a resource, complete and as it is on the wire, matches.
pub fn matches(kind: ResourceKind, filter: &Filter, resource: &Value) -> bool {
    match filter {
        Filter::And(a, b) => matches(kind, a, resource) && matches(kind, b, resource),
        Filter::Or(a, b) => matches(kind, a, resource) || matches(kind, b, resource),
        Filter::Not(a) => !matches(kind, a, resource),
        Filter::Compare { path, op, value } => {
            compare(path.leaf_def(kind), &values(kind, path, resource), *op, value)
        }
        Filter::Present(path) => values(kind, path, resource).into_iter().any(has_value),
        Filter::ValuePath { path, filter } => {
            let def = path.def(kind);
            values(kind, path, resource)
                .into_iter()
                .any(|element| matches_element(def, filter, element))
        }
    }
}

/// True if one value of a multi-valued attribute matches the filter in its brackets.
pub(super) fn matches_element(
    def: Option<&'static AttributeDef>,
    filter: &Filter,
    element: &Value,
) -> bool {
    let sub = |path: &AttributePath| -> Vec<&Value> {
        let mut found = Vec::new();
        match element {
            Value::Object(map) => {
                get_ci(map, &path.attribute).into_iter().for_each(|(_, v)| flatten(v, &mut found))
            }
            // A simple value is its own `value`.
            simple if path.attribute.eq_ignore_ascii_case("value") => found.push(simple),
            _ => {}
        }
        found
    };
    match filter {
        Filter::And(a, b) => matches_element(def, a, element) && matches_element(def, b, element),
        Filter::Or(a, b) => matches_element(def, a, element) || matches_element(def, b, element),
        Filter::Not(a) => !matches_element(def, a, element),
        Filter::Compare { path, op, value } => {
            compare(def.and_then(|d| d.sub(&path.attribute)), &sub(path), *op, value)
        }
        Filter::Present(path) => sub(path).into_iter().any(has_value),
        // The grammar has no brackets in brackets.
        Filter::ValuePath { .. } => false,
    }
}

/// True if two values are the same to a filter.
pub(super) fn is_equal(def: Option<&AttributeDef>, a: &Value, b: &Value) -> bool {
    a == b || order(def, a, b) == Some(Ordering::Equal)
}

/// The values a path names, arrays flattened, filters in the path applied.
pub(super) fn values<'a>(
    kind: ResourceKind,
    path: &AttributePath,
    resource: &'a Value,
) -> Vec<&'a Value> {
    let container = match &path.urn {
        None => Some(resource),
        Some(urn) => resource.as_object().and_then(|o| get_ci(o, urn)).map(|(_, v)| v),
    };
    let mut found = Vec::new();
    let Some(attribute) =
        container.and_then(Value::as_object).and_then(|o| get_ci(o, &path.attribute))
    else {
        return found;
    };
    flatten(attribute.1, &mut found);
    if let Some(filter) = &path.filter {
        let def = path.def(kind);
        found.retain(|element| matches_element(def, filter, element));
    }
    match &path.sub {
        None => found,
        Some(sub) => {
            let mut below = Vec::new();
            for element in found {
                if let Some((_, v)) = element.as_object().and_then(|o| get_ci(o, sub)) {
                    flatten(v, &mut below);
                }
            }
            below
        }
    }
}

fn flatten<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => into.extend(items),
        other => into.push(other),
    }
}

fn has_value(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().any(has_value),
        Value::Array(items) => items.iter().any(has_value),
        simple => !is_unassigned(simple),
    }
}

fn compare(def: Option<&AttributeDef>, values: &[&Value], op: CompareOp, literal: &Value) -> bool {
    let any = |test: &dyn Fn(&Value) -> bool| values.iter().any(|v| test(v));
    let equal = || match literal {
        Value::Null => !values.iter().any(|v| has_value(v)),
        _ => any(&|v| order(def, v, literal) == Some(Ordering::Equal)),
    };
    match op {
        CompareOp::Equal => equal(),
        CompareOp::NotEqual => !equal(),
        CompareOp::Contains => {
            any(&|v| texts(def, v, literal).is_some_and(|(a, b)| a.contains(&b)))
        }
        CompareOp::StartsWith => {
            any(&|v| texts(def, v, literal).is_some_and(|(a, b)| a.starts_with(&b)))
        }
        CompareOp::EndsWith => {
            any(&|v| texts(def, v, literal).is_some_and(|(a, b)| a.ends_with(&b)))
        }
        CompareOp::Greater => any(&|v| order(def, v, literal) == Some(Ordering::Greater)),
        CompareOp::GreaterOrEqual => {
            any(&|v| matches!(order(def, v, literal), Some(Ordering::Greater | Ordering::Equal)))
        }
        CompareOp::Less => any(&|v| order(def, v, literal) == Some(Ordering::Less)),
        CompareOp::LessOrEqual => {
            any(&|v| matches!(order(def, v, literal), Some(Ordering::Less | Ordering::Equal)))
        }
    }
}

/// Both texts as they are compared; none if one of them is no text.
fn texts(def: Option<&AttributeDef>, stored: &Value, literal: &Value) -> Option<(String, String)> {
    let stored = match stored {
        // Only what no schema describes can be complex here.
        Value::Object(map) => get_ci(map, "value").map(|(_, v)| v)?,
        simple => simple,
    };
    let text = |v: &Value| match v {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    let (a, b) = (text(stored)?, text(literal)?);
    if def.is_some_and(|d| d.case_exact) {
        Some((a, b))
    } else {
        Some((fold_text(&a), fold_text(&b)))
    }
}

/// How a stored value stands to a literal; none if they cannot be compared.
fn order(def: Option<&AttributeDef>, stored: &Value, literal: &Value) -> Option<Ordering> {
    match (stored, literal) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        // Without a schema, a boolean may be kept or asked for as text.
        (Value::Bool(b), Value::String(s)) | (Value::String(s), Value::Bool(b)) => {
            let same = s.eq_ignore_ascii_case(if *b { "true" } else { "false" });
            same.then_some(Ordering::Equal)
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b))
            if def.is_some_and(|d| d.kind == AttributeType::DateTime) =>
        {
            let instant = |s: &str| DateTime::parse_from_rfc3339(s).ok();
            Some(instant(a)?.cmp(&instant(b)?))
        }
        // A part of a value may well begin or end with a blank: only whole ones are compared
        // without.
        (Value::String(a), Value::String(b)) if def.is_some_and(|d| d.ends_ignored) => {
            Some(fold_user_name(a).cmp(&fold_user_name(b)))
        }
        _ => texts(def, stored, literal).map(|(a, b)| a.cmp(&b)),
    }
}
