//! SCIM 2.0: vocabulary, grammar, and the one decoder for every dialect. Pure functions.
//!
//! A request body becomes canonical [`Attributes`] ([`decode_resource`]) or a list of [`Intent`]s
//! ([`decode_patch`], then [`apply_intents`]); every liberty taken on the way is noted by name.
//! What cannot be read is an error, never a guess: an answer of 2xx says that all of it was
//! applied.

mod apply;
mod asserted;
mod attribute;
mod canonical;
mod characteristic;
mod compare_op;
mod decision;
mod deletion_mark;
mod discovery;
mod edit;
mod elements;
mod error;
mod filter;
mod form;
mod grammar;
mod intent;
mod json;
mod limits;
mod matching;
mod members;
mod names;
mod object;
mod parse;
mod parts;
mod patch;
mod policy;
mod problem;
mod render;
mod resource;
mod resource_kind;
mod schema;
mod schema_common;
mod schema_group;
mod schema_user;
mod secret;
pub mod security_event;
mod sort;

pub use apply::apply_intents;
pub use asserted::{asserts, check_asserted};
pub use attribute::AttributeDef;
pub use characteristic::{AttributeType, Mutability, Returned, Uniqueness};
pub use compare_op::CompareOp;
pub use discovery::{
    POLICY_URN, ProviderLimits, Ways, resource_types, schemas, service_provider_config,
};
pub use error::{ERROR_URN, Rule, ScimError, ScimType};
pub use filter::{AttributePath, Filter};
pub use form::decode_form;
pub use intent::Intent;
pub use json::read_json;
pub use limits::{Limits, check_nesting, resource_bytes};
pub use matching::matches;
pub use parse::{parse_filter, parse_path};
pub use patch::{PATCH_OP_URN, decode_patch};
pub use policy::{Policy, StrictRule};
pub use render::{Meta, project, render_resource};
pub use resource::{DecodedResource, decode_resource};
pub use resource_kind::ResourceKind;
pub use schema::{ENTERPRISE_URN, GROUP_URN, Schema, USER_URN};
pub use secret::{SECRET_NAMES, names_password, names_secret};
pub use sort::{SortKey, sort_key};

use serde_json::{Map, Value};

/// A resource's attributes in canonical form: names in the schema's case, booleans as booleans,
/// nothing unassigned; extensions under their schema URN. Never `id`, `meta`, `schemas`, `groups`
/// or `members`.
pub type Attributes = Map<String, Value>;

/// The entry whose key differs in case only (RFC 7643 section 2.1), with the key as it is there.
fn get_ci<'a>(map: &'a Map<String, Value>, key: &str) -> Option<(&'a String, &'a Value)> {
    map.get_key_value(key).or_else(|| map.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)))
}

/// What RFC 7643 section 2.5 calls unassigned, and the empty string, which Entra sends for it.
fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
