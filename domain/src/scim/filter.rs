//! Filters (RFC 7644 section 3.4.2.2).

use super::error::ScimError;
use super::grammar::Parser;
use super::limits::Limits;
use super::path::AttributePath;
use super::resource_kind::ResourceKind;
use crate::interpretation::Notes;
use serde_json::Value;
use std::fmt;

pub use super::matching::matches;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `eq`
    Equal,
    /// `ne`: the opposite of `eq`, so also true of what has no value.
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl CompareOp {
    /// All operators with a value.
    pub const ALL: [CompareOp; 9] = [
        CompareOp::Equal,
        CompareOp::NotEqual,
        CompareOp::Contains,
        CompareOp::StartsWith,
        CompareOp::EndsWith,
        CompareOp::Greater,
        CompareOp::GreaterOrEqual,
        CompareOp::Less,
        CompareOp::LessOrEqual,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            CompareOp::Equal => "eq",
            CompareOp::NotEqual => "ne",
            CompareOp::Contains => "co",
            CompareOp::StartsWith => "sw",
            CompareOp::EndsWith => "ew",
            CompareOp::Greater => "gt",
            CompareOp::GreaterOrEqual => "ge",
            CompareOp::Less => "lt",
            CompareOp::LessOrEqual => "le",
        }
    }

    /// Reads the word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(word))
    }

    /// True for `eq` and `ne`.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, CompareOp::Equal | CompareOp::NotEqual)
    }

    /// True for `gt`, `ge`, `lt` and `le`.
    pub(super) fn is_ordering(self) -> bool {
        matches!(self, CompareOp::Greater | CompareOp::GreaterOrEqual | CompareOp::Less | CompareOp::LessOrEqual)
    }
}

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
            Filter::Compare { path, op: CompareOp::Equal, value } if path.sub.is_none() && !value.is_null() => {
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

/// Reads a filter. An error is `invalidFilter`, and says where in the text and what was expected.
pub fn parse_filter(kind: ResourceKind, text: &str, limits: &Limits, notes: &mut Notes) -> Result<Filter, ScimError> {
    Parser::new(kind, text, limits, notes).filter().map_err(|problem| problem.in_filter(text))
}
