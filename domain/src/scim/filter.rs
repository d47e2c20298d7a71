//! Filters and attribute paths (RFC 7644 sections 3.4.2.2, 3.5.2 and 3.10), as they are once read.
//! They are made of each other: a filter compares what a path names, and a path may hold a filter.

use super::attribute::AttributeDef;
use super::compare_op::CompareOp;
use super::resource_kind::ResourceKind;
use serde_json::Value;
use std::fmt;

/// A filter. Names are in the schema's case, values have the attribute's type, and what RFC 7644
/// implies is spelled out (`emails eq "x"` has the path `emails.value`).
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// At least one holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A value of the attribute compares so.
    Compare {
        /// The attribute.
        path: AttributePath,
        /// How.
        op: CompareOp,
        /// With what: a string, number, boolean or null.
        value: Value,
    },
    /// The attribute has a value.
    Present(AttributePath),
    /// One value of a multi-valued attribute matches all of an inner filter, whose attributes are
    /// the sub-attributes.
    ValuePath {
        /// The attribute.
        path: AttributePath,
        /// What one value must match.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// `self and other`
    pub fn and(self, other: Filter) -> Filter {
        Filter::And(Box::new(self), Box::new(other))
    }

    /// `self or other`
    pub fn or(self, other: Filter) -> Filter {
        Filter::Or(Box::new(self), Box::new(other))
    }

    /// The comparisons of a filter that is nothing but `attribute eq value` joined by `and`.
    pub(super) fn equalities(&self) -> Option<Vec<(&str, &Value)>> {
        match self {
            Filter::And(a, b) => {
                let mut all = a.equalities()?;
                all.extend(b.equalities()?);
                Some(all)
            }
            Filter::Compare { path, op: CompareOp::Equal, value }
                if path.sub.is_none() && !value.is_null() =>
            {
                Some(vec![(path.attribute.as_str(), value)])
            }
            _ => None,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(a, b) => {
                operand(f, a, matches!(**a, Filter::Or(..)))?;
                f.write_str(" and ")?;
                // Without parentheses a chain is read from the left.
                operand(f, b, matches!(**b, Filter::Or(..) | Filter::And(..)))
            }
            Filter::Or(a, b) => {
                operand(f, a, false)?;
                f.write_str(" or ")?;
                operand(f, b, matches!(**b, Filter::Or(..)))
            }
            Filter::Not(a) => write!(f, "not ({a})"),
            Filter::Compare { path, op, value } => write!(f, "{path} {} {value}", op.as_str()),
            Filter::Present(path) => write!(f, "{path} pr"),
            Filter::ValuePath { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}

fn operand(f: &mut fmt::Formatter<'_>, filter: &Filter, parentheses: bool) -> fmt::Result {
    if parentheses { write!(f, "({filter})") } else { write!(f, "{filter}") }
}

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

    /// The path as it may stand in notes, which never hold a value: a filter shows only if all it
    /// says is what the value is for, in one of the schema's own words.
    pub(crate) fn label(&self) -> String {
        let Some(filter) = &self.filter else { return self.to_string() };
        let kind = ResourceKind::User.attribute(&self.attribute).and_then(|def| def.sub("type"));
        let usual = |value: &Value| {
            let words = kind.map_or(&[][..], |kind| kind.canonical_values);
            value
                .as_str()
                .is_some_and(|value| words.iter().any(|word| word.eq_ignore_ascii_case(value)))
        };
        let says_only_type = |e: Vec<(&str, &Value)>| {
            e.iter().all(|(name, value)| *name == "primary" || *name == "type" && usual(value))
        };
        if filter.equalities().is_some_and(says_only_type) {
            return self.to_string();
        }
        let plain = AttributePath { filter: None, sub: None, ..self.clone() };
        match &self.sub {
            Some(sub) => format!("{plain}[...].{sub}"),
            None => format!("{plain}[...]"),
        }
    }

    /// True if clients cannot write what the path names; a `$ref` is derived from the value beside
    /// it.
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
