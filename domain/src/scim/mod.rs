//! SCIM 2.0: vocabulary, grammar, and the one decoder for every dialect. Pure functions.

use serde_json::{Map, Value};

/// A resource's attributes in canonical form: names in the schema's case, booleans as booleans,
/// nothing unassigned; extensions under their schema URN. Never `id`, `meta`, `schemas`, `groups`
/// or `members`.
pub type Attributes = Map<String, Value>;
