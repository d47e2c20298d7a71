//! What is asked of a value, and of which one.

use super::attribute::AttributeDef;
use super::error::ScimError;
use super::filter::Filter;
use super::is_unassigned;
use serde_json::Value;

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Edit<'a> {
    /// Add to what is there.
    Add(&'a Value),
    /// Put in its place. POST and PUT ask this of a resource that has nothing yet.
    Replace(&'a Value),
    /// Take away, or only these values.
    Remove(Option<&'a Value>),
}

impl<'a> Edit<'a> {
    /// The value to set; none if the edit takes away.
    pub(super) fn value(self) -> Option<&'a Value> {
        match self {
            Edit::Add(v) | Edit::Replace(v) => Some(v),
            Edit::Remove(_) => None,
        }
    }

    /// True if nothing is to be there afterwards.
    pub(super) fn unassigns(self) -> bool {
        match self {
            Edit::Add(_) => false,
            Edit::Replace(v) => is_unassigned(v),
            Edit::Remove(_) => true,
        }
    }
}

/// Of what it is asked.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// What the schema says; nothing of an attribute of a custom extension.
    pub def: Option<&'static AttributeDef>,
    /// Only the values that match.
    pub filter: Option<&'a Filter>,
    /// Only this part of them.
    pub sub: Option<&'a str>,
    /// The path, for notes and messages. Never a value.
    pub at: &'a str,
}

/// What is there afterwards; none if nothing is.
pub(super) type Decided = Result<Option<Value>, ScimError>;
