//! Query parameters of SCIM requests (RFC 7644 sections 3.4.2 and 3.9, RFC 9865).

use rollcall_domain::interpretation::{Notes, Reading};
use rollcall_domain::scim::{
    AttributePath, Limits, ResourceKind, ScimError, decode_form, parse_path,
};
use serde_json::Value;
use std::collections::HashMap;

/// What a client may say about the answer it wants. Unparsed, for the kind may come later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// `filter`
    pub filter: Option<String>,
    /// `attributes`
    pub attributes: Vec<String>,
    /// `excludedAttributes`
    pub excluded: Vec<String>,
    /// `sortBy`
    pub sort_by: Option<String>,
    /// `sortOrder` is `descending`.
    pub descending: bool,
    /// `startIndex`, at least 1.
    pub start_index: Option<u64>,
    /// `count`, at least 0.
    pub count: Option<u64>,
    /// `cursor`: empty asks for the first page.
    pub cursor: Option<String>,
}

/// The parameters that are read, in lower case.
const PARAMETERS: [&str; 8] = [
    "filter",
    "attributes",
    "excludedattributes",
    "sortby",
    "sortorder",
    "startindex",
    "count",
    "cursor",
];
/// So many attributes may be named: each is looked for in each resource of the answer.
const MOST_NAMES: usize = 200;

impl Query {
    /// Reads the query part of a URL. A parameter that is not known is ignored, wherever it stands
    /// (Entra's `aadOptscim062020` flag is one), and noted.
    pub fn from_url(query: &str, notes: &mut Notes) -> Result<Self, ScimError> {
        let mut q = Query::default();
        let mut said: HashMap<String, Option<String>> = HashMap::new();
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').map_or((pair, None), |(n, v)| (n, Some(v)));
            let name = decode_form(name)?;
            let value = value.map(decode_form).transpose()?;
            let known = name.to_ascii_lowercase();
            if PARAMETERS.contains(&known.as_str()) {
                // Which of two would count, and what one without a value would mean, is anybody's
                // guess.
                if value.is_none() && known != "cursor" {
                    return Err(ScimError::invalid_value(format!(
                        "the parameter {known} needs a value"
                    )));
                }
                // Lists of names are joined.
                let is_list = matches!(known.as_str(), "attributes" | "excludedattributes");
                if said.insert(known.clone(), value.clone()).is_some_and(|before| before != value) {
                    if !is_list {
                        return Err(ScimError::invalid_value(format!(
                            "the parameter {known} stands twice, with different values"
                        )));
                    }
                    notes.note(Reading::ParametersJoined, known.as_str());
                }
            }
            match (known.as_str(), value) {
                ("filter", Some(v)) => q.filter = Some(v),
                ("attributes", Some(v)) => q.attributes.extend(names(&v)),
                ("excludedattributes", Some(v)) => q.excluded.extend(names(&v)),
                ("sortby", Some(v)) => q.sort_by = Some(v).filter(|v| !v.trim().is_empty()),
                ("sortorder", Some(v)) => q.descending = descending(&v)?,
                ("startindex" | "count", Some(v)) if v.trim().is_empty() => {
                    notes.note(Reading::EmptyAsUnassigned, known)
                }
                ("startindex", Some(v)) => {
                    q.start_index = Some(number("startIndex", &v)?.max(1).unsigned_abs())
                }
                ("count", Some(v)) => q.count = Some(number("count", &v)?.max(0).unsigned_abs()),
                ("cursor", v) => q.cursor = Some(v.unwrap_or_default()),
                _ => notes
                    .note(Reading::UnknownParameter, name.chars().take(100).collect::<String>()),
            }
        }
        Ok(q)
    }

    /// Reads the body of a `.search` request (RFC 7644 section 3.4.3).
    pub fn from_search(body: &Value, notes: &mut Notes) -> Result<Self, ScimError> {
        let Value::Object(map) = body else {
            return Err(ScimError::invalid_syntax(
                "a search request must be a JSON object".to_owned(),
            ));
        };
        let mut q = Query::default();
        for (name, value) in map {
            match (name.to_ascii_lowercase().as_str(), value) {
                ("schemas", _) | (_, Value::Null) => {}
                ("filter", Value::String(v)) => q.filter = Some(v.clone()),
                ("attributes", v) => q.attributes = list(name, v)?,
                ("excludedattributes", v) => q.excluded = list(name, v)?,
                ("sortby", Value::String(v)) => q.sort_by = Some(v.clone()),
                ("sortorder", Value::String(v)) => q.descending = descending(v)?,
                ("startindex", v) => q.start_index = Some(integer(name, v)?.max(1).unsigned_abs()),
                ("count", v) => q.count = Some(integer(name, v)?.max(0).unsigned_abs()),
                ("cursor", Value::String(v)) => q.cursor = Some(v.clone()),
                ("filter" | "sortby" | "sortorder" | "cursor", _) => {
                    return Err(ScimError::invalid_value(format!("{name} must be a string")));
                }
                _ => notes
                    .note(Reading::UnknownParameter, name.chars().take(100).collect::<String>()),
            }
        }
        Ok(q)
    }

    /// What of a resource is to be shown.
    pub fn selection(
        &self,
        kind: ResourceKind,
        limits: &Limits,
        notes: &mut Notes,
    ) -> Result<Selection, ScimError> {
        let named = self.attributes.len() + self.excluded.len();
        if named > MOST_NAMES {
            return Err(ScimError::invalid_value(format!(
                "{named} attributes are named, more than the {MOST_NAMES} accepted"
            )));
        }
        let mut paths = |names: &[String]| {
            let mut found = Vec::new();
            for name in names {
                match parse_path(kind, name, limits, notes) {
                    Ok(path) => found.push(path),
                    // What only another kind of resource has is neither here nor an error.
                    Err(_) if is_of_another_kind(kind, name, limits) => {
                        notes.note(Reading::UnknownParameter, name.as_str())
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(found)
        };
        let (mut attributes, excluded) = (paths(&self.attributes)?, paths(&self.excluded)?);
        if attributes.is_empty() && !self.attributes.is_empty() {
            // An empty list would mean all.
            attributes.push(AttributePath::core("id"));
        }
        Ok(Selection { attributes, excluded })
    }
}

fn is_of_another_kind(kind: ResourceKind, name: &str, limits: &Limits) -> bool {
    let knows = |other: &ResourceKind| {
        *other != kind && parse_path(*other, name, limits, &mut Notes::default()).is_ok()
    };
    ResourceKind::ALL.iter().any(knows)
}

/// The attributes a client wants to see, or not.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these, if there are any.
    pub attributes: Vec<AttributePath>,
    /// Not these.
    pub excluded: Vec<AttributePath>,
}

impl Selection {
    /// Whether a top-level attribute is to be shown, so that it need not be loaded otherwise.
    pub fn shows(&self, attribute: &str) -> bool {
        let names = |paths: &[AttributePath]| {
            paths.iter().any(|p| p.urn.is_none() && p.attribute == attribute)
        };
        let whole =
            |p: &AttributePath| p.urn.is_none() && p.attribute == attribute && p.sub.is_none();
        if self.attributes.is_empty() {
            !self.excluded.iter().any(whole)
        } else {
            names(&self.attributes)
        }
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect()
}

fn list(name: &str, value: &Value) -> Result<Vec<String>, ScimError> {
    let text = |v: &Value| {
        v.as_str()
            .map(str::to_owned)
            .ok_or_else(|| ScimError::invalid_value(format!("{name} must list attribute names")))
    };
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::String(v) => Ok(names(v)),
        other => text(other).map(|t| vec![t]),
    }
}

fn descending(order: &str) -> Result<bool, ScimError> {
    match order.to_ascii_lowercase().as_str() {
        "ascending" => Ok(false),
        "descending" => Ok(true),
        _ => Err(ScimError::invalid_value("sortOrder must be ascending or descending".to_owned())),
    }
}

fn number(name: &str, value: &str) -> Result<i64, ScimError> {
    value.trim().parse().map_err(|_| ScimError::invalid_value(format!("{name} must be an integer")))
}

fn integer(name: &str, value: &Value) -> Result<i64, ScimError> {
    match value {
        Value::String(v) => number(name, v),
        other => other
            .as_i64()
            .ok_or_else(|| ScimError::invalid_value(format!("{name} must be an integer"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_entra_sends() {
        let mut notes = Notes::default();
        let q = Query::from_url(
            "excludedAttributes=members&aadOptscim062020&filter=displayName+eq+%22A+%2B%20B%22&",
            &mut notes,
        )
        .unwrap();
        assert_eq!(q.filter.as_deref(), Some(r#"displayName eq "A + B""#));
        assert_eq!(q.excluded, ["members"]);
        assert_eq!(notes.list()[0].reading, Reading::UnknownParameter);
        let joined =
            Query::from_url("attributes=id,title&attributes=active&count=&startIndex=", &mut notes)
                .unwrap();
        assert_eq!(
            (joined.attributes.join(" ").as_str(), joined.count, joined.start_index),
            ("id title active", None, None)
        );
        for bad in ["filter=%2", "filter", "count", "count=1&count=2", "filter=a&FILTER=b"] {
            assert!(Query::from_url(bad, &mut notes).is_err(), "{bad}");
        }
        assert_eq!(
            Query::from_url("cursor&count=1&count=1", &mut notes).unwrap().cursor.as_deref(),
            Some("")
        );
        assert_eq!(
            Query::from_url("startIndex=-3&count=-1", &mut notes).unwrap().start_index,
            Some(1)
        );
    }
}
