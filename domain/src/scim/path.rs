//! Attribute paths (RFC 7644 sections 3.4.2.2, 3.5.2 and 3.10).

use super::attribute::AttributeDef;
use super::error::ScimError;
use super::filter::Filter;
use super::grammar::{Parser, Problem};
use super::limits::Limits;
use super::resource_kind::ResourceKind;
use crate::interpretation::Notes;
use serde_json::Value;
use std::fmt;

/// Names an attribute, some of its values, or a part of them. Names are in the schema's case.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributePath {
    /// The extension's URN; none for a core or common attribute.
    pub urn: Option<String>,
    /// The attribute. Empty if the path is a schema URN alone: all of that schema's attributes.
    pub attribute: String,
    /// Only the values that match; sub-attributes are its attributes.
    pub filter: Option<Box<Filter>>,
    /// Only this sub-attribute.
    pub sub: Option<String>,
}

impl AttributePath {
    /// A core or common attribute.
    pub fn core(attribute: impl Into<String>) -> Self {
        Self { urn: None, attribute: attribute.into(), filter: None, sub: None }
    }

    /// An attribute of an extension.
    pub fn extension(urn: impl Into<String>, attribute: impl Into<String>) -> Self {
        Self { urn: Some(urn.into()), attribute: attribute.into(), filter: None, sub: None }
    }

    /// True if the path is a schema URN alone.
    pub fn is_schema(&self) -> bool {
        self.attribute.is_empty()
    }

    /// What is known of the attribute; nothing for one of a custom extension.
    pub fn def(&self, kind: ResourceKind) -> Option<&'static AttributeDef> {
        match &self.urn {
            None => kind.attribute(&self.attribute),
            Some(urn) => kind.extension(urn).and_then(|s| s.attribute(&self.attribute)),
        }
    }

    /// What is known of the sub-attribute, or of the attribute if there is none.
    pub fn leaf_def(&self, kind: ResourceKind) -> Option<&'static AttributeDef> {
        let def = self.def(kind);
        match &self.sub {
            Some(sub) => def.and_then(|d| d.sub(sub)),
            None => def,
        }
    }

    /// The path as it may stand in notes, which never hold a value: a filter shows only if all it says
    /// is what the value is for, in one of the schema's own words.
    pub(crate) fn label(&self) -> String {
        let Some(filter) = &self.filter else { return self.to_string() };
        let kind = ResourceKind::User.attribute(&self.attribute).and_then(|def| def.sub("type"));
        let usual = |value: &Value| {
            let words = kind.map_or(&[][..], |kind| kind.canonical_values);
            value.as_str().is_some_and(|value| words.iter().any(|word| word.eq_ignore_ascii_case(value)))
        };
        let says_only_type = |e: Vec<(&str, &Value)>| e.iter().all(|(name, value)| *name == "primary" || *name == "type" && usual(value));
        if filter.equalities().is_some_and(says_only_type) {
            return self.to_string();
        }
        let plain = AttributePath { filter: None, sub: None, ..self.clone() };
        match &self.sub {
            Some(sub) => format!("{plain}[...].{sub}"),
            None => format!("{plain}[...]"),
        }
    }

    /// True if clients cannot write what the path names; a `$ref` is derived from the value beside it.
    pub(super) fn is_read_only(&self, kind: ResourceKind) -> bool {
        self.sub.as_deref() == Some("$ref")
            || self.def(kind).is_some_and(AttributeDef::is_read_only)
            || self.leaf_def(kind).is_some_and(AttributeDef::is_read_only)
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.urn {
            Some(urn) if self.is_schema() => f.write_str(urn)?,
            Some(urn) => write!(f, "{urn}:{}", self.attribute)?,
            None => f.write_str(&self.attribute)?,
        }
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// Reads an attribute path. An error is `invalidPath` (`invalidFilter` inside brackets), and says
/// where in the text and what was expected.
pub fn parse_path(kind: ResourceKind, text: &str, limits: &Limits, notes: &mut Notes) -> Result<AttributePath, ScimError> {
    let path = Parser::new(kind, text, limits, notes).path().map_err(|p| p.in_path(text))?;
    limits.policy.know_schema(kind, path.urn.as_deref())?;
    Ok(path)
}

/// As [`parse_path`], with the trouble in detail.
pub(super) fn parse_key(kind: ResourceKind, text: &str, limits: &Limits, notes: &mut Notes) -> Result<AttributePath, Problem> {
    Parser::new(kind, text, limits, notes).path()
}

#[cfg(test)]
mod tests {
    use super::super::schema::ENTERPRISE_URN;
    use super::*;
    use crate::interpretation::Reading;

    fn read(text: &str) -> Result<(String, Vec<Reading>), String> {
        let mut notes = Notes::default();
        let path = parse_path(ResourceKind::User, text, &Limits::default(), &mut notes).map_err(|e| e.detail)?;
        Ok((path.to_string(), notes.list().iter().map(|i| i.reading).collect()))
    }

    #[test]
    fn canonical_forms() {
        let doorctl = "urn:ietf:params:scim:schemas:extension:doorctl:2.0:User";
        let cases: &[(&str, String, &[Reading])] = &[
            ("displayName", "displayName".into(), &[]),
            ("USERNAME", "userName".into(), &[Reading::AttributeCase]),
            ("name.familyname", "name.familyName".into(), &[Reading::AttributeCase]),
            ("emails[type eq \"work\"].value", "emails[type eq \"work\"].value".into(), &[]),
            ("roles[primary eq \"True\"].value", "roles[primary eq true].value".into(), &[Reading::StringBooleanInFilter]),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName".into(), &[]),
            (&format!("{ENTERPRISE_URN}:department"), format!("{ENTERPRISE_URN}:department"), &[]),
            (&format!("{ENTERPRISE_URN}:manager.value"), format!("{ENTERPRISE_URN}:manager.value"), &[]),
            (&format!("{ENTERPRISE_URN}.manager"), format!("{ENTERPRISE_URN}:manager"), &[Reading::UrnWithDot]),
            ("manager", format!("{ENTERPRISE_URN}:manager"), &[Reading::EnterpriseUnqualified]),
            (ENTERPRISE_URN, ENTERPRISE_URN.into(), &[]),
            (&format!("{doorctl}:badgeNumber"), format!("{doorctl}:badgeNumber"), &[]),
            (doorctl, doorctl.into(), &[]),
            ("meta.lastModified", "meta.lastModified".into(), &[]),
            ("id", "id".into(), &[]),
        ];
        for (text, canonical, readings) in cases {
            assert_eq!(read(text), Ok((canonical.clone(), readings.to_vec())), "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, position, part) in [
            ("nope", 1, "unknown attribute"),
            ("emails.nope", 8, "unknown sub-attribute"),
            ("emails[type eq \"work\"", 22, "\"]\""),
            ("emails[type eq \"work\"]x", 23, "end"),
            ("displayName.x", 13, "no sub-attributes"),
            ("members", 1, "unknown attribute"),
            ("urn:ietf:params:scim:schemas:core:2.0:Group:displayName", 1, "unknown attribute"),
            ("", 1, "attribute"),
        ] {
            let detail = read(text).expect_err(text);
            assert!(detail.contains(&format!("character {position}:")) && detail.contains(part), "{text}: {detail}");
        }
    }
}
